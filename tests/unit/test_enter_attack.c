/* SPDX-License-Identifier: Apache-2.0 */
/* Entering a container that is hostile, ends meanwhile, is paused or full; and plans that are not
 * for entering. Needs root. */
#include "enterkit.h"

#include "base/base.h"
#include "base/fd.h"
#include "base/str.h"
#include "caps/caps.h"
#include "kernel/sys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- attacks --- */

/* What a process of the container sees of one that has entered and waits at its gate. */
static const char *attack_one(int pid)
{
	static const char *const files[] = { "mem", "maps", "environ", "auxv", "syscall", "stack" };
	static const char *const links[] = { "exe", "root", "cwd", "fd/0", "fd/1", "fd/3", "fd/4",
		"fd/5", "ns/mnt" };
	static char said[256];
	char path[64], text[4096];
	ssize_t n;
	int fd;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		(void) snprintf(path, sizeof(path), "/proc/%d/%s", pid, files[i]);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		/* The last two are opened by everybody and read by few. */
		if (fd >= 0 && (i < 4 || read(fd, text, 1) != -1))
			return files[i];
	}
	for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
		(void) snprintf(path, sizeof(path), "/proc/%d/%s", pid, links[i]);
		if (readlink(path, text, sizeof(text)) >= 0 || open(path, O_PATH) >= 0)
			return links[i];
	}
	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0)
		return "ptrace";
	fd = sys_pidfd_open(pid);
	if (fd >= 0 && syscall(SYS_pidfd_getfd, fd, 0, 0) >= 0)
		return "pidfd_getfd";
	/* What everybody may read: it must not be the supervisor's. */
	(void) snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd >= 0 ? read(fd, text, sizeof(text)) : -1;
	for (ssize_t i = 0; i < n; i++)
		if (text[i])
			return "cmdline";
	(void) snprintf(path, sizeof(path), "/proc/%d/mountinfo", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : 0;
	text[MAX(n, (ssize_t) 0)] = '\0';
	if (strstr(text, "/sys/kernel") || strstr(text, "/dev/shm"))
		return "mountinfo";
	(void) snprintf(path, sizeof(path), "/proc/%d/status", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : 0;
	text[MAX(n, (ssize_t) 0)] = '\0';
	(void) snprintf(said, sizeof(said), "nothing; %.64s %.24s",
	        strstr(text, "CapPrm:") ? strstr(text, "CapPrm:") : "?",
	        strstr(text, "CapBnd:") ? strstr(text, "CapBnd:") : "?");
	return said;
}

/* Looks for a process other than the init and ourselves, for a while. */
static const char *find_and_attack(void)
{
	for (int round = 0; round < 2000; round++) {
		DIR *proc = opendir("/proc");

		for (struct dirent *d; proc && (d = readdir(proc));) {
			uint32_t pid;

			if (num_parse_u32(d->d_name, &pid) == 0 && pid != 1 &&
			        pid != (uint32_t) getpid())
				return attack_one((int) pid);
		}
		if (proc)
			(void) closedir(proc);
		(void) usleep(1000);
	}
	return "nobody came";
}

/* A stand-in for a program of the container: in its namespaces, with its capabilities. */
static pid_t start_attacker(const struct inside *in, bool user_namespace, int out)
{
	uint32_t all = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS |
	               (user_namespace ? CLONE_NEWUSER : 0);
	const struct plan_caps *caps = &plan_find(in->plan, PLAN_CAPS)->caps;
	const struct caps_sets sets = {
		.bounding = caps->bounding,
		.permitted = caps->permitted,
		.effective = caps->effective,
	};
	pid_t pid = fork();
	const char *said;

	if (pid != 0)
		return pid;
	if (setns(in->child.pidfd, (int) all) < 0)
		_exit(2);
	pid = fork();
	if (pid > 0) {
		(void) waitpid(pid, NULL, 0);
		_exit(0);
	}
	if (sys_setresgid(0, 0, 0) < 0 || sys_setresuid(0, 0, 0) < 0 ||
	        caps_drop_bounding(sets.bounding, NULL) < 0 || caps_apply(&sets, NULL, NULL) < 0)
		_exit(2);
	(void) !write(out, "+", 1);
	said = find_and_attack();
	(void) !write(out, said, strlen(said));
	_exit(0);
}

static void nobody_inside_gets_hold_of_it(void **state)
{
	struct inside in;

	(void) state;
	for (int early = 0; early < 2; early++)
		for (int kind = 0; kind < 2; kind++) {
			const struct compile_exec x = {
				.args = LIST("true"), .env = enter_env, .wait = true
			};
			_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);
			_cleanup_(plan_freep) struct plan *plan = NULL;
			struct sandbox_child child;
			struct plan_writer w;
			struct err err = { 0 };
			char said[512] = { 0 }, byte;
			int gate[2], out[2];
			pid_t attacker;

			inside_init(&in.box, kind);
			inside_confine(&in.box, early);
			inside_start(&in);
			assert_int_equal(pipe2(gate, O_CLOEXEC), 0);
			assert_int_equal(pipe2(out, O_CLOEXEC), 0);
			attacker = start_attacker(&in, kind > 0, out[1]);
			fd_close(out[1]);
			assert_int_equal(read(out[0], &byte, 1), 1);
			const struct sandbox_target target = { .pidfd = in.child.pidfd };
			const struct sandbox_io io = { null, null, null, .gate_fd = gate[0],
				.result_fd = -EBADF };
			plan = enter_plan(&in, &x, &w);
			if (sandbox_enter(plan, &target, &io, &child, NULL, &err) < 0)
				fail_msg("%s", err.text);
			box_read_all(out[0], said, sizeof(said));
			/* With the rights of the init, not with ours; but for a filter that needs
			 * ours to be loaded. */
			assert_contains(said,
			        early ? "nothing; CapPrm:" : "nothing; CapPrm:\t00000000a80425fb");
			assert_int_equal(write(gate[1], "x", 1), 1);
			assert_int_equal(box_wait_status(child.pid), 0);
			assert_int_equal(box_wait_status(attacker), 0);
			sandbox_child_done(&child);
			plan_writer_done(&w);
			fd_close(gate[0]);
			fd_close(gate[1]);
			fd_close(out[0]);
			inside_stop(&in);
		}
}

/* The same attacker finds what it looks for in a program of the container: the test can fail. */
static void attacker_sees_what_is_the_containers(void **state)
{
	struct sandbox_child child;
	struct inside in;
	char said[512] = { 0 }, byte;
	pid_t attacker;
	int out[2];

	(void) state;
	inside_init(&in.box, 1);
	inside_start(&in);
	(void) enter_sleeper(&in, &child);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	attacker = start_attacker(&in, true, out[1]);
	fd_close(out[1]);
	assert_int_equal(read(out[0], &byte, 1), 1);
	box_read_all(out[0], said, sizeof(said));
	fd_close(out[0]);
	assert_string_equal(said, "mem");
	assert_int_equal(box_wait_status(attacker), 0);
	enter_end(&child);
	inside_stop(&in);
}

/* --- ends --- */

static void dead_init_is_told(void **state)
{
	const struct compile_exec x = { .args = LIST("true"), .env = enter_env };
	struct inside in;
	struct outcome o;

	(void) state;
	inside_init(&in.box, 1);
	inside_start(&in);
	assert_int_equal(kill(in.child.pid, SIGKILL), 0);
	struct pollfd p = { .fd = in.child.pidfd, .events = POLLIN };
	assert_int_equal(poll(&p, 1, 5000), 1);
	enter_with(&in, &x, -EBADF, &o); /* a zombie */
	assert_int_equal(o.r, -ESRCH);
	assert_string_equal(o.err.text, "the container is not running");
	inside_stop(&in);
}

/* By its init, or everything in its groups, the process between too. */
static void end_container(const struct inside *in, bool all)
{
	struct cgroup_handle handle = CGROUP_HANDLE_INIT;
	struct cgroup_group group;

	if (!all || !plan_find(in->plan, PLAN_CGROUP)) {
		(void) kill(in->child.pid, SIGKILL);
		return;
	}
	group = inside_group(in);
	if (cgroup_open(&group, false, &handle, NULL) == 0)
		(void) cgroup_kill_all(&handle, 1000, NULL);
}

static void init_may_end_at_any_moment(void **state)
{
	const struct compile_exec x = { .args = LIST("true"), .env = enter_env };
	struct inside in;
	struct outcome o;

	(void) state;
	for (unsigned int i = 0; i < 60; i++) {
		bool all = i % 4 > 1;
		pid_t killer;

		inside_init(&in.box, i % 2);
		inside_start(&in);
		killer = fork();
		if (killer == 0) {
			(void) usleep(i * 60);
			end_container(&in, all);
			_exit(0);
		}
		enter_with(&in, &x, -EBADF, &o);
		if (o.r < 0 && o.r != -ESRCH)
			fail_msg("%s %d", o.err.text, (int) i);
		if (o.r == 0)
			assert_true(o.status == 0 || o.status == 128 + SIGKILL);
		assert_int_equal(box_wait_status(killer), 0);
		inside_stop(&in);
	}
}

static void dead_supervisor_takes_the_process_along(void **state)
{
	struct inside in;
	int alive[2], up[2];
	pid_t supervisor;

	(void) state;
	inside_init(&in.box, 1);
	inside_start(&in);
	assert_int_equal(pipe2(alive, O_CLOEXEC), 0);
	assert_int_equal(pipe2(up, O_CLOEXEC), 0);
	supervisor = fork();
	if (supervisor == 0) {
		const struct compile_exec x = {
			.args = enter_sleeps, .env = enter_env, .user = "web"
		};
		const struct sandbox_target target = { .pidfd = in.child.pidfd };
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);
		const struct sandbox_io io = {
			null,
			null,
			null,
			.keep_fds = &alive[1],
			.n_keep_fds = 1,
			.gate_fd = -EBADF,
			.result_fd = -EBADF,
			.die_with_parent = true,
		};
		struct sandbox_child child;
		struct plan_writer w;
		struct plan *plan = enter_plan(&in, &x, &w);

		if (sandbox_enter(plan, &target, &io, &child, NULL, NULL) == 0 &&
		        sandbox_wait_exec(&child, NULL, NULL) == 0)
			(void) !write(up[1], "x", 1);
		(void) pause();
		_exit(0);
	}
	box_assert_dies_with(supervisor, alive, up);
	inside_stop(&in);
}

static void paused_container_is_refused(void **state)
{
	const struct compile_exec x = { .args = LIST("true"), .env = enter_env };
	struct cgroup_handle handle = CGROUP_HANDLE_INIT;
	struct cgroup_group group;
	struct inside in;
	struct outcome o;
	struct err err = { 0 };

	(void) state;
	if (!box_facts.cgroup || box_facts.cgroup->cannot_create)
		skip();
	inside_init(&in.box, 0);
	inside_start(&in);
	group = inside_group(&in);
	assert_int_equal(cgroup_open(&group, false, &handle, &err), 0);
	assert_int_equal(cgroup_freeze(&handle, true, &err), 0);
	enter_with(&in, &x, -EBADF, &o);
	assert_int_equal(o.r, -EBUSY);
	assert_contains(o.err.text, "the container is paused");
	assert_int_equal(cgroup_freeze(&handle, false, &err), 0);
	enter_must_run(&in, &x, &o);
	assert_int_equal(o.status, 0);
	cgroup_handle_done(&handle);
	inside_stop(&in);
}

static void full_container_is_told(void **state)
{
	const struct compile_exec x = { .args = LIST("true"), .env = enter_env };
	bool v2 = box_facts.cgroup && box_facts.cgroup->mode == CGROUP_V2;
	struct inside in;
	struct outcome o;

	(void) state;
	if (!box_facts.cgroup || box_facts.cgroup->cannot_create)
		skip();
	inside_init(&in.box, 1);
	box_add(&in.box, STEP(CGROUP_SET, .cgroup_set = { .hierarchy = v2 ? "" : "pids",
	                                          .file = "pids.max",
	                                          .value = "1" }));
	inside_start(&in);
	enter_with(&in, &x, -EBADF, &o);
	assert_int_equal(o.r, -EAGAIN);
	assert_contains(o.err.text, "it has as many as it may have");
	inside_stop(&in);
}

/* --- plans that are not for this --- */

static void wrong_kinds_of_plan_are_refused(void **state)
{
	static const struct plan_step bad[] = {
		{ .kind = PLAN_MASK, .path = { .path = "/etc" } },
		{ .kind = PLAN_MOUNT, .mount = { .kind = PLAN_MOUNT_FS, .target = "/tmp" } },
		{ .kind = PLAN_NAMESPACE, .ns = { .flag = CLONE_NEWNET } },
		{ .kind = PLAN_SYSCTL, .sysctl = { .path = "kernel/core_pattern", .value = "x" } },
		{ .kind = PLAN_TERMINAL, .terminal = { .console = 1 } },
		{ .kind = PLAN_CGROUP_JOIN, .cgroup_join = { .new_namespace = 1 } },
		{ .kind = PLAN_ROOT, .root = { .path = "/" } },
	};
	_close_ int file = open("/dev/null", O_RDWR | O_CLOEXEC);
	const struct sandbox_io io = { file, file, file, .gate_fd = -EBADF, .result_fd = -EBADF };
	struct sandbox_child child;
	struct sandbox_target target;
	struct plan_writer w;
	struct plan *plan;
	struct inside in;
	struct err err = { 0 };

	(void) state;
	inside_init(&in.box, 0);
	inside_start(&in);
	target = (struct sandbox_target){ .pidfd = in.child.pidfd };
	assert_int_equal(sandbox_enter(in.plan, &target, &io, &child, NULL, &err), -EINVAL);
	assert_contains(err.text, "this plan makes a container");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct box b = { 0 };

		box_init(&b, LIST("true"));
		for (unsigned int kind = 1; kind < PLAN_KIND_COUNT; kind++)
			if (kind != PLAN_CONTAINER && kind != PLAN_USER && kind != PLAN_CAPS &&
			        kind != PLAN_CWD && kind != PLAN_FIND && kind != PLAN_READY &&
			        kind != PLAN_EXEC)
				box_drop(&b, (enum plan_kind) kind);
		box_add(&b, STEP(ENTER, .enter = { .namespaces = CLONE_NEWNS }));
		box_add(&b, &bad[i]);
		plan = box_plan(&b, &w);
		assert_int_equal(sandbox_enter(plan, &target, &io, &child, NULL, &err), -EINVAL);
		assert_contains(err.text, plan_kind_name(bad[i].kind));
		assert_int_equal(sandbox_apply(plan, &io, &child, NULL, &err), -EINVAL);
		assert_contains(err.text, "it makes none");
		plan_free(plan);
		plan_writer_done(&w);
	}
	plan = enter_plan(
	        &in, &(struct compile_exec){ .args = LIST("true"), .env = enter_env }, &w);
	target.pidfd = -EBADF;
	assert_int_equal(sandbox_enter(plan, &target, &io, &child, NULL, &err), -EBADF);
	target.pidfd = file;
	assert_true(sandbox_enter(plan, &target, &io, &child, NULL, &err) < 0);
	plan_free(plan);
	plan_writer_done(&w);
	inside_stop(&in);
}

/* --- without privileges --- */

static int as_plain_user(struct inside *in)
{
	struct outcome o;

	if (setgroups(0, NULL) < 0 || setresgid(1000, 1000, 1000) < 0 ||
	        setresuid(1000, 1000, 1000) < 0)
		return 2;
	(void) prctl(PR_SET_DUMPABLE, 1);
	inside_start(in);
	enter_script(in, "id -u; cat /proc/self/uid_map; ps; tty", &o);
	inside_stop(in);
	if (strstr(o.out, "0\n         0       1000          1\n") && strstr(o.out, "sleep 600"))
		return 0;
	print_error("%s%s\n", o.err.text, o.out);
	return 1;
}

static void plain_user_enters_his_container(void **state)
{
	struct inside in;
	pid_t pid;

	(void) state;
	box_init(&in.box, enter_sleeps);
	box_drop(&in.box, PLAN_CGROUP);
	box_drop(&in.box, PLAN_CGROUP_JOIN);
	box_get(&in.box, PLAN_CONTAINER)->container.rootless = 1;
	box_add_namespace(&in.box, CLONE_NEWUSER);
	for (uint32_t gid = 0; gid < 2; gid++)
		box_add(&in.box, STEP(IDMAP, .idmap = { .gid = gid, .host_id = 1000, .size = 1 }));
	box_add(&in.box, STEP(BECOME_ROOT));
	assert_int_equal(chmod(testkit_scratch(), 0755), 0);
	pid = fork();
	if (pid == 0)
		_exit(as_plain_user(&in));
	assert_int_equal(box_wait_status(pid), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testkit_case(nobody_inside_gets_hold_of_it),
		testkit_case(attacker_sees_what_is_the_containers),
		testkit_case(dead_init_is_told),
		testkit_case(init_may_end_at_any_moment),
		testkit_case(dead_supervisor_takes_the_process_along),
		testkit_case(paused_container_is_refused),
		testkit_case(full_container_is_told),
		testkit_case(wrong_kinds_of_plan_are_refused),
		testkit_case(plain_user_enters_his_container),
	};
	int r = boxkit_setup();

	if (r)
		return r;
	r = testkit_run(tests);
	boxkit_done();
	return r;
}
