/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/rows.h"

#include "base/str.h"
#include "engine/profile.h"

#include <sqlite3.h>
#include <stdio.h>

enum { ROWS_MAX = 1 << 16, ID_LEN = STORE_ID_SIZE - 1 };

#define COLUMNS                                                                                    \
	"id, name, image_id, image_name, command, cgroup, host_id, created, auto_remove, "         \
	"stopped, paused"

void rows_stmt_done(sqlite3_stmt **q)
{
	(void) sqlite3_finalize(*q);
}

static int prepare(struct engine *e, const char *sql, sqlite3_stmt **ret, struct err *err)
{
	return sqlite3_prepare_v2(store_db(e->store), sql, -1, ret, NULL) == SQLITE_OK
	               ? 0
	               : store_db_error(e->store, "read the containers", err);
}

static const char *text_of(sqlite3_stmt *q, int column)
{
	const unsigned char *text = sqlite3_column_text(q, column);

	return text ? (const char *) text : "";
}

/* The row keeps the parent of the group alone: with the path, which repeats the id, it would need a
 * second page, and that one three more for each change. */
static void read_row(sqlite3_stmt *q, struct container *c)
{
	*c = (struct container) CONTAINER_INIT;
	(void) snprintf(c->id, sizeof(c->id), "%s", text_of(q, 0));
	c->name = xstrdup(text_of(q, 1));
	(void) snprintf(c->image_id, sizeof(c->image_id), "%s", text_of(q, 2));
	c->image = xstrdup(text_of(q, 3));
	c->command = xstrdup(text_of(q, 4));
	c->cgroup = xprintf("%s/%s", text_of(q, 5), c->id);
	c->host_id = (uint32_t) sqlite3_column_int64(q, 6);
	c->created = sqlite3_column_int64(q, 7);
	c->auto_remove = sqlite3_column_int(q, 8);
	c->stopped = sqlite3_column_int(q, 9);
	c->paused = sqlite3_column_int64(q, 10);
}

/* One row by a statement with up to two texts; -ENOTUNIQ when there are more. */
static int find_one(struct engine *e, const char *sql, const char *a, const char *b,
        struct container *ret, struct err *err)
{
	_stmt_ sqlite3_stmt *q = NULL;
	int r = prepare(e, sql, &q, err);

	if (r < 0)
		return r;
	if (sqlite3_bind_text(q, 1, a, -1, SQLITE_STATIC) != SQLITE_OK ||
	        (b && sqlite3_bind_text(q, 2, b, -1, SQLITE_STATIC) != SQLITE_OK))
		return store_db_error(e->store, "look for a container", err);
	r = sqlite3_step(q);
	if (r == SQLITE_DONE)
		return 0;
	if (r != SQLITE_ROW)
		return store_db_error(e->store, "look for a container", err);
	read_row(q, ret);
	if (sqlite3_step(q) == SQLITE_ROW) {
		container_done(ret);
		return -ENOTUNIQ;
	}
	return 1;
}

int rows_find(struct engine *e, const char *text, struct container *ret, struct err *err)
{
	size_t len = strlen(text);
	bool hex = len > 0 && len <= ID_LEN && strspn(text, "0123456789abcdef") == len;
	_free_ char *end = xprintf("%sg", text); /* behind every id that begins so */
	int r = 0;

	if (len == ID_LEN && hex)
		return find_one(e, "SELECT " COLUMNS " FROM containers WHERE id = ?1", text, NULL,
		        ret, err);
	if (len > 0 && len <= CONTAINER_NAME_MAX)
		r = find_one(e,
		        "SELECT " COLUMNS
		        " FROM containers WHERE name = ?1 AND image_name IS NOT NULL",
		        text, NULL, ret, err);
	if (r == 0 && hex)
		r = find_one(e,
		        "SELECT " COLUMNS
		        " FROM containers WHERE id >= ?1 AND id < ?2 AND image_name IS NOT NULL"
		        " LIMIT 2",
		        text, end, ret, err);
	return r;
}

int rows_list(struct engine *e, struct container_list *ret, struct err *err)
{
	_container_list_done_ struct container_list list = { .n = 0 };
	_stmt_ sqlite3_stmt *q = NULL;
	size_t size = 0;
	int r = prepare(e,
	        "SELECT " COLUMNS
	        " FROM containers WHERE image_name IS NOT NULL ORDER BY created DESC, id",
	        &q, err);

	if (r < 0)
		return r;
	while ((r = sqlite3_step(q)) == SQLITE_ROW && list.n < ROWS_MAX) {
		if (list.n == size) {
			size = MAX(size * 2, (size_t) 16);
			list.items = xrealloc_n(list.items, size, sizeof(*list.items));
		}
		read_row(q, &list.items[list.n++]);
	}
	if (r != SQLITE_DONE)
		return store_db_error(e->store, "list the containers", err);
	*ret = list;
	list = (struct container_list){ .n = 0 };
	return 0;
}

/* The smallest range of ids that no row has. Inside a write transaction. */
static int free_range(struct engine *e, uint32_t *ret, struct err *err)
{
	_stmt_ sqlite3_stmt *q = NULL;
	uint32_t next = PROFILE_IDS_FIRST;
	int r = prepare(e,
	        "SELECT host_id FROM containers WHERE host_id IS NOT NULL ORDER BY host_id", &q,
	        err);

	if (r < 0)
		return r;
	while (sqlite3_step(q) == SQLITE_ROW && sqlite3_column_int64(q, 0) == next)
		next += PROFILE_IDS_SIZE;
	if (next > PROFILE_IDS_LAST - PROFILE_IDS_SIZE + 1)
		return err_set(err, -ENOSPC,
		        "no range of user ids is left: %u containers exist; remove some",
		        (PROFILE_IDS_LAST - PROFILE_IDS_FIRST + 1u) / PROFILE_IDS_SIZE);
	*ret = next;
	return 0;
}

/* 1: the name is taken. */
static int insert_row(struct engine *e, const struct container *c, struct err *err)
{
	static const char sql[] =
	        "INSERT INTO containers (id, name, image_id, state, host_id, cgroup, created,"
	        " image_name, command, auto_remove) VALUES (?, ?, ?, '', ?, ?, ?, ?, ?, ?)";
	_free_ char *parent = xstrndup(c->cgroup, strlen(c->cgroup) - strlen(c->id) - 1);
	sqlite3 *db = store_db(e->store);
	_stmt_ sqlite3_stmt *q = NULL;
	int r = prepare(e, sql, &q, err);

	if (r < 0)
		return r;
	if (sqlite3_bind_text(q, 1, c->id, -1, SQLITE_STATIC) != SQLITE_OK ||
	        sqlite3_bind_text(q, 2, c->name, -1, SQLITE_STATIC) != SQLITE_OK ||
	        sqlite3_bind_text(q, 3, c->image_id, -1, SQLITE_STATIC) != SQLITE_OK ||
	        sqlite3_bind_int64(q, 4, c->host_id) != SQLITE_OK ||
	        sqlite3_bind_text(q, 5, parent, -1, SQLITE_STATIC) != SQLITE_OK ||
	        sqlite3_bind_int64(q, 6, c->created) != SQLITE_OK ||
	        sqlite3_bind_text(q, 7, c->image, -1, SQLITE_STATIC) != SQLITE_OK ||
	        sqlite3_bind_text(q, 8, c->command, -1, SQLITE_STATIC) != SQLITE_OK ||
	        sqlite3_bind_int(q, 9, c->auto_remove) != SQLITE_OK)
		return store_db_error(e->store, "record the container", err);
	r = sqlite3_step(q);
	if (r == SQLITE_DONE)
		return 0;
	if (sqlite3_extended_errcode(db) == SQLITE_CONSTRAINT_UNIQUE)
		return 1;
	if (sqlite3_extended_errcode(db) == SQLITE_CONSTRAINT_FOREIGNKEY)
		return err_set(err, -ENOENT, "the image was removed meanwhile");
	return store_db_error(e->store, "record the container", err);
}

int rows_insert(struct engine *e, struct container *c, struct err *err)
{
	int r = store_begin(e->store, err);

	if (r < 0)
		return r;
	r = free_range(e, &c->host_id, err);
	if (r == 0)
		r = insert_row(e, c, err);
	if (r == 0)
		r = store_commit(e->store, err);
	if (r != 0)
		store_rollback(e->store);
	return r;
}

int rows_delete(struct engine *e, const char *id, struct err *err)
{
	_stmt_ sqlite3_stmt *q = NULL;
	int r = prepare(e, "DELETE FROM containers WHERE id = ?", &q, err);

	if (r < 0)
		return r;
	if (sqlite3_bind_text(q, 1, id, -1, SQLITE_STATIC) != SQLITE_OK ||
	        sqlite3_step(q) != SQLITE_DONE)
		return store_db_error(e->store, "remove the container's record", err);
	return 0;
}

int rows_name_owner(struct engine *e, const char *name, char ret[STORE_ID_SIZE], struct err *err)
{
	_stmt_ sqlite3_stmt *q = NULL;
	int r = prepare(e, "SELECT id FROM containers WHERE name = ?", &q, err);

	if (r < 0)
		return r;
	if (sqlite3_bind_text(q, 1, name, -1, SQLITE_STATIC) != SQLITE_OK)
		return store_db_error(e->store, "look for a name", err);
	r = sqlite3_step(q);
	(void) snprintf(ret, STORE_ID_SIZE, "%s", r == SQLITE_ROW ? text_of(q, 0) : "");
	return r == SQLITE_ROW || r == SQLITE_DONE
	               ? 0
	               : store_db_error(e->store, "look for a name", err);
}

/* --- changes ---------------------------------------------------------------------------------- */

static int set_column(struct engine *e, const char *column, const char *id, const char *text,
        int64_t number, struct err *err)
{
	_free_ char *sql = xprintf("UPDATE containers SET %s = ?2 WHERE id = ?1", column);
	_stmt_ sqlite3_stmt *q = NULL;
	int r = prepare(e, sql, &q, err);

	if (r < 0)
		return r;
	if (sqlite3_bind_text(q, 1, id, -1, SQLITE_STATIC) != SQLITE_OK ||
	        (text ? sqlite3_bind_text(q, 2, text, -1, SQLITE_STATIC)
	              : sqlite3_bind_int64(q, 2, number)) != SQLITE_OK)
		return store_db_error(e->store, "change the container's record", err);
	if (sqlite3_step(q) == SQLITE_DONE)
		return 0;
	if (sqlite3_extended_errcode(store_db(e->store)) == SQLITE_CONSTRAINT_UNIQUE)
		return -EEXIST;
	return store_db_error(e->store, "change the container's record", err);
}

int rows_set_text(
        struct engine *e, const char *column, const char *id, const char *value, struct err *err)
{
	return set_column(e, column, id, value, 0, err);
}

int rows_set_number(
        struct engine *e, const char *column, const char *id, int64_t value, struct err *err)
{
	return set_column(e, column, id, NULL, value, err);
}

int rows_list_old(struct engine *e, char ***ret, struct err *err)
{
	_stmt_ sqlite3_stmt *q = NULL;
	int r = prepare(e,
	        "SELECT id, coalesce(cgroup, '') FROM containers WHERE image_name IS NULL", &q,
	        err);

	if (r < 0)
		return r;
	while ((r = sqlite3_step(q)) == SQLITE_ROW) {
		_free_ char *group = *text_of(q, 1) ? xprintf("%s/%s", text_of(q, 1), text_of(q, 0))
		                                    : xstrdup("");

		strv_add(ret, text_of(q, 0));
		strv_add(ret, group);
	}
	return r == SQLITE_DONE ? 0 : store_db_error(e->store, "list the containers", err);
}
