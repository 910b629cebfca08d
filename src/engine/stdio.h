/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Standard input, output and error of a foreground container.
 *
 * Theory of operation: a container gets pipes of its own and /dev/null, nothing that the caller
 * holds. On a terminal's descriptor it could read what the user types later, change the terminal's
 * modes or push characters into its input (TIOCSTI); a file's descriptor shows its path and inode;
 * a socket is a piece of the host's network namespace; the other end of a pipe can be opened by
 * /proc/self/fd, and takes or forges what other holders of it write. So /dev/null alone is passed
 * on as it is, and everything else is relayed through a pipe by the waiting command.
 */
#include "base/err.h"

#include <stdbool.h>

enum { STDIO_RELAY_SIZE = 65536 };

struct stdio_relay {
	int from, to;
	bool close_from, close_to; /* ours to close */
	size_t start, end;         /* bytes in data that wait to be written */
	char *data;
};

struct stdio {
	int child[3]; /* for the container */
	bool own_child[3];
	struct stdio_relay relays[3];
	size_t n_relays;
};

#define _stdio_done_ _cleanup_(stdio_done)
void stdio_done(struct stdio *io);
/* Looks at our own 0, 1 and 2 and makes what the container gets. A closed one becomes /dev/null. */
int stdio_open(struct stdio *ret, struct err *err);
/* Closes our copies of the container's ends: after the child has them. */
void stdio_close_child(struct stdio *io);
/* Relays, forwards signals (blocked by the caller, proc_block_signals) and waits for the end of the
 * child and of its output. Returns the exit code as proc_wait. */
int stdio_wait(struct stdio *io, int pidfd);
