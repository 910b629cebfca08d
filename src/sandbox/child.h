/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Private to the child's half of the executor: its state and its steps.
 *
 * Every step function returns 0 or a negative errno with the sentence in c->err. They run in a copy
 * of the supervisor, alone, and end with exec or _exit: nothing needs to be freed.
 */
#include "sandbox/apply.h"

struct userdb_user;

struct child {
	struct apply *a;
	int sync;    /* to the supervisor */
	int proc;    /* a procfs that nobody can mount over; -EBADF when no step needs it */
	int ruleset; /* Landlock */
	int gate, result;
	int terminal; /* the slave, until it has become stdio; -EBADF: no terminal */
	struct mount_cover cover;
	const char *const *env;   /* of the plan, with HOME when it was asked for */
	char *program;            /* what FIND found */
	struct userdb_user *user; /* who the program runs as; NULL until it was looked up */
	bool has_stdio, has_cwd, has_bounding;
	bool has_terminal; /* stdin is the plan's terminal */
	bool is_inside;    /* entering: this is the process that the container sees */
	bool passed_gate;  /* errors go to 'result' now */
	int exit_code;     /* 126 or 127 when the program is the reason */
	struct err err;
};

typedef int (*child_step)(struct child *c, const struct plan_step *s);

/* child.c: what the two ways to begin share */
void child_die_with_supervisor(const struct child *c);
void child_reset_signals(void);
/* child_rights.c: everything about the user that needs files or descriptors. It runs before a
 * filter that is loaded early, so that such a filter need not allow what only the runtime does.
 * Again: does nothing. */
int child_prepare_user(struct child *c, const struct plan_user *u);

/* child_enter.c: the beginning of the process that enters, and its change into the one that is seen
 * inside; the former ends there. */
int child_begin_entering(struct child *c);
int child_appear(struct child *c);

/* child_system.c: namespaces without files */
int child_cgroup_join(struct child *c, const struct plan_step *s);
int child_sysctl(struct child *c, const struct plan_step *s);
int child_become_root(struct child *c, const struct plan_step *s);
int child_keyring(struct child *c, const struct plan_step *s);
int child_uts(struct child *c, const struct plan_step *s);
int child_loopback(struct child *c, const struct plan_step *s);

/* child_mount.c */
int child_mount_namespace(struct child *c, const struct plan_step *s);
int child_mount(struct child *c, const struct plan_step *s);
int child_device(struct child *c, const struct plan_step *s);
int child_dev_links(struct child *c, const struct plan_step *s);
int child_readonly(struct child *c, const struct plan_step *s);
int child_proc_allow(struct child *c, const struct plan_step *s);
int child_mask(struct child *c, const struct plan_step *s);
int child_pivot(struct child *c, const struct plan_step *s);
int child_root_attr(struct child *c, const struct plan_step *s);

/* child_terminal.c */
int child_terminal(struct child *c, const struct plan_step *s);
/* Makes stdin the controlling terminal; the caller leads its session. */
int child_control_terminal(struct child *c);

/* child_rights.c */
int child_landlock(struct child *c, const struct plan_step *s);
int child_landlock_rule(struct child *c, const struct plan_step *s);
int child_landlock_enter(struct child *c, const struct plan_step *s);
int child_user(struct child *c, const struct plan_step *s);
int child_caps(struct child *c, const struct plan_step *s);
int child_cwd(struct child *c, const struct plan_step *s);
int child_no_new_privs(struct child *c, const struct plan_step *s);
int child_rlimit(struct child *c, const struct plan_step *s);
int child_seccomp_early(struct child *c, const struct plan_step *s);
int child_seccomp(struct child *c, const struct plan_step *s);

/* child_exec.c */
int child_find(struct child *c, const struct plan_step *s);
int child_ready(struct child *c, const struct plan_step *s);
int child_exec(struct child *c, const struct plan_step *s);

/* child_fds.c: puts stdio and the kept fds in place for the final user and closes everything else
 * for good, so that no descriptor of the host is there for a path such as /proc/self/fd/N, not even
 * until exec (CVE-2024-21626). */
int child_take_stdio(struct child *c, uid_t uid);
