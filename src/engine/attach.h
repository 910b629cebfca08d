/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Attaching to a container: pipes of our own between its shim and our stdio.
 *
 * Theory of operation: attach_open() makes the pipes; their inner ends go to the shim with the
 * SHIM_ATTACH message (of a start, or by attach_connect); attach_serve() then joins the outer ends
 * to our stdio (console.h) until the container ends or the user detaches. The shim closes the pipes
 * when everything was delivered and says the exit code.
 */
#include "engine/console.h"
#include "engine/containers.h"
#include "engine/life.h"

struct attach {
	bool in, out, err; /* which streams are wanted */
	bool terminal;
	bool sig_proxy;
	bool owner;              /* run --rm: see SHIM_ATTACH_OWNER */
	const char *detach_keys; /* NULL: ctrl-p,ctrl-q */
	/* private */
	int inner[3];
	struct console console;
	int sock, pidfd;
	struct engine *engine;
	struct container *container;
};
#define ATTACH_INIT                                                                                \
	{                                                                                          \
		.inner = { -EBADF, -EBADF, -EBADF }, .console = CONSOLE_INIT, .sock = -EBADF,      \
		.pidfd = -EBADF                                                                    \
	}
void attach_done(struct attach *a);
#define _attach_done_ _cleanup_(attach_done)

/* Makes the pipes; checks the detach keys. */
int attach_open(struct attach *a, struct err *err);
/* Puts flags, pipes and the size of the terminal into 'how' for life_start. */
void attach_fill(struct attach *a, struct life_start *how);
/* Attaches to a container that runs. */
int attach_connect(struct attach *a, struct engine *e, struct container *c, struct err *err);
/* Serves until the end; sock (taken) is the attached connection. Returns enum console_result,
 * *ret_code with CONSOLE_ENDED. The signals must be blocked since before the container was started.
 */
int attach_serve(struct attach *a, struct engine *e, struct container *c, int sock_taken,
        int *ret_code, struct err *err);
