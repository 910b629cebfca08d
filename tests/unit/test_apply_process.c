/* SPDX-License-Identifier: Apache-2.0 */
/* Plans executed for real: processes. Descriptors, namespaces that are joined, the gate, death, and
 * programs that cannot be started. Needs root. */
#include "boxkit.h"
#include "facts/facts.h"

#include "base/base.h"
#include "base/fd.h"
#include "base/str.h"
#include "caps/caps.h"
#include "cgroup/cgroup.h"
#include "landlock/landlock.h"

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
	box_write_text(b.root, "bin/garbage",
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
	box_write_text(b.root, "bin/script", "#!/nowhere/lua\n", 0755);
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
	box_get(&b, PLAN_ROOT)->root.path = "/no/such/root";
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
	box_must_run(&b, &o);
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
	box_must_run(&b, &o);
	assert_contains(o.out, "3 -> /dev/null");
	assert_contains(o.out, "4 -> pipe");
	assert_contains(o.out, "5 -> pipe");
	fd_close(a[1]);
	box_read_all(a[0], o.out, sizeof(o.out));
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
		box_drop(&b, PLAN_CGROUP);
		box_drop(&b, PLAN_CGROUP_JOIN);
		box_get(&b, PLAN_CWD)->cwd.path = path;
		box_run(&b, &o);
		assert_true(o.r < 0);
	}
}

static void failing_step_leaves_nothing(void **state)
{
	struct outcome o;
	struct box b;

	(void) state;
	if (!box_facts.cgroup || box_facts.cgroup->cannot_create)
		skip();
	for (int round = 0; round < 2; round++) {
		struct cgroup_handle handle = CGROUP_HANDLE_INIT;
		struct cgroup_group group = { 0 };
		const struct plan_cgroup *c;

		box_init(&b, LIST("true"));
		if (round == 0)
			box_add(&b, STEP(CGROUP_SET, .cgroup_set = { .hierarchy = "",
			                                     .file = "cgroup.no-such-file",
			                                     .value = "1" }));
		else
			box_add_mount(&b, "no-such-fs", "/tmp", NULL);
		box_run(&b, &o);
		assert_true(o.r < 0);
		assert_contains(o.err.text, round ? "no-such-fs" : "cgroup.no-such-file");
		c = &box_get(&b, PLAN_CGROUP)->cgroup;
		group = (struct cgroup_group){
			.mode = (enum cgroup_mode) c->mode,
			.path = c->path,
			.hierarchies = c->hierarchies,
			.unified = c->unified,
		};
		assert_int_equal(cgroup_open(&group, false, &handle, NULL), -ENOENT);
	}
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
		box_add_user_namespace(&first);
	box_start(&first, &plan, &w, &child);
	assert_int_equal(sandbox_wait_exec(&child, NULL, NULL), 0);
	box_init(&second, SHELL("for n in net ipc uts pid user; do readlink /proc/self/ns/$n; "
	                        "done; hostname; id; ps"));
	(void) strncat(second.group, "-b", 3);
	box_drop(&second, PLAN_NAMESPACE);
	box_drop(&second, PLAN_UTS);
	box_drop(&second, PLAN_LOOPBACK);
	box_add_namespace(&second, CLONE_NEWNS);
	box_add_namespace(&second, CLONE_NEWCGROUP);
	if (second_user == 2)
		box_add_user_namespace(&second);
	if (second_user == 1)
		box_add(&second, STEP(BECOME_ROOT, .become_root = { .setgroups = 1 }));
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		(void) snprintf(paths[i], 64, "/proc/%d/ns/%s", (int) child.pid, kinds[i].name);
		if (kinds[i].flag == CLONE_NEWUSER && second_user != 1)
			continue;
		box_add(&second,
		        STEP(NAMESPACE, .ns = { .flag = kinds[i].flag, .path = paths[i] }));
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
	box_stop(plan, &w, &child);
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
	box_start(&first, &plan, &w, &child);
	box_init(&second, LIST("readlink", "/proc/self/ns/net"));
	(void) strncat(second.group, "-b", 3);
	box_drop(&second, PLAN_NAMESPACE);
	box_drop(&second, PLAN_LOOPBACK);
	box_add_user_namespace(&second);
	box_add_namespace(&second, CLONE_NEWNS);
	box_add_namespace(&second, CLONE_NEWPID);
	box_add_namespace(&second, CLONE_NEWUTS);
	(void) snprintf(path, sizeof(path), "/proc/%d/ns/net", (int) child.pid);
	box_add(&second, STEP(NAMESPACE, .ns = { .flag = CLONE_NEWNET, .path = path }));
	box_run(&second, &o);
	if (o.r < 0)
		print_error("%s\n", o.err.text);
	assert_int_equal(o.r, 0);
	assert_true(readlink(path, link, 63) > 0);
	assert_contains(o.out, link);
	box_stop(plan, &w, &child);
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
		box_drop(&b, PLAN_NAMESPACE);
		box_drop(&b, PLAN_UTS);
		box_drop(&b, PLAN_LOOPBACK);
		box_add_namespace(&b, CLONE_NEWNS);
		box_add(&b, STEP(NAMESPACE, .ns = { .flag = CLONE_NEWNET, .path = paths[i] }));
		box_run(&b, &o);
		assert_true(o.r < 0);
		assert_contains(o.err.text, paths[i]);
	}
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
			box_write_text(b.root, "bin/garbage",
			        "\x7f"
			        "garbage",
			        0755);
		box_get(&b, PLAN_READY)->ready.wait = 1;
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
		box_read_all(out[0], text, sizeof(text));
		assert_string_equal(text, round == 0 ? "started\n" : "");
		box_read_all(result[0], text, sizeof(text));
		if (round == 2)
			assert_contains(text, "exec format error");
		else
			assert_string_equal(text, "");
		assert_int_equal(box_wait_status(child.pid), round == 2 ? 126 : round);
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

	(void) state;
	box_init(&b, LIST("sleep", "60"));
	box_get(&b, PLAN_USER)->user.lookup = "web";
	b.io.die_with_parent = true;
	/* The container's program holds 'alive' open as fd 3 as long as it lives. */
	assert_int_equal(pipe2(alive, O_CLOEXEC), 0);
	assert_int_equal(pipe2(up, O_CLOEXEC), 0);
	b.io.keep_fds = &alive[1];
	b.io.n_keep_fds = 1;
	supervisor = fork();
	if (supervisor == 0) {
		box_start(&b, &plan, &w, &child);
		if (sandbox_wait_exec(&child, NULL, NULL) == 0)
			(void) !write(up[1], "x", 1);
		(void) pause();
		_exit(0);
	}
	box_assert_dies_with(supervisor, alive, up);
	plan = box_plan(&b, &w);
	assert_int_equal(sandbox_cleanup(plan, NULL), 0);
	plan_free(plan);
	plan_writer_done(&w);
}

static void signals_are_default_inside(void **state)
{
	struct outcome o;
	struct box b;

	(void) state;
	assert_true(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
	assert_true(signal(SIGHUP, SIG_IGN) != SIG_ERR);
	box_init(&b, LIST("grep", "^Sig[BIC]", "/proc/self/status"));
	box_must_run(&b, &o);
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
	box_add_user_namespace(&b);
	box_get(&b, PLAN_USER)->user.lookup = "web";
	box_must_run(&b, &o);
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
	box_drop(&b, PLAN_CGROUP);
	box_drop(&b, PLAN_CGROUP_JOIN);
	box_get(&b, PLAN_CONTAINER)->container.rootless = 1;
	box_add_namespace(&b, CLONE_NEWUSER);
	for (uint32_t gid = 0; gid < 2; gid++)
		box_add(&b, STEP(IDMAP, .idmap = { .gid = gid, .host_id = 1000, .size = 1 }));
	box_add(&b, STEP(BECOME_ROOT));
	box_add_mount(&b, "tmpfs", "/dev", NULL);
	box_add(&b, STEP(DEVICE, .device = { .type = 'c',
	                                 .path = "/dev/null",
	                                 .major = 1,
	                                 .minor = 3,
	                                 .mode = 0666,
	                                 .bind = 1 }));
	box_add(&b, STEP(MASK, .path = { .path = "/proc/kallsyms" }));
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
	assert_int_equal(box_wait_status(pid), 0);
}

static void facts_are_probed(void **state)
{
	struct facts f;
	struct err err = { 0 };

	(void) state;
	assert_int_equal(facts_probe(&f, &err), 0);
	assert_true(f.last_cap >= 40);
	assert_true(f.rlimit_hard[RLIMIT_NOFILE] > 0);
	assert_int_equal(f.euid, geteuid());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testkit_case(missing_program_is_127),
		testkit_case(program_that_cannot_run_is_126),
		testkit_case(missing_interpreter_is_named),
		testkit_case(missing_root_leaves_nothing),
		testkit_case(no_descriptor_leaks),
		testkit_case(kept_descriptors_are_numbered_from_three),
		testkit_case(cwd_through_a_descriptor_is_refused),
		testkit_case(failing_step_leaves_nothing),
		testkit_case(namespaces_of_another_container_are_joined),
		testkit_case(user_namespace_of_another_container_is_joined),
		testkit_case(host_namespaces_are_joined_with_a_new_user_namespace),
		testkit_case(file_that_is_no_namespace_is_refused),
		testkit_case(gate_holds_the_program_back),
		testkit_case(dead_supervisor_takes_the_child_along),
		testkit_case(signals_are_default_inside),
		testkit_case(stdio_can_be_opened_again_by_the_user),
		testkit_case(plain_user_runs_a_container),
		testkit_case(facts_are_probed),
	};
	int r = boxkit_setup();

	if (r)
		return r;
	r = testkit_run(tests);
	boxkit_done();
	return r;
}
