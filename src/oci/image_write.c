/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Image documents as JSON. json-c keeps the order of insertion, so the order of the calls below is
 * the order of the keys; maps are sorted as Go sorts them.
 */
#include "base/str.h"
#include "oci/image.h"

#include <json-c/json_object.h>
#include <json-c/json_tokener.h>

/* json-c returns NULL only without memory. */
static struct json_object *must(struct json_object *object)
{
	if (!object)
		abort();
	return object;
}

static void add(struct json_object *to, const char *key, struct json_object *value)
{
	if (json_object_object_add(to, key, must(value)) < 0)
		abort();
}

static void append(struct json_object *to, struct json_object *value)
{
	if (json_object_array_add(to, must(value)) < 0)
		abort();
}

static void add_text(struct json_object *to, const char *key, const char *text)
{
	if (text)
		add(to, key, json_object_new_string(text));
}

static struct json_object *new_texts(const char *const *list)
{
	struct json_object *array = must(json_object_new_array());

	for (; *list; list++)
		append(array, json_object_new_string(*list));
	return array;
}

/* Empty lists are left out. */
static void add_texts(struct json_object *to, const char *key, const char *const *list)
{
	if (*list)
		add(to, key, new_texts(list));
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static void add_set(struct json_object *to, const char *key, const char *const *list)
{
	_free_ const char **sorted = NULL;
	struct json_object *object;
	size_t n = 0;

	while (list[n])
		n++;
	if (n == 0)
		return;
	sorted = xnew_n(const char *, n);
	memcpy(sorted, list, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), compare_texts);
	object = must(json_object_new_object());
	for (size_t i = 0; i < n; i++)
		add(object, sorted[i], json_object_new_object());
	add(to, key, object);
}

static int compare_keys(const void *a, const void *b)
{
	const struct oci_kv *x = a, *y = b;

	return strcmp(x->key, y->key);
}

static void add_map(struct json_object *to, const char *key, const struct oci_kv *list, size_t n)
{
	_free_ struct oci_kv *sorted = NULL;
	struct json_object *object;

	if (n == 0)
		return;
	sorted = xnew_n(struct oci_kv, n);
	memcpy(sorted, list, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), compare_keys);
	object = must(json_object_new_object());
	for (size_t i = 0; i < n; i++)
		add(object, sorted[i].key, json_object_new_string(sorted[i].value));
	add(to, key, object);
}

/* Takes the object. */
static char *finish_take(struct json_object *object)
{
	char *text = xstrdup(json_object_to_json_string_ext(
	        object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));

	json_object_put(object);
	return text;
}

static struct json_object *new_config(const struct oci_image *img)
{
	struct json_object *config = must(json_object_new_object());

	add_text(config, "User", img->user);
	add_set(config, "ExposedPorts", img->exposed_ports);
	add_texts(config, "Env", img->env);
	add_texts(config, "Entrypoint", img->entrypoint);
	add_texts(config, "Cmd", img->cmd);
	add_set(config, "Volumes", img->volumes);
	add_text(config, "WorkingDir", img->working_dir);
	add_map(config, "Labels", img->labels, img->n_labels);
	add_text(config, "StopSignal", img->stop_signal);
	if (img->has_stop_timeout)
		add(config, "StopTimeout", json_object_new_int64(img->stop_timeout));
	if (img->args_escaped)
		add(config, "ArgsEscaped", json_object_new_boolean(true));
	/* It was checked when it was read or made. */
	if (img->healthcheck)
		add(config, "Healthcheck", json_tokener_parse(img->healthcheck));
	add_texts(config, "OnBuild", img->on_build);
	add_texts(config, "Shell", img->shell);
	return config;
}

static struct json_object *new_history(const struct oci_image *img)
{
	struct json_object *array = must(json_object_new_array());

	for (size_t i = 0; i < img->n_history; i++) {
		const struct oci_history *h = &img->history[i];
		struct json_object *entry = must(json_object_new_object());

		add_text(entry, "created", h->created);
		add_text(entry, "created_by", h->created_by);
		add_text(entry, "author", h->author);
		add_text(entry, "comment", h->comment);
		if (h->empty_layer)
			add(entry, "empty_layer", json_object_new_boolean(true));
		append(array, entry);
	}
	return array;
}

char *oci_image_to_json(const struct oci_image *img)
{
	struct json_object *object = must(json_object_new_object());
	struct json_object *rootfs = must(json_object_new_object());

	add_text(object, "created", img->created);
	add_text(object, "author", img->author);
	add_text(object, "architecture", img->architecture);
	add_text(object, "variant", img->variant);
	add_text(object, "os", img->os);
	add(object, "config", new_config(img));
	add_text(rootfs, "type", "layers");
	add(rootfs, "diff_ids", new_texts(img->diff_ids));
	add(object, "rootfs", rootfs);
	if (img->n_history > 0)
		add(object, "history", new_history(img));
	return finish_take(object);
}

static struct json_object *new_descriptor(const struct oci_descriptor *d)
{
	struct json_object *object = must(json_object_new_object());

	add_text(object, "mediaType", d->media_type);
	add_text(object, "digest", d->digest);
	add(object, "size", json_object_new_int64(d->size));
	add_map(object, "annotations", d->annotations, d->n_annotations);
	return object;
}

char *oci_manifest_to_json(const struct oci_manifest *m)
{
	struct json_object *object = must(json_object_new_object());
	struct json_object *layers = must(json_object_new_array());

	add(object, "schemaVersion", json_object_new_int(2));
	add_text(object, "mediaType", m->media_type);
	add_text(object, "artifactType", m->artifact_type);
	add(object, "config", new_descriptor(&m->config));
	for (size_t i = 0; i < m->n_layers; i++)
		append(layers, new_descriptor(&m->layers[i]));
	add(object, "layers", layers);
	add_map(object, "annotations", m->annotations, m->n_annotations);
	return finish_take(object);
}
