/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of the store share. See store.h for how things hang together. */
#include "store/store.h"

#include <sqlite3.h>

struct buf;

enum {
	STORE_SCHEMA = 2,             /* user_version of the database */
	STORE_DOCUMENT_MAX = 4 << 20, /* bytes of a config or manifest */
	STORE_HEX_LEN = STORE_ID_SIZE - 1,
	STORE_SHORT_ID_MIN = 2,
};

struct store {
	char *path; /* absolute */
	char *fs_path;
	int dir; /* O_PATH */
	bool writable;
	sqlite3 *db;
};

/* --- db.c ------------------------------------------------------------------------------------- */

/* Opens db.sqlite below the path, makes its tables when it is new and may be written. */
int db_open(struct store *s, struct err *err);
void db_close(struct store *s);
/* A statement; finalised by _stmt_. NULL and err on failure. */
sqlite3_stmt *db_prepare(struct store *s, const char *sql, struct err *err);
void db_stmt_done(sqlite3_stmt **q);
#define _stmt_ _cleanup_(db_stmt_done)
/* Binds texts to parameters 1.. and steps once. Returns 1 (a row), 0 (done) or a negative errno. */
int db_step(struct store *s, sqlite3_stmt *q, const char *const *texts, size_t n, struct err *err);
/* Prepares, binds, runs to the end. */
int db_run(struct store *s, const char *sql, const char *const *texts, size_t n, struct err *err);
#define db_exec(s, err, sql, ...)                                                                  \
	db_run((s), (sql), (const char *const[]){ __VA_ARGS__ },                                   \
	        ARRAY_SIZE(((const char *const[]){ __VA_ARGS__ })), (err))
/* The commits that follow are on disk when they return. */
int db_make_durable(struct store *s, struct err *err);

/* Copies the write-ahead log back into the database: for commands that are slow anyway. */
void db_shorten_log(struct store *s);

/* --- store.c ---------------------------------------------------------------------------------- */

/* Opens a folder of the store ("tmp", "fs/layers", ...): O_RDONLY | O_DIRECTORY. */
int store_open_folder(struct store *s, const char *name, int *ret_fd, struct err *err);
enum store_lock {
	STORE_LOCK_ADD,  /* shared: things of mine lie in tmp/ or are without a row for a moment */
	STORE_LOCK_TIDY, /* exclusive, tried: -EBUSY when somebody adds */
};
/* The lock is held until the descriptor is closed. */
int store_lock(struct store *s, enum store_lock how, int *ret_fd, struct err *err);

/* --- images.c --------------------------------------------------------------------------------- */

/* Reads blobs/sha256/HEX and checks its digest. */
int store_read_document(
        struct store *s, const char *hex, const char *what, struct buf *out, struct err *err);
/* 64 lower-case hexadecimal digits. */
bool store_is_hex_id(const char *text);

/* --- tidy.c ----------------------------------------------------------------------------------- */

/* Deletes everything in tmp/, and every layer and blob without a row, unless somebody is adding
 * right now (then he does it at his end). Failures are left for the next time: nothing refers to
 * what is still there. */
void store_tidy(struct store *s);
