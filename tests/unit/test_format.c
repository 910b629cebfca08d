/* SPDX-License-Identifier: Apache-2.0 */
/* Tables, lists, units and times; expected texts are those of Go's tabwriter, docker's go-units and
 * Go's time package. */
#include "testkit.h"

#include "base/str.h"
#include "format/clean.h"
#include "format/table.h"
#include "format/units.h"

#include <errno.h>
#include <json-c/json.h>
#include <time.h>

/* --- clean.h -----------------------------------------------------------------------------------
 */

static void foreign_text_is_cleaned(void **state)
{
	static const struct {
		const char *text, *want;
	} samples[] = {
		{ "", "" },
		{ "plain ~ text \\x1b", "plain ~ text \\x1b" },
		{ "\x1b[31m\a\t\n\r\x7f", "\\x1b[31m\\x07\\x09\\x0a\\x0d\\x7f" },
		{ "\xc3\xa9\xe6\x97\xa5\xf0\x9f\x98\x80", "\xc3\xa9\xe6\x97\xa5\xf0\x9f\x98\x80" },
		{ "\xc2\x9b\xc2\x80\xc2\x9f\xc2\xa0", "\\xc2\\x9b\\xc2\\x80\\xc2\\x9f\xc2\xa0" },
		{ "\x9b\xff\xfe", "\\x9b\\xff\\xfe" },
		{ "\xc3", "\\xc3" },
		{ "\xc3(\xe6\x97(", "\\xc3(\\xe6\\x97(" },
		{ "\xc0\xaf\xe0\x80\xaf\xf0\x80\x80\xaf", /* too long forms of '/' */
		        "\\xc0\\xaf\\xe0\\x80\\xaf\\xf0\\x80\\x80\\xaf" },
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80" }, /* a surrogate */
		{ "\xf4\x90\x80\x80\xf5\x80\x80\x80", "\\xf4\\x90\\x80\\x80\\xf5\\x80\\x80\\x80" },
		{ "a\xe2\x80\xaetxt\xe2\x80\xa8\xe2\x81\xa6", /* direction, line */
		        "a\\xe2\\x80\\xaetxt\\xe2\\x80\\xa8\\xe2\\x81\\xa6" },
		{ "\xe2\x80\xa7\xe2\x80\xaf\xe2\x81\xa5", "\xe2\x80\xa7\xe2\x80\xaf\xe2\x81\xa5" },
	};
	_buf_done_ struct buf nul = BUF_INIT(10), small = BUF_INIT(5);

	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		_buf_done_ struct buf out = BUF_INIT(1000);

		assert_int_equal(format_clean(&out, samples[i].text, strlen(samples[i].text)), 0);
		assert_string_equal(buf_str(&out), samples[i].want);
	}
	assert_int_equal(format_clean(&nul, "a\0b", 3), 0);
	assert_string_equal(buf_str(&nul), "a\\x00b");
	assert_int_equal(format_clean(&small, "ab\x1b", 3), -EMSGSIZE);
}

static void characters_are_counted(void **state)
{
	assert_int_equal(utf8_count("", 0), 0);
	assert_int_equal(utf8_count("a\xc3\xa9\xe6\x97\xa5\xf0\x9f\x98\x80", 10), 4);
	assert_int_equal(utf8_count("\xff\xc3", 2), 2);
}

static void every_character_is_encoded_and_decoded(void **state)
{
	for (uint32_t c = 0; c <= 0x10ffff; c++) {
		bool surrogate = c >= 0xd800 && c <= 0xdfff;
		uint32_t back = UINT32_MAX;
		char s[4];
		size_t n = utf8_encode(c, s);

		assert_int_equal(utf8_decode(s, n, &back), surrogate ? 0 : n);
		assert_int_equal(back, surrogate ? UINT32_MAX : c);
		for (size_t less = 1; less < n; less++)
			assert_int_equal(utf8_decode(s, less, &back), 0);
	}
}

/* --- table_align -------------------------------------------------------------------------------
 */

static void columns_are_as_wide_as_docker_makes_them(void **state)
{
	static const struct {
		const char *text, *want;
	} samples[] = {
		{ "", "" },
		{ "\n", "\n" },
		{ "A\tB\n", "A         B\n" },
		{ "1234567\tB\n", "1234567   B\n" },   /* 7 + 3 are ten */
		{ "12345678\tB\n", "12345678   B\n" }, /* eleven */
		{ "CONTAINER ID\tIMAGE\n0123456789ab\tx\n",
		        "CONTAINER ID   IMAGE\n0123456789ab   x\n" },
		/* the last cell is not padded, an empty one leaves the blanks before it */
		{ "A\tB\tC\nlong long long\t\t\n",
		        "A                B         C\nlong long long             \n" },
		/* only neighbours share a column */
		{ "aaaaaaaaaaaaaaa\tb\nplain\nc\td\n",
		        "aaaaaaaaaaaaaaa   b\nplain\nc         d\n" },
		{ "a\tb\tc\nd\te\nf\tgggggggggggggg\th\n",
		        "a         b         c\nd         e\nf         gggggggggggggg   h\n" },
		/* characters, not bytes */
		{ "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\tB\n12345678\tB\n",
		        "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9    B\n12345678   B\n" },
		{ "\t\t\tx\n", "                              x\n" },
	};
	_buf_done_ struct buf small = BUF_INIT(12);

	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		_buf_done_ struct buf out = BUF_INIT(1000);

		assert_int_equal(table_align(samples[i].text, strlen(samples[i].text), &out), 0);
		assert_string_equal(buf_str(&out), samples[i].want);
	}
	assert_int_equal(table_align("a\tb\nc\td\n", 8, &small), -EMSGSIZE);
}

/* --- lists -------------------------------------------------------------------------------------
 */

static const struct format_header headers[] = {
	{ "ID", "CONTAINER ID" },
	{ "Names", "NAMES" },
	{ "Ports", "PORTS" },
	{ "Size", "SIZE" },
	{ NULL, NULL },
};

static const char rows_text[] =
        "[{\"Names\":\"web\",\"ID\":\"0123456789ab\",\"Ports\":\"80/tcp\",\"Size\":\"1kB\"},"
        "{\"Names\":\"e\\u001b[2Jvil\\ttab\\nline\",\"ID\":\"ba9876543210\",\"Ports\":\"\","
        "\"Size\":\"2kB\"}]";

static int list(const char *spec, const char *quiet, bool clean, const char *rows_json, char **ret,
        struct err *err)
{
	struct json_object *rows = json_tokener_parse(rows_json),
	                   *labels = json_tokener_parse("[{\"a.b\":\"v\"},null]");
	const struct format_list l = {
		.spec = spec,
		.table = "{{.ID}}\t{{.Ports}}\t{{.Names}}",
		.quiet = quiet,
		.headers = headers,
		.labels = labels,
		.clean = clean,
	};
	_buf_done_ struct buf out = BUF_INIT(10000);
	int r;

	assert_int_equal(buf_adds(&out, "before\n"), 0);
	r = format_list(&l, rows, &out, err);
	(void) json_object_put(rows);
	(void) json_object_put(labels);
	if (r < 0)
		assert_string_equal(buf_str(&out), "before\n");
	*ret = buf_take(&out);
	return r;
}

static void lists_obey_format(void **state)
{
#define TABLE                                                                                      \
	"CONTAINER ID   PORTS     NAMES\n"                                                         \
	"0123456789ab   80/tcp    web\n"                                                           \
	"ba9876543210             e\\x1b[2Jvil\\x09tab\\x0aline\n"
	static const struct {
		const char *spec, *quiet;
		bool clean;
		const char *want;
	} samples[] = {
		{ NULL, NULL, false, TABLE },
		{ "", NULL, true, TABLE },
		{ "table", NULL, false, TABLE },
		{ "table {{.Names}}\\t{{.Size}}", NULL, false,
		        "NAMES                        SIZE\n"
		        "web                          1kB\n"
		        "e\\x1b[2Jvil\\x09tab\\x0aline   2kB\n" },
		{ "table {{.ID | upper}}\t{{json .Names}}", NULL, false,
		        "CONTAINER ID   NAMES\n0123456789AB   \"web\"\n"
		        "BA9876543210   \"e\\u001b[2Jvil\\ttab\\nline\"\n" },
		{ "table {{.Label \"a.b\"}}\\t{{.Label \"x-y\"}}|", NULL, false,
		        "b         x y|\nv         |\n          |\n" },
		/* a header that cannot be made ends early, as docker's does */
		{ "table {{.Size}}{{range split .Ports \"/\"}}<{{.}}>{{end}}|", NULL, false,
		        "SIZE\n1kB<80><tcp>|\n2kB<>|\n" },
		{ "json", NULL, false,
		        "{\"ID\":\"0123456789ab\",\"Names\":\"web\",\"Ports\":\"80/tcp\",\"Size\":\"1kB\"}\n"
		        "{\"ID\":\"ba9876543210\",\"Names\":\"e\\u001b[2Jvil\\ttab\\nline\",\"Ports\":\"\","
		        "\"Size\":\"2kB\"}\n" },
		{ " {{.ID}}\\t{{.Size}}\\n ", NULL, false,
		        "0123456789ab\t1kB\n\nba9876543210\t2kB\n\n" },
		{ "{{.Names}}", NULL, true, "web\ne\\x1b[2Jvil\\x09tab\\x0aline\n" },
		{ "{{.Names}}", NULL, false, "web\ne\x1b[2Jvil\ttab\nline\n" },
		{ "{{.Label \"a.b\"}}", NULL, false, "v\n\n" },
		{ "{{.Names}}", "{{.ID}}", false, "0123456789ab\nba9876543210\n" },
		{ "pretty", NULL, false, "pretty\npretty\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		_free_ char *got = NULL, *want = xprintf("before\n%s", samples[i].want);
		struct err err;
		int r = list(
		        samples[i].spec, samples[i].quiet, samples[i].clean, rows_text, &got, &err);

		if (r < 0)
			fail_msg("%s: %s", samples[i].spec, err.text);
		assert_string_equal(got, want);
	}
}

static void an_empty_list_is_a_header(void **state)
{
	static const char *const specs[] = { NULL, "json", "{{.ID}}" };
	static const char *const wants[] = { "before\nCONTAINER ID   PORTS     NAMES\n", "before\n",
		"before\n" };
	_free_ char *wrong = NULL;
	struct err err;

	for (size_t i = 0; i < ARRAY_SIZE(specs); i++) {
		_free_ char *got = NULL;

		assert_int_equal(list(specs[i], NULL, false, "[]", &got, &err), 0);
		assert_string_equal(got, wants[i]);
	}
	assert_int_equal(list("table {{.Id}}", NULL, false, "[]", &wrong, &err), -ENOENT);
	assert_contains(err.text, "no entry for key 'Id' (it has 'ID', 'Names', 'Ports', 'Size')");
}

static void a_failing_list_prints_nothing(void **state)
{
	static const struct {
		const char *spec, *why;
	} samples[] = {
		{ "{{.Nope}}", "no entry for key 'Nope'" },
		{ "table {{.ID}}\\t{{.Nope}}", "no entry for key 'Nope'" },
		{ "{{.ID", "the text ends before '}}'" },
		{ "{{.ID}}{{if eq .Size \"2kB\"}}{{.ID.X}}{{end}}", "has no field 'X'" },
		{ "{{printf \"%9000s%9000s\" .ID .ID}}", "longer than 10000 bytes" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		_free_ char *got = NULL;
		struct err err;

		assert_true(list(samples[i].spec, NULL, false, rows_text, &got, &err) < 0);
		assert_contains(err.text, samples[i].why);
	}
}

static void format_is_checked_before_the_work(void **state)
{
	struct format_list l = { .spec = "{{.Size}}", .table = "{{.ID}}", .headers = headers };
	struct err err;

	assert_int_equal(format_list_check(&l, &err), 0);
	assert_true(format_list_uses(&l, "Size"));
	assert_false(format_list_uses(&l, "ID"));
	l.spec = "{{.Size";
	assert_int_equal(format_list_check(&l, &err), -EINVAL);
	l.spec = NULL;
	assert_false(format_list_uses(&l, "Size"));
	l.spec = "json";
	assert_true(format_list_uses(&l, "Size"));
	l.quiet = "{{.ID}}";
	assert_false(format_list_uses(&l, "Size"));
}

static void inspect_prints_as_docker_does(void **state)
{
	static const struct {
		const char *spec;
		bool clean;
		const char *objects, *want;
	} samples[] = {
		{ NULL, false, "[{\"B\":[1,{}],\"A\":{\"x\":\"<\\u001b>\"},\"E\":[]}]",
		        "[\n    {\n        \"B\": [\n            1,\n            {}\n        ],\n"
		        "        \"A\": {\n            \"x\": \"<\\u001b>\"\n        },\n"
		        "        \"E\": []\n    }\n]\n" },
		{ "", false, "[]", "[]\n" },
		{ "json", false, "[{\"B\":1,\"A\":null},{\"B\":2.0}]",
		        "[{\"B\":1,\"A\":null},{\"B\":2}]\n" },
		{ "{{.B}}", false, "[{\"B\":1},{\"B\":\"x\\n\"}]", "1\nx\n\n" },
		{ "{{.B}}\\t{{json .}}", true, "[{\"B\":\"x\\n\"}]",
		        "x\\x0a\\t{\"B\":\"x\\n\"}\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		struct json_object *objects = json_tokener_parse(samples[i].objects);
		_buf_done_ struct buf out = BUF_INIT(10000);
		struct err err;

		assert_int_equal(
		        format_inspect(samples[i].spec, samples[i].clean, objects, &out, &err), 0);
		assert_string_equal(buf_str(&out), samples[i].want);
		buf_clear(&out);
		assert_true(format_inspect("{{.Nope", false, objects, &out, &err) < 0);
		assert_string_equal(buf_str(&out), "");
		(void) json_object_put(objects);
	}
}

/* --- units -------------------------------------------------------------------------------------
 */

static void durations_are_in_dockers_words(void **state)
{
	enum { MINUTE = 60, HOUR = 3600, DAY = 86400 };
	static const struct {
		int64_t seconds;
		const char *want;
	} samples[] = {
		{ INT64_MIN, "Less than a second" },
		{ -5, "Less than a second" },
		{ 0, "Less than a second" },
		{ 1, "1 second" },
		{ 2, "2 seconds" },
		{ 59, "59 seconds" },
		{ MINUTE, "About a minute" },
		{ 2 * MINUTE - 1, "About a minute" },
		{ 2 * MINUTE, "2 minutes" },
		{ HOUR - 1, "59 minutes" },
		{ HOUR, "About an hour" },
		{ HOUR + 30 * MINUTE - 1, "About an hour" },
		{ HOUR + 30 * MINUTE, "2 hours" },
		{ 47 * HOUR + 29 * MINUTE, "47 hours" },
		{ 47 * HOUR + 30 * MINUTE, "2 days" },
		{ 13 * DAY, "13 days" },
		{ 14 * DAY, "2 weeks" },
		{ 59 * DAY, "8 weeks" },
		{ 60 * DAY, "2 months" },
		{ 729 * DAY, "24 months" },
		{ 730 * DAY, "2 years" },
		{ INT64_MAX, "292471208677 years" },
	};
	_free_ char *ago = format_ago(100, 40), *future = format_ago(INT64_MIN, INT64_MAX),
	            *past = format_ago(INT64_MAX, INT64_MIN);

	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		char text[FORMAT_UNIT_SIZE];

		format_duration(text, samples[i].seconds);
		assert_string_equal(text, samples[i].want);
	}
	assert_string_equal(ago, "About a minute ago");
	assert_string_equal(future, "Less than a second ago");
	assert_string_equal(past, "292471208677 years ago");
}

static void sizes_are_rounded_as_docker_does(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *three, *four, *binary;
	} samples[] = {
		{ 0, "0B", "0B", "0B" },
		{ 999, "999B", "999B", "999B" },
		{ 1000, "1kB", "1kB", "1000B" },
		{ 1024, "1.02kB", "1.024kB", "1KiB" },
		{ 1536 * 1024, "1.57MB", "1.573MB", "1.5MiB" },
		{ 512 << 20, "537MB", "536.9MB", "512MiB" },
		{ 999500, "1000kB", "999.5kB", "976.1KiB" },
		{ 999999, "1000kB", "1000kB", "976.6KiB" },
		{ 1073741823, "1.07GB", "1.074GB", "1024MiB" },
		{ UINT64_MAX, "18.4EB", "18.45EB", "16EiB" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		char text[FORMAT_UNIT_SIZE];

		format_size(text, samples[i].bytes, 3);
		assert_string_equal(text, samples[i].three);
		format_size(text, samples[i].bytes, 4);
		assert_string_equal(text, samples[i].four);
		format_size_binary(text, samples[i].bytes);
		assert_string_equal(text, samples[i].binary);
	}
}

static void times_are_written_and_read(void **state)
{
	static const struct {
		int64_t ns;
		const char *text;
	} samples[] = {
		{ 0, "0001-01-01T00:00:00Z" },
		{ 1, "1970-01-01T00:00:00.000000001Z" },
		{ -1, "1969-12-31T23:59:59.999999999Z" },
		{ 1700000000120000000, "2023-11-14T22:13:20.12Z" },
		{ 1709164800000000000, "2024-02-29T00:00:00Z" },
		{ INT64_MAX, "2262-04-11T23:47:16.854775807Z" },
		{ -8520336000000000000, "1700-01-01T00:00:00Z" },
	};
	static const struct {
		const char *text;
		int64_t ns; /* or the error */
	} reads[] = {
		{ "2023-11-14T23:13:20.12+01:00", 1700000000120000000 },
		{ "2023-11-14T14:43:20.120-07:30", 1700000000120000000 },
		{ "2023-11-14T22:13:20.1234567899Z", 1700000000123456789 },
		{ "2023-02-29T00:00:00Z", -EINVAL },
		{ "2023-13-01T00:00:00Z", -EINVAL },
		{ "2023-00-01T00:00:00Z", -EINVAL },
		{ "2023-01-00T00:00:00Z", -EINVAL },
		{ "2023-01-01T24:00:00Z", -EINVAL },
		{ "2023-01-01T00:60:00Z", -EINVAL },
		{ "2023-01-01T00:00:60Z", -EINVAL },
		{ "2023-01-01T00:00:00", -EINVAL },
		{ "2023-01-01T00:00Z", -EINVAL },
		{ "2023-01-01 00:00:00Z", -EINVAL },
		{ "2023-01-01T00:00:00.Z", -EINVAL },
		{ "2023-01-01T00:00:00Zx", -EINVAL },
		{ "2023-01-01T00:00:00+01", -EINVAL },
		{ "2023-01-01T00:00:00+01:60", -EINVAL },
		{ "23-01-01T00:00:00Z", -EINVAL },
		{ "", -EINVAL },
		{ "2262-04-11T23:47:16.854775808Z", -ERANGE },
		{ "9999-12-31T23:59:59Z", -ERANGE },
		{ "0000-01-01T00:00:00Z", -ERANGE },
	};
	char text[FORMAT_TIME_SIZE];
	int64_t ns;

	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		format_time(text, samples[i].ns);
		assert_string_equal(text, samples[i].text);
		assert_int_equal(format_parse_rfc3339(text, &ns), 0);
		assert_int_equal(ns, samples[i].ns);
	}
	format_time(text, INT64_MIN);
	assert_string_equal(text, "1677-09-21T00:12:43.145224192Z");
	for (size_t i = 0; i < ARRAY_SIZE(reads); i++) {
		int r = format_parse_rfc3339(reads[i].text, &ns);

		if ((r < 0 ? r : ns) != reads[i].ns)
			fail_msg("%s: %d", reads[i].text, r);
	}
}

static void every_day_is_written_and_read(void **state)
{
	for (int64_t day = -100000; day < 100000; day += 7) {
		char text[FORMAT_TIME_SIZE], want[FORMAT_TIME_SIZE];
		time_t t = (time_t) day * 86400 + 1;
		int64_t ns;
		struct tm tm;

		assert_non_null(gmtime_r(&t, &tm));
		assert_true(strftime(want, sizeof(want), "%Y-%m-%dT%H:%M:%SZ", &tm) > 0);
		format_time(text, (int64_t) t * 1000000000);
		assert_string_equal(text, want);
		assert_int_equal(format_parse_rfc3339(text, &ns), 0);
		assert_int_equal(ns, (int64_t) t * 1000000000);
	}
}

static void local_times_follow_the_zone(void **state)
{
	char text[FORMAT_TIME_SIZE];
	int64_t ns;

	assert_int_equal(setenv("TZ", "XYZ-02:30", 1), 0);
	tzset();
	format_time_local(text, 1700000000);
	assert_string_equal(text, "2023-11-15 00:43:20 +0230 XYZ");
	assert_int_equal(
	        format_parse_time("2023-11-15T00:43:20", 1700000000000000000, &ns, NULL), 0);
	assert_int_equal(ns, 1700000000000000000);
	assert_int_equal(setenv("TZ", "UTC", 1), 0);
	tzset();
	format_time_local(text, 1700000000);
	assert_string_equal(text, "2023-11-14 22:13:20 +0000 UTC");
}

static void since_and_until_are_read(void **state)
{
	static const int64_t now = 1700000000123456789, second = 1000000000;
	const struct {
		const char *text;
		int64_t ns; /* or the error */
	} samples[] = {
		{ "2023-11-14T22:13:20Z", 1700000000 * second },
		{ "2023-11-14T22:13:20.5", 1700000000 * second + 500000000 },
		{ "2023-11-14T22:13", 1700000000 * second - 20 * second },
		{ "2023-11-14T22:13+01:00", 1700000000 * second - 3620 * second },
		{ "2023-11-14T22", 1699999200 * second },
		{ "2023-11-14T22Z", 1699999200 * second },
		{ "2023-11-14", 1699920000 * second },
		{ "2023-11-14Z", 1699920000 * second },
		{ "2023-11-14+01:00", 1699916400 * second },
		{ "0001-01-01T00:00:00Z", 0 },
		{ "0", 0 },
		{ "1136073845", 1136073845 * second },
		{ "1136073845.000000001", 1136073845 * second + 1 },
		{ "1136073845.5", 1136073845 * second + 500000000 },
		{ "10m", now - 600 * second },
		{ "1h30m", now - 5400 * second },
		{ "1.5s", now - 1500000000 },
		{ "-5m", now + 300 * second },
		{ "100ms", now - 100000000 },
		{ "", -EINVAL },
		{ "now", -EINVAL },
		{ "yesterday\x1b", -EINVAL },
		{ "10", 10 * second },
		{ "-10", -EINVAL },
		{ "10 m", -EINVAL },
		{ "10d", -EINVAL },
		{ "1e3", -EINVAL },
		{ "1136073845.", -EINVAL },
		{ "1136073845.5x", -EINVAL },
		{ "2023-11-14T22:13:20+01", -EINVAL },
		{ "2023-11-14T", -EINVAL },
		{ "2023-11-31", -EINVAL },
		{ "2023-1-1", -EINVAL },
		{ "99999999999999999999", -ERANGE },
		{ "12345678901", -ERANGE },
		{ "9999999h", -ERANGE },
		{ "2500-01-01", -ERANGE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		struct err err = { 0 };
		int64_t ns = 0;
		int r = format_parse_time(samples[i].text, now, &ns, &err);

		if ((r < 0 ? r : ns) != samples[i].ns)
			fail_msg("%s: %d %lld", samples[i].text, r, (long long) ns);
		if (r < 0)
			assert_contains(err.text, r == -EINVAL ? "is not a time" : "too far away");
		if (strchr(samples[i].text, '\x1b'))
			assert_contains(err.text, "'yesterday\\x1b'");
	}
}

static void durations_of_go_are_read(void **state)
{
	static const struct {
		const char *text;
		int64_t ns; /* or the error */
	} samples[] = {
		{ "0", 0 },
		{ "-0", 0 },
		{ "1ns", 1 },
		{ "1us1\xc2\xb5s1\xce\xbcs", 3000 },
		{ "1h15m30.918273645s", 4530918273645 },
		{ "-1.5h", -5400000000000 },
		{ "+.5s", 500000000 },
		{ "1.s", 1000000000 },
		{ "9223372036854775807ns", INT64_MAX },
		{ "9223372036854775808ns", -ERANGE },
		{ "2562048h", -ERANGE },
		{ "", -EINVAL },
		{ "-", -EINVAL },
		{ "1", -EINVAL },
		{ ".s", -EINVAL },
		{ "s", -EINVAL },
		{ "1h ", -EINVAL },
		{ "1h-1m", -EINVAL },
		{ "--1h", -EINVAL },
		{ "1x", -EINVAL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		int64_t ns = 0;
		int r = format_parse_duration(samples[i].text, &ns);

		if ((r < 0 ? r : ns) != samples[i].ns)
			fail_msg("%s: %d %lld", samples[i].text, r, (long long) ns);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testkit_case(foreign_text_is_cleaned),
		testkit_case(characters_are_counted),
		testkit_case(every_character_is_encoded_and_decoded),
		testkit_case(columns_are_as_wide_as_docker_makes_them),
		testkit_case(lists_obey_format),
		testkit_case(an_empty_list_is_a_header),
		testkit_case(a_failing_list_prints_nothing),
		testkit_case(format_is_checked_before_the_work),
		testkit_case(inspect_prints_as_docker_does),
		testkit_case(durations_are_in_dockers_words),
		testkit_case(sizes_are_rounded_as_docker_does),
		testkit_case(times_are_written_and_read),
		testkit_case(every_day_is_written_and_read),
		testkit_case(local_times_follow_the_zone),
		testkit_case(since_and_until_are_read),
		testkit_case(durations_of_go_are_read),
	};

	return testkit_run(tests);
}
