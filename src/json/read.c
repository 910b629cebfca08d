/* SPDX-License-Identifier: Apache-2.0 */
#include "json/json.h"

#include "base/str.h"

#include <errno.h>
#include <json-c/json_object_iterator.h>
#include <json-c/linkhash.h>
#include <stdarg.h>
#include <stdio.h>

enum { NOTE_MAX = 512 };

static const char *const type_names[] = {
	[json_type_null] = "null",
	[json_type_boolean] = "a boolean",
	[json_type_double] = "a number with a fraction or exponent",
	[json_type_int] = "an integer",
	[json_type_object] = "an object",
	[json_type_array] = "a list",
	[json_type_string] = "a string",
};

/* Writes the path; one that does not fit is cut, the texts stay readable. */
static void render_path(const struct json_read *r, char out[JSON_PATH_MAX])
{
	_buf_done_ struct buf b = BUF_INIT((size_t) 4 * JSON_PATH_MAX);
	size_t n = MIN(r->path_len, ARRAY_SIZE(r->path));

	for (size_t i = 0; i < n; i++) {
		const char *name = r->path[i].name;

		if (!name)
			(void) buf_addf(&b, "[%zu]", r->path[i].index);
		else if (i > 0)
			(void) buf_addc(&b, '.');
		if (name)
			(void) str_escape(&b, name, strlen(name), JSON_PATH_MAX / 2);
	}
	(void) snprintf(out, JSON_PATH_MAX, "%s", buf_str(&b));
}

int json_fail(struct json_read *r, const char *fmt, ...)
{
	char text[NOTE_MAX], path[JSON_PATH_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void) vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (r->path_len == 0)
		return err_set(r->err, -EINVAL, "%s: the document %s", r->document, text);
	render_path(r, path);
	return err_set(r->err, -EINVAL, "%s: '%s' %s", r->document, path, text);
}

int json_fail_type(struct json_read *r, const char *want, struct json_object *value)
{
	return json_fail(r, "must be %s, not %s", want, type_names[json_object_get_type(value)]);
}

static size_t push(struct json_read *r, const char *name, size_t index)
{
	if (r->path_len < ARRAY_SIZE(r->path)) {
		r->path[r->path_len].name = name;
		r->path[r->path_len].index = index;
	}
	return r->path_len++;
}

size_t json_push(struct json_read *r, const char *name)
{
	return push(r, name, 0);
}

size_t json_push_index(struct json_read *r, size_t index)
{
	return push(r, NULL, index);
}

void json_pop(struct json_read *r, size_t mark)
{
	r->path_len = mark;
}

static void names_add(struct json_read *r, struct json_names *list, const char *text)
{
	if (list->n >= JSON_NAMES_MAX)
		return;
	if (list->n + 1 >= list->size) {
		size_t size = list->size ? 2 * list->size : 16;
		const char **names = arena_new_n(r->arena, const char *, size);

		if (list->n > 0)
			memcpy(names, list->names, list->n * sizeof(*names));
		list->names = names;
		list->size = size;
	}
	list->names[list->n] = list->n + 1 < JSON_NAMES_MAX ? arena_strdup(r->arena, text) : "...";
	list->names[++list->n] = NULL;
}

void json_mark_unsupported(struct json_read *r)
{
	char path[JSON_PATH_MAX];

	render_path(r, path);
	names_add(r, &r->unsupported, path);
}

void json_note(struct json_read *r, const char *fmt, ...)
{
	char text[NOTE_MAX], path[JSON_PATH_MAX], whole[NOTE_MAX + JSON_PATH_MAX + 8];
	va_list ap;

	va_start(ap, fmt);
	(void) vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	render_path(r, path);
	(void) snprintf(whole, sizeof(whole), "'%s' %s", path, text);
	names_add(r, &r->notes, whole);
}

const char *const *json_names_list(const struct json_names *names)
{
	static const char *const empty[] = { NULL };

	return names->names ? names->names : empty;
}

bool json_is_empty(struct json_object *value)
{
	switch (json_object_get_type(value)) {
	case json_type_null:
		return true;
	case json_type_string:
		return json_object_get_string_len(value) == 0;
	case json_type_array:
		for (size_t i = 0; i < json_object_array_length(value); i++)
			if (!json_is_empty(json_object_array_get_idx(value, i)))
				return false;
		return true;
	case json_type_object: {
		json_object_object_foreach(value, key, member)
		{
			(void) key;
			if (!json_is_empty(member))
				return false;
		}
		return true;
	}
	default:
		return false;
	}
}

static const struct json_field *find_field(const struct json_field *fields, const char *name)
{
	for (; fields->name; fields++)
		if (streq(fields->name, name))
			return fields;
	return NULL;
}

static int check_required(
        struct json_read *r, const struct json_field *fields, struct json_object *object)
{
	size_t mark;
	int code;

	for (; fields->name; fields++) {
		if (!(fields->flags & JSON_REQUIRED))
			continue;
		if (json_object_object_get(object, fields->name))
			continue;
		mark = json_push(r, fields->name);
		code = json_fail(r, "is missing");
		json_pop(r, mark);
		return code;
	}
	return 0;
}

static int read_member(struct json_read *r, const struct json_table *type, const char *name,
        struct json_object *value, void *base)
{
	const struct json_field *field = find_field(type->fields, name);
	size_t mark = json_push(r, name);
	char path[JSON_PATH_MAX];
	int code = 0;

	if (!field && r->unknown.n < JSON_NAMES_MAX) {
		render_path(r, path);
		names_add(r, &r->unknown, path);
	}
	if (field && value)
		code = field->get(r, field, value, base);
	if (field && value && (field->flags & JSON_HAS))
		*(bool *) json_at(base, field->aux) = true;
	json_pop(r, mark);
	return code;
}

int json_read_object(
        struct json_read *r, const struct json_table *type, struct json_object *object, void *base)
{
	int code;

	if (json_object_get_type(object) != json_type_object)
		return json_fail_type(r, "an object", object);
	json_object_object_foreach(object, name, value)
	{
		code = read_member(r, type, name, value, base);
		if (code < 0)
			return code;
	}
	code = check_required(r, type->fields, object);
	if (code < 0)
		return code;
	return type->check ? type->check(r, base) : 0;
}
