/* SPDX-License-Identifier: Apache-2.0 */
/* One more process in a container that runs: it is where the init is, has no more rights, and gets
 * its user, folder, program and terminal as an init does. Needs root. */
#include "enterkit.h"

#include "base/base.h"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void read_proc(pid_t pid, const char *file, char *out, size_t size)
{
	_free_ char *path = xprintf("/proc/%d/%s", (int) pid, file);
	_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	box_read_all(fd, out, size);
}

/* --- where it is and what it may do --- */

static void it_is_where_the_init_is(void **state)
{
	static const char *const names[] = { "mnt", "pid", "net", "ipc", "uts", "cgroup", "user",
		"time" };
	struct inside in;
	struct outcome o;

	(void) state;
	for (int kind = 0; kind < 3; kind++) {
		struct sandbox_child child;
		char init[4096], other[4096];

		inside_init(&in.box, kind);
		box_add(&in.box, STEP(LATE_SYSCTL, .sysctl = { .path = "user/max_mnt_namespaces",
		                                           .value = "0",
		                                           .optional = 1 }));
		if (kind == 0)
			box_drop(&in.box, PLAN_LATE_SYSCTL);
		inside_start(&in);
		(void) enter_sleeper(&in, &child);
		for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
			_free_ char *a = xprintf("/proc/%d/ns/%s", (int) in.child.pid, names[i]);
			_free_ char *b = xprintf("/proc/%d/ns/%s", (int) child.pid, names[i]);
			char x[64] = { 0 }, y[64] = { 0 };

			assert_true(readlink(a, x, 63) > 0 && readlink(b, y, 63) > 0);
			assert_string_equal(x, y);
		}
		read_proc(in.child.pid, "cgroup", init, sizeof(init));
		read_proc(child.pid, "cgroup", other, sizeof(other));
		assert_string_equal(init, other);
		enter_script(&in,
		        "ps; hostname; kill -0 1 && echo alive; cut -c 1-2 /proc/uptime; id -u",
		        &o);
		assert_contains(o.out, "sleep 600");
		assert_contains(o.out, kind > 1 ? "box\nalive\n50\n0\n" : "box\nalive\n");
		enter_end(&child);
		inside_stop(&in);
	}
}

static const char *line_of(const char *text, const char *name, char *out, size_t size)
{
	const char *at = strstr(text, name);

	assert_non_null(at);
	(void) snprintf(out, size, "%.*s", (int) strcspn(at, "\n"), at);
	return out;
}

static void it_has_the_rights_of_the_init(void **state)
{
	static const char *const lines[] = { "CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:",
		"NoNewPrivs:", "Seccomp:", "Seccomp_filters:", "Uid:", "Gid:", "Groups:", "SigBlk:",
		"SigIgn:" };
	struct inside in;

	(void) state;
	for (int early = 0; early < 2; early++)
		for (int kind = 0; kind < 2; kind++) {
			struct sandbox_child child;
			char init[8192], other[8192], a[256], b[256];

			inside_init(&in.box, kind);
			inside_confine(&in.box, early);
			inside_start(&in);
			(void) enter_sleeper(&in, &child);
			read_proc(in.child.pid, "status", init, sizeof(init));
			read_proc(child.pid, "status", other, sizeof(other));
			for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
				assert_string_equal(line_of(init, lines[i], a, sizeof(a)),
				        line_of(other, lines[i], b, sizeof(b)));
			read_proc(in.child.pid, "limits", init, sizeof(init));
			read_proc(child.pid, "limits", other, sizeof(other));
			assert_string_equal(init, other);
			read_proc(child.pid, "oom_score_adj", other, sizeof(other));
			assert_string_equal(other, "123\n");
			enter_end(&child);
			inside_stop(&in);
		}
}

static void filter_and_landlock_hold(void **state)
{
	struct inside in;
	struct outcome o;

	(void) state;
	inside_init(&in.box, 1);
	box_add_mount(&in.box, "tmpfs", "/tmp", NULL);
	inside_confine(&in.box, false);
	inside_start(&in);
	enter_script(&in, "hostname x; touch /etc/x; touch /tmp/y && echo good", &o);
	assert_contains(o.out, "nvalid cross-device link");
	assert_contains(o.out, "good");
	if (box_facts.landlock_abi > 0)
		assert_contains(o.out, "/etc/x: Permission denied");
	inside_stop(&in);
}

/* The rule for /tmp must not become one for what the container puts there. */
static void rule_is_not_widened_by_a_link(void **state)
{
	_free_ char *tmp = NULL;
	struct inside in;
	struct outcome o;

	(void) state;
	if (box_facts.landlock_abi == 0)
		skip();
	inside_init(&in.box, 0);
	inside_confine(&in.box, false);
	inside_start(&in);
	tmp = xprintf("%s/tmp", in.box.root);
	assert_int_equal(rmdir(tmp), 0);
	assert_int_equal(symlink("/", tmp), 0);
	enter_script(&in, "touch /etc/x; touch /tmp/etc/y; ls /etc", &o);
	assert_contains(o.out, "/etc/x: Permission denied");
	assert_contains(o.out, "/tmp/etc/y: Permission denied");
	assert_int_equal(unlink(tmp), 0);
	enter_script(&in, "echo missing is fine", &o);
	assert_string_equal(o.out, "missing is fine\n");
	inside_stop(&in);
}

/* --- user, folder, program --- */

static void user_home_and_groups_are_the_images(void **state)
{
	struct inside in;
	struct outcome o;

	(void) state;
	for (int kind = 0; kind < 2; kind++) {
		struct compile_exec x = {
			.args = SHELL("id; echo HOME=$HOME; grep CapEff /proc/self/status; "
			              "echo again > /proc/self/fd/1"),
			.env = enter_env,
			.user = "web",
		};

		inside_init(&in.box, kind);
		box_get(&in.box, PLAN_CAPS)->caps.empty_unless_root = 1;
		inside_start(&in);
		enter_must_run(&in, &x, &o);
		assert_contains(o.out, "uid=33(web) gid=34(www)");
		assert_contains(o.out, "77(extra)");
		assert_contains(o.out, "HOME=/home/web\n");
		assert_contains(o.out, "CapEff:\t0000000000000000\nagain\n");
		x.user = "33:0";
		enter_must_run(&in, &x, &o);
		assert_contains(o.out, "uid=33(web) gid=0(root)");
		x.user = "nobody-knows";
		enter_with(&in, &x, -EBADF, &o);
		assert_int_equal(o.r, -ENOENT);
		assert_contains(o.err.text, "nobody-knows");
		inside_stop(&in);
	}
}

static void hostile_passwd_does_not_hang(void **state)
{
	const struct compile_exec x = { .args = LIST("true"), .env = enter_env, .user = "web" };
	_free_ char *passwd = NULL;
	struct inside in;
	struct outcome o;

	(void) state;
	inside_init(&in.box, 0);
	inside_start(&in);
	passwd = xprintf("%s/etc/passwd", in.box.root);
	assert_int_equal(unlink(passwd), 0);
	assert_int_equal(mkfifo(passwd, 0666), 0);
	enter_with(&in, &x, -EBADF, &o);
	assert_int_equal(o.r, -EBADMSG);
	assert_int_equal(unlink(passwd), 0);
	assert_int_equal(symlink("/proc/self/mem", passwd), 0);
	enter_with(&in, &x, -EBADF, &o);
	assert_true(o.r < 0);
	inside_stop(&in);
}

static void folder_is_the_plans_or_the_requests(void **state)
{
	struct compile_exec x = { .args = SHELL("pwd"), .env = enter_env };
	struct inside in;
	struct outcome o;

	(void) state;
	inside_init(&in.box, 1);
	box_get(&in.box, PLAN_CWD)->cwd.path = "/etc";
	inside_start(&in);
	enter_must_run(&in, &x, &o);
	assert_string_equal(o.out, "/etc\n");
	x.cwd = "/home";
	enter_must_run(&in, &x, &o);
	assert_string_equal(o.out, "/home\n");
	x.cwd = "/nowhere";
	enter_with(&in, &x, -EBADF, &o);
	assert_true(o.r < 0 && o.exit_code == 0);
	assert_contains(o.err.text, "/nowhere");
	/* CVE-2024-21626: a folder of the host through a descriptor of ours. */
	_close_ int leak = open("/", O_RDONLY | O_DIRECTORY);
	for (int fd = 0; fd < 30; fd++) {
		_free_ char *path = xprintf("/proc/self/fd/%d", fd);

		x.cwd = path;
		enter_with(&in, &x, -EBADF, &o);
		assert_true(o.r < 0);
	}
	inside_stop(&in);
}

static void program_that_cannot_run_is_told(void **state)
{
	static const struct {
		const char *name;
		int code;
		const char *part;
	} cases[] = {
		{ "no-such", 127, "exec: \"no-such\": executable file not found in $PATH" },
		{ "/bin/no-such", 127, "no such file or directory" },
		{ "/etc/passwd", 126, "permission denied" },
		{ "/etc", 126, "is a directory" },
		{ "/bin/garbage", 126, "exec format error" },
		{ "script", 127, "interpreter is missing" },
		/* Our own binary (CVE-2019-5736). */
		{ "/proc/self/exe", 127, "no such file or directory" },
	};
	struct inside in;
	struct outcome o;

	(void) state;
	for (int early = 0; early < 2; early++) {
		inside_init(&in.box, 1);
		inside_confine(&in.box, early);
		inside_start(&in);
		box_write_text(in.box.root, "bin/garbage",
		        "\x7f"
		        "garbage",
		        0755);
		box_write_text(in.box.root, "bin/script", "#!/nowhere/lua\n", 0755);
		for (size_t i = 0; i < ARRAY_SIZE(cases) - (size_t) early; i++) {
			const struct compile_exec x = { .args = LIST(cases[i].name),
				.env = enter_env };

			enter_with(&in, &x, -EBADF, &o);
			assert_true(o.r < 0);
			assert_int_equal(o.exit_code, cases[i].code);
			assert_contains(o.err.text, cases[i].part);
		}
		inside_stop(&in);
	}
}

static void status_and_stdin_are_passed_on(void **state)
{
	const struct compile_exec x = { .args = SHELL("cat; exit 42"), .env = enter_env };
	struct inside in;
	struct outcome o;
	int input[2];

	(void) state;
	inside_init(&in.box, 1);
	inside_start(&in);
	assert_int_equal(pipe2(input, O_CLOEXEC), 0);
	assert_int_equal(write(input[1], "through\n", 8), 8);
	fd_close(input[1]);
	enter_with(&in, &x, input[0], &o);
	fd_close(input[0]);
	assert_int_equal(o.r, 0);
	assert_string_equal(o.out, "through\n");
	assert_int_equal(o.status, 42);
	inside_stop(&in);
}

static void no_descriptor_leaks(void **state)
{
	_close_ int leak = open("/", O_RDONLY | O_DIRECTORY); /* not even close-on-exec */
	struct inside in;
	struct outcome o;

	(void) state;
	for (int kind = 0; kind < 2; kind++) {
		inside_init(&in.box, kind);
		inside_start(&in);
		enter_script(&in, "ls -1 /proc/self/fd; ls -1 /proc/$$/fd; true", &o);
		assert_string_equal(o.out, "0\n1\n2\n3\n0\n1\n2\n");
		inside_stop(&in);
	}
}

/* --- terminal --- */

static void terminal_is_the_containers(void **state)
{
	struct inside in;
	struct outcome o;

	(void) state;
	for (int early = 0; early < 2; early++)
		for (int kind = 0; kind < 2; kind++) {
			const struct compile_exec x = {
				.args = SHELL("tty; stty size; test -t 2 && echo all; echo ctl > "
				              "/dev/tty; stat -c '%U %g %a' $(tty); ls -1 "
				              "/proc/self/fd; ls -1 /dev/console"),
				.env = enter_env,
				.user = "web",
				.has_terminal = true,
				.rows = 31,
				.cols = 99,
			};

			inside_init(&in.box, kind);
			box_add_dev(&in.box);
			inside_confine(&in.box, early);
			box_drop(&in.box, PLAN_LANDLOCK);
			box_drop(&in.box, PLAN_LANDLOCK_RULE);
			box_drop(&in.box, PLAN_LANDLOCK_ENTER);
			inside_start(&in);
			enter_must_run(&in, &x, &o);
			assert_string_equal(o.out,
			        "/dev/pts/0\r\n31 99\r\nall\r\nctl\r\nweb 5 620\r\n0\r\n1\r\n2\r\n3"
			        "\r\nls: /dev/console: No such file or directory\r\n");
			inside_stop(&in);
		}
}

static void terminal_without_devpts_is_refused(void **state)
{
	const struct compile_exec x = {
		.args = LIST("true"), .env = enter_env, .has_terminal = true
	};
	_free_ char *pts = NULL;
	struct inside in;
	struct outcome o;

	(void) state;
	inside_init(&in.box, 0);
	inside_start(&in);
	pts = xprintf("%s/dev/pts", in.box.root);
	enter_with(&in, &x, -EBADF, &o);
	assert_true(o.r < 0);
	assert_contains(o.err.text, "'/dev/pts'");
	assert_int_equal(symlink("/tmp", pts), 0);
	enter_with(&in, &x, -EBADF, &o);
	assert_int_equal(o.r, -ELOOP);
	inside_stop(&in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testkit_case(it_is_where_the_init_is),
		testkit_case(it_has_the_rights_of_the_init),
		testkit_case(filter_and_landlock_hold),
		testkit_case(rule_is_not_widened_by_a_link),
		testkit_case(user_home_and_groups_are_the_images),
		testkit_case(hostile_passwd_does_not_hang),
		testkit_case(folder_is_the_plans_or_the_requests),
		testkit_case(program_that_cannot_run_is_told),
		testkit_case(status_and_stdin_are_passed_on),
		testkit_case(no_descriptor_leaks),
		testkit_case(terminal_is_the_containers),
		testkit_case(terminal_without_devpts_is_refused),
	};
	int r = boxkit_setup();

	if (r)
		return r;
	r = testkit_run(tests);
	boxkit_done();
	return r;
}
