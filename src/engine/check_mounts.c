/* SPDX-License-Identifier: Apache-2.0 */
/* config_check(): where things are mounted, sysctls, names of the network. */
#include "engine/check_parts.h"

#include "base/path.h"
#include "base/str.h"
#include "engine/texts.h"
#include "oci/spec.h"
#include "plan/plan.h"

#include <arpa/inet.h>
#include <errno.h>

enum { DOMAIN_MAX = 255 };

/* --- mounts --- */

/* What the profile mounts itself and would not protect with something else in its place. */
static const struct {
	const char *path;
	bool below; /* and everything below it */
	const char *why;
} reserved[] = {
	{ "/", false, "destination can't be '/'" },
	{ "/proc", true, "what lies in /proc is the container's own view of its processes" },
	{ "/dev", false, "/dev holds exactly the devices of the container; mount below it" },
	{ "/dev/pts", true, "the terminals of the container are mounted there" },
};

static int check_target(const struct config_mount *m, struct err *err)
{
	_free_ char *clean = path_clean(m->target), *shown = str_escaped(m->target);

	if (*m->target != '/' || !streq(clean, m->target))
		return check_refuse(err,
		        "invalid mount path: '%s' mount path must be absolute, without '.' and '..'",
		        m->target);
	for (size_t i = 0; i < ARRAY_SIZE(reserved); i++) {
		size_t len = strlen(reserved[i].path);

		if (streq(clean, reserved[i].path) ||
		        (reserved[i].below && strncmp(clean, reserved[i].path, len) == 0 &&
		                clean[len] == '/'))
			return err_set(
			        err, -EINVAL, "cannot mount on '%s': %s", shown, reserved[i].why);
	}
	return 0;
}

static int check_propagation(const struct config_mount *m, struct err *err)
{
	static const char *const known[] = { "private", "rprivate", "slave", "rslave", NULL };

	if (!m->propagation || !*m->propagation)
		return 0;
	if (m->type != CONFIG_BIND)
		return check_refuse(err, "propagation is for bind mounts only: '%s'", m->target);
	if (texts_have(known, m->propagation))
		return 0;
	return check_refuse(err,
	        "propagation '%s' is not possible: mounts of a container never reach the host; use "
	        "private, rprivate, slave or rslave",
	        m->propagation);
}

static int check_mount(const struct config_mount *m, struct err *err)
{
	int r = check_target(m, err);

	if (r == 0)
		r = check_propagation(m, err);
	if (r < 0)
		return r;
	if (m->type == CONFIG_BIND && *m->source != '/')
		return check_refuse(err,
		        "invalid mount config for type \"bind\": invalid mount path: '%s' mount path "
		        "must be absolute",
		        m->source);
	if (m->type == CONFIG_VOLUME && *m->source && !path_is_name(m->source))
		return check_refuse(err, "'%s' is not the name of a volume", m->source);
	if (m->no_idmap && m->type != CONFIG_BIND)
		return check_refuse(err, "no-idmap is for bind mounts only: '%s'", m->target);
	if (m->tmpfs_size > INT64_MAX || m->tmpfs_mode > 07777)
		return check_refuse(err, "the size or mode of '%s' is out of range", m->target);
	return 0;
}

int check_mounts(const struct config *c, struct err *err)
{
	for (size_t i = 0; i < c->n_mounts; i++) {
		int r = check_mount(&c->mounts[i], err);

		if (r < 0)
			return r;
		for (size_t k = 0; k < i; k++)
			if (streq(c->mounts[i].target, c->mounts[k].target))
				return check_refuse(
				        err, "Duplicate mount point: %s", c->mounts[i].target);
	}
	return 0;
}

/* --- sysctls --- */

/* Why a sysctl that exists is not a container's. */
static const struct {
	const char *prefix, *why;
} not_given[] = {
	{ "kernel/domainname", "use --domainname" },
	{ "kernel/hostname", "use --hostname" },
	{ "user/", "it counts what the container may make, and is set by the default profile" },
};

static int check_sysctl(const struct oci_kv *kv, struct err *err)
{
	_free_ char *path = oci_sysctl_path(kv->key);
	_free_ char *shown = str_escaped(kv->key);
	const char *why = NULL;

	if (!path)
		return err_set(err, -EINVAL, "sysctl '%s' is not the name of a sysctl", shown);
	if (strpbrk(kv->value, "\n\r"))
		return err_set(err, -EINVAL, "sysctl '%s' has a line break in its value", shown);
	for (size_t i = 0; i < ARRAY_SIZE(not_given); i++)
		if (str_has_prefix(path, not_given[i].prefix))
			why = not_given[i].why;
	if (!why && plan_sysctl_namespace(path) == 0)
		why = "it does not belong to a namespace, so it would change the whole machine; "
		      "net.*, fs.mqueue.* and System V IPC's kernel.msg*, kernel.sem, kernel.shm* do";
	return why ? err_set(err, -EINVAL, "sysctl '%s' is not allowed: %s", shown, why) : 0;
}

int check_sysctls(const struct config *c, struct err *err)
{
	for (size_t i = 0; i < c->n_sysctls; i++) {
		int r = check_sysctl(&c->sysctls[i], err);

		if (r < 0)
			return r;
	}
	return 0;
}

/* --- names of the network --- */

static bool is_address(const char *text)
{
	unsigned char address[16];

	return inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1;
}

static int check_host(const char *entry, struct err *err)
{
	const char *colon = strchr(entry, ':');

	if (!colon || colon == entry || !check_is_graphic(entry))
		return check_refuse(err, "bad format for add-host: \"%s\"", entry);
	if (streq(colon + 1, "host-gateway"))
		return err_set(err, -EINVAL,
		        "host-gateway is not possible: the container has no way to the host");
	return is_address(colon + 1)
	               ? 0
	               : check_refuse(err, "invalid IP address in add-host: \"%s\"", colon + 1);
}

int check_network(const struct config *c, struct err *err)
{
	static const char *const modes[] = { "isolated", "none", NULL };
	int r = 0;

	if (!texts_have(modes, c->network_mode))
		return check_refuse(err,
		        "network '%s' is not part of this version: a container has a network of its "
		        "own with loopback alone (--network none)",
		        c->network_mode);
	for (size_t i = 0; r == 0 && c->extra_hosts[i]; i++)
		r = check_host(c->extra_hosts[i], err);
	for (size_t i = 0; r == 0 && c->dns[i]; i++)
		if (!is_address(c->dns[i]))
			r = check_refuse(err, "%s is not an ip address", c->dns[i]);
	for (size_t i = 0; r == 0 && c->dns_search[i]; i++)
		if (strlen(c->dns_search[i]) > DOMAIN_MAX || !*c->dns_search[i] ||
		        !check_is_graphic(c->dns_search[i]))
			r = check_refuse(err, "%s is not a valid domain", c->dns_search[i]);
	for (size_t i = 0; r == 0 && c->dns_options[i]; i++)
		if (!*c->dns_options[i] || !check_is_graphic(c->dns_options[i]))
			r = check_refuse(
			        err, "'%s' is not an option of resolv.conf", c->dns_options[i]);
	return r;
}
