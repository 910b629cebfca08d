/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Containers that run, and processes that enter them, for tests of sandbox_enter. Needs root.
 */
#include "boxkit.h"

#include "cgroup/cgroup.h"
#include "compile/compile.h"

extern const char *const enter_sleeps[]; /* arguments of a program that lives on */
extern const char *const enter_env[];

/* A container that runs. */
struct inside {
	struct box box;
	struct plan_writer writer;
	struct plan *plan;
	struct sandbox_child child;
};
/* A box that sleeps. 0: no user namespace; 1: one; 2: a time namespace, too. */
void inside_init(struct box *b, int kind);
/* Adds everything that an init can be restricted by; early: a filter without no_new_privs. */
void inside_confine(struct box *b, bool early);
void inside_start(struct inside *in);
void inside_stop(struct inside *in);
struct cgroup_group inside_group(const struct inside *in);

/* The plan of a process in it. It lives as long as w. */
struct plan *enter_plan(
        const struct inside *in, const struct compile_exec *x, struct plan_writer *w);
/* Runs one to its end, with stdin from 'input' (negative: nothing to read). */
void enter_with(
        const struct inside *in, const struct compile_exec *x, int input, struct outcome *o);
void enter_must_run(const struct inside *in, const struct compile_exec *x, struct outcome *o);
void enter_script(const struct inside *in, const char *script, struct outcome *o);
/* Starts one that lives on, and kills it. */
pid_t enter_sleeper(const struct inside *in, struct sandbox_child *child);
void enter_end(struct sandbox_child *child);
