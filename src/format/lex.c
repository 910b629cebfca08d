/* SPDX-License-Identifier: Apache-2.0 */
#include "format/internal.h"

#include "base/str.h"
#include "format/clean.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

enum { NUMBER_MAX = 64 };

void text_position(const char *text, size_t pos, size_t *ret_line, size_t *ret_column)
{
	size_t line = 1, start = 0;

	for (size_t i = 0; i < pos; i++)
		if (text[i] == '\n') {
			line++;
			start = i + 1;
		}
	*ret_line = line;
	*ret_column = pos - start + 1;
}

int parse_fail(struct parser *p, int code, size_t pos, const char *fmt, ...)
{
	char text[ERR_TEXT_MAX];
	size_t line, column;
	va_list ap;

	va_start(ap, fmt);
	(void) vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	text_position(p->text, pos, &line, &column);
	return err_set(p->err, code, "template: %zu:%zu: %s", line, column, text);
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Letters are those of ASCII, and whatever is beyond ASCII. */
static bool is_name(char c)
{
	return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_' || (c & 0x80);
}

static int unexpected(struct parser *p, size_t pos)
{
	_buf_done_ struct buf shown = BUF_INIT(64);
	uint32_t c;
	size_t n = utf8_decode(p->text + pos, p->len - pos, &c);

	(void) format_clean(&shown, p->text + pos, n ? n : 1);
	return parse_fail(p, -EINVAL, pos, "unexpected '%s'", buf_str(&shown));
}

/* Reads the n hexadecimal digits of an escape. */
static bool hex_digits(const char *s, size_t len, size_t n, uint32_t *ret)
{
	static const char digits[] = "0123456789abcdef";
	uint32_t c = 0;

	if (n > len)
		return false;
	for (size_t i = 0; i < n; i++) {
		const char *d = s[i] ? strchr(digits, is_digit(s[i]) ? s[i] : s[i] | 0x20) : NULL;

		if (!d)
			return false;
		c = c << 4 | (uint32_t) (d - digits);
	}
	*ret = c;
	return true;
}

/* Reads what stands behind a backslash; returns how many bytes that was, 0 when it is no escape of
 * Go. */
static size_t unescape(const char *s, size_t len, char quote, struct buf *out)
{
	static const char names[] = "abfnrtv\\", values[] = "\a\b\f\n\r\t\v\\";
	const char *known = len && *s ? strchr(names, *s) : NULL;
	char utf8[8];
	uint32_t c;
	size_t n;

	if (known || (len && *s == quote)) {
		(void) buf_addc(out, known ? values[known - names] : quote);
		return 1;
	}
	if (len >= 3 && *s >= '0' && *s <= '3' && s[1] >= '0' && s[1] <= '7' && s[2] >= '0' &&
	        s[2] <= '7') {
		(void) buf_addc(out, (char) ((s[0] - '0') << 6 | (s[1] - '0') << 3 | (s[2] - '0')));
		return 3;
	}
	n = len == 0 ? 0 : *s == 'x' ? 2 : *s == 'u' ? 4 : *s == 'U' ? 8 : 0;
	if (n == 0 || !hex_digits(s + 1, len - 1, n, &c))
		return 0;
	if (n == 2) {
		(void) buf_addc(out, (char) c);
		return 3;
	}
	if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	(void) buf_add(out, utf8, utf8_encode(c, utf8));
	return n + 1;
}

/* Decodes the literal between two quotes; p->pos is behind the first one. */
static int quoted(struct parser *p, char quote, struct buf *out)
{
	size_t start = p->pos - 1;

	for (; p->pos < p->len && p->text[p->pos] != '\n'; p->pos++) {
		size_t n;

		if (p->text[p->pos] == quote) {
			p->pos++;
			return 0;
		}
		if (p->text[p->pos] != '\\') {
			(void) buf_addc(out, p->text[p->pos]);
			continue;
		}
		n = unescape(p->text + p->pos + 1, p->len - p->pos - 1, quote, out);
		if (n == 0)
			return parse_fail(p, -EINVAL, p->pos,
			        "there is no such escape in a literal; a backslash is written "
			        "twice");
		p->pos += n;
	}
	return parse_fail(p, -EINVAL, start, "the literal has no end");
}

struct json_object *template_keep(struct template *t, struct json_object *value)
{
	struct constant *c = arena_new(&t->arena, struct constant);

	c->value = value;
	c->next = t->constants;
	t->constants = c;
	return value;
}

static int string_token(struct parser *p, struct token *ret)
{
	_buf_done_ struct buf text = BUF_INIT((size_t) TEMPLATE_SIZE_MAX * 4);
	char quote = p->text[p->pos++];
	const char *end;
	uint32_t c = 0;
	int r;

	ret->type = TOKEN_CONSTANT;
	if (quote == '`') {
		end = memchr(p->text + p->pos, '`', p->len - p->pos);
		if (!end)
			return parse_fail(p, -EINVAL, p->pos - 1, "the literal has no end");
		(void) buf_add(&text, p->text + p->pos, (size_t) (end - p->text) - p->pos);
		p->pos = (size_t) (end - p->text) + 1;
	} else {
		r = quoted(p, quote, &text);
		if (r < 0)
			return r;
	}
	if (quote == '\'') {
		if (text.len == 0 || utf8_decode(text.data, text.len, &c) != text.len)
			return parse_fail(p, -EINVAL, ret->pos,
			        "'...' is one character; texts stand in \"...\"");
		ret->constant = template_keep(p->t, json_object_new_int64((int64_t) c));
		return 0;
	}
	ret->constant = template_keep(
	        p->t, json_object_new_string_len(buf_str(&text), (int) text.len));
	return 0;
}

/* Whole numbers: 12, 0x1f, 0o17, 017, 0b101. Returns -EINVAL when it is none. */
static int whole_number(const char *s, int64_t *ret)
{
	bool negative = *s == '-';
	uint64_t n = 0, base = 10;

	s += *s == '-' || *s == '+';
	if (s[0] == '0' && s[1]) {
		char kind = (char) (s[1] | 0x20);

		base = kind == 'x' ? 16 : kind == 'b' ? 2 : 8;
		s += kind == 'x' || kind == 'b' || kind == 'o' ? 2 : 1;
	}
	if (!*s)
		return -EINVAL;
	for (; *s; s++) {
		uint32_t digit = 0;

		if (!hex_digits(s, 1, 1, &digit) || digit >= base)
			return -EINVAL;
		if (__builtin_mul_overflow(n, base, &n) || __builtin_add_overflow(n, digit, &n))
			return -ERANGE;
	}
	if (n > (uint64_t) INT64_MAX + negative)
		return -ERANGE;
	*ret = negative ? (int64_t) -n : (int64_t) n;
	return 0;
}

/* 1.5, .5, 1e3, 1.5e-3; digits alone are none. */
static bool is_fraction(const char *s)
{
	size_t digits = 0;

	if (!strpbrk(s, ".eE"))
		return false;
	s += *s == '-' || *s == '+';
	for (; is_digit(*s); s++)
		digits++;
	if (*s == '.')
		for (s++; is_digit(*s); s++)
			digits++;
	if (digits == 0)
		return false;
	if ((*s | 0x20) == 'e') {
		s++;
		s += *s == '-' || *s == '+';
		if (!is_digit(*s))
			return false;
		while (is_digit(*s))
			s++;
	}
	return !*s;
}

static int number_token(struct parser *p, struct token *ret)
{
	char text[NUMBER_MAX] = "";
	size_t n = 0;
	int64_t whole;
	int r;

	/* All that may belong to a number, and a sign at the start or behind an exponent's letter.
	 */
	for (; p->pos + n < p->len; n++) {
		char c = p->text[p->pos + n], before = n ? p->text[p->pos + n - 1] : 'e';

		if (!is_name(c) && c != '.' && !((c == '-' || c == '+') && (before | 0x20) == 'e'))
			break;
	}
	ret->type = TOKEN_CONSTANT;
	if (n < sizeof(text)) {
		memcpy(text, p->text + p->pos, n);
		text[n] = '\0';
		r = whole_number(text, &whole);
		p->pos += n;
		if (r == 0)
			ret->constant = template_keep(p->t, json_object_new_int64(whole));
		else if (r == -EINVAL && is_fraction(text))
			ret->constant = template_keep(
			        p->t, json_object_new_double(strtod(text, NULL)));
		if (ret->constant)
			return 0;
	}
	return parse_fail(p, -EINVAL, ret->pos, "the number is malformed or too large");
}

/* Reads a name, and checks that something which can follow one follows. */
static int name_token(struct parser *p, struct token *ret)
{
	size_t start = p->pos;

	while (p->pos < p->len && is_name(p->text[p->pos]))
		p->pos++;
	if (p->pos < p->len && !is_space(p->text[p->pos]) && !strchr(".,|:=)(", p->text[p->pos]) &&
	        !str_has_prefix(p->text + p->pos, "}}"))
		return unexpected(p, p->pos);
	ret->name = arena_strndup(&p->t->arena, p->text + start, p->pos - start);
	return 0;
}

static int word_token(struct parser *p, struct token *ret)
{
	int r = name_token(p, ret);

	ret->type = TOKEN_WORD;
	if (r == 0 && (streq(ret->name, "true") || streq(ret->name, "false"))) {
		ret->type = TOKEN_CONSTANT;
		ret->constant = template_keep(p->t, json_object_new_boolean(*ret->name == 't'));
	} else if (r == 0 && streq(ret->name, "nil")) {
		ret->type = TOKEN_CONSTANT;
	}
	return r;
}

/* The tokens that are one or two signs. */
static bool sign_token(struct parser *p, struct token *ret)
{
	static const struct {
		const char *text;
		enum token_type type;
	} signs[] = {
		{ "}}", TOKEN_CLOSE },
		{ "|", TOKEN_BAR },
		{ ",", TOKEN_COMMA },
		{ ":=", TOKEN_DECLARE },
		{ "=", TOKEN_ASSIGN },
		{ "(", TOKEN_LEFT },
		{ ")", TOKEN_RIGHT },
	};

	for (size_t i = 0; i < ARRAY_SIZE(signs); i++)
		if (str_has_prefix(p->text + p->pos, signs[i].text)) {
			ret->type = signs[i].type;
			p->pos += strlen(signs[i].text);
			return true;
		}
	return false;
}

static int token_read(struct parser *p, struct token *ret)
{
	char c, after;

	if (sign_token(p, ret))
		return 0;
	c = p->text[p->pos];
	after = p->text[p->pos + 1]; /* the text ends with a NUL */
	if (c == '"' || c == '`' || c == '\'')
		return string_token(p, ret);
	if (is_digit(c) || ((c == '-' || c == '+') && (is_digit(after) || after == '.')) ||
	        (c == '.' && is_digit(after)))
		return number_token(p, ret);
	if (c == '.') {
		p->pos++;
		ret->type = is_name(after) ? TOKEN_FIELD : TOKEN_DOT;
		return ret->type == TOKEN_FIELD ? name_token(p, ret) : 0;
	}
	if (c == '$') {
		ret->type = TOKEN_VAR;
		p->pos++;
		return name_token(p, ret);
	}
	return is_name(c) ? word_token(p, ret) : unexpected(p, p->pos);
}

int token_next(struct parser *p, struct token *ret)
{
	size_t start = p->pos;
	int r;

	if (p->has_peeked) {
		p->has_peeked = false;
		*ret = p->peeked;
		return 0;
	}
	while (p->pos < p->len && is_space(p->text[p->pos]))
		p->pos++;
	*ret = (struct token){ .spaced = p->pos > start };
	if (ret->spaced && str_has_prefix(p->text + p->pos, "-}}")) {
		p->trim = true;
		p->pos++;
	}
	if (p->pos == p->len)
		return parse_fail(p, -EINVAL, start, "the text ends before '}}'");
	ret->pos = (uint32_t) p->pos;
	r = token_read(p, ret);
	ret->len = (uint32_t) p->pos - ret->pos;
	return r;
}

int token_peek(struct parser *p, struct token *ret)
{
	int r = token_next(p, ret);

	if (r < 0)
		return r;
	p->peeked = *ret;
	p->has_peeked = true;
	return 0;
}
