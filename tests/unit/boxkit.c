/* SPDX-License-Identifier: Apache-2.0 */
#include "boxkit.h"
#include "facts/facts.h"

#include "base/base.h"
#include "base/fd.h"
#include "cgroup/cgroup.h"
#include "plan/order.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/mount.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct facts box_facts;

int boxkit_setup(void)
{
	struct err err = { 0 };

	if (geteuid() != 0 || access("/bin/busybox", X_OK) < 0) {
		(void) fprintf(stderr, "skipped: needs root and a static /bin/busybox\n");
		return 77;
	}
	if (facts_probe(&box_facts, &err) == 0)
		return 0;
	(void) fprintf(stderr, "cannot probe: %s\n", err.text);
	return 1;
}

void boxkit_done(void)
{
	const char *names[CGROUP_HIERARCHIES_MAX + 1];

	if (!box_facts.cgroup)
		return;
	cgroup_hierarchy_names(box_facts.cgroup, names);
	for (size_t i = 0; names[i]; i++) {
		_free_ char *path = xprintf("/sys/fs/cgroup/%s/bulkhead-test", names[i]);

		(void) rmdir(path);
	}
	(void) rmdir("/sys/fs/cgroup/unified/bulkhead-test");
	(void) rmdir("/sys/fs/cgroup/bulkhead-test");
}

void box_add(struct box *b, const struct plan_step *step)
{
	assert_true(b->n < STEPS);
	b->steps[b->n++] = *step;
}

struct plan_step *box_get(struct box *b, enum plan_kind kind)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->steps[i].kind == kind)
			return &b->steps[i];
	fail_msg("the box has no step %s", plan_kind_name(kind));
	return NULL;
}

void box_drop(struct box *b, enum plan_kind kind)
{
	size_t kept = 0;

	for (size_t i = 0; i < b->n; i++)
		if (b->steps[i].kind != kind)
			b->steps[kept++] = b->steps[i];
	b->n = kept;
}

void box_write_text(const char *dir, const char *name, const char *text, mode_t mode)
{
	_free_ char *path = xprintf("%s/%s", dir, name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
}

void box_make_rootfs(const char *root)
{
	static const char *const dirs[] = { "", "bin", "proc", "dev", "tmp", "etc", "sys", "home",
		"sys/fs", "sys/fs/cgroup" };
	static const char *const applets[] = { "sh", "true", "false", "cat", "ls", "id", "sleep",
		"readlink", "hostname", "touch", "mkdir", "env", "stat", "ip", "umask", "grep",
		"test", "echo", "kill", "wc", "head", "mount", "unshare", "ps", "chroot", "tty",
		"stty", "sort", "rm", "mv", "ln", "pwd", "cut" };
	_free_ char *copy = xprintf("cp /bin/busybox %s/bin/busybox", root);

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		_free_ char *dir = xprintf("%s/%s", root, dirs[i]);

		if (mkdir(dir, 0755) < 0)
			assert_int_equal(errno, EEXIST);
		assert_int_equal(chmod(dir, 0755), 0);
	}
	assert_int_equal(system(copy), 0);
	for (size_t i = 0; i < ARRAY_SIZE(applets); i++) {
		_free_ char *path = xprintf("%s/bin/%s", root, applets[i]);

		assert_int_equal(symlink("busybox", path), 0);
	}
	box_write_text(root, "etc/passwd",
	        "root:x:0:0:root:/root:/bin/sh\nweb:x:33:34:web:/home/web:/bin/sh\n", 0644);
	box_write_text(root, "etc/group", "root:x:0:\nwww:x:34:\nextra:x:77:web\n", 0644);
}

void box_add_namespace(struct box *b, uint32_t flag)
{
	box_add(b, STEP(NAMESPACE, .ns = { .flag = flag, .path = "" }));
}

void box_add_mount(struct box *b, const char *type, const char *target, const char *const *data)
{
	box_add(b, STEP(MOUNT, .mount = { .kind = PLAN_MOUNT_FS,
	                               .source = type,
	                               .target = target,
	                               .fstype = type,
	                               .data = data,
	                               .attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV }));
}

static void add_cgroup(struct box *b)
{
	static const char *names[CGROUP_HIERARCHIES_MAX + 1];

	if (!box_facts.cgroup || box_facts.cgroup->cannot_create)
		return;
	cgroup_hierarchy_names(box_facts.cgroup, names);
	box_add(b, STEP(CGROUP, .cgroup = { .mode = box_facts.cgroup->mode,
	                                .path = b->group,
	                                .hierarchies = names,
	                                .unified = box_facts.cgroup->mode == CGROUP_HYBRID }));
	box_add(b, STEP(CGROUP_JOIN, .cgroup_join = { .new_namespace = box_facts.cgroup->mode !=
	                                                               CGROUP_V2 }));
}

/* All namespaces but user and time, root, eight capabilities. */
void box_init(struct box *b, const char *const *args)
{
	static const uint32_t flags[] = { CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWIPC,
		CLONE_NEWUTS, CLONE_NEWCGROUP };
	static const char *const env[] = { "PATH=/bin", NULL };
	static const uint64_t caps = 0xa80425fbULL & ~(1ULL << 24);

	*b = (struct box){ .io = { .gate_fd = -EBADF, .result_fd = -EBADF } };
	(void) snprintf(b->root, sizeof(b->root), "%s/root", testkit_scratch());
	(void) snprintf(b->group, sizeof(b->group), "/bulkhead-test/apply-%d", (int) getpid());
	if (access(b->root, F_OK) < 0)
		box_make_rootfs(b->root);
	box_add(b, STEP(CONTAINER, .container = { .id = "test" }));
	box_add(b, STEP(ROOT, .root = { .path = b->root }));
	add_cgroup(b);
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		box_add_namespace(b, flags[i]);
	box_add(b, STEP(UTS, .uts = { .hostname = "box" }));
	box_add(b, STEP(LOOPBACK));
	box_add(b, STEP(MOUNT_NAMESPACE, .mount_namespace = { .propagation = MS_PRIVATE }));
	box_add_mount(b, "proc", "/proc", NULL);
	box_add(b, STEP(PIVOT));
	box_add(b, STEP(USER));
	box_add(b, STEP(CAPS, .caps = { .bounding = caps, .permitted = caps, .effective = caps }));
	box_add(b, STEP(CWD, .cwd = { .path = "/" }));
	box_add(b, STEP(FIND, .exec = { .args = args }));
	box_add(b, STEP(READY));
	box_add(b, STEP(EXEC, .exec = { .args = args, .env = env }));
}

void box_add_user_namespace(struct box *b)
{
	box_add_namespace(b, CLONE_NEWUSER);
	for (uint32_t gid = 0; gid < 2; gid++)
		box_add(b,
		        STEP(IDMAP, .idmap = { .gid = gid, .host_id = HOST_BASE, .size = 65536 }));
	box_add(b, STEP(BECOME_ROOT, .become_root = { .setgroups = 1 }));
}

void box_add_dev(struct box *b)
{
	static const char *const tmpfs[] = { "mode=755", NULL };
	static const char *const devpts[] = { "newinstance", "ptmxmode=0666", "mode=0620", "gid=5",
		NULL };

	box_add(b, STEP(MOUNT, .mount = { .kind = PLAN_MOUNT_FS,
	                               .source = "tmpfs",
	                               .target = "/dev",
	                               .fstype = "tmpfs",
	                               .data = tmpfs,
	                               .attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC }));
	box_add(b, STEP(MOUNT, .mount = { .kind = PLAN_MOUNT_FS,
	                               .source = "devpts",
	                               .target = "/dev/pts",
	                               .fstype = "devpts",
	                               .data = devpts,
	                               .attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC }));
	box_add(b, STEP(DEVICE, .device = { .type = 'c',
	                                .path = "/dev/tty",
	                                .major = 5,
	                                .mode = 0666,
	                                .bind = 1 }));
	box_add(b, STEP(DEV_LINKS, .dev_links = { .ptmx = 1 }));
}

static int by_rank(const void *a, const void *b)
{
	const struct plan_step *x = a, *y = b;

	return plan_rank(x->kind) - plan_rank(y->kind);
}

/* glibc's qsort is a merge sort and keeps the order of equals for arrays of this size. */
struct plan *box_plan(struct box *b, struct plan_writer *w)
{
	struct plan *plan = NULL;
	struct err err = { 0 };

	qsort(b->steps, b->n, sizeof(*b->steps), by_rank);
	plan_writer_init(w);
	for (size_t i = 0; i < b->n; i++)
		plan_write(w, &b->steps[i]);
	assert_int_equal(plan_writer_finish(w, &err), 0);
	if (plan_decode(w->bytes.data, w->bytes.len, &plan, &err) < 0)
		fail_msg("%s", err.text);
	return plan;
}

int box_wait_status(pid_t pid)
{
	int status = 0;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void box_assert_dies_with(pid_t supervisor, int alive[2], int up[2])
{
	struct pollfd p = { .fd = alive[0], .events = POLLIN };
	char byte;

	fd_close(alive[1]);
	fd_close(up[1]);
	assert_int_equal(read(up[0], &byte, 1), 1);
	assert_int_equal(poll(&p, 1, 0), 0);
	assert_int_equal(kill(supervisor, SIGKILL), 0);
	(void) box_wait_status(supervisor);
	assert_int_equal(poll(&p, 1, 5000), 1);
	assert_int_equal(read(alive[0], &byte, 1), 0);
	fd_close(alive[0]);
	fd_close(up[0]);
}

void box_read_all(int fd, char *out, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, out + len, size - 1 - len)) > 0)
		len += (size_t) n;
	out[len] = '\0';
}

/* Runs to the end; stdout and stderr together. */
void box_run(struct box *b, struct outcome *o)
{
	_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	_cleanup_(plan_freep) struct plan *plan = NULL;
	struct sandbox_child child = SANDBOX_CHILD_INIT;
	struct plan_writer w;
	int out[2];

	*o = (struct outcome){ .status = -1 };
	plan = box_plan(b, &w);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	b->io.stdin_fd = null;
	b->io.stdout_fd = b->io.stderr_fd = out[1];
	/* A terminal takes their place: they need not be there. */
	if (plan_find(plan, PLAN_TERMINAL))
		b->io.stdin_fd = b->io.stdout_fd = b->io.stderr_fd = -EBADF;
	o->r = sandbox_apply(plan, &b->io, &child, &o->exit_code, &o->err);
	fd_close(out[1]);
	if (o->r == 0) {
		o->r = sandbox_wait_exec(&child, &o->exit_code, &o->err);
		/* A terminal says EIO when its last user has gone. */
		box_read_all(child.terminal_fd >= 0 ? child.terminal_fd : out[0], o->out,
		        sizeof(o->out));
		o->status = box_wait_status(child.pid);
		assert_int_equal(sandbox_cleanup(plan, NULL), 0);
	}
	fd_close(out[0]);
	sandbox_child_done(&child);
	plan_writer_done(&w);
}

void box_must_run(struct box *b, struct outcome *o)
{
	box_run(b, o);
	if (o->r < 0)
		fail_msg("cannot run: %s", o->err.text);
}

/* Starts a container that sleeps and returns its pid; 'gate' is its start. */
void box_start(
        struct box *b, struct plan **ret_plan, struct plan_writer *w, struct sandbox_child *child)
{
	_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct err err = { 0 };

	b->io.stdin_fd = b->io.stdout_fd = b->io.stderr_fd = null;
	*ret_plan = box_plan(b, w);
	if (sandbox_apply(*ret_plan, &b->io, child, NULL, &err) < 0)
		fail_msg("%s", err.text);
}

void box_stop(struct plan *plan, struct plan_writer *w, struct sandbox_child *child)
{
	(void) kill(child->pid, SIGKILL);
	assert_int_equal(box_wait_status(child->pid), 128 + SIGKILL);
	sandbox_child_done(child);
	assert_int_equal(sandbox_cleanup(plan, NULL), 0);
	plan_free(plan);
	plan_writer_done(w);
}
