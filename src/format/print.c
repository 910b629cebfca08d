/* SPDX-License-Identifier: Apache-2.0 */
#include "format/internal.h"

#include "format/clean.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Values as Go's fmt prints them: %v and the other verbs. */

enum { VALUE_DEPTH_MAX = 100 };

const char *value_type(struct json_object *o)
{
	static const struct {
		enum json_type type;
		const char *name;
	} names[] = {
		{ json_type_boolean, "bool" },
		{ json_type_double, "float64" },
		{ json_type_int, "int" },
		{ json_type_object, "map[string]interface {}" },
		{ json_type_array, "[]interface {}" },
		{ json_type_string, "string" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (json_object_get_type(o) == names[i].type)
			return names[i].name;
	return "<nil>";
}

struct member {
	const char *key;
	struct json_object *value;
};

static int compare_members(const void *a, const void *b)
{
	const struct member *x = a, *y = b;

	return strcmp(x->key, y->key);
}

struct json_object **sorted_members(struct json_object *o, const char ***ret_keys)
{
	size_t n = (size_t) json_object_object_length(o), i = 0;
	_free_ struct member *members = xnew_n(struct member, n + 1);
	struct json_object **values = xnew_n(struct json_object *, n + 1);
	const char **keys = xnew_n(const char *, n + 1);

	json_object_object_foreach(o, key, value)
	{
		members[i++] = (struct member){ .key = key, .value = value };
	}
	qsort(members, n, sizeof(*members), compare_members);
	for (i = 0; i < n; i++) {
		keys[i] = members[i].key;
		values[i] = members[i].value;
	}
	*ret_keys = keys;
	return values;
}

/* Appends n blanks or zeros. */
static int add_filling(struct buf *out, char c, size_t n)
{
	static const char blanks[] = "                                ";
	static const char zeros[] = "00000000000000000000000000000000";
	int r = 0;

	for (size_t part; n > 0 && r == 0; n -= part) {
		part = MIN(n, sizeof(blanks) - 1);
		r = buf_add(out, c == '0' ? zeros : blanks, part);
	}
	return r;
}

/* Appends text, padded to the verb's width. */
static int pad(struct buf *out, const char *text, size_t len, const struct verb *v)
{
	size_t count = v->width ? utf8_count(text, len) : 0, width = (size_t) v->width;
	size_t missing = width > count ? width - count : 0;
	int r = v->minus ? 0 : add_filling(out, v->zero ? '0' : ' ', missing);

	if (r == 0)
		r = buf_add(out, text, len);
	return r == 0 && v->minus ? add_filling(out, ' ', missing) : r;
}

static int print_bad(struct buf *out, struct json_object *o, const struct verb *v)
{
	static const struct verb plain = { .letter = 'v' };
	struct verb inner = plain;
	int r = buf_addf(out, "%%!%c(%s=", v->letter, value_type(o));

	inner.clean = v->clean;
	if (r == 0)
		r = print_value(out, o, &inner);
	return r < 0 ? r : buf_addc(out, ')');
}

/* A character that shows: what Go would not escape in %q, but for rare scripts. */
static bool is_printable(uint32_t c)
{
	static const struct {
		uint32_t first, last;
	} hidden[] = {
		{ 0, 0x1f },
		{ 0x7f, 0xa0 },
		{ 0xad, 0xad },
		{ 0x600, 0x605 },
		{ 0x61c, 0x61c },
		{ 0x180e, 0x180e },
		{ 0x1680, 0x1680 },
		{ 0x2000, 0x200f },
		{ 0x2028, 0x202f },
		{ 0x205f, 0x206f },
		{ 0x3000, 0x3000 },
		{ 0xd800, 0xf8ff },
		{ 0xfeff, 0xfeff },
		{ 0xfff0, 0xfffb },
		{ 0xfffe, 0xffff },
		{ 0xe0000, 0xe00ff },
		{ 0xe01f0, 0x10ffff },
	};

	for (size_t i = 0; i < ARRAY_SIZE(hidden); i++)
		if (c >= hidden[i].first && c <= hidden[i].last)
			return false;
	return true;
}

int print_quoted(struct buf *out, const char *s, size_t len)
{
	static const char special[] = "\a\b\f\n\r\t\v\\\"", names[] = "abfnrtv\\\"";
	int r = buf_addc(out, '"');

	for (size_t i = 0, n; i < len && r == 0; i += n) {
		uint32_t c = 0;
		const char *known = s[i] ? strchr(special, s[i]) : NULL;

		n = utf8_decode(s + i, len - i, &c);
		if (known)
			r = buf_addf(out, "\\%c", names[known - special]);
		else if (n == 0 || c < 0x20 || c == 0x7f)
			r = buf_addf(out, "\\x%02x", (unsigned char) s[i]);
		else if (is_printable(c))
			r = buf_add(out, s + i, n);
		else
			r = buf_addf(out, c > 0xffff ? "\\U%08x" : "\\u%04x", c);
		n = n ? n : 1;
	}
	return r < 0 ? r : buf_addc(out, '"');
}

/* A precision cuts texts to so many characters. */
static size_t cut(const char *s, size_t len, const struct verb *v)
{
	size_t i = 0;
	uint32_t c;

	if (!v->has_precision)
		return len;
	for (int n = 0; n < v->precision && i < len; n++) {
		size_t step = utf8_decode(s + i, len - i, &c);

		i += step ? step : 1;
	}
	return i;
}

static int print_string(struct buf *out, struct json_object *o, const struct verb *v)
{
	const char *s = json_object_get_string(o);
	size_t len = cut(s, (size_t) json_object_get_string_len(o), v);
	_buf_done_ struct buf text = BUF_INIT(out->max);

	if (v->letter == 'q') {
		(void) print_quoted(&text, s, len);
	} else if (v->letter == 'x' || v->letter == 'X') {
		for (size_t i = 0; i < len && buf_ok(&text); i++)
			(void) buf_addf(
			        &text, v->letter == 'x' ? "%02x" : "%02X", (unsigned char) s[i]);
	} else if (v->letter != 's' && v->letter != 'v') {
		return print_bad(out, o, v);
	} else if (v->clean) {
		(void) format_clean(&text, s, len);
	} else if (v->width == 0) {
		return buf_add(out, s, len);
	} else {
		return pad(out, s, len, v);
	}
	if (!buf_ok(&text)) {
		out->toobig = true;
		return -EMSGSIZE;
	}
	return pad(out, buf_str(&text), text.len, v);
}

/* The digits of a whole number, lowest last. */
static const char *whole_digits(__int128 i, unsigned int base, bool upper, char *end)
{
	unsigned __int128 n = i < 0 ? -(unsigned __int128) i : (unsigned __int128) i;

	do {
		*--end = (upper ? "0123456789ABCDEF" : "0123456789abcdef")[n % base];
		n /= base;
	} while (n);
	return end;
}

static int print_rune(struct buf *out, __int128 i, const struct verb *v)
{
	char utf8[8];
	uint32_t c = i < 0 || i > 0x10ffff || (i >= 0xd800 && i <= 0xdfff) ? 0xfffd : (uint32_t) i;
	size_t n = utf8_encode(c, utf8);
	_buf_done_ struct buf quoted = BUF_INIT(64);

	if (v->letter == 'q') {
		(void) print_quoted(&quoted, utf8, n);
		quoted.data[0] = quoted.data[quoted.len - 1] = '\'';
		return pad(out, quoted.data, quoted.len, v);
	}
	if (v->clean) {
		(void) format_clean(&quoted, utf8, n);
		return pad(out, buf_str(&quoted), quoted.len, v);
	}
	return pad(out, utf8, n, v);
}

static int print_int(struct buf *out, struct json_object *o, const struct verb *v)
{
	static const struct {
		char letter;
		unsigned char base;
		const char *prefix;
	} bases[] = {
		{ 'v', 10, "" },
		{ 'd', 10, "" },
		{ 'x', 16, "0x" },
		{ 'X', 16, "0X" },
		{ 'o', 8, "0" },
		{ 'b', 2, "0b" },
	};
	__int128 i = value_integer(o);
	char digits[72], *end = digits + sizeof(digits) - 1;
	struct verb plain = *v;

	if (v->letter == 'c' || v->letter == 'q')
		return print_rune(out, i, v);
	for (size_t k = 0; k < ARRAY_SIZE(bases); k++) {
		_buf_done_ struct buf text = BUF_INIT(
		        (size_t) v->width + (size_t) v->precision + 128);
		const char *s;
		size_t sign, len;

		if (bases[k].letter != v->letter)
			continue;
		*end = '\0';
		s = whole_digits(i, bases[k].base, v->letter == 'X', end);
		len = (size_t) (end - s);
		(void) buf_adds(&text, i < 0 ? "-" : v->plus ? "+" : v->space ? " " : "");
		sign = text.len;
		if (v->sharp)
			(void) buf_adds(&text, bases[k].prefix);
		/* Zeros stand between the sign and the digits. */
		for (; v->has_precision && len < (size_t) v->precision; len++)
			(void) buf_addc(&text, '0');
		for (; v->zero && !v->minus && !v->has_precision && len + sign < (size_t) v->width;
		        len++)
			(void) buf_addc(&text, '0');
		if (i != 0 || !v->has_precision || v->precision > 0)
			(void) buf_adds(&text, s);
		plain.zero = false;
		return pad(out, buf_str(&text), text.len, &plain);
	}
	return print_bad(out, o, v);
}

static int print_float(struct buf *out, struct json_object *o, const struct verb *v)
{
	double d = json_object_get_double(o);
	_buf_done_ struct buf text = BUF_INIT(2048);
	int precision = v->has_precision ? MIN(v->precision, 1000) : 6;

	if (v->plus || v->space)
		(void) buf_adds(&text, d < 0 ? "" : v->plus ? "+" : " ");
	if (v->letter == 'e' || v->letter == 'E')
		(void) buf_addf(&text, v->letter == 'e' ? "%.*e" : "%.*E", precision, d);
	else if (v->letter == 'f' || v->letter == 'F')
		(void) buf_addf(&text, "%.*f", precision, d);
	else if (v->letter != 'g' && v->letter != 'G' && v->letter != 'v')
		return print_bad(out, o, v);
	else if (v->has_precision)
		(void) buf_addf(&text, v->letter == 'G' ? "%.*G" : "%.*g", precision, d);
	else
		(void) print_double(&text, d);
	for (char *s = text.data; v->letter == 'G' && s && *s; s++)
		*s = *s == 'e' ? 'E' : *s;
	return pad(out, buf_str(&text), text.len, v);
}

static int print_nested(struct buf *out, struct json_object *o, const struct verb *v, int depth);

static int print_list(struct buf *out, struct json_object *o, const struct verb *v, int depth)
{
	size_t n = json_object_array_length(o);
	int r = buf_addc(out, '[');

	for (size_t i = 0; i < n && r == 0; i++) {
		if (i > 0)
			(void) buf_addc(out, ' ');
		r = print_nested(out, json_object_array_get_idx(o, i), v, depth + 1);
	}
	return r < 0 ? r : buf_addc(out, ']');
}

static int print_key(struct buf *out, const char *key, const struct verb *v)
{
	struct json_object *o = json_object_new_string(key);
	int r = print_string(out, o, v);

	(void) json_object_put(o);
	return r;
}

static int print_map(struct buf *out, struct json_object *o, const struct verb *v, int depth)
{
	_free_ const char **keys = NULL;
	_free_ struct json_object **values = sorted_members(o, &keys);
	int r = buf_adds(out, "map[");

	for (size_t i = 0; keys[i] && r == 0; i++) {
		if (i > 0)
			(void) buf_addc(out, ' ');
		r = print_key(out, keys[i], v);
		if (r == 0)
			r = buf_addc(out, ':');
		if (r == 0)
			r = print_nested(out, values[i], v, depth + 1);
	}
	return r < 0 ? r : buf_addc(out, ']');
}

static int print_nested(struct buf *out, struct json_object *o, const struct verb *v, int depth)
{
	if (depth > VALUE_DEPTH_MAX)
		return -ELOOP;
	switch (json_object_get_type(o)) {
	case json_type_array:
		return print_list(out, o, v, depth);
	case json_type_object:
		return print_map(out, o, v, depth);
	case json_type_string:
		return print_string(out, o, v);
	case json_type_int:
		return print_int(out, o, v);
	case json_type_double:
		return print_float(out, o, v);
	case json_type_boolean:
		if (v->letter != 't' && v->letter != 'v')
			return print_bad(out, o, v);
		return pad(out, json_object_get_boolean(o) ? "true" : "false",
		        json_object_get_boolean(o) ? 4 : 5, v);
	default: /* null */
		if (depth == 0 && v->letter != 'v')
			return buf_addf(out, "%%!%c(<nil>)", v->letter);
		return pad(out, "<nil>", 5, v);
	}
}

int print_value(struct buf *out, struct json_object *o, const struct verb *v)
{
	return print_nested(out, o, v, 0);
}
