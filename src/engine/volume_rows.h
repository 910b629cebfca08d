/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of volumes share: statements and transactions. Not for callers. */
#include "base/err.h"
#include "store/store.h"

#include <stdbool.h>

struct engine;
struct sqlite3_stmt;

enum { VOLUME_RANDOM_SIZE = STORE_ID_SIZE };

#define _stmt_ _cleanup_(volume_rows_stmt_done)
void volume_rows_stmt_done(struct sqlite3_stmt **q);
/* NULL and err on failure. */
struct sqlite3_stmt *volume_rows_prepare(struct engine *e, const char *sql, struct err *err);
/* Binds texts to parameters 1.. and steps once. Returns 1 (a row), 0 (done) or a negative errno. */
int volume_rows_step(struct engine *e, struct sqlite3_stmt *q, const char *const *texts, size_t n,
        struct err *err);
/* Prepares, binds, runs to the end. */
int volume_rows_run(
        struct engine *e, const char *sql, const char *const *texts, size_t n, struct err *err);
/* A write transaction. durable: what it commits survives a power failure. A row that is lost would
 * make a folder with somebody's data look like a leftover. */
int volume_rows_begin(struct engine *e, bool durable, struct err *err);
/* Commits when r is 0 (or more), else rolls back; returns r or the error of the commit. */
int volume_rows_end(struct engine *e, int r, struct err *err);

struct volume_wanted {
	const char *name;
	char *const *labels; /* strv */
	bool anonymous;
};
/* Row and folder, unless they are there. Inside a write transaction. Returns 1 when it is new. */
int volume_make(struct engine *e, int volumes, const struct volume_wanted *w, struct err *err);
/* Tells the events that a volume was made ("create") or removed ("destroy"); after the commit. */
void volume_tell(struct engine *e, const char *name, const char *action);
int volume_random_name(char ret[VOLUME_RANDOM_SIZE], struct err *err);
