/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HEALTHCHECK of 'image import --change'.
 */
#include "base/str.h"
#include "json/json.h"
#include "oci/change.h"

#include <errno.h>
#include <strings.h>

/* Adds one "--name=value" to the object. */
static int health_option(const struct oci_change *c, const char *text, struct json_object *health)
{
	static const struct {
		const char *option, *key;
	} durations[] = {
		{ "--interval=", "Interval" },
		{ "--timeout=", "Timeout" },
		{ "--start-period=", "StartPeriod" },
		{ "--start-interval=", "StartInterval" },
	};
	static const char retries[] = "--retries=";
	uint32_t n;
	int64_t ns;

	for (size_t i = 0; i < ARRAY_SIZE(durations); i++) {
		if (!str_has_prefix(text, durations[i].option))
			continue;
		if (num_parse_duration(text + strlen(durations[i].option), &ns) < 0 || ns < 0)
			return oci_change_refuse(
			        c, "a duration is a number with its unit, such as 30s");
		json_object_object_add(health, durations[i].key, json_object_new_int64(ns));
		return 0;
	}
	if (!str_has_prefix(text, retries) || num_parse_u32(text + strlen(retries), &n) < 0)
		return oci_change_refuse(c,
		        "its options are --interval=, --timeout=, --start-period=, "
		        "--start-interval= and --retries=");
	json_object_object_add(health, "Retries", json_object_new_int64(n));
	return 0;
}

/* The "Test" list: NONE, CMD with arguments, or CMD-SHELL with one text. */
static int health_test(const struct oci_change *c, const char *rest, struct json_object *test)
{
	const char *const *list;

	if (strcasecmp(rest, "NONE") == 0) {
		json_object_array_add(test, json_object_new_string("NONE"));
		return 0;
	}
	if (strncasecmp(rest, "CMD", 3) != 0 || !oci_is_blank(rest[3]))
		return oci_change_refuse(c, "it takes NONE or CMD and a command");
	rest = oci_skip_blanks(rest + 3);
	list = oci_change_json_form(c, rest);
	if (list ? !*list : !*rest)
		return oci_change_refuse(c, "it takes NONE or CMD and a command");
	json_object_array_add(test, json_object_new_string(list ? "CMD" : "CMD-SHELL"));
	if (!list)
		json_object_array_add(test, json_object_new_string(rest));
	for (; list && *list; list++)
		json_object_array_add(test, json_object_new_string(*list));
	return 0;
}

int oci_change_healthcheck(struct oci_change *c, const char *rest)
{
	_json_put_ struct json_object *health = json_object_new_object();
	struct json_object *test = json_object_new_array();
	int r = 0;

	if (!health || !test)
		abort();
	json_object_object_add(health, "Test", test);
	while (r == 0 && str_has_prefix(rest, "--")) {
		size_t len = strcspn(rest, " \t");
		_free_ char *option = xstrndup(rest, len);

		r = health_option(c, option, health);
		rest = oci_skip_blanks(rest + len);
	}
	if (r == 0)
		r = health_test(c, rest, test);
	if (r < 0)
		return r;
	c->img->healthcheck = arena_strdup(
	        c->arena, json_object_to_json_string_ext(
	                          health, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	return 0;
}
