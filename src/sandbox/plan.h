/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The plan: everything that will be done to start one container, as an ordered list of typed steps.
 *
 * Theory of operation: sandbox/compile writes a plan from an OCI configuration; sandbox/apply
 * executes it and contains no parser. In between it is a flat, versioned, bounded run of bytes that
 * lives in a sealed memfd, is printed by 'bulkhead-runtime plan', hashed, and kept. Every step is
 * one C structure below; one table of fields for each kind (plan_codec.c) encodes, decodes and
 * prints it, so a field cannot be carried and not shown.
 *
 * Encoding, little endian, no padding: header, then steps. Header: magic "BHPLAN\0\1" (the last
 * byte is the version), u32 total size, u32 number of steps. Step: u16 kind, u16 zero, u32 payload
 * size, payload. Fields in table order: u32/u64/i64 as they are; text as u32 length, bytes, one
 * NUL; list of text as u32 count, texts; bytes as u32 length, bytes. A decoder refuses: another
 * version, a size that does not match, an unknown kind, a kind out of order (sandbox/order.h), a
 * text with NUL inside or without its NUL, bytes left over, more than the maxima below, a first step
 * other than PLAN_CONTAINER, two steps of a kind that makes sense once only.
 */
#include "base/buf.h"
#include "base/err.h"

enum {
	PLAN_VERSION = 1,
	PLAN_SIZE_MAX = 8 << 20,
	PLAN_STEPS_MAX = 8192,
	PLAN_LIST_MAX = 65536,
};

/* Kinds, in no particular order: the order of execution is sandbox/order.c's. Never renumber; add
 * at the end. */
enum plan_kind {
	PLAN_CONTAINER = 1,   /* who: first step of every plan */
	PLAN_CGROUP,          /* supervisor: the group to make */
	PLAN_CGROUP_SET,      /* supervisor: one limit file */
	PLAN_CGROUP_DEVICE,   /* supervisor: one device rule */
	PLAN_TIME_OFFSET,     /* supervisor: offset of the new time namespace */
	PLAN_ROOT,            /* supervisor opens, child attaches: root file system from a folder */
	PLAN_ROOT_OVERLAY,    /* the same from image layers */
	PLAN_NAMESPACE,       /* one new or joined namespace */
	PLAN_IDMAP,           /* supervisor: one extent of the user namespace's maps */
	PLAN_RLIMIT,          /* child, late; the supervisor raises the hard limits that need it */
	PLAN_OOM_SCORE,       /* supervisor: oom_score_adj of the child */
	PLAN_CGROUP_JOIN,     /* child: writes 0 to its v1 tasks files; then the cgroup namespace */
	PLAN_EARLY_SYSCTL,    /* child, before it changes its uid: vm.memfd_noexec */
	PLAN_KEYRING,         /* child: new session keyring */
	PLAN_BECOME_ROOT,     /* child: uid and gid 0 of its user namespace */
	PLAN_UTS,             /* child: host and domain name */
	PLAN_MOUNT_NAMESPACE, /* child: propagation of the new mount namespace */
	PLAN_MOUNT,           /* child: one mount (binds: the supervisor opens the source) */
	PLAN_DEVICE,          /* child: one device node */
	PLAN_DEV_LINKS,       /* child: /dev/fd, stdin, stdout, stderr, ptmx */
	PLAN_SYSCTL,          /* child: one namespaced sysctl */
	PLAN_PROC_ALLOW,      /* child: covers every entry of /proc that is not listed */
	PLAN_MASK,            /* child: covers one path */
	PLAN_READONLY,        /* child: one path read-only */
	PLAN_PIVOT,           /* child: the root becomes "/" and the old one goes */
	PLAN_ROOT_ATTR,       /* child: root read-only and propagation */
	PLAN_LATE_SYSCTL,     /* child: user.max_*_namespaces and friends, after the last mount */
	PLAN_LANDLOCK,        /* child: handled rights of the rule set */
	PLAN_LANDLOCK_RULE,   /* child: one rule */
	PLAN_SECCOMP_EARLY, /* child: the filter, when no_new_privs is not set (needs CAP_SYS_ADMIN)
	                     */
	PLAN_USER,          /* child: uid, gid, groups, umask, HOME */
	PLAN_CAPS,          /* child: capability sets */
	PLAN_CWD,           /* child: working folder, checked to be inside the root */
	PLAN_NO_NEW_PRIVS,  /* child */
	PLAN_LANDLOCK_ENTER, /* child: landlock_restrict_self */
	PLAN_FIND,           /* child: finds the program as the final user */
	PLAN_READY,          /* child: tells "created"; waits for start when asked to */
	PLAN_SECCOMP,        /* child: the filter, last before exec */
	PLAN_EXEC,           /* child: arguments and environment */
	PLAN_LOOPBACK,	      /* child: brings "lo" of its new network namespace up (plan_flag) */
	PLAN_KIND_COUNT,
};

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
	uint32_t copy_up;  /* tmpfs: fill it with what the target held (tmpcopyup) */
	uint32_t idmap;    /* bind: 1: idmap with the container's user namespace */
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
	const char *const *groups; /* decimal gids */
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

struct plan_exec { /* PLAN_FIND has the same structure with args[0] only */
	const char *const *args;
	const char *const *env;
};

/* A step in memory: the kind and its structure. */
struct plan_step {
	enum plan_kind kind;
	union {
		struct plan_container container;
		struct plan_cgroup cgroup;
		struct plan_cgroup_set cgroup_set;
		struct plan_cgroup_device cgroup_device;
		struct plan_time_offset time_offset;
		struct plan_root root;
		struct plan_root_overlay root_overlay;
		struct plan_namespace ns;
		struct plan_idmap idmap;
		struct plan_rlimit rlimit;
		struct plan_oom_score oom_score;
		struct plan_cgroup_join cgroup_join;
		struct plan_sysctl sysctl;
		struct plan_keyring keyring;
		struct plan_become_root become_root;
		struct plan_uts uts;
		struct plan_mount_namespace mount_namespace;
		struct plan_mount mount;
		struct plan_device device;
		struct plan_dev_links dev_links;
		struct plan_path path;
		struct plan_proc_allow proc_allow;
		struct plan_pivot pivot;
		struct plan_root_attr root_attr;
		struct plan_landlock landlock;
		struct plan_landlock_rule landlock_rule;
		struct plan_seccomp seccomp;
		struct plan_user user;
		struct plan_caps caps;
		struct plan_cwd cwd;
		struct plan_flag flag;
		struct plan_ready ready;
		struct plan_exec exec;
	};
};

/* A decoded plan: read-only; steps point into 'memory' (the mapped memfd or the caller's bytes) and
 * the arena. */
struct plan {
	struct plan_step *steps;
	size_t n_steps;
	struct arena *arena;
	void *memory; /* set when the plan owns a mapping */
	size_t memory_size;
};

/* Encoding: plan_writer_init, plan_write in order, plan_writer_finish. */
struct plan_writer {
	struct buf bytes;
	uint32_t n_steps;
};
void plan_writer_init(struct plan_writer *w);
void plan_writer_done(struct plan_writer *w);
/* Appends one step; NULL texts and lists are written as empty. */
void plan_write(struct plan_writer *w, const struct plan_step *step);
/* Fills in the header. Returns -EMSGSIZE when a maximum was passed. The bytes stay in w->bytes. */
int plan_writer_finish(struct plan_writer *w, struct err *err);
/* The same as a sealed memfd. */
int plan_writer_memfd(struct plan_writer *w, int *ret_fd, struct err *err);

/* Decoding. plan_decode borrows the bytes for the life of the plan. plan_open maps a memfd and
 * refuses one that is not sealed against writing, growing and shrinking. Errors: -EBADMSG with the
 * step's number and field. */
int plan_decode(const void *bytes, size_t size, struct plan **ret, struct err *err);
int plan_open(int memfd, struct plan **ret, struct err *err);
struct plan *plan_free(struct plan *plan);
void plan_freep(struct plan **plan);

/* The first step of a kind, NULL when there is none; and the next one after 'after' (NULL: the
 * first). */
const struct plan_step *plan_find(const struct plan *plan, enum plan_kind kind);
const struct plan_step *plan_next(
        const struct plan *plan, enum plan_kind kind, const struct plan_step *after);

/* Prints one line a step: kind, then field=value for each field that is not zero or empty, foreign
 * bytes escaped, a seccomp filter as its number of instructions. verbose: also the filter's
 * instructions. */
void plan_print(const struct plan *plan, bool verbose, struct buf *out);
const char *plan_kind_name(enum plan_kind kind);
