/* SPDX-License-Identifier: Apache-2.0 */
/* Files and waiting; messages and filters are event_message.c. */
#include "engine/events_read.h"

#include "base/buf.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "engine/containers.h"
#include "engine/event_names.h"
#include "json/json.h"
#include "shim/event_line.h"
#include "store/store.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PIECE = 65536 };

struct reader {
	struct engine *e;
	const struct events_query *query;
	int (*each)(void *data, struct json_object *message);
	void *data;
	struct event_names names;
	struct buf line; /* what was read of a line that is not whole yet */
	bool learn_only; /* before the first message that anybody wants */
	bool too_long;   /* the line is skipped up to its end */
	int result;      /* of 'each' */
};

static void reader_done(struct reader *r)
{
	event_names_done(&r->names);
	buf_done(&r->line);
}

static bool is_wanted(const struct reader *r, struct json_object *message)
{
	struct json_object *time = json_object_object_get(message, "timeNano");
	int64_t at = json_object_get_int64(time);

	return (!r->query->has_since || at >= r->query->since) &&
	       (!r->query->has_until || at <= r->query->until) &&
	       events_match(r->query->filters, message);
}

static void take_line(struct reader *r, const char *text, size_t len)
{
	_json_put_ struct json_object *message = NULL;

	/* Parsing all of a long past is slow, and only these lines teach something. */
	if (r->learn_only && !event_names_teaches(text, len))
		return;
	if (events_parse(text, len, &message) < 0)
		return;
	event_names_learn(&r->names, message);
	if (r->learn_only)
		return;
	event_names_complete(&r->names, r->e, message);
	if (is_wanted(r, message))
		r->result = r->each(r->data, message);
}

static void take_bytes(struct reader *r, const char *bytes, size_t len)
{
	while (len > 0 && r->result == 0) {
		const char *end = memchr(bytes, '\n', len);
		size_t n = end ? (size_t) (end - bytes) : len;

		if (r->line.len == 0 && end && !r->too_long) {
			take_line(r, bytes, n);
		} else {
			r->too_long = r->too_long || buf_add(&r->line, bytes, n) < 0;
			if (end && !r->too_long)
				take_line(r, buf_str(&r->line), r->line.len);
			if (end || r->too_long)
				buf_clear(&r->line);
			if (end)
				r->too_long = false;
		}
		n += end ? 1 : 0;
		bytes += n;
		len -= n;
	}
}

/* Reads from *at to the end of the file. */
static int take_file(struct reader *r, int fd, off_t *at)
{
	char piece[PIECE];

	while (r->result == 0) {
		ssize_t n = TEMP_FAILURE_RETRY(pread(fd, piece, sizeof(piece), *at));

		if (n <= 0)
			return n < 0 ? -errno : 0;
		*at += n;
		take_bytes(r, piece, (size_t) n);
	}
	return 0;
}

static int open_file(const struct reader *r, const char *name)
{
	return path_open_in(store_dir(r->e->store), name, PATH_BENEATH_NO_LINKS, O_RDONLY, 0);
}

/* A command that was killed while it turned the file over leaves the same lines in both. */
static bool is_copy(int old, int new)
{
	char a[PIECE], b[PIECE];
	ssize_t n = pread(old, a, sizeof(a), 0), m = pread(new, b, sizeof(b), 0);

	return n > 0 && n == m && memcmp(a, b, (size_t) n) == 0;
}

/* Both files, the old one first; *fd (may be none) and *at are where it goes on. */
static int take_past(struct reader *r, int *fd, off_t *at)
{
	_close_ int old = open_file(r, EVENTS_FILE_OLD);
	off_t start = 0;
	int k = 0;

	*fd = open_file(r, EVENTS_FILE);
	if (old >= 0 && !(*fd >= 0 && is_copy(old, *fd)))
		k = take_file(r, old, &start);
	if (k == 0 && *fd >= 0)
		k = take_file(r, *fd, at);
	return k;
}

/* What is new. A file that became shorter was turned over: the rest of what it had is in the old
 * one. */
static int take_new(struct reader *r, int *fd, off_t *at)
{
	struct stat st;

	if (*fd < 0)
		*fd = open_file(r, EVENTS_FILE);
	if (*fd < 0)
		return *fd == -ENOENT ? 0 : *fd;
	if (fstat(*fd, &st) == 0 && st.st_size < *at) {
		_close_ int old = open_file(r, EVENTS_FILE_OLD);
		int k = old >= 0 ? take_file(r, old, at) : 0;

		if (k < 0)
			return k;
		*at = 0;
	}
	return take_file(r, *fd, at);
}

static int64_t now_ns(void)
{
	struct timespec now;

	(void) clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t) now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Milliseconds until 'until', for poll; -1: for ever, 0: it has passed. */
static int time_left(const struct events_query *q)
{
	int64_t now = now_ns();

	if (!q->has_until)
		return -1;
	if (q->until <= now)
		return 0;
	return (int) MIN((q->until - now) / 1000000 + 1, INT64_C(3600000));
}

static void drain(int fd)
{
	char events[4096];

	while (TEMP_FAILURE_RETRY(read(fd, events, sizeof(events))) > 0)
		;
}

static int follow(struct reader *r, int watch, int *fd, off_t *at)
{
	while (r->result == 0) {
		struct pollfd p = { .fd = watch, .events = POLLIN };
		int left = time_left(r->query);
		int k;

		/* Even with no time left: what came up to now. */
		if (poll(&p, 1, left) < 0 && errno != EINTR)
			return -errno;
		drain(watch);
		k = take_new(r, fd, at);
		if (k < 0 || left == 0)
			return k;
	}
	return 0;
}

/* The folder is watched, not the file, which may not be there yet. */
static int open_watch(struct engine *e, int *ret, struct err *err)
{
	_close_ int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	if (fd < 0 || inotify_add_watch(fd, e->root, IN_MODIFY | IN_CREATE) < 0)
		return err_errno(err, -errno, "cannot wait for events in '%s'", e->root);
	*ret = TAKE_FD(fd);
	return 0;
}

int events_read(struct engine *e, const struct events_query *query,
        int (*each)(void *data, struct json_object *message), void *data, struct err *err)
{
	_cleanup_(reader_done) struct reader r = {
		.e = e,
		.query = query,
		.each = each,
		.data = data,
		.line = BUF_INIT(EVENT_LINE_MAX),
		.learn_only = !query->has_since && !query->has_until,
	};
	_close_ int watch = -EBADF, fd = -EBADF;
	off_t at = 0;
	int k = open_watch(e, &watch, err);

	if (k < 0)
		return k;
	k = take_past(&r, &fd, &at);
	r.learn_only = false;
	if (k == 0 && r.result == 0)
		k = follow(&r, watch, &fd, &at);
	if (k < 0)
		return err_errno(err, k, "cannot read the events in '%s'", e->root);
	return r.result;
}
