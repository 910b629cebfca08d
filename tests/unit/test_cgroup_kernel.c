/* SPDX-License-Identifier: Apache-2.0 */
/* The control group module on the real kernel: groups below /bulkhead-test-PID in every hierarchy
 * of the machine, hybrid or v2. Needs root; skips with a reason elsewhere. */
#include "testkit.h"

#include "base/buf.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "cgroup/cgroup.h"
#include "cgroup/internal.h"
#include "kernel/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WAIT_MS = 5000, BENCH_ROUNDS = 40 };

/* One machine and one group for each test. */
struct world {
	struct cgroup_facts facts;
	const char *names[CGROUP_HIERARCHIES_MAX + 1];
	char path[128];
	struct cgroup_group group;
	struct cgroup_handle handle;
	struct err err;
};

static void world_open(struct world *w)
{
	*w = (struct world){ .handle = CGROUP_HANDLE_INIT };
	assert_int_equal(cgroup_facts_probe(&w->facts, &w->err), 0);
	if (w->facts.cannot_create || geteuid() != 0) {
		const char *why = w->facts.cannot_create ? w->facts.cannot_create : "not root";

		print_message("skipped: %s\n", why);
		cgroup_facts_done(&w->facts);
		skip();
	}
	(void) snprintf(w->path, sizeof(w->path), "/bulkhead-test-%d/one", (int) getpid());
	cgroup_hierarchy_names(&w->facts, w->names);
	w->group = (struct cgroup_group){ .mode = w->facts.mode,
		.path = w->path,
		.hierarchies = w->names,
		.unified = w->facts.mode == CGROUP_HYBRID };
}

static void world_create(struct world *w)
{
	world_open(w);
	if (cgroup_create(&w->group, &w->handle, &w->err) != 0)
		fail_msg("%s", w->err.text);
}

static void world_close(struct world *w)
{
	cgroup_handle_done(&w->handle);
	if (cgroup_remove(&w->group, true, 0, &w->err) != 0)
		fail_msg("%s", w->err.text);
	cgroup_facts_done(&w->facts);
}

static bool exists(const struct world *w, const char *folder, const char *path)
{
	_free_ char *full = xprintf("/sys/fs/cgroup/%s%s", folder, path);
	struct stat st;

	(void) w;
	return stat(full, &st) == 0;
}

/* Whether the path exists in every (or in any) hierarchy. */
static bool exists_in(const struct world *w, const char *path, bool every)
{
	bool all = true, any = false;

	for (size_t i = 0; i <= w->facts.n_v1; i++) {
		const char *folder = i < w->facts.n_v1                ? w->names[i]
		                     : w->facts.mode == CGROUP_HYBRID ? "unified"
		                                                      : ".";
		bool there;

		if (i == w->facts.n_v1 && w->facts.mode == CGROUP_V1)
			break;
		there = exists(w, folder, path);
		all = all && there;
		any = any || there;
	}
	return every ? all : any;
}

static char *slurp(const char *path)
{
	struct buf text = BUF_INIT(65536);

	(void) buf_read_file(&text, AT_FDCWD, path);
	if (text.len && text.data[text.len - 1] == '\n')
		text.data[text.len - 1] = '\0';
	return buf_take(&text);
}

/* The text of a file of the group: in the hierarchy of a controller, or in the v2 tree (""). */
static char *value_of(const struct world *w, const char *controller, const char *file)
{
	const char *folder = cgroup_v1_folder(&w->handle, controller);
	_free_ char *path = NULL;

	if (!folder)
		folder = w->facts.mode == CGROUP_HYBRID ? "unified" : ".";
	path = xprintf("/sys/fs/cgroup/%s%s/%s", folder, w->path, file);
	return slurp(path);
}

static void assert_file(
        const struct world *w, const char *controller, const char *file, const char *want)
{
	_free_ char *got = value_of(w, controller, file);

	if (!streq(got, want))
		fail_msg("%s is '%s', not '%s'", file, got, want);
}

struct child {
	pid_t pid;
	int pidfd, out;
};

/* Starts a member by the fast way; it runs f in the group, with a pipe to tell its result. */
static struct child start(struct world *w, int (*f)(struct world *), uint64_t flags)
{
	struct child c = { .pidfd = -EBADF };
	int pipes[2];
	struct clone_args args = { .flags = CLONE_PIDFD | flags,
		.pidfd = (uint64_t) (uintptr_t) &c.pidfd,
		.exit_signal = SIGCHLD };
	char ready;

	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	if (w->handle.v2_fd >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t) w->handle.v2_fd;
	}
	c.pid = sys_clone3(&args, sizeof(args));
	if (c.pid == 0) {
		int r = cgroup_join_self(&w->handle);

		(void) !write(pipes[1], r == 0 ? "+" : "-", 1);
		if (r == 0)
			r = f(w);
		(void) !write(pipes[1], r == 0 ? "+" : "-", 1);
		_exit(r == 0 ? 0 : 1);
	}
	close(pipes[1]);
	if (c.pid < 0)
		fail_msg("clone3: %s", strerror(-c.pid));
	c.out = pipes[0];
	assert_int_equal(read(c.out, &ready, 1), 1);
	assert_int_equal(ready, '+');
	return c;
}

/* Waits for the end; returns the wait status. */
static int finish(struct child *c)
{
	struct pollfd pfd = { .fd = c->pidfd, .events = POLLIN };
	int status = -1;

	if (poll(&pfd, 1, WAIT_MS) != 1) {
		kill(c->pid, SIGKILL);
		waitpid(c->pid, &status, 0);
		fail_msg("the child did not end");
	}
	assert_int_equal(waitpid(c->pid, &status, 0), c->pid);
	close(c->pidfd);
	close(c->out);
	return status;
}

static int sleep_long(struct world *w)
{
	(void) w;
	while (pause() < 0)
		;
	return -1;
}

/* --- making and joining --- */

static void child_is_in_the_group_of_every_hierarchy(void **state)
{
	struct world w;
	struct child c;
	char path[64];
	char *text, *rest;
	size_t lines = 0;

	(void) state;
	world_create(&w);
	assert_true(exists_in(&w, w.path, true));
	assert_int_equal(w.handle.n_existed, 0);
	c = start(&w, sleep_long, 0);
	(void) snprintf(path, sizeof(path), "/proc/%d/cgroup", (int) c.pid);
	text = rest = slurp(path);
	for (char *line; (line = strsep(&rest, "\n")); lines++)
		if (!str_has_suffix(line, w.path))
			fail_msg("not joined: %s", line);
	free(text);
	assert_true(lines > 0);
	assert_int_equal(cgroup_kill_all(&w.handle, WAIT_MS, &w.err), 0);
	assert_true(WIFSIGNALED(finish(&c)));
	world_close(&w);
	assert_false(exists_in(&w, w.path, false));
}

static void child_joins_from_inside_a_user_namespace(void **state)
{
	struct world w;
	struct child c;
	pid_t *pids = NULL;
	size_t n = 0;

	(void) state;
	world_create(&w);
	c = start(&w, sleep_long, CLONE_NEWUSER);
	assert_int_equal(cgroup_pids(&w.handle, &pids, &n, &w.err), 0);
	assert_int_equal(n, 1);
	assert_int_equal(pids[0], c.pid);
	free(pids);
	kill(c.pid, SIGKILL);
	finish(&c);
	world_close(&w);
}

static void group_with_processes_is_refused(void **state)
{
	struct world w;
	struct child c;
	struct cgroup_handle second = CGROUP_HANDLE_INIT;

	(void) state;
	world_create(&w);
	c = start(&w, sleep_long, 0);
	assert_int_equal(cgroup_create(&w.group, &second, &w.err), -EBUSY);
	assert_contains(w.err.text, "container's cgroup is not empty");
	assert_true(exists_in(&w, w.path, true));
	assert_int_equal(cgroup_remove(&w.group, false, SIZE_MAX, &w.err), -EBUSY);
	kill(c.pid, SIGKILL);
	finish(&c);
	/* an empty leftover is taken over */
	assert_int_equal(cgroup_create(&w.group, &second, &w.err), 0);
	assert_int_equal(second.n_existed, 2);
	cgroup_handle_done(&second);
	world_close(&w);
}

static void half_made_groups_are_removed(void **state)
{
	static const char *const two[] = { "one", "two", NULL };
	_free_ char *one = xprintf("%s/one", testkit_scratch());
	_free_ char *made = xprintf("%s/one/x", testkit_scratch());
	const struct cgroup_group group = {
		.root = testkit_scratch(), .mode = CGROUP_V1, .path = "/x/y", .hierarchies = two
	};
	struct cgroup_handle h = CGROUP_HANDLE_INIT;
	struct err err = { 0 };
	struct stat st;

	(void) state;
	/* 'one' takes folders but has no tasks file, as when a hierarchy is not mounted. */
	assert_int_equal(mkdir(one, 0755), 0);
	assert_int_equal(cgroup_create(&group, &h, &err), -ENOENT);
	assert_contains(err.text, "is the hierarchy mounted?");
	assert_int_equal(stat(made, &st), -1);
	assert_int_equal(cgroup_open(&group, true, &h, &err), -ENOENT);
	assert_int_equal(cgroup_remove(&group, true, 0, &err), 0);
}

static void paths_of_the_top_are_refused_again(void **state)
{
	static const char *const bad[] = { "/", "", "a", "/a/../b", "/a/", "//a" };

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		const struct cgroup_group group = { .mode = CGROUP_V2, .path = bad[i] };
		struct cgroup_handle h = CGROUP_HANDLE_INIT;
		struct err err = { 0 };

		assert_int_equal(cgroup_open(&group, false, &h, &err), -EINVAL);
		assert_int_equal(cgroup_remove(&group, true, 0, &err), -EINVAL);
		assert_contains(err.text, "path of a control group");
	}
}

/* --- limits --- */

static int set_one(
        void *data, const char *hierarchy, const char *file, const char *value, bool optional)
{
	struct world *w = data;

	return cgroup_set(&w->handle, hierarchy, file, value, optional, &w->err);
}

static void limits_are_in_the_kernel(void **state)
{
	const struct oci_resources res = { .memory_limit = { true, 64 << 20 },
		.memory_reservation = { true, 32 << 20 },
		.cpu_shares = { true, 512 },
		.cpu_quota = { true, 20000 },
		.cpu_period = { true, 50000 },
		.cpuset_cpus = "0",
		.cpuset_mems = "0",
		.pids_limit = { true, 20 } };
	struct world w;
	bool v1;

	(void) state;
	world_create(&w);
	v1 = w.facts.mode != CGROUP_V2;
	if (cgroup_limits(&res, &w.facts, set_one, &w, NULL, &w.err) != 0)
		fail_msg("%s", w.err.text);
	assert_file(&w, "memory", v1 ? "memory.limit_in_bytes" : "memory.max", "67108864");
	assert_file(&w, "memory", v1 ? "memory.soft_limit_in_bytes" : "memory.low", "33554432");
	assert_file(&w, "cpu", v1 ? "cpu.shares" : "cpu.weight", v1 ? "512" : "59");
	assert_file(&w, "cpu", v1 ? "cpu.cfs_quota_us" : "cpu.max", v1 ? "20000" : "20000 50000");
	assert_file(&w, "cpuset", "cpuset.cpus", "0");
	assert_file(&w, "pids", "pids.max", "20");
	world_close(&w);
}

static void swap_limit_is_in_the_kernel(void **state)
{
	const struct oci_resources res = { .memory_limit = { true, 64 << 20 },
		.memory_swap = { true, 96 << 20 } };
	struct world w;

	(void) state;
	world_create(&w);
	if (w.facts.swap_accounting) {
		if (cgroup_limits(&res, &w.facts, set_one, &w, NULL, &w.err) != 0)
			fail_msg("%s", w.err.text);
		if (w.facts.mode == CGROUP_V2)
			assert_file(&w, "memory", "memory.swap.max", "33554432");
		else
			assert_file(&w, "memory", "memory.memsw.limit_in_bytes", "100663296");
	}
	world_close(&w);
}

static void refused_values_name_file_and_value(void **state)
{
	struct world w;
	const char *pids;

	(void) state;
	world_create(&w);
	pids = w.facts.mode == CGROUP_V2 ? "" : "pids";
	assert_int_equal(cgroup_set(&w.handle, pids, "pids.max", "many", false, &w.err), -EINVAL);
	assert_contains(w.err.text, "'pids.max'");
	assert_contains(w.err.text, "'many'");
	assert_true(cgroup_set(&w.handle, pids, "pids.nothing", "1", false, &w.err) < 0);
	assert_int_equal(cgroup_set(&w.handle, pids, "pids.nothing", "1", true, &w.err), 0);
	assert_int_equal(cgroup_set(&w.handle, pids, "../pids.max", "1", false, &w.err), -EINVAL);
	assert_int_equal(
	        cgroup_set(&w.handle, "nowhere", "x.max", "1", false, &w.err), -EOPNOTSUPP);
	assert_int_equal(cgroup_set(&w.handle, "", "quantum.max", "1", false, &w.err), -EOPNOTSUPP);
	world_close(&w);
}

static void v2_controllers_are_handed_out_when_needed(void **state)
{
	struct world w;
	_free_ char *got = NULL;

	(void) state;
	world_create(&w);
	if (!w.facts.v2_controllers || !cgroup_list_has(w.facts.v2_controllers, ' ', "hugetlb")) {
		world_close(&w);
		print_message("skipped: the v2 tree has no hugetlb controller\n");
		skip();
	}
	if (cgroup_set(&w.handle, "", "hugetlb.2MB.max", "0", false, &w.err) != 0)
		fail_msg("%s", w.err.text);
	got = value_of(&w, "", "hugetlb.2MB.max");
	assert_string_equal(got, "0");
	world_close(&w);
}

static void v2_group_with_processes_cannot_hand_out(void **state)
{
	struct world w, below;
	struct child c;

	(void) state;
	world_create(&w);
	if (w.facts.mode != CGROUP_V2) {
		world_close(&w);
		print_message("skipped: needs cgroup v2 with controllers\n");
		skip();
	}
	c = start(&w, sleep_long, 0);
	below = w;
	below.handle = (struct cgroup_handle) CGROUP_HANDLE_INIT;
	(void) snprintf(below.path, sizeof(below.path), "%.64s/below", w.path);
	below.group.path = below.path;
	assert_int_equal(cgroup_create(&below.group, &below.handle, &w.err), 0);
	assert_int_equal(
	        cgroup_set(&below.handle, "", "memory.max", "1000000", false, &w.err), -EBUSY);
	assert_contains(w.err.text, "has processes of its own");
	cgroup_handle_done(&below.handle);
	kill(c.pid, SIGKILL);
	finish(&c);
	world_close(&w);
}

/* --- devices --- */

static int try_devices(struct world *w)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	int full = open("/dev/full", O_RDWR | O_CLOEXEC);
	int full_read = open("/dev/full", O_RDONLY | O_CLOEXEC);
	bool right = null >= 0 && zero < 0 && full < 0 && full_read >= 0;

	(void) w;
	return right ? 0 : -1;
}

static const struct oci_device_rule some_devices[] = {
	{ false, 'a', -1, -1, OCI_ACCESS_READ | OCI_ACCESS_WRITE | OCI_ACCESS_MKNOD },
	{ true, 'c', 1, 3, OCI_ACCESS_READ | OCI_ACCESS_WRITE },
	{ true, 'c', 1, 7, OCI_ACCESS_READ },
};

static void device_rules_hold(void **state)
{
	struct world w;
	struct child c;

	(void) state;
	world_create(&w);
	if (cgroup_devices(&w.handle, some_devices, ARRAY_SIZE(some_devices), &w.err) != 0)
		fail_msg("%s", w.err.text);
	c = start(&w, try_devices, 0);
	assert_int_equal(finish(&c), 0);
	world_close(&w);
}

static void default_devices_are_accepted(void **state)
{
	struct world w;

	(void) state;
	world_create(&w);
	if (cgroup_devices(
	            &w.handle, cgroup_default_devices, cgroup_default_devices_count, &w.err) != 0)
		fail_msg("%s", w.err.text);
	world_close(&w);
}

static void device_program_holds_in_the_v2_tree(void **state)
{
	struct world w;
	struct child c;
	struct oci_device_rule *many;

	(void) state;
	world_create(&w);
	if (w.handle.v2_fd < 0) {
		world_close(&w);
		print_message("skipped: no cgroup v2\n");
		skip();
	}
	/* The verifier takes a long list too. */
	many = xnew_n(struct oci_device_rule, 1000);
	for (size_t i = 0; i < 1000; i++)
		many[i] = (struct oci_device_rule){ i % 3 != 0, i % 2 ? 'b' : 'c',
			(int64_t) i + 100, (int64_t) (i * 7), 1 + i % 7 };
	for (size_t i = 0; i < ARRAY_SIZE(some_devices); i++)
		many[500 + i] = some_devices[i];
	if (cgroup_device_attach(w.handle.v2_fd, many, 1000, &w.err) != 0)
		fail_msg("%s", w.err.text);
	free(many);
	c = start(&w, try_devices, 0);
	assert_int_equal(finish(&c), 0);
	world_close(&w);
}

/* --- the end --- */

/* A member with children of its own, one of them in a nested group. */
static int breed(struct world *w)
{
	for (int i = 0; i < 5; i++)
		if (fork() == 0)
			sleep_long(w);
	return sleep_long(w);
}

static void wait_members(struct world *w, size_t want)
{
	for (int i = 0; i < 500; i++) {
		pid_t *pids = NULL;
		size_t n = 0;

		assert_int_equal(cgroup_pids(&w->handle, &pids, &n, &w->err), 0);
		free(pids);
		if (n == want)
			return;
		(void) poll(NULL, 0, 5);
	}
	fail_msg("there are not %zu members", want);
}

/* The members that 'start' did not make become ours to reap. */
static void reap_all(void)
{
	while (waitpid(-1, NULL, 0) > 0)
		;
}

/* Makes the nested group as a container would: on v2 without controllers, since a group that hands
 * them out may have no processes of its own. */
static void nest(struct world *nested)
{
	_free_ char *path = xprintf("/sys/fs/cgroup%s", nested->path);
	char *last = strrchr(path, '/');

	if (nested->facts.mode != CGROUP_V2) {
		assert_int_equal(cgroup_create(&nested->group, &nested->handle, &nested->err), 0);
		return;
	}
	*last = '\0';
	assert_int_equal(mkdir(path, 0755), 0);
	*last = '/';
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(cgroup_open(&nested->group, true, &nested->handle, &nested->err), 0);
}

static void kill_reaches_every_member_and_nested_group(void **state)
{
	struct world w, nested;
	struct child c, d;

	(void) state;
	world_create(&w);
	nested = w;
	nested.handle = (struct cgroup_handle) CGROUP_HANDLE_INIT;
	(void) snprintf(nested.path, sizeof(nested.path), "%.64s/inner/most", w.path);
	nested.group.path = nested.path;
	nest(&nested);
	c = start(&w, breed, 0);
	d = start(&nested, sleep_long, 0);
	wait_members(&w, 7);
	if (cgroup_kill_all(&w.handle, WAIT_MS, &w.err) != 0)
		fail_msg("%s", w.err.text);
	wait_members(&w, 0);
	assert_true(WIFSIGNALED(finish(&c)));
	assert_true(WIFSIGNALED(finish(&d)));
	reap_all();
	assert_int_equal(cgroup_kill_all(&w.handle, WAIT_MS, &w.err), 0);
	cgroup_handle_done(&nested.handle);
	world_close(&w);
	assert_false(exists_in(&w, w.path, false));
}

static void kill_works_without_v2(void **state)
{
	struct world w;
	struct child c;

	(void) state;
	world_open(&w);
	if (w.facts.mode == CGROUP_V2) {
		cgroup_facts_done(&w.facts);
		print_message("skipped: no v1 hierarchies\n");
		skip();
	}
	w.group.mode = CGROUP_V1;
	w.group.unified = false;
	if (cgroup_create(&w.group, &w.handle, &w.err) != 0)
		fail_msg("%s", w.err.text);
	assert_int_equal(w.handle.v2_fd, -EBADF);
	c = start(&w, breed, 0);
	wait_members(&w, 6);
	assert_int_equal(cgroup_freeze(&w.handle, true, &w.err), 0);
	assert_int_equal(cgroup_is_frozen(&w.handle), 1);
	if (cgroup_kill_all(&w.handle, WAIT_MS, &w.err) != 0)
		fail_msg("%s", w.err.text);
	wait_members(&w, 0);
	assert_true(WIFSIGNALED(finish(&c)));
	reap_all();
	world_close(&w);
}

static void remove_kills_only_when_asked(void **state)
{
	struct world w;
	struct child c;

	(void) state;
	world_create(&w);
	c = start(&w, sleep_long, 0);
	assert_int_equal(cgroup_remove(&w.group, false, SIZE_MAX, &w.err), -EBUSY);
	assert_contains(w.err.text, "still has processes");
	assert_int_equal(cgroup_remove(&w.group, true, SIZE_MAX, &w.err), 0);
	assert_true(WIFSIGNALED(finish(&c)));
	assert_false(exists_in(&w, w.path, false));
	world_close(&w);
}

static void remove_keeps_parents_that_were_there(void **state)
{
	struct world w;
	char parent[64];

	(void) state;
	world_create(&w);
	(void) snprintf(parent, sizeof(parent), "/bulkhead-test-%d", (int) getpid());
	assert_int_equal(cgroup_remove(&w.group, true, 1, &w.err), 0);
	assert_true(exists_in(&w, parent, true));
	assert_false(exists_in(&w, w.path, false));
	assert_int_equal(cgroup_remove(&w.group, true, SIZE_MAX, &w.err), 0); /* gone is fine */
	world_close(&w);
	assert_false(exists_in(&w, parent, false));
}

static int kill_own_group(struct world *w)
{
	return cgroup_kill_all(&w->handle, WAIT_MS, &w->err) == -EDEADLK ? 0 : -1;
}

static void nobody_kills_the_group_it_is_in(void **state)
{
	struct world w;
	struct child c;

	(void) state;
	world_create(&w);
	c = start(&w, kill_own_group, 0);
	assert_int_equal(finish(&c), 0);
	world_close(&w);
}

static void freeze_stops_and_thaw_continues(void **state)
{
	struct world w;
	struct child c;

	(void) state;
	world_create(&w);
	c = start(&w, sleep_long, 0);
	assert_int_equal(cgroup_is_frozen(&w.handle), 0);
	if (cgroup_freeze(&w.handle, true, &w.err) != 0)
		fail_msg("%s", w.err.text);
	assert_int_equal(cgroup_is_frozen(&w.handle), 1);
	assert_int_equal(cgroup_freeze(&w.handle, false, &w.err), 0);
	assert_int_equal(cgroup_is_frozen(&w.handle), 0);
	/* a frozen group can be killed */
	assert_int_equal(cgroup_freeze(&w.handle, true, &w.err), 0);
	assert_int_equal(cgroup_kill_all(&w.handle, WAIT_MS, &w.err), 0);
	assert_true(WIFSIGNALED(finish(&c)));
	world_close(&w);
}

/* --- how long it takes; shown, never asserted --- */

static int64_t now_us(void)
{
	struct timespec ts;

	(void) clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000LL + ts.tv_nsec / 1000;
}

static int time_join(struct world *w)
{
	(void) w;
	return 0;
}

static int compare_i64(const void *a, const void *b)
{
	return (*(const int64_t *) a > *(const int64_t *) b) -
	       (*(const int64_t *) a < *(const int64_t *) b);
}

static void show_times(void **state)
{
	static const char *const names[] = { "probe", "create", "devices", "program", "join",
		"remove" };
	int64_t t[ARRAY_SIZE(names)][BENCH_ROUNDS];
	struct world w, parent;

	(void) state;
	if (!getenv("BULKHEAD_SHOW_TIMES"))
		skip();
	/* As with an engine, the group above is there already. */
	world_open(&parent);
	(void) snprintf(parent.path, sizeof(parent.path), "/bulkhead-test-%d/keep", (int) getpid());
	assert_int_equal(cgroup_create(&parent.group, &parent.handle, &parent.err), 0);
	for (int i = 0; i < BENCH_ROUNDS; i++) {
		int64_t a = now_us(), took = 0;
		struct child c;
		int status, pipes[2];

		world_open(&w);
		t[0][i] = now_us() - a;
		a = now_us();
		assert_int_equal(cgroup_create(&w.group, &w.handle, &w.err), 0);
		t[1][i] = now_us() - a;
		a = now_us();
		assert_int_equal(cgroup_devices(&w.handle, cgroup_default_devices,
		                         cgroup_default_devices_count, &w.err),
		        0);
		t[2][i] = now_us() - a;
		a = now_us();
		if (w.handle.v2_fd >= 0)
			assert_int_equal(
			        cgroup_device_attach(w.handle.v2_fd, cgroup_default_devices,
			                cgroup_default_devices_count, &w.err),
			        0);
		t[3][i] = now_us() - a;
		assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
		c.pid = fork();
		if (c.pid == 0) {
			a = now_us();
			(void) cgroup_join_self(&w.handle);
			took = now_us() - a;
			(void) !write(pipes[1], &took, sizeof(took));
			_exit(0);
		}
		assert_int_equal(read(pipes[0], &t[4][i], sizeof(t[4][i])), sizeof(t[4][i]));
		waitpid(c.pid, &status, 0);
		close(pipes[0]);
		close(pipes[1]);
		c = start(&w, time_join, 0);
		finish(&c);
		cgroup_handle_done(&w.handle);
		a = now_us();
		assert_int_equal(cgroup_remove(&w.group, true, SIZE_MAX, &w.err), 0);
		t[5][i] = now_us() - a;
		cgroup_facts_done(&w.facts);
	}
	world_close(&parent);
	for (size_t k = 0; k < ARRAY_SIZE(names); k++) {
		qsort(t[k], BENCH_ROUNDS, sizeof(t[k][0]), compare_i64);
		print_message("# %-8s median %4d us, p90 %4d us\n", names[k],
		        (int) t[k][BENCH_ROUNDS / 2], (int) t[k][BENCH_ROUNDS * 9 / 10]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testkit_case(child_is_in_the_group_of_every_hierarchy),
		testkit_case(child_joins_from_inside_a_user_namespace),
		testkit_case(group_with_processes_is_refused),
		testkit_case(half_made_groups_are_removed),
		testkit_case(paths_of_the_top_are_refused_again),
		testkit_case(limits_are_in_the_kernel),
		testkit_case(swap_limit_is_in_the_kernel),
		testkit_case(refused_values_name_file_and_value),
		testkit_case(v2_controllers_are_handed_out_when_needed),
		testkit_case(v2_group_with_processes_cannot_hand_out),
		testkit_case(device_rules_hold),
		testkit_case(default_devices_are_accepted),
		testkit_case(device_program_holds_in_the_v2_tree),
		testkit_case(kill_reaches_every_member_and_nested_group),
		testkit_case(kill_works_without_v2),
		testkit_case(remove_kills_only_when_asked),
		testkit_case(remove_keeps_parents_that_were_there),
		testkit_case(nobody_kills_the_group_it_is_in),
		testkit_case(freeze_stops_and_thaw_continues),
		testkit_case(show_times),
	};

	return testkit_run(tests);
}
