/* SPDX-License-Identifier: Apache-2.0 */
#include "store/internal.h"

#include "base/buf.h"
#include "base/str.h"

#include <errno.h>

enum {
	BUSY_MS = 10000,
	/*
	 * Each command is the first and last user of the database, and the first reads the whole
	 * log. So the log is kept short, by small pages and by copying it back when it has this
	 * many (which costs two fsync, and therefore not more often).
	 */
	LOG_PAGES = 160,
};

/*
 * The schema as steps from each version to the next; a new database takes them all. A step never
 * changes once it was released.
 *
 * 1: position 0 is the lowest layer. A layer is one folder, and the archive that it came from may
 * have come in several compressions, so the blob belongs to the image's use of it. Containers are
 * rows of the engine; they stand here so that one transaction sees both, and the foreign key keeps
 * an image that is used.
 * 2: containers that live on (created is in nanoseconds for them; those of version 1 have no
 * image_name and end with their command), volumes. A use is recorded before its container is.
 */
static const char *const steps[STORE_SCHEMA] = {
	"CREATE TABLE images (id TEXT PRIMARY KEY NOT NULL, manifest TEXT NOT NULL,"
	" created INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE names (name TEXT PRIMARY KEY NOT NULL,"
	" image_id TEXT NOT NULL REFERENCES images (id)) WITHOUT ROWID;"
	"CREATE INDEX names_image ON names (image_id);"
	"CREATE TABLE layers (diff_id TEXT PRIMARY KEY NOT NULL, content_bytes INTEGER NOT NULL,"
	" entries INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE image_layers ("
	" image_id TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE,"
	" position INTEGER NOT NULL, diff_id TEXT NOT NULL REFERENCES layers (diff_id),"
	" blob TEXT NOT NULL, blob_bytes INTEGER NOT NULL,"
	" PRIMARY KEY (image_id, position)) WITHOUT ROWID;"
	"CREATE TABLE containers (id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL UNIQUE,"
	" image_id TEXT NOT NULL REFERENCES images (id),"
	" state TEXT NOT NULL DEFAULT 'created', host_id INTEGER UNIQUE, cgroup TEXT,"
	" pid INTEGER, pid_start INTEGER, boot_id TEXT, created INTEGER NOT NULL,"
	" exit_code INTEGER, config TEXT) WITHOUT ROWID;",

	"ALTER TABLE containers ADD COLUMN image_name TEXT;"
	"ALTER TABLE containers ADD COLUMN command TEXT;"
	"ALTER TABLE containers ADD COLUMN auto_remove INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE containers ADD COLUMN stopped INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE containers ADD COLUMN paused INTEGER NOT NULL DEFAULT 0;"
	"CREATE TABLE volumes (name TEXT PRIMARY KEY NOT NULL, created INTEGER NOT NULL,"
	" anonymous INTEGER NOT NULL DEFAULT 0, labels TEXT NOT NULL DEFAULT '{}') WITHOUT ROWID;"
	"CREATE TABLE volume_uses (container_id TEXT NOT NULL,"
	" volume TEXT NOT NULL REFERENCES volumes (name),"
	" PRIMARY KEY (container_id, volume)) WITHOUT ROWID;"
	"CREATE INDEX volume_uses_volume ON volume_uses (volume);",
};

static const struct {
	int sqlite;
	int code;
} codes[] = {
	{ SQLITE_FULL, -ENOSPC },
	{ SQLITE_BUSY, -EBUSY },
	{ SQLITE_LOCKED, -EBUSY },
	{ SQLITE_READONLY, -EROFS },
	{ SQLITE_CANTOPEN, -EACCES },
	{ SQLITE_CORRUPT, -EBADMSG },
	{ SQLITE_NOTADB, -EBADMSG },
	{ SQLITE_CONSTRAINT, -EEXIST },
};

int store_db_error(struct store *s, const char *doing, struct err *err)
{
	int sqlite = s->db ? sqlite3_errcode(s->db) : SQLITE_NOMEM;
	const char *text = s->db ? sqlite3_errmsg(s->db) : "out of memory";
	int code = -EIO;

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		if (codes[i].sqlite == sqlite)
			code = codes[i].code;
	if (code == -ENOSPC)
		text = "the disk is full";
	if (code == -EBUSY)
		text = "another command has been writing for ten seconds; try again";
	if (code == -EBADMSG)
		return err_set(err, code,
		        "cannot %s: the database '%s/db.sqlite' is damaged (%s); move the store away "
		        "and import again",
		        doing, s->path, text);
	return err_set(err, code, "cannot %s: %s", doing, text);
}

sqlite3_stmt *db_prepare(struct store *s, const char *sql, struct err *err)
{
	sqlite3_stmt *q = NULL;

	if (sqlite3_prepare_v2(s->db, sql, -1, &q, NULL) == SQLITE_OK)
		return q;
	(void) store_db_error(s, "read the image store", err);
	return NULL;
}

void db_stmt_done(sqlite3_stmt **q)
{
	(void) sqlite3_finalize(*q);
}

int db_step(struct store *s, sqlite3_stmt *q, const char *const *texts, size_t n, struct err *err)
{
	int r;

	for (size_t i = 0; i < n; i++)
		if (sqlite3_bind_text(q, (int) i + 1, texts[i], -1, SQLITE_TRANSIENT) != SQLITE_OK)
			return store_db_error(s, "ask the image store", err);
	r = sqlite3_step(q);
	if (r == SQLITE_ROW)
		return 1;
	return r == SQLITE_DONE ? 0 : store_db_error(s, "use the image store", err);
}

int db_run(struct store *s, const char *sql, const char *const *texts, size_t n, struct err *err)
{
	_stmt_ sqlite3_stmt *q = db_prepare(s, sql, err);
	int r = q ? db_step(s, q, texts, n, err) : -EIO;

	while (r > 0)
		r = db_step(s, q, NULL, 0, err);
	return r;
}

static int exec(struct store *s, const char *sql, const char *doing, struct err *err)
{
	if (sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK)
		return 0;
	return store_db_error(s, doing, err);
}

int store_begin(struct store *s, struct err *err)
{
	return exec(s, "BEGIN IMMEDIATE", "write to the image store", err);
}

int store_commit(struct store *s, struct err *err)
{
	int r = exec(s, "COMMIT", "write to the image store", err);

	if (r < 0)
		store_rollback(s);
	return r;
}

void store_rollback(struct store *s)
{
	if (!sqlite3_get_autocommit(s->db))
		(void) sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
}

int db_make_durable(struct store *s, struct err *err)
{
	return exec(s, "PRAGMA synchronous = FULL", "prepare the image store", err);
}

void db_shorten_log(struct store *s)
{
	/* A reader that is in the way is not waited for. Busy or failing: the next one. */
	(void) sqlite3_busy_timeout(s->db, 0);
	(void) sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	(void) sqlite3_busy_timeout(s->db, BUSY_MS);
}

/*
 * After each commit. SQLite's own automatic checkpoint copies the log back but does not empty it;
 * that is left to the next commit of the same process, and here every process commits once. The log
 * would only ever grow, and all of it is read by each command.
 */
static int after_commit(void *data, sqlite3 *db, const char *name, int pages)
{
	(void) db;
	(void) name;
	if (pages >= LOG_PAGES)
		db_shorten_log(data);
	return SQLITE_OK;
}

static int read_version(struct store *s, int *ret, struct err *err)
{
	_stmt_ sqlite3_stmt *q = NULL;

	if (sqlite3_prepare_v2(s->db, "PRAGMA user_version", -1, &q, NULL) != SQLITE_OK ||
	        sqlite3_step(q) != SQLITE_ROW)
		return store_db_error(s, "read the image store", err);
	*ret = sqlite3_column_int(q, 0);
	return 0;
}

/* Inside a transaction: another command may have been here first. */
static int take_steps(struct store *s, struct err *err)
{
	int version = 0;
	int r = read_version(s, &version, err);

	for (; r == 0 && version < STORE_SCHEMA; version++)
		r = exec(s, steps[version], "bring the image store up to date", err);
	if (r == 0) {
		_free_ char *sql = xprintf("PRAGMA user_version = %d", STORE_SCHEMA);

		r = exec(s, sql, "bring the image store up to date", err);
	}
	return r;
}

static int migrate(struct store *s, bool is_new, struct err *err)
{
	int r = 0;

	if (is_new)
		r = exec(s, "PRAGMA page_size = 1024; PRAGMA journal_mode = WAL",
		        "make the image store", err);
	if (r == 0)
		r = store_begin(s, err);
	if (r < 0)
		return r;
	r = take_steps(s, err);
	if (r < 0) {
		store_rollback(s);
		return r;
	}
	return store_commit(s, err);
}

static int check_version(struct store *s, struct err *err)
{
	int version = 0;
	int r = read_version(s, &version, err);

	if (r < 0)
		return r;
	if (version > STORE_SCHEMA)
		return err_set(err, -EPROTONOSUPPORT,
		        "the store '%s' was made by a newer version of bulkhead (format %d, this "
		        "version knows %d); upgrade bulkhead",
		        s->path, version, STORE_SCHEMA);
	if (version == STORE_SCHEMA)
		return 0;
	if (version == 0 && !s->writable)
		return err_set(err, -ENOENT, "there is no image store in '%s' yet", s->path);
	return migrate(s, version == 0, err);
}

int db_open(struct store *s, struct err *err)
{
	_free_ char *file = xprintf("%s/db.sqlite", s->path);
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW |
	            SQLITE_OPEN_PRIVATECACHE;
	int keep_wal = 1;
	int r;

	if (s->writable)
		flags |= SQLITE_OPEN_CREATE;
	if (sqlite3_open_v2(file, &s->db, flags, NULL) != SQLITE_OK)
		return store_db_error(s, "open the image store", err);
	(void) sqlite3_busy_timeout(s->db, BUSY_MS);
	/* The last one to close would copy the log back and delete it, on every single command. */
	(void) sqlite3_file_control(s->db, "main", SQLITE_FCNTL_PERSIST_WAL, &keep_wal);
	(void) sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	(void) sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_FKEY, 1, NULL);
	(void) sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	(void) sqlite3_wal_hook(s->db, after_commit, s);
	r = check_version(s, err);
	if (r == 0 && s->writable)
		r = exec(s, "PRAGMA synchronous = NORMAL", "prepare the image store", err);
	return r;
}

void db_close(struct store *s)
{
	(void) sqlite3_close(s->db);
	s->db = NULL;
}
