/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole of config.json (runtime-spec 1.3.0, config.md): top level, mounts, and the entry point.
 */
#include "oci/spec.h"

#include "base/str.h"
#include "oci/fields.h"

#include <errno.h>

static const struct json_limits limits = {
	.max_bytes = OCI_CONFIG_MAX,
	.max_depth = OCI_DEPTH_MAX,
	.max_list = OCI_LIST_MAX,
	.max_string = 1 << 20,
};

enum { HOST_NAME_MAX_LEN = 64 }; /* __NEW_UTS_LEN */

/* -- mounts -- */

static int check_mount(struct json_read *r, void *object)
{
	struct oci_mount *m = object;
	int code;

	if (!m->destination)
		return oci_fail_key(r, "destination", "must not be empty");
	/* Allowed since runtime-spec 1.2, and relative to the root. */
	if (*m->destination != '/')
		m->destination = arena_printf(r->arena, "/%s", m->destination);
	if (!m->options)
		m->options = oci_no_texts;
	if ((m->n_uid_mappings == 0) != (m->n_gid_mappings == 0))
		return json_fail(r, "must have both uidMappings and gidMappings, or none");
	code = oci_check_idmaps(r, "uidMappings", m->uid_mappings, m->n_uid_mappings);
	if (code < 0)
		return code;
	return oci_check_idmaps(r, "gidMappings", m->gid_mappings, m->n_gid_mappings);
}

#define AT(member) offsetof(struct oci_mount, member)
static const struct json_field mount_fields[] = {
	{ "destination", json_get_text, AT(destination), .flags = JSON_REQUIRED },
	{ "type", json_get_text, AT(type) },
	{ "source", json_get_text, AT(source) },
	{ "options", json_get_strv, AT(options) },
	{ "uidMappings", json_get_list, AT(uid_mappings), AT(n_uid_mappings),
	        .arg = &oci_idmap_table },
	{ "gidMappings", json_get_list, AT(gid_mappings), AT(n_gid_mappings),
	        .arg = &oci_idmap_table },
	{ NULL },
};
#undef AT
static const struct json_table mount_table = {
	mount_fields,
	sizeof(struct oci_mount),
	check_mount,
};

/* -- root, names, version -- */

static int check_root(struct json_read *r, void *object)
{
	const struct oci_spec *spec = object;

	return spec->root_path ? 0 : oci_fail_key(r, "path", "must not be empty");
}

static const struct json_field root_fields[] = {
	{ "path", json_get_text, offsetof(struct oci_spec, root_path), .flags = JSON_REQUIRED },
	{ "readonly", json_get_bool, offsetof(struct oci_spec, root_readonly) },
	{ NULL },
};
static const struct json_table root_table = {
	root_fields,
	sizeof(struct oci_spec),
	check_root,
};

static int get_host_name(
        struct json_read *r, const struct json_field *field, struct json_object *value, void *base)
{
	const char **name = json_at(base, field->offset);
	int code = json_get_text(r, field, value, base);

	if (code < 0 || !*name)
		return code;
	if (strlen(*name) > HOST_NAME_MAX_LEN)
		return json_fail(r, "is longer than %d bytes", HOST_NAME_MAX_LEN);
	return oci_has_control(*name) ? json_fail(r, "has a control character") : 0;
}

/* "1.", a minor number up to 3, ".", digits, and what semantic versions allow behind them. */
static bool version_is_known(const char *v)
{
	static const char letters[] =
	        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-+";
	size_t digits;

	if (!str_has_prefix(v, "1.") || v[2] < '0' || v[2] > '3' || v[3] != '.')
		return false;
	digits = strspn(v + 4, "0123456789");
	if (digits == 0 || digits > 4)
		return false;
	v += 4 + digits;
	return !*v || ((*v == '-' || *v == '+') && v[1] && !v[1 + strspn(v + 1, letters)]);
}

/* Before everything else: the rest of a document of another version may mean something else. */
static int check_version(struct json_read *r, struct json_object *object)
{
	_free_ char *shown = NULL;
	struct json_object *value = NULL;

	if (json_object_get_type(object) == json_type_object)
		value = json_object_object_get(object, "ociVersion");
	if (json_object_get_type(value) != json_type_string ||
	        version_is_known(json_object_get_string(value)))
		return 0;
	shown = str_escaped(json_object_get_string(value));
	return oci_fail_key(r, "ociVersion",
	        "is '%s': unknown version specified (known are 1.0.0 to 1.3.x)", shown);
}

/* -- the whole -- */

static const struct json_field hooks_fields[] = {
	{ "prestart", json_get_unsupported },
	{ "createRuntime", json_get_unsupported },
	{ "createContainer", json_get_unsupported },
	{ "startContainer", json_get_unsupported },
	{ "poststart", json_get_unsupported },
	{ "poststop", json_get_unsupported },
	{ NULL },
};
static const struct json_table hooks_table = { hooks_fields, 0, NULL };

static int check_whole(struct json_read *r, void *object)
{
	return oci_check_spec(r, object);
}

#define AT(member) offsetof(struct oci_spec, member)
static const struct json_field spec_fields[] = {
	{ "ociVersion", json_get_string, AT(version), .flags = JSON_REQUIRED },
	{ "process", json_get_object, AT(process), AT(has_process), JSON_HAS, &oci_process_table },
	{ "root", json_get_object, 0, .flags = JSON_REQUIRED, .arg = &root_table },
	{ "hostname", get_host_name, AT(hostname) },
	{ "domainname", get_host_name, AT(domainname) },
	{ "mounts", json_get_list, AT(mounts), AT(n_mounts), .arg = &mount_table },
	{ "hooks", json_get_object, 0, .arg = &hooks_table },
	{ "annotations", oci_get_map, AT(annotations), AT(n_annotations) },
	{ "linux", json_get_object, AT(linux_), .arg = &oci_linux_table },
	/* Other systems: a Linux runtime ignores them. */
	{ "freebsd", json_get_ignored },
	{ "solaris", json_get_ignored },
	{ "vm", json_get_ignored },
	{ "windows", json_get_ignored },
	{ "zos", json_get_ignored },
	{ NULL },
};
#undef AT
static const struct json_table spec_table = { spec_fields, sizeof(struct oci_spec), check_whole };

struct oci_spec *oci_spec_new(void)
{
	struct oci_spec *spec = xnew(struct oci_spec);

	spec->process.args = oci_no_texts;
	spec->process.env = oci_no_texts;
	spec->linux_.masked_paths = oci_no_texts;
	spec->linux_.readonly_paths = oci_no_texts;
	spec->unknown = oci_no_texts;
	spec->unsupported = oci_no_texts;
	spec->notes = oci_no_texts;
	return spec;
}

struct oci_spec *oci_spec_free(struct oci_spec *spec)
{
	if (spec) {
		/* The arena holds no part of itself. */
		arena_done(&spec->arena);
		free(spec);
	}
	return NULL;
}

void oci_spec_freep(struct oci_spec **spec)
{
	*spec = oci_spec_free(*spec);
}

int oci_spec_parse(const char *json, size_t len, struct oci_spec **ret, struct err *err)
{
	_cleanup_(oci_spec_freep) struct oci_spec *spec = oci_spec_new();
	_json_put_ struct json_object *object = NULL;
	struct json_read r = { .document = "config.json", .arena = &spec->arena, .err = err };
	int code;

	code = json_parse_bounded(r.document, json, len, &limits, &object, err);
	if (code < 0)
		return code;
	code = check_version(&r, object);
	if (code < 0)
		return code;
	code = json_read_object(&r, &spec_table, object, spec);
	if (code < 0)
		return code;
	spec->unknown = json_names_list(&r.unknown);
	spec->unsupported = json_names_list(&r.unsupported);
	spec->notes = json_names_list(&r.notes);
	*ret = TAKE_PTR(spec);
	return 0;
}

bool oci_id_is_valid(const char *id)
{
	static const char first[] =
	        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-";
	static const char letters[] =
	        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+.-";

	if (!*id || !strchr(first, *id))
		return false;
	return !id[strspn(id, letters)] && strlen(id) <= OCI_ID_MAX;
}
