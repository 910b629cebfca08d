/* SPDX-License-Identifier: Apache-2.0 */
/* The frame of the check, the store, and volumes with their uses. */
#include "engine/syscheck.h"

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "engine/syscheck_internal.h"
#include "engine/rows.h"
#include "store/store.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

enum { NAME_TRIES = 1000 };

static void syscheck_end(struct syscheck *k)
{
	container_list_done(&k->rows);
	k->old = strv_free(k->old);
}

void syscheck_found(
        struct syscheck *k, const char *remedy, const char *subject, const char *fmt, ...)
{
	char problem[ERR_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void) vsnprintf(problem, sizeof(problem), fmt, ap);
	va_end(ap);
	k->report->findings++;
	k->report->found(k->report->data, subject, problem, remedy);
}

void syscheck_done(struct syscheck *k, int r, const char *done, const struct err *err)
{
	_free_ char *failed = NULL;

	if (!k->report->done)
		return;
	if (r < 0)
		failed = xprintf(
		        "not mended: %s", err && *err->text ? err->text : strerrordesc_np(-r));
	k->report->done(k->report->data, r < 0 ? failed : done);
}

int syscheck_save(struct syscheck *k, int dir, const char *name, const char *as, struct err *err)
{
	_close_ int lost = path_make_dirs_in(store_dir(k->e->store), SYSCHECK_LOST_FOLDER, 0700);

	if (lost < 0)
		return err_errno(err, lost, "cannot make the folder '" SYSCHECK_LOST_FOLDER "'");
	for (int i = 0; i < NAME_TRIES; i++) {
		_free_ char *to = i == 0 ? xstrdup(as) : xprintf("%s.%d", as, i);

		if (renameat2(dir, name, lost, to, RENAME_NOREPLACE) == 0)
			return 0;
		if (errno != EEXIST)
			break;
	}
	return err_errno(
	        err, -errno, "cannot move it to '%s/" SYSCHECK_LOST_FOLDER "'", k->e->root);
}

bool syscheck_is_id(const char *name)
{
	return strlen(name) == STORE_ID_SIZE - 1 &&
	       strspn(name, "0123456789abcdef") == STORE_ID_SIZE - 1;
}

bool syscheck_is_young(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       time(NULL) - st.st_ctim.tv_sec < SYSCHECK_YOUNG_S;
}

bool syscheck_is_known(struct syscheck *k, const char *id)
{
	_free_ char *status = xprintf("%s/" RECORD_FILE, id);
	struct record record;
	bool alive = false;

	for (size_t i = 0; i < k->rows.n; i++)
		if (streq(k->rows.items[i].id, id))
			return true;
	for (char **old = k->old; old && *old; old += 2)
		if (streq(*old, id))
			return true;
	if (k->e->containers_fd >= 0)
		(void) record_read_at(k->e->containers_fd, status, &record, &alive);
	return alive;
}

/* --- the store -------------------------------------------------------------------------------- */

static void store_found(void *data, const char *subject, const char *problem, const char *remedy)
{
	syscheck_found(data, remedy, subject, "%s", problem);
}

static int check_store(struct syscheck *k, struct err *err)
{
	struct err why;
	int r = store_check(k->e->store, store_found, k, &why);

	/* A database that cannot be asked is the finding. */
	if (r < 0)
		syscheck_found(k, NULL, "the store", "cannot be checked: %s", why.text);
	if (r == 0 && (k->flags & SYSCHECK_MEND))
		r = store_mend(k->e->store, err);
	return k->flags & SYSCHECK_MEND ? r : 0;
}

/* --- uses of volumes -------------------------------------------------------------------------- */

static int query(struct syscheck *k, const char *sql, sqlite3_stmt **ret, struct err *err)
{
	if (sqlite3_prepare_v2(store_db(k->e->store), sql, -1, ret, NULL) != SQLITE_OK)
		return store_db_error(k->e->store, "read the volumes", err);
	return 0;
}

static void forget_use(struct syscheck *k, const char *id, const char *volume)
{
	_stmt_ sqlite3_stmt *q = NULL;
	struct err err;
	int r = query(
	        k, "DELETE FROM volume_uses WHERE container_id = ?1 AND volume = ?2", &q, &err);

	if (r == 0 && (sqlite3_bind_text(q, 1, id, -1, SQLITE_STATIC) != SQLITE_OK ||
	                      sqlite3_bind_text(q, 2, volume, -1, SQLITE_STATIC) != SQLITE_OK ||
	                      sqlite3_step(q) != SQLITE_DONE))
		r = store_db_error(k->e->store, "forget a use of a volume", &err);
	syscheck_done(k, r, "the use is forgotten", &err);
}

/* A use is recorded before its container is: one of a container under lock is not stale. */
static int check_uses(struct syscheck *k, struct err *err)
{
	_cleanup_(strv_freep) char **stale = NULL;
	_stmt_ sqlite3_stmt *q = NULL;
	int r = query(k, "SELECT container_id, volume FROM volume_uses", &q, err);

	if (r < 0)
		return r;
	while ((r = sqlite3_step(q)) == SQLITE_ROW) {
		const char *id = (const char *) sqlite3_column_text(q, 0),
		           *volume = (const char *) sqlite3_column_text(q, 1);

		if (!id || !volume || syscheck_is_known(k, id))
			continue;
		strv_add(&stale, id);
		strv_add(&stale, volume);
	}
	if (r != SQLITE_DONE)
		return store_db_error(k->e->store, "read the uses of volumes", err);
	for (char **s = stale; s && *s; s += 2) {
		_free_ char *subject = xprintf("volume '%s'", s[1]);

		syscheck_found(k, "forgets the use", subject,
		        "is used by the container '%.12s', which is not there", s[0]);
		if (k->flags & SYSCHECK_MEND)
			forget_use(k, s[0], s[1]);
	}
	return 0;
}

/* --- volumes ---------------------------------------------------------------------------------- */

static void make_empty(struct syscheck *k, const char *path)
{
	_close_ int fd = path_make_dirs_in(store_dir(k->e->store), path, 0755);

	syscheck_done(k, MIN(fd, 0), "an empty folder was made", NULL);
}

static int check_volumes(struct syscheck *k, struct err *err)
{
	_stmt_ sqlite3_stmt *q = NULL;
	int r = query(k, "SELECT name FROM volumes", &q, err);

	if (r < 0)
		return r;
	while ((r = sqlite3_step(q)) == SQLITE_ROW) {
		const char *name = (const char *) sqlite3_column_text(q, 0);
		_free_ char *shown = str_escaped(name), *path = xprintf("volumes/%s/_data", name);
		_free_ char *subject = xprintf("volume '%s'", shown);
		_close_ int fd = path_open_in(store_dir(k->e->store), path, PATH_BENEATH_NO_LINKS,
		        O_PATH | O_DIRECTORY, 0);

		if (fd >= 0)
			continue;
		syscheck_found(
		        k, "makes an empty folder", subject, "has lost its folder '%s'", path);
		if (k->flags & SYSCHECK_MEND)
			make_empty(k, path);
	}
	return r == SQLITE_DONE ? 0 : store_db_error(k->e->store, "read the volumes", err);
}

/* --- everything ------------------------------------------------------------------------------- */

int syscheck_engine(
        struct engine *e, unsigned int flags, struct syscheck_report *report, struct err *err)
{
	_cleanup_(syscheck_end) struct syscheck k = { .e = e, .flags = flags, .report = report };
	static int (*const parts[])(struct syscheck *, struct err *) = {
		check_store,
		syscheck_containers,
		syscheck_folders,
		check_volumes,
		check_uses,
	};
	int r = rows_list(e, &k.rows, err);

	report->findings = 0;
	if (r == 0)
		r = rows_list_old(e, &k.old, err);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(parts); i++)
		r = parts[i](&k, err);
	return r;
}
