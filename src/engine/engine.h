/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The engine: containers of the bulkhead command.
 *
 * Theory of operation. There is no daemon: commands run as root in their own process.
 *
 *   create: image + options --request--> config.json, a row, folders
 *   start:  config.json + facts --profile, compile--> plan (sealed memfd) --> bulkhead-shim
 *   else:   the row, the shim's record, and messages to the shim
 *
 * A container is a row of the store's database (name, image, range of ids: what must be unique), a
 * folder containers/ID of the state folder (config.json, the shim's record 'status' and its lock,
 * socket, log), the folder fs/rw/ID of the store, and its control groups while it runs. The row is
 * made last and removed last but one: what has no row and no lock is swept up by the next command.
 * The lock of the record is the only proof that somebody owns a container at the moment:
 * a shim while it runs, a command while it makes, repairs or removes it. engine_repair(), which
 * every command that changes something calls first, finishes what a killed owner left.
 */
#include "base/err.h"

#include <errno.h>
#include <stdbool.h>

struct store;

struct engine {
	struct store *store; /* owned */
	int containers_fd;   /* the folder 'containers' of the state folder */
	int locks_fd;        /* locks of foreground containers of version 0.1; -EBADF: none */
	const char *root;    /* borrowed: the path of the state folder */
};

#define ENGINE_INIT                                                                                \
	{                                                                                          \
		.containers_fd = -EBADF, .locks_fd = -EBADF                                        \
	}
#define _engine_done_ _cleanup_(engine_done)
void engine_done(struct engine *e);

enum engine_mode {
	ENGINE_READ,  /* looks only; -ENOENT with a sentence when there is no store yet */
	ENGINE_WRITE, /* made when missing; repairs first */
};
/* Opens the store at 'root' and the folder of containers. */
int engine_open(const char *root, enum engine_mode mode, struct engine *ret, struct err *err);

/* Finishes what owners that were killed left behind: ends and marks, or removes. Called by
 * engine_open with ENGINE_WRITE. */
int engine_repair(struct engine *e, struct err *err);

/* The programs that a start needs, absolute: set by the program before the first one. */
struct engine_programs {
	const char *shim; /* bulkhead-shim */
	const char *self; /* bulkhead, for the end of containers with --rm */
};
extern struct engine_programs engine_programs;
