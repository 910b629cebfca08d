/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/config_fields.h"

#include "base/str.h"

#include <errno.h>
#include <json-c/json_tokener.h>
#include <json-c/linkhash.h>

/* json-c returns NULL only without memory. */
static struct json_object *must(struct json_object *object)
{
	if (!object)
		abort();
	return object;
}

static void add(struct json_object *to, const char *key, struct json_object *value)
{
	if (json_object_object_add(to, key, value) < 0)
		abort();
}

static struct json_object *new_text(const char *text)
{
	return must(json_object_new_string(text ? text : ""));
}

/* Each returns a new value; NULL is JSON's null and what says nothing. */
typedef struct json_object *put_fn(const struct json_field *field, const void *base);
static struct json_object *put_members(const struct json_table *type, const void *base);

static const void *at(const void *base, size_t offset)
{
	return (const char *) base + offset;
}

static struct json_object *put_text(const struct json_field *field, const void *base)
{
	const char *text = *(const char *const *) at(base, field->offset);

	return field->flags & CONFIG_OMIT_EMPTY && !(text && *text) ? NULL : new_text(text);
}

static struct json_object *put_bool(const struct json_field *field, const void *base)
{
	bool value = *(const bool *) at(base, field->offset);

	return field->flags & CONFIG_OMIT_EMPTY && !value ? NULL
	                                                  : must(json_object_new_boolean(value));
}

static struct json_object *put_number(const struct json_field *field, int64_t value)
{
	return field->flags & CONFIG_OMIT_EMPTY && value == 0 ? NULL
	                                                      : must(json_object_new_int64(value));
}

static struct json_object *put_u32(const struct json_field *field, const void *base)
{
	return put_number(field, *(const uint32_t *) at(base, field->offset));
}

/* The readers hold them to INT64_MAX, and so does config_check(). */
static struct json_object *put_u64(const struct json_field *field, const void *base)
{
	return put_number(field,
	        (int64_t) MIN(*(const uint64_t *) at(base, field->offset), (uint64_t) INT64_MAX));
}

static struct json_object *put_i64(const struct json_field *field, const void *base)
{
	return put_number(field, *(const int64_t *) at(base, field->offset));
}

static struct json_object *put_enum(const struct json_field *field, const void *base)
{
	const struct json_enum *e = field->arg;

	while (e->name && e->value != *(const int *) at(base, field->offset))
		e++;
	return new_text(e->name);
}

static struct json_object *put_strv(const struct json_field *field, const void *base)
{
	const char *const *list = *(const char *const *const *) at(base, field->offset);
	struct json_object *array;

	if (!list || !*list)
		return NULL;
	array = must(json_object_new_array());
	for (; *list; list++)
		if (json_object_array_add(array, new_text(*list)) < 0)
			abort();
	return array;
}

static struct json_object *put_set(const struct json_field *field, const void *base)
{
	const char *const *list = *(const char *const *const *) at(base, field->offset);
	struct json_object *object;

	if (!list || !*list)
		return NULL;
	object = must(json_object_new_object());
	for (; *list; list++)
		add(object, *list, must(json_object_new_object()));
	return object;
}

static int compare_keys(const void *a, const void *b)
{
	const struct oci_kv *x = a, *y = b;

	return strcmp(x->key, y->key);
}

/* Sorted, as Go writes maps. */
static struct json_object *put_map(const struct json_field *field, const void *base)
{
	const struct oci_kv *list = *(const struct oci_kv *const *) at(base, field->offset);
	size_t n = *(const size_t *) at(base, field->aux);
	_free_ struct oci_kv *sorted = NULL;
	struct json_object *object;

	if (field->flags & CONFIG_OMIT_EMPTY && n == 0)
		return NULL;
	object = must(json_object_new_object());
	sorted = xnew_n(struct oci_kv, n + 1);
	if (n > 0)
		memcpy(sorted, list, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), compare_keys);
	for (size_t i = 0; i < n; i++)
		add(object, sorted[i].key, new_text(sorted[i].value));
	return object;
}

static struct json_object *put_object(const struct json_field *field, const void *base)
{
	struct json_object *object = put_members(field->arg, at(base, field->offset));

	if (!(field->flags & CONFIG_OMIT_EMPTY) || json_object_object_length(object) > 0)
		return object;
	json_object_put(object);
	return NULL;
}

static struct json_object *put_list(const struct json_field *field, const void *base)
{
	const struct json_table *type = field->arg;
	const char *list = *(const char *const *) at(base, field->offset);
	size_t n = *(const size_t *) at(base, field->aux);
	struct json_object *array = must(json_object_new_array());

	for (size_t i = 0; i < n; i++)
		if (json_object_array_add(array, put_members(type, list + i * type->size)) < 0)
			abort();
	return array;
}

static struct json_object *put_constant(const struct json_field *field, const void *base)
{
	(void) base;
	return json_tokener_parse(field->arg);
}

/* docker's map of targets to options, as --tmpfs takes them. */
static struct json_object *put_tmpfs(const struct json_field *field, const void *base)
{
	const struct config *c = base;
	struct json_object *object = NULL;

	(void) field;
	for (size_t i = 0; i < c->n_mounts; i++) {
		const struct config_mount *m = &c->mounts[i];
		_buf_done_ struct buf text = BUF_INIT(256);

		if (m->type != CONFIG_TMPFS)
			continue;
		(void) buf_addf(&text, "%s%s%s%s", m->read_only ? "ro," : "",
		        m->exec ? "exec," : "", m->dev ? "dev," : "", m->suid ? "suid," : "");
		if (m->tmpfs_size)
			(void) buf_addf(&text, "size=%llu,", (unsigned long long) m->tmpfs_size);
		if (m->tmpfs_mode)
			(void) buf_addf(&text, "mode=%o,", m->tmpfs_mode);
		if (!object)
			object = must(json_object_new_object());
		add(object, m->target,
		        must(json_object_new_string_len(
		                buf_str(&text), (int) (text.len ? text.len - 1 : 0))));
	}
	return object;
}

static const struct {
	int (*get)(struct json_read *, const struct json_field *, struct json_object *, void *);
	put_fn *put;
} writers[] = {
	{ json_get_string, put_text },
	{ json_get_bool, put_bool },
	{ json_get_u32, put_u32 },
	{ json_get_u64, put_u64 },
	{ json_get_i64, put_i64 },
	{ json_get_enum, put_enum },
	{ json_get_strv, put_strv },
	{ json_get_object, put_object },
	{ json_get_list, put_list },
	{ oci_get_map, put_map },
	{ config_get_set, put_set },
	{ config_get_path, put_text },
	{ config_get_constant, put_constant },
	{ config_get_tmpfs, put_tmpfs },
};

static put_fn *writer_of(const struct json_field *field)
{
	for (size_t i = 0; i < ARRAY_SIZE(writers); i++)
		if (writers[i].get == field->get)
			return writers[i].put;
	abort(); /* a table names a reader that nobody can write */
}

static struct json_object *put_members(const struct json_table *type, const void *base)
{
	struct json_object *object = must(json_object_new_object());

	for (const struct json_field *f = type->fields; f->name; f++) {
		struct json_object *value;

		if (f->flags & JSON_HAS && !*(const bool *) at(base, f->aux))
			continue;
		value = writer_of(f)(f, base);
		if (value || !(f->flags & CONFIG_OMIT_EMPTY))
			add(object, f->name, value);
	}
	return object;
}

struct json_object *config_to_json(const struct config *c)
{
	return put_members(&config_table, c);
}

/* --- as text: what cannot be kept is found here, and not at the next start ---------------------
 */

/* Looks for a text that is not UTF-8, which JSON cannot hold. path is the way to it. */
static int check_texts(struct json_object *value, const char *path, struct err *err);

static int check_text(const char *text, size_t len, const char *path, struct err *err)
{
	_free_ char *shown = NULL;

	if (str_is_utf8(text, len))
		return 0;
	shown = str_escaped(text);
	return err_set(err, -EINVAL,
	        "'%s' in %s is not UTF-8: arguments, variables, labels and paths of containers must be",
	        shown, path);
}

static int check_members(struct json_object *value, const char *path, struct err *err)
{
	json_object_object_foreach(value, name, member)
	{
		int r = check_text(name, strlen(name), path, err);
		_free_ char *inner = r == 0 ? xprintf("%s%s%.64s", path, *path ? "." : "", name)
		                            : NULL;

		if (r == 0)
			r = check_texts(member, inner, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int check_texts(struct json_object *value, const char *path, struct err *err)
{
	int r = 0;

	switch (json_object_get_type(value)) {
	case json_type_string:
		return check_text(json_object_get_string(value),
		        (size_t) json_object_get_string_len(value), path, err);
	case json_type_object:
		return check_members(value, path, err);
	case json_type_array:
		for (size_t i = 0; r == 0 && i < json_object_array_length(value); i++)
			r = check_texts(json_object_array_get_idx(value, i), path, err);
		return r;
	default:
		return 0;
	}
}

int config_to_text(const struct config *c, char **ret, struct err *err)
{
	_json_put_ struct json_object *object = config_to_json(c);
	const char *text;
	size_t len;
	int r = check_texts(object, "", err);

	if (r < 0)
		return r;
	text = json_object_to_json_string_length(
	        object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);
	if (!text)
		abort();
	r = json_check("the container's configuration", text, len, &config_limits, err);
	if (r < 0)
		return r;
	*ret = xprintf("%s\n", text);
	return 0;
}
