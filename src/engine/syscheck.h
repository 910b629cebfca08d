/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * 'system check': does the state folder hold what engine.h says it holds, and nothing else?
 *
 * Theory of operation: the checks compare rows, folders, records, locks and control groups with
 * each other and tell each difference. They look at nothing that an owner holds at the moment: a
 * container under lock is somebody's work, and what is younger than a few seconds may be half of
 * something that is being made.
 *
 * Mending happens in two steps, because an engine that is opened for writing sweeps up by itself
 * what it takes for leftovers. First (SYSCHECK_SAVE, an engine opened for reading is enough)
 * whatever may be data that somebody still wants, but belongs to nothing, is moved to lost+found/
 * in the state folder. Then (SYSCHECK_MEND, opened for writing) rows, records, groups and sockets
 * are put right. Data of a container or volume that can still be used is never deleted.
 */
#include "engine/engine.h"

enum syscheck_flags {
	SYSCHECK_SAVE = 1, /* move what belongs to nothing to lost+found/ */
	SYSCHECK_MEND = 2,
};
#define SYSCHECK_LOST_FOLDER "lost+found"
enum { SYSCHECK_YOUNG_S = 10 };

struct syscheck_report {
	/* One finding: what is wrong with what, and what a repair does (NULL: only a person can
	 * help). Foreign bytes are escaped. */
	void (*found)(void *data, const char *subject, const char *problem, const char *remedy);
	/* What was mended, or why it could not be; NULL: not wanted. */
	void (*done)(void *data, const char *sentence);
	void *data;
	size_t findings; /* counted by syscheck_engine */
};

/* Checks everything and, by the flags, mends what it finds. Errors are those of the check itself; a
 * repair that fails is told by 'done'. */
int syscheck_engine(
        struct engine *e, unsigned int flags, struct syscheck_report *report, struct err *err);
