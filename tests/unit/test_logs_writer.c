/* SPDX-License-Identifier: Apache-2.0 */
/* The log writer: what its lines are, byte for byte. */
#include "base/buf.h"
#include "base/fd.h"
#include "logkit.h"
#include "logs/escape.h"
#include "logs/stamp.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define T(n)         ",\"time\":\"2026-01-31T12:00:00.12345678" #n "Z\"}\n"
#define OUT(text, n) "{\"log\":\"" text "\",\"stream\":\"stdout\"" T(n)
#define ERR(text, n) "{\"log\":\"" text "\",\"stream\":\"stderr\"" T(n)

static void lines_are_dockers_byte_for_byte(void **state)
{
	struct log_config c = logkit_config();

	logkit_open(&c);
	logkit_write(LOG_STDOUT, "hello\n");
	logkit_write(LOG_STDERR, "\n");
	logkit_real -= 1;
	logkit_write(LOG_STDOUT, "a\nb");
	logkit_assert_file("log", OUT("hello\\n", 9) ERR("\\n", 9) OUT("a\\n", 8));
	logkit_write(LOG_STDERR, "bad\n"); /* b waits, and is not mixed with the other stream */
	logkit_write(LOG_STDOUT, "c\nd");
	logkit_assert_file("log",
	        OUT("hello\\n", 9) ERR("\\n", 9) OUT("a\\n", 8) ERR("bad\\n", 8) OUT("bc\\n", 8));
	logkit_close();
	logkit_assert_file("log", OUT("hello\\n", 9) ERR("\\n", 9) OUT("a\\n", 8) ERR("bad\\n", 8)
	                                  OUT("bc\\n", 8) OUT("d", 8));
	logkit_close();
}

static void escapes_are_those_of_docker(void **state)
{
	static const struct {
		const char *in;
		size_t len;
		const char *out;
	} table[] = {
		{ "plain ~", 7, "plain ~" },
		{ "\t\b\f\r\x1b\0\x1f", 7, "\\u0009\\u0008\\u000c\\r\\u001b\\u0000\\u001f" },
		{ "\"\\/", 3, "\\\"\\\\/" },
		{ "<a&b>", 5, "\\u003ca\\u0026b\\u003e" },
		{ "\x7f", 1, "\x7f" },
		{ "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 9,
		        "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80" },
		{ "\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa", 12,
		        "\xe2\x80\xa7\\u2028\\u2029\xe2\x80\xaa" },
		{ "\xff", 1, "\\ufffd" },
		{ "\x80z", 2, "\\ufffdz" },
		{ "\xc0\xaf", 2, "\\ufffd\\ufffd" },            /* overlong */
		{ "\xe0\x9f\xbf", 3, "\\ufffd\\ufffd\\ufffd" }, /* overlong */
		{ "\xed\xa0\x80", 3, "\\ufffd\\ufffd\\ufffd" }, /* surrogate */
		{ "\xed\x9f\xbf", 3, "\xed\x9f\xbf" },
		{ "\xf0\x8f\xbf\xbf", 4, "\\ufffd\\ufffd\\ufffd\\ufffd" }, /* overlong */
		{ "\xf4\x8f\xbf\xbf", 4, "\xf4\x8f\xbf\xbf" },
		{ "\xf4\x90\x80\x80", 4, "\\ufffd\\ufffd\\ufffd\\ufffd" }, /* beyond U+10FFFF */
		{ "\xe2\x82", 2, "\\ufffd\\ufffd" },                       /* cut */
		{ "\xe2\x82x", 3, "\\ufffd\\ufffdx" },
		{ "\xc2", 1, "\\ufffd" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		char out[64];
		size_t used, n;

		n = log_escape(table[i].in, table[i].len, &used, out, sizeof(out) - 1);
		out[n] = '\0';
		assert_string_equal(out, table[i].out);
		assert_int_equal(used, table[i].len);
		assert_int_equal(log_escaped_len(table[i].in, table[i].len), n);
	}
}

static void a_cut_never_hits_a_character(void **state)
{
	static const struct {
		const char *in;
		size_t cut;
	} table[] = {
		{ "abc", 3 },
		{ "ab\xc3", 2 },
		{ "a\xe2\x82", 1 },
		{ "\xe2\x82\xac", 3 },
		{ "x\xf0\x9f\x98", 1 },
		{ "x\xf0", 1 },
		{ "\x80\x80\x80\x80", 4 }, /* no character at all */
		{ "x\xe2\x82\xac\xac", 5 },
		{ "x\xff", 2 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		assert_int_equal(log_cut_len(table[i].in, strlen(table[i].in)), table[i].cut);
	assert_int_equal(log_cut_len("", 0), 0);
}

static void stamps_are_those_of_go(void **state)
{
	static const struct {
		int64_t ns;
		const char *fixed, *fraction;
	} table[] = {
		{ 0, "1970-01-01T00:00:00.000000000Z", "Z" },
		{ -1, "1969-12-31T23:59:59.999999999Z", ".999999999Z" },
		{ 951782400LL * LOG_SECOND + 100000000, "2000-02-29T00:00:00.100000000Z", ".1Z" },
		{ 1709251199LL * LOG_SECOND + 120, "2024-02-29T23:59:59.000000120Z", ".00000012Z" },
		{ 4107542400LL * LOG_SECOND + 1, "2100-03-01T00:00:00.000000001Z", ".000000001Z" },
		{ LOGKIT_START, "2026-01-31T12:00:00.123456789Z", ".123456789Z" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		char text[LOG_STAMP_SIZE], fraction[12];
		int64_t back;
		uint32_t rest;
		size_t n;

		assert_int_equal(log_stamp_fixed(table[i].ns, text), 30);
		assert_string_equal(text, table[i].fixed);
		assert_int_equal(log_stamp_parse(text, 30, &back), 0);
		assert_int_equal(back, table[i].ns);
		(void) log_stamp_split(table[i].ns, &rest);
		n = log_stamp_fraction(rest, fraction);
		assert_int_equal(n, strlen(table[i].fraction));
		assert_memory_equal(fraction, table[i].fraction, n);
	}
	/* every day of the range, there and back */
	for (int64_t day = -106000; day < 106000; day++) {
		char text[24];
		int64_t back;

		log_stamp_second(day * 86400 + 86399, text);
		memcpy(text + 19, "Z", 2);
		assert_int_equal(log_stamp_parse(text, 20, &back), 0);
		assert_int_equal(back, (day * 86400 + 86399) * LOG_SECOND);
	}
}

static void foreign_stamps_are_read_or_refused(void **state)
{
	static const char *const bad[] = { "", "2026-01-31T12:00:00", "2026-01-31 12:00:00Z",
		"2026-02-29T12:00:00Z", "2026-13-01T12:00:00Z", "2026-00-01T12:00:00Z",
		"2026-01-00T12:00:00Z", "2026-01-31T24:00:00Z", "2026-01-31T12:60:00Z",
		"2026-01-31T12:00:60Z", "2026-01-31T12:00:00.Z", "2026-01-31T12:00:00.1",
		"2026-01-31T12:00:00+1:00", "2026-01-31T12:00:00+24:00", "1677-01-31T12:00:00Z",
		"2262-01-31T12:00:00Z", "2026-01-31T12:00:00Zx", "20x6-01-31T12:00:00Z" };
	int64_t t;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(log_stamp_parse(bad[i], strlen(bad[i]), &t), -EINVAL);
	assert_int_equal(log_stamp_parse("2026-01-31T13:30:00.123456789+01:30", 35, &t), 0);
	assert_int_equal(t, LOGKIT_START);
	assert_int_equal(log_stamp_parse("2026-01-31T04:00:00.1234567891-08:00", 36, &t), 0);
	assert_int_equal(t, LOGKIT_START);
}

/* The texts of all lines with their stream, one after the other; checks the times. */
static char *texts(const char *log)
{
	_buf_done_ struct buf b = BUF_INIT(16 << 20);

	for (const char *p = log; *p;) {
		const char *end = strchr(p, '\n'), *text = p + strlen("{\"log\":\"");
		const char *stop = strstr(text, "\",\"stream\":");

		assert_non_null(end);
		assert_true(stop && stop < end);
		(void) buf_addc(&b, '[');
		(void) buf_add(&b, text, (size_t) (stop - text));
		(void) buf_addc(&b, ']');
		p = end + 1;
	}
	return buf_take(&b);
}

static void assert_texts(const char *want)
{
	_free_ char *log = logkit_read("log", NULL), *got = texts(log);

	assert_string_equal(got, want);
}

static char *repeat(const char *s, size_t times, const char *end)
{
	_buf_done_ struct buf b = BUF_INIT(1 << 20);

	for (size_t i = 0; i < times; i++)
		(void) buf_adds(&b, s);
	(void) buf_adds(&b, end);
	return buf_take(&b);
}

static void long_lines_are_written_in_parts(void **state)
{
	static const struct {
		size_t len, n_parts, parts[3]; /* without the newline */
	} table[] = {
		{ 16383, 1, { 16383 } },
		{ 16384, 2, { 16384, 0 } },
		{ 16385, 2, { 16384, 1 } },
		{ 40000, 3, { 16384, 16384, 7232 } },
	};

	for (size_t i = 0; i < 2 * ARRAY_SIZE(table); i++) {
		size_t len = table[i / 2].len, n = table[i / 2].n_parts,
		       chunk = i % 2 ? 65000 : 1000;
		_free_ char *line = repeat("x", len, "\n"), *log = NULL;
		struct log_config c = logkit_config();
		struct log_writer *w = logkit_open(&c);
		_buf_done_ struct buf want = BUF_INIT(1 << 20);

		for (size_t at = 0; at <= len; at += chunk)
			log_writer_write(w, LOG_STDOUT, line + at, MIN(chunk, len + 1 - at));
		for (size_t p = 0; p < n; p++) {
			_free_ char *part = repeat("x", table[i / 2].parts[p], "");

			(void) buf_addf(&want, "{\"log\":\"%s%s\",\"stream\":\"stdout\"" T(9), part,
			        p == n - 1 ? "\\n" : "");
		}
		log = logkit_read("log", NULL);
		assert_string_equal(log, buf_str(&want));
		logkit_put("log", "", 0);
		logkit_close();
	}
}

static void parts_keep_the_time_of_the_first(void **state)
{
	_free_ char *part = repeat("y", 16384, ""), *log = NULL;
	struct log_config c = logkit_config();

	logkit_open(&c);
	logkit_write(LOG_STDOUT, part);
	logkit_real += LOG_SECOND;
	logkit_write(LOG_STDOUT, "end\nnext\n");
	log = logkit_read("log", NULL);
	assert_contains(log, OUT("end\\n", 9));
	assert_contains(
	        log, "next\\n\",\"stream\":\"stdout\",\"time\":\"2026-01-31T12:00:01.123456789Z\"");
	logkit_close();
}

static void characters_survive_any_chunks(void **state)
{
	static const char text[] = "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80z\n";

	for (size_t i = 1; i < sizeof(text) - 1; i++)
		for (size_t j = i; j < sizeof(text) - 1; j++) {
			struct log_config c = logkit_config();
			struct log_writer *w = logkit_open(&c);

			log_writer_write(w, LOG_STDERR, text, i);
			log_writer_write(w, LOG_STDERR, text + i, j - i);
			log_writer_write(w, LOG_STDERR, text + j, sizeof(text) - 1 - j);
			assert_texts("[a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80z\\n]");
			logkit_put("log", "", 0);
			logkit_close();
		}
}

/* A long line of characters of four bytes, one to three bytes off the border of 16 KiB. */
static void characters_survive_the_border_of_a_part(void **state)
{
	static const char *const prefix[] = { "", "1", "12", "123" };

	for (size_t i = 0; i < 4; i++)
		for (size_t chunk = 777; chunk <= 1 << 20;
		        chunk = chunk == 777 ? 1 << 20 : chunk + 1) {
			_free_ char *many = repeat("\xf0\x9f\x98\x80", 9000, "\n"), *got = NULL;
			_buf_done_ struct buf all = BUF_INIT(1 << 20);
			struct log_config c = logkit_config();
			struct log_writer *w = logkit_open(&c);

			(void) buf_addf(&all, "%s%s", prefix[i], many);
			for (size_t at = 0; at < all.len; at += chunk)
				log_writer_write(
				        w, LOG_STDOUT, all.data + at, MIN(chunk, all.len - at));
			got = logkit_read("log", NULL);
			assert_null(strstr(got, "\\ufffd"));
			logkit_put("log", "", 0);
			logkit_close();
		}
}

static void attributes_stand_before_the_time(void **state)
{
	static const char attrs[] = "{\"a\":\"b\",\"tag\":\"x\"}";
	struct log_config c = logkit_config();

	c.extra = attrs;
	c.extra_len = strlen(attrs);
	logkit_open(&c);
	logkit_write(LOG_STDOUT, "m\n");
	logkit_close();
	logkit_assert_file("log",
	        "{\"log\":\"m\\n\",\"stream\":\"stdout\",\"attrs\":{\"a\":\"b\",\"tag\":\"x\"}" T(
	                9));
	logkit_close();
}

static void no_driver_writes_nothing(void **state)
{
	struct log_config c = { .driver = LOG_DRIVER_NONE };

	logkit_open(&c);
	logkit_write(LOG_STDOUT, "m\n");
	logkit_close();
	logkit_assert_file("log", NULL);
	logkit_close();
}

static void the_file_is_private(void **state)
{
	struct log_config c = logkit_config();
	struct stat st;

	logkit_open(&c);
	assert_int_equal(fstatat(logkit_dir(), "log", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	logkit_close();
}

static void the_file_is_never_a_link(void **state)
{
	struct log_config c = logkit_config();
	struct log_writer w;
	struct err err;

	assert_int_equal(symlinkat("elsewhere", logkit_dir(), "log"), 0);
	assert_int_equal(log_writer_open(&w, &c, logkit_dir(), -EBADF, &err), -ELOOP);
	log_writer_close(&w);
	assert_int_equal(unlinkat(logkit_dir(), "log", 0), 0);
	assert_int_equal(mkfifoat(logkit_dir(), "log", 0600), 0);
	assert_int_equal(log_writer_open(&w, &c, logkit_dir(), -EBADF, &err), -EINVAL);
	log_writer_close(&w);
	logkit_close();
}

/* --- rotation --- */

static void files_move_on_and_stay_within_their_size(void **state)
{
	struct log_config c = logkit_config();
	char line[32];

	c.max_size = 380; /* four lines and a bit */
	c.max_files = 3;
	logkit_open(&c);
	for (int i = 0; i < 100; i++) {
		(void) snprintf(line, sizeof(line), "line %02d\n", i);
		logkit_write(LOG_STDOUT, line);
	}
	logkit_assert_file("log.3", NULL);
	for (int i = 0, n = 99; i < 3; i++) {
		_free_ char *log = NULL;
		size_t len;

		(void) snprintf(line, sizeof(line), i ? "log.%d" : "log", i);
		log = logkit_read(line, &len);
		assert_non_null(log);
		assert_true(len <= 380 && len > 300);
		for (int k = 3; k >= 0; k--, n--) {
			(void) snprintf(line, sizeof(line), "line %02d\\n", n);
			assert_contains(log, line);
		}
	}
	logkit_close();
}

static void one_file_begins_anew(void **state)
{
	struct log_config c = logkit_config();

	c.max_size = 150;
	logkit_open(&c);
	logkit_write(LOG_STDOUT, "first\n");
	logkit_write(LOG_STDOUT, "second\n");
	logkit_assert_file("log", OUT("second\\n", 9));
	logkit_assert_file("log.1", NULL);
	logkit_close();
}

static void a_line_beyond_the_size_has_a_file_of_its_own(void **state)
{
	struct log_config c = logkit_config();

	c.max_size = 10;
	c.max_files = 2;
	logkit_open(&c);
	logkit_write(LOG_STDOUT, "first\nsecond\n");
	logkit_assert_file("log.1", OUT("first\\n", 9));
	logkit_assert_file("log",
	        "{\"log\":\"second\\n\",\"stream\":\"stdout\",\"time\":\"2026-01-31T12:00:00.12345679Z\"}\n");
	logkit_close();
}

static void the_size_counts_from_the_file_that_is_there(void **state)
{
	struct log_config c = logkit_config();

	c.max_size = 200;
	c.max_files = 2;
	logkit_put("log", OUT("old\\n", 1) OUT("old\\n", 2), 2 * strlen(OUT("old\\n", 1)));
	logkit_open(&c);
	logkit_write(LOG_STDOUT, "new\n");
	logkit_assert_file("log.1", OUT("old\\n", 1) OUT("old\\n", 2));
	logkit_assert_file("log", OUT("new\\n", 9));
	logkit_close();
}

/* --- the rate limit --- */

static void excess_is_dropped_by_lines_and_told(void **state)
{
	struct log_config c = logkit_config();
	struct log_writer *w;
	_free_ char *log = NULL;

	c.max_rate = 1000;
	c.max_burst = 1000;
	w = logkit_open(&c);
	for (int i = 0; i < 20; i++) /* 100 bytes of the limit each */
		logkit_write(LOG_STDOUT, "0123456789abcdefghijklmnopqrstuvwxy\n");
	assert_int_equal(log_writer_dropped(w), 10 * 36);
	assert_int_equal(log_writer_tick(w), -1);
	log = logkit_read("log", NULL);
	assert_contains(log,
	        "\"bulkhead: 360 bytes of output were dropped: rate limit\\n\",\"stream\":\"stderr\"");
	logkit_mono += LOG_SECOND / 10;
	logkit_write(LOG_STDOUT, "one is let through\n");
	assert_int_equal(log_writer_dropped(w), 360);
	logkit_write(LOG_STDOUT, "this one is let through and owes\n");
	assert_int_equal(log_writer_dropped(w), 360);
	logkit_write(LOG_STDOUT, "this not\n");
	assert_int_equal(log_writer_dropped(w), 369);
	assert_in_range(log_writer_tick(w), 800, 1000); /* once a second at most */
	logkit_close();
	log = (free(log), logkit_read("log", NULL));
	assert_contains(log, "bulkhead: 9 bytes of output were dropped: rate limit");
	logkit_close();
}

static void a_slow_rate_still_gives_its_bytes(void **state)
{
	struct log_config c = logkit_config();
	struct log_writer *w;

	c.max_rate = 100;
	c.max_burst = 65;
	w = logkit_open(&c);
	for (int i = 0; i < 20000; i++) { /* ten seconds in steps too short for a byte */
		logkit_write(LOG_STDOUT, "\n");
		logkit_mono += LOG_SECOND / 2000;
	}
	assert_in_range(20000 - log_writer_dropped(w), 15, 17); /* 1000 bytes, 65 each */
	logkit_close();
}

/* --- hostile bytes, judged by somebody else --- */

static int python(const char *script, const char *dir)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		if (chdir(dir) == 0)
			(void) execl("/usr/bin/python3", "python3", "-c", script, NULL);
		_exit(99);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 98;
}

static void python_reads_back_what_hostile_bytes_said(void **state)
{
	static const char script[] =
	        "import json\n"
	        "want = {s: open(s, 'rb').read().decode('utf-8', 'replace') for s in ('stdout', 'stderr')}\n"
	        "got = {'stdout': '', 'stderr': ''}\n"
	        "for line in open('log', 'rb').read().decode('utf-8').split('\\n')[:-1]:\n"
	        "    d = json.loads(line)\n"
	        "    assert list(d) == ['log', 'stream', 'time'], d\n"
	        "    got[d['stream']] += d['log']\n"
	        "fold = lambda s: ''.join(c for c in s if c != '\\ufffd')\n"
	        "assert all(fold(want[s]) == fold(got[s]) for s in want)\n"
	        "assert '\\ufffd' in got['stdout']\n";
	struct log_config c = logkit_config();
	struct log_writer *w = logkit_open(&c);
	_buf_done_ struct buf out = BUF_INIT(1 << 20), errors = BUF_INIT(1 << 20);
	uint32_t seed = 1;

	for (int i = 0; i < 3000; i++) {
		char chunk[300];
		size_t len = 0;

		seed = seed * 1664525 + 1013904223;
		for (size_t n = seed >> 24; len < n; len++) {
			seed = seed * 1664525 + 1013904223;
			/* half of it bytes of any kind, half of it what JSON is made of */
			chunk[len] = seed & 0x10000 ? (char) (seed >> 24)
			                            : "\"\\\n<>&\xe2\x80\xa8{}:,u0"[seed >> 28];
		}
		(void) buf_add(seed & 1 ? &errors : &out, chunk, len);
		log_writer_write(w, seed & 1 ? LOG_STDERR : LOG_STDOUT, chunk, len);
	}
	logkit_close();
	logkit_put("stdout", out.data, out.len);
	logkit_put("stderr", errors.data, errors.len);
	assert_int_equal(python(script, testkit_scratch()), 0);
	logkit_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testkit_case(lines_are_dockers_byte_for_byte),
		testkit_case(escapes_are_those_of_docker),
		testkit_case(a_cut_never_hits_a_character),
		testkit_case(stamps_are_those_of_go),
		testkit_case(foreign_stamps_are_read_or_refused),
		testkit_case(long_lines_are_written_in_parts),
		testkit_case(parts_keep_the_time_of_the_first),
		testkit_case(characters_survive_any_chunks),
		testkit_case(characters_survive_the_border_of_a_part),
		testkit_case(attributes_stand_before_the_time),
		testkit_case(no_driver_writes_nothing),
		testkit_case(the_file_is_private),
		testkit_case(the_file_is_never_a_link),
		testkit_case(files_move_on_and_stay_within_their_size),
		testkit_case(one_file_begins_anew),
		testkit_case(a_line_beyond_the_size_has_a_file_of_its_own),
		testkit_case(the_size_counts_from_the_file_that_is_there),
		testkit_case(excess_is_dropped_by_lines_and_told),
		testkit_case(a_slow_rate_still_gives_its_bytes),
		testkit_case(python_reads_back_what_hostile_bytes_said),
	};

	return testkit_run(tests);
}
