/* SPDX-License-Identifier: Apache-2.0 */
#include "logs/reader.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "logs/reader_internal.h"
#include "logs/stamp.h"

/* How long nothing is looked at without a notice, with and without inotify. */
enum { WAIT_NOTIFIED = 1000, WAIT_POLLED = 50 };

struct reader {
	int dirfd;
	const struct log_read_options *options;
	struct log_read_result *result;
	struct log_output output;
	struct log_file file; /* being read */
	struct log_file last; /* without follow: the file that ends it, at 'limit' */
	uint64_t limit;
	uint64_t offset;   /* in 'file': what buf[len] will be */
	size_t start, len; /* buf[start..len) is not looked at yet */
	char *buf;
	int inotify;
	bool watched;  /* whether it was tried */
	bool skipping; /* in a line that is too long */
	bool ending;   /* the container has ended: read what is there, and stop */
	bool done;
};

static void reader_done(struct reader *r)
{
	log_output_done(&r->output);
	r->file.fd = fd_close(r->file.fd);
	r->last.fd = fd_close(r->last.fd);
	r->inotify = fd_close(r->inotify);
	free(r->buf);
}

/* --- lines --- */

static int take_line(struct reader *r, const char *line, size_t len)
{
	struct log_record record;

	if (log_record_scan(line, len, &record) < 0) {
		r->result->damaged++;
		return 0;
	}
	if (record.time < r->options->since)
		return 0;
	if (record.time > r->options->until) {
		r->done = true;
		return 0;
	}
	r->result->lines++;
	return log_output_record(&r->output, &record);
}

static bool is_last(const struct reader *r)
{
	return r->last.fd >= 0 && r->file.ino == r->last.ino && r->file.dev == r->last.dev;
}

/* True when the line that comes next was not there when the reading began. */
static bool is_beyond(const struct reader *r)
{
	return is_last(r) && r->offset - (r->len - r->start) >= r->limit;
}

/* Takes the whole lines of the buffer. */
static int take_lines(struct reader *r)
{
	while (!r->done) {
		const char *line = r->buf + r->start;
		const char *newline = memchr(line, '\n', r->len - r->start);
		int e = 0;

		if (is_beyond(r)) {
			r->done = true;
			break;
		}
		if (!newline)
			break;
		r->start += (size_t) (newline - line) + 1;
		if (!r->skipping)
			e = take_line(r, line, (size_t) (newline - line));
		r->skipping = false;
		if (e < 0)
			return e;
	}
	if (r->len - r->start > LOG_LINE_MAX && !r->skipping) {
		r->skipping = true;
		r->result->damaged++;
	}
	if (r->skipping)
		r->start = r->len = 0;
	return 0;
}

/* What is left at the end of a file that gets no more: damaged, or a line that lacks its newline.
 */
static int take_half_line(struct reader *r)
{
	size_t len = r->len - r->start;
	int e = 0;

	if (len > 0 && !r->skipping && !r->done)
		e = take_line(r, r->buf + r->start, len);
	r->start = r->len = 0;
	r->skipping = false;
	return e;
}

/* Reads the file to its end, as far as it is written. */
static int read_file(struct reader *r)
{
	while (!r->done) {
		ssize_t n;
		int e;

		memmove(r->buf, r->buf + r->start, r->len - r->start);
		r->len -= r->start;
		r->start = 0;
		n = pread(r->file.fd, r->buf + r->len, LOG_READ_SIZE, (off_t) r->offset);
		if (n < 0)
			return -errno;
		if (n == 0)
			return 0;
		r->len += (size_t) n;
		r->offset += (uint64_t) n;
		e = take_lines(r);
		if (e < 0)
			return e;
	}
	return 0;
}

/* --- waiting --- */

static int watch(int dirfd)
{
	_close_ int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	char path[32];

	(void) snprintf(path, sizeof(path), "/proc/self/fd/%d", dirfd);
	if (fd < 0 || inotify_add_watch(fd, path, IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0)
		return -EBADF; /* looked at from time to time instead */
	return TAKE_FD(fd);
}

static int64_t real_time(void)
{
	struct timespec t = { 0 };

	(void) clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * LOG_SECOND + t.tv_nsec;
}

static int wait_for_more(struct reader *r)
{
	struct pollfd p[2] = { { .fd = r->inotify, .events = POLLIN },
		{ .fd = r->options->ended_fd, .events = POLLIN } };
	char events[4096];
	/* Notices begin with the watch, so after it was made the file is looked at once more. */
	int wait = !r->watched ? 0 : r->inotify >= 0 ? WAIT_NOTIFIED : WAIT_POLLED;
	int e = log_output_flush(&r->output);

	if (e < 0)
		return e;
	if (poll(p, 2, wait) < 0 && errno != EINTR)
		return -errno;
	if (p[0].revents)
		while (read(r->inotify, events, sizeof(events)) > 0)
			;
	r->ending = p[1].revents != 0 || real_time() > r->options->until;
	if (!r->ending && !r->watched)
		r->inotify = watch(r->dirfd);
	r->watched = true;
	return 0;
}

/* Half a line at the end is read again when there is more: until then the writer may take it back,
 * as it does when the disk is full. */
static int rewind_file(struct reader *r)
{
	struct stat st;

	r->offset -= r->len - r->start;
	r->start = r->len = 0;
	if (fstat(r->file.fd, &st) < 0)
		return -errno;
	r->offset = MIN(r->offset, (uint64_t) st.st_size);
	return 0;
}

/* --- the whole --- */

/* At the end of the file at hand: goes to the next one, waits, or is done. */
static int go_on(struct reader *r)
{
	struct log_file next = { .fd = -EBADF };
	int e = 0;

	if (!is_last(r) && !log_file_is_newest(r->dirfd, &r->file))
		e = log_file_next(r->dirfd, &r->file, &next);
	if (e > 0) {
		/* What was written between our last look and the rotation. */
		e = read_file(r);
		if (e == 0)
			e = take_half_line(r);
		log_file_replace(&r->file, &next);
		r->offset = 0;
		return e;
	}
	if (e < 0)
		return e;
	if (!r->options->follow || r->ending) {
		e = take_half_line(r);
		r->done = true;
		return e;
	}
	e = rewind_file(r);
	return e < 0 ? e : wait_for_more(r);
}

static int begin(struct reader *r)
{
	const struct log_read_options *o = r->options;
	struct stat st;
	int e = log_file_newest(r->dirfd, o->follow ? &r->file : &r->last);

	if (e <= 0)
		return e < 0 ? e : -ENOENT;
	if (!o->follow) {
		if (fstat(r->last.fd, &st) < 0)
			return -errno;
		r->limit = (uint64_t) st.st_size;
		r->file = r->last;
		r->file.fd = fd_dup(r->last.fd);
		if (r->file.fd < 0)
			return r->file.fd;
	}
	if (o->tail == LOG_TAIL_ALL) {
		struct log_file oldest = { .fd = -EBADF };

		e = log_file_oldest(r->dirfd, &oldest);
		if (e > 0)
			log_file_replace(&r->file, &oldest);
		return MIN(e, 0);
	}
	return log_tail_find(r->dirfd, &r->file, o->tail, r->buf, &r->offset);
}

int log_read(int dirfd, const struct log_read_options *options, const struct log_sink *sink,
        struct log_read_result *ret, struct err *err)
{
	_cleanup_(reader_done) struct reader r = { .dirfd = dirfd,
		.options = options,
		.result = ret,
		.file = { .fd = -EBADF },
		.last = { .fd = -EBADF },
		.inotify = -EBADF,
		.buf = xmalloc(LOG_BUFFER_SIZE) };
	int e, flushed;

	*ret = (struct log_read_result){ 0 };
	log_output_init(&r.output, options, sink);
	e = begin(&r);
	if (e == -ENOENT)
		return err_set(err, e, "the container has no log");
	while (e == 0 && !r.done) {
		e = read_file(&r);
		if (e == 0 && !r.done)
			e = go_on(&r);
	}
	flushed = log_output_flush(&r.output);
	e = e < 0 ? e : flushed;
	return e < 0 ? err_errno(err, e, "cannot read the container's log") : 0;
}
