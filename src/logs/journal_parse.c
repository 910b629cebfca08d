/* SPDX-License-Identifier: Apache-2.0 */
#include "logs/journal_read.h"

#include "base/str.h"
#include "logs/stamp.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>

enum {
	BYTES_MAX = 2 << 20, /* a field, its name and length, and a piece that was read behind it */
	TEXT_MAX = 4 << 20,  /* escaped fields */
	LENGTH_SIZE = 8,
	MICRO = 1000,
	PRIORITY_ERROR = 3, /* what the writer gives to stderr */
};

void journal_parser_init(struct journal_parser *p, const struct log_read_options *options,
        const struct log_sink *sink)
{
	*p = (struct journal_parser){
		.options = options,
		.sink = sink,
		.bytes = BUF_INIT(BYTES_MAX),
		.message = BUF_INIT(JOURNAL_FIELD_MAX),
	};
}

static void forget_entry(struct journal_parser *p)
{
	buf_clear(&p->message);
	p->has_message = p->partial = false;
	p->stream = LOG_STDOUT;
	p->time = 0;
	p->details = strv_free(p->details);
}

void journal_parser_done(struct journal_parser *p)
{
	forget_entry(p);
	buf_done(&p->bytes);
	buf_done(&p->message);
}

/* --- an entry to the sink --------------------------------------------------------------------- */

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static void add_details(struct journal_parser *p, struct buf *out)
{
	size_t n = strv_len(p->details);

	if (n > 0)
		qsort(p->details, n, sizeof(*p->details), by_text);
	for (size_t i = 0; i < n; i++)
		(void) buf_addf(out, "%s%s", i > 0 ? "," : "", p->details[i]);
	(void) buf_addc(out, ' ');
}

static void add_prefix(struct journal_parser *p, struct buf *out)
{
	char stamp[LOG_STAMP_SIZE];

	if (p->options->timestamps) {
		(void) buf_add(out, stamp, log_stamp_fixed(p->time, stamp));
		(void) buf_addc(out, ' ');
	}
	if (p->options->details)
		add_details(p, out);
}

static int give_entry(struct journal_parser *p)
{
	_buf_done_ struct buf out = BUF_INIT(TEXT_MAX);

	if (p->time > p->options->until)
		p->ended = true;
	if (!p->has_message || p->ended || p->time < p->options->since)
		return 0;
	if (!p->in_line[p->stream])
		add_prefix(p, &out);
	(void) buf_add(&out, buf_str(&p->message), p->message.len);
	if (!p->partial)
		(void) buf_addc(&out, '\n');
	p->in_line[p->stream] = p->partial;
	return p->sink->take(p->sink->arg, p->stream, buf_str(&out), out.len);
}

/* --- fields ----------------------------------------------------------------------------------- */

static void take_message(struct journal_parser *p, const char *value, size_t len)
{
	buf_clear(&p->message);
	p->has_message = buf_add(&p->message, value, len) == 0;
}

static void take_priority(struct journal_parser *p, const char *value, size_t len)
{
	p->stream = len == 1 && *value == '0' + PRIORITY_ERROR ? LOG_STDERR : LOG_STDOUT;
}

static void take_partial(struct journal_parser *p, const char *value, size_t len)
{
	p->partial = len == 4 && memcmp(value, "true", 4) == 0;
}

static void take_time(struct journal_parser *p, const char *value, size_t len)
{
	_free_ char *text = xstrndup(value, len);
	int64_t micro;

	if (num_parse_i64(text, &micro) == 0 && micro >= 0 && micro <= INT64_MAX / MICRO)
		p->time = micro * MICRO;
}

static void ignore(struct journal_parser *p, const char *value, size_t len)
{
}

/* What is a detail: everything that the journal and the writer do not always send. */
static const struct field {
	const char *name;
	void (*take)(struct journal_parser *p, const char *value, size_t len);
} fields[] = {
	{ "MESSAGE", take_message },
	{ "PRIORITY", take_priority },
	{ "CONTAINER_PARTIAL_MESSAGE", take_partial },
	/* Behind each other in every entry: the sender's own time wins when it is there. */
	{ "__REALTIME_TIMESTAMP", take_time },
	{ "_SOURCE_REALTIME_TIMESTAMP", take_time },
	{ "CONTAINER_ID", ignore },
	{ "CONTAINER_ID_FULL", ignore },
	{ "CONTAINER_NAME", ignore },
	{ "CONTAINER_TAG", ignore },
	{ "IMAGE_NAME", ignore },
	{ "MESSAGE_ID", ignore },
	{ "SYSLOG_IDENTIFIER", ignore },
	{ "SYSLOG_FACILITY", ignore },
};

/* Escaped as in a URL, as the other reader does: no blank, comma or equals sign of a value can look
 * like ours. */
static void escape(const char *value, size_t len, struct buf *out)
{
	static const char plain[] =
	        "-_.~abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char) value[i];

		if (c && strchr(plain, c))
			(void) buf_addc(out, (char) c);
		else if (c == ' ')
			(void) buf_addc(out, '+');
		else
			(void) buf_addf(out, "%%%02X", c);
	}
}

static void take_detail(
        struct journal_parser *p, const char *name, size_t name_len, const char *value, size_t len)
{
	_buf_done_ struct buf text = BUF_INIT(TEXT_MAX);

	if (!p->options->details || *name == '_' || strv_len(p->details) >= JOURNAL_DETAILS_MAX)
		return;
	escape(name, name_len, &text);
	(void) buf_addc(&text, '=');
	escape(value, len, &text);
	if (buf_ok(&text))
		strv_add(&p->details, buf_str(&text));
}

static void take_field(
        struct journal_parser *p, const char *name, size_t name_len, const char *value, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (strlen(fields[i].name) == name_len &&
		        memcmp(fields[i].name, name, name_len) == 0) {
			fields[i].take(p, value, len);
			return;
		}
	take_detail(p, name, name_len, value, len);
}

/* --- bytes ------------------------------------------------------------------------------------ */

/* NAME, length, bytes. Returns what it takes up, 0: there is not all of it yet. */
static int take_binary(
        struct journal_parser *p, const char *at, size_t name_len, size_t len, size_t *ret_used)
{
	size_t head = name_len + 1 + LENGTH_SIZE;
	uint64_t size;

	*ret_used = 0;
	if (len < head)
		return 0;
	memcpy(&size, at + name_len + 1, sizeof(size));
	size = le64toh(size);
	if (size > JOURNAL_FIELD_MAX)
		return -EBADMSG;
	if (len < head + size + 1)
		return 0;
	if (at[head + size] != '\n')
		return -EBADMSG;
	take_field(p, at, name_len, at + head, size);
	*ret_used = head + size + 1;
	return 0;
}

/* One line, or a field with its bytes. */
static int take_one(struct journal_parser *p, const char *at, size_t len, size_t *ret_used)
{
	const char *end = memchr(at, '\n', len), *equals;
	int r;

	*ret_used = 0;
	if (!end)
		return 0;
	if (end == at) {
		r = give_entry(p);
		forget_entry(p);
		*ret_used = 1;
		return r;
	}
	equals = memchr(at, '=', (size_t) (end - at));
	if (!equals)
		return take_binary(p, at, (size_t) (end - at), len, ret_used);
	take_field(p, at, (size_t) (equals - at), equals + 1, (size_t) (end - equals - 1));
	*ret_used = (size_t) (end - at) + 1;
	return 0;
}

static void drop_front(struct buf *b, size_t n)
{
	if (n == 0)
		return;
	memmove(b->data, b->data + n, b->len - n);
	b->len -= n;
	b->data[b->len] = '\0';
}

int journal_parser_take(struct journal_parser *p, const char *data, size_t len)
{
	size_t at = 0, used = 1;
	int r = 0;

	if (buf_add(&p->bytes, data, len) < 0)
		return -EBADMSG; /* a field longer than any that is ours */
	while (r == 0 && used > 0 && !p->ended) {
		r = take_one(p, buf_str(&p->bytes) + at, p->bytes.len - at, &used);
		at += used;
	}
	drop_front(&p->bytes, at);
	return r;
}

int journal_parser_end(struct journal_parser *p)
{
	int r = give_entry(p);

	forget_entry(p);
	return r;
}
