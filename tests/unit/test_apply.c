/* SPDX-License-Identifier: Apache-2.0 */
/* Plans executed for real: what the program inside sees, what fails how, and that the host is left
 * as it was. Needs root. */
#include "testkit.h"

#include "base/base.h"
#include "base/fd.h"
#include "base/str.h"
#include "caps/caps.h"
#include "cgroup/cgroup.h"
#include "landlock/landlock.h"
#include "sandbox/order.h"
#include "sandbox/sandbox.h"

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

#define LIST(...)        ((const char *const[]){ __VA_ARGS__, NULL })
#define SHELL(script)    ((const char *const[]){ "sh", "-c", (script), NULL })
#define STEP(kind_, ...) (&(struct plan_step){ .kind = PLAN_##kind_, __VA_ARGS__ })

enum { STEPS = 128, HOST_BASE = 1000000 };

/* --- a container in the making --- */

struct box {
	struct plan_step steps[STEPS];
	size_t n;
	struct sandbox_io io;
	char root[512];
	char group[128];
};

struct outcome {
	int r;         /* of sandbox_apply */
	int exit_code; /* of sandbox_apply or sandbox_wait_exec */
	int status;    /* of the program, as the shell tells it */
	char out[65536];
	struct err err;
};

static struct sandbox_facts facts;

static void add(struct box *b, const struct plan_step *step)
{
	assert_true(b->n < STEPS);
	b->steps[b->n++] = *step;
}

static struct plan_step *get(struct box *b, enum plan_kind kind)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->steps[i].kind == kind)
			return &b->steps[i];
	fail_msg("the box has no step %s", plan_kind_name(kind));
	return NULL;
}

static void drop(struct box *b, enum plan_kind kind)
{
	size_t kept = 0;

	for (size_t i = 0; i < b->n; i++)
		if (b->steps[i].kind != kind)
			b->steps[kept++] = b->steps[i];
	b->n = kept;
}

static void write_text(const char *dir, const char *name, const char *text, mode_t mode)
{
	_free_ char *path = xprintf("%s/%s", dir, name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static void make_rootfs(const char *root)
{
	static const char *const dirs[] = { "", "bin", "proc", "dev", "tmp", "etc", "sys", "home",
		"sys/fs", "sys/fs/cgroup" };
	static const char *const applets[] = { "sh", "true", "false", "cat", "ls", "id", "sleep",
		"readlink", "hostname", "touch", "mkdir", "env", "stat", "ip", "umask", "grep",
		"test", "echo", "kill", "wc", "head", "mount", "unshare", "ps", "chroot" };
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
	write_text(root, "etc/passwd",
	        "root:x:0:0:root:/root:/bin/sh\nweb:x:33:34:web:/home/web:/bin/sh\n", 0644);
	write_text(root, "etc/group", "root:x:0:\nwww:x:34:\nextra:x:77:web\n", 0644);
}

static void add_namespace(struct box *b, uint32_t flag)
{
	add(b, STEP(NAMESPACE, .ns = { .flag = flag, .path = "" }));
}

static void add_mount(struct box *b, const char *type, const char *target, const char *const *data)
{
	add(b, STEP(MOUNT, .mount = { .kind = PLAN_MOUNT_FS,
	                           .source = type,
	                           .target = target,
	                           .fstype = type,
	                           .data = data,
	                           .attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV }));
}

static void add_cgroup(struct box *b)
{
	static const char *names[CGROUP_HIERARCHIES_MAX + 1];

	if (!facts.cgroup || facts.cgroup->cannot_create)
		return;
	cgroup_hierarchy_names(facts.cgroup, names);
	add(b, STEP(CGROUP, .cgroup = { .mode = facts.cgroup->mode,
	                            .path = b->group,
	                            .hierarchies = names,
	                            .unified = facts.cgroup->mode == CGROUP_HYBRID }));
	add(b, STEP(CGROUP_JOIN,
	               .cgroup_join = { .new_namespace = facts.cgroup->mode != CGROUP_V2 }));
}

/* All namespaces but user and time, root, eight capabilities. */
static void box_init(struct box *b, const char *const *args)
{
	static const uint32_t flags[] = { CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWIPC,
		CLONE_NEWUTS, CLONE_NEWCGROUP };
	static const char *const env[] = { "PATH=/bin", NULL };
	static const uint64_t caps = 0xa80425fbULL & ~(1ULL << 24);

	*b = (struct box){ .io = { .gate_fd = -EBADF, .result_fd = -EBADF } };
	(void) snprintf(b->root, sizeof(b->root), "%s/root", testkit_scratch());
	(void) snprintf(b->group, sizeof(b->group), "/bulkhead-test/apply-%d", (int) getpid());
	if (access(b->root, F_OK) < 0)
		make_rootfs(b->root);
	add(b, STEP(CONTAINER, .container = { .id = "test" }));
	add(b, STEP(ROOT, .root = { .path = b->root }));
	add_cgroup(b);
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		add_namespace(b, flags[i]);
	add(b, STEP(UTS, .uts = { .hostname = "box" }));
	add(b, STEP(LOOPBACK));
	add(b, STEP(MOUNT_NAMESPACE, .mount_namespace = { .propagation = MS_PRIVATE }));
	add_mount(b, "proc", "/proc", NULL);
	add(b, STEP(PIVOT));
	add(b, STEP(USER));
	add(b, STEP(CAPS, .caps = { .bounding = caps, .permitted = caps, .effective = caps }));
	add(b, STEP(CWD, .cwd = { .path = "/" }));
	add(b, STEP(FIND, .exec = { .args = args }));
	add(b, STEP(READY));
	add(b, STEP(EXEC, .exec = { .args = args, .env = env }));
}

static void add_user_namespace(struct box *b)
{
	add_namespace(b, CLONE_NEWUSER);
	for (uint32_t gid = 0; gid < 2; gid++)
		add(b, STEP(IDMAP, .idmap = { .gid = gid, .host_id = HOST_BASE, .size = 65536 }));
	add(b, STEP(BECOME_ROOT, .become_root = { .setgroups = 1 }));
}

static int by_rank(const void *a, const void *b)
{
	const struct plan_step *x = a, *y = b;

	return plan_rank(x->kind) - plan_rank(y->kind);
}

/* glibc's qsort is a merge sort and keeps the order of equals for arrays of this size. */
static struct plan *box_plan(struct box *b, struct plan_writer *w)
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

static int wait_status(pid_t pid)
{
	int status = 0;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void read_all(int fd, char *out, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, out + len, size - 1 - len)) > 0)
		len += (size_t) n;
	out[len] = '\0';
}

/* Runs to the end; stdout and stderr together. */
static void box_run(struct box *b, struct outcome *o)
{
	_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	_cleanup_(plan_freep) struct plan *plan = NULL;
	struct sandbox_child child = { .pidfd = -EBADF, .sync = -EBADF };
	struct plan_writer w;
	int out[2];

	*o = (struct outcome){ .status = -1 };
	plan = box_plan(b, &w);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	b->io.stdin_fd = null;
	b->io.stdout_fd = b->io.stderr_fd = out[1];
	o->r = sandbox_apply(plan, &b->io, &child, &o->exit_code, &o->err);
	fd_close(out[1]);
	if (o->r == 0) {
		o->r = sandbox_wait_exec(&child, &o->exit_code, &o->err);
		read_all(out[0], o->out, sizeof(o->out));
		o->status = wait_status(child.pid);
		assert_int_equal(sandbox_cleanup(plan, NULL), 0);
	}
	fd_close(out[0]);
	fd_close(child.pidfd);
	fd_close(child.sync);
	plan_writer_done(&w);
}

static void must_run(struct box *b, struct outcome *o)
{
	box_run(b, o);
	if (o->r < 0)
		fail_msg("cannot run: %s", o->err.text);
}

/* --- tests --- */

static void exit_codes_are_passed_on(void **state)
{
	static const struct {
		const char *const args[4];
		int status;
	} cases[] = {
		{ { "true" }, 0 },
		{ { "false" }, 1 },
		{ { "sh", "-c", "exit 42" }, 42 },
	};
	struct outcome o;
	struct box b;

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		box_init(&b, cases[i].args);
		must_run(&b, &o);
		assert_int_equal(o.status, cases[i].status);
	}
}

static void every_namespace_is_new(void **state)
{
	static const char *const names[] = { "mnt", "pid", "net", "ipc", "uts", "cgroup" };
	struct outcome o;
	struct box b;

	(void) state;
	box_init(&b, SHELL("for n in mnt pid net ipc uts cgroup; do readlink /proc/self/ns/$n; "
	                   "done; echo pid=$$; hostname; ip addr show lo; cat /proc/self/cgroup"));
	must_run(&b, &o);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_free_ char *path = xprintf("/proc/self/ns/%s", names[i]);
		char own[64] = { 0 };

		assert_true(readlink(path, own, sizeof(own) - 1) > 0);
		if (strstr(o.out, own))
			fail_msg("the container shares the namespace %s", own);
	}
	assert_contains(o.out, "pid=1\nbox\n");
	assert_contains(o.out, "127.0.0.1");
	assert_null(strstr(o.out, "bulkhead-test"));
	assert_null(strstr(o.out, "/.."));
}

static void ids_are_shifted_in_a_user_namespace(void **state)
{
	struct outcome o;
	struct box b;

	(void) state;
	box_init(&b, SHELL("id; cat /proc/self/uid_map; cat /proc/self/setgroups; "
	                   "cat /proc/self/cgroup; stat -c %u /proc/self"));
	add_user_namespace(&b);
	must_run(&b, &o);
	assert_contains(o.out, "uid=0(root) gid=0(root)");
	assert_contains(o.out, "1000000      65536");
	assert_contains(o.out, "allow");
	assert_null(strstr(o.out, "/.."));
}

static void unmapped_user_is_refused(void **state)
{
	struct outcome o;
	struct box b;

	(void) state;
	box_init(&b, LIST("true"));
	add_user_namespace(&b);
	get(&b, PLAN_USER)->user.uid = 70000;
	box_run(&b, &o);
	assert_int_equal(o.r, -EINVAL);
	assert_contains(o.err.text, "cannot change to user 70000");
}

static void read_only_root_cannot_be_written(void **state)
{
	struct outcome o;
	struct box b;

	(void) state;
	box_init(&b, SHELL("touch /x; touch /tmp/y"));
	add(&b, STEP(ROOT_ATTR, .root_attr = { .attr_set = MOUNT_ATTR_RDONLY }));
	add_mount(&b, "tmpfs", "/tmp", NULL);
	must_run(&b, &o);
	assert_contains(o.out, "/x: Read-only file system");
	assert_null(strstr(o.out, "/tmp/y"));
}

static void masked_and_read_only_paths_hold(void **state)
{
	struct outcome o;
	struct box b;

	(void) state;
	box_init(&b, SHELL("wc -c < /proc/kallsyms; ls /proc/bus | wc -l; "
	                   "echo 1 > /proc/sys/kernel/core_uses_pid; echo done"));
	add(&b, STEP(MASK, .path = { .path = "/proc/kallsyms" }));
	add(&b, STEP(MASK, .path = { .path = "/proc/bus" }));
	add(&b, STEP(MASK, .path = { .path = "/proc/there-is-no-such-file" }));
	add(&b, STEP(READONLY, .path = { .path = "/proc/sys" }));
	must_run(&b, &o);
	assert_contains(o.out, "0\n0\n");
	assert_contains(o.out, "Read-only file system");
	assert_contains(o.out, "done");
}

static void proc_shows_only_what_is_allowed(void **state)
{
	struct outcome o;
	struct box b;

	(void) state;
	box_init(&b, SHELL("wc -c < /proc/kallsyms; head -n1 /proc/meminfo; cat /proc/self/comm"));
	add_user_namespace(&b);
	add(&b, STEP(PROC_ALLOW, .proc_allow = { .names = LIST("meminfo", "sys") }));
	must_run(&b, &o);
	assert_true(str_has_prefix(o.out, "0\nMemTotal"));
	assert_contains(o.out, "cat\n");
}

static void devices_are_bound_in_a_user_namespace(void **state)
{
	struct outcome o;
	struct box b;

	(void) state;
	box_init(&b, SHELL("echo x > /dev/null; stat -c %t,%T /dev/null; ls -l /dev; test -c "
	                   "/dev/null && readlink /dev/fd"));
	add_user_namespace(&b);
	add(&b, STEP(MOUNT, .mount = { .kind = PLAN_MOUNT_FS,
	                            .source = "tmpfs",
	                            .target = "/dev",
	                            .fstype = "tmpfs",
	                            .data = LIST("mode=755"),
	                            .attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC }));
	add(&b, STEP(DEVICE, .device = { .type = 'c',
	                             .path = "/dev/null",
	                             .major = 1,
	                             .minor = 3,
	                             .mode = 0666,
	                             .bind = 1 }));
	add(&b, STEP(DEV_LINKS));
	must_run(&b, &o);
	assert_contains(o.out, "1,3\n");
	assert_contains(o.out, "/proc/self/fd\n");
}

static void rlimits_are_set_last(void **state)
{
	struct outcome o;
	struct box b;

	(void) state;
	box_init(&b, SHELL("ulimit -n; ulimit -c"));
	/* Fewer descriptors than the set-up itself needs. */
	add(&b, STEP(RLIMIT, .rlimit = { .resource = RLIMIT_NOFILE,
	                             .name = "RLIMIT_NOFILE",
	                             .soft = 4,
	                             .hard = 5 }));
	add(&b, STEP(RLIMIT, .rlimit = { .resource = RLIMIT_FSIZE, .name = "RLIMIT_FSIZE" }));
	must_run(&b, &o);
	assert_true(str_has_prefix(o.out, "4\n"));
}

static void limit_that_is_refused_fails_before_ready(void **state)
{
	struct outcome o;
	struct box b;

	(void) state;
	box_init(&b, LIST("true"));
	add(&b, STEP(RLIMIT, .rlimit = { .resource = RLIMIT_NOFILE,
	                             .name = "RLIMIT_NOFILE",
	                             .soft = 1ULL << 40,
	                             .hard = 1ULL << 40 }));
	box_run(&b, &o);
	assert_true(o.r < 0);
	assert_contains(o.err.text, "the limit RLIMIT_NOFILE");
}

static void capabilities_are_exactly_the_plans(void **state)
{
	struct outcome o;
	struct box b;

	(void) state;
	box_init(&b, SHELL("grep -E 'Cap|NoNew|Seccomp:' /proc/self/status"));
	get(&b, PLAN_CAPS)->caps =
	        (struct plan_caps){ .bounding = 0x21, .permitted = 0x21, .effective = 0x21 };
	add(&b, STEP(NO_NEW_PRIVS));
	must_run(&b, &o);
	assert_contains(o.out, "CapInh:\t0000000000000000");
	assert_contains(o.out, "CapPrm:\t0000000000000021");
	assert_contains(o.out, "CapEff:\t0000000000000021");
	assert_contains(o.out, "CapBnd:\t0000000000000021");
	assert_contains(o.out, "CapAmb:\t0000000000000000");
	assert_contains(o.out, "NoNewPrivs:\t1");
	assert_contains(o.out, "Seccomp:\t0");
}

static void user_is_looked_up_inside_the_root(void **state)
{
	struct outcome o;
	struct box b;

	(void) state;
	box_init(&b, SHELL("id; echo HOME=$HOME; umask; grep CapBnd /proc/self/status"));
	add_user_namespace(&b);
	get(&b, PLAN_USER)->user =
	        (struct plan_user){ .lookup = "web", .set_home = 1, .has_umask = 1, .umask = 027 };
	get(&b, PLAN_CAPS)->caps.empty_unless_root = 1;
	must_run(&b, &o);
	assert_contains(o.out, "uid=33(web) gid=34(www)");
	assert_contains(o.out, "77(extra)");
	assert_contains(o.out, "HOME=/home/web\n0027\n");
	assert_contains(o.out, "CapBnd:\t0000000000000000");
}

static void unknown_user_is_refused(void **state)
{
	struct outcome o;
	struct box b;

	(void) state;
	box_init(&b, LIST("true"));
	get(&b, PLAN_USER)->user.lookup = "nobody-knows";
	box_run(&b, &o);
	assert_int_equal(o.r, -ENOENT);
	assert_contains(o.err.text, "nobody-knows");
}

/* Refuses sethostname with EXDEV, which nothing else gives. */
static void seccomp_filter_is_loaded(void **state)
{
	static const struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sethostname, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EXDEV),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	static const enum plan_kind kinds[] = { PLAN_SECCOMP, PLAN_SECCOMP_EARLY };
	struct outcome o;
	struct box b;

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		box_init(&b, SHELL("grep Seccomp: /proc/self/status; hostname x; hostname"));
		add(&b, &(struct plan_step){ .kind = kinds[i],
		                .seccomp = { .filter = filter, .filter_size = sizeof(filter) } });
		if (kinds[i] == PLAN_SECCOMP)
			add(&b, STEP(NO_NEW_PRIVS));
		must_run(&b, &o);
		assert_contains(o.out, "Seccomp:\t2");
		assert_contains(o.out, "nvalid cross-device link");
		assert_contains(o.out, "box\n");
	}
}

static void landlock_denies_a_write(void **state)
{
	struct outcome o;
	struct box b;

	(void) state;
	if (facts.landlock_abi == 0)
		skip();
	box_init(&b, SHELL("touch /etc/x; touch /tmp/y && echo good"));
	add_mount(&b, "tmpfs", "/tmp", NULL);
	add(&b, STEP(LANDLOCK, .landlock = { .handled_fs = landlock_fs_rights(1), .abi = 1 }));
	add(&b, STEP(LANDLOCK_RULE,
	                .landlock_rule = { .path = "/",
	                        .access = LL_FS_EXECUTE | LL_FS_READ_FILE | LL_FS_READ_DIR }));
	add(&b, STEP(LANDLOCK_RULE,
	                .landlock_rule = { .path = "/tmp", .access = landlock_fs_rights(1) }));
	add(&b, STEP(LANDLOCK_RULE,
	                .landlock_rule = { .path = "/missing", .access = 1, .optional = 1 }));
	add(&b, STEP(NO_NEW_PRIVS));
	add(&b, STEP(LANDLOCK_ENTER));
	must_run(&b, &o);
	assert_contains(o.out, "/etc/x: Permission denied");
	assert_contains(o.out, "good");
}

static void missing_program_is_127(void **state)
{
	struct outcome o;
	struct box b;

	(void) state;
	box_init(&b, LIST("no-such-program"));
	box_run(&b, &o);
	assert_true(o.r == -ENOENT && o.exit_code == 127);
	assert_string_equal(
	        o.err.text, "exec: \"no-such-program\": executable file not found in $PATH");
	box_init(&b, LIST("/bin/no-such-program"));
	box_run(&b, &o);
	assert_true(o.r == -ENOENT && o.exit_code == 127);
	assert_contains(o.err.text, "no such file or directory");
}

static void program_that_cannot_run_is_126(void **state)
{
	struct outcome o;
	struct box b;

	(void) state;
	box_init(&b, LIST("/etc/passwd"));
	box_run(&b, &o);
	assert_true(o.r < 0 && o.exit_code == 126);
	assert_contains(o.err.text, "permission denied");
	box_init(&b, LIST("/etc"));
	box_run(&b, &o);
	assert_true(o.r < 0 && o.exit_code == 126);
	assert_contains(o.err.text, "is a directory");
	box_init(&b, LIST("/bin/garbage"));
	write_text(b.root, "bin/garbage",
	        "\x7f"
	        "garbage",
	        0755);
	box_run(&b, &o);
	assert_true(o.r == -ENOEXEC && o.exit_code == 126);
	assert_contains(o.err.text, "exec format error");
	assert_int_equal(o.status, 126);
}

static void missing_interpreter_is_named(void **state)
{
	struct outcome o;
	struct box b;

	(void) state;
	box_init(&b, LIST("script"));
	write_text(b.root, "bin/script", "#!/nowhere/lua\n", 0755);
	box_run(&b, &o);
	assert_true(o.r == -ENOENT && o.exit_code == 127);
	assert_contains(o.err.text, "interpreter is missing: no such file or directory");
}

static void missing_root_leaves_nothing(void **state)
{
	struct outcome o;
	struct box b;

	(void) state;
	box_init(&b, LIST("true"));
	get(&b, PLAN_ROOT)->root.path = "/no/such/root";
	box_run(&b, &o);
	assert_true(o.r < 0);
	assert_contains(o.err.text, "/no/such/root");
}

static void no_descriptor_leaks(void **state)
{
	_close_ int leak = open("/", O_RDONLY | O_DIRECTORY); /* not even close-on-exec */
	struct outcome o;
	struct box b;

	(void) state;
	box_init(&b, LIST("ls", "/proc/self/fd"));
	must_run(&b, &o);
	/* 3 is the folder that ls itself reads. */
	assert_string_equal(o.out, "0\n1\n2\n3\n");
}

static void kept_descriptors_are_numbered_from_three(void **state)
{
	int a[2], b_fd;
	struct outcome o;
	struct box b;

	(void) state;
	assert_int_equal(pipe2(a, O_CLOEXEC), 0);
	b_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	/* In the wrong order, so that one's number is the other's place. */
	const int keep[] = { b_fd, a[1], a[0] };
	box_init(&b, SHELL("ls -l /proc/$$/fd; echo through >&4"));
	b.io.keep_fds = keep;
	b.io.n_keep_fds = 3;
	must_run(&b, &o);
	assert_contains(o.out, "3 -> /dev/null");
	assert_contains(o.out, "4 -> pipe");
	assert_contains(o.out, "5 -> pipe");
	fd_close(a[1]);
	read_all(a[0], o.out, sizeof(o.out));
	assert_string_equal(o.out, "through\n");
	fd_close(a[0]);
	fd_close(b_fd);
}

static void cwd_through_a_descriptor_is_refused(void **state)
{
	_close_ int leak = open("/", O_RDONLY | O_DIRECTORY);
	struct outcome o;
	struct box b;

	(void) state;
	for (int fd = 0; fd < 40; fd++) {
		_free_ char *path = xprintf("/proc/self/fd/%d", fd);

		box_init(&b, LIST("true"));
		drop(&b, PLAN_CGROUP);
		drop(&b, PLAN_CGROUP_JOIN);
		get(&b, PLAN_CWD)->cwd.path = path;
		box_run(&b, &o);
		assert_true(o.r < 0);
	}
}

static void cwd_is_made_when_asked(void **state)
{
	struct outcome o;
	struct box b;

	(void) state;
	box_init(&b, SHELL("echo in $PWD"));
	get(&b, PLAN_CWD)->cwd = (struct plan_cwd){ .path = "/srv/app", .create = 1 };
	must_run(&b, &o);
	assert_contains(o.out, "in /srv/app\n");
	box_init(&b, LIST("true"));
	get(&b, PLAN_CWD)->cwd.path = "/nowhere";
	box_run(&b, &o);
	assert_true(o.r < 0);
	assert_contains(o.err.text, "/nowhere");
}

static void sysctl_of_the_namespace_is_written(void **state)
{
	struct outcome o;
	struct box b;

	(void) state;
	box_init(&b, SHELL("cat /proc/sys/net/ipv4/ip_unprivileged_port_start; "
	                   "unshare -n true; echo $?"));
	add_user_namespace(&b);
	get(&b, PLAN_CAPS)->caps.effective |= 1 << 21;
	get(&b, PLAN_CAPS)->caps.permitted |= 1 << 21;
	get(&b, PLAN_CAPS)->caps.bounding |= 1 << 21;
	add(&b, STEP(SYSCTL, .sysctl = { .path = "net/ipv4/ip_unprivileged_port_start",
	                             .value = "80" }));
	add(&b, STEP(SYSCTL, .sysctl = { .path = "net/no/such", .value = "1", .optional = 1 }));
	add(&b, STEP(LATE_SYSCTL, .sysctl = { .path = "user/max_net_namespaces", .value = "0" }));
	must_run(&b, &o);
	assert_true(str_has_prefix(o.out, "80\n"));
	assert_contains(o.out, "No space left");
}

static void memfd_noexec_is_set_before_root_is_given_up(void **state)
{
	struct outcome o;
	struct box b;

	(void) state;
	if (!facts.has_memfd_noexec)
		skip();
	box_init(&b, LIST("cat", "/proc/sys/vm/memfd_noexec"));
	add_user_namespace(&b);
	add(&b, STEP(EARLY_SYSCTL, .sysctl = { .path = "vm/memfd_noexec", .value = "1" }));
	must_run(&b, &o);
	assert_string_equal(o.out, "1\n");
}

static void time_namespace_has_its_offset(void **state)
{
	char before[64] = { 0 }, after[64] = { 0 };
	struct outcome o;
	struct box b;

	(void) state;
	assert_true(readlink("/proc/self/ns/time_for_children", before, 63) > 0);
	box_init(&b, LIST("cat", "/proc/uptime"));
	add_user_namespace(&b);
	add_namespace(&b, CLONE_NEWTIME);
	add(&b, STEP(TIME_OFFSET, .time_offset = { .clock = "boottime", .secs = 500000000 }));
	must_run(&b, &o);
	assert_true(str_has_prefix(o.out, "50"));
	assert_true(strlen(o.out) > 15);
	assert_true(readlink("/proc/self/ns/time_for_children", after, 63) > 0);
	assert_string_equal(before, after);
}

static void tmpfs_bind_and_its_flags(void **state)
{
	_free_ char *dir = NULL;
	struct outcome o;
	struct box b;

	(void) state;
	box_init(&b, SHELL("cat /mnt/deep/hello; touch /mnt/deep/x; grep mnt /proc/mounts"));
	dir = xprintf("%s/shared", testkit_scratch());
	assert_int_equal(mkdir(dir, 0755), 0);
	write_text(dir, "hello", "from the host\n", 0644);
	add(&b, STEP(MOUNT, .mount = { .kind = PLAN_MOUNT_BIND,
	                            .source = dir,
	                            .target = "/mnt/deep",
	                            .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC }));
	must_run(&b, &o);
	assert_contains(o.out, "from the host\n");
	assert_contains(o.out, "Read-only file system");
	assert_contains(o.out, "noexec");
}

static void idmapped_bind_shows_its_owner(void **state)
{
	_free_ char *dir = NULL;
	struct outcome o;
	struct box b;

	(void) state;
	box_init(&b, SHELL("stat -c %u:%g /mnt/f"));
	dir = xprintf("%s/shared", testkit_scratch());
	assert_int_equal(mkdir(dir, 0755), 0);
	write_text(dir, "f", "x", 0644);
	add_user_namespace(&b);
	add(&b, STEP(MOUNT, .mount = { .kind = PLAN_MOUNT_BIND,
	                            .source = dir,
	                            .target = "/mnt",
	                            .idmap = 1 }));
	/* The target must be there: the root belongs to the host's root. */
	_free_ char *target = xprintf("%s/mnt", b.root);
	assert_int_equal(mkdir(target, 0755), 0);
	must_run(&b, &o);
	assert_string_equal(o.out, "0:0\n");
}

static void cgroup_limit_holds_and_goes_away(void **state)
{
	bool v2 = facts.cgroup && facts.cgroup->mode == CGROUP_V2;
	struct outcome o;
	struct box b;

	(void) state;
	if (!facts.cgroup || facts.cgroup->cannot_create)
		skip();
	box_init(&b, SHELL("for i in 1 2 3 4 5 6 7 8 9; do sleep 0.1 & done; wait"));
	add(&b, STEP(CGROUP_SET,
	                .cgroup_set = {
	                        .hierarchy = v2 ? "" : "pids", .file = "pids.max", .value = "4" }));
	must_run(&b, &o);
	assert_contains(o.out, "an't fork");
}

static void mount_of_cgroups_shows_only_its_own(void **state)
{
	struct outcome o;
	struct box b;

	(void) state;
	if (!facts.cgroup || facts.cgroup->cannot_create)
		skip();
	box_init(&b, SHELL("ls /sys/fs/cgroup; cat /proc/self/mountinfo"));
	add_user_namespace(&b);
	add(&b, STEP(MOUNT, .mount = { .kind = PLAN_MOUNT_CGROUP,
	                            .source = "cgroup",
	                            .target = "/sys/fs/cgroup",
	                            .fstype = "cgroup",
	                            .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
	                                        MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC }));
	must_run(&b, &o);
	assert_contains(o.out, "cgroup");
	assert_null(strstr(o.out, "bulkhead-test"));
}

static void failing_step_leaves_nothing(void **state)
{
	struct outcome o;
	struct box b;

	(void) state;
	if (!facts.cgroup || facts.cgroup->cannot_create)
		skip();
	for (int round = 0; round < 2; round++) {
		struct cgroup_handle handle = CGROUP_HANDLE_INIT;
		struct cgroup_group group = { 0 };
		const struct plan_cgroup *c;

		box_init(&b, LIST("true"));
		if (round == 0)
			add(&b, STEP(CGROUP_SET, .cgroup_set = { .hierarchy = "",
			                                 .file = "cgroup.no-such-file",
			                                 .value = "1" }));
		else
			add_mount(&b, "no-such-fs", "/tmp", NULL);
		box_run(&b, &o);
		assert_true(o.r < 0);
		assert_contains(o.err.text, round ? "no-such-fs" : "cgroup.no-such-file");
		c = &get(&b, PLAN_CGROUP)->cgroup;
		group = (struct cgroup_group){
			.mode = (enum cgroup_mode) c->mode,
			.path = c->path,
			.hierarchies = c->hierarchies,
			.unified = c->unified,
		};
		assert_int_equal(cgroup_open(&group, false, &handle, NULL), -ENOENT);
	}
}

static void overlay_root_is_writable_with_its_own_ids(void **state)
{
	static const char *const layers[] = { "layer", NULL };
	_free_ char *base = NULL;
	_free_ char *made = NULL;
	struct outcome o;
	struct stat st;
	struct box b;

	(void) state;
	box_init(
	        &b, SHELL("stat -c %u /etc/passwd; echo new > /etc/new && touch /etc/passwd && cat "
	                  "/etc/new"));
	base = xprintf("%s/base", testkit_scratch());
	assert_int_equal(mkdir(base, 0700), 0);
	for (size_t i = 0; i < 3; i++) {
		static const char *const names[] = { "layer", "upper", "work" };
		_free_ char *dir = xprintf("%s/%s", base, names[i]);

		if (i == 0)
			make_rootfs(dir);
		else
			assert_int_equal(mkdir(dir, 0755), 0);
	}
	drop(&b, PLAN_ROOT);
	add_user_namespace(&b);
	add(&b, STEP(ROOT_OVERLAY, .root_overlay = { .base = base,
	                                   .layers = layers,
	                                   .upper = "upper",
	                                   .work = "work",
	                                   .host_id = HOST_BASE,
	                                   .size = 65536 }));
	must_run(&b, &o);
	assert_string_equal(o.out, "0\nnew\n");
	made = xprintf("%s/upper/etc/new", base);
	assert_int_equal(stat(made, &st), 0);
	assert_int_equal(st.st_uid, 0);
}

/* Starts a container that sleeps and returns its pid; 'gate' is its start. */
static void start_sleeper(
        struct box *b, struct plan **ret_plan, struct plan_writer *w, struct sandbox_child *child)
{
	_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct err err = { 0 };

	b->io.stdin_fd = b->io.stdout_fd = b->io.stderr_fd = null;
	*ret_plan = box_plan(b, w);
	if (sandbox_apply(*ret_plan, &b->io, child, NULL, &err) < 0)
		fail_msg("%s", err.text);
}

static void stop_sleeper(struct plan *plan, struct plan_writer *w, struct sandbox_child *child)
{
	(void) kill(child->pid, SIGKILL);
	assert_int_equal(wait_status(child->pid), 128 + SIGKILL);
	fd_close(child->pidfd);
	fd_close(child->sync);
	assert_int_equal(sandbox_cleanup(plan, NULL), 0);
	plan_free(plan);
	plan_writer_done(w);
}

/* The second container takes these namespaces of the first by path. */
static void join(bool with_user, uint32_t second_user)
{
	static const struct {
		uint32_t flag;
		const char *name;
	} kinds[] = { { CLONE_NEWNET, "net" }, { CLONE_NEWIPC, "ipc" }, { CLONE_NEWUTS, "uts" },
		{ CLONE_NEWPID, "pid" }, { CLONE_NEWUSER, "user" } };
	struct sandbox_child child;
	struct plan_writer w;
	struct plan *plan;
	struct outcome o;
	struct box first, second;
	char paths[5][64];

	box_init(&first, LIST("sleep", "60"));
	if (with_user)
		add_user_namespace(&first);
	start_sleeper(&first, &plan, &w, &child);
	assert_int_equal(sandbox_wait_exec(&child, NULL, NULL), 0);
	box_init(&second, SHELL("for n in net ipc uts pid user; do readlink /proc/self/ns/$n; "
	                        "done; hostname; id; ps"));
	(void) strncat(second.group, "-b", 3);
	drop(&second, PLAN_NAMESPACE);
	drop(&second, PLAN_UTS);
	drop(&second, PLAN_LOOPBACK);
	add_namespace(&second, CLONE_NEWNS);
	add_namespace(&second, CLONE_NEWCGROUP);
	if (second_user == 2)
		add_user_namespace(&second);
	if (second_user == 1)
		add(&second, STEP(BECOME_ROOT, .become_root = { .setgroups = 1 }));
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		(void) snprintf(paths[i], 64, "/proc/%d/ns/%s", (int) child.pid, kinds[i].name);
		if (kinds[i].flag == CLONE_NEWUSER && second_user != 1)
			continue;
		add(&second, STEP(NAMESPACE, .ns = { .flag = kinds[i].flag, .path = paths[i] }));
	}
	box_run(&second, &o);
	if (o.r < 0)
		print_error("%s\n", o.err.text);
	assert_int_equal(o.r, 0);
	for (size_t i = 0; i < 4 + (second_user == 1); i++) {
		char link[64] = { 0 };

		assert_true(readlink(paths[i], link, 63) > 0);
		assert_contains(o.out, link);
	}
	assert_contains(o.out, "box\nuid=0");
	assert_contains(o.out, "sleep 60");
	stop_sleeper(plan, &w, &child);
}

static void namespaces_of_another_container_are_joined(void **state)
{
	(void) state;
	join(false, 0);
}

static void user_namespace_of_another_container_is_joined(void **state)
{
	(void) state;
	join(true, 1);
}

static void host_namespaces_are_joined_with_a_new_user_namespace(void **state)
{
	(void) state;
	/* pid is joined: /proc needs a pid namespace that the new user namespace owns, or an
	 * ancestor; so only what can be: see the plan without /proc below. */
	struct sandbox_child child;
	struct plan_writer w;
	struct plan *plan;
	struct outcome o;
	struct box first, second;
	char path[64], link[64] = { 0 };

	box_init(&first, LIST("sleep", "60"));
	start_sleeper(&first, &plan, &w, &child);
	box_init(&second, LIST("readlink", "/proc/self/ns/net"));
	(void) strncat(second.group, "-b", 3);
	drop(&second, PLAN_NAMESPACE);
	drop(&second, PLAN_LOOPBACK);
	add_user_namespace(&second);
	add_namespace(&second, CLONE_NEWNS);
	add_namespace(&second, CLONE_NEWPID);
	add_namespace(&second, CLONE_NEWUTS);
	(void) snprintf(path, sizeof(path), "/proc/%d/ns/net", (int) child.pid);
	add(&second, STEP(NAMESPACE, .ns = { .flag = CLONE_NEWNET, .path = path }));
	box_run(&second, &o);
	if (o.r < 0)
		print_error("%s\n", o.err.text);
	assert_int_equal(o.r, 0);
	assert_true(readlink(path, link, 63) > 0);
	assert_contains(o.out, link);
	stop_sleeper(plan, &w, &child);
}

static void file_that_is_no_namespace_is_refused(void **state)
{
	static const char *const paths[] = { "/etc/passwd", "/dev/null", "/proc/self/ns/uts",
		"/no/such" };
	struct outcome o;
	struct box b;

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		box_init(&b, LIST("true"));
		drop(&b, PLAN_NAMESPACE);
		drop(&b, PLAN_UTS);
		drop(&b, PLAN_LOOPBACK);
		add_namespace(&b, CLONE_NEWNS);
		add(&b, STEP(NAMESPACE, .ns = { .flag = CLONE_NEWNET, .path = paths[i] }));
		box_run(&b, &o);
		assert_true(o.r < 0);
		assert_contains(o.err.text, paths[i]);
	}
}

static void plan_without_mount_namespace_is_refused(void **state)
{
	struct outcome o;
	struct box b;

	(void) state;
	box_init(&b, LIST("true"));
	drop(&b, PLAN_NAMESPACE);
	box_run(&b, &o);
	assert_int_equal(o.r, -EINVAL);
	assert_contains(o.err.text, "mount namespace");
}

static void gate_holds_the_program_back(void **state)
{
	_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int out[2], gate[2], result[2];
	struct sandbox_child child;
	struct plan_writer w;
	struct plan *plan;
	struct err err = { 0 };
	struct box b;
	char text[512];

	(void) state;
	for (int round = 0; round < 3; round++) {
		/* started; given up; started and then failing */
		box_init(&b, round == 2 ? LIST("garbage") : SHELL("echo started"));
		if (round == 2)
			write_text(b.root, "bin/garbage",
			        "\x7f"
			        "garbage",
			        0755);
		get(&b, PLAN_READY)->ready.wait = 1;
		assert_int_equal(pipe2(out, O_CLOEXEC), 0);
		assert_int_equal(pipe2(gate, O_CLOEXEC), 0);
		assert_int_equal(pipe2(result, O_CLOEXEC), 0);
		b.io = (struct sandbox_io){ .stdin_fd = null,
			.stdout_fd = out[1],
			.stderr_fd = out[1],
			.gate_fd = gate[0],
			.result_fd = result[1] };
		plan = box_plan(&b, &w);
		if (sandbox_apply(plan, &b.io, &child, NULL, &err) < 0)
			fail_msg("%s", err.text);
		fd_close(out[1]);
		fd_close(result[1]);
		struct pollfd p = { .fd = out[0], .events = POLLIN };
		assert_int_equal(poll(&p, 1, 50), 0);
		if (round != 1)
			assert_int_equal(write(gate[1], "x", 1), 1);
		fd_close(gate[1]);
		read_all(out[0], text, sizeof(text));
		assert_string_equal(text, round == 0 ? "started\n" : "");
		read_all(result[0], text, sizeof(text));
		if (round == 2)
			assert_contains(text, "exec format error");
		else
			assert_string_equal(text, "");
		assert_int_equal(wait_status(child.pid), round == 2 ? 126 : round);
		assert_int_equal(sandbox_cleanup(plan, NULL), 0);
		fd_close(out[0]);
		fd_close(gate[0]);
		fd_close(result[0]);
		fd_close(child.pidfd);
		fd_close(child.sync);
		plan_free(plan);
		plan_writer_done(&w);
	}
}

static void dead_supervisor_takes_the_child_along(void **state)
{
	struct sandbox_child child;
	struct plan_writer w;
	struct plan *plan;
	struct box b;
	pid_t supervisor;
	int alive[2], up[2];
	char byte;

	(void) state;
	box_init(&b, LIST("sleep", "60"));
	get(&b, PLAN_USER)->user.lookup = "web";
	b.io.die_with_parent = true;
	/* The container's program holds 'alive' open as fd 3 as long as it lives. */
	assert_int_equal(pipe2(alive, O_CLOEXEC), 0);
	assert_int_equal(pipe2(up, O_CLOEXEC), 0);
	b.io.keep_fds = &alive[1];
	b.io.n_keep_fds = 1;
	supervisor = fork();
	if (supervisor == 0) {
		start_sleeper(&b, &plan, &w, &child);
		if (sandbox_wait_exec(&child, NULL, NULL) == 0)
			(void) !write(up[1], "x", 1);
		(void) pause();
		_exit(0);
	}
	fd_close(alive[1]);
	fd_close(up[1]);
	assert_int_equal(read(up[0], &byte, 1), 1);
	struct pollfd p = { .fd = alive[0], .events = POLLIN };
	assert_int_equal(poll(&p, 1, 0), 0);
	assert_int_equal(kill(supervisor, SIGKILL), 0);
	(void) wait_status(supervisor);
	assert_int_equal(poll(&p, 1, 5000), 1);
	assert_int_equal(read(alive[0], &byte, 1), 0);
	plan = box_plan(&b, &w);
	assert_int_equal(sandbox_cleanup(plan, NULL), 0);
	plan_free(plan);
	plan_writer_done(&w);
	fd_close(alive[0]);
	fd_close(up[0]);
}

static void signals_are_default_inside(void **state)
{
	struct outcome o;
	struct box b;

	(void) state;
	assert_true(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
	assert_true(signal(SIGHUP, SIG_IGN) != SIG_ERR);
	box_init(&b, LIST("grep", "^Sig[BIC]", "/proc/self/status"));
	must_run(&b, &o);
	assert_true(signal(SIGPIPE, SIG_DFL) != SIG_ERR);
	assert_true(signal(SIGHUP, SIG_DFL) != SIG_ERR);
	assert_contains(o.out, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

static void stdio_can_be_opened_again_by_the_user(void **state)
{
	struct outcome o;
	struct box b;

	(void) state;
	box_init(&b, SHELL("echo again > /proc/self/fd/1; echo $?"));
	add_user_namespace(&b);
	get(&b, PLAN_USER)->user.lookup = "web";
	must_run(&b, &o);
	assert_string_equal(o.out, "again\n0\n");
}

/* As uid 1000 without any privilege: one id is mapped, groups cannot be changed. */
static void plain_user_runs_a_container(void **state)
{
	struct outcome o;
	struct box b;
	pid_t pid;

	(void) state;
	box_init(&b, SHELL("id -u; cat /proc/self/uid_map; echo x > /dev/null && echo null"));
	drop(&b, PLAN_CGROUP);
	drop(&b, PLAN_CGROUP_JOIN);
	get(&b, PLAN_CONTAINER)->container.rootless = 1;
	add_namespace(&b, CLONE_NEWUSER);
	for (uint32_t gid = 0; gid < 2; gid++)
		add(&b, STEP(IDMAP, .idmap = { .gid = gid, .host_id = 1000, .size = 1 }));
	add(&b, STEP(BECOME_ROOT));
	add_mount(&b, "tmpfs", "/dev", NULL);
	add(&b, STEP(DEVICE, .device = { .type = 'c',
	                             .path = "/dev/null",
	                             .major = 1,
	                             .minor = 3,
	                             .mode = 0666,
	                             .bind = 1 }));
	add(&b, STEP(MASK, .path = { .path = "/proc/kallsyms" }));
	assert_int_equal(chmod(testkit_scratch(), 0755), 0);
	pid = fork();
	if (pid == 0) {
		if (setgroups(0, NULL) < 0 || setresgid(1000, 1000, 1000) < 0 ||
		        setresuid(1000, 1000, 1000) < 0)
			_exit(2);
		/* As a login does: a process that changed its ids is not dumpable. */
		(void) prctl(PR_SET_DUMPABLE, 1);
		box_run(&b, &o);
		if (o.r < 0 || !strstr(o.out, "0\n         0       1000          1\nnull\n"))
			print_error("%s%s\n", o.err.text, o.out);
		_exit(o.r == 0 && strstr(o.out, "1000          1\nnull\n") ? 0 : 1);
	}
	assert_int_equal(wait_status(pid), 0);
}

static void facts_are_probed(void **state)
{
	struct sandbox_facts f;
	struct err err = { 0 };

	(void) state;
	assert_int_equal(sandbox_facts_probe(&f, &err), 0);
	assert_true(f.last_cap >= 40);
	assert_true(f.rlimit_hard[RLIMIT_NOFILE] > 0);
	assert_int_equal(f.euid, geteuid());
}

/* --- the host stays as it was --- */

static char mounts_before[1 << 20], mounts_after[1 << 20];

static void read_mounts(char *out, size_t size)
{
	int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);

	read_all(fd, out, size);
	fd_close(fd);
}

static void host_is_left_as_it_was(void **state)
{
	struct cgroup_group group = { 0 };
	const char *names[CGROUP_HIERARCHIES_MAX + 1];

	(void) state;
	read_mounts(mounts_after, sizeof(mounts_after));
	assert_string_equal(mounts_before, mounts_after);
	if (!facts.cgroup || facts.cgroup->cannot_create)
		return;
	cgroup_hierarchy_names(facts.cgroup, names);
	group = (struct cgroup_group){
		.mode = facts.cgroup->mode,
		.path = "/bulkhead-test",
		.hierarchies = names,
		.unified = facts.cgroup->mode == CGROUP_HYBRID,
	};
	/* Our parent goes only when it is empty, in every hierarchy. */
	for (size_t i = 0; names[i]; i++) {
		_free_ char *path = xprintf(
		        "/sys/fs/cgroup/%s/bulkhead-test/apply-%d", names[i], (int) getpid());

		assert_int_equal(access(path, F_OK), -1);
	}
	(void) cgroup_remove(&group, false, 0, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testkit_case(exit_codes_are_passed_on),
		testkit_case(every_namespace_is_new),
		testkit_case(ids_are_shifted_in_a_user_namespace),
		testkit_case(unmapped_user_is_refused),
		testkit_case(read_only_root_cannot_be_written),
		testkit_case(masked_and_read_only_paths_hold),
		testkit_case(proc_shows_only_what_is_allowed),
		testkit_case(devices_are_bound_in_a_user_namespace),
		testkit_case(rlimits_are_set_last),
		testkit_case(limit_that_is_refused_fails_before_ready),
		testkit_case(capabilities_are_exactly_the_plans),
		testkit_case(user_is_looked_up_inside_the_root),
		testkit_case(unknown_user_is_refused),
		testkit_case(seccomp_filter_is_loaded),
		testkit_case(landlock_denies_a_write),
		testkit_case(missing_program_is_127),
		testkit_case(program_that_cannot_run_is_126),
		testkit_case(missing_interpreter_is_named),
		testkit_case(missing_root_leaves_nothing),
		testkit_case(no_descriptor_leaks),
		testkit_case(kept_descriptors_are_numbered_from_three),
		testkit_case(cwd_through_a_descriptor_is_refused),
		testkit_case(cwd_is_made_when_asked),
		testkit_case(sysctl_of_the_namespace_is_written),
		testkit_case(memfd_noexec_is_set_before_root_is_given_up),
		testkit_case(time_namespace_has_its_offset),
		testkit_case(tmpfs_bind_and_its_flags),
		testkit_case(idmapped_bind_shows_its_owner),
		testkit_case(cgroup_limit_holds_and_goes_away),
		testkit_case(mount_of_cgroups_shows_only_its_own),
		testkit_case(failing_step_leaves_nothing),
		testkit_case(overlay_root_is_writable_with_its_own_ids),
		testkit_case(namespaces_of_another_container_are_joined),
		testkit_case(user_namespace_of_another_container_is_joined),
		testkit_case(host_namespaces_are_joined_with_a_new_user_namespace),
		testkit_case(file_that_is_no_namespace_is_refused),
		testkit_case(plan_without_mount_namespace_is_refused),
		testkit_case(gate_holds_the_program_back),
		testkit_case(dead_supervisor_takes_the_child_along),
		testkit_case(signals_are_default_inside),
		testkit_case(stdio_can_be_opened_again_by_the_user),
		testkit_case(plain_user_runs_a_container),
		testkit_case(facts_are_probed),
		testkit_case(host_is_left_as_it_was),
	};
	struct err err = { 0 };

	if (geteuid() != 0 || access("/bin/busybox", X_OK) < 0) {
		(void) fprintf(stderr, "skipped: needs root and a static /bin/busybox\n");
		return 77;
	}
	if (sandbox_facts_probe(&facts, &err) < 0) {
		(void) fprintf(stderr, "cannot probe: %s\n", err.text);
		return 1;
	}
	read_mounts(mounts_before, sizeof(mounts_before));
	return testkit_run(tests);
}
