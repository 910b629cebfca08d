/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/order_check.h"

#define ROW(actor_, kind_, because)                                                                \
	{                                                                                          \
		.kind = PLAN_##kind_, .actor = ACTOR_##actor_, .after_previous_because = because   \
	}

/* The table says the order; plan_rules below says what any order must keep. */
const struct plan_order plan_order[] = {
	ROW(SUPERVISOR, CONTAINER, "first: it says whose plan this is"),
	ROW(SUPERVISOR, ENTER,
	        "whether a container is made or entered decides what every step behind means"),
	ROW(SUPERVISOR, ROOT,
	        "a missing root is the commonest mistake, and opening it leaves nothing behind"),
	ROW(SUPERVISOR, ROOT_OVERLAY,
	        "the other way to name the root: the plain folder is read first"),
	ROW(SUPERVISOR, CGROUP,
	        "groups stay on the host when something fails, detached mounts vanish by themselves"),
	ROW(SUPERVISOR, CGROUP_SET, "a group's files exist once the group does"),
	ROW(SUPERVISOR, CGROUP_DEVICE,
	        "a limit that is refused is found before the device program is built and loaded"),
	ROW(SUPERVISOR, NAMESPACE,
	        "changes the supervisor's own state (time for its children), which must be restored: "
	        "as late as possible"),
	ROW(SUPERVISOR, TIME_OFFSET,
	        "offsets can be written once the time namespace exists and until a process is in it"),
	ROW(PARENT, IDMAP, "a user namespace has maps once the child is in it"),
	ROW(PARENT, OOM_SCORE,
	        "maps are refused more often than the score: nothing is changed before"),
	ROW(CHILD, CGROUP_JOIN, "everything that the child does itself counts in the group"),
	ROW(CHILD, EARLY_SYSCTL,
	        "needs the host's uid 0 as the join does, and touches the new namespaces: after it"),
	ROW(CHILD, BECOME_ROOT, "vm.memfd_noexec can be opened by the host's uid 0 only"),
	ROW(CHILD, KEYRING, "the keyring belongs to, and is counted on, the container's own root"),
	ROW(CHILD, UTS,
	        "ids and keys are settled before the child changes what the container sees"),
	ROW(CHILD, SYSCTL, "kernel.domainname as a sysctl is more exact than the field, and wins"),
	ROW(CHILD, LOOPBACK,
	        "net.ipv6.conf.*.disable_ipv6 must hold before the device gets its address"),
	ROW(CHILD, MOUNT_NAMESPACE, "what needs no path is complete before the first mount"),
	ROW(CHILD, MOUNT, "propagation to the host ends before anything is mounted"),
	ROW(CHILD, DEVICE, "nodes are made in the /dev that was mounted"),
	ROW(CHILD, DEV_LINKS,
	        "a node that the configuration names wins over a link of the same name"),
	ROW(CHILD, TERMINAL,
	        "what the configuration names in /dev is there before the console takes its place"),
	ROW(CHILD, READONLY, "links and mount points are made while the folders can be written"),
	ROW(CHILD, PROC_ALLOW,
	        "a read-only path is a new mount that would lie over the covers below it"),
	ROW(CHILD, MASK, "a mask may lie inside an entry that stays: it must be the topmost mount"),
	ROW(CHILD, PIVOT,
	        "covers are made of the host's null device, which is gone after the pivot"),
	ROW(CHILD, ROOT_ATTR,
	        "pivot_root refuses a shared root, and puts nothing into a read-only one"),
	ROW(CHILD, LATE_SYSCTL,
	        "user.max_mnt_namespaces=0 makes every later mount fail with ENOSPC"),
	ROW(CHILD, LANDLOCK, "writes to /proc/sys are over before paths are bound to rights"),
	ROW(CHILD, LANDLOCK_RULE, "a rule needs the rule set"),
	ROW(CHILD, SECCOMP_EARLY, "the container's filter may refuse landlock_add_rule"),
	ROW(CHILD, USER,
	        "without no_new_privs a filter needs CAP_SYS_ADMIN, which a change of uid takes away"),
	ROW(CHILD, CAPS,
	        "changing ids needs CAP_SETUID and CAP_SETGID, which the caps step may drop"),
	ROW(CHILD, CWD, "the folder is entered with the rights of the program, not of root"),
	ROW(CHILD, NO_NEW_PRIVS,
	        "what only restricts stands together at the end: nothing is set up from here on"),
	ROW(CHILD, LANDLOCK_ENTER, "without capabilities Landlock needs no_new_privs"),
	ROW(CHILD, FIND, "the program is looked for with exactly the rights that it will have"),
	ROW(CHILD, RLIMIT, "looking needs a descriptor, which a small RLIMIT_NOFILE may refuse"),
	ROW(CHILD, READY, "a limit that is refused must fail 'create', not 'start'"),
	ROW(CHILD, SECCOMP,
	        "the filter need not allow what reports and waits: reads and writes of sockets"),
	ROW(CHILD, EXEC, "the filter must be on before the first foreign instruction"),
};
const size_t plan_order_count = ARRAY_SIZE(plan_order);

#define BEFORE(before_, after_, why)                                                               \
	{                                                                                          \
		.before = PLAN_##before_, .after = PLAN_##after_, .because = why                   \
	}

const struct plan_rule plan_rules[] = {
	/* The supervisor: what can fail without trace first, what must be undone later. */
	BEFORE(CONTAINER, ENTER, "a step belongs to somebody"),
	BEFORE(ENTER, ROOT, "no root is opened for a container that has one"),
	BEFORE(ENTER, CGROUP, "whether the groups are made or opened must be known"),
	BEFORE(CONTAINER, ROOT, "the kind of the plan is known before it is executed"),
	BEFORE(ROOT, ROOT_OVERLAY, "of two ways to name the root the plain folder is read first"),
	BEFORE(ROOT, CGROUP, "a missing root must not leave a group behind"),
	BEFORE(ROOT_OVERLAY, CGROUP, "a missing layer must not leave a group behind"),
	BEFORE(CGROUP, CGROUP_SET, "no group, no files"),
	BEFORE(CGROUP_SET, CGROUP_DEVICE, "cheap refusals come before loading a program"),
	BEFORE(CGROUP, NAMESPACE,
	        "a failure while the supervisor has foreign namespaces costs more"),
	BEFORE(CGROUP_DEVICE, NAMESPACE, "as for the group itself"),
	BEFORE(CGROUP_SET, NAMESPACE, "limits hold before the first process"),
	BEFORE(NAMESPACE, TIME_OFFSET, "offsets belong to the namespace that was just unshared"),
	BEFORE(NAMESPACE, IDMAP, "no user namespace, no map"),
	BEFORE(TIME_OFFSET, IDMAP, "timens_offsets gives EACCES once a process is inside"),
	BEFORE(IDMAP, OOM_SCORE, "maps are refused more often"),
	/* The child as the host's uid 0. */
	BEFORE(OOM_SCORE, CGROUP_JOIN, "the parent's steps are over when the child starts"),
	BEFORE(IDMAP, CGROUP_JOIN, "as above"),
	BEFORE(CGROUP_JOIN, EARLY_SYSCTL, "from the join on everything counts in the group"),
	BEFORE(CGROUP_JOIN, BECOME_ROOT, "tasks files belong to the host's uid 0"),
	BEFORE(EARLY_SYSCTL, BECOME_ROOT, "vm.memfd_noexec cannot be opened after setresuid"),
	BEFORE(BECOME_ROOT, KEYRING, "a keyring made before belongs to the host's root"),
	BEFORE(BECOME_ROOT, MOUNT,
	        "a tmpfs of the namespace has no inode for an unmapped uid, and "
	        "core_pattern could still be written"),
	BEFORE(KEYRING, UTS, "ids and keys are settled first"),
	BEFORE(KEYRING, MOUNT, "a mount that needs a key must not find the caller's"),
	/* The file system. */
	BEFORE(UTS, SYSCTL, "the sysctl of the same value wins"),
	BEFORE(SYSCTL, LOOPBACK, "disable_ipv6 comes too late once lo has ::1"),
	BEFORE(BECOME_ROOT, LOOPBACK, "as for every other change of a new namespace"),
	BEFORE(SYSCTL, MOUNT, "limits such as fs.mqueue hold before the first mount"),
	BEFORE(LOOPBACK, MOUNT_NAMESPACE, "what needs no path comes before the first mount"),
	BEFORE(MOUNT_NAMESPACE, MOUNT, "else the host sees the container's mounts"),
	BEFORE(MOUNT, DEVICE, "/dev is a mount"),
	BEFORE(MOUNT, PROC_ALLOW, "/proc is a mount, and mounts below it stay visible"),
	BEFORE(DEVICE, DEV_LINKS, "named nodes win over links"),
	BEFORE(DEV_LINKS, READONLY, "/dev may become read-only"),
	BEFORE(BECOME_ROOT, TERMINAL, "the pty would belong to an id that nobody has inside"),
	BEFORE(CGROUP_JOIN, TERMINAL, "the pty counts in the group"),
	BEFORE(MOUNT, TERMINAL, "the pty is made in the devpts that was mounted"),
	BEFORE(DEV_LINKS, TERMINAL, "named nodes and links win over the console's file"),
	BEFORE(TERMINAL, READONLY, "the console's file is made in /dev"),
	BEFORE(TERMINAL, PIVOT, "the host's devpts is still there to be told from the container's"),
	BEFORE(TERMINAL, LATE_SYSCTL,
	        "the clone of the slave's mount fails with ENOSPC afterwards"),
	BEFORE(TERMINAL, LANDLOCK_ENTER, "making a file in /dev may not be among the rights"),
	BEFORE(TERMINAL, USER, "the terminal is given to the user"),
	BEFORE(MOUNT, READONLY, "mount points are made in folders that can be written"),
	BEFORE(READONLY, PROC_ALLOW, "the cover must be the topmost mount"),
	BEFORE(READONLY, MASK, "the cover must be the topmost mount"),
	BEFORE(PROC_ALLOW, MASK, "a mask may lie inside an entry that stays"),
	BEFORE(MASK, PIVOT, "the sources of covers are the host's"),
	BEFORE(PIVOT, ROOT_ATTR, "pivot_root refuses a shared root"),
	BEFORE(MOUNT, ROOT_ATTR, "mount points cannot be made in a read-only root"),
	BEFORE(ROOT_ATTR, LATE_SYSCTL, "max_mnt_namespaces=0 ends the time of mounts"),
	BEFORE(MASK, LATE_SYSCTL, "fsmount gives ENOSPC afterwards"),
	BEFORE(LATE_SYSCTL, LANDLOCK, "Landlock refuses writes to /proc/sys"),
	BEFORE(PIVOT, LANDLOCK_RULE, "paths are those that the program sees"),
	BEFORE(LANDLOCK, LANDLOCK_RULE, "no rule set, no rule"),
	/* Rights. */
	BEFORE(LANDLOCK_RULE, SECCOMP_EARLY, "the filter may refuse landlock_add_rule"),
	BEFORE(PIVOT, SECCOMP_EARLY, "the filter refuses pivot_root"),
	BEFORE(PIVOT, USER, "names are looked up in the files of the image"),
	BEFORE(SECCOMP_EARLY, USER, "a change of uid takes CAP_SYS_ADMIN away"),
	BEFORE(USER, CAPS, "setresuid needs CAP_SETUID"),
	BEFORE(CAPS, CWD, "CAP_DAC_OVERRIDE would open any folder"),
	BEFORE(CWD, NO_NEW_PRIVS, "what only restricts stands at the end"),
	BEFORE(NO_NEW_PRIVS, LANDLOCK_ENTER, "landlock_restrict_self gives EPERM without"),
	BEFORE(NO_NEW_PRIVS, SECCOMP, "seccomp gives EACCES without"),
	BEFORE(CWD, LANDLOCK_ENTER, "making the folder may not be among the rights"),
	BEFORE(LANDLOCK_ENTER, FIND, "the program is found with its own rights"),
	BEFORE(CAPS, FIND, "as above"),
	BEFORE(FIND, RLIMIT, "looking needs a descriptor"),
	BEFORE(CWD, RLIMIT, "entering needs a descriptor"),
	BEFORE(RLIMIT, READY, "what can be refused is refused before 'created' is told"),
	BEFORE(FIND, READY, "a missing program must fail 'create'"),
	BEFORE(READY, SECCOMP, "the filter need not allow reports and waiting"),
	BEFORE(SECCOMP, EXEC, "no foreign instruction runs without the filter"),
};
const size_t plan_rules_count = ARRAY_SIZE(plan_rules);

static int rank_in(const struct plan_order *table, size_t count, enum plan_kind kind)
{
	for (size_t i = 0; i < count; i++)
		if (table[i].kind == kind)
			return (int) i;
	return -1;
}

int plan_rank(enum plan_kind kind)
{
	return rank_in(plan_order, ARRAY_SIZE(plan_order), kind);
}

const struct plan_rule *plan_order_broken(const struct plan_order *table, size_t count)
{
	for (size_t i = 0; i < plan_rules_count; i++) {
		int before = rank_in(table, count, plan_rules[i].before);
		int after = rank_in(table, count, plan_rules[i].after);

		if (before < 0 || after < 0 || before >= after)
			return &plan_rules[i];
	}
	return NULL;
}
