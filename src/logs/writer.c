/* SPDX-License-Identifier: Apache-2.0 */
#include "logs/writer.h"

#include <errno.h>
#include <string.h>

#include "base/fd.h"
#include "logs/escape.h"
#include "logs/stamp.h"
#include "logs/writer_internal.h"

static int64_t system_clock(clockid_t id)
{
	struct timespec t = { 0 };

	(void) clock_gettime(id, &t);
	return t.tv_sec * LOG_SECOND + t.tv_nsec;
}

_Static_assert(sizeof(struct log_writer) < 40 << 10, "the writer is too big");

int log_writer_open(struct log_writer *w, const struct log_config *config, int dirfd,
        int journal_fd, struct err *err)
{
	/* The large buffers are left alone: they need no value, and what is not touched costs no
	 * memory. */
	memset(w, 0, offsetof(struct log_writer, out));
	for (size_t i = 0; i < LOG_STREAM_N; i++)
		memset(&w->pending[i], 0, offsetof(struct log_pending, text));
	w->fd = -EBADF;
	if (log_config_check(config) < 0)
		return err_set(err, -EINVAL, "the log configuration has a value out of its range");
	w->config = *config;
	w->dirfd = dirfd;
	w->journal_fd = journal_fd;
	w->clock = system_clock;
	w->tokens = (int64_t) config->max_burst;
	w->tokens_at = w->clock(CLOCK_MONOTONIC);
	w->stamp_second = INT64_MIN;
	w->datagram_max = LOG_PART_MAX;
	return config->driver == LOG_DRIVER_JSON_FILE ? log_file_open(w, err) : 0;
}

/* --- what is dropped --- */

void log_drop(struct log_writer *w, enum log_drop why, uint64_t bytes)
{
	w->dropped[why] += bytes;
	w->dropped_total += bytes;
	if (w->mono == 0)
		w->mono = w->clock(CLOCK_MONOTONIC);
}

uint64_t log_writer_dropped(const struct log_writer *w)
{
	return w->dropped_total;
}

static bool has_dropped(const struct log_writer *w)
{
	for (size_t i = 0; i < LOG_DROP_N; i++)
		if (w->dropped[i] > 0)
			return true;
	return false;
}

/* Adds text at *len; the caller has room. */
static void add(char *out, size_t *len, const char *text)
{
	size_t n = strlen(text);

	memcpy(out + *len, text, n);
	*len += n;
}

/* "bulkhead: 4711 bytes of output were dropped: disk full", without the C library's formatting,
 * which would touch more memory than the rest of the writer. */
static size_t drop_text(char out[128], bool in_line, uint64_t bytes, enum log_drop why)
{
	static const char *const reasons[LOG_DROP_N] = {
		[LOG_DROP_DISK] = "disk full",
		[LOG_DROP_IO] = "the log cannot be written",
		[LOG_DROP_RATE] = "rate limit",
		[LOG_DROP_JOURNAL] = "the journal did not take them",
	};
	char digits[24];
	size_t len = 0, at = sizeof(digits) - 1;

	digits[at] = '\0';
	do {
		digits[--at] = (char) ('0' + bytes % 10);
		bytes /= 10;
	} while (bytes > 0);
	add(out, &len, in_line ? "\nbulkhead: " : "bulkhead: ");
	add(out, &len, digits + at);
	add(out, &len, " bytes of output were dropped: ");
	add(out, &len, reasons[why]);
	return len;
}

static void tell_one(struct log_writer *w, enum log_drop why)
{
	char text[128];
	uint64_t bytes = w->dropped[why];
	struct log_line line = { .stream = LOG_STDERR, .text = text, .newline = true };
	bool told;

	line.len = drop_text(text, w->pending[LOG_STDERR].continued, bytes, why);
	line.time = w->now++;
	w->dropped[why] = 0;
	if (w->config.driver == LOG_DRIVER_JSON_FILE) {
		log_file_line(w, &line);
		told = log_file_flush(w) && !w->failed;
	} else {
		told = log_journal_line(w, &line);
	}
	if (told)
		w->pending[LOG_STDERR].continued = false;
	else
		w->dropped[why] += bytes;
}

/* Tells what was dropped, if it is time and stderr is not in the middle of a line; always when
 * forced. w->mono and w->now are set. */
static void tell(struct log_writer *w, bool force)
{
	if (!has_dropped(w))
		return;
	if (force)
		w->retry_at = 0;
	else if (w->mono < w->report_at || w->mono < w->retry_at ||
	         w->pending[LOG_STDERR].continued)
		return;
	w->report_at = w->mono + LOG_SECOND;
	if (w->config.driver == LOG_DRIVER_JSON_FILE && !log_file_flush(w))
		return; /* what the file lacks is not known before */
	for (size_t i = 0; i < LOG_DROP_N; i++)
		if (w->dropped[i] > 0)
			tell_one(w, (enum log_drop) i);
}

/* --- the rate limit --- */

static void fill_bucket(struct log_writer *w)
{
	int64_t passed = w->mono - w->tokens_at, rate = (int64_t) w->config.max_rate;
	int64_t burst = (int64_t) w->config.max_burst, room = burst - w->tokens;
	__int128 more = (__int128) passed * rate / LOG_SECOND;

	if (passed <= 0)
		return;
	if (more >= room) {
		w->tokens = burst;
		w->tokens_at = w->mono;
		return;
	}
	/* The clock moves only by what whole bytes cost: fractions add up. */
	w->tokens += (int64_t) more;
	w->tokens_at += (int64_t) (more * LOG_SECOND / rate);
}

/* A line is let through when there is anything in the bucket, which may then owe: so a bucket
 * smaller than a line does not stop it for good. */
static bool rate_allows(struct log_writer *w, uint64_t bytes)
{
	if (w->config.max_rate == 0)
		return true;
	if (w->tokens <= 0)
		return false;
	w->tokens -= (int64_t) bytes + LOG_LINE_COST;
	return true;
}

/* --- lines --- */

static void emit(
        struct log_writer *w, enum log_stream stream, const char *text, size_t len, bool newline)
{
	struct log_pending *p = &w->pending[stream];
	struct log_line line = { stream, 0, text, len, newline, len + newline };

	if (!p->continued)
		p->time = w->now++;
	line.time = p->time;
	if (!rate_allows(w, line.raw)) {
		p->continued = !newline;
		log_drop(w, LOG_DROP_RATE, line.raw);
		return;
	}
	tell(w, false);
	p->continued = !newline;
	if (w->config.driver == LOG_DRIVER_JSON_FILE)
		log_file_line(w, &line);
	else
		(void) log_journal_line(w, &line);
}

static void append(struct log_pending *p, const char *data, size_t len)
{
	memcpy(p->text + p->len, data, len);
	p->len += (uint32_t) len;
}

/* Takes the beginning of data, up to a newline at most; returns how much. */
static size_t take(struct log_writer *w, enum log_stream stream, const char *data, size_t len)
{
	struct log_pending *p = &w->pending[stream];
	size_t n = MIN(len, (size_t) LOG_PART_MAX - p->len), cut;
	const char *newline = memchr(data, '\n', n);

	if (newline && p->len == 0) {
		emit(w, stream, data, (size_t) (newline - data), true);
		return (size_t) (newline - data) + 1;
	}
	if (newline) {
		append(p, data, (size_t) (newline - data));
		emit(w, stream, p->text, p->len, true);
		p->len = 0;
		return (size_t) (newline - data) + 1;
	}
	if (n == LOG_PART_MAX) {
		cut = log_cut_len(data, n);
		emit(w, stream, data, cut, false);
		return cut;
	}
	append(p, data, n);
	if (p->len == LOG_PART_MAX) {
		cut = log_cut_len(p->text, p->len);
		emit(w, stream, p->text, cut, false);
		memmove(p->text, p->text + cut, p->len - cut);
		p->len -= (uint32_t) cut;
	}
	return n;
}

static void read_clocks(struct log_writer *w)
{
	w->now = w->clock(CLOCK_REALTIME);
	w->mono = 0;
	if (w->config.max_rate > 0 || w->retry_at > 0 || has_dropped(w))
		w->mono = w->clock(CLOCK_MONOTONIC);
	if (w->config.max_rate > 0)
		fill_bucket(w);
}

static void flush(struct log_writer *w)
{
	if (w->config.driver == LOG_DRIVER_JSON_FILE)
		(void) log_file_flush(w);
}

void log_writer_write(struct log_writer *w, enum log_stream stream, const void *data, size_t len)
{
	const char *p = data;

	if (w->config.driver == LOG_DRIVER_NONE || (unsigned) stream >= LOG_STREAM_N)
		return;
	read_clocks(w);
	while (len > 0) {
		size_t n = take(w, stream, p, len);

		p += n;
		len -= n;
	}
	flush(w);
}

void log_writer_end(struct log_writer *w, enum log_stream stream)
{
	struct log_pending *p;

	if (w->config.driver == LOG_DRIVER_NONE || (unsigned) stream >= LOG_STREAM_N)
		return;
	p = &w->pending[stream];
	if (p->len == 0)
		return;
	read_clocks(w);
	emit(w, stream, p->text, p->len, false);
	p->len = 0;
	flush(w);
}

int log_writer_tick(struct log_writer *w)
{
	int64_t wait;

	if (!has_dropped(w))
		return -1;
	read_clocks(w);
	tell(w, false);
	if (!has_dropped(w))
		return -1;
	wait = MAX(w->report_at, w->retry_at) - w->mono;
	return wait <= 0 ? 1000 : (int) (MIN(wait, LOG_SECOND) / 1000000) + 1;
}

void log_writer_close(struct log_writer *w)
{
	if (w->clock) {
		log_writer_end(w, LOG_STDOUT);
		log_writer_end(w, LOG_STDERR);
	}
	if (w->clock && has_dropped(w)) {
		read_clocks(w);
		tell(w, true);
	}
	w->fd = fd_close(w->fd);
	w->config.driver = LOG_DRIVER_NONE;
}
