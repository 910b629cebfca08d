/* SPDX-License-Identifier: Apache-2.0 */
#include "testkit.h"

#include "base/fd.h"
#include "base/str.h"
#include "proc/proc.h"
#include "shim/message.h"
#include "shim/record.h"
#include "shim/settings.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct record full = {
	.state = RECORD_RUNNING,
	.pid = 4711,
	.shim_pid = 4710,
	.started = INT64_C(1764054000123456789),
	.finished = INT64_C(1764053000000000001),
	.exit_code = 137,
	.oom_killed = true,
	.restarts = 4000000000u,
	.health = RECORD_HEALTH_UNHEALTHY,
	.failing = 3,
	.boot_id = "01234567-89ab-cdef-0123-456789abcdef",
	.error = "cannot start 'x': no such file",
};

static int scratch(void)
{
	int fd = open(testkit_scratch(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

/* --- record ----------------------------------------------------------------------------------- */

static void a_record_comes_back_as_it_was(void **state)
{
	char text[RECORD_SIZE];
	struct record r;

	record_encode(&full, text);
	assert_int_equal(record_decode(text, sizeof(text), &r), 0);
	assert_int_equal(r.state, full.state);
	assert_int_equal(r.pid, full.pid);
	assert_int_equal(r.shim_pid, full.shim_pid);
	assert_true(r.started == full.started && r.finished == full.finished);
	assert_int_equal(r.exit_code, 137);
	assert_true(r.oom_killed);
	assert_true(r.restarts == full.restarts);
	assert_int_equal(r.health, RECORD_HEALTH_UNHEALTHY);
	assert_int_equal(r.failing, 3);
	assert_string_equal(r.boot_id, full.boot_id);
	assert_string_equal(r.error, full.error);
}

static void hostile_errors_stay_one_line(void **state)
{
	struct record r = full, back;
	char text[RECORD_SIZE];

	(void) snprintf(r.error, sizeof(r.error), "a\nstate exited\n\x1b[31mred\xff");
	record_encode(&r, text);
	assert_int_equal(record_decode(text, sizeof(text), &back), 0);
	assert_int_equal(back.state, RECORD_RUNNING);
	assert_string_equal(back.error, "a?state exited??[31mred?");
	memset(r.error, 'x', sizeof(r.error) - 1);
	record_encode(&r, text);
	assert_int_equal(record_decode(text, sizeof(text), &back), 0);
}

static void every_damaged_byte_of_a_record_is_seen(void **state)
{
	char text[RECORD_SIZE];
	struct record r;
	size_t used;

	record_encode(&full, text);
	used = (size_t) ((char *) memmem(text, sizeof(text), "\nsum ", 5) - text) + 13;
	for (size_t i = 0; i < used; i++) {
		text[i] ^= 1;
		assert_int_equal(record_decode(text, sizeof(text), &r), -EBADMSG);
		text[i] ^= 1;
	}
	assert_int_equal(record_decode(text, sizeof(text) - 1, &r), -EBADMSG);
	memset(text, 0, sizeof(text));
	assert_int_equal(record_decode(text, sizeof(text), &r), -EBADMSG);
}

/* Runs f in a child with the folder; its result is the exit code. */
static int in_child(int (*f)(int dir), int dir)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(f(dir));
	assert_true(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int sees_it_locked(int dir)
{
	struct record r;
	bool alive = false;

	return !(record_lock(dir, 0, &r) == -EWOULDBLOCK && record_read(dir, &r, &alive) == 0 &&
	         alive && record_owner(dir) == getppid());
}

static int sees_it_free(int dir)
{
	struct record r;
	bool alive = true;
	int fd = record_read(dir, &r, &alive) < 0 || alive ? -1 : record_lock(dir, 0, &r);

	return !(fd >= 0 && r.state == RECORD_EXITED && r.exit_code == 3);
}

static void the_lock_proves_who_owns_a_record(void **state)
{
	_close_ int dir = scratch(), fd = record_make(dir, &full);
	struct record r = full;

	assert_true(fd >= 0);
	assert_int_equal(record_make(dir, &full), -EEXIST);
	assert_int_equal(in_child(sees_it_locked, dir), 0);
	r.state = RECORD_EXITED;
	r.exit_code = 3;
	assert_int_equal(record_write(fd, &r), 0);
	fd = fd_close(fd);
	assert_int_equal(in_child(sees_it_free, dir), 0);
}

static int keep_and_wait(int dir)
{
	struct record r;

	if (record_lock(dir, 0, &r) < 0)
		return 1;
	for (;;)
		(void) pause();
}

static void the_lock_ends_with_its_owner_however_it_ends(void **state)
{
	_close_ int dir = scratch(), fd = record_make(dir, &full);
	struct record r;
	bool alive = false;
	pid_t pid;

	fd = fd_close(fd);
	pid = fork();
	if (pid == 0)
		_exit(keep_and_wait(dir));
	for (int i = 0; i < 1000 && !alive; i++) {
		assert_int_equal(record_read(dir, &r, &alive), 0);
		(void) usleep(1000);
	}
	assert_true(alive);
	(void) kill(pid, SIGKILL);
	assert_true(waitpid(pid, NULL, 0) == pid);
	assert_int_equal(record_read(dir, &r, &alive), 0);
	assert_false(alive);
}

static void a_damaged_record_can_be_taken_and_mended(void **state)
{
	_close_ int dir = scratch(), fd = record_make(dir, &full);
	struct record r;

	assert_int_equal(ftruncate(fd, 100), 0);
	fd = fd_close(fd);
	assert_int_equal(record_read(dir, &r, NULL), -EBADMSG);
	fd = record_lock(dir, 0, &r);
	assert_true(fd >= 0);
	assert_int_equal(r.state, RECORD_EXITED);
	assert_int_equal(r.exit_code, 255);
	assert_int_equal(record_write(fd, &r), 0);
	assert_int_equal(record_read_at(dir, RECORD_FILE, &r, NULL), 0);
}

/* --- settings --------------------------------------------------------------------------------- */

static const struct shim_settings told = {
	.id = "0123",
	.name = "a name",
	.terminal = true,
	.stdin_once = true,
	.restart = SETTINGS_RESTART_ALWAYS,
	.restart_max = 7,
	.reaper = "/usr/bin/bulkhead",
	.root = "/var/lib/bulkhead",
	.health = true,
	.health_interval = UINT64_C(30000000000),
	.health_retries = 3,
};

static void settings_come_back_as_they_were(void **state)
{
	_buf_done_ struct buf bytes = BUF_INIT(SETTINGS_SIZE_MAX);
	struct shim_settings s;
	struct err err;

	assert_int_equal(settings_encode(&told, &bytes, &err), 0);
	assert_int_equal(settings_decode(bytes.data, bytes.len, &s, &err), 0);
	assert_string_equal(s.name, "a name");
	assert_string_equal(s.root, "/var/lib/bulkhead");
	assert_true(s.terminal && s.stdin_once && s.health);
	assert_false(s.open_stdin || s.auto_remove);
	assert_int_equal(s.restart, SETTINGS_RESTART_ALWAYS);
	assert_int_equal(s.restart_max, 7);
	assert_true(s.health_interval == told.health_interval);
}

static void settings_of_another_version_or_cut_short_are_refused(void **state)
{
	_buf_done_ struct buf bytes = BUF_INIT(SETTINGS_SIZE_MAX);
	struct shim_settings s;
	struct err err;

	assert_int_equal(settings_encode(&told, &bytes, &err), 0);
	for (size_t len = 0; len < bytes.len; len++) {
		/* A cut between two pairs leaves fewer of them: nothing that could be seen. */
		int r = settings_decode(bytes.data, len, &s, &err);

		assert_true(r == 0 || r == -EBADMSG);
	}
	assert_int_equal(settings_decode(bytes.data, bytes.len - 1, &s, &err), -EBADMSG);
	bytes.data[18] = '9'; /* the version */
	assert_int_equal(settings_decode(bytes.data, bytes.len, &s, &err), -EBADMSG);
}

/* --- messages --------------------------------------------------------------------------------- */

static void pair(int fds[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
}

static void messages_carry_descriptors(void **state)
{
	const struct shim_message m = { .type = SHIM_ATTACH, .flags = 3, .a = -5, .d = 1 };
	_shim_packet_done_ struct shim_packet p = SHIM_PACKET_INIT;
	int s[2], pipe_fds[2];

	pair(s);
	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
	assert_int_equal(shim_send(s[0], &m, pipe_fds, 2), 0);
	assert_int_equal(shim_receive(s[1], &p), 1);
	assert_int_equal(p.m.type, SHIM_ATTACH);
	assert_int_equal(p.m.a, -5);
	assert_int_equal(p.n_fds, 2);
	assert_true(fd_same_file(p.fds[0], pipe_fds[0]));
	assert_true(fcntl(p.fds[1], F_GETFD) & FD_CLOEXEC);
	(void) close(pipe_fds[0]);
	(void) close(pipe_fds[1]);
	(void) close(s[0]);
	shim_packet_done(&p);
	assert_int_equal(shim_receive(s[1], &p), 0);
	(void) close(s[1]);
}

/* A newer sender's message is longer, an older one's shorter. */
static void messages_of_other_versions_are_understood(void **state)
{
	struct {
		struct shim_message m;
		char more[100];
	} longer = { .m = { .magic = SHIM_MAGIC, .protocol = 2, .type = SHIM_WAIT, .a = 9 } };
	_shim_packet_done_ struct shim_packet p = SHIM_PACKET_INIT;
	int s[2];

	pair(s);
	assert_true(send(s[0], &longer, sizeof(longer), 0) == sizeof(longer));
	assert_int_equal(shim_receive(s[1], &p), 1);
	assert_int_equal(p.m.type, SHIM_WAIT);
	assert_int_equal(p.m.a, 9);
	assert_true(send(s[0], &longer, 12, 0) == 12);
	assert_int_equal(shim_receive(s[1], &p), 1);
	assert_int_equal(p.m.type, SHIM_WAIT);
	assert_int_equal(p.m.a, 0);
	(void) close(s[0]);
	(void) close(s[1]);
}

static void what_is_no_message_is_refused_and_its_descriptors_closed(void **state)
{
	const struct shim_message m = { .type = SHIM_INFO };
	_shim_packet_done_ struct shim_packet p = SHIM_PACKET_INIT;
	char junk[64] = "hello", huge[8192] = "";
	const int many[SHIM_FDS_MAX] = { 0, 1, 2, 0, 1, 2 };
	int s[2];

	pair(s);
	assert_true(send(s[0], junk, sizeof(junk), 0) == sizeof(junk));
	assert_int_equal(shim_receive(s[1], &p), -EBADMSG);
	assert_true(send(s[0], junk, 1, 0) == 1);
	assert_int_equal(shim_receive(s[1], &p), -EBADMSG);
	memcpy(huge, &(struct shim_message){ .magic = SHIM_MAGIC }, sizeof(m));
	assert_true(send(s[0], huge, sizeof(huge), 0) == sizeof(huge));
	assert_int_equal(shim_receive(s[1], &p), -EBADMSG);
	assert_int_equal(shim_send(s[0], &m, many, SHIM_FDS_MAX + 1), -EINVAL);
	assert_int_equal(shim_send(s[0], &m, many, SHIM_FDS_MAX), 0);
	assert_int_equal(shim_receive(s[1], &p), 1);
	assert_int_equal(p.n_fds, SHIM_FDS_MAX);
	(void) close(s[0]);
	(void) close(s[1]);
}

static void texts_of_messages_are_cleaned(void **state)
{
	struct shim_message m = { .magic = SHIM_MAGIC, .type = SHIM_FAILED };
	_shim_packet_done_ struct shim_packet p = SHIM_PACKET_INIT;
	int s[2];

	pair(s);
	memset(m.text, 'x', sizeof(m.text));
	m.text[0] = '\x1b';
	assert_int_equal(shim_send(s[0], &m, NULL, 0), 0);
	assert_int_equal(shim_receive(s[1], &p), 1);
	assert_int_equal(strlen(p.m.text), SHIM_TEXT_MAX - 1);
	assert_int_equal(p.m.text[0], '?');
	(void) close(s[0]);
	(void) close(s[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testkit_case(a_record_comes_back_as_it_was),
		testkit_case(hostile_errors_stay_one_line),
		testkit_case(every_damaged_byte_of_a_record_is_seen),
		testkit_case(the_lock_proves_who_owns_a_record),
		testkit_case(the_lock_ends_with_its_owner_however_it_ends),
		testkit_case(a_damaged_record_can_be_taken_and_mended),
		testkit_case(settings_come_back_as_they_were),
		testkit_case(settings_of_another_version_or_cut_short_are_refused),
		testkit_case(messages_carry_descriptors),
		testkit_case(messages_of_other_versions_are_understood),
		testkit_case(what_is_no_message_is_refused_and_its_descriptors_closed),
		testkit_case(texts_of_messages_are_cleaned),
	};

	return testkit_run(tests);
}
