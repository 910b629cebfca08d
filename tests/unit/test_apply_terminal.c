/* SPDX-License-Identifier: Apache-2.0 */
/* Plans with a terminal, executed for real: what the program inside has, what the supervisor gets,
 * and images that lay something else where the terminal is made. Needs root. */
#include "boxkit.h"

#include "base/base.h"
#include "base/fd.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

static void add_terminal(struct box *b, bool console)
{
	box_add_dev(b);
	box_add(b, STEP(TERMINAL, .terminal = { .rows = 30, .cols = 101, .console = console }));
}

static const char look[] =
        "tty; stty size; test -t 0 && test -t 1 && test -t 2 && echo three; "
        "stat -c '%u %g %a' /dev/pts/0; stat -c %t:%T /dev/console /dev/pts/0; "
        "echo by-console > /dev/console; echo by-tty > /dev/tty; ls -1 /dev/pts; "
        "grep -c ' /dev/console .* devpts ' /proc/self/mountinfo; "
        "ls -1 /proc/self/fd; stty -a < /dev/console | head -n 1";

static void program_has_a_terminal(void **state)
{
	struct outcome o;
	struct box b;

	(void) state;
	for (int user = 0; user < 2; user++) {
		box_init(&b, SHELL(look));
		if (user)
			box_add_user_namespace(&b);
		add_terminal(&b, true);
		box_must_run(&b, &o);
		assert_string_equal(o.out,
		        "/dev/pts/0\r\n30 101\r\nthree\r\n0 5 620\r\n88:0\r\n88:0\r\n"
		        "by-console\r\nby-tty\r\n0\r\nptmx\r\n1\r\n0\r\n1\r\n2\r\n3\r\n"
		        "speed 38400 baud; rows 30; columns 101; line = 0;\r\n");
		assert_int_equal(o.status, 0);
	}
}

static void terminal_belongs_to_the_user(void **state)
{
	struct outcome o;
	struct box b;

	(void) state;
	for (int user = 0; user < 2; user++) {
		box_init(
		        &b, SHELL("stat -c '%U %g %a' $(tty); echo again > /proc/self/fd/1; "
		                  "echo x > /dev/console; cat < /dev/null > /dev/tty && echo ctl"));
		if (user)
			box_add_user_namespace(&b);
		add_terminal(&b, true);
		box_add(&b, STEP(DEVICE, .device = { .type = 'c',
		                                 .path = "/dev/null",
		                                 .major = 1,
		                                 .minor = 3,
		                                 .mode = 0666,
		                                 .bind = 1 }));
		box_get(&b, PLAN_USER)->user.lookup = "web";
		box_must_run(&b, &o);
		assert_string_equal(o.out, "web 5 620\r\nagain\r\nx\r\nctl\r\n");
	}
}

/* Reads exactly this text, in as many pieces as it comes. */
static void expect(int master, const char *text)
{
	for (size_t i = 0; text[i]; i++) {
		char byte;

		assert_int_equal(read(master, &byte, 1), 1);
		assert_int_equal(byte, text[i]);
	}
}

static void input_and_signals_come_from_the_master(void **state)
{
	struct sandbox_child child;
	struct plan_writer w;
	struct plan *plan;
	struct box b;
	char out[4096];
	int master;

	(void) state;
	/* cat gives back what is typed; the interrupt character ends it, and not process 1. */
	box_init(&b, SHELL("stty -echo; echo ready; cat; exit $?"));
	add_terminal(&b, false);
	box_start(&b, &plan, &w, &child);
	assert_int_equal(sandbox_wait_exec(&child, NULL, NULL), 0);
	master = child.terminal_fd;
	assert_true(fcntl(master, F_GETFD) & FD_CLOEXEC);
	expect(master, "ready\r\n");
	assert_int_equal(write(master, "typed\n", 6), 6);
	expect(master, "typed\r\n");
	assert_int_equal(write(master, "\003", 1), 1);
	box_read_all(master, out, sizeof(out));
	assert_int_equal(box_wait_status(child.pid), 130);
	sandbox_child_done(&child);
	assert_int_equal(sandbox_cleanup(plan, NULL), 0);
	plan_free(plan);
	plan_writer_done(&w);
}

static void hang_up_ends_the_program(void **state)
{
	struct sandbox_child child;
	struct plan_writer w;
	struct plan *plan;
	struct box b;

	(void) state;
	box_init(&b, SHELL("cat; exit 9"));
	add_terminal(&b, false);
	box_start(&b, &plan, &w, &child);
	assert_int_equal(sandbox_wait_exec(&child, NULL, NULL), 0);
	child.terminal_fd = fd_close(child.terminal_fd);
	assert_int_equal(box_wait_status(child.pid), 9);
	sandbox_child_done(&child);
	assert_int_equal(sandbox_cleanup(plan, NULL), 0);
	plan_free(plan);
	plan_writer_done(&w);
}

static void kept_descriptors_come_behind_the_terminal(void **state)
{
	struct outcome o;
	struct box b;
	int keep[2];

	(void) state;
	assert_int_equal(pipe2(keep, O_CLOEXEC), 0);
	box_init(&b, SHELL("ls -1 /proc/$$/fd; tty; echo kept >&4"));
	add_terminal(&b, true);
	b.io.keep_fds = keep;
	b.io.n_keep_fds = 2;
	box_must_run(&b, &o);
	assert_string_equal(o.out, "0\r\n1\r\n2\r\n3\r\n4\r\n/dev/pts/0\r\n");
	fd_close(keep[1]);
	box_read_all(keep[0], o.out, sizeof(o.out));
	assert_string_equal(o.out, "kept\n");
	fd_close(keep[0]);
}

/* --- what is refused, with nothing on the host touched --- */

static void refused(struct box *b, const char *part)
{
	struct outcome o;

	box_run(b, &o);
	if (o.r >= 0)
		fail_msg("not refused, but: %s", o.out);
	assert_contains(o.err.text, part);
}

/* What lies at PATH below the root, by the word. */
static void lay(const struct box *b, const char *path, const char *what, const char *victim)
{
	_free_ char *full = xprintf("%s/%s", b->root, path);

	(void) rmdir(full);
	if (streq(what, "link"))
		assert_int_equal(symlink(victim, full), 0);
	else if (streq(what, "file"))
		box_write_text(b->root, path, "plain", 0666);
	else if (streq(what, "folder"))
		assert_int_equal(mkdir(full, 0755), 0);
	else if (streq(what, "fifo"))
		assert_int_equal(mkfifo(full, 0666), 0);
	else if (streq(what, "ptmx"))
		assert_int_equal(mknod(full, S_IFCHR | 0666, makedev(5, 2)), 0);
	else
		assert_int_equal(mknod(full, S_IFCHR | 0666, makedev(1, 3)), 0);
}

static void image_without_devpts_is_refused(void **state)
{
	static const char *const kinds[] = { "link", "file", "folder", "fifo", "ptmx", "null" };
	_free_ char *victim = NULL;
	struct stat before, after;
	struct box b;

	(void) state;
	victim = xprintf("%s/victim", testkit_scratch());
	box_write_text(testkit_scratch(), "victim", "mine", 0600);
	assert_int_equal(stat(victim, &before), 0);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		_free_ char *remove = NULL;

		box_init(&b, LIST("true"));
		remove = xprintf("rm -rf %s/dev/pts", b.root);
		assert_int_equal(system(remove), 0);
		lay(&b, "dev/pts", "folder", NULL);
		lay(&b, "dev/pts/ptmx", kinds[i], victim);
		box_add(&b, STEP(TERMINAL));
		refused(&b, "'/dev/pts' of the container is not a devpts");
	}
	assert_int_equal(stat(victim, &after), 0);
	assert_true(before.st_mode == after.st_mode && before.st_uid == after.st_uid &&
	            before.st_size == after.st_size);
}

static void link_on_the_way_is_refused(void **state)
{
	static const char *const links[] = { "/dev/real", "/proc/self/root/dev/pts",
		"../../dev/pts" };
	struct box b;

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
		_free_ char *remove = NULL;

		box_init(&b, LIST("true"));
		remove = xprintf("rm -rf %s/dev/pts", b.root);
		assert_int_equal(system(remove), 0);
		lay(&b, "dev/pts", "link", links[i]);
		box_add(&b, STEP(TERMINAL));
		refused(&b, "cannot open '/dev/pts' of the container");
	}
}

static void devpts_of_the_host_is_refused(void **state)
{
	struct box b;

	(void) state;
	box_init(&b, LIST("true"));
	box_add(&b, STEP(MOUNT, .mount = { .kind = PLAN_MOUNT_BIND,
	                                .source = "/dev/pts",
	                                .target = "/dev/pts" }));
	box_add(&b, STEP(TERMINAL));
	refused(&b, "'/dev/pts' of the container is the host's");
}

static void something_mounted_on_ptmx_is_refused(void **state)
{
	struct box b;

	(void) state;
	box_init(&b, LIST("true"));
	add_terminal(&b, false);
	box_add(&b, STEP(MOUNT, .mount = { .kind = PLAN_MOUNT_BIND,
	                                .source = "/dev/ptmx",
	                                .target = "/dev/pts/ptmx" }));
	refused(&b, "cannot open '/dev/pts/ptmx' of the container");
}

/* What the image has in /dev comes into the tmpfs by tmpcopyup. */
static void console_that_is_not_a_plain_file_is_refused(void **state)
{
	static const struct {
		const char *what, *part;
	} cases[] = {
		{ "link", "'/dev/console': it is a link" },
		{ "folder", "something else than a plain file" },
	};
	_free_ char *victim = NULL;
	struct stat st;
	struct box b;

	(void) state;
	victim = xprintf("%s/victim", testkit_scratch());
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_free_ char *path = NULL;

		box_init(&b, LIST("true"));
		path = xprintf("%s/dev/console", b.root);
		(void) unlink(path);
		lay(&b, "dev/console", cases[i].what, victim);
		add_terminal(&b, true);
		box_get(&b, PLAN_MOUNT); /* the first is /proc */
		for (size_t k = 0; k < b.n; k++)
			if (b.steps[k].kind == PLAN_MOUNT && streq(b.steps[k].mount.target, "/dev"))
				b.steps[k].mount.copy_up = 1;
		refused(&b, cases[i].part);
		assert_int_equal(stat(victim, &st), -1);
	}
}

static void console_is_for_a_tmpfs_of_the_plan_only(void **state)
{
	_free_ char *console = NULL;
	struct stat st;
	struct box b;

	(void) state;
	box_init(&b, LIST("true"));
	box_add_mount(&b, "devpts", "/dev/pts", LIST("newinstance"));
	box_add(&b, STEP(TERMINAL, .terminal = { .console = 1 }));
	refused(&b, "mounts no tmpfs on '/dev'");
	console = xprintf("%s/dev/console", b.root);
	assert_int_equal(stat(console, &st), -1);
}

static void size_that_no_terminal_has_is_refused(void **state)
{
	struct box b;

	(void) state;
	box_init(&b, LIST("true"));
	add_terminal(&b, false);
	box_get(&b, PLAN_TERMINAL)->terminal.rows = 65536;
	refused(&b, "cannot set the size of the terminal");
}

static void error_behind_the_terminal_is_told(void **state)
{
	struct outcome o;
	struct box b;

	(void) state;
	box_init(&b, LIST("no-such-program"));
	add_terminal(&b, true);
	box_run(&b, &o);
	assert_true(o.r == -ENOENT && o.exit_code == 127);
	assert_contains(o.err.text, "executable file not found in $PATH");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testkit_case(program_has_a_terminal),
		testkit_case(terminal_belongs_to_the_user),
		testkit_case(input_and_signals_come_from_the_master),
		testkit_case(hang_up_ends_the_program),
		testkit_case(kept_descriptors_come_behind_the_terminal),
		testkit_case(image_without_devpts_is_refused),
		testkit_case(link_on_the_way_is_refused),
		testkit_case(devpts_of_the_host_is_refused),
		testkit_case(something_mounted_on_ptmx_is_refused),
		testkit_case(console_that_is_not_a_plain_file_is_refused),
		testkit_case(console_is_for_a_tmpfs_of_the_plan_only),
		testkit_case(size_that_no_terminal_has_is_refused),
		testkit_case(error_behind_the_terminal_is_told),
	};
	int r = boxkit_setup();

	if (r)
		return r;
	r = testkit_run(tests);
	boxkit_done();
	return r;
}
