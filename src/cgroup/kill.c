/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a group: members, killing, freezing, removing. Everything here works on groups that
 * vanish meanwhile, since the container and other programs act at the same time. */
#include "cgroup/cgroup.h"

#include "base/buf.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "cgroup/internal.h"
#include "kernel/sys.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	KILL_BATCH = 256,      /* pidfds held at once */
	KILL_WAIT_MS = 50,     /* between two rounds of killing on v1 */
	FREEZE_WAIT_MS = 2000, /* for a freeze to be complete */
	BUSY_TRIES = 12,       /* rmdir of a group whose last member is being reaped */
	REMOVE_KILL_MS = 10000,
};

static int64_t now_ms(void)
{
	struct timespec ts;

	(void) clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

static bool is_gone(int code)
{
	return code == -ENOENT || code == -ENODEV;
}

/* --- members --- */

struct pids {
	pid_t *list;
	size_t n, size;
};

static int parse_pids(struct pids *p, char *text)
{
	for (char *line; (line = strsep(&text, "\n"));) {
		uint32_t pid;

		/* 0 is a process outside our pid namespace: nothing that we could name. */
		if (num_parse_u32(line, &pid) < 0 || pid == 0)
			continue;
		if (p->n >= CGROUP_PIDS_MAX)
			return -E2BIG;
		if (p->n == p->size) {
			p->size = MAX((size_t) 64, p->size * 2);
			p->list = xrealloc_n(p->list, p->size, sizeof(*p->list));
		}
		p->list[p->n++] = (pid_t) pid;
	}
	return 0;
}

/* Calls f for each group nested directly in dirfd. */
static int for_each_child(
        int dirfd, int depth, int (*f)(int dirfd, const char *, int, void *), void *data)
{
	int copy = path_open_in(dirfd, ".", PATH_BENEATH_NO_LINKS, O_RDONLY | O_DIRECTORY, 0);
	DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
	int r = 0;

	if (!dir) {
		fd_close(copy);
		return is_gone(copy) ? 0 : copy < 0 ? copy : -ENOMEM;
	}
	for (struct dirent *e; r == 0 && (e = readdir(dir));)
		if (e->d_type == DT_DIR && path_is_name(e->d_name))
			r = f(dirfd, e->d_name, depth + 1, data);
	(void) closedir(dir);
	return r;
}

static int collect(int dirfd, int depth, void *data);

static int collect_child(int dirfd, const char *name, int depth, void *data)
{
	_close_ int fd = path_open_in(dirfd, name, PATH_BENEATH_NO_LINKS, O_PATH | O_DIRECTORY, 0);

	if (fd < 0)
		return is_gone(fd) ? 0 : TAKE_FD(fd);
	return collect(fd, depth, data);
}

static int collect(int dirfd, int depth, void *data)
{
	_buf_done_ struct buf text = BUF_INIT(CGROUP_FILE_MAX);
	int r = buf_read_file(&text, dirfd, "cgroup.procs");

	if (depth > CGROUP_DEPTH_MAX)
		return -ELOOP;
	/* A threaded group does not list; its processes stand in the group above. */
	if (r < 0 && !is_gone(r) && r != -EOPNOTSUPP)
		return r;
	if (r == 0 && text.len > 0) {
		r = parse_pids(data, text.data);
		if (r < 0)
			return r;
	}
	return for_each_child(dirfd, depth, collect_child, data);
}

static int collect_in(const struct cgroup_handle *h, const char *folder, struct pids *p)
{
	_close_ int fd = cgroup_open_file(h, folder, "", O_PATH | O_DIRECTORY);

	if (fd < 0)
		return is_gone(fd) ? 0 : TAKE_FD(fd);
	return collect(fd, 0, p);
}

static int compare_pids(const void *a, const void *b)
{
	pid_t x = *(const pid_t *) a, y = *(const pid_t *) b;

	return (x > y) - (x < y);
}

static void sort_pids(struct pids *p)
{
	size_t n = 0;

	if (p->n == 0)
		return;
	qsort(p->list, p->n, sizeof(*p->list), compare_pids);
	for (size_t i = 0; i < p->n; i++)
		if (n == 0 || p->list[n - 1] != p->list[i])
			p->list[n++] = p->list[i];
	p->n = n;
}

int cgroup_populated(const struct cgroup_handle *handle, const char *folder)
{
	_buf_done_ struct buf text = BUF_INIT(CGROUP_SHORT_MAX);
	_free_ char *path = xprintf("%s%s/cgroup.events", folder, handle->path);
	struct pids p = { NULL, 0, 0 };
	int r;

	if (handle->v2_name && streq(folder, handle->v2_name)) {
		r = buf_read_file(&text, handle->root_fd, path);
		return r < 0 ? r : strstr(buf_str(&text), "populated 1") != NULL;
	}
	r = collect_in(handle, folder, &p);
	free(p.list);
	return r < 0 ? r : p.n > 0;
}

int cgroup_pids(struct cgroup_handle *handle, pid_t **ret, size_t *ret_n, struct err *err)
{
	struct pids p = { NULL, 0, 0 };
	int r = handle->v2_name ? collect_in(handle, handle->v2_name, &p) : 0;

	for (size_t i = 0; r == 0 && i < handle->n_v1; i++)
		r = collect_in(handle, handle->v1_names[i], &p);
	if (r < 0) {
		free(p.list);
		return err_errno(
		        err, r, "cannot list the processes of control group '%s'", handle->path);
	}
	sort_pids(&p);
	*ret = p.list ? p.list : xnew(pid_t);
	*ret_n = p.n;
	return 0;
}

/* --- events of v2 --- */

/* Waits until cgroup.events has the line 'want'. Returns 0, -ETIMEDOUT or another errno; a group
 * that is gone counts as done. */
static int wait_event(const struct cgroup_handle *h, const char *want, int64_t deadline)
{
	_close_ int fd = cgroup_open_file(h, h->v2_name, "cgroup.events", O_RDONLY);

	if (fd < 0)
		return is_gone(fd) ? 0 : TAKE_FD(fd);
	for (;;) {
		struct pollfd pfd = { .fd = fd, .events = POLLPRI };
		char text[256];
		ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
		int64_t left = deadline - now_ms();

		if (n < 0)
			return is_gone(-errno) ? 0 : -errno;
		text[n] = '\0';
		if (strstr(text, want))
			return 0;
		if (left <= 0)
			return -ETIMEDOUT;
		if (poll(&pfd, 1, (int) MIN(left, (int64_t) 1000)) < 0 && errno != EINTR)
			return -errno;
	}
}

/* --- killing --- */

static bool has_pid(const struct pids *p, pid_t pid)
{
	return p->n > 0 && bsearch(&pid, p->list, p->n, sizeof(*p->list), compare_pids) != NULL;
}

/*
 * Kills members of one v1 group and waits a little for them to go. A pid that was listed may belong
 * to another process by now: only one whose pidfd was opened between two listings that both show it
 * is surely a member's. Returns the number of members that were seen.
 */
static int kill_round(const struct cgroup_handle *h, const char *folder)
{
	const char *freezer = cgroup_v1_folder(h, "freezer");
	struct pids before = { NULL, 0, 0 }, after = { NULL, 0, 0 };
	struct pollfd pidfds[KILL_BATCH];
	size_t n = 0;
	int r = collect_in(h, folder, &before);

	if (r == 0)
		sort_pids(&before);
	if (r == 0 && has_pid(&before, getpid()))
		r = -EDEADLK;
	for (size_t i = 0; r == 0 && i < before.n && i < KILL_BATCH; i++, n++)
		pidfds[n] = (struct pollfd){ .fd = sys_pidfd_open(before.list[i]),
			.events = POLLIN };
	if (r == 0 && n > 0)
		r = collect_in(h, folder, &after);
	sort_pids(&after);
	for (size_t i = 0; r == 0 && i < n; i++)
		if (pidfds[i].fd >= 0 && has_pid(&after, before.list[i]))
			(void) sys_pidfd_send_signal(pidfds[i].fd, SIGKILL);
	if (r == 0)
		r = (int) before.n;
	/* Thawed last, so that nothing was forked in between; then they can die. */
	if (freezer)
		(void) cgroup_write(h, freezer, "freezer.state", "THAWED");
	if (r > 0)
		(void) poll(pidfds, (nfds_t) n, KILL_WAIT_MS);
	for (size_t i = 0; i < n; i++)
		fd_close(pidfds[i].fd);
	free(before.list);
	free(after.list);
	return r;
}

static int kill_v1(const struct cgroup_handle *h, const char *folder, int64_t deadline)
{
	const char *freezer = cgroup_v1_folder(h, "freezer");

	for (;;) {
		int r = cgroup_populated(h, folder);

		if (r <= 0)
			return is_gone(r) ? 0 : r;
		if (freezer)
			(void) cgroup_write(h, freezer, "freezer.state", "FROZEN");
		r = kill_round(h, folder);
		if (r <= 0)
			return r;
		if (now_ms() > deadline)
			return -ETIMEDOUT;
	}
}

static int kill_v2(const struct cgroup_handle *h, int64_t deadline)
{
	struct pids p = { NULL, 0, 0 };
	int r = cgroup_populated(h, h->v2_name);

	if (r <= 0)
		return is_gone(r) ? 0 : r;
	r = collect_in(h, h->v2_name, &p);
	sort_pids(&p);
	if (r == 0 && has_pid(&p, getpid()))
		r = -EDEADLK;
	free(p.list);
	if (r == 0)
		r = cgroup_write(h, h->v2_name, "cgroup.kill", "1");
	if (r < 0)
		return is_gone(r) ? 0 : r;
	return wait_event(h, "populated 0", deadline);
}

int cgroup_kill_all(struct cgroup_handle *handle, int timeout_ms, struct err *err)
{
	int64_t deadline = now_ms() + timeout_ms;
	int r = handle->v2_name ? kill_v2(handle, deadline) : 0;

	/* A member may have left the v2 group only (its owner had the right to move it). */
	for (size_t i = 0; r == 0 && i < handle->n_v1; i++)
		r = kill_v1(handle, handle->v1_names[i], deadline);
	if (r == -EDEADLK)
		return err_set(err, r, "refusing to kill control group '%s': this process is in it",
		        handle->path);
	if (r == -ETIMEDOUT)
		return err_set(err, r,
		        "processes of control group '%s' do not die (waiting in the kernel, for a "
		        "device or a file server?)",
		        handle->path);
	return r < 0 ? err_errno(err, r, "cannot kill control group '%s'", handle->path) : 0;
}

/* --- freezing --- */

static int read_freezer(const struct cgroup_handle *h, const char *folder, char *out, size_t size)
{
	_close_ int fd = cgroup_open_file(h, folder, "freezer.state", O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, out, size - 1);

	if (n < 0)
		return fd < 0 ? TAKE_FD(fd) : -errno;
	out[n] = '\0';
	return 0;
}

/* A v1 freeze can get stuck half-way at "FREEZING" and goes on when it is asked for again. */
static int freeze_v1(const struct cgroup_handle *h, const char *folder, bool frozen)
{
	const char *want = frozen ? "FROZEN" : "THAWED";
	int64_t deadline = now_ms() + FREEZE_WAIT_MS;

	for (int wait = 0;; wait = MIN(wait + 1, 20)) {
		char state[32];
		int r = cgroup_write(h, folder, "freezer.state", want);

		if (r == 0)
			r = read_freezer(h, folder, state, sizeof(state));
		if (r < 0)
			return r;
		if (str_has_prefix(state, want))
			return 0;
		if (now_ms() > deadline)
			return -ETIMEDOUT;
		(void) poll(NULL, 0, wait);
	}
}

int cgroup_freeze(struct cgroup_handle *handle, bool frozen, struct err *err)
{
	const char *freezer = cgroup_v1_folder(handle, "freezer");
	int r;

	if (handle->v2_fd >= 0) {
		r = cgroup_write(handle, handle->v2_name, "cgroup.freeze", frozen ? "1" : "0");
		if (r == 0)
			r = wait_event(handle, frozen ? "frozen 1" : "frozen 0",
			        now_ms() + FREEZE_WAIT_MS);
	} else if (freezer) {
		r = freeze_v1(handle, freezer, frozen);
	} else {
		return err_set(err, -EOPNOTSUPP,
		        "cannot %s: this machine offers no 'freezer' control group controller",
		        frozen ? "pause" : "resume");
	}
	if (r < 0 && frozen) /* never half-paused */
		(void) cgroup_freeze(handle, false, NULL);
	return r < 0 ? err_errno(err, r, "cannot %s control group '%s'", frozen ? "freeze" : "thaw",
	                       handle->path)
	             : 0;
}

int cgroup_is_frozen(struct cgroup_handle *handle)
{
	const char *freezer = cgroup_v1_folder(handle, "freezer");
	_buf_done_ struct buf text = BUF_INIT(CGROUP_SHORT_MAX);
	_free_ char *path = NULL;
	char state[32] = "";
	int r;

	if (handle->v2_fd >= 0) {
		path = xprintf("%s%s/cgroup.events", handle->v2_name, handle->path);
		r = buf_read_file(&text, handle->root_fd, path);
		return r < 0 ? r : strstr(buf_str(&text), "frozen 1") != NULL;
	}
	if (!freezer)
		return 0;
	r = read_freezer(handle, freezer, state, sizeof(state));
	return r < 0 ? r : !str_has_prefix(state, "THAWED");
}

/* --- removing --- */

static int remove_group(int dirfd, const char *name, int depth, void *data)
{
	_close_ int fd = -EBADF;
	int r;

	if (unlinkat(dirfd, name, AT_REMOVEDIR) == 0 || is_gone(-errno))
		return 0;
	if (errno != EBUSY && errno != ENOTEMPTY)
		return -errno;
	if (depth > CGROUP_DEPTH_MAX)
		return -ELOOP;
	fd = path_open_in(dirfd, name, PATH_BENEATH, O_PATH | O_DIRECTORY, 0);
	if (fd < 0)
		return is_gone(fd) ? 0 : TAKE_FD(fd);
	r = for_each_child(fd, depth, remove_group, data);
	if (r < 0)
		return r;
	return unlinkat(dirfd, name, AT_REMOVEDIR) == 0 || is_gone(-errno) ? 0 : -errno;
}

/*
 * Removes the group in one hierarchy. "Busy" without members is a task that is dead but not yet
 * taken off its group; that takes the kernel less than a millisecond, in which we wait for the
 * group's own event or briefly.
 */
static int remove_in(struct cgroup_handle *h, const char *folder, bool kill, struct err *err)
{
	_free_ char *full = xprintf("%s%s", folder, h->path);
	int r = remove_group(h->root_fd, full, 0, NULL);

	if (r == -EBUSY && kill) {
		r = cgroup_kill_all(h, REMOVE_KILL_MS, err);
		if (r < 0)
			return r;
		r = remove_group(h->root_fd, full, 0, NULL);
	}
	for (int i = 0; r == -EBUSY && i < BUSY_TRIES; i++) {
		(void) poll(NULL, 0, i);
		r = remove_group(h->root_fd, full, 0, NULL);
	}
	if (r == -EBUSY)
		return err_set(err, r, "control group '%s' in '%s' still has processes", h->path,
		        streq(folder, ".") ? CGROUP_ROOT : folder);
	if (r < 0)
		return err_errno(err, r, "cannot remove control group '%s' in '%s'", h->path,
		        streq(folder, ".") ? CGROUP_ROOT : folder);
	return 0;
}

void cgroup_prune(
        const struct cgroup_handle *handle, const char *folder, size_t keep, bool leaf_is_gone)
{
	_free_ char *full = xprintf("%s%s", folder, handle->path);
	size_t depth = cgroup_path_depth(handle->path);

	for (bool gone = leaf_is_gone; depth > keep; depth--, gone = false) {
		if (!gone && unlinkat(handle->root_fd, full, AT_REMOVEDIR) < 0 && errno != ENOENT)
			return; /* used by others, or not ours: it stays */
		*strrchr(full, '/') = '\0';
	}
}

int cgroup_remove(const struct cgroup_group *group, bool kill, size_t keep, struct err *err)
{
	_cleanup_(cgroup_handle_done) struct cgroup_handle h = CGROUP_HANDLE_INIT;
	int r = cgroup_handle_init(group, &h, err);

	/* The v2 group first: it kills everything at once. */
	if (r == 0 && h.v2_name)
		r = remove_in(&h, h.v2_name, kill, err);
	for (size_t i = 0; r == 0 && i < h.n_v1; i++)
		r = remove_in(&h, h.v1_names[i], kill, err);
	if (r < 0)
		return r;
	if (h.v2_name)
		cgroup_prune(&h, h.v2_name, keep, true);
	for (size_t i = 0; i < h.n_v1; i++)
		cgroup_prune(&h, h.v1_names[i], keep, true);
	return 0;
}
