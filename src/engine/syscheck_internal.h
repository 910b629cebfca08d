/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of the check share. */
#include "engine/syscheck.h"
#include "engine/containers.h"

struct syscheck {
	struct engine *e;
	unsigned int flags;
	struct syscheck_report *report;
	struct container_list rows;
	char **old; /* ids and groups of foreground containers of version 0.1, in turns */
};

/* Tells a finding. */
void syscheck_found(struct syscheck *k, const char *remedy, const char *subject, const char *fmt,
        ...) _printf_(4, 5);
/* Tells what came of a repair: r is its result, done the sentence of success, err (may be NULL) the
 * one of failure. */
void syscheck_done(struct syscheck *k, int r, const char *done, const struct err *err);
/* Moves dir/name to lost+found/as (with a number behind it when that is taken). */
int syscheck_save(struct syscheck *k, int dir, const char *name, const char *as, struct err *err);
/* True for the id of a container that exists, or may be coming into existence: somebody holds its
 * lock. */
bool syscheck_is_known(struct syscheck *k, const char *id);
bool syscheck_is_id(const char *name);
/* True when the thing is younger than SYSCHECK_YOUNG_S. */
bool syscheck_is_young(int dir, const char *name);

/* syscheck_container.c: one row after the other. */
int syscheck_containers(struct syscheck *k, struct err *err);
/* syscheck_folders.c: what lies in the folders without a row. */
int syscheck_folders(struct syscheck *k, struct err *err);
