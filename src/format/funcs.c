/* SPDX-License-Identifier: Apache-2.0 */
#include "format/internal.h"

#include "base/str.h"
#include "format/clean.h"

#include <errno.h>

/* The functions of templates. */

enum { ELEMENT_COST = 96, PAD_MAX = 1000 };

static bool is_string(struct value v)
{
	return json_object_is_type(v.o, json_type_string);
}

/* Any text as bytes; "" for anything else. */
static const char *text_of(struct value v, size_t *ret_len)
{
	*ret_len = is_string(v) ? (size_t) json_object_get_string_len(v.o) : 0;
	return is_string(v) ? json_object_get_string(v.o) : "";
}

/* Fails when argument i is not of the type. */
static int want(struct exec *x, const struct term *at, const struct value *args, size_t i,
        enum json_type type, const char *name)
{
	if (json_object_is_type(args[i].o, type))
		return 0;
	return exec_fail(x, -EINVAL, at, "argument %zu must be %s, not %s", i + 1, name,
	        value_type(args[i].o));
}

static int want_text(struct exec *x, const struct term *at, const struct value *args, size_t i)
{
	return want(x, at, args, i, json_type_string, "a text");
}

static int want_integer(struct exec *x, const struct term *at, const struct value *args, size_t i)
{
	return want(x, at, args, i, json_type_int, "a whole number");
}

static int give_bool(struct exec *x, bool truth, struct value *ret)
{
	*ret = exec_own(x, json_object_new_boolean(truth));
	return 0;
}

static int give_integer(struct exec *x, int64_t i, struct value *ret)
{
	*ret = exec_own(x, json_object_new_int64(i));
	return 0;
}

/* --- truth and comparison ------------------------------------------------------------------ */

static int call_not(struct exec *x, const struct term *at, const struct value *args, size_t n,
        struct value *ret)
{
	return give_bool(x, !value_truth(args[0].o), ret);
}

static bool is_number(struct json_object *o)
{
	return json_object_is_type(o, json_type_int) || json_object_is_type(o, json_type_double);
}

static double number_of(struct json_object *o)
{
	return json_object_is_type(o, json_type_int) ? (double) value_integer(o)
	                                             : json_object_get_double(o);
}

/* Less than 0, 0, or more; for numbers and texts of one kind. *ret_unordered: a NaN is there. */
static int order(struct json_object *a, struct json_object *b, bool *ret_unordered)
{
	double x, y;

	*ret_unordered = false;
	if (json_object_is_type(a, json_type_string)) {
		int la = json_object_get_string_len(a), lb = json_object_get_string_len(b);
		int r = memcmp(
		        json_object_get_string(a), json_object_get_string(b), (size_t) MIN(la, lb));

		return r ? r : (la > lb) - (la < lb);
	}
	if (json_object_is_type(a, json_type_int) && json_object_is_type(b, json_type_int)) {
		__int128 i = value_integer(a), k = value_integer(b);

		return (i > k) - (i < k);
	}
	x = number_of(a);
	y = number_of(b);
	*ret_unordered = !(x < y) && !(x > y) && !(x == y);
	return (x > y) - (x < y);
}

static bool are_of_a_kind(struct json_object *a, struct json_object *b)
{
	return (is_number(a) && is_number(b)) || json_object_get_type(a) == json_object_get_type(b);
}

static int refuse_compound(struct exec *x, const struct term *at, struct value v)
{
	if (!json_object_is_type(v.o, json_type_array) &&
	        !json_object_is_type(v.o, json_type_object))
		return 0;
	return exec_fail(x, -EINVAL, at, "a value of type %s cannot be compared", value_type(v.o));
}

static int is_equal(
        struct exec *x, const struct term *at, struct value a, struct value b, bool *ret)
{
	bool unordered;
	int r = refuse_compound(x, at, b);

	if (r < 0)
		return r;
	if (!a.o || !b.o) {
		*ret = a.o == b.o;
		return 0;
	}
	if (!are_of_a_kind(a.o, b.o))
		return exec_fail(x, -EINVAL, at, "incompatible types for comparison: %s and %s",
		        value_type(a.o), value_type(b.o));
	if (json_object_is_type(a.o, json_type_boolean)) {
		*ret = json_object_get_boolean(a.o) == json_object_get_boolean(b.o);
		return 0;
	}
	*ret = order(a.o, b.o, &unordered) == 0 && !unordered;
	return 0;
}

static int call_eq(struct exec *x, const struct term *at, const struct value *args, size_t n,
        struct value *ret)
{
	bool same = false;
	int r = refuse_compound(x, at, args[0]);

	for (size_t i = 1; i < n && r == 0 && !same; i++)
		r = is_equal(x, at, args[0], args[i], &same);
	return r < 0 ? r : give_bool(x, same, ret);
}

static int call_ne(struct exec *x, const struct term *at, const struct value *args, size_t n,
        struct value *ret)
{
	int r = call_eq(x, at, args, n, ret);

	return r < 0 ? r : give_bool(x, !json_object_get_boolean(ret->o), ret);
}

/* Compares for the four functions below; *ret_unordered makes all of them false. */
static int compare(struct exec *x, const struct term *at, const struct value *args, int *ret,
        bool *ret_unordered)
{
	for (size_t i = 0; i < 2; i++)
		if (!is_number(args[i].o) && !is_string(args[i]))
			return exec_fail(x, -EINVAL, at,
			        "only numbers and texts have an order, not %s",
			        value_type(args[i].o));
	if (!are_of_a_kind(args[0].o, args[1].o))
		return exec_fail(x, -EINVAL, at, "incompatible types for comparison: %s and %s",
		        value_type(args[0].o), value_type(args[1].o));
	*ret = order(args[0].o, args[1].o, ret_unordered);
	return 0;
}

#define COMPARISON(name, op)                                                                       \
	static int call_##name(struct exec *x, const struct term *at, const struct value *args,    \
	        size_t n, struct value *ret)                                                       \
	{                                                                                          \
		bool unordered = false;                                                            \
		int c = 0, r = compare(x, at, args, &c, &unordered);                               \
		return r < 0 ? r : give_bool(x, !unordered && c op 0, ret);                        \
	}
COMPARISON(lt, <)
COMPARISON(le, <=)
COMPARISON(gt, >)
COMPARISON(ge, >=)

/* --- parts of values ----------------------------------------------------------------------- */

static int call_len(struct exec *x, const struct term *at, const struct value *args, size_t n,
        struct value *ret)
{
	struct json_object *o = args[0].o;

	if (is_string(args[0]))
		return give_integer(x, json_object_get_string_len(o), ret);
	if (json_object_is_type(o, json_type_array))
		return give_integer(x, (int64_t) json_object_array_length(o), ret);
	if (json_object_is_type(o, json_type_object))
		return give_integer(x, json_object_object_length(o), ret);
	return exec_fail(x, -EINVAL, at, "a value of type %s has no length", value_type(o));
}

/* Reads argument i as an index of at most 'max'. */
static int index_of(struct exec *x, const struct term *at, const struct value *args, size_t i,
        size_t max, size_t *ret)
{
	int r = want_integer(x, at, args, i);
	__int128 n;

	if (r < 0)
		return r;
	n = value_integer(args[i].o);
	if (n < 0 || n > (__int128) max)
		return exec_fail(x, -EINVAL, at, "index out of range: %lld",
		        (long long) json_object_get_int64(args[i].o));
	*ret = (size_t) n;
	return 0;
}

/* A map of texts, as labels are: what is not in it is "". */
static bool holds_texts(struct json_object *map)
{
	json_object_object_foreach(map, key, value)
	{
		(void) key;
		if (!json_object_is_type(value, json_type_string))
			return false;
	}
	return true;
}

static int index_map(
        struct exec *x, const struct term *at, const struct value *args, size_t i, struct value *v)
{
	static const struct buf empty = BUF_INIT(0);
	struct json_object *map = v->o, *member = NULL;
	int r = want_text(x, at, args, i);

	if (r < 0)
		return r;
	if (map && json_object_object_get_ex(map, json_object_get_string(args[i].o), &member)) {
		*v = (struct value){ .o = member };
		return 0;
	}
	*v = (struct value){ 0 };
	return !map || holds_texts(map) ? exec_text(x, at, &empty, true, v) : 0;
}

/* Applies argument i to the value. */
static int index_step(
        struct exec *x, const struct term *at, const struct value *args, size_t i, struct value *v)
{
	size_t k = 0, len;
	const char *text = NULL;
	int r;

	if (!v->o || json_object_is_type(v->o, json_type_object))
		return index_map(x, at, args, i, v);
	if (json_object_is_type(v->o, json_type_array)) {
		len = json_object_array_length(v->o);
	} else if (is_string(*v)) {
		text = text_of(*v, &len);
	} else {
		return exec_fail(
		        x, -EINVAL, at, "a value of type %s has no parts", value_type(v->o));
	}
	r = index_of(x, at, args, i, len, &k);
	if (r == 0 && k == len)
		r = exec_fail(x, -EINVAL, at, "index out of range: %zu", k);
	if (r < 0)
		return r;
	if (text)
		return give_integer(x, (unsigned char) text[k], v);
	*v = (struct value){ .o = json_object_array_get_idx(v->o, k) };
	return 0;
}

static int call_index(struct exec *x, const struct term *at, const struct value *args, size_t n,
        struct value *ret)
{
	int r = 0;

	*ret = args[0];
	for (size_t i = 1; i < n && r == 0; i++)
		r = index_step(x, at, args, i, ret);
	return r;
}

static int slice_list(struct exec *x, const struct term *at, struct json_object *list, size_t from,
        size_t to, struct value *ret)
{
	struct json_object *part;

	if ((to - from) * ELEMENT_COST > TEMPLATE_MEMORY_MAX - x->memory)
		return exec_fail(x, -EMSGSIZE, at, "the list is too long");
	x->memory += (to - from) * ELEMENT_COST;
	part = json_object_new_array();
	for (size_t i = from; i < to; i++)
		(void) json_object_array_add(
		        part, json_object_get(json_object_array_get_idx(list, i)));
	*ret = exec_own(x, part);
	return 0;
}

static int call_slice(struct exec *x, const struct term *at, const struct value *args, size_t n,
        struct value *ret)
{
	_buf_done_ struct buf part = exec_buf(x);
	bool text = is_string(args[0]);
	size_t bounds[3] = { 0, 0, 0 }, len, limit;
	const char *bytes = text_of(args[0], &len);
	int r = text ? 0 : want(x, at, args, 0, json_type_array, "a text or a list");

	if (r < 0)
		return r;
	if (n == 4 && text)
		return exec_fail(x, -EINVAL, at, "a text has no third index");
	limit = bounds[1] = text ? len : json_object_array_length(args[0].o);
	for (size_t i = 1; i < n; i++) {
		r = index_of(x, at, args, i, limit, &bounds[i - 1]);
		if (r < 0)
			return r;
	}
	if (bounds[0] > bounds[1] || (n == 4 && bounds[1] > bounds[2]))
		return exec_fail(x, -EINVAL, at, "invalid slice: index %zu > %zu",
		        bounds[bounds[0] <= bounds[1]], bounds[bounds[0] > bounds[1] ? 1 : 2]);
	if (!text)
		return slice_list(x, at, args[0].o, bounds[0], bounds[1], ret);
	(void) buf_add(&part, bytes + bounds[0], bounds[1] - bounds[0]);
	return exec_text(x, at, &part, args[0].safe, ret);
}

/* --- text ---------------------------------------------------------------------------------- */

static char upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char) (c - 32) : c;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char) (c + 32) : c;
}

/* Makes a text by a function of each byte and the one before it. */
static int map_text(struct exec *x, const struct term *at, const struct value *args,
        char (*change)(char c, char before), struct value *ret)
{
	_buf_done_ struct buf out = exec_buf(x);
	int r = want_text(x, at, args, 0);
	const char *s;
	size_t len;

	if (r < 0)
		return r;
	s = text_of(args[0], &len);
	for (size_t i = 0; i < len; i++)
		(void) buf_addc(&out, change(s[i], i ? s[i - 1] : ' '));
	return exec_text(x, at, &out, args[0].safe, ret);
}

static char change_lower(char c, char before)
{
	return lower(c);
}

static char change_upper(char c, char before)
{
	return upper(c);
}

/* A word begins behind whatever is not a letter, a digit or '_'. */
static char change_title(char c, char before)
{
	char b = lower(before);
	bool inside = (b >= 'a' && b <= 'z') || (b >= '0' && b <= '9') || b == '_' || (b & 0x80);

	return inside ? c : upper(c);
}

#define CHANGE(name)                                                                               \
	static int call_##name(struct exec *x, const struct term *at, const struct value *args,    \
	        size_t n, struct value *ret)                                                       \
	{                                                                                          \
		return map_text(x, at, args, change_##name, ret);                                  \
	}
CHANGE(lower)
CHANGE(upper)
CHANGE(title)

static int call_truncate(struct exec *x, const struct term *at, const struct value *args, size_t n,
        struct value *ret)
{
	_buf_done_ struct buf out = exec_buf(x);
	int r = want_text(x, at, args, 0);
	const char *s;
	size_t len, to = 0;

	if (r == 0)
		r = want_integer(x, at, args, 1);
	if (r < 0)
		return r;
	s = text_of(args[0], &len);
	if (value_integer(args[1].o) >= (__int128) len) {
		*ret = args[0];
		return 0;
	}
	r = index_of(x, at, args, 1, len, &to);
	if (r < 0)
		return r;
	/* Not in the middle of a character. */
	while (to > 0 && ((unsigned char) s[to] & 0xc0) == 0x80)
		to--;
	(void) buf_add(&out, s, to);
	return exec_text(x, at, &out, args[0].safe, ret);
}

static int call_pad(struct exec *x, const struct term *at, const struct value *args, size_t n,
        struct value *ret)
{
	_buf_done_ struct buf out = exec_buf(x);
	size_t before = 0, after = 0, len;
	const char *s = text_of(args[0], &len);
	int r = want_text(x, at, args, 0);

	if (r == 0)
		r = index_of(x, at, args, 1, PAD_MAX, &before);
	if (r == 0)
		r = index_of(x, at, args, 2, PAD_MAX, &after);
	if (r < 0)
		return r;
	if (len > 0)
		(void) buf_addf(&out, "%*s", (int) before, "");
	(void) buf_add(&out, s, len);
	if (len > 0)
		(void) buf_addf(&out, "%*s", (int) after, "");
	return exec_text(x, at, &out, args[0].safe, ret);
}

static int call_split(struct exec *x, const struct term *at, const struct value *args, size_t n,
        struct value *ret)
{
	struct json_object *list = json_object_new_array();
	size_t len, sep_len, cost;
	const char *s = text_of(args[0], &len), *sep = text_of(args[1], &sep_len), *end;
	int r = want_text(x, at, args, 0);
	uint32_t c;

	*ret = exec_own(x, list);
	if (r == 0)
		r = want_text(x, at, args, 1);
	for (; r == 0; s = end + sep_len) {
		size_t step = len ? utf8_decode(s, len, &c) : 0;

		if (sep_len > 0)
			end = memmem(s, len, sep, sep_len);
		else /* "" splits into characters */
			end = len > 0 ? s + (step ? step : 1) : NULL;
		if (!end && sep_len == 0)
			break;
		cost = (size_t) (end ? end - s : (ssize_t) len) + ELEMENT_COST;
		if (cost > TEMPLATE_MEMORY_MAX - x->memory)
			return exec_fail(x, -EMSGSIZE, at, "the list is too long");
		x->memory += cost;
		(void) json_object_array_add(
		        list, json_object_new_string_len(s, (int) (cost - ELEMENT_COST)));
		if (!end)
			break;
		len -= (size_t) (end - s) + sep_len;
	}
	return r;
}

/* Appends a value as %v. */
static int add_value(struct exec *x, struct buf *out, struct value v)
{
	const struct verb verb = { .letter = 'v', .clean = (x->flags & TEMPLATE_CLEAN) && !v.safe };

	return print_value(out, v.o, &verb);
}

static int call_join(struct exec *x, const struct term *at, const struct value *args, size_t n,
        struct value *ret)
{
	_buf_done_ struct buf out = exec_buf(x);
	int r = args[0].o ? want(x, at, args, 0, json_type_array, "a list") : 0;
	size_t count;

	if (r == 0)
		r = want_text(x, at, args, 1);
	count = r == 0 && args[0].o ? json_object_array_length(args[0].o) : 0;
	for (size_t i = 0; i < count && r == 0; i++) {
		struct value v = { .o = json_object_array_get_idx(args[0].o, i) };

		if (i > 0)
			(void) add_value(x, &out, args[1]);
		r = add_value(x, &out, v);
		if (r < 0)
			return exec_print_fail(x, r, at);
	}
	return r < 0 ? r : exec_text(x, at, &out, true, ret);
}

static int call_json(struct exec *x, const struct term *at, const struct value *args, size_t n,
        struct value *ret)
{
	_buf_done_ struct buf out = exec_buf(x);
	int r = json_write(&out, args[0].o, x->flags & TEMPLATE_SORT, -1);

	return r < 0 ? exec_print_fail(x, r, at) : exec_text(x, at, &out, true, ret);
}

/* Blanks stand between values that are not texts. */
static int call_print(struct exec *x, const struct term *at, const struct value *args, size_t n,
        struct value *ret)
{
	_buf_done_ struct buf out = exec_buf(x);
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++) {
		if (i > 0 && !is_string(args[i]) && !is_string(args[i - 1]))
			(void) buf_addc(&out, ' ');
		r = add_value(x, &out, args[i]);
	}
	return r < 0 ? exec_print_fail(x, r, at) : exec_text(x, at, &out, true, ret);
}

static int call_println(struct exec *x, const struct term *at, const struct value *args, size_t n,
        struct value *ret)
{
	_buf_done_ struct buf out = exec_buf(x);
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++) {
		if (i > 0)
			(void) buf_addc(&out, ' ');
		r = add_value(x, &out, args[i]);
	}
	(void) buf_addc(&out, '\n');
	return r < 0 ? exec_print_fail(x, r, at) : exec_text(x, at, &out, true, ret);
}

enum { ANY = TEMPLATE_ARGS_MAX + 1 };

static const struct func funcs[] = {
	{ "and", NULL, 1, ANY, FUNC_AND },
	{ "eq", call_eq, 2, ANY, 0 },
	{ "ge", call_ge, 2, 2, 0 },
	{ "gt", call_gt, 2, 2, 0 },
	{ "index", call_index, 1, ANY, 0 },
	{ "join", call_join, 2, 2, FUNC_HEADER },
	{ "json", call_json, 1, 1, FUNC_HEADER },
	{ "le", call_le, 2, 2, 0 },
	{ "len", call_len, 1, 1, 0 },
	{ "lower", call_lower, 1, 1, FUNC_HEADER },
	{ "lt", call_lt, 2, 2, 0 },
	{ "ne", call_ne, 2, 2, 0 },
	{ "not", call_not, 1, 1, 0 },
	{ "or", NULL, 1, ANY, FUNC_OR },
	{ "pad", call_pad, 3, 3, 0 },
	{ "print", call_print, 0, ANY, 0 },
	{ "printf", func_printf, 1, ANY, 0 },
	{ "println", call_println, 0, ANY, 0 },
	{ "slice", call_slice, 1, 4, 0 },
	{ "split", call_split, 2, 2, FUNC_HEADER },
	{ "title", call_title, 1, 1, FUNC_HEADER },
	{ "truncate", call_truncate, 2, 2, FUNC_HEADER },
	{ "upper", call_upper, 1, 1, FUNC_HEADER },
};

const struct func *func_find(const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(funcs); i++)
		if (strlen(funcs[i].name) == len && memcmp(funcs[i].name, name, len) == 0)
			return &funcs[i];
	return NULL;
}

void func_names(struct buf *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(funcs); i++)
		(void) buf_addf(out, "%s%s", i ? ", " : "", funcs[i].name);
}
