/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/fields.h"

#define F(type_, show_, member, field_)                                                            \
	{                                                                                          \
		.name = #field_, .type = FIELD_##type_, .show = SHOW_##show_,                      \
		.offset = offsetof(struct plan_step, member.field_)                                \
	}

static const struct plan_field container[] = {
	F(STR, PLAIN, container, id),
	F(STR, PLAIN, container, oci_version),
	F(U32, PLAIN, container, rootless),
};
static const struct plan_field cgroup[] = {
	F(U32, PLAIN, cgroup, mode),
	F(STR, PLAIN, cgroup, path),
	F(STRV, PLAIN, cgroup, hierarchies),
	F(U32, PLAIN, cgroup, unified),
};
static const struct plan_field cgroup_set[] = {
	F(STR, PLAIN, cgroup_set, hierarchy),
	F(STR, PLAIN, cgroup_set, file),
	F(STR, PLAIN, cgroup_set, value),
	F(U32, PLAIN, cgroup_set, optional),
};
static const struct plan_field cgroup_device[] = {
	F(U32, ALWAYS, cgroup_device, allow),
	F(U32, CHAR, cgroup_device, type),
	F(I64, ALWAYS, cgroup_device, major),
	F(I64, ALWAYS, cgroup_device, minor),
	F(U32, ACCESS, cgroup_device, access),
};
static const struct plan_field time_offset[] = {
	F(STR, PLAIN, time_offset, clock),
	F(I64, PLAIN, time_offset, secs),
	F(U32, PLAIN, time_offset, nanosecs),
};
static const struct plan_field root[] = {
	F(STR, PLAIN, root, path),
	F(U64, MOUNT_ATTR, root, attr_set),
};
static const struct plan_field root_overlay[] = {
	F(STR, PLAIN, root_overlay, base),
	F(STRV, PLAIN, root_overlay, layers),
	F(STR, PLAIN, root_overlay, upper),
	F(STR, PLAIN, root_overlay, work),
	F(U32, PLAIN, root_overlay, host_id),
	F(U32, PLAIN, root_overlay, size),
	F(U64, MOUNT_ATTR, root_overlay, attr_set),
	F(STRV, PLAIN, root_overlay, options),
};
static const struct plan_field ns[] = {
	F(U32, NAMESPACE, ns, flag),
	F(STR, PLAIN, ns, path),
};
static const struct plan_field idmap[] = {
	F(U32, PLAIN, idmap, gid),
	F(U32, ALWAYS, idmap, container_id),
	F(U32, ALWAYS, idmap, host_id),
	F(U32, ALWAYS, idmap, size),
};
static const struct plan_field rlimit[] = {
	F(U32, PLAIN, rlimit, resource),
	F(STR, PLAIN, rlimit, name),
	F(U64, RLIMIT, rlimit, soft),
	F(U64, RLIMIT, rlimit, hard),
};
static const struct plan_field oom_score[] = { F(I64, ALWAYS, oom_score, value) };
static const struct plan_field cgroup_join[] = { F(U32, PLAIN, cgroup_join, new_namespace) };
static const struct plan_field sysctl[] = {
	F(STR, PLAIN, sysctl, path),
	F(STR, PLAIN, sysctl, value),
	F(U32, PLAIN, sysctl, optional),
};
static const struct plan_field keyring[] = { F(STR, PLAIN, keyring, name) };
static const struct plan_field become_root[] = { F(U32, PLAIN, become_root, setgroups) };
static const struct plan_field uts[] = {
	F(STR, PLAIN, uts, hostname),
	F(STR, PLAIN, uts, domainname),
};
static const struct plan_field mount_namespace[] = {
	F(U64, PROPAGATION, mount_namespace, propagation),
};
static const struct plan_field mount[] = {
	F(U32, MOUNT_KIND, mount, kind),
	F(U32, PLAIN, mount, recursive),
	F(STR, PLAIN, mount, source),
	F(STR, PLAIN, mount, target),
	F(STR, PLAIN, mount, fstype),
	F(STRV, PLAIN, mount, data),
	F(U64, MOUNT_ATTR, mount, attr_set),
	F(U64, MOUNT_ATTR, mount, attr_clear),
	F(U64, MOUNT_ATTR, mount, rec_attr_set),
	F(U64, MOUNT_ATTR, mount, rec_attr_clear),
	F(U64, PROPAGATION, mount, propagation),
	F(U32, PLAIN, mount, propagation_recursive),
	F(U32, PLAIN, mount, copy_up),
	F(U32, PLAIN, mount, idmap),
	F(U32, PLAIN, mount, optional),
};
static const struct plan_field device[] = {
	F(U32, CHAR, device, type),
	F(STR, PLAIN, device, path),
	F(I64, ALWAYS, device, major),
	F(I64, ALWAYS, device, minor),
	F(U32, OCTAL, device, mode),
	F(U32, PLAIN, device, uid),
	F(U32, PLAIN, device, gid),
	F(U32, PLAIN, device, bind),
};
static const struct plan_field dev_links[] = { F(U32, PLAIN, dev_links, ptmx) };
static const struct plan_field path[] = { F(STR, PLAIN, path, path) };
static const struct plan_field proc_allow[] = { F(STRV, PLAIN, proc_allow, names) };
static const struct plan_field pivot[] = { F(U32, PLAIN, pivot, no_pivot) };
static const struct plan_field root_attr[] = {
	F(U64, MOUNT_ATTR, root_attr, attr_set),
	F(U64, PROPAGATION, root_attr, propagation),
};
static const struct plan_field landlock[] = {
	F(U64, LANDLOCK_FS, landlock, handled_fs),
	F(U64, HEX, landlock, handled_net),
	F(U64, HEX, landlock, scoped),
	F(U32, PLAIN, landlock, abi),
};
static const struct plan_field landlock_rule[] = {
	F(STR, PLAIN, landlock_rule, path),
	F(U64, LANDLOCK_FS, landlock_rule, access),
	F(U32, PLAIN, landlock_rule, optional),
};
static const struct plan_field seccomp[] = {
	F(U32, HEX, seccomp, flags),
	{ .name = "filter",
	        .type = FIELD_BYTES,
	        .show = SHOW_FILTER,
	        .offset = offsetof(struct plan_step, seccomp.filter),
	        .size_offset = offsetof(struct plan_step, seccomp.filter_size) },
};
static const struct plan_field user[] = {
	F(STR, PLAIN, user, lookup),
	F(U32, ALWAYS, user, uid),
	F(U32, ALWAYS, user, gid),
	F(STRV, PLAIN, user, groups),
	F(U32, PLAIN, user, has_umask),
	F(U32, OCTAL, user, umask),
	F(U32, PLAIN, user, set_home),
};
static const struct plan_field caps[] = {
	F(U64, CAPS, caps, bounding),
	F(U64, CAPS, caps, effective),
	F(U64, CAPS, caps, permitted),
	F(U64, CAPS, caps, inheritable),
	F(U64, CAPS, caps, ambient),
	F(U32, PLAIN, caps, empty_unless_root),
};
static const struct plan_field cwd[] = {
	F(STR, PLAIN, cwd, path),
	F(U32, PLAIN, cwd, create),
};
static const struct plan_field flag[] = { F(U32, PLAIN, flag, unused) };
static const struct plan_field ready[] = { F(U32, PLAIN, ready, wait) };
static const struct plan_field exec[] = {
	F(STRV, PLAIN, exec, args),
	F(STRV, PLAIN, exec, env),
};
static const struct plan_field terminal[] = {
	F(U32, PLAIN, terminal, rows),
	F(U32, PLAIN, terminal, cols),
	F(U32, PLAIN, terminal, console),
};
static const struct plan_field enter[] = {
	F(U32, NAMESPACE, enter, namespaces),
	F(U32, PLAIN, enter, host_uid),
	F(U32, PLAIN, enter, host_gid),
};

#define ONE(kind_, name_, fields_)                                                                 \
	[PLAN_##kind_] = { .name = (name_), .fields = (fields_), .n_fields = ARRAY_SIZE(fields_) }
#define MANY(kind_, name_, fields_)                                                                \
	[PLAN_##kind_] = { .name = (name_),                                                        \
		.many = true,                                                                      \
		.fields = (fields_),                                                               \
		.n_fields = ARRAY_SIZE(fields_) }

static const struct plan_layout layouts[PLAN_KIND_COUNT] = {
	ONE(CONTAINER, "container", container),
	ONE(CGROUP, "cgroup", cgroup),
	MANY(CGROUP_SET, "cgroup-set", cgroup_set),
	MANY(CGROUP_DEVICE, "cgroup-device", cgroup_device),
	MANY(TIME_OFFSET, "time-offset", time_offset),
	ONE(ROOT, "root", root),
	ONE(ROOT_OVERLAY, "root-overlay", root_overlay),
	MANY(NAMESPACE, "namespace", ns),
	MANY(IDMAP, "idmap", idmap),
	MANY(RLIMIT, "rlimit", rlimit),
	ONE(OOM_SCORE, "oom-score", oom_score),
	ONE(CGROUP_JOIN, "cgroup-join", cgroup_join),
	MANY(EARLY_SYSCTL, "early-sysctl", sysctl),
	ONE(KEYRING, "keyring", keyring),
	ONE(BECOME_ROOT, "become-root", become_root),
	ONE(UTS, "uts", uts),
	ONE(MOUNT_NAMESPACE, "mount-namespace", mount_namespace),
	MANY(MOUNT, "mount", mount),
	MANY(DEVICE, "device", device),
	ONE(DEV_LINKS, "dev-links", dev_links),
	MANY(SYSCTL, "sysctl", sysctl),
	ONE(PROC_ALLOW, "proc-allow", proc_allow),
	MANY(MASK, "mask", path),
	MANY(READONLY, "readonly", path),
	ONE(PIVOT, "pivot", pivot),
	ONE(ROOT_ATTR, "root-attr", root_attr),
	MANY(LATE_SYSCTL, "late-sysctl", sysctl),
	ONE(LANDLOCK, "landlock", landlock),
	MANY(LANDLOCK_RULE, "landlock-rule", landlock_rule),
	ONE(SECCOMP_EARLY, "seccomp-early", seccomp),
	ONE(USER, "user", user),
	ONE(CAPS, "caps", caps),
	ONE(CWD, "cwd", cwd),
	ONE(NO_NEW_PRIVS, "no-new-privs", flag),
	ONE(LANDLOCK_ENTER, "landlock-enter", flag),
	ONE(FIND, "find", exec),
	ONE(READY, "ready", ready),
	ONE(SECCOMP, "seccomp", seccomp),
	ONE(EXEC, "exec", exec),
	ONE(LOOPBACK, "loopback", flag),
	ONE(TERMINAL, "terminal", terminal),
	ONE(ENTER, "enter", enter),
};

const struct plan_layout *plan_layout_of(unsigned int kind)
{
	return kind < PLAN_KIND_COUNT && layouts[kind].name ? &layouts[kind] : NULL;
}

const char *plan_kind_name(enum plan_kind kind)
{
	const struct plan_layout *layout = plan_layout_of(kind);

	return layout ? layout->name : "unknown";
}
