/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The readers that tables of struct json_field name.
 */
#include "json/json.h"

#include "base/str.h"

#include <errno.h>
#include <inttypes.h>

/* json_check() has refused NUL in strings, so a C string is the whole value. */
int json_string(struct json_read *r, struct json_object *value, const char **ret)
{
	if (json_object_get_type(value) != json_type_string)
		return json_fail_type(r, "a string", value);
	*ret = arena_strndup(r->arena, json_object_get_string(value),
	        (size_t) json_object_get_string_len(value));
	return 0;
}

int json_get_string(
        struct json_read *r, const struct json_field *field, struct json_object *value, void *base)
{
	return json_string(r, value, json_at(base, field->offset));
}

int json_get_text(
        struct json_read *r, const struct json_field *field, struct json_object *value, void *base)
{
	if (json_object_get_type(value) == json_type_string &&
	        json_object_get_string_len(value) == 0)
		return 0;
	return json_string(r, value, json_at(base, field->offset));
}

int json_get_bool(
        struct json_read *r, const struct json_field *field, struct json_object *value, void *base)
{
	if (json_object_get_type(value) != json_type_boolean)
		return json_fail_type(r, "a boolean", value);
	*(bool *) json_at(base, field->offset) = json_object_get_boolean(value);
	return 0;
}

int json_integer(
        struct json_read *r, struct json_object *value, uint64_t *ret_value, bool *ret_negative)
{
	int64_t n;

	if (json_object_get_type(value) != json_type_int)
		return json_fail_type(r, "an integer", value);
	/* Saturates at INT64_MAX for larger values, so the sign is right. */
	n = json_object_get_int64(value);
	*ret_negative = n < 0;
	*ret_value = n < 0 ? (uint64_t) n : json_object_get_uint64(value);
	return 0;
}

static int get_unsigned(struct json_read *r, const struct json_range *range, uint64_t max,
        struct json_object *value, uint64_t *ret)
{
	uint64_t n = 0, min = 0;
	bool negative = false;
	int code = json_integer(r, value, &n, &negative);

	if (code < 0)
		return code;
	if (range) {
		min = (uint64_t) range->min;
		max = MIN(max, (uint64_t) range->max);
	}
	if (negative || n < min || n > max)
		return json_fail(r, "must be between %" PRIu64 " and %" PRIu64, min, max);
	*ret = n;
	return 0;
}

int json_get_u32(
        struct json_read *r, const struct json_field *field, struct json_object *value, void *base)
{
	uint64_t n = 0;
	int code = get_unsigned(r, field->arg, UINT32_MAX, value, &n);

	if (code == 0)
		*(uint32_t *) json_at(base, field->offset) = (uint32_t) n;
	return code;
}

int json_get_u64(
        struct json_read *r, const struct json_field *field, struct json_object *value, void *base)
{
	return get_unsigned(r, field->arg, UINT64_MAX, value, json_at(base, field->offset));
}

int json_get_i64(
        struct json_read *r, const struct json_field *field, struct json_object *value, void *base)
{
	const struct json_range all = { INT64_MIN, INT64_MAX };
	const struct json_range *range = field->arg ? field->arg : &all;
	uint64_t n = 0;
	bool negative = false;
	int code = json_integer(r, value, &n, &negative);

	if (code < 0)
		return code;
	if ((!negative && n > INT64_MAX) || (int64_t) n < range->min || (int64_t) n > range->max)
		return json_fail(
		        r, "must be between %" PRId64 " and %" PRId64, range->min, range->max);
	*(int64_t *) json_at(base, field->offset) = (int64_t) n;
	return 0;
}

int json_get_enum(
        struct json_read *r, const struct json_field *field, struct json_object *value, void *base)
{
	_free_ char *shown = NULL;
	const char *text;

	if (json_object_get_type(value) != json_type_string)
		return json_fail_type(r, "a string", value);
	text = json_object_get_string(value);
	for (const struct json_enum *e = field->arg; e->name; e++)
		if (streq(e->name, text)) {
			*(int *) json_at(base, field->offset) = e->value;
			return 0;
		}
	shown = str_escaped(text);
	return json_fail(r, "has the unknown value '%s'", shown);
}

int json_get_strv(
        struct json_read *r, const struct json_field *field, struct json_object *value, void *base)
{
	const char **list;
	size_t n;

	if (json_object_get_type(value) != json_type_array)
		return json_fail_type(r, "a list of strings", value);
	n = json_object_array_length(value);
	list = arena_new_n(r->arena, const char *, n + 1);
	for (size_t i = 0; i < n; i++) {
		size_t mark = json_push_index(r, i);
		int code = json_string(r, json_object_array_get_idx(value, i), &list[i]);

		if (code < 0)
			return code;
		json_pop(r, mark);
	}
	*(const char *const **) json_at(base, field->offset) = list;
	return 0;
}

int json_get_u32_list(
        struct json_read *r, const struct json_field *field, struct json_object *value, void *base)
{
	uint32_t *list;
	uint64_t item = 0;
	size_t n;

	if (json_object_get_type(value) != json_type_array)
		return json_fail_type(r, "a list of integers", value);
	n = json_object_array_length(value);
	list = arena_new_n(r->arena, uint32_t, n + 1);
	for (size_t i = 0; i < n; i++) {
		size_t mark = json_push_index(r, i);
		int code = get_unsigned(
		        r, field->arg, UINT32_MAX, json_object_array_get_idx(value, i), &item);

		if (code < 0)
			return code;
		json_pop(r, mark);
		list[i] = (uint32_t) item;
	}
	*(const uint32_t **) json_at(base, field->offset) = list;
	*(size_t *) json_at(base, field->aux) = n;
	return 0;
}

int json_get_object(
        struct json_read *r, const struct json_field *field, struct json_object *value, void *base)
{
	return json_read_object(r, field->arg, value, json_at(base, field->offset));
}

int json_get_new_object(
        struct json_read *r, const struct json_field *field, struct json_object *value, void *base)
{
	const struct json_table *type = field->arg;
	void *object = arena_alloc(r->arena, type->size);
	int code = json_read_object(r, type, value, object);

	if (code == 0)
		*(const void **) json_at(base, field->offset) = object;
	return code;
}

int json_get_list(
        struct json_read *r, const struct json_field *field, struct json_object *value, void *base)
{
	const struct json_table *type = field->arg;
	char *list;
	size_t n;

	if (json_object_get_type(value) != json_type_array)
		return json_fail_type(r, "a list of objects", value);
	n = json_object_array_length(value);
	list = arena_alloc_n(r->arena, n + 1, type->size);
	for (size_t i = 0; i < n; i++) {
		size_t mark = json_push_index(r, i);
		int code = json_read_object(
		        r, type, json_object_array_get_idx(value, i), list + i * type->size);

		if (code < 0)
			return code;
		json_pop(r, mark);
	}
	*(const void **) json_at(base, field->offset) = list;
	*(size_t *) json_at(base, field->aux) = n;
	return 0;
}

int json_get_ignored(
        struct json_read *r, const struct json_field *field, struct json_object *value, void *base)
{
	return 0;
}

int json_get_unsupported(
        struct json_read *r, const struct json_field *field, struct json_object *value, void *base)
{
	if (!json_is_empty(value))
		json_mark_unsupported(r);
	return 0;
}
