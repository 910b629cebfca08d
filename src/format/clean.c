/* SPDX-License-Identifier: Apache-2.0 */
#include "format/clean.h"

size_t utf8_decode(const char *s, size_t len, uint32_t *ret)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *u = (const unsigned char *) s;
	uint32_t c;
	size_t n;

	if (len == 0)
		return 0;
	if (u[0] < 0x80) {
		*ret = u[0];
		return 1;
	}
	n = u[0] >= 0xf0 ? 4 : u[0] >= 0xe0 ? 3 : 2;
	if (u[0] < 0xc2 || u[0] > 0xf4 || n > len)
		return 0;
	c = u[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((u[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (u[i] & 0x3f);
	}
	/* Too long a form, a surrogate, or beyond the last character. */
	if (c < least[n] || (c >= 0xd800 && c <= 0xdfff) || c > 0x10ffff)
		return 0;
	*ret = c;
	return n;
}

size_t utf8_encode(uint32_t c, char out[4])
{
	static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	for (size_t i = n - 1; i > 0; i--, c >>= 6)
		out[i] = (char) (0x80 | (c & 0x3f));
	out[0] = (char) (lead[n] | c);
	return n;
}

size_t utf8_count(const char *s, size_t len)
{
	size_t count = 0;
	uint32_t c;

	for (size_t i = 0; i < len; count++) {
		size_t n = utf8_decode(s + i, len - i, &c);

		i += n ? n : 1;
	}
	return count;
}

static bool is_unsafe(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069);
}

int format_clean(struct buf *out, const char *s, size_t len)
{
	int r = 0;

	for (size_t i = 0; i < len && r == 0;) {
		uint32_t c = 0;
		size_t n = utf8_decode(s + i, len - i, &c), end = i + (n ? n : 1);

		if (n > 0 && !is_unsafe(c)) {
			r = buf_add(out, s + i, n);
			i = end;
		}
		for (; i < end && r == 0; i++)
			r = buf_addf(out, "\\x%02x", (unsigned char) s[i]);
	}
	return r;
}
