/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The structural check that runs before json-c: one pass, no recursion, memory only for keys.
 */
#include "json/json.h"

#include "base/str.h"

#include <errno.h>

struct key {
	const char *s; /* unescaped; in the document, or in the arena when it had escapes */
	size_t len;
};

struct level {
	bool is_object;
	size_t members;
	size_t first_key; /* index in check.keys */
};

struct check {
	const char *document;
	const unsigned char *start, *p, *end;
	const struct json_limits *limits;
	struct err *err;
	struct level levels[JSON_DEPTH_MAX];
	size_t depth;
	struct key *keys;
	size_t n_keys, size_keys;
	struct arena arena; /* unescaped keys */
};

enum { NUMBER_MAX = 128, FEW_KEYS = 16, KEY_SHOWN_MAX = 64 };

/* Fails at the byte 'at'; returns code. */
static int fail_at(struct check *c, const unsigned char *at, int code, const char *why)
{
	size_t line = 1, column = 1;

	for (const unsigned char *q = c->start; q < at; q++) {
		column = *q == '\n' ? 1 : column + 1;
		line += *q == '\n';
	}
	return err_set(
	        c->err, code, "%s: line %zu, column %zu: %s", c->document, line, column, why);
}

static int fail(struct check *c, const char *why)
{
	return fail_at(c, c->p, -EINVAL, c->p == c->end ? "the document ends too early" : why);
}

static void skip_blanks(struct check *c)
{
	while (c->p < c->end && (*c->p == ' ' || *c->p == '\n' || *c->p == '\t' || *c->p == '\r'))
		c->p++;
}

/* The byte at p, 0 at the end (a NUL in the document is an error wherever it stands). */
static unsigned char peek(const struct check *c)
{
	return c->p < c->end ? *c->p : 0;
}

static bool is_digit(unsigned char b)
{
	return b >= '0' && b <= '9';
}

/* Four hexadecimal digits at p, or -1. */
static int hex4(const unsigned char *p, const unsigned char *end)
{
	int n = 0;

	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		unsigned char b = p[i];

		if (is_digit(b))
			n = n * 16 + (b - '0');
		else if ((b | 0x20) >= 'a' && (b | 0x20) <= 'f')
			n = n * 16 + ((b | 0x20) - 'a' + 10);
		else
			return -1;
	}
	return n;
}

/* Reads \uXXXX, with its second half where it is a surrogate, at p (which is behind the 'u').
 * Returns the code point, 0 for one that we do not take; *ret_len is the number of bytes read. */
static uint32_t escaped_code_point(
        const unsigned char *p, const unsigned char *end, size_t *ret_len)
{
	int high = hex4(p, end), low;

	*ret_len = 4;
	if (high <= 0 || (high >= 0xdc00 && high <= 0xdfff))
		return 0;
	if (high < 0xd800 || high > 0xdbff)
		return (uint32_t) high;
	if (end - p < 10 || p[4] != '\\' || p[5] != 'u')
		return 0;
	low = hex4(p + 6, end);
	if (low < 0xdc00 || low > 0xdfff)
		return 0;
	*ret_len = 10;
	return 0x10000u + (((uint32_t) high - 0xd800u) << 10) + ((uint32_t) low - 0xdc00u);
}

static size_t utf8_encode(char *out, uint32_t code)
{
	if (code < 0x80) {
		out[0] = (char) code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (char) (0xc0 | code >> 6);
		out[1] = (char) (0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		out[0] = (char) (0xe0 | code >> 12);
		out[1] = (char) (0x80 | (code >> 6 & 0x3f));
		out[2] = (char) (0x80 | (code & 0x3f));
		return 3;
	}
	out[0] = (char) (0xf0 | code >> 18);
	out[1] = (char) (0x80 | (code >> 12 & 0x3f));
	out[2] = (char) (0x80 | (code >> 6 & 0x3f));
	out[3] = (char) (0x80 | (code & 0x3f));
	return 4;
}

/* Unescapes a checked string of len bytes; the result is never longer. */
static struct key unescape(struct check *c, const unsigned char *s, size_t len)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const unsigned char *end = s + len;
	char *out = arena_alloc(&c->arena, len + 1), *o = out;
	size_t used;

	while (s < end) {
		if (*s != '\\') {
			*o++ = (char) *s++;
		} else if (s[1] == 'u') {
			o += utf8_encode(o, escaped_code_point(s + 2, end, &used));
			s += 2 + used;
		} else {
			*o++ = to[strchr(from, s[1]) - from];
			s += 2;
		}
	}
	return (struct key){ out, (size_t) (o - out) };
}

/* Checks one escape at p (on the backslash) and steps over it. */
static int check_escape(struct check *c)
{
	unsigned char kind = c->end - c->p > 1 ? c->p[1] : 0;
	size_t used;

	if (kind == 'u') {
		if (escaped_code_point(c->p + 2, c->end, &used) == 0)
			return fail_at(c, c->p, -EINVAL,
			        "an escape that is no character (NUL and lone surrogates are not "
			        "taken)");
		c->p += 2 + used;
		return 0;
	}
	if (!kind || !strchr("\"\\/bfnrt", kind))
		return fail_at(c, c->p, -EINVAL, "an unknown escape in a string");
	c->p += 2;
	return 0;
}

/* Checks a string at p (on its quote) and steps over it. ret: where the text goes, may be NULL. */
static int check_string(struct check *c, struct key *ret)
{
	const unsigned char *first = ++c->p;
	bool escaped = false;
	size_t len;
	int r;

	while (c->p < c->end && *c->p != '"') {
		if (*c->p == '\\') {
			escaped = true;
			r = check_escape(c);
			if (r < 0)
				return r;
		} else if (*c->p >= 0x80) {
			len = str_utf8_length((const char *) c->p, (size_t) (c->end - c->p));
			if (len == 0)
				return fail(c, "a string is not valid UTF-8");
			c->p += len;
		} else if (*c->p < 0x20) {
			return fail(c, "a control character in a string");
		} else {
			c->p++;
		}
	}
	if (c->p >= c->end)
		return fail(c, "");
	len = (size_t) (c->p++ - first);
	if (len > c->limits->max_string)
		return fail_at(c, first, -EMSGSIZE, "a string is too long");
	if (ret)
		*ret = escaped ? unescape(c, first, len)
		               : (struct key){ (const char *) first, len };
	return 0;
}

/* Integers must be exact in 64 bits; json-c would saturate. */
static int check_integer(struct check *c, const unsigned char *first)
{
	bool negative = *first == '-', fits = true;
	uint64_t n = 0, max = negative ? UINT64_C(1) << 63 : UINT64_MAX;

	for (const unsigned char *q = first + negative; q < c->p && fits; q++)
		fits = !__builtin_mul_overflow(n, 10u, &n) &&
		       !__builtin_add_overflow(n, (uint64_t) (*q - '0'), &n);
	if (!fits || n > max)
		return fail_at(c, first, -EINVAL, "an integer does not fit into 64 bits");
	return 0;
}

static void skip_digits(struct check *c)
{
	while (is_digit(peek(c)))
		c->p++;
}

static int check_number(struct check *c)
{
	const unsigned char *first = c->p;
	bool integer = true;

	if (peek(c) == '-')
		c->p++;
	if (!is_digit(peek(c)))
		return fail(c, "a number without digits");
	if (*c->p == '0' && c->end - c->p > 1 && is_digit(c->p[1]))
		return fail(c, "a number with a leading zero");
	skip_digits(c);
	if (peek(c) == '.') {
		integer = false;
		c->p++;
		if (!is_digit(peek(c)))
			return fail(c, "a number without digits behind the point");
		skip_digits(c);
	}
	if (peek(c) == 'e' || peek(c) == 'E') {
		integer = false;
		c->p++;
		if (peek(c) == '+' || peek(c) == '-')
			c->p++;
		if (!is_digit(peek(c)))
			return fail(c, "a number without digits in its exponent");
		skip_digits(c);
	}
	if (c->p - first > NUMBER_MAX)
		return fail_at(c, first, -EMSGSIZE, "a number is too long");
	return integer ? check_integer(c, first) : 0;
}

static int check_word(struct check *c)
{
	static const char *const words[] = { "true", "false", "null" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		size_t len = strlen(words[i]);

		if ((size_t) (c->end - c->p) >= len && memcmp(c->p, words[i], len) == 0) {
			c->p += len;
			return 0;
		}
	}
	return fail(c, "this is not a JSON value");
}

static int key_compare(const void *a, const void *b)
{
	const struct key *x = a, *y = b;

	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	return memcmp(x->s, y->s, x->len);
}

/* Finds a key that stands twice among the keys of one object. Few keys are compared pairwise, many
 * are sorted, so that a hostile object costs n log n. */
static const struct key *find_twin(struct key *keys, size_t n)
{
	if (n > FEW_KEYS) {
		qsort(keys, n, sizeof(*keys), key_compare);
		for (size_t i = 1; i < n; i++)
			if (key_compare(&keys[i - 1], &keys[i]) == 0)
				return &keys[i];
		return NULL;
	}
	for (size_t i = 1; i < n; i++)
		for (size_t k = 0; k < i; k++)
			if (key_compare(&keys[i], &keys[k]) == 0)
				return &keys[i];
	return NULL;
}

static int open_level(struct check *c)
{
	if (c->depth >= c->limits->max_depth || c->depth >= JSON_DEPTH_MAX)
		return fail_at(c, c->p, -EMSGSIZE, "objects and arrays are nested too deeply");
	c->levels[c->depth++] = (struct level){ .is_object = *c->p == '{', .first_key = c->n_keys };
	c->p++;
	return 0;
}

/* The closing bracket is at p. */
static int close_level(struct check *c)
{
	const struct level *l = &c->levels[c->depth - 1];
	_buf_done_ struct buf why = BUF_INIT(1024);
	const struct key *twin = NULL;

	/* Without a key there may be no key array at all. */
	if (c->n_keys > l->first_key)
		twin = find_twin(c->keys + l->first_key, c->n_keys - l->first_key);
	if (twin) {
		(void) buf_adds(&why, "the key '");
		(void) str_escape(&why, twin->s, twin->len, KEY_SHOWN_MAX);
		(void) buf_adds(&why, "' stands twice in the object that ends here");
		return fail_at(c, c->p, -EINVAL, buf_str(&why));
	}
	c->n_keys = l->first_key;
	c->depth--;
	c->p++;
	return 0;
}

/* A value at p: scalars are stepped over, an object or array is opened. */
static int check_value(struct check *c)
{
	switch (peek(c)) {
	case '{':
	case '[':
		return open_level(c);
	case '"':
		return check_string(c, NULL);
	case '-':
	case '0' ... '9':
		return check_number(c);
	default:
		return check_word(c);
	}
}

/* A key with its colon. */
static int check_key(struct check *c)
{
	struct key key;
	int r;

	if (peek(c) != '"')
		return fail(c, "a key in quotes is missing");
	r = check_string(c, &key);
	if (r < 0)
		return r;
	if (c->n_keys == c->size_keys) {
		c->size_keys = c->size_keys ? 2 * c->size_keys : 64;
		c->keys = xrealloc_n(c->keys, c->size_keys, sizeof(*c->keys));
	}
	c->keys[c->n_keys++] = key;
	skip_blanks(c);
	if (peek(c) != ':')
		return fail(c, "':' is missing behind a key");
	c->p++;
	skip_blanks(c);
	return 0;
}

/* The next member of the innermost object or array, or its end. */
static int check_member(struct check *c)
{
	struct level *l = &c->levels[c->depth - 1];
	int r;

	skip_blanks(c);
	if (peek(c) == (l->is_object ? '}' : ']'))
		return close_level(c);
	if (l->members > 0) {
		if (peek(c) != ',')
			return fail(c,
			        l->is_object ? "',' or '}' is missing" : "',' or ']' is missing");
		c->p++;
		skip_blanks(c);
	}
	if (l->members++ >= c->limits->max_list)
		return fail_at(c, c->p, -EMSGSIZE, "an object or array has too many members");
	r = l->is_object ? check_key(c) : 0;
	return r < 0 ? r : check_value(c);
}

static int check_document(struct check *c)
{
	int r;

	skip_blanks(c);
	if (peek(c) != '{' && peek(c) != '[')
		return fail(c, "the document must be an object or an array");
	r = check_value(c);
	while (r == 0 && c->depth > 0)
		r = check_member(c);
	if (r < 0)
		return r;
	skip_blanks(c);
	return c->p == c->end ? 0 : fail(c, "there is something behind the end of the document");
}

int json_check(const char *document, const char *bytes, size_t len,
        const struct json_limits *limits, struct err *err)
{
	const unsigned char *start = (const unsigned char *) bytes;
	struct check c = {
		.document = document,
		.start = start,
		.p = start,
		.end = start + len,
		.limits = limits,
		.err = err,
	};
	int r;

	if (len > limits->max_bytes)
		return err_set(err, -EMSGSIZE, "%s: %zu bytes are more than the maximum of %zu",
		        document, len, limits->max_bytes);
	r = check_document(&c);
	free(c.keys);
	arena_done(&c.arena);
	return r;
}
