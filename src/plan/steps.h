/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The steps of a plan, one structure each; sandbox/plan.h includes this and says how they are
 * encoded.
 */
#include <stddef.h>
#include <stdint.h>

/* Each structure: texts are never NULL after decoding ("" is absent); they point into the plan's
 * memory. */
struct plan_container {
	const char *id;
	const char *oci_version;
	uint32_t rootless; /* 1: the supervisor has no privileges on the host */
};

struct plan_cgroup {
	uint32_t mode;    /* enum cgroup_mode (cgroup/cgroup.h) */
	const char *path; /* absolute, below the mount of each hierarchy */
	const char *const
	        *hierarchies; /* v1: names below /sys/fs/cgroup to join ("cpu", "memory", ...) */
	uint32_t unified;     /* 1: also a group in the v2 hierarchy of a hybrid machine */
};

struct plan_cgroup_set {
	const char *hierarchy; /* v1: "memory"; v2: "" */
	const char *file;
	const char *value;
	uint32_t optional; /* 1: a missing file is not an error (value could not apply on this
	                      kernel) */
};

struct plan_cgroup_device {
	uint32_t allow;
	uint32_t type;        /* 'a', 'b' or 'c' */
	int64_t major, minor; /* -1: any */
	uint32_t access;      /* OCI_ACCESS_* */
};

struct plan_time_offset {
	const char *clock; /* "monotonic" or "boottime" */
	int64_t secs;
	uint32_t nanosecs;
};

struct plan_root {
	const char *path;  /* host folder, absolute */
	uint64_t attr_set; /* MOUNT_ATTR_* for the root mount (nodev, nosuid) */
};

struct plan_root_overlay {
	const char *base; /* host folder that holds layers and rw folders: the one idmapped tree */
	const char *const *layers; /* lowest last, names below base */
	const char *upper, *work;  /* names below base */
	uint32_t host_id, size;    /* ids on disk 0..size-1 appear as host_id.. on the host */
	uint64_t attr_set;
	const char *const *options; /* further overlay options: "volatile", ... */
};

struct plan_namespace {
	uint32_t flag;    /* CLONE_NEW* */
	const char *path; /* "": new */
};

struct plan_idmap {
	uint32_t gid; /* 0: uid map, 1: gid map */
	uint32_t container_id, host_id, size;
};

struct plan_rlimit {
	uint32_t resource;
	const char *name;
	uint64_t soft, hard;
};

struct plan_oom_score {
	int64_t value;
};

struct plan_cgroup_join {
	uint32_t new_namespace; /* 1: unshare(CLONE_NEWCGROUP) after the join */
};

struct plan_sysctl {      /* PLAN_EARLY_SYSCTL, PLAN_SYSCTL, PLAN_LATE_SYSCTL */
	const char *path; /* below /proc/sys: "net/ipv4/ip_unprivileged_port_start" */
	const char *value;
	uint32_t optional; /* 1: ignored where the kernel does not have it */
};

struct plan_keyring {
	const char *name; /* "": anonymous */
};

struct plan_become_root {
	uint32_t setgroups; /* 1: setgroups(0) is possible and done */
};

struct plan_uts {
	const char *hostname, *domainname; /* "": unchanged */
};

struct plan_mount_namespace {
	uint64_t propagation; /* MS_PRIVATE, MS_SLAVE, MS_SHARED or MS_UNBINDABLE; applied
	                         recursively */
};

enum plan_mount_kind {
	PLAN_MOUNT_FS = 1, /* fsopen(fstype) by the child, in its own namespaces */
	PLAN_MOUNT_BIND,   /* open_tree(source) by the supervisor */
	PLAN_MOUNT_CGROUP, /* the cgroup view that fits the machine (v2: cgroup2; v1, hybrid: tmpfs
	                      with controllers) */
	PLAN_MOUNT_FILE, /* a plain file with the content data[0], which lies in the tmpfs on /dev:
	                    a bind of a file of the host would show its path there */
};

struct plan_mount {
	uint32_t kind;
	uint32_t recursive; /* bind: AT_RECURSIVE */
	const char *source; /* bind: host path; fs: the source text */
	const char *target; /* inside the root */
	const char *fstype;
	const char *const *data;       /* fs: "key" or "key=value" */
	uint64_t attr_set, attr_clear; /* MOUNT_ATTR_* of the mount itself */
	uint64_t rec_attr_set,
	        rec_attr_clear; /* MOUNT_ATTR_* applied recursively (rro, rnosuid, ...) */
	uint64_t propagation; /* 0: MS_PRIVATE; else MS_PRIVATE, MS_SLAVE, MS_SHARED, MS_UNBINDABLE
	                       */
	uint32_t propagation_recursive;
	uint32_t copy_up; /* tmpfs: fill it with what the target held (tmpcopyup) */
	uint32_t idmap; /* bind: 1: idmap with the container's user namespace; 2: the mounts below,
	                   too */
	uint32_t optional; /* 1: left out where the kernel refuses it (sandbox defaults only) */
};

struct plan_device {
	uint32_t type; /* 'c', 'b' or 'p' */
	const char *path;
	int64_t major, minor;
	uint32_t mode, uid, gid;
	uint32_t bind; /* 1: bind the host's node (user namespaces may not mknod), checked by its
	                  rdev */
};

struct plan_dev_links {
	uint32_t ptmx; /* 1: /dev/ptmx -> pts/ptmx too */
};

struct plan_path { /* PLAN_MASK, PLAN_READONLY */
	const char *path;
};

struct plan_proc_allow {
	const char *const
	        *names; /* top-level names of /proc that stay; pids, self, thread-self always do */
};

struct plan_pivot {
	uint32_t no_pivot; /* 1: MS_MOVE and chroot instead (--no-pivot) */
};

struct plan_root_attr {
	uint64_t attr_set;
	uint64_t propagation; /* 0: unchanged */
};

struct plan_landlock {
	uint64_t handled_fs, handled_net, scoped; /* already cut to what the kernel's ABI knows */
	uint32_t abi;
};

struct plan_landlock_rule {
	const char *path; /* inside the root */
	uint64_t access;
	uint32_t optional; /* 1: a missing path is not an error */
};

struct plan_seccomp {         /* PLAN_SECCOMP_EARLY, PLAN_SECCOMP */
	uint32_t flags;       /* SECCOMP_FILTER_FLAG_* */
	const void *filter;   /* struct sock_filter[] */
	uint32_t filter_size; /* in bytes, a multiple of 8 */
};

struct plan_user {
	const char *lookup; /* "": use the numbers; else "user[:group]" as in an image config,
	                       looked up inside the root */
	uint32_t uid, gid;
	/* Further groups: numbers, or names that are looked up inside the root. */
	const char *const *groups;
	uint32_t has_umask, umask;
	uint32_t set_home; /* 1: HOME from the root's passwd when the environment has none */
};

struct plan_caps {
	uint64_t bounding, effective, permitted, inheritable, ambient;
	uint32_t empty_unless_root; /* 1: all sets empty when the final uid is not 0 */
};

struct plan_cwd {
	const char *path;
	uint32_t create; /* 1: made when missing, as docker does for WORKDIR */
};

struct plan_flag { /* steps without fields: PLAN_NO_NEW_PRIVS, PLAN_LANDLOCK_ENTER, PLAN_LOOPBACK */
	uint32_t unused;
};

struct plan_ready {
	uint32_t wait; /* 1: waits for the start byte */
};

struct plan_terminal {
	uint32_t rows, cols; /* 0: unknown */
	uint32_t console;    /* 1: /dev/console is the terminal, too */
};

/* A plan with this step makes no container: its PLAN_CGROUP names groups that exist and are opened,
 * and there is no step that mounts, makes namespaces or changes what the container sees.
 * sandbox_apply() refuses such a plan, sandbox_enter() any other. */
struct plan_enter {
	uint32_t namespaces; /* CLONE_NEW*: those of the container's init that are joined */
	/* Ids of the host that the container's root has, so that pipes for stdio can be given to
	 * it; 0: the host's own root, or not known. */
	uint32_t host_uid, host_gid;
};

struct plan_exec { /* PLAN_FIND has the same structure with args[0] only */
	const char *const *args;
	const char *const *env;
};
