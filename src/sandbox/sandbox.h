/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Sandbox: from a plan to a running, confined process.
 *
 * Theory of operation: sandbox_apply() executes a decoded plan: supervisor steps on the host, one
 * clone, parent steps while the child waits, then the child's own steps up to exec. It is
 * privileged and contains no parser: it never reads JSON, never consults the environment, and
 * closes everything that the container must not have. The child's first error comes back as text.
 * sandbox_enter() does the same for a plan of one more process in a container that runs.
 * Between clone and exec the child calls async-signal-safe functions and the audited helpers of
 * mount, landlock, caps and userdb only. Nothing here depends on the compiler, so a process that
 * lives beside containers links this without any parser.
 */
#include "base/err.h"
#include "plan/plan.h"

#include <stdbool.h>
#include <sys/types.h>

struct sandbox_io {
	/* Become 0, 1, 2 of the container; borrowed. Not looked at when the plan has a terminal,
	 * which takes their place. */
	int stdin_fd, stdout_fd, stderr_fd;
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
	int pidfd;       /* owned by the caller */
	int sync;        /* owned by the caller, for sandbox_wait_exec only */
	int terminal_fd; /* owned by the caller: the master of the plan's terminal; -EBADF: none */
};
#define SANDBOX_CHILD_INIT                                                                         \
	{                                                                                          \
		.pidfd = -EBADF, .sync = -EBADF, .terminal_fd = -EBADF                             \
	}
/* Closes what the structure owns; the process is left alone. */
void sandbox_child_done(struct sandbox_child *child);

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
struct sandbox_target {
	int pidfd; /* of the container's init; borrowed */
};
/*
 * Starts one more process in the container of this init: a plan with PLAN_ENTER (sandbox_apply
 * refuses such a plan, and this function every other one). Results, io, errors and exit codes are
 * those of sandbox_apply; -ESRCH: the container is not running, or ended meanwhile; -EBUSY: it is
 * paused. On failure nothing is left; the container and its groups stay as they are. The caller has
 * one thread, is in the host's namespaces, and needs the rights of who made the container.
 *
 * The new process appears in the container when its ids, capabilities, Landlock and descriptors are
 * the final ones already and only its limits and its seccomp filter are missing (a plan without
 * no_new_privs loads the filter before it gives up rights, so there it appears before that). Until
 * exec nobody inside can trace it or read its memory, descriptors or binary, unless the container
 * has CAP_SYS_PTRACE over the host's user namespace. For an instant two tasks count in the
 * container's group.
 */
int sandbox_enter(const struct plan *plan, const struct sandbox_target *target,
        const struct sandbox_io *io, struct sandbox_child *ret, int *ret_exit_code,
        struct err *err);
/* For a plan without wait: blocks until the child has called exec (0) or failed (negative, text in
 * err). */
int sandbox_wait_exec(struct sandbox_child *child, int *ret_exit_code, struct err *err);
/* Kills everything in the plan's cgroups and removes them. Safe to call again and when they are
 * gone. */
int sandbox_cleanup(const struct plan *plan, struct err *err);
/* How many of its processes the kernel ended for want of memory; before sandbox_cleanup. Negative:
 * unknown. */
int sandbox_oom_kills(const struct plan *plan, uint64_t *ret);
