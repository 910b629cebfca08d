/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/fields.h"

#include "base/str.h"

#include <json-c/linkhash.h>
#include <stdarg.h>
#include <stdio.h>

const char *const oci_no_texts[] = { NULL };

int oci_fail_key(struct json_read *r, const char *key, const char *fmt, ...)
{
	char text[512];
	size_t mark = json_push(r, key);
	int code;
	va_list ap;

	va_start(ap, fmt);
	(void) vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	code = json_fail(r, "%s", text);
	json_pop(r, mark);
	return code;
}

bool oci_has_control(const char *s)
{
	for (; *s; s++)
		if ((unsigned char) *s < 0x20 || *s == 0x7f)
			return true;
	return false;
}

int oci_get_map(
        struct json_read *r, const struct json_field *field, struct json_object *value, void *base)
{
	struct oci_kv *list;
	size_t n = 0;

	if (json_object_get_type(value) != json_type_object)
		return json_fail_type(r, "an object of strings", value);
	list = arena_new_n(r->arena, struct oci_kv, (size_t) json_object_object_length(value) + 1);
	json_object_object_foreach(value, name, member)
	{
		size_t mark = json_push(r, name);
		int code;

		if (!*name)
			return json_fail(r, "has an empty key");
		code = json_string(r, member, &list[n].value);
		if (code < 0)
			return code;
		json_pop(r, mark);
		list[n++].key = arena_strdup(r->arena, name);
	}
	*(const struct oci_kv **) json_at(base, field->offset) = list;
	*(size_t *) json_at(base, field->aux) = n;
	return 0;
}

static int check_absolute(struct json_read *r, const char *path)
{
	_free_ char *shown = NULL;

	if (*path == '/')
		return 0;
	shown = str_escaped(path);
	return json_fail(r, "must be an absolute path, not '%s'", shown);
}

int oci_get_abs_path(
        struct json_read *r, const struct json_field *field, struct json_object *value, void *base)
{
	const char **path = json_at(base, field->offset);
	int code = json_get_text(r, field, value, base);

	return code < 0 || !*path ? code : check_absolute(r, *path);
}

int oci_get_abs_paths(
        struct json_read *r, const struct json_field *field, struct json_object *value, void *base)
{
	const char *const **list = json_at(base, field->offset);
	int code = json_get_strv(r, field, value, base);

	for (size_t i = 0; code == 0 && (*list)[i]; i++) {
		size_t mark = json_push_index(r, i);

		code = check_absolute(r, (*list)[i]);
		json_pop(r, mark);
	}
	return code;
}

/* -- id maps: of the user namespace and of mounts -- */

enum { IDMAPS_MAX = 340 }; /* user_namespaces(7): lines of a map since Linux 4.15 */

static const struct json_range at_least_one = { 1, UINT32_MAX };
static const struct json_field idmap_fields[] = {
	{ "containerID", json_get_u32, offsetof(struct oci_idmap, container_id) },
	{ "hostID", json_get_u32, offsetof(struct oci_idmap, host_id) },
	{ "size", json_get_u32, offsetof(struct oci_idmap, size), .flags = JSON_REQUIRED,
	        .arg = &at_least_one },
	{ NULL },
};
const struct json_table oci_idmap_table = { idmap_fields, sizeof(struct oci_idmap), NULL };

static bool ranges_overlap(uint32_t a, uint32_t a_size, uint32_t b, uint32_t b_size)
{
	return a < (uint64_t) b + b_size && b < (uint64_t) a + a_size;
}

int oci_check_idmaps(struct json_read *r, const char *key, const struct oci_idmap *maps, size_t n)
{
	if (n > IDMAPS_MAX)
		return oci_fail_key(
		        r, key, "has more than %d members, the kernel's maximum", IDMAPS_MAX);
	for (size_t i = 0; i < n; i++) {
		const struct oci_idmap *m = &maps[i];

		/* The last id, 2^32-1, is "no id" for the kernel. */
		if ((uint64_t) m->container_id + m->size > UINT32_MAX ||
		        (uint64_t) m->host_id + m->size > UINT32_MAX)
			return oci_fail_key(
			        r, key, "[%zu] goes beyond the largest id, 4294967294", i);
		for (size_t k = 0; k < i; k++)
			if (ranges_overlap(
			            m->container_id, m->size, maps[k].container_id, maps[k].size) ||
			        ranges_overlap(m->host_id, m->size, maps[k].host_id, maps[k].size))
				return oci_fail_key(
				        r, key, "has the overlapping members %zu and %zu", k, i);
	}
	return 0;
}
