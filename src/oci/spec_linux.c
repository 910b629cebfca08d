/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "linux" of config.json (runtime-spec 1.3.0, config-linux.md), but for resources and seccomp.
 */
#include "oci/fields.h"

#include "base/str.h"

#include <sched.h>
#include <sys/stat.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080 /* Linux 5.6; absent from older C libraries */
#endif

/* -- namespaces -- */

static const struct json_enum namespaces[] = {
	{ "pid", CLONE_NEWPID },
	{ "network", CLONE_NEWNET },
	{ "mount", CLONE_NEWNS },
	{ "ipc", CLONE_NEWIPC },
	{ "uts", CLONE_NEWUTS },
	{ "user", CLONE_NEWUSER },
	{ "cgroup", CLONE_NEWCGROUP },
	{ "time", CLONE_NEWTIME },
	{ NULL },
};

int oci_namespace_flag(const char *name)
{
	for (const struct json_enum *e = namespaces; e->name; e++)
		if (streq(e->name, name))
			return e->value;
	return 0;
}

const char *oci_namespace_name(int clone_flag)
{
	for (const struct json_enum *e = namespaces; e->name; e++)
		if (e->value == clone_flag)
			return e->name;
	return NULL;
}

static const struct json_field namespace_fields[] = {
	{ "type", json_get_enum, offsetof(struct oci_namespace, clone_flag), .flags = JSON_REQUIRED,
	        .arg = namespaces },
	{ "path", oci_get_abs_path, offsetof(struct oci_namespace, path) },
	{ NULL },
};
static const struct json_table namespace_table = {
	namespace_fields,
	sizeof(struct oci_namespace),
	NULL,
};

/* -- time offsets -- */

static const struct json_range nanosecs_range = { 0, 999999999 };
static const struct json_field offset_fields[] = {
	{ "secs", json_get_i64, offsetof(struct oci_time_offset, secs) },
	{ "nanosecs", json_get_u32, offsetof(struct oci_time_offset, nanosecs),
	        .arg = &nanosecs_range },
	{ NULL },
};
static const struct json_table offset_table = {
	offset_fields,
	sizeof(struct oci_time_offset),
	NULL,
};

static const struct json_field offsets_fields[] = {
	{ "monotonic", json_get_object, offsetof(struct oci_linux, monotonic),
	        offsetof(struct oci_linux, monotonic.has), JSON_HAS, &offset_table },
	{ "boottime", json_get_object, offsetof(struct oci_linux, boottime),
	        offsetof(struct oci_linux, boottime.has), JSON_HAS, &offset_table },
	{ NULL },
};
static const struct json_table offsets_table = { offsets_fields, 0, NULL };

/* -- devices -- */

static const struct json_enum device_types[] = {
	{ "b", 'b' },
	{ "c", 'c' },
	{ "u", 'u' },
	{ "p", 'p' },
	{ NULL },
};

/* char */
static int get_device_type(
        struct json_read *r, const struct json_field *field, struct json_object *value, void *base)
{
	int type;
	const struct json_field whole = { .arg = device_types };
	int code = json_get_enum(r, &whole, value, &type);

	if (code == 0)
		*(char *) json_at(base, field->offset) = (char) type;
	return code;
}

static int check_device(struct json_read *r, void *object)
{
	struct oci_device *d = object;

	if (!d->path)
		return oci_fail_key(r, "path", "must not be empty");
	/* Callers write the whole st_mode; the type is said elsewhere. */
	d->mode &= ~(uint32_t) S_IFMT;
	if (d->mode > 07777)
		return oci_fail_key(r, "fileMode", "has bits that are no permissions");
	return 0;
}

/* The widths of dev_t in the kernel. */
static const struct json_range major_range = { 0, (1 << 12) - 1 };
static const struct json_range minor_range = { 0, (1 << 20) - 1 };
static const struct json_range id_range = { 0, UINT32_MAX - 1 };

#define AT(member) offsetof(struct oci_device, member)
static const struct json_field device_fields[] = {
	{ "type", get_device_type, AT(type), .flags = JSON_REQUIRED },
	{ "path", oci_get_abs_path, AT(path), .flags = JSON_REQUIRED },
	{ "major", json_get_i64, AT(major), .arg = &major_range },
	{ "minor", json_get_i64, AT(minor), .arg = &minor_range },
	{ "fileMode", json_get_u32, AT(mode), AT(has_mode), JSON_HAS },
	{ "uid", json_get_u32, AT(uid), .arg = &id_range },
	{ "gid", json_get_u32, AT(gid), .arg = &id_range },
	{ NULL },
};
#undef AT
static const struct json_table device_table = {
	device_fields,
	sizeof(struct oci_device),
	check_device,
};

/* -- single values -- */

/* const char *: a cgroup path, or "slice:prefix:name" for systemd, which its driver checks. */
static int get_cgroups_path(
        struct json_read *r, const struct json_field *field, struct json_object *value, void *base)
{
	const char **path = json_at(base, field->offset);
	int code = json_get_text(r, field, value, base);

	if (code < 0 || !*path)
		return code;
	if (oci_has_control(*path))
		return json_fail(r, "has a control character");
	if (strchr(*path, ':'))
		return 0;
	for (const char *p = *path; *p; p += strspn(p, "/")) {
		size_t len = strcspn(p, "/");

		if (len == 2 && p[0] == '.' && p[1] == '.')
			return json_fail(r, "must not contain '..'");
		p += len;
	}
	return 0;
}

static const char *const propagations[] = { "private", "rprivate", "slave", "rslave", "shared",
	"rshared", "unbindable", "runbindable" };

static int get_propagation(
        struct json_read *r, const struct json_field *field, struct json_object *value, void *base)
{
	const char **text = json_at(base, field->offset);
	int code = json_get_text(r, field, value, base);

	if (code < 0 || !*text)
		return code;
	for (size_t i = 0; i < ARRAY_SIZE(propagations); i++)
		if (streq(propagations[i], *text))
			return 0;
	return json_fail(
	        r, "must be private, slave, shared or unbindable, or one of these with an 'r'");
}

/* Nothing: "LINUX" without flags is what every process has. */
static int get_personality(
        struct json_read *r, const struct json_field *field, struct json_object *value, void *base)
{
	struct json_object *domain, *flags;

	if (json_object_get_type(value) != json_type_object)
		return json_fail_type(r, "an object", value);
	domain = json_object_object_get(value, "domain");
	flags = json_object_object_get(value, "flags");
	if (json_is_empty(domain) && json_is_empty(flags))
		return 0;
	if (json_object_get_type(domain) != json_type_string ||
	        !streq(json_object_get_string(domain), "LINUX") || !json_is_empty(flags))
		json_mark_unsupported(r);
	return 0;
}

/* -- linux -- */

static int check_linux(struct json_read *r, void *object)
{
	struct oci_linux *l = object;
	int code;

	for (size_t i = 0; i < l->n_namespaces; i++)
		for (size_t k = 0; k < i; k++)
			if (l->namespaces[i].clone_flag == l->namespaces[k].clone_flag)
				return oci_fail_key(r, "namespaces", "has '%s' twice",
				        oci_namespace_name(l->namespaces[i].clone_flag));
	code = oci_check_idmaps(r, "uidMappings", l->uid_mappings, l->n_uid_mappings);
	if (code < 0)
		return code;
	return oci_check_idmaps(r, "gidMappings", l->gid_mappings, l->n_gid_mappings);
}

#define AT(member) offsetof(struct oci_linux, member)
static const struct json_field linux_fields[] = {
	{ "namespaces", json_get_list, AT(namespaces), AT(n_namespaces), .arg = &namespace_table },
	{ "uidMappings", json_get_list, AT(uid_mappings), AT(n_uid_mappings),
	        .arg = &oci_idmap_table },
	{ "gidMappings", json_get_list, AT(gid_mappings), AT(n_gid_mappings),
	        .arg = &oci_idmap_table },
	{ "timeOffsets", json_get_object, 0, .arg = &offsets_table },
	{ "devices", json_get_list, AT(devices), AT(n_devices), .arg = &device_table },
	{ "cgroupsPath", get_cgroups_path, AT(cgroups_path) },
	{ "resources", json_get_object, AT(resources), .arg = &oci_resources_table },
	{ "sysctl", oci_get_map, AT(sysctl), AT(n_sysctl) },
	{ "rootfsPropagation", get_propagation, AT(rootfs_propagation) },
	{ "mountLabel", json_get_text, AT(mount_label) },
	{ "maskedPaths", oci_get_abs_paths, AT(masked_paths) },
	{ "readonlyPaths", oci_get_abs_paths, AT(readonly_paths) },
	{ "seccomp", json_get_new_object, AT(seccomp), .arg = &oci_seccomp_table },
	{ "personality", get_personality },
	{ "intelRdt", json_get_unsupported },
	{ "netDevices", json_get_unsupported },
	{ "memoryPolicy", json_get_unsupported },
	{ NULL },
};
#undef AT
const struct json_table oci_linux_table = { linux_fields, sizeof(struct oci_linux), check_linux };
