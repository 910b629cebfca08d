/* SPDX-License-Identifier: Apache-2.0 */
#include "testkit.h"

#include "base/buf.h"
#include "base/str.h"
#include "engine/event_names.h"
#include "engine/events_read.h"
#include "json/build.h"
#include "json/json.h"
#include "shim/event_line.h"

#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define FILTERS(...) ((char **) (uintptr_t) (const char *const[]){ __VA_ARGS__, NULL })
#define MOMENT       (INT64_C(1769860800) * 1000000000 + 5)

static struct json_object *message_of(
        const char *type, const char *action, const struct oci_kv *attributes, size_t n)
{
	char text[EVENT_LINE_SMALL];
	const struct event_line line = { MOMENT, type, action, "0123abcd", attributes, n };
	size_t len = event_line_format(&line, text, sizeof(text));
	struct json_object *message = NULL;

	assert_true(len > 0);
	assert_int_equal(text[len - 1], '\n');
	assert_int_equal(events_parse(text, len - 1, &message), 0);
	return message;
}

static void a_line_comes_back_as_dockers_message(void **state)
{
	static const struct oci_kv attributes[] = { { "image", "debian" }, { "name", "web" } };
	_json_put_ struct json_object *m = message_of("container", "start", attributes, 2);
	struct json_object *actor = json_object_object_get(m, "Actor");

	assert_string_equal(json_text_of(m, "status"), "start");
	assert_string_equal(json_text_of(m, "id"), "0123abcd");
	assert_string_equal(json_text_of(m, "from"), "debian");
	assert_string_equal(json_text_of(m, "Type"), "container");
	assert_string_equal(json_text_of(m, "Action"), "start");
	assert_string_equal(json_text_of(actor, "ID"), "0123abcd");
	assert_string_equal(
	        json_text_of(json_object_object_get(actor, "Attributes"), "name"), "web");
	assert_true(json_object_get_int64(json_object_object_get(m, "timeNano")) == MOMENT);
	assert_true(
	        json_object_get_int64(json_object_object_get(m, "time")) == MOMENT / 1000000000);
	_json_put_ struct json_object *v = message_of("volume", "create", NULL, 0);

	assert_false(json_object_object_get_ex(v, "status", NULL));
}

static void hostile_bytes_stay_inside_their_text(void **state)
{
	static const struct oci_kv attributes[] = {
		{ "k\"}", "a\nb\x1b\xff\xc0\x80\xed\xa0\x80\\ \xe2\x82\xac" },
	};
	char text[EVENT_LINE_SMALL];
	const struct event_line line = { MOMENT, "container", "exec_create: \"\n", "id", attributes,
		1 };
	size_t len = event_line_format(&line, text, sizeof(text));
	_json_put_ struct json_object *m = NULL;

	assert_ptr_equal(memchr(text, '\n', len), text + len - 1);
	assert_null(memchr(text, '\x1b', len));
	assert_int_equal(events_parse(text, len - 1, &m), 0);
	assert_string_equal(json_text_of(m, "Action"), "exec_create: \"\n");
	struct json_object *got = json_object_object_get(
	        json_object_object_get(m, "Actor"), "Attributes");
	/* Each byte that is not UTF-8 is one U+FFFD. */
	assert_string_equal(json_text_of(got, "k\"}"),
	        "a\nb\x1b\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
	        "\\ \xe2\x82\xac");
}

static void a_line_never_outgrows_its_buffer(void **state)
{
	_free_ char *huge = xcalloc(1, 20001);
	const struct oci_kv attributes[] = { { "a", "1" }, { "huge", huge }, { "b", "2" } };
	const struct event_line line = { MOMENT, huge, huge, huge, attributes, 3 };
	_json_put_ struct json_object *m = NULL;
	char text[EVENT_LINE_SMALL];
	size_t len;

	memset(huge, '\x01', 20000);
	len = event_line_format(&line, text, sizeof(text));
	assert_true(len > 0 && len <= sizeof(text));
	assert_int_equal(events_parse(text, len - 1, &m), 0);
	struct json_object *got = json_object_object_get(
	        json_object_object_get(m, "Actor"), "Attributes");

	assert_string_equal(json_text_of(got, "a"), "1");
	assert_string_equal(json_text_of(got, "b"), "2");
	assert_false(json_object_object_get_ex(got, "huge", NULL));
	for (size_t size = 0; size < 64; size++)
		assert_int_equal(event_line_format(&line, text, size), 0);
}

static void each_event_is_one_append(void **state)
{
	const struct event_line line = { 0, "container", "die", "id", NULL, 0 };
	_free_ char *path = xprintf("%s/events", testkit_scratch());
	int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	_buf_done_ struct buf got = BUF_INIT(1 << 16);

	assert_int_equal(event_line_write(fd, &line), 0);
	assert_int_equal(event_line_write(fd, &line), 0);
	assert_int_equal(buf_read_file(&got, AT_FDCWD, path), 0);
	assert_ptr_not_equal(strchr(buf_str(&got), '\n'), strrchr(buf_str(&got), '\n'));
	close(fd);
	assert_int_equal(event_line_write(-1, &line), -EBADF);
}

static void damaged_lines_are_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"{}",
		"[]",
		"x",
		"{\"time\":1,\"type\":\"container\",\"action\":\"start\",\"id\":\"a\"}",
		"{\"time\":\"1\",\"type\":\"container\",\"action\":\"start\",\"id\":\"a\",\"attributes\":{}}",
		"{\"time\":1,\"type\":\"container\",\"action\":7,\"id\":\"a\",\"attributes\":{}}",
		"{\"time\":1,\"type\":\"container\",\"action\":\"x\",\"id\":\"a\",\"attributes\":{\"a\":1}}",
		"{\"time\":1,\"type\":\"container\",\"action\":\"x\",\"id\":\"a\",\"attributes\":{\"a\":\"1\",\"a\":\"2\"}}",
		"{\"time\":1,\"type\":\"container\",\"action\":\"x\",\"id\":\"a\",\"attributes\":{\"a\":\"1\"",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct json_object *m = NULL;

		assert_int_equal(events_parse(bad[i], strlen(bad[i]), &m), -EBADMSG);
		assert_null(m);
	}
}

static void filters_follow_dockers_rules(void **state)
{
	static const struct oci_kv attributes[] = { { "image", "debian:12" }, { "name", "web" },
		{ "tier", "front" } };
	_json_put_ struct json_object *m = message_of(
	        "container", "exec_create: sh", attributes, 3);
	static const struct {
		const char *filter;
		bool passes;
	} cases[] = {
		{ "container=web", true },
		{ "container=0123", true },
		{ "container=db", false },
		{ "event=exec_create", true },
		{ "event=exec_create: sh", true },
		{ "event=exec", false },
		{ "image=debian:12", true },
		{ "image=debian", true },
		{ "image=debian:11", false },
		{ "label=tier", true },
		{ "label=tier=front", true },
		{ "label=tier=back", false },
		{ "type=container", true },
		{ "type=volume", false },
		{ "volume=web", false },
		{ "scope=local", true },
		{ "network=x", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err;

		assert_int_equal(events_check_filters(FILTERS(cases[i].filter), &err), 0);
		assert_int_equal(events_match(FILTERS(cases[i].filter), m), cases[i].passes);
	}
	assert_true(events_match(FILTERS("container=db", "container=web"), m));
	assert_false(events_match(FILTERS("container=web", "type=volume"), m));
	assert_false(events_match(FILTERS("label=tier", "label=other"), m));
	assert_true(events_match(NULL, m));
}

static void wrong_filters_are_refused(void **state)
{
	struct err err;

	assert_int_equal(events_check_filters(FILTERS("event"), &err), -EINVAL);
	assert_int_equal(events_check_filters(FILTERS("colour=red"), &err), -EINVAL);
	assert_contains(err.text, "colour=red");
}

static void words_are_dockers_and_cannot_forge_a_line(void **state)
{
	static const struct oci_kv attributes[] = { { "image", "debian" }, { "name", "a\nb\x1b" } };
	_json_put_ struct json_object *m = message_of("container", "start", attributes, 2);
	_buf_done_ struct buf out = BUF_INIT(1 << 16);

	assert_int_equal(setenv("TZ", "UTC", 1), 0);
	tzset();
	events_print(m, &out);
	assert_string_equal(buf_str(&out),
	        "2026-01-31T12:00:00.000000005Z container start 0123abcd "
	        "(image=debian, name=a\\x0ab\\x1b)\n");
	buf_clear(&out);
	assert_int_equal(setenv("TZ", "XYZ-01:30", 1), 0);
	tzset();
	_json_put_ struct json_object *v = message_of("volume", "create", NULL, 0);

	events_print(v, &out);
	assert_string_equal(
	        buf_str(&out), "2026-01-31T13:30:00.000000005+01:30 volume create 0123abcd\n");
}

static void later_events_know_what_create_said(void **state)
{
	static const struct oci_kv attributes[] = { { "name", "web" }, { "image", "debian" },
		{ "a-label", "1" } },
	                           renamed[] = { { "name", "db" }, { "oldName", "/web" } };
	_cleanup_(event_names_done) struct event_names names = { .by_id = NULL };
	_json_put_ struct json_object *create = message_of("container", "create", attributes, 3),
	                              *rename = message_of("container", "rename", renamed, 2),
	                              *die = message_of("container", "die", NULL, 0);
	_buf_done_ struct buf out = BUF_INIT(1 << 16);

	assert_true(event_names_teaches("{\"action\":\"create\"}", 19));
	assert_false(event_names_teaches("{\"action\":\"die\"}", 16));
	event_names_learn(&names, create);
	event_names_learn(&names, rename);
	event_names_complete(&names, NULL, die);
	assert_string_equal(json_text_of(die, "from"), "debian");
	events_print(die, &out);
	assert_contains(buf_str(&out), "(a-label=1, image=debian, name=db)");
	/* create itself still has its own name. */
	event_names_complete(&names, NULL, create);
	buf_clear(&out);
	events_print(create, &out);
	assert_contains(buf_str(&out), "name=web");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testkit_case(a_line_comes_back_as_dockers_message),
		testkit_case(hostile_bytes_stay_inside_their_text),
		testkit_case(a_line_never_outgrows_its_buffer),
		testkit_case(each_event_is_one_append),
		testkit_case(damaged_lines_are_refused),
		testkit_case(filters_follow_dockers_rules),
		testkit_case(wrong_filters_are_refused),
		testkit_case(words_are_dockers_and_cannot_forge_a_line),
		testkit_case(later_events_know_what_create_said),
	};

	return testkit_run(tests);
}
