/* SPDX-License-Identifier: Apache-2.0 */
#include "compile/internal.h"

#include "cgroup/cgroup.h"

#include <sched.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

static int check_keys(struct compile *c)
{
	for (size_t i = 0; c->spec->unknown && c->spec->unknown[i]; i++)
		compile_note(c, "config key '%s' is not known and was ignored",
		        compile_shown(c, c->spec->unknown[i]));
	for (size_t i = 0; c->spec->notes && c->spec->notes[i]; i++)
		compile_note(c, "config key %s", c->spec->notes[i]);
	if (c->spec->unsupported && c->spec->unsupported[0])
		return err_set(c->err, -EOPNOTSUPP,
		        "config key '%s' is not supported by this version: remove it",
		        compile_shown(c, c->spec->unsupported[0]));
	return 0;
}

static int check_process(struct compile *c)
{
	const struct oci_process *p = &c->spec->process;
	if (!c->spec->has_process)
		return err_set(
		        c->err, -EINVAL, "the config has no 'process': there is nothing to start");
	if (!p->args || !p->args[0])
		return err_set(
		        c->err, -EINVAL, "process.args is empty: it must name the program to run");
	if (p->args[0][0] == '\0')
		return err_set(c->err, -EINVAL,
		        "process.args[0] is an empty text: it must name the program to run");
	if (p->apparmor_profile && p->apparmor_profile[0] != '\0')
		return err_set(c->err, -EOPNOTSUPP,
		        "AppArmor profiles are not supported by this version: remove "
		        "process.apparmorProfile '%s'",
		        compile_shown(c, p->apparmor_profile));
	if (p->selinux_label && p->selinux_label[0] != '\0')
		return err_set(c->err, -EOPNOTSUPP,
		        "SELinux labels are not supported by this version: remove "
		        "process.selinuxLabel '%s'",
		        compile_shown(c, p->selinux_label));
	if (c->spec->linux_.mount_label && c->spec->linux_.mount_label[0] != '\0')
		return err_set(c->err, -EOPNOTSUPP,
		        "SELinux labels are not supported by this version: remove "
		        "linux.mountLabel '%s'",
		        compile_shown(c, c->spec->linux_.mount_label));
	return 0;
}

static int sort_namespaces(struct compile *c)
{
	const struct oci_linux *l = &c->spec->linux_;
	for (size_t i = 0; i < l->n_namespaces; i++) {
		int flag = l->namespaces[i].clone_flag;
		if ((c->new_namespaces | c->joined_namespaces) & flag)
			return err_set(c->err, -EINVAL,
			        "linux.namespaces has the %s namespace twice",
			        oci_namespace_name(flag));
		if (l->namespaces[i].path)
			c->joined_namespaces |= flag;
		else
			c->new_namespaces |= flag;
	}
	c->user_namespace = (c->new_namespaces | c->joined_namespaces) & CLONE_NEWUSER;
	return 0;
}

static int check_user_namespace(struct compile *c)
{
	const struct oci_linux *l = &c->spec->linux_;
	bool maps = l->n_uid_mappings > 0 || l->n_gid_mappings > 0;
	if ((c->new_namespaces & CLONE_NEWUSER) &&
	        (l->n_uid_mappings == 0 || l->n_gid_mappings == 0))
		return err_set(c->err, -EINVAL,
		        "a user namespace needs linux.uidMappings and linux.gidMappings");
	if (maps && !c->user_namespace)
		return err_set(c->err, -EINVAL,
		        "linux.uidMappings and linux.gidMappings need a user namespace in "
		        "linux.namespaces");
	if (!c->facts->privileged && !c->user_namespace)
		return err_set(c->err, -EPERM,
		        "without root a container needs a user namespace: add it to "
		        "linux.namespaces ('spec --rootless' writes such a config)");
	return 0;
}

static int check_namespaces(struct compile *c)
{
	const struct oci_linux *l = &c->spec->linux_;
	int r = sort_namespaces(c);
	if (r >= 0)
		r = check_user_namespace(c);
	if (r < 0)
		return r;
	int all = c->new_namespaces | c->joined_namespaces;
	if (!(c->new_namespaces & CLONE_NEWNS))
		return err_set(c->err, -EOPNOTSUPP,
		        "a container needs a mount namespace of its own: add {\"type\": "
		        "\"mount\"} to linux.namespaces");
	if ((c->spec->hostname || c->spec->domainname) && !(all & CLONE_NEWUTS))
		return err_set(c->err, -EINVAL,
		        "hostname and domainname need a uts namespace in linux.namespaces");
	if ((l->monotonic.has || l->boottime.has) && !(c->new_namespaces & CLONE_NEWTIME))
		return err_set(c->err, -EINVAL,
		        "linux.timeOffsets needs a new time namespace in linux.namespaces");
	if ((all & CLONE_NEWTIME) && !c->facts->has_time_namespace)
		return err_set(c->err, -EOPNOTSUPP, "this kernel does not have time namespaces");
	return 0;
}

static int check_seccomp(struct compile *c)
{
	const struct oci_seccomp *s = c->spec->linux_.seccomp;
	if (s && s->listener_path && s->listener_path[0] != '\0')
		return err_set(c->err, -EOPNOTSUPP,
		        "linux.seccomp.listenerPath is not supported by this version: remove it "
		        "and the rules with SCMP_ACT_NOTIFY");
	return 0;
}

static int check_root(struct compile *c)
{
	if (!c->ext->overlay && (!c->spec->root_path || c->spec->root_path[0] == '\0'))
		return err_set(c->err, -EINVAL, "the config has no root.path");
	if (!c->ext->landlock || c->spec->process.no_new_privileges)
		return 0;
	return err_set(c->err, -EINVAL, "Landlock needs process.noNewPrivileges");
}

/* Devices go into /dev unless it is a piece of the host: then nothing may be made in there. */
static bool dev_is_own(struct compile *c)
{
	for (size_t i = 0; i < c->spec->n_mounts; i++) {
		const struct oci_mount *m = &c->spec->mounts[i];
		if (!streq(compile_clean(c, m->destination), "/dev"))
			continue;
		for (size_t k = 0; m->options && m->options[k]; k++)
			if (streq(m->options[k], "bind") || streq(m->options[k], "rbind"))
				return false;
	}
	return true;
}

/* No facts: the caller wants no control groups at all (--cgroup-manager disabled). */
static int check_cgroup(struct compile *c)
{
	if (!c->facts->cgroup)
		return 0;
	int r = cgroup_usable(c->facts->cgroup, &c->spec->linux_.resources,
	        c->ext->rootless_cgroup_ignored, c->notes ? &c->notes->lines : NULL, c->err);
	c->use_cgroup = r > 0;
	return MIN(r, 0);
}

int compile_check(struct compile *c)
{
	static int (*const checks[])(struct compile *) = {
		check_keys,
		check_process,
		check_namespaces,
		check_seccomp,
		check_root,
	};
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		int r = checks[i](c);
		if (r < 0)
			return r;
	}
	c->own_dev = dev_is_own(c);
	return check_cgroup(c);
}
