/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Private to the compiler (compile*.c): what its parts share.
 *
 * Theory of operation: compile.c checks the whole request first (compile_check), then walks
 * plan_order[] and calls the one emit function of each kind. So the order of the plan is the
 * table's by construction, and an emit function only decides which steps of its kind there are.
 * Everything is pure: the arguments are the world.
 */
#include "compile/compile.h"
#include "base/arena.h"
#include "base/path.h"
#include "base/str.h"
#include "plan/order.h"

#include <errno.h>

struct compile {
	const char *id;
	const struct oci_spec *spec;
	const struct compile_ext *ext; /* never NULL */
	const struct facts *facts;
	bool wait_for_start;
	struct plan_writer *w;
	struct compile_notes *notes; /* may be NULL */
	struct arena arena;          /* lives as long as the compilation */
	struct err *err;

	/* derived by compile_check() */
	int new_namespaces, joined_namespaces; /* CLONE_NEW* */
	bool user_namespace;                   /* new or joined */
	bool own_dev;                          /* /dev is the container's: devices are made in it */
	bool use_cgroup;
};

/* Adds a warning. */
void compile_note(struct compile *c, const char *fmt, ...) _printf_(2, 3);
/* A copy of s with foreign bytes escaped, in the arena, for error texts and notes. */
const char *compile_shown(struct compile *c, const char *s);
/* A list with one text, in the arena. */
const char *const *compile_list1(struct compile *c, const char *s);
/* 'path' cleaned ("//a/../b" -> "/b"), in the arena. */
const char *compile_clean(struct compile *c, const char *path);
/* 'env' in the arena, where a variable that is set twice has its last value: callers append to what
 * the image says, and programs differ in which of two they take. */
const char *const *compile_last_of_each(struct arena *arena, const char *const *env);
/* Whether compile_exec_plan() has a decision about this kind of step. */
bool compile_exec_decides(enum plan_kind kind);
/* A host path: relative ones are below the bundle. In the arena. */
const char *compile_host_path(struct compile *c, const char *path);

/* compile_check.c: refuses what cannot be done, and fills the derived members. */
int compile_check(struct compile *c);

/* compile_options.c: one mount option of the specification. */
struct compile_options {
	bool bind, recursive, copy_up, idmap, idmap_recursive;
	uint64_t set, clear, rec_set, rec_clear;
	uint64_t propagation;
	bool propagation_recursive;
	const char **data; /* what the file system itself gets */
	size_t n_data;
};
/* Reads the options of a mount; the lists are in the arena. */
int compile_options_read(struct compile *c, const struct oci_mount *m, struct compile_options *ret);
/* Names of all options in the table, for the features document and tests; NULL at the end. */
const char *compile_option_name(size_t i);

/* One function for each kind of step; each returns 0 or a negative errno with c->err set. */
int compile_container(struct compile *c);
int compile_cgroup(struct compile *c);
int compile_cgroup_set(struct compile *c);
int compile_cgroup_device(struct compile *c);
int compile_cgroup_join(struct compile *c);
int compile_time_offset(struct compile *c);
int compile_root(struct compile *c);
int compile_root_overlay(struct compile *c);
int compile_namespace(struct compile *c);
int compile_idmap(struct compile *c);
int compile_rlimit(struct compile *c);
int compile_oom_score(struct compile *c);
int compile_early_sysctl(struct compile *c);
int compile_loopback(struct compile *c);
int compile_keyring(struct compile *c);
int compile_become_root(struct compile *c);
int compile_uts(struct compile *c);
int compile_mount_namespace(struct compile *c);
int compile_mount(struct compile *c);
int compile_device(struct compile *c);
int compile_dev_links(struct compile *c);
int compile_terminal(struct compile *c);
int compile_enter(struct compile *c);
int compile_sysctl(struct compile *c);
int compile_proc_allow(struct compile *c);
int compile_mask(struct compile *c);
int compile_readonly(struct compile *c);
int compile_pivot(struct compile *c);
int compile_root_attr(struct compile *c);
int compile_late_sysctl(struct compile *c);
int compile_landlock(struct compile *c);
int compile_landlock_rule(struct compile *c);
int compile_landlock_enter(struct compile *c);
int compile_seccomp_early(struct compile *c);
int compile_seccomp(struct compile *c);
int compile_user(struct compile *c);
int compile_caps(struct compile *c);
int compile_cwd(struct compile *c);
int compile_no_new_privs(struct compile *c);
int compile_find(struct compile *c);
int compile_ready(struct compile *c);
int compile_exec(struct compile *c);
/* True when the Landlock steps are part of the plan. */
bool compile_has_landlock(const struct compile *c);
