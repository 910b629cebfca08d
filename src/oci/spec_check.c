/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What holds between the parts of config.json: rules of the specification and of the runtimes that
 * callers know, as far as no look at the machine is needed.
 */
#include "base/str.h"
#include "oci/fields.h"

#include <sched.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

enum { SYSCTL_VALUE_MAX = 4096 };

bool oci_has_namespace(const struct oci_spec *spec, int clone_flag)
{
	for (size_t i = 0; i < spec->linux_.n_namespaces; i++)
		if (spec->linux_.namespaces[i].clone_flag == clone_flag)
			return true;
	return false;
}

/* One row for each key that would change the host when its namespace is not the container's own. */
static int check_needs(struct json_read *r, const struct oci_spec *spec)
{
	const struct oci_linux *l = &spec->linux_;
	const struct {
		const char *key;
		bool given;
		int flag;
	} needs[] = {
		{ "hostname", spec->hostname, CLONE_NEWUTS },
		{ "domainname", spec->domainname, CLONE_NEWUTS },
		{ "linux.uidMappings", l->n_uid_mappings > 0, CLONE_NEWUSER },
		{ "linux.gidMappings", l->n_gid_mappings > 0, CLONE_NEWUSER },
		{ "linux.timeOffsets", l->monotonic.has || l->boottime.has, CLONE_NEWTIME },
		{ "linux.maskedPaths", l->masked_paths[0], CLONE_NEWNS },
		{ "linux.readonlyPaths", l->readonly_paths[0], CLONE_NEWNS },
	};

	for (size_t i = 0; i < ARRAY_SIZE(needs); i++)
		if (needs[i].given && !oci_has_namespace(spec, needs[i].flag))
			return oci_fail_key(r, needs[i].key,
			        "needs a %s namespace of the container's own: add one to "
			        "linux.namespaces",
			        oci_namespace_name(needs[i].flag));
	return 0;
}

int oci_check_spec(struct json_read *r, const struct oci_spec *spec)
{
	int code = check_needs(r, spec);

	return code < 0 ? code : oci_check_sysctl(r, spec);
}

/* -- sysctl -- */

/* The part of len bytes at p would be a folder entry of /proc/sys. */
static bool part_is_name(const char *p, size_t len)
{
	return len > 0 && !(len == 1 && p[0] == '.') && !(len == 2 && p[0] == '.' && p[1] == '.');
}

char *oci_sysctl_path(const char *key)
{
	static const char letters[] =
	        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./";
	_free_ char *path = NULL;
	char separator = key[strcspn(key, "./")];

	if (key[strspn(key, letters)] || !*key)
		return NULL;
	path = xstrdup(key);
	if (separator == '.')
		for (char *p = path; *p; p++)
			*p = *p == '.' ? '/' : *p == '/' ? '.' : *p;
	for (const char *p = path;; p++) {
		size_t len = strcspn(p, "/");

		if (!part_is_name(p, len))
			return NULL;
		p += len;
		if (!*p)
			return TAKE_PTR(path);
	}
}

/* The sysctls that belong to a namespace; nothing else may be set, for it would be the host's
 * (CVE-2022-0811). A name that ends in '*' stands for what begins so. */
static const struct {
	const char *path;
	int flag;
} sysctls[] = {
	{ "fs/mqueue/*", CLONE_NEWIPC }, { "kernel/msg*", CLONE_NEWIPC },
	{ "kernel/sem", CLONE_NEWIPC }, { "kernel/sem_next_id", CLONE_NEWIPC },
	{ "kernel/shm*", CLONE_NEWIPC }, { "kernel/domainname", CLONE_NEWUTS },
	{ "kernel/hostname", CLONE_NEWUTS }, { "net/*", CLONE_NEWNET }, { "user/*", CLONE_NEWUSER },
	{ "vm/memfd_noexec", CLONE_NEWPID }, /* of the pid namespace since it came, Linux 6.3 */
};

static bool path_matches(const char *path, const char *pattern)
{
	size_t len = strlen(pattern);

	if (pattern[len - 1] != '*')
		return streq(path, pattern);
	return strncmp(path, pattern, len - 1) == 0 && path[len - 1];
}

static int check_namespace_of(struct json_read *r, const struct oci_spec *spec, const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(sysctls); i++) {
		if (!path_matches(path, sysctls[i].path))
			continue;
		if (oci_has_namespace(spec, sysctls[i].flag))
			return 0;
		return json_fail(r,
		        "would change the host: it needs a %s namespace of the container's own",
		        oci_namespace_name(sysctls[i].flag));
	}
	return json_fail(r, "is not in any namespace, so it would change the host");
}

/* The host's name has its own key, and no second one (as in runc and crun). The NIS domain may have
 * two, which must agree. */
static int check_conflict(
        struct json_read *r, const struct oci_spec *spec, const char *path, const char *value)
{
	if (streq(path, "kernel/hostname"))
		return json_fail(r, "is not allowed here: it is what 'hostname' sets");
	if (streq(path, "kernel/domainname") && spec->domainname && !streq(value, spec->domainname))
		return json_fail(r, "says something else than 'domainname'");
	return 0;
}

static int check_one_sysctl(
        struct json_read *r, const struct oci_spec *spec, const struct oci_kv *kv)
{
	_free_ char *path = oci_sysctl_path(kv->key);
	int code;

	if (!path)
		return json_fail(r,
		        "is not the name of a sysctl: letters, digits, '_', '-', '.' and '/' only");
	if (strlen(kv->value) > SYSCTL_VALUE_MAX)
		return json_fail(r, "has a value of more than %d bytes", SYSCTL_VALUE_MAX);
	for (const char *p = kv->value; *p; p++)
		if (((unsigned char) *p < 0x20 && *p != '\t') || *p == 0x7f)
			return json_fail(r, "has a control character in its value");
	code = check_namespace_of(r, spec, path);
	if (code < 0)
		return code;
	return check_conflict(r, spec, path, kv->value);
}

int oci_check_sysctl(struct json_read *r, const struct oci_spec *spec)
{
	size_t mark = json_push(r, "linux"), inner = json_push(r, "sysctl");

	for (size_t i = 0; i < spec->linux_.n_sysctl; i++) {
		size_t key = json_push(r, spec->linux_.sysctl[i].key);
		int code = check_one_sysctl(r, spec, &spec->linux_.sysctl[i]);

		if (code < 0)
			return code;
		json_pop(r, key);
	}
	json_pop(r, inner);
	json_pop(r, mark);
	return 0;
}
