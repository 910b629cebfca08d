/* SPDX-License-Identifier: Apache-2.0 */
/* The log writer when it is killed, when calls fail, and when the disk is full: no whole line is
 * lost, each line of a file stays JSON, and what was dropped is told exactly. */
#include "base/buf.h"
#include "base/fd.h"
#include "base/str.h"
#include "logfault.h"
#include "logkit.h"
#include "logs/reader.h"
#include "logs/stamp.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

static struct err err;

static int take(void *arg, enum log_stream stream, const char *data, size_t len)
{
	return buf_add(arg, data, len);
}

/* All texts of the log; no line of it may be damaged. */
static void read_all(struct buf *out)
{
	struct log_read_options o = LOG_READ_ALL;
	const struct log_sink sink = { take, out };
	struct log_read_result result;

	if (log_read(logkit_dir(), &o, &sink, &result, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(result.damaged, 0);
}

static void empty_folder(void)
{
	char name[16];

	for (int i = 0; i < 10; i++) {
		(void) snprintf(name, sizeof(name), i ? "log.%d" : "log", i);
		(void) unlinkat(logkit_dir(), name, 0);
	}
}

/* --- killed at each call --- */

struct plan {
	uint64_t max_size;
	uint32_t max_files;
	int lines;
	size_t pad;
};

static void put_line(struct log_writer *w, int i, size_t pad)
{
	_buf_done_ struct buf line = BUF_INIT(1 << 20);

	(void) buf_addf(&line, "%03d ", i);
	while (line.len < pad)
		(void) buf_addc(&line, 'x');
	(void) buf_addc(&line, '\n');
	log_writer_write(w, LOG_STDOUT, line.data, line.len);
}

/* Writes numbered lines in a child that dies at a call; *written says how many lines were given to
 * a log_writer_write that returned. Returns whether the child lived to the end. */
static bool run_killed(const struct plan *plan, int kill_at, int torn_at, int *written)
{
	struct log_config c = logkit_config();
	pid_t pid;
	int status;

	c.max_size = plan->max_size;
	c.max_files = plan->max_files;
	*written = 0;
	(void) logkit_dir();
	pid = fork();
	if (pid == 0) {
		struct log_writer *w;

		logfault = (struct logfault){ .on = true, .kill_at = kill_at, .torn_at = torn_at };
		w = logkit_open(&c);
		for (int i = 0; i < plan->lines; i++) {
			put_line(w, i, plan->pad);
			*written = i + 1;
		}
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 77));
	return WEXITSTATUS(status) == 0;
}

/* Checks that the log is a run of numbers that ends with 'last' (or is one longer) and "end". */
static void check_numbers(const char *log, int last, int keep)
{
	int first = -1, next = 0;

	for (const char *p = log; *p && !str_has_prefix(p, "end"); p = strchr(p, '\n') + 1) {
		int n = (int) strtol(p, NULL, 10);

		if (first < 0)
			first = next = n; /* older ones were rotated away */
		assert_int_equal(n, next++);
	}
	/* with one file, all of it may be gone when the line that began it anew is not there yet */
	if (last > 0 && (keep > 0 || first >= 0)) {
		assert_true(next == last || next == last + 1);
		assert_true(first <= MAX(0, last - keep));
	}
	assert_true(str_has_suffix(log, "end\n"));
}

static void kill_at_each_call(const struct plan *plan, bool torn)
{
	int *written = mmap(
	        NULL, sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	/* what max-file promises to keep: all files but the one being written are full */
	int keep = (int) (plan->max_size / (plan->pad + 75)) * (int) (plan->max_files - 1);
	/* a call that is no write does not tear: then the child lives, and the next is tried */
	bool lived = false;

	for (int at = 1; torn ? at < 50 : !lived; at++) {
		_buf_done_ struct buf log = BUF_INIT(8 << 20);
		struct log_config c = logkit_config();
		int last;

		empty_folder();
		lived = run_killed(plan, torn ? 0 : at, torn ? at : 0, written);
		last = *written;
		c.max_size = plan->max_size;
		c.max_files = plan->max_files;
		logkit_reopen(&c);
		logkit_write(LOG_STDOUT, "end\n");
		read_all(&log);
		check_numbers(buf_str(&log), last, MIN(keep, last));
		logkit_close();
	}
	(void) munmap(written, sizeof(int));
	empty_folder();
	logkit_close();
}

static void a_kill_between_any_two_calls_loses_no_line(void **state)
{
	static const struct plan plans[] = {
		{ 300, 4, 30, 10 },
		{ 300, 2, 12, 10 },
		{ 300, 1, 12, 10 },
		{ 40000, 2, 8, 14000 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(plans); i++)
		kill_at_each_call(&plans[i], false);
}

static void a_kill_in_the_middle_of_a_write_loses_no_line(void **state)
{
	static const struct plan plans[] = { { 300, 3, 14, 10 }, { 40000, 2, 6, 14000 } };

	for (size_t i = 0; i < ARRAY_SIZE(plans); i++)
		kill_at_each_call(&plans[i], true);
}

/* --- torn ends --- */

#define WHOLE "{\"log\":\"a\\n\",\"stream\":\"stdout\",\"time\":\"2026-01-31T12:00:00Z\"}"

static void torn_ends_are_repaired(void **state)
{
	static const struct {
		const char *tail;
		size_t len;
		bool kept;
	} table[] = {
		{ "{\"lo", 4, false }, { WHOLE, sizeof(WHOLE) - 1, true },
		{ WHOLE, sizeof(WHOLE) - 2, false },
		{ "{\"log\":\"}\",\"attrs\":{\"time\":\"2026-01-31T12:00:00Z\"}", 50, false },
		{ "{\"log\":\"a\\\"}", 12, false }, { "\0\0\0\0\0\0\0\0", 8, false },
		{ "garbage", 7, false }, { WHOLE WHOLE, 2 * sizeof(WHOLE) - 2, false },
		{ "{}", 2, true }, /* not ours, but whole */
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		_buf_done_ struct buf before = BUF_INIT(4096), want = BUF_INIT(4096);
		struct log_config c = logkit_config();

		(void) buf_adds(&before, WHOLE "\n");
		(void) buf_add(&before, table[i].tail, table[i].len);
		(void) buf_adds(&want, WHOLE "\n");
		if (table[i].kept)
			(void) buf_addf(&want, "%s\n", table[i].tail);
		logkit_put("log", before.data, before.len);
		logkit_open(&c);
		logkit_close();
		logkit_assert_file("log", buf_str(&want));
		logkit_put("log", table[i].tail, table[i].len); /* and nothing before it */
		logkit_open(&c);
		logkit_close();
		logkit_assert_file("log", buf_str(&want) + (sizeof(WHOLE "\n") - 1));
	}
	logkit_close();
}

static void a_long_torn_end_is_cut_off(void **state)
{
	_buf_done_ struct buf b = BUF_INIT(8 << 20);
	struct log_config c = logkit_config();

	(void) buf_adds(&b, WHOLE "\n");
	while (b.len < 1 << 20) /* as a file system leaves it after a loss of power */
		(void) buf_add(&b, "\0\0\0\0\0\0\0\0", 8);
	logkit_put("log", b.data, b.len);
	logkit_open(&c);
	logkit_close();
	logkit_assert_file("log", WHOLE "\n");
	logkit_close();
}

/* --- calls that fail --- */

static void assert_log(const char *want)
{
	_buf_done_ struct buf log = BUF_INIT(1 << 20);

	read_all(&log);
	assert_string_equal(buf_str(&log), want);
}

static void a_failed_write_leaves_no_half_line(void **state)
{
	for (int taken = 0; taken < 230; taken += 23) {
		struct log_config c = logkit_config();
		struct log_writer *w = logkit_open(&c);

		logkit_write(LOG_STDOUT, "kept\n");
		logfault = (struct logfault){
			.on = true, .short_write = taken, .fail_errno[FAULT_WRITE] = ENOSPC
		};
		logkit_write(LOG_STDOUT, "lost one\nlost two\nlost three\n");
		assert_int_equal(log_writer_dropped(w), 29);
		assert_log("kept\n");
		logkit_write(LOG_STDERR, "lost too\n"); /* too early for another attempt */
		logfault.calls = 0;
		logkit_write(LOG_STDERR, "and this\n");
		assert_int_equal(logfault.calls, 0);
		logfault.on = false;
		logkit_mono += 200000000;
		logkit_write(LOG_STDOUT, "again\n");
		assert_log("kept\nbulkhead: 47 bytes of output were dropped: disk full\nagain\n");
		logkit_close();
		empty_folder();
	}
	logkit_close();
}

static void other_errors_are_told_as_such(void **state)
{
	struct log_config c = logkit_config();
	struct log_writer *w = logkit_open(&c);

	logfault = (struct logfault){ .on = true, .fail_errno[FAULT_WRITE] = EIO };
	logkit_write(LOG_STDOUT, "lost\n");
	assert_in_range(log_writer_tick(w), 50, 1001);
	logkit_mono += LOG_SECOND;
	assert_in_range(log_writer_tick(w), 50, 1001);
	logfault.on = false;
	logkit_mono += LOG_SECOND;
	assert_int_equal(log_writer_tick(w), -1);
	assert_log("bulkhead: 5 bytes of output were dropped: the log cannot be written\n");
	logkit_close();
	empty_folder();
	logkit_close();
}

/* A write that took half a line which then cannot be cut off: the next line closes it. */
static void half_a_line_that_stays_is_closed(void **state)
{
	struct log_config c = logkit_config();
	struct log_read_options o = LOG_READ_ALL;
	_buf_done_ struct buf log = BUF_INIT(1 << 20);
	const struct log_sink sink = { take, &log };
	struct log_read_result result;

	logkit_open(&c);
	logfault = (struct logfault){ .on = true,
		.short_write = 20,
		.fail_errno = { [FAULT_WRITE] = ENOSPC, [FAULT_TRUNCATE] = EIO } };
	logkit_write(LOG_STDOUT, "lost\n");
	logkit_mono += LOG_SECOND;
	logkit_write(LOG_STDOUT, "lost\n");
	logfault.on = false;
	logkit_mono += LOG_SECOND;
	logkit_write(LOG_STDOUT, "again\n");
	assert_int_equal(log_read(logkit_dir(), &o, &sink, &result, &err), 0);
	assert_int_equal(result.damaged, 1);
	assert_string_equal(
	        buf_str(&log), "bulkhead: 10 bytes of output were dropped: disk full\nagain\n");
	logkit_close();
	empty_folder();
	logkit_close();
}

/* Each kind of call of a rotation fails for a while: the size stays bounded and nothing that was
 * written is lost. */
static void a_failed_rotation_is_tried_again(void **state)
{
	static const enum logfault_call calls[] = { FAULT_RENAME, FAULT_OPEN };

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		struct log_config c = logkit_config();
		struct log_writer *w;

		c.max_size = 170;
		c.max_files = 4;
		w = logkit_open(&c);
		logkit_write(LOG_STDOUT, "1\n2\n3\n4\n");
		logfault = (struct logfault){ .on = true };
		logfault.fail_errno[calls[i]] = ENOSPC;
		for (int n = 0; n < 6; n++) {
			logkit_write(LOG_STDOUT, "lost\n");
			logkit_mono += 2 * LOG_SECOND;
		}
		assert_int_equal(log_writer_dropped(w), 30);
		assert_log("1\n2\n3\n4\n");
		logfault.on = false;
		logkit_mono += 2 * LOG_SECOND;
		logkit_write(LOG_STDOUT, "5\n");
		assert_log("1\n2\n3\n4\nbulkhead: 30 bytes of output were dropped: disk full\n5\n");
		logkit_close();
		empty_folder();
	}
	logkit_close();
}

/* --- a disk that is really full --- */

enum { DISK = 64 << 10 };

/* In a mount namespace of its own, with a small tmpfs on the scratch folder. */
static int on_small_disk(const char *folder)
{
	struct log_config c = logkit_config();
	_buf_done_ struct buf log = BUF_INIT(1 << 20);
	struct log_writer *w;
	uint64_t sent = 0, dropped;
	int filler;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	        mount("tmpfs", folder, "tmpfs", MS_NOSUID | MS_NODEV, "size=64k") < 0)
		return 77;
	c.max_size = 20000;
	c.max_files = 2;
	w = logkit_open(&c);
	filler = openat(logkit_dir(), "filler", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (filler < 0 || fallocate(filler, 0, 0, DISK - 3 * 4096) < 0)
		return 78;
	for (int i = 0; i < 1000; i++, logkit_mono += 10000000, sent += 100)
		put_line(w, i % 1000, 99);
	dropped = log_writer_dropped(w);
	if (dropped == 0 || dropped % 100 != 0)
		return 79;
	if (ftruncate(filler, 0) < 0 || close(filler) < 0)
		return 80;
	logkit_mono += 2 * LOG_SECOND;
	put_line(w, 999, 99);
	if (log_writer_dropped(w) != dropped)
		return 81;
	read_all(&log);
	if (!strstr(buf_str(&log), " bytes of output were dropped: disk full\n999 "))
		return 82;
	logkit_close();
	return 0;
}

static void a_full_disk_drops_whole_lines(void **state)
{
	const char *folder = testkit_scratch();
	pid_t pid;
	int status;

	if (geteuid() != 0)
		skip();
	pid = fork();
	if (pid == 0)
		_exit(on_small_disk(folder));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testkit_case(a_kill_between_any_two_calls_loses_no_line),
		testkit_case(a_kill_in_the_middle_of_a_write_loses_no_line),
		testkit_case(torn_ends_are_repaired),
		testkit_case(a_long_torn_end_is_cut_off),
		testkit_case(a_failed_write_leaves_no_half_line),
		testkit_case(other_errors_are_told_as_such),
		testkit_case(half_a_line_that_stays_is_closed),
		testkit_case(a_failed_rotation_is_tried_again),
		testkit_case(a_full_disk_drops_whole_lines),
	};

	return testkit_run(tests);
}
