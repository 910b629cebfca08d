/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "linux.resources" of config.json (runtime-spec 1.3.0, config-linux.md, "Control groups"). The
 * document of 'update --resources' has the same form.
 */
#include "oci/fields.h"

#include "base/str.h"

/* -- device rules -- */

/* char: a, b or c; "" is 'a'. */
static int get_rule_type(
        struct json_read *r, const struct json_field *field, struct json_object *value, void *base)
{
	const char *text;
	int code = json_string(r, value, &text);

	if (code < 0)
		return code;
	if (!*text)
		return 0;
	if (!strchr("abc", *text) || text[1])
		return json_fail(r, "must be 'a', 'b' or 'c'");
	*(char *) json_at(base, field->offset) = *text;
	return 0;
}

/* uint8_t of OCI_ACCESS_*. */
static int get_access(
        struct json_read *r, const struct json_field *field, struct json_object *value, void *base)
{
	static const char letters[] = "rwm";
	uint8_t access = 0;
	const char *text;
	int code = json_string(r, value, &text);

	if (code < 0)
		return code;
	for (const char *p = text; *p; p++) {
		const char *letter = strchr(letters, *p);

		if (!letter)
			return json_fail(r, "must be made of the letters r, w and m");
		access |= (uint8_t) (1 << (letter - letters));
	}
	*(uint8_t *) json_at(base, field->offset) = access;
	return 0;
}
_Static_assert(OCI_ACCESS_READ == 1 && OCI_ACCESS_WRITE == 2 && OCI_ACCESS_MKNOD == 4, "order");

/* What is absent stands for all of it. */
static int check_rule(struct json_read *r, void *object)
{
	struct oci_device_rule *rule = object;

	if (!rule->type)
		rule->type = 'a';
	if (!rule->access)
		rule->access = OCI_ACCESS_READ | OCI_ACCESS_WRITE | OCI_ACCESS_MKNOD;
	return 0;
}

/* int64_t, kept as value + 1 until get_rules() so that absent (0) can be told from device 0. */
static int get_number(
        struct json_read *r, const struct json_field *field, struct json_object *value, void *base)
{
	int64_t *n = json_at(base, field->offset);
	int code = json_get_i64(r, field, value, base);

	if (code == 0)
		(*n)++;
	return code;
}

static const struct json_range number_range = { -1, INT32_MAX };
static const struct json_field rule_fields[] = {
	{ "allow", json_get_bool, offsetof(struct oci_device_rule, allow), .flags = JSON_REQUIRED },
	{ "type", get_rule_type, offsetof(struct oci_device_rule, type) },
	{ "major", get_number, offsetof(struct oci_device_rule, major), .arg = &number_range },
	{ "minor", get_number, offsetof(struct oci_device_rule, minor), .arg = &number_range },
	{ "access", get_access, offsetof(struct oci_device_rule, access) },
	{ NULL },
};
static const struct json_table rule_table = {
	rule_fields,
	sizeof(struct oci_device_rule),
	check_rule,
};

static int get_rules(
        struct json_read *r, const struct json_field *field, struct json_object *value, void *base)
{
	struct oci_device_rule *rules;
	int code = json_get_list(r, field, value, base);

	if (code < 0)
		return code;
	rules = *(struct oci_device_rule **) json_at(base, field->offset);
	for (size_t i = 0; i < *(size_t *) json_at(base, field->aux); i++) {
		rules[i].major--;
		rules[i].minor--;
	}
	return 0;
}

/* -- memory, cpu, pids -- */

/* An optional number: struct oci_opt_*64. */
#define OPT(member)                                                                                \
	.offset = offsetof(struct oci_resources, member.value),                                    \
	.aux = offsetof(struct oci_resources, member.has), .flags = JSON_HAS
#define AT(member) offsetof(struct oci_resources, member)

static const struct json_range unlimited_range = { -1, INT64_MAX };
static const struct json_range swappiness_range = { 0, 100 };
static const struct json_range idle_range = { 0, 1 };

static const struct json_field memory_fields[] = {
	{ "limit", json_get_i64, OPT(memory_limit), .arg = &unlimited_range },
	{ "reservation", json_get_i64, OPT(memory_reservation), .arg = &unlimited_range },
	{ "swap", json_get_i64, OPT(memory_swap), .arg = &unlimited_range },
	{ "swappiness", json_get_u64, OPT(memory_swappiness), .arg = &swappiness_range },
	{ "disableOOMKiller", json_get_bool, AT(disable_oom_killer), AT(has_disable_oom_killer),
	        JSON_HAS },
	{ "checkBeforeUpdate", json_get_bool, AT(memory_check_before_update) },
	/* The specification advises against these; the kernel has dropped them. */
	{ "kernel", json_get_ignored },
	{ "kernelTCP", json_get_ignored },
	{ "useHierarchy", json_get_ignored },
	{ NULL },
};
static const struct json_table memory_table = { memory_fields, 0, NULL };

/* const char *: a list of CPUs or memory nodes, "0-3,7". It is written to a kernel file as it is.
 */
static int get_cpu_list(
        struct json_read *r, const struct json_field *field, struct json_object *value, void *base)
{
	const char **text = json_at(base, field->offset);
	int code = json_get_text(r, field, value, base);

	if (code < 0 || !*text)
		return code;
	if ((*text)[strspn(*text, "0123456789,-")])
		return json_fail(r, "must be a list such as 0-3,7");
	return 0;
}

static const struct json_field cpu_fields[] = {
	{ "shares", json_get_u64, OPT(cpu_shares) },
	{ "quota", json_get_i64, OPT(cpu_quota) },
	{ "burst", json_get_u64, OPT(cpu_burst) },
	{ "period", json_get_u64, OPT(cpu_period) },
	{ "realtimeRuntime", json_get_i64, OPT(cpu_rt_runtime) },
	{ "realtimePeriod", json_get_u64, OPT(cpu_rt_period) },
	{ "idle", json_get_i64, OPT(cpu_idle), .arg = &idle_range },
	{ "cpus", get_cpu_list, AT(cpuset_cpus) },
	{ "mems", get_cpu_list, AT(cpuset_mems) },
	{ NULL },
};
static const struct json_table cpu_table = { cpu_fields, 0, NULL };

static const struct json_field pids_fields[] = {
	{ "limit", json_get_i64, OPT(pids_limit), .arg = &unlimited_range },
	{ NULL },
};
static const struct json_table pids_table = { pids_fields, 0, NULL };

/* -- unified -- */

/* Each key is the name of one file of the group. */
static int check_unified(struct json_read *r, const struct oci_resources *res)
{
	static const char letters[] =
	        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";

	for (size_t i = 0; i < res->n_unified; i++) {
		const char *key = res->unified[i].key;

		if (key[strspn(key, letters)] || *key == '.' || !strchr(key, '.'))
			return oci_fail_key(r, "unified",
			        "must have file names of a cgroup as keys, such as memory.high");
	}
	return 0;
}

/* -- blockIO: not supported, but a weight of 0 says nothing (dockerd writes it always) -- */

static int get_zero(struct json_read *r, const struct json_field *field _unused_,
        struct json_object *value, void *base _unused_)
{
	if (json_object_get_type(value) != json_type_int || json_object_get_int64(value) != 0)
		json_mark_unsupported(r);
	return 0;
}

static const struct json_field block_io_fields[] = {
	{ "weight", get_zero },
	{ "leafWeight", get_zero },
	{ "weightDevice", json_get_unsupported },
	{ "throttleReadBpsDevice", json_get_unsupported },
	{ "throttleWriteBpsDevice", json_get_unsupported },
	{ "throttleReadIOPSDevice", json_get_unsupported },
	{ "throttleWriteIOPSDevice", json_get_unsupported },
	{ NULL },
};
static const struct json_table block_io_table = { block_io_fields, 0, NULL };

static int check_resources(struct json_read *r, void *object)
{
	return check_unified(r, object);
}

static const struct json_field resources_fields[] = {
	{ "devices", get_rules, AT(devices), AT(n_devices), .arg = &rule_table },
	{ "memory", json_get_object, 0, .arg = &memory_table },
	{ "cpu", json_get_object, 0, .arg = &cpu_table },
	{ "pids", json_get_object, 0, .arg = &pids_table },
	{ "unified", oci_get_map, AT(unified), AT(n_unified) },
	{ "blockIO", json_get_object, 0, .arg = &block_io_table },
	{ "hugepageLimits", json_get_unsupported },
	{ "network", json_get_unsupported },
	{ "rdma", json_get_unsupported },
	{ NULL },
};
const struct json_table oci_resources_table = {
	resources_fields,
	sizeof(struct oci_resources),
	check_resources,
};
