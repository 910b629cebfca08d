/* SPDX-License-Identifier: Apache-2.0 */
/* The objects of images and volumes. */
#include "engine/inspect.h"

#include "base/buf.h"
#include "base/str.h"
#include "engine/volumes.h"
#include "format/units.h"
#include "json/build.h"
#include "oci/image.h"
#include "oci/ref.h"
#include "store/store.h"

#include <json-c/json_tokener.h>

static struct json_object *map_of(const struct oci_kv *entries, size_t n)
{
	struct json_object *o = n > 0 ? json_object_new_object() : NULL;

	for (size_t i = 0; i < n; i++)
		json_add_text(o, entries[i].key, entries[i].value);
	return o;
}

/* {"80/tcp":{}}, as docker writes sets; null when there are none. */
static struct json_object *set_of(const char *const *names)
{
	struct json_object *o = *names ? json_object_new_object() : NULL;

	for (; *names; names++)
		json_add(o, *names, json_object_new_object());
	return o;
}

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

static struct json_object *config_of(const struct oci_image *image)
{
	struct json_object *o = json_object_new_object();

	json_add_text(o, "User", or_empty(image->user));
	if (*image->exposed_ports)
		json_add(o, "ExposedPorts", set_of(image->exposed_ports));
	json_add_texts(o, "Env", image->env, true);
	json_add_texts(o, "Cmd", image->cmd, true);
	/* Checked when the image was parsed. */
	if (image->healthcheck)
		json_add(o, "Healthcheck", json_tokener_parse(image->healthcheck));
	if (image->args_escaped)
		json_add_bool(o, "ArgsEscaped", true);
	json_add(o, "Volumes", set_of(image->volumes));
	json_add_text(o, "WorkingDir", or_empty(image->working_dir));
	json_add_texts(o, "Entrypoint", image->entrypoint, true);
	json_add_texts(o, "OnBuild", image->on_build, true);
	json_add(o, "Labels", map_of(image->labels, image->n_labels));
	if (image->stop_signal)
		json_add_text(o, "StopSignal", image->stop_signal);
	if (image->has_stop_timeout)
		json_add_int(o, "StopTimeout", image->stop_timeout);
	if (*image->shell)
		json_add_texts(o, "Shell", image->shell, true);
	return o;
}

static void add_names(struct json_object *o, char *const *names)
{
	struct json_object *list = json_object_new_array();

	for (; names && *names; names++) {
		struct oci_ref ref;
		_free_ char *name = NULL;

		if (oci_ref_parse(*names, &ref, NULL) < 0)
			continue;
		name = oci_ref_familiar(&ref);
		(void) json_object_array_add(list, json_object_new_string(name));
	}
	json_add(o, "RepoTags", list);
	json_add(o, "RepoDigests", json_object_new_array());
}

static struct json_object *graph_of(const struct store_image *image, const char *root)
{
	_buf_done_ struct buf lower = BUF_INIT(1 << 20);
	struct json_object *o = json_object_new_object(), *data = json_object_new_object();
	char *const *top = image->layers;

	for (char *const *l = top ? top + 1 : NULL; l && *l; l++)
		(void) buf_addf(&lower, "%s%s/fs/%s", l == top + 1 ? "" : ":", root, *l);
	if (lower.len > 0)
		json_add_text(data, "LowerDir", buf_str(&lower));
	if (top && *top) {
		_free_ char *upper = xprintf("%s/fs/%s", root, *top);

		json_add_text(data, "UpperDir", upper);
	}
	json_add(o, "Data", data);
	json_add_text(o, "Name", "overlay2");
	return o;
}

static const char *last_comment(const struct oci_image *config)
{
	return config->n_history > 0 ? or_empty(config->history[config->n_history - 1].comment)
	                             : "";
}

struct json_object *inspect_image_object(
        const struct store_image *image, const struct oci_image *config, const char *root)
{
	_free_ char *id = xprintf("sha256:%s", image->id);
	struct json_object *o = json_object_new_object(), *rootfs = json_object_new_object(),
	                   *metadata = json_object_new_object();

	json_add_text(o, "Id", id);
	add_names(o, image->names);
	json_add_text(o, "Parent", "");
	json_add_text(o, "Comment", last_comment(config));
	json_add_text(o, "Created", config->created ? config->created : "0001-01-01T00:00:00Z");
	json_add_text(o, "DockerVersion", "");
	json_add_text(o, "Author", or_empty(config->author));
	json_add(o, "Config", config_of(config));
	json_add_text(o, "Architecture", config->architecture);
	if (config->variant)
		json_add_text(o, "Variant", config->variant);
	json_add_text(o, "Os", config->os);
	json_add_int(o, "Size", (int64_t) image->size);
	json_add_int(o, "VirtualSize", (int64_t) image->size);
	json_add(o, "GraphDriver", graph_of(image, root));
	json_add_text(rootfs, "Type", "layers");
	json_add_texts(rootfs, "Layers", config->diff_ids, false);
	json_add(o, "RootFS", rootfs);
	json_add_text(metadata, "LastTagTime", "0001-01-01T00:00:00Z"); /* not recorded */
	json_add(o, "Metadata", metadata);
	return o;
}

int inspect_image(struct engine *e, const struct store_image *image, struct json_object **ret,
        struct err *err)
{
	struct oci_image *config = NULL;
	int r = store_image_config(e->store, image, &config, err);

	if (r < 0)
		return r;
	*ret = inspect_image_object(image, config, e->root);
	oci_image_free(config);
	return 0;
}

struct json_object *inspect_volume(const struct volume *v)
{
	struct json_object *o = json_object_new_object(), *labels = json_object_new_object();
	char created[FORMAT_TIME_SIZE];

	/* Docker's volumes have whole seconds. */
	format_time(created, v->created / 1000000000 * 1000000000);
	json_add_text(o, "CreatedAt", created);
	json_add_text(o, "Driver", "local");
	for (char **l = v->labels; l && *l; l++) {
		const char *equals = strchr(*l, '=');
		_free_ char *key = xstrndup(*l, equals ? (size_t) (equals - *l) : strlen(*l));

		json_add_text(labels, key, equals ? equals + 1 : "");
	}
	json_add(o, "Labels", labels);
	json_add_text(o, "Mountpoint", v->path);
	json_add_text(o, "Name", v->name);
	json_add(o, "Options", json_object_new_object());
	json_add_text(o, "Scope", "local");
	return o;
}
