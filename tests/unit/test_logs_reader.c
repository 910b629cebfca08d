/* SPDX-License-Identifier: Apache-2.0 */
/* The log reader: what comes out of files, whoever wrote them, and while they are written. */
#include "base/buf.h"
#include "base/fd.h"
#include "logkit.h"
#include "logs/reader.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct err err;

/* What the sink got, by stream and in all. */
struct got {
	struct buf all, stream[LOG_STREAM_N];
	struct log_read_result result;
};

static int take(void *arg, enum log_stream stream, const char *data, size_t len)
{
	struct got *g = arg;

	(void) buf_add(&g->all, data, len);
	(void) buf_add(&g->stream[stream], data, len);
	return 0;
}

static void got_done(struct got *g)
{
	buf_done(&g->all);
	buf_done(&g->stream[0]);
	buf_done(&g->stream[1]);
}

#define GOT_INIT                                                                                   \
	{                                                                                          \
		BUF_INIT(256 << 20),                                                               \
		{                                                                                  \
			BUF_INIT(256 << 20), BUF_INIT(256 << 20)                                   \
		}                                                                                  \
	}

static void read_log(const struct log_read_options *o, struct got *g)
{
	const struct log_sink sink = { take, g };

	if (log_read(logkit_dir(), o, &sink, &g->result, &err) < 0)
		fail_msg("%s", err.text);
}

static void assert_reads(const struct log_read_options *o, const char *want, uint64_t damaged)
{
	_cleanup_(got_done) struct got g = GOT_INIT;

	read_log(o, &g);
	assert_string_equal(buf_str(&g.all), want);
	assert_int_equal(g.result.damaged, damaged);
}

static void put_text(const char *name, const char *text)
{
	logkit_put(name, text, strlen(text));
}

#define AT(s)             ",\"time\":\"2026-01-31T12:00:0" #s "Z\"}\n"
#define LINE(text, s)     "{\"log\":\"" text "\",\"stream\":\"stdout\"" AT(s)
#define LINE_ERR(text, s) "{\"log\":\"" text "\",\"stream\":\"stderr\"" AT(s)
#define SECOND_OF(s)      ((1769860800LL + (s)) * 1000000000LL)

static void hostile_bytes_come_back(void **state)
{
	_cleanup_(got_done) struct got g = GOT_INIT;
	_buf_done_ struct buf out = BUF_INIT(8 << 20), errors = BUF_INIT(8 << 20);
	struct log_read_options o = LOG_READ_ALL;
	struct log_config c = logkit_config();
	struct log_writer *w;
	uint32_t seed = 7;

	c.max_size = 50000;
	c.max_files = LOG_FILES_MAX;
	w = logkit_open(&c);
	for (int i = 0; i < 2000; i++) {
		char chunk[2000];
		size_t len = 0;

		seed = seed * 1664525 + 1013904223;
		for (size_t n = (seed >> 20) % sizeof(chunk); len < n;) {
			static const char *const bits[] = { "\"", "\\", "\n", "\r\t", "\xc3\xa4",
				"\xe2\x80\xa8", "\xf0\x9f\x98\x80", "\x01\x1b[31m", "<&>", "u0041",
				"{\"log\":", "x", "yyyyyyyyyyyy", "\x7f", "\xef\xbf\xbd", "/" };
			const char *bit = bits[seed >> 28];

			seed = seed * 1664525 + 1013904223;
			if (len + strlen(bit) > n)
				break;
			memcpy(chunk + len, bit, strlen(bit));
			len += strlen(bit);
		}
		if (seed & 0x100 && len < sizeof(chunk))
			chunk[len++] = '\0';
		(void) buf_add(seed & 1 ? &errors : &out, chunk, len);
		log_writer_write(w, seed & 1 ? LOG_STDERR : LOG_STDOUT, chunk, len);
	}
	logkit_close();
	read_log(&o, &g);
	assert_int_equal(g.result.damaged, 0);
	assert_int_equal(g.stream[0].len, out.len);
	assert_memory_equal(g.stream[0].data, out.data, out.len);
	assert_int_equal(g.stream[1].len, errors.len);
	assert_memory_equal(g.stream[1].data, errors.data, errors.len);
	logkit_close();
}

static void lines_of_other_writers_are_read(void **state)
{
	struct log_read_options o = LOG_READ_ALL;

	put_text("log",
	        " { \"time\" : \"2026-01-31T12:00:00Z\" ,\t\"stream\":\"stdout\", \"log\": \"a\\n\" }\r\n"
	        "{\"stream\":\"stderr\",\"x\":{\"y\":[1,-2.5e3,true,null,\"]\"]},\"z\":[],\"log\":\"b\\n\""
	        ",\"time\":\"2026-01-31T13:00:00+01:00\"}\n"
	        "{\"stream\":\"stdout\",\"time\":\"2026-01-31T12:00:00Z\"}\n"
	        "{\"log\":\"\\ud83d\\ude00\\u20ac\\u00e4\\u0000\\/\\b\\f\\t\\\"\\\\\\n\",\"stream\":\"stdout\",\"time\":"
	        "\"2026-01-31T12:00:00Z\"}\n"
	        "{\"log\":\"\\ud83d|\\ude00|\\ud83d\\u0041\\n\",\"stream\":\"stdout\",\"attrs\":null,\"time\":"
	        "\"2026-01-31T12:00:00Z\"}\n");
	{
		_cleanup_(got_done) struct got g = GOT_INIT;
		static const char want[] =
		        "a\nb\n\xf0\x9f\x98\x80\xe2\x82\xac\xc3\xa4\0/\b\f\t\"\\\n"
		        "\xef\xbf\xbd|\xef\xbf\xbd|\xef\xbf\xbd"
		        "A\n";

		read_log(&o, &g);
		assert_int_equal(g.result.lines, 5);
		assert_int_equal(g.result.damaged, 0);
		assert_int_equal(g.all.len, sizeof(want) - 1);
		assert_memory_equal(g.all.data, want, sizeof(want) - 1);
		assert_string_equal(buf_str(&g.stream[1]), "b\n");
	}
	logkit_close();
}

static void damaged_lines_are_skipped_and_counted(void **state)
{
	static const char *const bad[] = { "", "x", "{}", "[]", "{\"log\":\"x\\n\"}",
		"\xff\xfe\x01",
		"{\"log\":\"x\",\"stream\":\"stdin\",\"time\":\"2026-01-31T12:00:00Z\"}",
		"{\"log\":\"x\",\"stream\":\"stdout\",\"time\":\"yesterday\"}",
		"{\"log\":\"x\\q\",\"stream\":\"stdout\",\"time\":\"2026-01-31T12:00:00Z\"}",
		"{\"log\":\"x\\u12g4\",\"stream\":\"stdout\",\"time\":\"2026-01-31T12:00:00Z\"}",
		"{\"log\":1,\"stream\":\"stdout\",\"time\":\"2026-01-31T12:00:00Z\"}",
		"{\"log\":\"x\",\"stream\":\"stdout\",\"time\":\"2026-01-31T12:00:00Z\"} y",
		"{\"log\":\"x\",\"stream\":\"stdout\",\"time\":\"2026-01-31T12:00:00Z\",}",
		"{\"log\":\"x\",\"stream\":\"stdout\",\"time\":\"2026-01-31T12:00:00Z\"",
		("{\"log\":\"x\",\"stream\":\"stdout\",\"a\":"
		 "[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]],\"time\":\"2026-01-31T12:00:00Z\"}"),
		"{\"log\":\"x\\", "{\"log\":\"x\\\"", "{\"log\":\"x\\u00" };
	struct log_read_options o = LOG_READ_ALL;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_buf_done_ struct buf b = BUF_INIT(1 << 20);

		(void) buf_addf(&b, "%s%s\n%s", LINE("a\\n", 0), bad[i], LINE("b\\n", 1));
		put_text("log", buf_str(&b));
		assert_reads(&o, "a\nb\n", 1);
	}
	put_text("log", LINE("a\\n", 0) "{\"log\":\"half");
	assert_reads(&o, "a\n", 1);
	put_text("log.1", LINE("0\\n", 0) "{\"log\":\"half");
	put_text("log",
	        LINE("a\\n",
	                0) "{\"log\":\"b\",\"stream\":\"stdout\",\"time\":\"2026-01-31T12:00:00Z\"}");
	assert_reads(&o, "0\na\nb", 1); /* the last one lacks nothing but its newline */
	logkit_close();
}

static void a_line_beyond_the_bound_is_skipped(void **state)
{
	_buf_done_ struct buf b = BUF_INIT(8 << 20);
	struct log_read_options o = LOG_READ_ALL;

	(void) buf_adds(&b, LINE("a\\n", 0) "{\"log\":\"");
	while (b.len < 3 << 20)
		(void) buf_adds(&b, "0123456789abcdef");
	(void) buf_adds(&b, "\"}\n" LINE("b\\n", 1));
	put_text("log", buf_str(&b));
	assert_reads(&o, "a\nb\n", 1);
	logkit_close();
}

static void no_log_is_an_error(void **state)
{
	struct log_read_options o = LOG_READ_ALL;
	_cleanup_(got_done) struct got g = GOT_INIT;
	const struct log_sink sink = { take, &g };

	assert_int_equal(log_read(logkit_dir(), &o, &sink, &g.result, &err), -ENOENT);
	assert_string_equal(err.text, "the container has no log");
	assert_int_equal(symlinkat("/etc/passwd", logkit_dir(), "log"), 0);
	assert_int_equal(log_read(logkit_dir(), &o, &sink, &g.result, &err), -ENOENT);
	put_text("log.1", LINE("1\\n", 0));
	assert_int_equal(unlinkat(logkit_dir(), "log", 0), 0);
	assert_reads(&o, "1\n", 0); /* a crash between two renames */
	logkit_close();
}

/* Ten lines in each of three files, and one name that is no log. */
static void thirty_lines(void)
{
	int n = 0;

	for (int f = 2; f >= 0; f--) {
		_buf_done_ struct buf b = BUF_INIT(1 << 20);
		char name[16];

		for (int i = 0; i < 10; i++, n++)
			(void) buf_addf(&b,
			        "{\"log\":\"%02d\\n\",\"stream\":\"%s\",\"time\":\"2026-01-31T12:00:%02dZ\"}\n",
			        n, n % 2 ? "stderr" : "stdout", n);
		(void) snprintf(name, sizeof(name), f ? "log.%d" : "log", f);
		logkit_put(name, b.data, b.len);
	}
	put_text("log.02", "nonsense\n");
	put_text("log.x", "nonsense\n");
}

static void expect_numbers(struct log_read_options *o, int from, int to)
{
	_buf_done_ struct buf b = BUF_INIT(1 << 20);

	for (int i = from; i < to; i++)
		(void) buf_addf(&b, "%02d\n", i);
	assert_reads(o, buf_str(&b), 0);
}

static void tail_counts_across_files(void **state)
{
	thirty_lines();
	for (uint64_t tail = 0; tail <= 31; tail++) {
		struct log_read_options o = LOG_READ_ALL;

		o.tail = tail;
		expect_numbers(&o, 30 - (int) MIN(tail, (uint64_t) 30), 30);
	}
	logkit_close();
}

static void tail_reads_large_files_from_their_end(void **state)
{
	_buf_done_ struct buf b = BUF_INIT(64 << 20);
	struct log_read_options o = LOG_READ_ALL;
	char last[64] = "";

	for (int i = 0; b.len < 3 << 20; i++) {
		(void) buf_addf(
		        &b, "%s%07d\\n%s", "{\"log\":\"", i, "\",\"stream\":\"stdout\"" AT(0));
		(void) snprintf(last, sizeof(last), "%07d\n%07d\n", i - 1, i);
	}
	logkit_put("log", b.data, b.len);
	o.tail = 2;
	assert_reads(&o, last, 0);
	for (o.tail = 2000; o.tail < 12000; o.tail += 999) { /* around the blocks of the search */
		_cleanup_(got_done) struct got g = GOT_INIT;

		read_log(&o, &g);
		assert_int_equal(g.result.lines, o.tail);
	}
	logkit_close();
}

static void since_and_until_choose_by_time(void **state)
{
	struct log_read_options o = LOG_READ_ALL;

	thirty_lines();
	o.since = SECOND_OF(7);
	expect_numbers(&o, 7, 30);
	o.until = SECOND_OF(20);
	expect_numbers(&o, 7, 21);
	o.since = LOG_SINCE_BEGIN;
	o.until = SECOND_OF(3) + 1;
	expect_numbers(&o, 0, 4);
	o.tail = 5; /* counts before the times do */
	assert_reads(&o, "", 0);
	o.until = LOG_UNTIL_END;
	o.since = SECOND_OF(28);
	expect_numbers(&o, 28, 30);
	logkit_close();
}

static void prefixes_stand_at_the_beginning_of_lines(void **state)
{
	struct log_read_options o = LOG_READ_ALL;

	put_text("log", LINE("a", 1) LINE_ERR("x\\n", 2) LINE("b\\n", 1) LINE("c\\n", 3));
	o.timestamps = true;
	assert_reads(&o,
	        "2026-01-31T12:00:01.000000000Z a"
	        "2026-01-31T12:00:02.000000000Z x\n"
	        "b\n"
	        "2026-01-31T12:00:03.000000000Z c\n",
	        0);
	put_text("log",
	        "{\"log\":\"m\\n\",\"stream\":\"stdout\",\"attrs\":{\"z\":\"1 2\",\"a\":\"x=\\u00e4\",\"n\":1}" AT(
	                1) LINE("p\\n", 2));
	o.details = true;
	assert_reads(&o,
	        "2026-01-31T12:00:01.000000000Z a=x%3D%C3%A4,n=,z=1+2 m\n"
	        "2026-01-31T12:00:02.000000000Z  p\n",
	        0);
	o.timestamps = false;
	assert_reads(&o, "a=x%3D%C3%A4,n=,z=1+2 m\n p\n", 0);
	logkit_close();
}

static int refuse(void *arg, enum log_stream stream, const char *data, size_t len)
{
	return -EPIPE;
}

static void a_sink_that_refuses_ends_the_reading(void **state)
{
	struct log_read_options o = LOG_READ_ALL;
	const struct log_sink sink = { refuse, NULL };
	struct log_read_result result;

	thirty_lines();
	assert_int_equal(log_read(logkit_dir(), &o, &sink, &result, &err), -EPIPE);
	o.follow = true;
	assert_int_equal(log_read(logkit_dir(), &o, &sink, &result, &err), -EPIPE);
	logkit_close();
}

static void streams_go_to_their_descriptors(void **state)
{
	struct log_read_options o = LOG_READ_ALL;
	struct log_read_result result;
	int fds[2], other[2];
	struct log_sink sink = { log_sink_fds, fds };
	char text[256];
	ssize_t n;

	assert_int_equal(pipe2(other, O_CLOEXEC), 0);
	fds[LOG_STDOUT] = -1;
	fds[LOG_STDERR] = other[1];
	put_text("log", LINE("out\\n", 0) LINE_ERR("err\\n", 1) LINE("out\\n", 2));
	assert_int_equal(log_read(logkit_dir(), &o, &sink, &result, &err), 0);
	assert_int_equal(result.lines, 3);
	n = read(other[0], text, sizeof(text));
	assert_int_equal(n, 4);
	assert_memory_equal(text, "err\n", 4);
	(void) close(other[0]);
	(void) close(other[1]);
	logkit_close();
}

/* --- following --- */

/* A reader in a process of its own, whose output goes into a pipe. */
struct follower {
	pid_t pid;
	int out, ended;
};

static struct follower follow(uint64_t tail)
{
	struct log_read_options o = LOG_READ_ALL;
	int out[2], ended[2], dir = logkit_dir();
	pid_t pid;

	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	assert_int_equal(pipe2(ended, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		int fds[2] = { out[1], out[1] };
		const struct log_sink sink = { log_sink_fds, fds };
		struct log_read_result result;

		(void) close(ended[1]);
		o.follow = true;
		o.tail = tail;
		o.ended_fd = ended[0];
		if (log_read(dir, &o, &sink, &result, &err) < 0)
			_exit(98);
		_exit(result.damaged ? 97 : 0);
	}
	(void) close(out[1]);
	(void) close(ended[0]);
	return (struct follower){ pid, out[0], ended[1] };
}

/* Reads until the text is whole or ten seconds have passed. */
static void expect_output(const struct follower *f, const char *text)
{
	struct pollfd p = { .fd = f->out, .events = POLLIN };
	char got[4096];
	size_t len = 0;

	while (len < strlen(text) && poll(&p, 1, 10000) > 0) {
		ssize_t n = read(f->out, got + len, sizeof(got) - 1 - len);

		if (n <= 0)
			break;
		len += (size_t) n;
	}
	got[len] = '\0';
	assert_string_equal(got, text);
}

static void end_follower(struct follower *f, int status)
{
	int got;

	f->ended = fd_close(f->ended);
	assert_int_equal(waitpid(f->pid, &got, 0), f->pid);
	assert_int_equal(got, status << 8);
	f->out = fd_close(f->out);
}

static void follow_shows_lines_as_they_come(void **state)
{
	struct log_config c = logkit_config();
	struct follower f;

	logkit_open(&c);
	logkit_write(LOG_STDOUT, "one\ntwo\n");
	f = follow(1);
	expect_output(&f, "two\n");
	logkit_write(LOG_STDERR, "three\n");
	expect_output(&f, "three\n");
	logkit_write(LOG_STDOUT, "last");
	logkit_close();
	(void) logkit_dir();
	expect_output(&f, "last");
	end_follower(&f, 0);
	logkit_close();
}

static void follow_reads_on_after_the_end(void **state)
{
	struct log_config c = logkit_config();
	struct follower f;

	logkit_open(&c);
	f = follow(LOG_TAIL_ALL);
	logkit_write(LOG_STDOUT, "written just before the end\n");
	f.ended = fd_close(f.ended);
	expect_output(&f, "written just before the end\n");
	end_follower(&f, 0);
	logkit_close();
}

/* Numbers its lines and rotates every few of them while somebody follows. */
static void follow_survives_rotation(void **state)
{
	struct log_config c = logkit_config();
	struct follower f;
	_buf_done_ struct buf got = BUF_INIT(64 << 20);
	int status, lines = 6000, next = 0;
	pid_t writer;

	c.max_size = 4000;
	c.max_files = LOG_FILES_MAX; /* so that a slow reader loses nothing */
	logkit_open(&c);
	f = follow(LOG_TAIL_ALL);
	writer = fork();
	if (writer == 0) {
		for (int i = 0; i < lines; i++) {
			char line[32];

			(void) snprintf(line, sizeof(line), "%d\n", i);
			logkit_write(LOG_STDOUT, line);
		}
		_exit(0);
	}
	(void) waitpid(writer, &status, 0);
	assert_int_equal(status, 0);
	f.ended = fd_close(f.ended);
	assert_int_equal(buf_read_fd(&got, f.out), 0);
	for (const char *p = buf_str(&got); *p; p = strchr(p, '\n') + 1)
		assert_int_equal(strtol(p, NULL, 10), next++);
	assert_int_equal(next, lines);
	end_follower(&f, 0);
	logkit_close();
}

static void follow_goes_on_when_the_only_file_begins_anew(void **state)
{
	struct log_config c = logkit_config();
	struct follower f;

	c.max_size = 100;
	logkit_open(&c);
	f = follow(LOG_TAIL_ALL);
	for (int i = 0; i < 20; i++) {
		char line[32];

		(void) snprintf(line, sizeof(line), "number %d\n", i);
		logkit_write(LOG_STDOUT, line);
		expect_output(&f, line);
	}
	end_follower(&f, 0);
	logkit_close();
}

static void follow_waits_for_the_rest_of_a_line(void **state)
{
	static const char half[] = "{\"log\":\"whole\\n\",\"str", rest[] = "eam\":\"stdout\"" AT(1);
	struct log_config c = logkit_config();
	struct follower f;
	int fd;

	logkit_open(&c);
	f = follow(LOG_TAIL_ALL);
	fd = openat(logkit_dir(), "log", O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_int_equal(fd_write_all(fd, "{\"log\":\"taken back", 18), 0);
	(void) usleep(100000);
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(fd_write_all(fd, half, strlen(half)), 0);
	(void) usleep(100000);
	assert_int_equal(fd_write_all(fd, rest, strlen(rest)), 0);
	expect_output(&f, "whole\n");
	(void) close(fd);
	end_follower(&f, 0);
	logkit_close();
}

/* A log that grows all the time is read up to where it was. */
static void reading_without_follow_ends(void **state)
{
	struct log_config c = logkit_config();
	pid_t writer;

	c.max_size = 100000;
	c.max_files = 5;
	logkit_open(&c);
	logkit_write(LOG_STDOUT, "first\n");
	writer = fork();
	if (writer == 0)
		for (;;)
			logkit_write(LOG_STDOUT, "more and more and more\n");
	for (int i = 0; i < 60; i++) {
		_cleanup_(got_done) struct got g = GOT_INIT;
		struct log_read_options o = LOG_READ_ALL;

		read_log(&o, &g);
		assert_int_equal(g.result.damaged, 0);
		assert_true(g.result.lines > 0);
	}
	(void) kill(writer, SIGKILL);
	(void) waitpid(writer, NULL, 0);
	logkit_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testkit_case(hostile_bytes_come_back),
		testkit_case(lines_of_other_writers_are_read),
		testkit_case(damaged_lines_are_skipped_and_counted),
		testkit_case(a_line_beyond_the_bound_is_skipped),
		testkit_case(no_log_is_an_error),
		testkit_case(tail_counts_across_files),
		testkit_case(tail_reads_large_files_from_their_end),
		testkit_case(since_and_until_choose_by_time),
		testkit_case(prefixes_stand_at_the_beginning_of_lines),
		testkit_case(a_sink_that_refuses_ends_the_reading),
		testkit_case(streams_go_to_their_descriptors),
		testkit_case(follow_shows_lines_as_they_come),
		testkit_case(follow_reads_on_after_the_end),
		testkit_case(follow_survives_rotation),
		testkit_case(follow_goes_on_when_the_only_file_begins_anew),
		testkit_case(follow_waits_for_the_rest_of_a_line),
		testkit_case(reading_without_follow_ends),
	};

	return testkit_run(tests);
}
