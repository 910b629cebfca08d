/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/config_fields.h"

#include "base/path.h"
#include "base/str.h"

#include <errno.h>
#include <json-c/linkhash.h>

int config_get_set(
        struct json_read *r, const struct json_field *field, struct json_object *value, void *base)
{
	const char **list;
	size_t n = 0;

	if (json_object_get_type(value) != json_type_object)
		return json_fail_type(r, "an object", value);
	list = arena_new_n(r->arena, const char *, (size_t) json_object_object_length(value) + 1);
	json_object_object_foreach(value, name, member)
	{
		size_t mark = json_push(r, name);

		if (!*name || !member || !json_is_empty(member))
			return json_fail(r, "must be a name and an empty object");
		json_pop(r, mark);
		list[n++] = arena_strdup(r->arena, name);
	}
	*(const char *const **) json_at(base, field->offset) = list;
	return 0;
}

int config_get_path(
        struct json_read *r, const struct json_field *field, struct json_object *value, void *base)
{
	const char **path = json_at(base, field->offset);
	_free_ char *clean = NULL;
	int code = json_get_string(r, field, value, base);

	if (code < 0)
		return code;
	clean = path_clean(*path);
	if (**path != '/' || !streq(clean, *path))
		return json_fail(r, "must be an absolute path without '.', '..' and empty parts");
	return 0;
}

int config_get_constant(
        struct json_read *r, const struct json_field *field, struct json_object *value, void *base)
{
	const char *text = json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN);

	(void) base;
	return streq(text, field->arg) ? 0 : json_fail(r, "must be %s", (const char *) field->arg);
}

int config_get_tmpfs(
        struct json_read *r, const struct json_field *field, struct json_object *value, void *base)
{
	(void) r;
	(void) field;
	(void) value;
	(void) base;
	return 0;
}

int config_parse(const char *json, size_t len, struct config **ret, struct err *err)
{
	_config_free_ struct config *c = config_new();
	_json_put_ struct json_object *object = NULL;
	struct json_read r = { .document = "config.json", .arena = &c->arena, .err = err };
	int code = json_parse_bounded(r.document, json, len, &config_limits, &object, err);

	if (code == 0)
		code = json_read_object(&r, &config_table, object, c);
	if (code < 0)
		return code;
	if (r.unknown.n > 0)
		return err_set(err, -EINVAL,
		        "%s: '%s' is not known to this version: it may be from a newer one",
		        r.document, r.unknown.names[0]);
	*ret = TAKE_PTR(c);
	return 0;
}
