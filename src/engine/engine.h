/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The engine: containers of the bulkhead command.
 *
 * Theory of operation. 'bulkhead run' calls engine_run() in its own process, as root, without a
 * daemon:
 *
 *   image and options --engine/request--> OCI specification + profile --compile_plan--> plan
 * (sealed memfd)
 *   --sandbox_apply--> the container; then relay, wait, remove.
 *
 * A container is a row of the store's database, a lock file locks/ID.lock that its owner keeps
 * locked for life, the folder fs/rw/ID of the store, and its control groups. The owner makes them
 * in the order lock, row, folder, group and removes them backwards, so that a killed owner leaves a
 * row whose lock is free: engine_repair(), which every command that changes something calls first,
 * kills and removes what belongs to such a row. A held lock is the only proof of life: pids are
 * never trusted.
 */
#include "base/err.h"
#include "compile/compile.h"

#include <errno.h>

#include <stdbool.h>

struct store;

struct engine {
	struct store *store; /* owned */
	int locks_fd;        /* the folder of lock files in the state folder */
};

#define ENGINE_INIT                                                                                \
	{                                                                                          \
		.locks_fd = -EBADF                                                                 \
	}
#define _engine_done_ _cleanup_(engine_done)
void engine_done(struct engine *e);
/* Opens the store at 'root' for writing and its folder of locks, and repairs. The locks lie in the
 * state folder, not in /run: whoever sees the records must see the locks, or he would take living
 * containers for dead ones. */
int engine_open(const char *root, struct engine *ret, struct err *err);

/* Removes what owners that were killed left behind. Called by engine_open. */
int engine_repair(struct engine *e, struct err *err);

/* What the user asked for; NULL and 0 mean the image's or the profile's default. Borrowed. */
struct engine_request {
	const char *image;
	char *const *args; /* behind the image: replaces CMD; NULL-terminated */
	const char *name;
	const char *hostname;
	const char *user, *workdir;
	const char *entrypoint; /* "" empties the image's */
	bool has_entrypoint;
	char *const *env; /* KEY=VALUE, or KEY: from our own environment */
	uint64_t memory, nano_cpus;
	int64_t pids_limit;
	bool read_only;
	bool show_security;        /* print the table to stdout before the program starts */
	const char *cgroup_parent; /* absolute; default "/bulkhead" */
};

/* Runs a container in the foreground and removes it. *ret_code is the exit code of the container
 * (128 + n when signal n ended it), 126 or 127 when its program could not be started. Negative: the
 * engine failed, *ret_code is not set. Warnings go through the callback. */
int engine_run(struct engine *e, const struct engine_request *request,
        void (*warn)(const char *text), int *ret_code, struct err *err);
