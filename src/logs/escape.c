/* SPDX-License-Identifier: Apache-2.0 */
#include "logs/escape.h"

#include <stdbool.h>
#include <string.h>

/* What becomes of a byte at the beginning of a character. */
enum { PLAIN, HEX, SHORT, LEAD, BAD };
static const uint8_t kind_of[256] = {
	[0x00 ... 0x1f] = HEX,
	['\n'] = SHORT,
	['\r'] = SHORT,
	['"'] = SHORT,
	['\\'] = SHORT,
	['<'] = HEX,
	['>'] = HEX,
	['&'] = HEX,
	[0x80 ... 0xc1] = BAD,
	[0xc2 ... 0xf4] = LEAD,
	[0xf5 ... 0xff] = BAD,
};

static bool is_tail(char c)
{
	return ((uint8_t) c & 0xc0) == 0x80;
}

size_t log_character_len(const char *p, size_t len)
{
	uint8_t lead = len > 0 ? (uint8_t) p[0] : 0, second = len > 1 ? (uint8_t) p[1] : 0;
	size_t n = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;

	if (len < n || kind_of[lead] != LEAD)
		return 0;
	for (size_t i = 1; i < n; i++)
		if (!is_tail(p[i]))
			return 0;
	if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f) ||
	        (lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f))
		return 0;
	return n;
}

static size_t put_hex(char *out, const char *prefix, uint8_t value)
{
	static const char hex[] = "0123456789abcdef";

	memcpy(out, prefix, 4);
	out[4] = hex[value >> 4];
	out[5] = hex[value & 15];
	return 6;
}

static size_t put_short(char *out, char c)
{
	out[0] = '\\';
	out[1] = c == '\n' ? 'n' : c == '\r' ? 'r' : c;
	return 2;
}

/* Escapes the one character at p that is not plain; *ret_used is its length. */
static size_t put_special(const char *p, size_t len, size_t *ret_used, char *out)
{
	uint8_t c = (uint8_t) *p;

	*ret_used = 1;
	if (kind_of[c] == HEX)
		return put_hex(out, "\\u00", c);
	if (kind_of[c] == SHORT)
		return put_short(out, *p);
	if (kind_of[c] == LEAD) {
		size_t n = log_character_len(p, len);

		if (n > 0) {
			*ret_used = n;
			/* U+2028 and U+2029 end a line in JavaScript */
			if (n == 3 && memcmp(p, "\xe2\x80", 2) == 0 &&
			        ((uint8_t) p[2] & 0xfe) == 0xa8)
				return put_hex(out, "\\u20", 0x28 + ((uint8_t) p[2] & 1));
			memcpy(out, p, n);
			return n;
		}
	}
	return put_hex(out, "\\uff", 0xfd);
}

/* How many bytes of in[0..len) go out as they are. */
static size_t plain_run(const char *in, size_t len)
{
	size_t n = 0;

	while (n < len && kind_of[(uint8_t) in[n]] == PLAIN)
		n++;
	return n;
}

size_t log_escape(const char *in, size_t len, size_t *ret_used, char *out, size_t room)
{
	size_t used = 0, put = 0, n;

	while (used < len && put + LOG_ESCAPE_MAX <= room) {
		n = plain_run(in + used, MIN(len - used, room - put));
		memcpy(out + put, in + used, n);
		put += n;
		used += n;
		if (used == len || put + LOG_ESCAPE_MAX > room)
			break;
		put += put_special(in + used, len - used, &n, out + put);
		used += n;
	}
	*ret_used = used;
	return put;
}

size_t log_escaped_len(const char *in, size_t len)
{
	char scratch[LOG_ESCAPE_MAX];
	size_t used = 0, total = 0, n;

	while (used < len) {
		n = plain_run(in + used, len - used);
		total += n;
		used += n;
		if (used == len)
			break;
		total += put_special(in + used, len - used, &n, scratch);
		used += n;
	}
	return total;
}

size_t log_cut_len(const char *in, size_t len)
{
	for (size_t back = 1; back <= 3 && back <= len; back++) {
		uint8_t c = (uint8_t) in[len - back];
		size_t need = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

		if (is_tail((char) c))
			continue;
		return kind_of[c] == LEAD && need > back ? len - back : len;
	}
	return len;
}
