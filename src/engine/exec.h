/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * More processes in a running container.
 *
 * Theory of operation: the shim hands out the pidfd of the first process and the very plan that it
 * executed; from that plan an exec plan is compiled, which has the same or fewer rights (filter,
 * capabilities, Landlock, limits), and the executor enters by the pidfd. 'exec' in the foreground
 * is the parent of the process; 'exec -d' leaves it to the
 * host's init when its program runs.
 */
#include "engine/containers.h"

struct plan;

struct exec_options {
	const char *const *args; /* NULL-terminated */
	char *const *env;        /* KEY=VALUE, on top of the container's; strv or NULL */
	const char *user;        /* "" or NULL: the container's */
	const char *workdir;     /* "" or NULL: the container's */
	bool tty, interactive, detach;
	unsigned short rows, cols;
	const char *detach_keys; /* NULL: ctrl-p,ctrl-q */
};

/* The exec plan in a sealed memfd. */
int exec_plan(
        const struct plan *plan, const struct exec_options *options, int *ret_fd, struct err *err);
/* Runs it in the foreground (or leaves it behind with detach). Returns enum console_result;
 * *ret_code as docker exec: the program's, or 126, 127 with an error. Errors: the container is not
 * running
 * (-ESRCH), or is paused. The signals must be blocked. */
int exec_run(struct engine *e, struct container *c, const struct exec_options *options,
        int *ret_code, struct err *err);
