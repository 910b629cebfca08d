/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "linux.seccomp" of config.json (runtime-spec 1.3.0, config-linux.md, "Seccomp").
 */
#include "oci/fields.h"

#include "base/str.h"

const struct json_enum oci_seccomp_actions[] = {
	{ "SCMP_ACT_KILL", OCI_ACT_KILL_THREAD },
	{ "SCMP_ACT_KILL_THREAD", OCI_ACT_KILL_THREAD },
	{ "SCMP_ACT_KILL_PROCESS", OCI_ACT_KILL_PROCESS },
	{ "SCMP_ACT_TRAP", OCI_ACT_TRAP },
	{ "SCMP_ACT_ERRNO", OCI_ACT_ERRNO },
	{ "SCMP_ACT_TRACE", OCI_ACT_TRACE },
	{ "SCMP_ACT_ALLOW", OCI_ACT_ALLOW },
	{ "SCMP_ACT_LOG", OCI_ACT_LOG },
	{ "SCMP_ACT_NOTIFY", OCI_ACT_NOTIFY },
	{ NULL },
};

static const struct json_enum operators[] = {
	{ "SCMP_CMP_NE", OCI_OP_NE },
	{ "SCMP_CMP_LT", OCI_OP_LT },
	{ "SCMP_CMP_LE", OCI_OP_LE },
	{ "SCMP_CMP_EQ", OCI_OP_EQ },
	{ "SCMP_CMP_GE", OCI_OP_GE },
	{ "SCMP_CMP_GT", OCI_OP_GT },
	{ "SCMP_CMP_MASKED_EQ", OCI_OP_MASKED_EQ },
	{ NULL },
};

static const char *const architectures[] = {
	"SCMP_ARCH_AARCH64",
	"SCMP_ARCH_ARM",
	"SCMP_ARCH_LOONGARCH64",
	"SCMP_ARCH_M68K",
	"SCMP_ARCH_MIPS",
	"SCMP_ARCH_MIPS64",
	"SCMP_ARCH_MIPS64N32",
	"SCMP_ARCH_MIPSEL",
	"SCMP_ARCH_MIPSEL64",
	"SCMP_ARCH_MIPSEL64N32",
	"SCMP_ARCH_NATIVE",
	"SCMP_ARCH_PARISC",
	"SCMP_ARCH_PARISC64",
	"SCMP_ARCH_PPC",
	"SCMP_ARCH_PPC64",
	"SCMP_ARCH_PPC64LE",
	"SCMP_ARCH_RISCV64",
	"SCMP_ARCH_S390",
	"SCMP_ARCH_S390X",
	"SCMP_ARCH_SH",
	"SCMP_ARCH_SHEB",
	"SCMP_ARCH_X32",
	"SCMP_ARCH_X86",
	"SCMP_ARCH_X86_64",
	NULL,
};

static const char *const flags[] = {
	"SECCOMP_FILTER_FLAG_LOG",
	"SECCOMP_FILTER_FLAG_SPEC_ALLOW",
	"SECCOMP_FILTER_FLAG_TSYNC",
	"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV",
	NULL,
};

/* const char *const *; arg: the NULL-terminated texts that are allowed. */
static int get_known_texts(
        struct json_read *r, const struct json_field *field, struct json_object *value, void *base)
{
	const char *const *list;
	int code = json_get_strv(r, field, value, base);

	if (code < 0)
		return code;
	list = *(const char *const **) json_at(base, field->offset);
	for (size_t i = 0; list[i]; i++) {
		const char *const *known = field->arg;
		_free_ char *shown = NULL;

		while (*known && !streq(*known, list[i]))
			known++;
		if (*known)
			continue;
		shown = str_escaped(list[i]);
		return json_fail(r, "has the unknown member '%s'", shown);
	}
	return 0;
}

static const struct json_range index_range = { 0, 5 };
static const struct json_range errno_range = { 0, UINT16_MAX };

#define AT(member) offsetof(struct oci_seccomp_arg, member)
static const struct json_field arg_fields[] = {
	{ "index", json_get_u32, AT(index), .flags = JSON_REQUIRED, .arg = &index_range },
	{ "value", json_get_u64, AT(value), .flags = JSON_REQUIRED },
	{ "valueTwo", json_get_u64, AT(value_two) },
	{ "op", json_get_enum, AT(op), .flags = JSON_REQUIRED, .arg = operators },
	{ NULL },
};
#undef AT
const struct json_table oci_seccomp_arg_table = { arg_fields, sizeof(struct oci_seccomp_arg),
	NULL };

static int check_rule(struct json_read *r, void *object)
{
	const struct oci_seccomp_rule *rule = object;

	return rule->names[0] ? 0 : oci_fail_key(r, "names", "must not be empty");
}

#define AT(member) offsetof(struct oci_seccomp_rule, member)
static const struct json_field rule_fields[] = {
	{ "names", json_get_strv, AT(names), .flags = JSON_REQUIRED },
	{ "action", json_get_enum, AT(action), .flags = JSON_REQUIRED, .arg = oci_seccomp_actions },
	{ "errnoRet", json_get_u32, AT(errno_ret), AT(has_errno), JSON_HAS, &errno_range },
	{ "args", json_get_list, AT(args), AT(n_args), .arg = &oci_seccomp_arg_table },
	{ NULL },
};
#undef AT
static const struct json_table rule_table = {
	rule_fields,
	sizeof(struct oci_seccomp_rule),
	check_rule,
};

static bool uses_notify(const struct oci_seccomp *s)
{
	for (size_t i = 0; i < s->n_rules; i++)
		if (s->rules[i].action == OCI_ACT_NOTIFY)
			return true;
	return false;
}

static int check_seccomp(struct json_read *r, void *object)
{
	struct oci_seccomp *s = object;
	size_t mark;

	if (!s->architectures)
		s->architectures = oci_no_texts;
	if (!s->flags)
		s->flags = oci_no_texts;
	if (s->default_action == OCI_ACT_NOTIFY)
		return oci_fail_key(r, "defaultAction",
		        "must not be SCMP_ACT_NOTIFY: the program could not even be started");
	if (!s->listener_path && s->listener_metadata)
		return oci_fail_key(r, "listenerMetadata", "needs a listenerPath");
	if (!s->listener_path && uses_notify(s))
		return oci_fail_key(r, "listenerPath", "is missing: SCMP_ACT_NOTIFY needs one");
	if (s->listener_path) {
		mark = json_push(r, "listenerPath");
		json_mark_unsupported(r);
		json_pop(r, mark);
	}
	return 0;
}

#define AT(member) offsetof(struct oci_seccomp, member)
static const struct json_field seccomp_fields[] = {
	{ "defaultAction", json_get_enum, AT(default_action), .flags = JSON_REQUIRED,
	        .arg = oci_seccomp_actions },
	{ "defaultErrnoRet", json_get_u32, AT(default_errno), AT(has_default_errno), JSON_HAS,
	        &errno_range },
	{ "architectures", get_known_texts, AT(architectures), .arg = architectures },
	{ "flags", get_known_texts, AT(flags), .arg = flags },
	{ "listenerPath", oci_get_abs_path, AT(listener_path) },
	{ "listenerMetadata", json_get_text, AT(listener_metadata) },
	{ "syscalls", json_get_list, AT(rules), AT(n_rules), .arg = &rule_table },
	{ NULL },
};
#undef AT
const struct json_table oci_seccomp_table = {
	seccomp_fields,
	sizeof(struct oci_seccomp),
	check_seccomp,
};
