/* SPDX-License-Identifier: Apache-2.0 */
#include "testkit.h"

#include "base/str.h"
#include "json/json.h"

#include <errno.h>

static const struct json_limits limits = {
	.max_bytes = 4 << 20,
	.max_depth = 8,
	.max_list = 200000,
	.max_string = 1 << 16,
};

static int parse_code(const char *text, size_t len, struct err *err)
{
	_json_put_ struct json_object *object = NULL;

	*err = (struct err){ 0 };
	return json_parse_bounded("doc", text, len, &limits, &object, err);
}

static void accepted_documents_parse(void **state)
{
	static const char *const good[] = {
		"{}",
		"[]",
		" \t\r\n{ } \n",
		"{\"a\":1,\"b\":[true,false,null],\"c\":{\"a\":2}}",
		"[0,-0,1,-1,1.5,1e3,1E+3,-0.0e-2,18446744073709551615,-9223372036854775808]",
		"[\"\",\"\\\"\\\\\\/\\b\\f\\n\\r\\t\",\"\\u0041\\ud83d\\ude00\",\"\xc3\xa4\xf0\x9f\x98\x80\"]",
		"{\"\":1,\"\\u0061\":2,\"b\":3}",
		"[[[[[[[1]]]]]]]",
		"[[[[[[[[]]]]]]]]",
		"{\"a\":{\"a\":{\"a\":{}}},\"b\":{\"a\":1}}",
		"[\"\x7f\"]",
	};
	struct err err;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		int r = parse_code(good[i], strlen(good[i]), &err);

		if (r < 0)
			print_error("%s: %s\n", good[i], err.text);
		assert_int_equal(r, 0);
	}
}

static void bad_documents_are_refused_with_a_reason(void **state)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
		{ "", "ends too early" },
		{ "  ", "ends too early" },
		{ "{", "ends too early" },
		{ "{\"a\"", "ends too early" },
		{ "{\"a\":", "ends too early" },
		{ "[\"a", "ends too early" },
		{ "[1,", "ends too early" },
		{ "1", "must be an object or an array" },
		{ "\"a\"", "must be an object or an array" },
		{ "null", "must be an object or an array" },
		{ "\xef\xbb\xbf{}", "must be an object or an array" },
		{ "{} x", "behind the end" },
		{ "{}{}", "behind the end" },
		{ "[1,]", "not a JSON value" },
		{ "[,1]", "not a JSON value" },
		{ "[1 2]", "',' or ']' is missing" },
		{ "[1}", "',' or ']' is missing" },
		{ "{\"a\":1,}", "a key in quotes is missing" },
		{ "{a:1}", "a key in quotes is missing" },
		{ "{'a':1}", "a key in quotes is missing" },
		{ "{\"a\" 1}", "':' is missing" },
		{ "{\"a\":1]", "',' or '}' is missing" },
		{ "[tru]", "not a JSON value" },
		{ "[True]", "not a JSON value" },
		{ "[nan]", "not a JSON value" },
		{ "[NaN]", "not a JSON value" },
		{ "[Infinity]", "not a JSON value" },
		{ "[-Infinity]", "without digits" },
		{ "[/* c */1]", "not a JSON value" },
		{ "[+1]", "not a JSON value" },
		{ "[01]", "leading zero" },
		{ "[-01]", "leading zero" },
		{ "[0x10]", "',' or ']' is missing" },
		{ "[.5]", "not a JSON value" },
		{ "[1.]", "behind the point" },
		{ "[1e]", "exponent" },
		{ "[18446744073709551616]", "64 bits" },
		{ "[99999999999999999999999]", "64 bits" },
		{ "[-9223372036854775809]", "64 bits" },
		{ "{\"a\":1,\"a\":2}", "the key 'a' stands twice" },
		{ "{\"a\":1,\"\\u0061\":2}", "the key 'a' stands twice" },
		{ "{\"x\":[{\"b\":1,\"c\":2,\"b\":3}]}", "the key 'b' stands twice" },
		{ "{\"\":1,\"\":2}", "stands twice" },
		{ "{\"\\ud83d\\ude00\":1,\"\xf0\x9f\x98\x80\":2}", "stands twice" },
		{ "{\"\\n\":1,\"\\u000a\":2}", "the key '\\x0a' stands twice" },
		{ "[\"\\u0000\"]", "no character" },
		{ "{\"a\\u0000b\":1}", "no character" },
		{ "[\"\\ud800\"]", "no character" },
		{ "[\"\\udc00\"]", "no character" },
		{ "[\"\\ud800\\u0041\"]", "no character" },
		{ "[\"\\u12g4\"]", "no character" },
		{ "[\"\\x41\"]", "unknown escape" },
		{ "[\"\\'\"]", "unknown escape" },
		{ "[\"a\nb\"]", "control character" },
		{ "[\"\x01\"]", "control character" },
		{ "[\"\xff\"]", "not valid UTF-8" },
		{ "[\"\xc0\x80\"]", "not valid UTF-8" },
		{ "[\"\xe0\x80\x80\"]", "not valid UTF-8" },
		{ "[\"\xed\xa0\x80\"]", "not valid UTF-8" },
		{ "[\"\xf4\x90\x80\x80\"]", "not valid UTF-8" },
		{ "[\"\xe2\x82\"]", "not valid UTF-8" },
		{ "[\"\x80\"]", "not valid UTF-8" },
		{ "{\"\xff\":1}", "not valid UTF-8" },
	};
	struct err err;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(parse_code(bad[i].text, strlen(bad[i].text), &err), -EINVAL);
		assert_contains(err.text, bad[i].why);
	}
}

static void nul_byte_anywhere_is_refused(void **state)
{
	struct err err;

	assert_int_equal(parse_code("{}\0", 3, &err), -EINVAL);
	assert_int_equal(parse_code("[\"a\0b\"]", 7, &err), -EINVAL);
	assert_int_equal(parse_code("\0{}", 3, &err), -EINVAL);
}

static void position_is_told(void **state)
{
	struct err err;
	const char *text = "{\n  \"a\": 1,\n  \"b\": x\n}";

	assert_int_equal(parse_code(text, strlen(text), &err), -EINVAL);
	assert_string_equal(err.text, "doc: line 3, column 8: this is not a JSON value");
}

static void depth_bound_holds(void **state)
{
	struct err err;
	const char *mixed = "[{\"a\":[{\"a\":[{\"a\":[{\"a\":[]}]}]}]}]";
	_buf_done_ struct buf b = BUF_INIT(4 << 20);

	assert_int_equal(parse_code("[[[[[[[[[]]]]]]]]]", 18, &err), -EMSGSIZE);
	assert_contains(err.text, "nested too deeply");
	assert_int_equal(parse_code(mixed, strlen(mixed), &err), -EMSGSIZE);
	for (size_t i = 0; i < 1000000; i++)
		assert_int_equal(buf_addc(&b, '['), 0);
	assert_int_equal(parse_code(b.data, b.len, &err), -EMSGSIZE);
}

static void list_string_and_size_bounds_hold(void **state)
{
	const struct json_limits small = {
		.max_bytes = 40, .max_depth = 4, .max_list = 3, .max_string = 4
	};
	static const struct {
		const char *text;
		int code;
	} cases[] = {
		{ "[1,2,3]", 0 },
		{ "[1,2,3,4]", -EMSGSIZE },
		{ "{\"a\":1,\"b\":2,\"c\":3,\"d\":4}", -EMSGSIZE },
		{ "[\"1234\"]", 0 },
		{ "[\"12345\"]", -EMSGSIZE },
		{ "{\"12345\":1}", -EMSGSIZE },
		{ "[                                      ]", 0 },
		{ "[                                       ]", -EMSGSIZE },
	};
	struct err err;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(
		        json_check("doc", cases[i].text, strlen(cases[i].text), &small, &err),
		        cases[i].code);
}

/* Quadratic work on 100000 keys would run into the time limit of the test. */
static void hostile_object_with_many_keys_is_quick(void **state)
{
	enum { KEYS = 100000 };
	_buf_done_ struct buf b = BUF_INIT(4 << 20);
	struct err err;

	assert_int_equal(buf_addc(&b, '{'), 0);
	for (int i = 0; i < KEYS; i++)
		assert_int_equal(buf_addf(&b, "\"key%d\":%d,", i, i), 0);
	assert_int_equal(buf_adds(&b, "\"last\":1}"), 0);
	assert_int_equal(parse_code(b.data, b.len, &err), 0);
	b.len--;
	assert_int_equal(buf_adds(&b, ",\"key5\":1}"), 0);
	assert_int_equal(parse_code(b.data, b.len, &err), -EINVAL);
	assert_contains(err.text, "'key5' stands twice");
}

/* -- tables -- */

struct inner {
	const char *name;
	uint32_t n;
};
struct outer {
	const char *text, *string;
	bool flag, has_u64;
	uint64_t u64;
	int64_t i64;
	int choice;
	const char *const *strv;
	const uint32_t *ids;
	size_t n_ids;
	const struct inner *list;
	size_t n_list;
	const struct inner *made;
	struct inner in_place;
};

static int check_inner(struct json_read *r, void *object)
{
	const struct inner *in = object;

	return in->n == 13 ? json_fail(r, "is unlucky") : 0;
}

static const struct json_field inner_fields[] = {
	{ "name", json_get_string, offsetof(struct inner, name), .flags = JSON_REQUIRED },
	{ "n", json_get_u32, offsetof(struct inner, n),
	        .arg = &(const struct json_range){ 1, 20 } },
	{ NULL },
};
static const struct json_table inner_type = { inner_fields, sizeof(struct inner), check_inner };
static const struct json_enum choices[] = { { "red", 1 }, { "blue", 2 }, { NULL } };
static const struct json_field outer_fields[] = {
	{ "text", json_get_text, offsetof(struct outer, text) },
	{ "string", json_get_string, offsetof(struct outer, string) },
	{ "flag", json_get_bool, offsetof(struct outer, flag) },
	{ "u64", json_get_u64, offsetof(struct outer, u64), offsetof(struct outer, has_u64),
	        JSON_HAS },
	{ "i64", json_get_i64, offsetof(struct outer, i64) },
	{ "choice", json_get_enum, offsetof(struct outer, choice), .arg = choices },
	{ "strv", json_get_strv, offsetof(struct outer, strv) },
	{ "ids", json_get_u32_list, offsetof(struct outer, ids), offsetof(struct outer, n_ids) },
	{ "list", json_get_list, offsetof(struct outer, list), offsetof(struct outer, n_list),
	        .arg = &inner_type },
	{ "made", json_get_new_object, offsetof(struct outer, made), .arg = &inner_type },
	{ "place", json_get_object, offsetof(struct outer, in_place), .arg = &inner_type },
	{ "old", json_get_ignored },
	{ "later", json_get_unsupported },
	{ NULL },
};
static const struct json_table outer_type = { outer_fields, sizeof(struct outer), NULL };

struct reading {
	struct arena arena;
	struct err err;
	struct json_read r;
	struct outer out;
	int code;
};

static void reading_done(struct reading *x)
{
	arena_done(&x->arena);
}

static void read_text(struct reading *x, const char *text)
{
	_json_put_ struct json_object *object = NULL;

	*x = (struct reading){ 0 };
	x->r = (struct json_read){ .document = "doc", .arena = &x->arena, .err = &x->err };
	assert_int_equal(
	        json_parse_bounded("doc", text, strlen(text), &limits, &object, &x->err), 0);
	x->code = json_read_object(&x->r, &outer_type, object, &x->out);
}

static void every_kind_of_field_is_read(void **state)
{
	_cleanup_(reading_done) struct reading x;

	read_text(&x, "{\"text\":\"a\",\"string\":\"\",\"flag\":true,\"u64\":18446744073709551615,"
	              "\"i64\":-9223372036854775808,\"choice\":\"blue\",\"strv\":[\"x\",\"\"],"
	              "\"ids\":[4294967295,0],\"list\":[{\"name\":\"m\",\"n\":7},{\"name\":\"k\"}],"
	              "\"made\":{\"name\":\"q\"},\"place\":{\"name\":\"p\",\"n\":20}}");
	assert_int_equal(x.code, 0);
	assert_string_equal(x.out.text, "a");
	assert_string_equal(x.out.string, "");
	assert_true(x.out.flag && x.out.has_u64);
	assert_true(x.out.u64 == UINT64_MAX && x.out.i64 == INT64_MIN);
	assert_int_equal(x.out.choice, 2);
	assert_string_equal(x.out.strv[0], "x");
	assert_string_equal(x.out.strv[1], "");
	assert_null(x.out.strv[2]);
	assert_int_equal(x.out.n_ids, 2);
	assert_true(x.out.ids[0] == UINT32_MAX && x.out.ids[1] == 0);
	assert_int_equal(x.out.n_list, 2);
	assert_int_equal(x.out.list[0].n, 7);
	assert_string_equal(x.out.list[1].name, "k");
	assert_string_equal(x.out.made->name, "q");
	assert_int_equal(x.out.in_place.n, 20);
	assert_null(json_names_list(&x.r.unknown)[0]);
}

static void null_is_absent(void **state)
{
	_cleanup_(reading_done) struct reading x;

	read_text(&x, "{\"text\":null,\"u64\":null,\"list\":null,\"place\":null,\"flag\":null}");
	assert_int_equal(x.code, 0);
	assert_null(x.out.text);
	assert_false(x.out.has_u64);
	assert_int_equal(x.out.n_list, 0);
}

static void wrong_values_are_refused_with_their_path(void **state)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
		{ "{\"text\":1}", "doc: 'text' must be a string, not an integer" },
		{ "{\"flag\":\"true\"}", "doc: 'flag' must be a boolean, not a string" },
		{ "{\"u64\":\"1\"}", "doc: 'u64' must be an integer, not a string" },
		{ "{\"u64\":-1}", "doc: 'u64' must be between 0 and 18446744073709551615" },
		{ "{\"u64\":1.5}", "doc: 'u64' must be an integer, not a number with a fraction" },
		{ "{\"u64\":1e3}", "doc: 'u64' must be an integer, not a number with a fraction" },
		{ "{\"u64\":true}", "doc: 'u64' must be an integer, not a boolean" },
		{ "{\"i64\":9223372036854775808}", "doc: 'i64' must be between" },
		{ "{\"choice\":\"green\\n\"}", "doc: 'choice' has the unknown value 'green\\x0a'" },
		{ "{\"choice\":2}", "doc: 'choice' must be a string" },
		{ "{\"strv\":\"x\"}", "doc: 'strv' must be a list of strings, not a string" },
		{ "{\"strv\":[\"x\",null]}", "doc: 'strv[1]' must be a string, not null" },
		{ "{\"ids\":[1,4294967296]}", "doc: 'ids[1]' must be between 0 and 4294967295" },
		{ "{\"list\":{}}", "doc: 'list' must be a list of objects, not an object" },
		{ "{\"list\":[{\"name\":\"a\"},{\"name\":7}]}", "doc: 'list[1].name' must be a" },
		{ "{\"list\":[{\"n\":1}]}", "doc: 'list[0].name' is missing" },
		{ "{\"list\":[{\"n\":1,\"name\":null}]}", "doc: 'list[0].name' is missing" },
		{ "{\"place\":{\"name\":\"a\",\"n\":21}}",
		        "doc: 'place.n' must be between 1 and 20" },
		{ "{\"place\":{\"name\":\"a\",\"n\":13}}", "doc: 'place' is unlucky" },
		{ "{\"made\":[]}", "doc: 'made' must be an object, not a list" },
		{ "[]", "doc: the document must be an object, not a list" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_(reading_done) struct reading x;

		read_text(&x, bad[i].text);
		assert_int_equal(x.code, -EINVAL);
		assert_contains(x.err.text, bad[i].why);
	}
}

static void unknown_and_unsupported_keys_are_listed(void **state)
{
	_cleanup_(reading_done) struct reading x;

	read_text(&x, "{\"new\":1,\"place\":{\"name\":\"a\",\"x\\ny\":{}},\"old\":[3],"
	              "\"later\":{\"a\":[0]}}");
	assert_int_equal(x.code, 0);
	assert_string_equal(json_names_list(&x.r.unknown)[0], "new");
	assert_string_equal(json_names_list(&x.r.unknown)[1], "place.x\\x0ay");
	assert_null(json_names_list(&x.r.unknown)[2]);
	assert_string_equal(json_names_list(&x.r.unsupported)[0], "later");
	assert_null(json_names_list(&x.r.unsupported)[1]);
}

static void empty_unsupported_value_says_nothing(void **state)
{
	static const char *const empty[] = { "null", "{}", "[]", "\"\"", "{\"a\":[],\"b\":{}}",
		"[null,\"\"]" };

	for (size_t i = 0; i < ARRAY_SIZE(empty); i++) {
		_cleanup_(reading_done) struct reading x;
		_free_ char *text = xprintf("{\"later\":%s}", empty[i]);

		read_text(&x, text);
		assert_int_equal(x.code, 0);
		assert_int_equal(x.r.unsupported.n, 0);
	}
}

static void list_of_unknown_keys_is_bounded(void **state)
{
	_cleanup_(reading_done) struct reading x;
	_buf_done_ struct buf b = BUF_INIT(1 << 20);

	assert_int_equal(buf_adds(&b, "{"), 0);
	for (int i = 0; i < 2000; i++)
		assert_int_equal(buf_addf(&b, "%s\"k%d\":0", i ? "," : "", i), 0);
	assert_int_equal(buf_adds(&b, "}"), 0);
	read_text(&x, buf_str(&b));
	assert_int_equal(x.code, 0);
	assert_int_equal(x.r.unknown.n, JSON_NAMES_MAX);
	assert_string_equal(x.r.unknown.names[JSON_NAMES_MAX - 1], "...");
	assert_null(x.r.unknown.names[JSON_NAMES_MAX]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testkit_case(accepted_documents_parse),
		testkit_case(bad_documents_are_refused_with_a_reason),
		testkit_case(nul_byte_anywhere_is_refused),
		testkit_case(position_is_told),
		testkit_case(depth_bound_holds),
		testkit_case(list_string_and_size_bounds_hold),
		testkit_case(hostile_object_with_many_keys_is_quick),
		testkit_case(every_kind_of_field_is_read),
		testkit_case(null_is_absent),
		testkit_case(wrong_values_are_refused_with_their_path),
		testkit_case(unknown_and_unsupported_keys_are_listed),
		testkit_case(empty_unsupported_value_says_nothing),
		testkit_case(list_of_unknown_keys_is_bounded),
	};

	return testkit_run(tests);
}
