/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Sandbox: from a configuration to a running, confined process, in two halves that share only the
 * plan.
 *
 *   compile (pure)                                  apply (privileged, no parser)
 *   oci_spec + sandbox_ext + facts  ->  plan  ->    supervisor steps, clone, parent steps | child
 * steps, exec
 *
 * sandbox_compile() decides everything; it looks at nothing but its arguments. sandbox_apply()
 * executes a decoded plan: it forks one child, walks the plan's order, and reports the child's
 * first error as text. It never reads JSON, never consults the environment, and closes everything
 * that the container must not have. Between clone and exec the child calls async-signal-safe
 * functions and the audited helpers of mount, landlock, caps and userdb only.
 */
#include "base/err.h"
#include "oci/spec.h"
#include "sandbox/plan.h"

#include <stdbool.h>
#include <sys/types.h>

/* --- facts: what the machine offers, gathered by sandbox_facts_probe(), injected by tests
 * ------------------------- */

struct cgroup_facts;

struct sandbox_facts {
	const struct cgroup_facts *cgroup; /* NULL: no control groups are to be used */
	int landlock_abi;                  /* 0: none */
	bool privileged;          /* euid 0 in the initial user namespace with CAP_SYS_ADMIN */
	bool can_raise_rlimits;   /* CAP_SYS_RESOURCE */
	uint64_t rlimit_hard[16]; /* our own hard limits by RLIMIT_* number */
	uint64_t last_cap;        /* highest capability number of the kernel */
	uint64_t caps;            /* our own permitted set: without a user namespace no
	                             container can get more */
	int64_t oom_score_adj;    /* our own: lowering it needs CAP_SYS_RESOURCE */
	bool has_memfd_noexec;    /* vm.memfd_noexec (Linux 6.3) */
	bool has_time_namespace;
	uid_t euid;
	gid_t egid;
};

/* Fills facts with static storage behind the pointers; cheap (no mountinfo, a dozen system calls).
 */
int sandbox_facts_probe(struct sandbox_facts *ret, struct err *err);
/* The same for compiling 'spec' with a struct sandbox_ext that has no early sysctls: what it cannot
 * ask for (limits, OOM score, time namespaces) is left at zero. */
int sandbox_facts_probe_for(
        const struct oci_spec *spec, struct sandbox_facts *ret, struct err *err);

/* --- what OCI cannot say
 * ------------------------------------------------------------------------------------------ */

struct sandbox_landlock_rule {
	const char *path;
	uint64_t access; /* LANDLOCK_ACCESS_FS_*, cut to the kernel's ABI by the compiler */
	bool optional;
};

struct sandbox_overlay {
	const char *base;
	const char *const *layers; /* top first */
	const char *upper, *work;
	uint32_t host_id, size;
};

struct sandbox_ext {
	const struct sandbox_overlay *overlay; /* NULL: the root is spec->root_path */
	const char *user;              /* "": numbers of the spec; else looked up inside the root */
	const char *const *proc_allow; /* NULL: no allow-list */
	bool landlock; /* handle every right that the ABI knows, with the rules below */
	const struct sandbox_landlock_rule *landlock_rules;
	size_t n_landlock_rules;
	bool landlock_scope;                             /* scope signals and abstract sockets */
	const struct oci_kv *early_sysctl, *late_sysctl; /* keys as paths below /proc/sys */
	size_t n_early_sysctl, n_late_sysctl;
	bool caps_empty_unless_root;
	bool create_cwd;
	bool root_nodev, root_nosuid;
	const void *seccomp_filter; /* a ready filter (struct sock_filter[]) instead of
	                               spec->linux_.seccomp */
	size_t seccomp_filter_size; /* bytes */
	uint32_t seccomp_flags;
	const char *bundle_dir; /* what a relative root.path and bind sources are relative to; NULL:
	                           "/" */
	bool no_pivot, no_new_keyring;
	bool rootless_cgroup_ignored; /* limits that cannot be applied without privileges are left
	                                 out with a warning */
};

/* What the compiler has to say; NULL-terminated lists in new memory. */
struct sandbox_notes {
	char **lines;   /* warnings: a clamped rlimit, an ignored key */
	char **details; /* for who asks: seccomp names of other machines (every docker profile has
	                   some) */
};
void sandbox_notes_done(struct sandbox_notes *notes);

/* Compiles into w (already initialised). wait_for_start: the plan's READY step waits. ext may be
 * NULL. */
int sandbox_compile(const char *id, const struct oci_spec *spec, const struct sandbox_ext *ext,
        const struct sandbox_facts *facts, bool wait_for_start, struct plan_writer *w,
        struct sandbox_notes *notes, struct err *err);

/* --- apply
 * ---------------------------------------------------------------------------------------------------------
 */

struct sandbox_io {
	int stdin_fd, stdout_fd, stderr_fd; /* become 0, 1, 2 of the container; borrowed */
	const int *keep_fds; /* become 3, 4, ... (--preserve-fds); borrowed; negative: that number
	                        is closed */
	size_t n_keep_fds;
	int gate_fd;   /* READY with wait: one byte is read from it before the container's program
	                  starts; -EBADF: none */
	int result_fd; /* written with the error text when the last steps or exec fail after the
	                  gate; -EBADF: none */
	bool die_with_parent; /* PDEATHSIG SIGKILL */
};

struct sandbox_child {
	pid_t pid;
	int pidfd; /* owned by the caller */
	int sync;  /* owned by the caller, for sandbox_wait_exec only */
};

/* Executes the plan up to and including READY (the child is then waiting at the gate, or about to
 * exec). On failure the child is killed and reaped, what the supervisor made (cgroups) is removed,
 * and err says what failed and why. *ret_exit_code (may be NULL) is 127 when the program was not
 * found and 126 when it cannot be run, else 0. The caller must have one thread; its own
 * namespaces, limits and signals stay as they are. Numbers 0, 1 and 2 need not be open. Pipes that
 * are given as stdio change their owner to the container's user, so that /dev/stderr can be opened
 * again; a terminal, socket or file never does. With die_with_parent the thread that called must
 * live on. plan_container.rootless: the supervisor needs no privileges; one id is mapped, to the
 * caller's own. */
int sandbox_apply(const struct plan *plan, const struct sandbox_io *io, struct sandbox_child *ret,
        int *ret_exit_code, struct err *err);
/* For a plan without wait: blocks until the child has called exec (0) or failed (negative, text in
 * err). */
int sandbox_wait_exec(struct sandbox_child *child, int *ret_exit_code, struct err *err);
/* Kills everything in the plan's cgroups and removes them. Safe to call again and when they are
 * gone. */
int sandbox_cleanup(const struct plan *plan, struct err *err);
