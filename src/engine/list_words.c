/* SPDX-License-Identifier: Apache-2.0 */
/* Docker's words for containers. Pure. */
#include "engine/list.h"

#include "base/buf.h"
#include "base/str.h"
#include "format/clean.h"
#include "format/units.h"

enum { WORDS_MAX = 1 << 20 };

/* --- STATUS ----------------------------------------------------------------------------------- */

static char *up_for(const struct container *c, int64_t now)
{
	const struct record *r = &c->record;
	char time[FORMAT_UNIT_SIZE];

	format_duration(time, now - r->started / 1000000000);
	if (streq(container_status(c), "paused"))
		return xprintf("Up %s (Paused)", time);
	if (r->health == RECORD_HEALTH_NONE)
		return xprintf("Up %s", time);
	return xprintf("Up %s (%s%s)", time, r->health == RECORD_HEALTH_STARTING ? "health: " : "",
	        record_health_name(r->health));
}

char *list_status(const struct container *c, int64_t now)
{
	const struct record *r = &c->record;
	const char *status = container_status(c);
	char time[FORMAT_UNIT_SIZE];

	format_duration(time, now - r->finished / 1000000000);
	if (container_is_running(c))
		return up_for(c, now);
	if (streq(status, "restarting"))
		return xprintf("Restarting (%d) %s ago", r->exit_code, time);
	if (streq(status, "removing"))
		return xstrdup("Removal In Progress");
	if (streq(status, "dead"))
		return xstrdup("Dead");
	if (streq(status, "created") || r->started == 0)
		return xstrdup("Created");
	return xprintf("Exited (%d) %s ago", r->exit_code, time);
}

/* --- cutting ---------------------------------------------------------------------------------- */

struct range {
	uint32_t first, last;
};

static bool is_in(uint32_t c, const struct range *ranges, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	return false;
}

/* Characters that take two columns (East Asian wide and full-width forms). */
static size_t columns_of(uint32_t c)
{
	static const struct range wide[] = { { 0x1100, 0x115f }, { 0x2e80, 0x303e },
		{ 0x3041, 0x33ff }, { 0x3400, 0x4dbf }, { 0x4e00, 0x9fff }, { 0xa000, 0xa4cf },
		{ 0xac00, 0xd7a3 }, { 0xf900, 0xfaff }, { 0xfe30, 0xfe6f }, { 0xff01, 0xff60 },
		{ 0xffe0, 0xffe6 }, { 0x1f300, 0x1f64f }, { 0x1f680, 0x1f6ff },
		{ 0x1f900, 0x1f9ff }, { 0x20000, 0x3fffd } };

	return is_in(c, wide, ARRAY_SIZE(wide)) ? 2 : 1;
}

/* The character at s; a byte that is not UTF-8 is one by itself, and *ret U+FFFD. */
static size_t next_character(const char *s, size_t len, uint32_t *ret)
{
	size_t n = utf8_decode(s, len, ret);

	if (n > 0)
		return n;
	*ret = 0xfffd;
	return 1;
}

char *list_cut(const char *text, size_t width)
{
	size_t len = strlen(text), used = 0, fits = 0;

	for (size_t i = 0; i < len;) {
		uint32_t c;
		size_t n = next_character(text + i, len - i, &c);

		used += columns_of(c);
		i += n;
		if (used <= width - 1)
			fits = i;
		if (used > width)
			return xprintf("%.*s\xe2\x80\xa6", (int) fits, text);
	}
	return xstrdup(text);
}

/* --- quoting ---------------------------------------------------------------------------------- */

/* Not all that Unicode calls unprintable, but what is invisible, moves, or turns the direction. */
static bool is_printable(uint32_t c)
{
	static const struct range not [] = { { 0x00, 0x1f }, { 0x7f, 0xa0 }, { 0xad, 0xad },
		{ 0x61c, 0x61c }, { 0x180e, 0x180e }, { 0x2000, 0x200f }, { 0x2028, 0x202f },
		{ 0x205f, 0x206f }, { 0x3000, 0x3000 }, { 0xd800, 0xf8ff }, { 0xfeff, 0xfeff },
		{ 0xfff0, 0xfffb }, { 0xfffe, 0xffff }, { 0xe0000, 0x10ffff } };

	return !is_in(c, not, ARRAY_SIZE(not ));
}

static void quote(struct buf *out, const char *s, size_t n, uint32_t c)
{
	static const char from[] = "\a\b\f\n\r\t\v\"\\", to[] = "abfnrtv\"\\";
	const char *short_form = c > 0 && c < 0x80 ? strchr(from, (int) c) : NULL;

	if (short_form)
		(void) buf_addf(out, "\\%c", to[short_form - from]);
	else if (is_printable(c))
		(void) buf_add(out, s, n);
	else if (c < 0x80)
		(void) buf_addf(out, "\\x%02x", c);
	else if (c <= 0xffff)
		(void) buf_addf(out, "\\u%04x", c);
	else
		(void) buf_addf(out, "\\U%08x", c);
}

char *list_quoted(const char *text)
{
	struct buf out = BUF_INIT(WORDS_MAX);
	size_t len = strlen(text);

	(void) buf_addc(&out, '"');
	for (size_t i = 0; i < len;) {
		uint32_t c;
		size_t n = utf8_decode(text + i, len - i, &c);

		if (n == 0)
			(void) buf_addf(&out, "\\x%02x", (unsigned char) text[i]);
		else
			quote(&out, text + i, n, c);
		i += MAX(n, 1u);
	}
	(void) buf_addc(&out, '"');
	return buf_take(&out);
}
