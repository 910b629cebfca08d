/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/volume_rows.h"

#include "engine/engine.h"

#include <sqlite3.h>

void volume_rows_stmt_done(struct sqlite3_stmt **q)
{
	(void) sqlite3_finalize(*q);
}

struct sqlite3_stmt *volume_rows_prepare(struct engine *e, const char *sql, struct err *err)
{
	sqlite3_stmt *q = NULL;

	if (sqlite3_prepare_v2(store_db(e->store), sql, -1, &q, NULL) == SQLITE_OK)
		return q;
	(void) store_db_error(e->store, "read the list of volumes", err);
	return NULL;
}

int volume_rows_step(struct engine *e, struct sqlite3_stmt *q, const char *const *texts, size_t n,
        struct err *err)
{
	int r;

	for (size_t i = 0; i < n; i++)
		if (sqlite3_bind_text(q, (int) i + 1, texts[i], -1, SQLITE_TRANSIENT) != SQLITE_OK)
			return store_db_error(e->store, "ask for a volume", err);
	r = sqlite3_step(q);
	if (r == SQLITE_ROW)
		return 1;
	return r == SQLITE_DONE ? 0 : store_db_error(e->store, "use the list of volumes", err);
}

int volume_rows_run(
        struct engine *e, const char *sql, const char *const *texts, size_t n, struct err *err)
{
	_stmt_ sqlite3_stmt *q = volume_rows_prepare(e, sql, err);
	int r = q ? volume_rows_step(e, q, texts, n, err) : -EIO;

	while (r > 0)
		r = volume_rows_step(e, q, NULL, 0, err);
	return r;
}

static int set_durable(struct engine *e, bool durable, struct err *err)
{
	const char *sql = durable ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL";

	if (sqlite3_exec(store_db(e->store), sql, NULL, NULL, NULL) == SQLITE_OK)
		return 0;
	return store_db_error(e->store, "prepare the list of volumes", err);
}

int volume_rows_begin(struct engine *e, bool durable, struct err *err)
{
	int r = set_durable(e, durable, err);

	return r < 0 ? r : store_begin(e->store, err);
}

int volume_rows_end(struct engine *e, int r, struct err *err)
{
	if (r < 0)
		store_rollback(e->store);
	else
		r = store_commit(e->store, err);
	/* Commits of others need not wait for the disk. */
	(void) set_durable(e, false, NULL);
	return r;
}
