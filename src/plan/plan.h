/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The plan: everything that will be done to start one container, as an ordered list of typed steps;
 * or, with the step PLAN_ENTER, to start one more process in a container that runs.
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
 * text with NUL inside or without its NUL, bytes left over, more than the maxima below, a first
 * step other than PLAN_CONTAINER, two steps of a kind that makes sense once only.
 */
#include "base/buf.h"
#include "base/err.h"
#include "plan/steps.h"

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
	PLAN_LOOPBACK,       /* child: brings "lo" of its new network namespace up (plan_flag) */
	PLAN_TERMINAL,       /* child: a pty in the container's own devpts becomes its stdio */
	PLAN_ENTER, /* supervisor: this plan is one more process of a container that runs */
	PLAN_KIND_COUNT,
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
		struct plan_terminal terminal;
		struct plan_enter enter;
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
/* The environment of the plan's program, an empty list when there is none: what the caller of an
 * exec adds its own variables to. */
const char *const *plan_exec_env(const struct plan *plan);

/* Prints one line a step: kind, then field=value for each field that is not zero or empty, foreign
 * bytes escaped, a seccomp filter as its number of instructions. verbose: also the filter's
 * instructions. */
void plan_print(const struct plan *plan, bool verbose, struct buf *out);
const char *plan_kind_name(enum plan_kind kind);
/* The CLONE_NEW* flag of the namespace that the sysctl (a path below /proc/sys) belongs to; 0: it
 * is the host's. Both halves ask: the compiler refuses what is the host's, the executor what is not
 * the container's own (CVE-2022-0811). */
int plan_sysctl_namespace(const char *path);
