/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as the files of a log. Input: one byte of options, then the content of 'log'; what
 * stands before the first 0xff is 'log.1'. Reading ends, needs no memory that depends on the input,
 * and the ways of reading agree: following an ended container is reading, a large tail is all, and
 * a short tail is the end of it. Then the writer repairs the files and adds a line, which must be
 * read back whatever stood there.
 */
#include "logs/reader.h"
#include "logs/record.h"
#include "logs/writer.h"

#include "base/buf.h"
#include "base/fd.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char folder[] = "/tmp/fuzz-logs-XXXXXX";
static int dir = -EBADF, ended = -EBADF;
static struct log_writer writer;

static void require(bool truth)
{
	if (!truth)
		abort();
}

static void remove_files(void)
{
	(void) unlinkat(dir, "log", 0);
	(void) unlinkat(dir, "log.1", 0);
	(void) unlinkat(dir, "log.2", 0);
}

static void remove_folder(void)
{
	remove_files();
	(void) rmdir(folder);
}

static void make_folder(void)
{
	int fds[2];

	if (dir >= 0)
		return;
	require(mkdtemp(folder) && pipe2(fds, O_CLOEXEC) == 0);
	(void) close(fds[1]);
	ended = fds[0]; /* hung up: the container has ended */
	dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	require(dir >= 0 && atexit(remove_folder) == 0);
}

static void put(const char *name, const uint8_t *data, size_t size)
{
	_close_ int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	require(fd >= 0 && fd_write_all(fd, data, size) == 0);
}

static int take(void *arg, enum log_stream stream, const char *data, size_t len)
{
	struct buf *streams = arg;

	return buf_add(&streams[stream], data, len);
}

struct texts {
	struct buf stream[LOG_STREAM_N];
	struct log_read_result result;
};

static void read_texts(const struct log_read_options *o, struct texts *t)
{
	const struct log_sink sink = { take, t->stream };
	struct err err;

	*t = (struct texts){ .stream = { BUF_INIT(16 << 20), BUF_INIT(16 << 20) } };
	require(log_read(dir, o, &sink, &t->result, &err) == 0);
}

static void texts_done(struct texts *t)
{
	buf_done(&t->stream[0]);
	buf_done(&t->stream[1]);
}

static void require_same(const struct texts *a, const struct texts *b)
{
	require(a->result.lines == b->result.lines && a->result.damaged == b->result.damaged);
	for (size_t i = 0; i < LOG_STREAM_N; i++)
		require(a->stream[i].len == b->stream[i].len &&
		        memcmp(buf_str(&a->stream[i]), buf_str(&b->stream[i]), a->stream[i].len) ==
		                0);
}

static void ways_of_reading_agree(uint8_t choice)
{
	_cleanup_(texts_done) struct texts all, followed, tail, end, plain;
	struct log_read_options o = LOG_READ_ALL;

	read_texts(&o, &plain);
	o.tail = choice & 7;
	read_texts(&o, &end);
	for (size_t i = 0; i < LOG_STREAM_N; i++)
		require(end.stream[i].len <= plain.stream[i].len &&
		        memcmp(buf_str(&end.stream[i]),
		                buf_str(&plain.stream[i]) + plain.stream[i].len - end.stream[i].len,
		                end.stream[i].len) == 0);
	o = (struct log_read_options) LOG_READ_ALL;
	o.timestamps = choice & 8;
	o.details = choice & 16;
	read_texts(&o, &all);
	require(all.result.lines == plain.result.lines);
	o.tail = 1 << 20;
	read_texts(&o, &tail);
	require_same(&all, &tail);
	o.tail = LOG_TAIL_ALL;
	o.follow = true;
	o.ended_fd = ended;
	read_texts(&o, &followed);
	require_same(&all, &followed);
}

static void a_new_line_is_read_back(uint8_t choice)
{
	const struct log_config c = {
		.driver = LOG_DRIVER_JSON_FILE, .max_files = 2, .max_size = choice & 32 ? 64 : 0
	};
	_cleanup_(texts_done) struct texts t;
	struct log_read_options o = LOG_READ_ALL;
	struct err err;

	require(log_writer_open(&writer, &c, dir, -EBADF, &err) == 0);
	log_writer_write(&writer, LOG_STDERR, "the end\n", 8);
	log_writer_close(&writer);
	o.tail = 1;
	read_texts(&o, &t);
	require(t.result.lines == 1 && t.result.damaged == 0);
	require(strcmp(buf_str(&t.stream[LOG_STDERR]), "the end\n") == 0);
}

static void unescape(struct buf *out, const struct log_record *r, size_t room)
{
	char piece[256];

	for (size_t at = 0, used; at < r->text_len; at += used) {
		size_t n = log_unescape(r->text + at, r->text_len - at, &used, piece, room);

		require(used > 0 && n <= room && used <= r->text_len - at);
		(void) buf_add(out, piece, n);
	}
}

static void one_line(const char *line, size_t len)
{
	_buf_done_ struct buf slow = BUF_INIT(1 << 20), fast = BUF_INIT(1 << 20),
	                      details = BUF_INIT(8 << 20);
	struct log_record r;

	if (log_record_scan(line, len, &r) < 0)
		return;
	require(r.text >= line && r.text + r.text_len <= line + len);
	unescape(&slow, &r, LOG_UNESCAPE_MAX);
	unescape(&fast, &r, 256);
	require(slow.len == fast.len && strcmp(buf_str(&slow), buf_str(&fast)) == 0);
	log_record_details(r.attrs, r.attrs_len, &details);
	require(buf_ok(&details) && details.data[details.len - 1] == ' ');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *split;
	uint8_t choice;

	if (size < 1 || size > 1 << 20)
		return 0;
	choice = *data++;
	size--;
	if (choice & 0x80) {
		_free_ char *line = xmalloc(size + 1); /* so that reading beyond it is seen */

		memcpy(line, data, size);
		line = xrealloc_n(line, MAX(size, (size_t) 1), 1);
		one_line(line, size);
		return 0;
	}
	make_folder();
	remove_files();
	split = memchr(data, 0xff, size);
	if (split) {
		put("log.1", data, (size_t) (split - data));
		size -= (size_t) (split - data) + 1;
		data = split + 1;
	}
	put("log", data, size);
	ways_of_reading_agree(choice);
	a_new_line_is_read_back(choice);
	return 0;
}
