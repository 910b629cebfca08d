/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log reader while the log is rotated under it, at each place where that can happen: the calls
 * by which it looks at files are our own here, and at the n-th of them the writer writes and
 * rotates.
 */
#include "base/buf.h"
#include "base/fd.h"
#include "logkit.h"
#include "logs/reader.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct {
	int calls, at, every; /* the writer works at call 'at', or at each 'every' calls */
	int lines, written, max;
	int polls;    /* the container ends at the third, when all is written */
	int ended[2]; /* readable side, and the one that is closed then */
	bool busy, reading;
} race;

static void write_lines(int n)
{
	for (int i = 0; i < n && race.written < race.max; i++) {
		char line[32];

		(void) snprintf(line, sizeof(line), "%d\n", race.written++);
		logkit_write(LOG_STDOUT, line);
	}
}

static void step(void)
{
	if (!race.reading || race.busy || race.ended[1] < 0)
		return;
	race.busy = true;
	race.calls++;
	if (race.calls == race.at || (race.every && race.calls % race.every == 0))
		write_lines(race.lines);
	race.busy = false;
}

/* Each call gives the writer its chance before it looks and after. */

ssize_t pread(int fd, void *data, size_t len, off_t at)
{
	ssize_t n;

	step();
	n = syscall(SYS_pread64, fd, data, len, at);
	step();
	return n;
}

int fstatat(int dir, const char *restrict name, struct stat *restrict st, int flags)
{
	int r;

	step();
	r = (int) syscall(SYS_newfstatat, dir, name, st, flags);
	step();
	return r;
}

int fstat(int fd, struct stat *st)
{
	step();
	return (int) syscall(SYS_newfstatat, fd, "", st, AT_EMPTY_PATH);
}

int poll(struct pollfd *fds, nfds_t n, int timeout)
{
	if (race.reading && ++race.polls >= 3) {
		if (race.every && race.written < race.max)
			step();
		else
			race.ended[1] = fd_close(race.ended[1]);
	}
	return (int) syscall(SYS_poll, fds, n, race.reading ? 0 : timeout);
}

static void begin(struct log_config *c, uint32_t max_files)
{
	*c = logkit_config();
	c->max_size = 160; /* two lines */
	c->max_files = max_files;
	logkit_open(c);
	race.calls = race.polls = race.at = race.every = race.written = 0;
	race.max = 1000;
	assert_int_equal(pipe2(race.ended, O_CLOEXEC), 0);
}

static void end(void)
{
	char name[16] = "log";

	race.ended[0] = fd_close(race.ended[0]);
	race.ended[1] = fd_close(race.ended[1]);
	for (int i = 1; unlinkat(logkit_dir(), name, 0) == 0 || i < 4; i++)
		(void) snprintf(name, sizeof(name), "log.%d", i);
	logkit_close();
}

static int take(void *arg, enum log_stream stream, const char *data, size_t len)
{
	return buf_add(arg, data, len);
}

/* Reads the log, the writer working meanwhile; checks that the numbers are a run from 'first' at
 * the latest to all that were written by the end (follow) or at the beginning, at least. */
static void read_and_check(struct log_read_options *o, int first)
{
	_buf_done_ struct buf out = BUF_INIT(1 << 20);
	const struct log_sink sink = { take, &out };
	struct log_read_result result;
	int written = race.written, next = -1;
	struct err err;

	race.reading = true;
	if (log_read(logkit_dir(), o, &sink, &result, &err) < 0)
		fail_msg("%s", err.text);
	race.reading = false;
	assert_int_equal(result.damaged, 0);
	for (const char *p = buf_str(&out); *p; p = strchr(p, '\n') + 1) {
		int n = (int) strtol(p, NULL, 10);

		if (next < 0 && n > first)
			fail_msg("begins with %d, not %d", n, first);
		if (next >= 0 && n != next)
			fail_msg("%d where %d should be", n, next);
		next = n + 1;
	}
	if (next < (o->follow ? race.written : written))
		fail_msg("ends with %d, not %d", next - 1, race.written - 1);
}

static void with_the_writer_at_each_call(uint32_t max_files, bool follow, uint64_t tail, int first)
{
	bool more = true;

	for (int at = 1; more; at++) {
		struct log_read_options o = LOG_READ_ALL;
		struct log_config c;

		begin(&c, max_files);
		write_lines(7);
		race.at = at;
		race.lines = 3;
		o.follow = follow;
		o.tail = tail;
		o.ended_fd = race.ended[0];
		read_and_check(&o, first);
		more = race.written > 7;
		assert_true(more || at > 20);
		end();
	}
}

static void reading_is_whole_wherever_the_log_is_rotated(void **state)
{
	with_the_writer_at_each_call(20, false, LOG_TAIL_ALL, 0);
}

static void following_is_whole_wherever_the_log_is_rotated(void **state)
{
	with_the_writer_at_each_call(20, true, LOG_TAIL_ALL, 0);
}

static void a_tail_is_whole_wherever_the_log_is_rotated(void **state)
{
	/* what was written before the reader's first look may shift the tail */
	with_the_writer_at_each_call(20, false, 5, 5);
	with_the_writer_at_each_call(20, true, 3, 7);
}

/* Files go away while they are read: a run is read all the same, and to its end. */
static void removed_files_leave_no_hole_behind(void **state)
{
	with_the_writer_at_each_call(2, true, LOG_TAIL_ALL, 8);
}

static void a_writer_that_never_rests_is_followed(void **state)
{
	for (int every = 5; every < 40; every++) {
		struct log_read_options o = LOG_READ_ALL;
		struct log_config c;

		begin(&c, LOG_FILES_MAX);
		race.max = 60;
		race.lines = 1;
		write_lines(3);
		race.every = every;
		o.follow = true;
		o.ended_fd = race.ended[0];
		read_and_check(&o, 0);
		assert_int_equal(race.written, 60);
		end();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testkit_case(reading_is_whole_wherever_the_log_is_rotated),
		testkit_case(following_is_whole_wherever_the_log_is_rotated),
		testkit_case(a_tail_is_whole_wherever_the_log_is_rotated),
		testkit_case(removed_files_leave_no_hole_behind),
		testkit_case(a_writer_that_never_rests_is_followed),
	};

	return testkit_run(tests);
}
