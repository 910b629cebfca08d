/* SPDX-License-Identifier: Apache-2.0 */
/* The journal's export format. */
#include "testkit.h"

#include "base/buf.h"
#include "base/fd.h"
#include "base/str.h"
#include "logs/journal_read.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

struct taken {
	struct buf streams[LOG_STREAM_N];
};

static int take(void *arg, enum log_stream stream, const char *data, size_t len)
{
	struct taken *t = arg;

	return buf_add(&t->streams[stream], data, len);
}

/* Feeds the text in pieces of each size, which must not matter, and compares. */
static void assert_output(const char *text, size_t len, const struct log_read_options *options,
        const char *out, const char *errors)
{
	for (size_t piece = 1; piece <= len; piece++) {
		struct taken taken = { { BUF_INIT(1 << 16), BUF_INIT(1 << 16) } };
		const struct log_sink sink = { take, &taken };
		_cleanup_(journal_parser_done) struct journal_parser p;

		journal_parser_init(&p, options, &sink);
		for (size_t at = 0; at < len; at += piece)
			assert_int_equal(
			        journal_parser_take(&p, text + at, MIN(piece, len - at)), 0);
		assert_int_equal(journal_parser_end(&p), 0);
		assert_string_equal(buf_str(&taken.streams[LOG_STDOUT]), out);
		assert_string_equal(buf_str(&taken.streams[LOG_STDERR]), errors);
		buf_done(&taken.streams[LOG_STDOUT]);
		buf_done(&taken.streams[LOG_STDERR]);
	}
}

static const char two[] = "__CURSOR=s=1\n__REALTIME_TIMESTAMP=1769860800000005\n"
                          "PRIORITY=6\nMESSAGE=hello\nCONTAINER_ID=ab\nTIER=front end\n\n"
                          "__REALTIME_TIMESTAMP=1769860801000000\nPRIORITY=3\n"
                          "MESSAGE\n\x06\0\0\0\0\0\0\0bad\n\x1b=\n\n";

static void entries_become_lines_of_their_streams(void **state)
{
	const struct log_read_options all = LOG_READ_ALL;

	assert_output(two, sizeof(two) - 1, &all, "hello\n", "bad\n\x1b=\n");
}

static void an_entry_without_its_end_counts(void **state)
{
	static const char one[] = "PRIORITY=6\nMESSAGE=last\n";
	const struct log_read_options all = LOG_READ_ALL;

	assert_output(one, strlen(one), &all, "last\n", "");
}

static void parts_become_one_line_with_one_prefix(void **state)
{
	static const char parts[] =
	        "__REALTIME_TIMESTAMP=1769860800000000\nPRIORITY=6\nMESSAGE=one \n"
	        "CONTAINER_PARTIAL_MESSAGE=true\n\n"
	        "__REALTIME_TIMESTAMP=1769860801000000\nPRIORITY=6\nMESSAGE=line\n\n";
	struct log_read_options o = LOG_READ_ALL;

	o.timestamps = true;
	assert_output(parts, strlen(parts), &o, "2026-01-31T12:00:00.000000000Z one line\n", "");
}

static void details_are_what_was_chosen(void **state)
{
	struct log_read_options o = LOG_READ_ALL;

	o.details = true;
	assert_output(two, sizeof(two) - 1, &o, "TIER=front+end hello\n", " bad\n\x1b=\n");
}

static void times_bound_what_is_shown(void **state)
{
	struct log_read_options o = LOG_READ_ALL;

	o.since = INT64_C(1769860801) * 1000000000;
	assert_output(two, sizeof(two) - 1, &o, "", "bad\n\x1b=\n");
	o = (struct log_read_options) LOG_READ_ALL;
	o.until = INT64_C(1769860800) * 1000000000 + 999;
	assert_output(two, sizeof(two) - 1, &o, "", "");
}

static void what_is_no_export_format_is_refused(void **state)
{
	static const char huge[] = "MESSAGE\n\xff\xff\xff\xff\xff\xff\xff\x7f";
	static const char open_end[] = "MESSAGE\n\x01\0\0\0\0\0\0\0xy";
	const struct log_read_options all = LOG_READ_ALL;
	struct taken taken = { { BUF_INIT(1 << 16), BUF_INIT(1 << 16) } };
	const struct log_sink sink = { take, &taken };
	struct journal_parser p;

	journal_parser_init(&p, &all, &sink);
	assert_int_equal(journal_parser_take(&p, huge, sizeof(huge) - 1), -EBADMSG);
	journal_parser_done(&p);
	journal_parser_init(&p, &all, &sink);
	assert_int_equal(journal_parser_take(&p, open_end, sizeof(open_end) - 1), -EBADMSG);
	journal_parser_done(&p);
}

/* --- the program ------------------------------------------------------------------------------ */

/* A journalctl that notes its arguments and says one entry; then the rest of its script. */
static char *fake_program(const char *rest)
{
	char *path = xprintf("%s/journalctl", testkit_scratch());
	_free_ char *script = xprintf("#!/bin/sh\n"
	                              "echo \"$@\" >\"$(dirname \"$0\")/args\"\n"
	                              "printf 'PRIORITY=6\\nMESSAGE=hello\\n\\n'\n"
	                              "%s\n",
	        rest);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0700);

	assert_int_equal(fd_write_all(fd, script, strlen(script)), 0);
	close(fd);
	return path;
}

static void the_program_is_asked_for_what_is_wanted(void **state)
{
	_free_ char *program = fake_program("");
	_free_ char *folder = xstrndup(program, strlen(program) - strlen("/journalctl"));
	_free_ char *args = xprintf("%s/args", folder);
	struct taken taken = { { BUF_INIT(1 << 16), BUF_INIT(1 << 16) } };
	const struct log_sink sink = { take, &taken };
	struct log_read_options o = LOG_READ_ALL;
	_buf_done_ struct buf said = BUF_INIT(1 << 16);
	struct err err;

	o.tail = 7;
	assert_int_equal(log_read_journal(program, "abcd", &o, &sink, &err), 0);
	assert_string_equal(buf_str(&taken.streams[LOG_STDOUT]), "hello\n");
	assert_int_equal(buf_read_file(&said, AT_FDCWD, args), 0);
	assert_contains(buf_str(&said), "--output=export");
	assert_contains(buf_str(&said), "--lines=7 CONTAINER_ID_FULL=abcd _UID=0");
	buf_done(&taken.streams[LOG_STDOUT]);
	buf_done(&taken.streams[LOG_STDERR]);
}

static void following_ends_with_the_container(void **state)
{
	_free_ char *program = fake_program("exec sleep 1000");
	struct taken taken = { { BUF_INIT(1 << 16), BUF_INIT(1 << 16) } };
	const struct log_sink sink = { take, &taken };
	struct log_read_options o = LOG_READ_ALL;
	struct err err;
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	close(ends[1]);
	o.follow = true;
	o.ended_fd = ends[0];
	assert_int_equal(log_read_journal(program, "abcd", &o, &sink, &err), 0);
	assert_string_equal(buf_str(&taken.streams[LOG_STDOUT]), "hello\n");
	close(ends[0]);
	buf_done(&taken.streams[LOG_STDOUT]);
	buf_done(&taken.streams[LOG_STDERR]);
}

static void a_missing_program_is_said(void **state)
{
	const struct log_read_options all = LOG_READ_ALL;
	const struct log_sink sink = { take, NULL };
	struct err err;

	assert_int_equal(log_read_journal("/no/such/program", "ab", &all, &sink, &err), -ENOENT);
	assert_contains(err.text, "/no/such/program");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testkit_case(entries_become_lines_of_their_streams),
		testkit_case(an_entry_without_its_end_counts),
		testkit_case(parts_become_one_line_with_one_prefix),
		testkit_case(details_are_what_was_chosen),
		testkit_case(times_bound_what_is_shown),
		testkit_case(what_is_no_export_format_is_refused),
		testkit_case(the_program_is_asked_for_what_is_wanted),
		testkit_case(following_ends_with_the_container),
		testkit_case(a_missing_program_is_said),
	};

	return testkit_run(tests);
}
