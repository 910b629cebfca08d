/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of JSON in the file, and what happens when the file does not take them. */
#include "logs/writer_internal.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "logs/escape.h"
#include "logs/stamp.h"

/* A line without its text and attrs: {"log":"\n","stream":"stdout","attrs":,"time":"..."} and its
 * newline. */
enum { FRAME_MAX = 80 };
#define RETRY_WAIT (LOG_SECOND / 10)

static void trouble(struct log_writer *w, int error, int64_t wait)
{
	w->why = error == ENOSPC || error == EDQUOT ? LOG_DROP_DISK : LOG_DROP_IO;
	w->mono = w->clock(CLOCK_MONOTONIC);
	w->retry_at = w->mono + wait;
}

/* The file goes back to its last whole line; everything after it counts as dropped. */
static void roll_back(struct log_writer *w, int error)
{
	if (w->size > w->committed && ftruncate(w->fd, (off_t) w->committed) == 0) {
		w->size = w->committed;
	} else if (w->size > w->committed) {
		w->torn = true; /* the next line ends it first */
		w->committed = w->size;
	}
	w->out_len = 0;
	w->failed = true;
	trouble(w, error, RETRY_WAIT);
	log_drop(w, w->why, w->raw);
	w->raw = 0;
}

static bool write_out(struct log_writer *w)
{
	size_t done = 0;

	while (done < w->out_len) {
		ssize_t n = write(w->fd, w->out + done, w->out_len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			w->size += done;
			roll_back(w, n < 0 ? errno : EIO);
			return false;
		}
		done += (size_t) n;
	}
	w->size += done;
	w->out_len = 0;
	return true;
}

bool log_file_flush(struct log_writer *w)
{
	if (w->out_len == 0 && w->raw == 0)
		return true;
	if (!write_out(w))
		return false;
	w->committed = w->size;
	w->raw = 0;
	w->torn = false;
	return true;
}

/* --- one line --- */

static void put(struct log_writer *w, const char *data, size_t len)
{
	while (len > 0 && !w->failed) {
		size_t n = MIN(len, LOG_OUT_SIZE - w->out_len);

		memcpy(w->out + w->out_len, data, n);
		w->out_len += (uint32_t) n;
		data += n;
		len -= n;
		if (len > 0)
			(void) write_out(w);
	}
}

static void puts_(struct log_writer *w, const char *text)
{
	put(w, text, strlen(text));
}

static void put_escaped(struct log_writer *w, const char *text, size_t len)
{
	while (len > 0 && !w->failed) {
		size_t used;

		if (LOG_OUT_SIZE - w->out_len < LOG_ESCAPE_MAX && !write_out(w))
			return;
		w->out_len += (uint32_t) log_escape(
		        text, len, &used, w->out + w->out_len, LOG_OUT_SIZE - w->out_len);
		text += used;
		len -= used;
	}
}

static void put_time(struct log_writer *w, int64_t time)
{
	uint32_t ns;
	int64_t second = log_stamp_split(time, &ns);
	char fraction[12];

	if (second != w->stamp_second) {
		log_stamp_second(second, w->stamp);
		w->stamp_second = second;
	}
	puts_(w, w->stamp);
	put(w, fraction, log_stamp_fraction(ns, fraction));
}

static void put_line(struct log_writer *w, const struct log_line *line)
{
	static const char *const streams[] = { "\",\"stream\":\"stdout\"",
		"\",\"stream\":\"stderr\"" };

	puts_(w, "{\"log\":\"");
	put_escaped(w, line->text, line->len);
	if (line->newline)
		puts_(w, "\\n");
	puts_(w, streams[line->stream]);
	if (w->config.extra_len > 0) {
		puts_(w, ",\"attrs\":");
		put(w, w->config.extra, w->config.extra_len);
	}
	puts_(w, ",\"time\":\"");
	put_time(w, line->time);
	puts_(w, "\"}\n");
}

/* Makes sure that a line of at most 'most' bytes may be added to the file. */
static bool make_room(struct log_writer *w, const struct log_line *line, size_t most)
{
	uint64_t max = w->config.max_size, total = w->size + w->out_len;
	int r;

	if (max == 0 || total == 0 || total + most <= max)
		return true;
	most -= LOG_ESCAPE_MAX * line->len;
	if (total + most + log_escaped_len(line->text, line->len) <= max)
		return true;
	if (!log_file_flush(w))
		return false;
	r = log_file_rotate(w);
	if (r < 0)
		trouble(w, -r, LOG_SECOND);
	return r == 0;
}

void log_file_line(struct log_writer *w, const struct log_line *line)
{
	size_t most = LOG_ESCAPE_MAX * line->len + FRAME_MAX + w->config.extra_len;

	w->failed = true;
	if (w->retry_at > 0 && w->mono < w->retry_at) {
		log_drop(w, w->why, line->raw);
		return;
	}
	w->retry_at = 0;
	/* A line that may need more than one write has a buffer of its own, so that giving it up
	 * takes no other line along. */
	if (!make_room(w, line, most) || (w->out_len + most > LOG_OUT_SIZE && !log_file_flush(w))) {
		log_drop(w, w->why, line->raw);
		return;
	}
	w->failed = false;
	w->raw += line->raw;
	if (w->torn && w->out_len == 0)
		puts_(w, "\n");
	put_line(w, line);
}
