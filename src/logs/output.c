/* SPDX-License-Identifier: Apache-2.0 */
#include "logs/reader_internal.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "logs/stamp.h"

enum { DETAILS_MAX = 8 << 20 };

void log_output_init(
        struct log_output *o, const struct log_read_options *options, const struct log_sink *sink)
{
	*o = (struct log_output){ .options = options,
		.sink = sink,
		.data = xmalloc(LOG_SINK_SIZE),
		.attrs = BUF_INIT(LOG_LINE_MAX),
		.details = BUF_INIT(DETAILS_MAX) };
}

void log_output_done(struct log_output *o)
{
	free(o->data);
	o->data = NULL;
	buf_done(&o->attrs);
	buf_done(&o->details);
}

int log_output_flush(struct log_output *o)
{
	size_t len = o->len;

	o->len = 0;
	return len > 0 ? o->sink->take(o->sink->arg, o->stream, o->data, len) : 0;
}

static int put(struct log_output *o, const char *data, size_t len)
{
	while (len > 0) {
		size_t n = MIN(len, LOG_SINK_SIZE - o->len);
		int r;

		memcpy(o->data + o->len, data, n);
		o->len += n;
		data += n;
		len -= n;
		r = o->len == LOG_SINK_SIZE ? log_output_flush(o) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

static int put_details(struct log_output *o, const struct log_record *record)
{
	bool same = o->details.len > 0 && o->attrs.len == record->attrs_len &&
	            (record->attrs_len == 0 ||
	                    memcmp(o->attrs.data, record->attrs, record->attrs_len) == 0);

	if (!same) {
		buf_clear(&o->attrs);
		buf_clear(&o->details);
		if (record->attrs_len > 0)
			(void) buf_add(&o->attrs, record->attrs, record->attrs_len);
		log_record_details(record->attrs, record->attrs_len, &o->details);
	}
	return put(o, buf_str(&o->details), o->details.len);
}

static int put_prefix(struct log_output *o, const struct log_record *record)
{
	char stamp[LOG_STAMP_SIZE];
	int r = 0;

	if (o->options->timestamps) {
		size_t len = log_stamp_fixed(record->time, stamp);

		stamp[len] = ' ';
		r = put(o, stamp, len + 1);
	}
	return r == 0 && o->options->details ? put_details(o, record) : r;
}

int log_output_record(struct log_output *o, const struct log_record *record)
{
	const char *text = record->text;
	size_t left = record->text_len, used;
	int r = 0;

	if (left == 0)
		return 0;
	if (o->stream != record->stream)
		r = log_output_flush(o); /* keeps the order of the streams on one terminal */
	o->stream = record->stream;
	if (r == 0 && !o->in_line[record->stream])
		r = put_prefix(o, record);
	while (r == 0 && left > 0) {
		if (LOG_SINK_SIZE - o->len < LOG_UNESCAPE_MAX)
			r = log_output_flush(o);
		if (r < 0)
			return r;
		o->len += log_unescape(text, left, &used, o->data + o->len, LOG_SINK_SIZE - o->len);
		o->in_line[record->stream] = o->data[o->len - 1] != '\n';
		text += used;
		left -= used;
	}
	return r;
}

int log_sink_fds(void *arg, enum log_stream stream, const char *data, size_t len)
{
	int fd = ((const int *) arg)[stream];

	while (len > 0 && fd >= 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EAGAIN) {
			/* somebody who shares the terminal made it non-blocking */
			struct pollfd p = { .fd = fd, .events = POLLOUT };

			(void) poll(&p, 1, -1);
			continue;
		}
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			data += n;
			len -= (size_t) n;
		}
	}
	return 0;
}
