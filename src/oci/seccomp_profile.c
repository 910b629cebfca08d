/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/seccomp_profile.h"

#include "base/str.h"
#include "caps/caps.h"
#include "oci/fields.h"

#include <errno.h>

#if defined(__x86_64__)
#define PROFILE_ARCH "amd64"
#define SCMP_ARCH    "SCMP_ARCH_X86_64"
#elif defined(__aarch64__)
#define PROFILE_ARCH "arm64"
#define SCMP_ARCH    "SCMP_ARCH_AARCH64"
#else
#error "the names of this architecture in seccomp profiles are missing here"
#endif

static const struct json_limits limits = {
	.max_bytes = OCI_SECCOMP_PROFILE_MAX,
	.max_depth = 12,
	.max_list = OCI_LIST_MAX,
	.max_string = 4096,
};

struct condition {
	const char *const *arches, *const *caps; /* NULL: not asked for */
	bool has_kernel;
	uint32_t kernel_major, kernel_minor;
};

struct profile_rule {
	struct oci_seccomp_rule rule;
	const char *name; /* one name, the form of old profiles */
	struct condition includes, excludes;
};

struct profile_arch {
	const char *name;
	const char *const *sub;
};

struct profile {
	struct oci_seccomp seccomp;
	const struct profile_arch *arch_map;
	size_t n_arch_map;
	const struct profile_rule *rules;
	size_t n_rules;
};

/* struct condition at the offset: "4.8". */
static int get_kernel(
        struct json_read *r, const struct json_field *field, struct json_object *value, void *base)
{
	struct condition *c = json_at(base, field->offset);
	_free_ char *major = NULL;
	const char *text, *dot;
	int code = json_string(r, value, &text);

	if (code < 0)
		return code;
	dot = strchr(text, '.');
	major = xstrndup(text, dot ? (size_t) (dot - text) : 0);
	if (!dot || num_parse_u32(major, &c->kernel_major) < 0 ||
	        num_parse_u32(dot + 1, &c->kernel_minor) < 0)
		return json_fail(r, "must be a version of the kernel such as '4.8'");
	c->has_kernel = true;
	return 0;
}

#define AT(member) offsetof(struct condition, member)
static const struct json_field condition_fields[] = {
	{ "arches", json_get_strv, AT(arches) },
	{ "caps", json_get_strv, AT(caps) },
	{ "minKernel", get_kernel, 0 },
	{ NULL },
};
#undef AT
static const struct json_table condition_table = {
	condition_fields,
	sizeof(struct condition),
	NULL,
};

static const struct json_range errno_range = { 0, UINT16_MAX };

static int check_rule(struct json_read *r, void *object)
{
	struct profile_rule *p = object;
	const char **names;

	if (p->name && p->rule.names)
		return json_fail(r, "has both 'name' and 'names'");
	if (p->name) {
		names = arena_new_n(r->arena, const char *, 2);
		names[0] = p->name;
		p->rule.names = names;
	}
	if (!p->rule.names || !p->rule.names[0])
		return oci_fail_key(r, "names", "must not be empty");
	return 0;
}

#define AT(member) offsetof(struct profile_rule, member)
static const struct json_field rule_fields[] = {
	{ "names", json_get_strv, AT(rule.names) },
	{ "name", json_get_text, AT(name) },
	{ "action", json_get_enum, AT(rule.action), .flags = JSON_REQUIRED,
	        .arg = oci_seccomp_actions },
	{ "errnoRet", json_get_u32, AT(rule.errno_ret), AT(rule.has_errno), JSON_HAS,
	        &errno_range },
	{ "args", json_get_list, AT(rule.args), AT(rule.n_args), .arg = &oci_seccomp_arg_table },
	{ "comment", json_get_ignored },
	{ "includes", json_get_object, AT(includes), .arg = &condition_table },
	{ "excludes", json_get_object, AT(excludes), .arg = &condition_table },
	{ NULL },
};
#undef AT
static const struct json_table rule_table = {
	rule_fields,
	sizeof(struct profile_rule),
	check_rule,
};

#define AT(member) offsetof(struct profile_arch, member)
static const struct json_field arch_fields[] = {
	{ "architecture", json_get_string, AT(name), .flags = JSON_REQUIRED },
	{ "subArchitectures", json_get_strv, AT(sub) },
	{ NULL },
};
#undef AT
static const struct json_table arch_table = { arch_fields, sizeof(struct profile_arch), NULL };

#define AT(member) offsetof(struct profile, member)
static const struct json_field profile_fields[] = {
	{ "defaultAction", json_get_enum, AT(seccomp.default_action), .flags = JSON_REQUIRED,
	        .arg = oci_seccomp_actions },
	{ "defaultErrnoRet", json_get_u32, AT(seccomp.default_errno), AT(seccomp.has_default_errno),
	        JSON_HAS, &errno_range },
	{ "architectures", json_get_strv, AT(seccomp.architectures) },
	{ "archMap", json_get_list, AT(arch_map), AT(n_arch_map), .arg = &arch_table },
	{ "flags", json_get_strv, AT(seccomp.flags) },
	{ "listenerPath", json_get_unsupported },
	{ "listenerMetadata", json_get_ignored },
	{ "syscalls", json_get_list, AT(rules), AT(n_rules), .arg = &rule_table },
	{ NULL },
};
#undef AT
static const struct json_table profile_table = { profile_fields, sizeof(struct profile), NULL };

static bool has_text(const char *const *list, const char *text)
{
	for (; *list; list++)
		if (streq(*list, text))
			return true;
	return false;
}

static bool kernel_is_at_least(const struct oci_seccomp_place *place, const struct condition *c)
{
	if (place->kernel_major != c->kernel_major)
		return place->kernel_major > c->kernel_major;
	return place->kernel_minor >= c->kernel_minor;
}

static bool has_cap(const struct oci_seccomp_place *place, const char *name)
{
	int cap = caps_number(name);

	return cap >= 0 && place->caps & CAPS_BIT(cap);
}

/* docker's rule: all of what 'includes' names must be so, none of what 'excludes' names. */
static bool applies(const struct profile_rule *p, const struct oci_seccomp_place *place)
{
	const struct condition *in = &p->includes, *out = &p->excludes;

	if (out->arches && has_text(out->arches, PROFILE_ARCH))
		return false;
	for (size_t i = 0; out->caps && out->caps[i]; i++)
		if (has_cap(place, out->caps[i]))
			return false;
	if (out->has_kernel && kernel_is_at_least(place, out))
		return false;
	if (in->arches && in->arches[0] && !has_text(in->arches, PROFILE_ARCH))
		return false;
	for (size_t i = 0; in->caps && in->caps[i]; i++)
		if (!has_cap(place, in->caps[i]))
			return false;
	return !in->has_kernel || kernel_is_at_least(place, in);
}

static void set_rules(struct profile *p, const struct oci_seccomp_place *place, struct arena *arena)
{
	struct oci_seccomp_rule *list = arena_new_n(arena, struct oci_seccomp_rule, p->n_rules + 1);

	p->seccomp.rules = list;
	for (size_t i = 0; i < p->n_rules; i++)
		if (applies(&p->rules[i], place))
			list[p->seccomp.n_rules++] = p->rules[i].rule;
}

/* The entry of this machine's architecture and the ones that it can run beside it. */
static int set_architectures(struct json_read *r, struct profile *p)
{
	if (p->n_arch_map > 0 && p->seccomp.architectures && p->seccomp.architectures[0])
		return json_fail(r, "has both 'architectures' and 'archMap'");
	if (!p->seccomp.architectures)
		p->seccomp.architectures = oci_no_texts;
	for (size_t i = 0; i < p->n_arch_map; i++) {
		const struct profile_arch *a = &p->arch_map[i];
		const char **list;
		size_t n = 0;

		if (!streq(a->name, SCMP_ARCH))
			continue;
		while (a->sub && a->sub[n])
			n++;
		list = arena_new_n(r->arena, const char *, n + 2);
		list[0] = a->name;
		for (size_t k = 0; k < n; k++)
			list[k + 1] = a->sub[k];
		p->seccomp.architectures = list;
		return 0;
	}
	return 0;
}

static int check_notify(struct json_read *r, const struct profile *p)
{
	bool notify = r->unsupported.n > 0 || p->seccomp.default_action == OCI_ACT_NOTIFY;

	for (size_t i = 0; i < p->seccomp.n_rules; i++)
		notify = notify || p->seccomp.rules[i].action == OCI_ACT_NOTIFY;
	if (!notify)
		return 0;
	return err_set(r->err, -EOPNOTSUPP,
	        "%s: SCMP_ACT_NOTIFY needs somebody who listens, which this version does not offer: "
	        "remove such rules and 'listenerPath'",
	        r->document);
}

/* "linux.seccomp" of a whole configuration, else the object itself. */
static struct json_object *find_profile(struct json_object *object)
{
	struct json_object *linux_ = NULL, *inner = NULL;

	if (json_object_get_type(object) == json_type_object &&
	        json_object_object_get_ex(object, "linux", &linux_) &&
	        json_object_get_type(linux_) == json_type_object &&
	        json_object_object_get_ex(linux_, "seccomp", &inner))
		return inner;
	return object;
}

int oci_seccomp_profile_parse(const char *json, size_t len, const struct oci_seccomp_place *place,
        struct arena *arena, const struct oci_seccomp **ret, struct err *err)
{
	_json_put_ struct json_object *object = NULL;
	struct json_read r = { .document = "seccomp profile", .arena = arena, .err = err };
	struct profile *p = arena_new(arena, struct profile);
	int code = json_parse_bounded(r.document, json, len, &limits, &object, err);

	if (code == 0)
		code = json_read_object(&r, &profile_table, find_profile(object), p);
	if (code < 0)
		return code;
	if (r.unknown.n > 0)
		return err_set(err, -EINVAL, "%s: '%s' is not a key of a seccomp profile",
		        r.document, r.unknown.names[0]);
	code = set_architectures(&r, p);
	if (code < 0)
		return code;
	if (!p->seccomp.flags)
		p->seccomp.flags = oci_no_texts;
	set_rules(p, place, arena);
	code = check_notify(&r, p);
	if (code < 0)
		return code;
	*ret = &p->seccomp;
	return 0;
}
