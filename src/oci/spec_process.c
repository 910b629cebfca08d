/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "process" of config.json (runtime-spec 1.3.0, config.md, "Process").
 */
#include "oci/fields.h"

#include "base/str.h"
#include "caps/caps.h"

#include <sys/resource.h>

/* -- capabilities -- */

/* uint64_t. A capability that has no name here cannot be given, so leaving it out is safe: a note,
 * as configs for newer kernels name newer capabilities. */
static int get_caps(
        struct json_read *r, const struct json_field *field, struct json_object *value, void *base)
{
	uint64_t set = 0;

	if (json_object_get_type(value) != json_type_array)
		return json_fail_type(r, "a list of strings", value);
	for (size_t i = 0; i < json_object_array_length(value); i++) {
		_free_ char *shown = NULL;
		const char *name;
		size_t mark = json_push_index(r, i);
		int cap, code = json_string(r, json_object_array_get_idx(value, i), &name);

		if (code < 0)
			return code;
		json_pop(r, mark);
		cap = str_has_prefix(name, "CAP_") ? caps_number(name) : -1;
		if (cap >= 0) {
			set |= CAPS_BIT(cap);
			continue;
		}
		shown = str_escaped(name);
		json_note(r, "has the unknown capability '%s', ignoring it", shown);
	}
	*(uint64_t *) json_at(base, field->offset) = set;
	return 0;
}

static const struct json_field caps_fields[] = {
	{ "bounding", get_caps, offsetof(struct oci_caps, bounding) },
	{ "effective", get_caps, offsetof(struct oci_caps, effective) },
	{ "inheritable", get_caps, offsetof(struct oci_caps, inheritable) },
	{ "permitted", get_caps, offsetof(struct oci_caps, permitted) },
	{ "ambient", get_caps, offsetof(struct oci_caps, ambient) },
	{ NULL },
};
static const struct json_table caps_table = { caps_fields, sizeof(struct oci_caps), NULL };

/* -- rlimits -- */

static const struct json_enum rlimit_names[] = {
	{ "RLIMIT_AS", RLIMIT_AS },
	{ "RLIMIT_CORE", RLIMIT_CORE },
	{ "RLIMIT_CPU", RLIMIT_CPU },
	{ "RLIMIT_DATA", RLIMIT_DATA },
	{ "RLIMIT_FSIZE", RLIMIT_FSIZE },
	{ "RLIMIT_LOCKS", RLIMIT_LOCKS },
	{ "RLIMIT_MEMLOCK", RLIMIT_MEMLOCK },
	{ "RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE },
	{ "RLIMIT_NICE", RLIMIT_NICE },
	{ "RLIMIT_NOFILE", RLIMIT_NOFILE },
	{ "RLIMIT_NPROC", RLIMIT_NPROC },
	{ "RLIMIT_RSS", RLIMIT_RSS },
	{ "RLIMIT_RTPRIO", RLIMIT_RTPRIO },
	{ "RLIMIT_RTTIME", RLIMIT_RTTIME },
	{ "RLIMIT_SIGPENDING", RLIMIT_SIGPENDING },
	{ "RLIMIT_STACK", RLIMIT_STACK },
	{ NULL },
};

static int check_rlimit(struct json_read *r, void *object)
{
	struct oci_rlimit *limit = object;

	for (const struct json_enum *e = rlimit_names; e->name; e++)
		if (e->value == limit->resource)
			limit->name = e->name;
	return limit->soft > limit->hard ? json_fail(r, "has a soft limit above its hard limit")
	                                 : 0;
}

static const struct json_field rlimit_fields[] = {
	{ "type", json_get_enum, offsetof(struct oci_rlimit, resource), .flags = JSON_REQUIRED,
	        .arg = rlimit_names },
	{ "soft", json_get_u64, offsetof(struct oci_rlimit, soft), .flags = JSON_REQUIRED },
	{ "hard", json_get_u64, offsetof(struct oci_rlimit, hard), .flags = JSON_REQUIRED },
	{ NULL },
};
static const struct json_table rlimit_table = {
	rlimit_fields,
	sizeof(struct oci_rlimit),
	check_rlimit,
};

/* -- user -- */

/* 2^32-1 is "no id": setresuid(-1) would silently keep the present one. */
static const struct json_range id_range = { 0, UINT32_MAX - 1 };
static const struct json_range umask_range = { 0, 0777 };

static const struct json_field user_fields[] = {
	{ "uid", json_get_u32, offsetof(struct oci_process, uid), .arg = &id_range },
	{ "gid", json_get_u32, offsetof(struct oci_process, gid), .arg = &id_range },
	{ "umask", json_get_u32, offsetof(struct oci_process, umask),
	        offsetof(struct oci_process, has_umask), JSON_HAS, &umask_range },
	{ "additionalGids", json_get_u32_list, offsetof(struct oci_process, additional_gids),
	        offsetof(struct oci_process, n_additional_gids), .arg = &id_range },
	{ "username", json_get_ignored }, /* Windows */
	{ NULL },
};
static const struct json_table user_table = { user_fields, sizeof(struct oci_process), NULL };

/* -- consoleSize -- */

/* What the kernel keeps is 16 bits wide. */
static const struct json_range size_range = { 0, UINT16_MAX };

static const struct json_field console_fields[] = {
	{ "height", json_get_u32, offsetof(struct oci_process, console_rows),
	        .flags = JSON_REQUIRED, .arg = &size_range },
	{ "width", json_get_u32, offsetof(struct oci_process, console_cols), .flags = JSON_REQUIRED,
	        .arg = &size_range },
	{ NULL },
};
static const struct json_table console_table = {
	console_fields,
	sizeof(struct oci_process),
	NULL,
};

/* -- env -- */

/* const char *const *. An entry without a name or '=' means nothing to getenv(3), and callers have
 * filled it from their own environment (CVE-2026-57231): left out with a note. */
static int get_env(
        struct json_read *r, const struct json_field *field, struct json_object *value, void *base)
{
	const char **list;
	size_t n = 0;
	int code = json_get_strv(r, field, value, base);

	if (code < 0)
		return code;
	list = *(const char ***) json_at(base, field->offset);
	for (size_t i = 0; list[i]; i++) {
		_free_ char *shown = NULL;

		if (strchr(list[i], '=') > list[i]) {
			list[n++] = list[i];
			continue;
		}
		shown = str_escaped(list[i]);
		json_note(r, "has the entry '%s' without a name and '=', ignoring it", shown);
	}
	list[n] = NULL;
	return 0;
}

/* -- process -- */

static int check_rlimits(struct json_read *r, const struct oci_process *p)
{
	uint64_t seen = 0;

	for (size_t i = 0; i < p->n_rlimits; i++) {
		uint64_t bit = UINT64_C(1) << p->rlimits[i].resource;

		if (seen & bit)
			return oci_fail_key(r, "rlimits", "has %s twice", p->rlimits[i].name);
		seen |= bit;
	}
	return 0;
}

static int check_process(struct json_read *r, void *object)
{
	struct oci_process *p = object;

	if (!p->args || !p->args[0])
		return oci_fail_key(r, "args", "must not be empty: it names the program");
	if (!*p->args[0])
		return oci_fail_key(r, "args[0]", "must not be empty: it names the program");
	if (!p->cwd)
		return oci_fail_key(r, "cwd", "must not be empty: it is an absolute path");
	if (!p->env)
		p->env = oci_no_texts;
	return check_rlimits(r, p);
}

static const struct json_range oom_range = { -1000, 1000 };

#define AT(member) offsetof(struct oci_process, member)
static const struct json_field process_fields[] = {
	{ "terminal", json_get_bool, AT(terminal) },
	{ "consoleSize", json_get_object, 0, .arg = &console_table },
	{ "user", json_get_object, 0, .arg = &user_table },
	{ "args", json_get_strv, AT(args) },
	{ "commandLine", json_get_ignored }, /* Windows */
	{ "env", get_env, AT(env) },
	{ "cwd", oci_get_abs_path, AT(cwd), .flags = JSON_REQUIRED },
	{ "capabilities", json_get_object, AT(caps), AT(caps.has_caps), JSON_HAS, &caps_table },
	{ "rlimits", json_get_list, AT(rlimits), AT(n_rlimits), .arg = &rlimit_table },
	{ "noNewPrivileges", json_get_bool, AT(no_new_privileges) },
	{ "oomScoreAdj", json_get_i64, AT(oom_score_adj), AT(has_oom_score_adj), JSON_HAS,
	        &oom_range },
	{ "apparmorProfile", json_get_text, AT(apparmor_profile) },
	{ "selinuxLabel", json_get_text, AT(selinux_label) },
	{ "scheduler", json_get_unsupported },
	{ "ioPriority", json_get_unsupported },
	{ "execCPUAffinity", json_get_unsupported },
	{ NULL },
};
#undef AT
const struct json_table oci_process_table = {
	process_fields,
	sizeof(struct oci_process),
	check_process,
};
