/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Private to the engine: the table of containers in the store's database. */
#include "engine/containers.h"

struct sqlite3_stmt;
void rows_stmt_done(struct sqlite3_stmt **q);
#define _stmt_ _cleanup_(rows_stmt_done)

/* 1: found by whole id, name, or prefix of an id (in this order); 0: none; -ENOTUNIQ. */
int rows_find(struct engine *e, const char *text, struct container *ret, struct err *err);
/* All rows of containers that live on, newest first. */
int rows_list(struct engine *e, struct container_list *ret, struct err *err);
/* Records the container with a free range of ids, in one transaction. 1: the name is taken. */
int rows_insert(struct engine *e, struct container *c, struct err *err);
int rows_delete(struct engine *e, const char *id, struct err *err);
/* The id of the container that has the name; "" when nobody has it. */
int rows_name_owner(struct engine *e, const char *name, char ret[STORE_ID_SIZE], struct err *err);
/* Sets one column of a row by a statement "UPDATE containers SET column = ?2 WHERE id = ?1".
 * -EEXIST: it must be unique. */
int rows_set_text(
        struct engine *e, const char *column, const char *id, const char *value, struct err *err);
int rows_set_number(
        struct engine *e, const char *column, const char *id, int64_t value, struct err *err);
/* Ids and groups of the foreground containers of version 0.1, as pairs of texts. */
int rows_list_old(struct engine *e, char ***ret, struct err *err);
