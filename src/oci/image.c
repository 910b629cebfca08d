/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/image.h"

#include "base/str.h"
#include "digest/digest.h"
#include "oci/fields.h"

#include <errno.h>
#include <json-c/linkhash.h>

static const struct json_limits limits = {
	.max_bytes = OCI_IMAGE_DOC_MAX,
	.max_depth = OCI_DEPTH_MAX,
	.max_list = OCI_LIST_MAX,
	.max_string = 1 << 20,
};

#if defined(__x86_64__)
#define ARCHITECTURE "amd64"
#elif defined(__aarch64__)
#define ARCHITECTURE "arm64"
#elif defined(__riscv)
#define ARCHITECTURE "riscv64"
#elif defined(__s390x__)
#define ARCHITECTURE "s390x"
#elif defined(__powerpc64__)
#define ARCHITECTURE "ppc64le"
#elif defined(__arm__)
#define ARCHITECTURE "arm"
#elif defined(__i386__)
#define ARCHITECTURE "386"
#else
#error "the name of this architecture in the image-spec is missing here"
#endif

/* -- readers -- */

/* const char *const *: the keys of an object; the values are empty objects (Go's set). */
static int get_set(
        struct json_read *r, const struct json_field *field, struct json_object *value, void *base)
{
	const char **list;
	size_t n = 0;

	if (json_object_get_type(value) != json_type_object)
		return json_fail_type(r, "an object", value);
	list = arena_new_n(r->arena, const char *, (size_t) json_object_object_length(value) + 1);
	json_object_object_foreach(value, name, member)
	{
		if (!json_is_empty(member))
			return oci_fail_key(r, name, "must be an empty object");
		list[n++] = arena_strdup(r->arena, name);
	}
	*(const char *const **) json_at(base, field->offset) = list;
	return 0;
}

/* const char *: the text of an object as json-c writes it. */
static int get_raw_object(
        struct json_read *r, const struct json_field *field, struct json_object *value, void *base)
{
	if (json_object_get_type(value) != json_type_object)
		return json_fail_type(r, "an object", value);
	*(const char **) json_at(base, field->offset) = arena_strdup(
	        r->arena, json_object_to_json_string_ext(
	                          value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	return 0;
}

static int check_digest(struct json_read *r, const char *digest)
{
	return digest_is_valid(digest) ? 0
	                               : json_fail(r, "must be sha256: and 64 hexadecimal digits");
}

static int get_digest(
        struct json_read *r, const struct json_field *field, struct json_object *value, void *base)
{
	int code = json_get_string(r, field, value, base);

	return code < 0 ? code : check_digest(r, *(const char **) json_at(base, field->offset));
}

static int get_digests(
        struct json_read *r, const struct json_field *field, struct json_object *value, void *base)
{
	const char *const **list = json_at(base, field->offset);
	int code = json_get_strv(r, field, value, base);

	for (size_t i = 0; code == 0 && (*list)[i]; i++) {
		size_t mark = json_push_index(r, i);

		if (i >= OCI_LAYERS_MAX)
			return json_fail(r, "is one layer more than %d", OCI_LAYERS_MAX);
		code = check_digest(r, (*list)[i]);
		json_pop(r, mark);
	}
	return code;
}

static int get_env(
        struct json_read *r, const struct json_field *field, struct json_object *value, void *base)
{
	const char **list;
	size_t n = 0;
	int code = json_get_strv(r, field, value, base);

	if (code < 0)
		return code;
	list = *(const char ***) json_at(base, field->offset);
	for (size_t i = 0; list[i]; i++)
		if (strchr(list[i], '=') > list[i])
			list[n++] = list[i];
	list[n] = NULL;
	return 0;
}

/* -- image configuration -- */

#define AT(member) offsetof(struct oci_image, member)
static const struct json_field config_fields[] = {
	{ "User", json_get_text, AT(user) },
	{ "ExposedPorts", get_set, AT(exposed_ports) },
	{ "Env", get_env, AT(env) },
	{ "Entrypoint", json_get_strv, AT(entrypoint) },
	{ "Cmd", json_get_strv, AT(cmd) },
	{ "Volumes", get_set, AT(volumes) },
	{ "WorkingDir", json_get_text, AT(working_dir) },
	{ "Labels", oci_get_map, AT(labels), AT(n_labels) },
	{ "StopSignal", json_get_text, AT(stop_signal) },
	{ "StopTimeout", json_get_i64, AT(stop_timeout), AT(has_stop_timeout), JSON_HAS },
	{ "ArgsEscaped", json_get_bool, AT(args_escaped) },
	{ "Healthcheck", get_raw_object, AT(healthcheck) },
	{ "OnBuild", json_get_strv, AT(on_build) },
	{ "Shell", json_get_strv, AT(shell) },
	{ NULL },
};
static const struct json_table config_table = { config_fields, 0, NULL };

static const struct json_enum rootfs_types[] = { { "layers", 0 }, { NULL } };

/* int: checked and not kept; "layers" is the only one. */
static int get_rootfs_type(
        struct json_read *r, const struct json_field *field, struct json_object *value, void *base)
{
	const struct json_field whole = { .arg = rootfs_types };
	int type;

	return json_get_enum(r, &whole, value, &type);
}

static const struct json_field rootfs_fields[] = {
	{ "type", get_rootfs_type, .flags = JSON_REQUIRED },
	{ "diff_ids", get_digests, AT(diff_ids), .flags = JSON_REQUIRED },
	{ NULL },
};
static const struct json_table rootfs_table = { rootfs_fields, 0, NULL };

static const struct json_field history_fields[] = {
	{ "created", json_get_text, offsetof(struct oci_history, created) },
	{ "created_by", json_get_text, offsetof(struct oci_history, created_by) },
	{ "author", json_get_text, offsetof(struct oci_history, author) },
	{ "comment", json_get_text, offsetof(struct oci_history, comment) },
	{ "empty_layer", json_get_bool, offsetof(struct oci_history, empty_layer) },
	{ NULL },
};
static const struct json_table history_table = {
	history_fields,
	sizeof(struct oci_history),
	NULL,
};

static const struct json_field image_fields[] = {
	{ "created", json_get_text, AT(created) },
	{ "author", json_get_text, AT(author) },
	{ "architecture", json_get_string, AT(architecture), .flags = JSON_REQUIRED },
	{ "variant", json_get_text, AT(variant) },
	{ "os", json_get_string, AT(os), .flags = JSON_REQUIRED },
	{ "config", json_get_object, 0, .arg = &config_table },
	{ "rootfs", json_get_object, 0, .flags = JSON_REQUIRED, .arg = &rootfs_table },
	{ "history", json_get_list, AT(history), AT(n_history), .arg = &history_table },
	{ NULL },
};
#undef AT
static const struct json_table image_table = { image_fields, sizeof(struct oci_image), NULL };

struct oci_image *oci_image_new(void)
{
	struct oci_image *img = xnew(struct oci_image);

	img->architecture = ARCHITECTURE;
	img->os = "linux";
	img->env = img->entrypoint = img->cmd = img->exposed_ports = oci_no_texts;
	img->volumes = img->shell = img->on_build = img->diff_ids = oci_no_texts;
	return img;
}

struct oci_image *oci_image_free(struct oci_image *img)
{
	if (img) {
		arena_done(&img->arena);
		free(img);
	}
	return NULL;
}

void oci_image_freep(struct oci_image **img)
{
	*img = oci_image_free(*img);
}

/* A configuration that is also a manifest or an index would mean two things (CVE-2021-41190). */
static int refuse_keys(struct json_read *r, struct json_object *object, const char *const *keys)
{
	if (json_object_get_type(object) != json_type_object)
		return 0;
	for (; *keys; keys++)
		if (json_object_object_get_ex(object, *keys, NULL))
			return oci_fail_key(r, *keys,
			        "makes the document ambiguous: it would be two kinds at once");
	return 0;
}

int oci_image_parse(const char *json, size_t len, struct oci_image **ret, struct err *err)
{
	static const char *const foreign[] = { "manifests", "layers", NULL };
	_cleanup_(oci_image_freep) struct oci_image *img = oci_image_new();
	_json_put_ struct json_object *object = NULL;
	struct json_read r = { .document = "image config", .arena = &img->arena, .err = err };
	int code;

	code = json_parse_bounded(r.document, json, len, &limits, &object, err);
	if (code < 0)
		return code;
	code = refuse_keys(&r, object, foreign);
	if (code < 0)
		return code;
	code = json_read_object(&r, &image_table, object, img);
	if (code < 0)
		return code;
	*ret = TAKE_PTR(img);
	return 0;
}

int oci_image_add_layer(struct oci_image *img, const char *diff_id)
{
	const char **list;
	size_t n = 0;

	if (!digest_is_valid(diff_id))
		return -EINVAL;
	while (img->diff_ids[n])
		n++;
	if (n >= OCI_LAYERS_MAX)
		return -EMSGSIZE;
	list = arena_new_n(&img->arena, const char *, n + 2);
	memcpy(list, img->diff_ids, n * sizeof(*list));
	list[n] = arena_strdup(&img->arena, diff_id);
	img->diff_ids = list;
	return 0;
}

static const char *copy_text(struct arena *a, const char *s)
{
	return s ? arena_strdup(a, s) : NULL;
}

void oci_image_add_history(struct oci_image *img, const struct oci_history *entry)
{
	struct oci_history *list = arena_new_n(&img->arena, struct oci_history, img->n_history + 1);

	if (img->n_history > 0)
		memcpy(list, img->history, img->n_history * sizeof(*list));
	list[img->n_history++] = (struct oci_history){
		.created = copy_text(&img->arena, entry->created),
		.created_by = copy_text(&img->arena, entry->created_by),
		.author = copy_text(&img->arena, entry->author),
		.comment = copy_text(&img->arena, entry->comment),
		.empty_layer = entry->empty_layer,
	};
	img->history = list;
}

/* -- manifest -- */

static int check_descriptor(struct json_read *r, void *object)
{
	const struct oci_descriptor *d = object;

	return *d->media_type ? 0 : oci_fail_key(r, "mediaType", "must not be empty");
}

static const struct json_range size_range = { 0, INT64_MAX };
#define AT(member) offsetof(struct oci_descriptor, member)
static const struct json_field descriptor_fields[] = {
	{ "mediaType", json_get_string, AT(media_type), .flags = JSON_REQUIRED },
	{ "digest", get_digest, AT(digest), .flags = JSON_REQUIRED },
	{ "size", json_get_i64, AT(size), .flags = JSON_REQUIRED, .arg = &size_range },
	{ "annotations", oci_get_map, AT(annotations), AT(n_annotations) },
	/* Other places to fetch from, and the bytes themselves: the digest is what counts. */
	{ "urls", json_get_ignored },
	{ "data", json_get_ignored },
	{ "platform", json_get_ignored },
	{ "artifactType", json_get_ignored },
	{ NULL },
};
#undef AT
static const struct json_table descriptor_table = {
	descriptor_fields,
	sizeof(struct oci_descriptor),
	check_descriptor,
};

static int check_manifest(struct json_read *r, void *object)
{
	const struct oci_manifest *m = object;

	if (!streq(m->media_type, OCI_MEDIA_MANIFEST) &&
	        !streq(m->media_type, OCI_MEDIA_DOCKER_MANIFEST))
		return oci_fail_key(r, "mediaType", "is not that of an image manifest");
	if (m->n_layers > OCI_LAYERS_MAX)
		return oci_fail_key(r, "layers", "has more than %d members", OCI_LAYERS_MAX);
	return 0;
}

static const struct json_range version_range = { 2, 2 };

/* uint32_t: checked and not kept. */
static int get_schema_version(
        struct json_read *r, const struct json_field *field, struct json_object *value, void *base)
{
	const struct json_field whole = { .arg = &version_range };
	uint32_t version;

	return json_get_u32(r, &whole, value, &version);
}

#define AT(member) offsetof(struct oci_manifest, member)
static const struct json_field manifest_fields[] = {
	{ "schemaVersion", get_schema_version, .flags = JSON_REQUIRED },
	{ "mediaType", json_get_string, AT(media_type) },
	{ "artifactType", json_get_text, AT(artifact_type) },
	{ "config", json_get_object, AT(config), .flags = JSON_REQUIRED, .arg = &descriptor_table },
	{ "layers", json_get_list, AT(layers), AT(n_layers), .flags = JSON_REQUIRED,
	        .arg = &descriptor_table },
	{ "subject", json_get_ignored },
	{ "annotations", oci_get_map, AT(annotations), AT(n_annotations) },
	{ NULL },
};
#undef AT
static const struct json_table manifest_table = {
	manifest_fields,
	sizeof(struct oci_manifest),
	check_manifest,
};

struct oci_manifest *oci_manifest_new(void)
{
	struct oci_manifest *m = xnew(struct oci_manifest);

	m->media_type = OCI_MEDIA_MANIFEST;
	return m;
}

struct oci_manifest *oci_manifest_free(struct oci_manifest *m)
{
	if (m) {
		arena_done(&m->arena);
		free(m);
	}
	return NULL;
}

void oci_manifest_freep(struct oci_manifest **m)
{
	*m = oci_manifest_free(*m);
}

int oci_manifest_parse(const char *json, size_t len, struct oci_manifest **ret, struct err *err)
{
	static const char *const foreign[] = { "manifests", "fsLayers", "rootfs", NULL };
	_cleanup_(oci_manifest_freep) struct oci_manifest *m = oci_manifest_new();
	_json_put_ struct json_object *object = NULL;
	struct json_read r = { .document = "image manifest", .arena = &m->arena, .err = err };
	int code;

	code = json_parse_bounded(r.document, json, len, &limits, &object, err);
	if (code < 0)
		return code;
	code = refuse_keys(&r, object, foreign);
	if (code < 0)
		return code;
	code = json_read_object(&r, &manifest_table, object, m);
	if (code < 0)
		return code;
	*ret = TAKE_PTR(m);
	return 0;
}
