/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Small helpers to build objects of json-c and to look into ones that we built ourselves. The
 * object takes the value over; json-c fails here only for want of memory.
 */
#include "base/base.h"

#include <json-c/json_object.h>
#include <json-c/linkhash.h>
#include <stdbool.h>

static inline void json_add(struct json_object *o, const char *key, struct json_object *value)
{
	(void) json_object_object_add(o, key, value);
}

/* NULL is null. */
static inline void json_add_text(struct json_object *o, const char *key, const char *text)
{
	json_add(o, key, text ? json_object_new_string(text) : NULL);
}

static inline void json_add_int(struct json_object *o, const char *key, int64_t n)
{
	json_add(o, key, json_object_new_int64(n));
}

static inline void json_add_bool(struct json_object *o, const char *key, bool value)
{
	json_add(o, key, json_object_new_boolean(value));
}

/* A list of texts; NULL, and with null_when_empty an empty list, is null. */
static inline void json_add_texts(
        struct json_object *o, const char *key, const char *const *texts, bool null_when_empty)
{
	struct json_object *list = NULL;

	if (texts && (*texts || !null_when_empty)) {
		list = json_object_new_array();
		for (; *texts; texts++)
			(void) json_object_array_add(list, json_object_new_string(*texts));
	}
	json_add(o, key, list);
}

/* The text of a member, or "". */
static inline const char *json_text_of(struct json_object *o, const char *key)
{
	struct json_object *value = json_object_object_get(o, key);

	return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";
}
