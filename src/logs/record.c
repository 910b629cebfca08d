/* SPDX-License-Identifier: Apache-2.0 */
#include "logs/record.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "logs/stamp.h"

/* --- scanning --- */

struct cursor {
	const char *p, *end;
};

struct span {
	const char *at;
	size_t len;
};

static void skip_blanks(struct cursor *c)
{
	while (c->p < c->end && (*c->p == ' ' || *c->p == '\t' || *c->p == '\r'))
		c->p++;
}

static bool skip_char(struct cursor *c, char want)
{
	skip_blanks(c);
	if (c->p == c->end || *c->p != want)
		return false;
	c->p++;
	return true;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The bytes of the escape at p, 0 when it is none. */
static size_t escape_len(const char *p, const char *end)
{
	if (end - p < 2)
		return 0;
	if (p[1] != 'u')
		return p[1] && strchr("\"\\/bfnrt", p[1]) ? 2 : 0;
	for (int i = 2; i < 6; i++)
		if (p + i >= end || hex_digit(p[i]) < 0)
			return 0;
	return 6;
}

/* The quote that ends the text at p, or NULL. memchr looks at many bytes at once, so it is asked
 * for the quote first and then for escapes before it. */
static const char *text_end(const char *p, const char *end)
{
	const char *quote = memchr(p, '"', (size_t) (end - p));

	while (quote) {
		const char *slash = memchr(p, '\\', (size_t) (quote - p));
		size_t n;

		if (!slash)
			return quote;
		n = escape_len(slash, end);
		if (n == 0)
			return NULL;
		p = slash + n;
		if (p > quote)
			quote = memchr(p, '"', (size_t) (end - p));
	}
	return NULL;
}

static bool get_text(struct cursor *c, struct span *ret)
{
	const char *end;

	if (!skip_char(c, '"'))
		return false;
	end = text_end(c->p, c->end);
	if (!end)
		return false;
	*ret = (struct span){ c->p, (size_t) (end - c->p) };
	c->p = end + 1;
	return true;
}

static bool skip_word(struct cursor *c)
{
	const char *start = c->p;

	while (c->p < c->end &&
	        ((*c->p >= '0' && *c->p <= '9') || (*c->p >= 'a' && *c->p <= 'z') || *c->p == 'E' ||
	                *c->p == '.' || *c->p == '-' || *c->p == '+'))
		c->p++;
	return c->p > start;
}

/* Any value: what it is does not matter. */
static bool skip_value(struct cursor *c, int depth)
{
	bool object;
	char close;
	struct span s;

	skip_blanks(c);
	if (c->p == c->end || depth > LOG_RECORD_DEPTH)
		return false;
	if (*c->p == '"')
		return get_text(c, &s);
	if (*c->p != '{' && *c->p != '[')
		return skip_word(c);
	object = *c->p++ == '{';
	close = object ? '}' : ']';
	if (skip_char(c, close))
		return true;
	do {
		if (object && (!get_text(c, &s) || !skip_char(c, ':')))
			return false;
		if (!skip_value(c, depth + 1))
			return false;
	} while (skip_char(c, ','));
	return skip_char(c, close);
}

static bool is(struct span s, const char *word, size_t len)
{
	return s.len == len && memcmp(s.at, word, len) == 0;
}

enum { HAS_STREAM = 1, HAS_TIME = 2 };

static bool get_member(struct cursor *c, struct log_record *r, unsigned *has)
{
	struct span key, value;

	if (!get_text(c, &key) || !skip_char(c, ':'))
		return false;
	if (is(key, "log", 3)) {
		if (!get_text(c, &value))
			return false;
		r->text = value.at;
		r->text_len = value.len;
		return true;
	}
	if (is(key, "stream", 6)) {
		*has |= HAS_STREAM;
		if (!get_text(c, &value) || (!is(value, "stdout", 6) && !is(value, "stderr", 6)))
			return false;
		r->stream = value.at[3] == 'o' ? LOG_STDOUT : LOG_STDERR;
		return true;
	}
	if (is(key, "time", 4)) {
		*has |= HAS_TIME;
		return get_text(c, &value) && log_stamp_parse(value.at, value.len, &r->time) == 0;
	}
	skip_blanks(c);
	key.len = is(key, "attrs", 5) && c->p < c->end && *c->p == '{';
	value.at = c->p;
	if (!skip_value(c, 1))
		return false;
	if (key.len) {
		r->attrs = value.at;
		r->attrs_len = (size_t) (c->p - value.at);
	}
	return true;
}

int log_record_scan(const char *line, size_t len, struct log_record *ret)
{
	struct cursor c = { line, line + len };
	struct log_record r = { .text = line };
	unsigned has = 0;

	if (!skip_char(&c, '{'))
		return -EINVAL;
	do {
		if (!get_member(&c, &r, &has))
			return -EINVAL;
	} while (skip_char(&c, ','));
	if (!skip_char(&c, '}') || has != (HAS_STREAM | HAS_TIME))
		return -EINVAL;
	skip_blanks(&c);
	if (c.p != c.end)
		return -EINVAL;
	*ret = r;
	return 0;
}

/* --- unescaping --- */

static uint32_t hex4(const char *p)
{
	uint32_t value = 0;

	for (int i = 0; i < 4; i++)
		value = value << 4 | (uint32_t) hex_digit(p[i]);
	return value;
}

static size_t put_utf8(char *out, uint32_t c)
{
	if (c < 0x80) {
		out[0] = (char) c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char) (0xc0 | c >> 6);
		out[1] = (char) (0x80 | (c & 63));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char) (0xe0 | c >> 12);
		out[1] = (char) (0x80 | (c >> 6 & 63));
		out[2] = (char) (0x80 | (c & 63));
		return 3;
	}
	out[0] = (char) (0xf0 | c >> 18);
	out[1] = (char) (0x80 | (c >> 12 & 63));
	out[2] = (char) (0x80 | (c >> 6 & 63));
	out[3] = (char) (0x80 | (c & 63));
	return 4;
}

/* Undoes the escape at p; returns the bytes written. */
static size_t put_escape(const char *p, size_t len, size_t *ret_used, char *out)
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	const char *known = memchr(from, p[1], 5);
	uint32_t c, low;

	*ret_used = 2;
	if (p[1] != 'u') {
		out[0] = known ? to[known - from] : p[1];
		return 1;
	}
	*ret_used = 6;
	c = hex4(p + 2);
	if (c < 0xd800 || c > 0xdfff)
		return put_utf8(out, c);
	if (c < 0xdc00 && len >= 12 && p[6] == '\\' && p[7] == 'u') {
		low = hex4(p + 8);
		if (low >= 0xdc00 && low <= 0xdfff) {
			*ret_used = 12;
			return put_utf8(out, 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00));
		}
	}
	return put_utf8(out, 0xfffd);
}

size_t log_unescape(const char *in, size_t len, size_t *ret_used, char *out, size_t room)
{
	size_t used = 0, put = 0;

	while (used < len && put < room) {
		const char *slash = memchr(in + used, '\\', len - used);
		size_t run = slash ? (size_t) (slash - in) - used : len - used, n;

		run = MIN(run, room - put);
		memcpy(out + put, in + used, run);
		put += run;
		used += run;
		if (used == len || in[used] != '\\' || room - put < LOG_UNESCAPE_MAX)
			break;
		put += put_escape(in + used, len - used, &n, out + put);
		used += n;
	}
	*ret_used = used;
	return put;
}

/* --- details --- */

/* As Go's url.QueryEscape. */
static void put_query(struct buf *out, const struct buf *text)
{
	for (size_t i = 0; i < text->len; i++) {
		char c = text->data[i];

		if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		        c == '-' || c == '_' || c == '.' || c == '~')
			(void) buf_addc(out, c);
		else if (c == ' ')
			(void) buf_addc(out, '+');
		else
			(void) buf_addf(out, "%%%02X", (unsigned) (uint8_t) c);
	}
}

static void put_span(struct buf *out, struct span s)
{
	_buf_done_ struct buf text = BUF_INIT(1 << 20);

	while (s.len > 0) {
		char part[256];
		size_t used, n = log_unescape(s.at, s.len, &used, part, sizeof(part));

		(void) buf_add(&text, part, n);
		s.at += used;
		s.len -= used;
	}
	put_query(out, &text);
}

static int compare(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

void log_record_details(const char *attrs, size_t len, struct buf *out)
{
	struct cursor c = { attrs, attrs ? attrs + len : attrs };
	char **list = NULL;
	struct span key, value;
	size_t n = 0;

	while (c.p < c.end && n < 256) {
		_buf_done_ struct buf pair = BUF_INIT(4 << 20);

		c.p++; /* '{' or ',' */
		if (!get_text(&c, &key) || !skip_char(&c, ':'))
			break;
		skip_blanks(&c);
		value.at = c.p;
		if (!skip_value(&c, 2))
			break;
		value.len = (size_t) (c.p - value.at);
		if (*value.at == '"') /* without the quotes; docker has only texts here */
			value = (struct span){ value.at + 1, value.len - 2 };
		else
			value.len = 0;
		put_span(&pair, key);
		(void) buf_addc(&pair, '=');
		put_span(&pair, value);
		list = xrealloc_n(list, n + 1, sizeof(*list));
		list[n++] = buf_take(&pair);
		skip_blanks(&c);
	}
	if (n > 1)
		qsort(list, n, sizeof(*list), compare);
	for (size_t i = 0; i < n; i++) {
		(void) buf_addf(out, "%s%s", i ? "," : "", list[i]);
		free(list[i]);
	}
	free(list);
	(void) buf_addc(out, ' ');
}
