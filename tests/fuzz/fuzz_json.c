/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What json_check() accepts json-c accepts too, and reads as the same document: written out by
 * json-c it passes the check again and gives the same text.
 */
#include "base/str.h"
#include "json/json.h"

#include <json-c/json_tokener.h>
#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct json_limits limits = {
		.max_bytes = 1 << 20,
		.max_depth = 16,
		.max_list = 256,
		.max_string = 4096,
	};
	/* Writing escapes control characters and DEL-like bytes, so texts may grow. */
	static const struct json_limits wide = {
		.max_bytes = 16 << 20,
		.max_depth = 16,
		.max_list = 256,
		.max_string = 65536,
	};
	_json_put_ struct json_object *object = NULL, *again = NULL;
	const char *bytes = (const char *) data, *text;
	_free_ char *first = NULL;
	struct err err;

	if (json_check("fuzz", bytes, size, &limits, &err) < 0)
		return 0;
	if (json_parse_bounded("fuzz", bytes, size, &limits, &object, &err) < 0)
		abort();
	first = xstrdup(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN));
	if (json_parse_bounded("fuzz", first, strlen(first), &wide, &again, &err) < 0)
		abort();
	text = json_object_to_json_string_ext(again, JSON_C_TO_STRING_PLAIN);
	if (!streq(first, text))
		abort();
	return 0;
}
