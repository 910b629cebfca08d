/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sysctls of the config. Only those that belong to a namespace of the container are let through:
 * any other would change the host (CVE-2022-0811 wrote kernel.core_pattern this way).
 */
#include "compile/internal.h"

/* "net.ipv4.conf.eth0/1.forwarding" -> "net/ipv4/conf/eth0.1/forwarding". As in sysctl(8), a text
 * whose first separator is a slash is a path already. */
static char *path_of(struct compile *c, const char *key)
{
	char *path = arena_strdup(&c->arena, key);
	const char *first = strpbrk(path, "./");
	if (!first || *first == '/')
		return path;
	for (char *p = path; *p != '\0'; p++) {
		if (*p == '.')
			*p = '/';
		else if (*p == '/')
			*p = '.';
	}
	return path;
}

static bool is_plain_path(const char *path)
{
	const char *part = path;
	for (;;) {
		size_t n = strcspn(part, "/");
		if (n == 0 || (n == 1 && part[0] == '.') || (n == 2 && memcmp(part, "..", 2) == 0))
			return false;
		if (part[n] == '\0')
			return true;
		part += n + 1;
	}
}

int compile_sysctl(struct compile *c)
{
	const struct oci_linux *l = &c->spec->linux_;
	for (size_t i = 0; i < l->n_sysctl; i++) {
		const char *key = l->sysctl[i].key, *value = l->sysctl[i].value;
		const char *shown = compile_shown(c, key);
		const char *path = path_of(c, key);
		if (!is_plain_path(path))
			return err_set(c->err, -EINVAL, "linux.sysctl '%s' is no sysctl", shown);
		int flag = plan_sysctl_namespace(path);
		if (flag == 0)
			return err_set(c->err, -EPERM,
			        "linux.sysctl '%s' does not belong to a namespace: it would "
			        "change the host",
			        shown);
		if (!((c->new_namespaces | c->joined_namespaces) & flag))
			return err_set(c->err, -EPERM,
			        "linux.sysctl '%s' needs a %s namespace in linux.namespaces: it "
			        "would change the host",
			        shown, oci_namespace_name(flag));
		if (strpbrk(value, "\n\r"))
			return err_set(c->err, -EINVAL,
			        "linux.sysctl '%s' has a line break in its value", shown);
		plan_write(c->w, &(struct plan_step){ .kind = PLAN_SYSCTL,
		                         .sysctl = { .path = path, .value = value } });
	}
	return 0;
}

/* The engine's own settings; the kernel may be older than the setting. */
static void write_own(struct compile *c, enum plan_kind kind, const struct oci_kv *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		plan_write(c->w, &(struct plan_step){ .kind = kind,
		                         .sysctl = {
		                                 .path = list[i].key,
		                                 .value = list[i].value,
		                                 .optional = 1,
		                         } });
}

int compile_early_sysctl(struct compile *c)
{
	for (size_t i = 0; i < c->ext->n_early_sysctl; i++) {
		const struct oci_kv *kv = &c->ext->early_sysctl[i];
		if (streq(kv->key, "vm/memfd_noexec") && !c->facts->has_memfd_noexec)
			compile_note(c,
			        "this kernel has no vm.memfd_noexec (Linux 6.3): programs can run "
			        "from anonymous memory files");
		else
			write_own(c, PLAN_EARLY_SYSCTL, kv, 1);
	}
	return 0;
}

int compile_late_sysctl(struct compile *c)
{
	write_own(c, PLAN_LATE_SYSCTL, c->ext->late_sysctl, c->ext->n_late_sysctl);
	return 0;
}
