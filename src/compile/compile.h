/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Compile: from a configuration to a plan.
 *
 * Theory of operation: compile_plan() decides everything and looks at nothing but its arguments: an
 * OCI specification, what OCI cannot say (compile_ext), and the facts of the machine. It writes the
 * steps of a plan in the order of plan/order.h, one function for each kind of step. The executor
 * (sandbox) does what the plan says and knows nothing of this module. Whatever was asked for and
 * cannot be had is an error here, before anything was touched.
 */
#include "facts/facts.h"
#include "oci/spec.h"
#include "plan/plan.h"

struct compile_landlock_rule {
	const char *path;
	uint64_t access; /* LANDLOCK_ACCESS_FS_*, cut to the kernel's ABI by the compiler */
	bool optional;
};

struct compile_overlay {
	const char *base;
	const char *const *layers; /* top first */
	const char *upper, *work;
	uint32_t host_id, size;
};

/* A file of the container's own that is mounted on the target, behind all mounts of the
 * specification; a target below another mount than the root is fine. */
struct compile_file {
	const char *target, *content;
	bool read_only;
};

struct compile_ext {
	const struct compile_overlay *overlay; /* NULL: the root is spec->root_path */
	const char *user;          /* "": numbers of the spec; else looked up inside the root */
	const char *const *groups; /* further groups, numbers or names of the root; NULL: none */
	const char *const *proc_allow; /* NULL: no allow-list */
	bool landlock; /* handle every right that the ABI knows, with the rules below */
	const struct compile_landlock_rule *landlock_rules;
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
	const struct compile_file *files;
	size_t n_files;
	const char *bundle_dir; /* what a relative root.path and bind sources are relative to; NULL:
	                           "/" */
	bool no_pivot, no_new_keyring;
	bool rootless_cgroup_ignored; /* limits that cannot be applied without privileges are left
	                                 out with a warning */
};

/* What the compiler has to say; NULL-terminated lists in new memory. */
struct compile_notes {
	char **lines;   /* warnings: a clamped rlimit, an ignored key */
	char **details; /* for who asks: seccomp names of other machines (every docker profile has
	                   some) */
};
void compile_notes_done(struct compile_notes *notes);

/* One more process in a container that runs. */
struct compile_exec {
	const char *const *args; /* at least the program */
	const char *const *env; /* the whole environment; see plan_exec_env() for the container's */
	const char *user;       /* "user[:group]" as in compile_ext; "" or NULL: the plan's own */
	const char *cwd;        /* absolute, must exist; "" or NULL: the plan's own */
	bool has_terminal;
	uint32_t rows, cols; /* of the terminal; 0: unknown */
	bool privileged;     /* more rights than the container has: refused by this version */
	bool wait;           /* the plan's READY step waits */
};
/* Writes the plan of such a process, for sandbox_enter(), from the decoded plan of its container.
 * It has the same rights or fewer: what restricts is copied, what makes mounts, namespaces and
 * sysctls is left out. w is initialised already and may live shorter than 'container'. */
int compile_exec_plan(const struct plan *container, const struct compile_exec *exec,
        struct plan_writer *w, struct err *err);

/* Compiles into w (already initialised). wait_for_start: the plan's READY step waits. ext may be
 * NULL. */
int compile_plan(const char *id, const struct oci_spec *spec, const struct compile_ext *ext,
        const struct facts *facts, bool wait_for_start, struct plan_writer *w,
        struct compile_notes *notes, struct err *err);
