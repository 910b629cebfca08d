/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/internal.h"
#include "compile/compile.h"

#include "proc/proc.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEEP_FDS_MAX = 1024, FIRST_KEPT_FD = 3 };

void making_init(struct making *m, struct runtime *rt, const struct runtime_create *args)
{
	*m = (struct making){
		.rt = rt,
		.args = args,
		.folder = FOLDER_INIT,
		.child = SANDBOX_CHILD_INIT,
		.start_fifo = -EBADF,
		.result_fifo = -EBADF,
		.console = -EBADF,
	};
	plan_writer_init(&m->writer);
}

void making_done(struct making *m)
{
	bundle_done(&m->bundle);
	m->plan = plan_free(m->plan);
	plan_writer_done(&m->writer);
	folder_done(&m->folder);
	sandbox_child_done(&m->child);
	m->start_fifo = fd_close(m->start_fifo);
	m->result_fifo = fd_close(m->result_fifo);
	m->console = fd_close(m->console);
	free(TAKE_PTR(m->keep_fds));
}

/* Only an apply that went well has made the plan's groups its own: one that failed has removed what
 * it made, and may have failed because the groups are another container's. */
void making_undo(struct making *m)
{
	struct err ignored = { 0 };
	if (m->child.pidfd >= 0) {
		(void) kill_and_wait(m->child.pidfd, &ignored);
		(void) proc_wait(m->child.pidfd);
		(void) sandbox_cleanup(m->plan, &ignored);
	}
	(void) folder_remove(m->rt, &m->folder, &ignored);
}

/* Descriptors 3, 4, ... in their order: those of LISTEN_FDS, then those of --preserve-fds. What
 * came through exec is not close-on-exec, and all that we opened ourselves is: so none of our own
 * can be given to the container. A number that is not open stays so. */
static int collect_fds(struct making *m, unsigned int listen_fds, struct err *err)
{
	size_t n = (size_t) listen_fds + m->args->preserve_fds;
	if (n > KEEP_FDS_MAX)
		return err_set(
		        err, -EINVAL, "--preserve-fds takes at most %d descriptors", KEEP_FDS_MAX);
	m->keep_fds = xnew_n(int, n + 1);
	for (size_t i = 0; i < n; i++) {
		int fd = FIRST_KEPT_FD + (int) i;
		int flags = fcntl(fd, F_GETFD);
		m->keep_fds[i] = flags < 0 || (flags & FD_CLOEXEC) ? -EBADF : fd;
	}
	m->n_keep_fds = n;
	return 0;
}

static int make_fifo(struct making *m, const char *name, int *ret_fd, struct err *err)
{
	if (mkfifoat(m->folder.fd, name, 0600) < 0)
		return err_errno(
		        err, -errno, "cannot make '%s' of container '%s'", name, m->args->id);
	int fd = openat(m->folder.fd, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_errno(
		        err, -errno, "cannot open '%s' of container '%s'", name, m->args->id);
	*ret_fd = fd;
	return 0;
}

static int fill_folder(struct making *m, bool wait, struct err *err)
{
	const struct buf *bytes = &m->writer.bytes;
	_close_ int fd = openat(m->folder.fd, PLAN_FILE,
	        O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r = fd < 0 ? -errno : fd_write_all(fd, bytes->data, bytes->len);
	if (r < 0)
		return err_errno(err, r, "cannot write the plan of container '%s'", m->args->id);
	if (!wait)
		return 0;
	r = make_fifo(m, START_FIFO, &m->start_fifo, err);
	return r < 0 ? r : make_fifo(m, RESULT_FIFO, &m->result_fifo, err);
}

static int save_state(struct making *m, struct err *err)
{
	const struct plan_step *cgroup = plan_find(m->plan, PLAN_CGROUP);
	const struct oci_spec *spec = m->bundle.spec;
	char created[40], boot_id[37], owner[16];
	uid_t uid = geteuid();
	uint64_t start_time = 0;
	int r = proc_boot_id(boot_id);
	if (r >= 0)
		r = proc_start_time(m->child.pid, &start_time);
	if (r < 0)
		return err_errno(err, r, "cannot tell when the container's process started");
	time_rfc3339(created, sizeof(created));
	(void) snprintf(owner, sizeof(owner), "%u", uid);
	const struct runtime_state state = {
		.id = m->args->id,
		.oci_version = spec->version,
		.bundle = m->bundle.dir,
		.rootfs = m->bundle.rootfs,
		.created = created,
		.owner = uid == 0 ? "root" : owner,
		.boot_id = boot_id,
		.cgroup_path = cgroup ? cgroup->cgroup.path : "",
		.cgroup_mode = cgroup ? cgroup->cgroup.mode : 0,
		.pid = m->child.pid,
		.start_time = start_time,
		.auto_remove = m->start_fifo < 0 && !m->args->detach && !m->args->keep,
		.annotations = spec->annotations,
		.n_annotations = spec->n_annotations,
	};
	return state_save_at(m->folder.fd, &state, err);
}

static int save_pid_file(const struct making *m, struct err *err)
{
	const char *path = m->args->pid_file;
	if (!path)
		return 0;
	char text[16];
	int n = snprintf(text, sizeof(text), "%d", (int) m->child.pid);
	const char *slash = strrchr(path, '/');
	_free_ char *dir = slash ? xstrndup(path, (size_t) (slash - path) + 1) : xstrdup(".");
	_close_ int dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r = dir_fd < 0 ? -errno
	                   : fd_replace_file(dir_fd, slash ? slash + 1 : path, text, (size_t) n,
	                             0644, false);
	if (r < 0) {
		_free_ char *shown = str_escaped(path);
		return err_errno(err, r, "cannot write the pid file '%s'", shown);
	}
	return 0;
}

static int compile(struct making *m, bool wait, struct compile_notes *notes, struct err *err)
{
	unsigned int listen_fds = bundle_listen_fds();
	struct facts facts;
	int r = collect_fds(m, listen_fds, err);
	if (r >= 0)
		r = bundle_open(m->args, listen_fds, &m->bundle, err);
	if (r >= 0)
		r = facts_probe_for(m->bundle.spec, &facts, err);
	if (r >= 0)
		r = bundle_compile(m->args, &m->bundle, &facts, wait, &m->writer, notes, err);
	if (r >= 0)
		r = plan_decode(m->writer.bytes.data, m->writer.bytes.len, &m->plan, err);
	return r;
}

/* The socket is connected before there is a container, and gets the terminal before its program
 * can run. */
static int open_console(struct making *m, struct err *err)
{
	const char *path = m->args->console_socket;
	bool terminal = plan_find(m->plan, PLAN_TERMINAL);
	if (terminal && !path)
		return err_set(err, -EINVAL,
		        "a terminal needs --console-socket: give the socket that receives it, or "
		        "set process.terminal to false");
	if (path && !terminal)
		return err_set(err, -EINVAL,
		        "--console-socket needs process.terminal: the config has no terminal to "
		        "send");
	return path ? console_connect(path, &m->console, err) : 0;
}

static int hand_over_terminal(struct making *m, struct err *err)
{
	if (m->console < 0)
		return 0;
	int r = console_send(m->console, m->child.terminal_fd, err);
	m->child.terminal_fd = fd_close(m->child.terminal_fd);
	return r;
}

static int apply(struct making *m, struct err *err)
{
	const struct sandbox_io io = {
		.stdin_fd = STDIN_FILENO,
		.stdout_fd = STDOUT_FILENO,
		.stderr_fd = STDERR_FILENO,
		.keep_fds = m->keep_fds,
		.n_keep_fds = m->n_keep_fds,
		.gate_fd = m->start_fifo,
		.result_fd = m->result_fifo,
		/* Nobody would see the end of a foreground container whose 'run' is gone. */
		.die_with_parent = m->start_fifo < 0 && !m->args->detach,
	};
	return sandbox_apply(m->plan, &io, &m->child, NULL, err);
}

int making_apply(struct making *m, bool wait, struct compile_notes *notes, struct err *err)
{
	int r = folder_check_id(m->args->id, err);
	if (r >= 0)
		r = compile(m, wait, notes, err);
	if (r >= 0)
		r = open_console(m, err);
	if (r >= 0)
		r = folder_make(m->rt, m->args->id, &m->folder, err);
	if (r < 0)
		return r;
	r = fill_folder(m, wait, err);
	if (r >= 0)
		r = apply(m, err);
	if (r >= 0)
		r = hand_over_terminal(m, err);
	if (r >= 0)
		r = save_state(m, err);
	if (r >= 0)
		r = save_pid_file(m, err);
	if (r < 0)
		making_undo(m);
	return r;
}

int runtime_create(struct runtime *rt, const struct runtime_create *args,
        struct compile_notes *notes, struct err *err)
{
	_making_done_ struct making m;
	making_init(&m, rt, args);
	return making_apply(&m, true, notes, err);
}
