/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/containers.h"

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "base/tree.h"
#include "cgroup/cgroup.h"
#include "engine/locks.h"
#include "engine/names.h"
#include "engine/profile.h"

#include <dirent.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_CGROUP_PARENT "/bulkhead"

enum { MADE_UP_TRIES = 20, ROWS_MAX = 1 << 16 };

#define _stmt_ _cleanup_(stmt_done)
static void stmt_done(sqlite3_stmt **q)
{
	(void) sqlite3_finalize(*q);
}

void container_done(struct container *c)
{
	free(c->name);
	free(c->cgroup);
	free(c->upper);
	free(c->work);
	fd_close(c->lock);
	*c = (struct container) CONTAINER_INIT;
}

bool container_name_is_valid(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len > CONTAINER_NAME_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = name[i];
		bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		            (c >= '0' && c <= '9');

		if (!word && (i == 0 || !strchr("_.-", c)))
			return false;
	}
	return true;
}

/* The group's path: absolute, clean, not the top. */
static int group_path(const char *parent, const char *id, char **ret, struct err *err)
{
	_free_ char *clean = NULL, *shown = NULL;

	if (!parent)
		parent = DEFAULT_CGROUP_PARENT;
	clean = path_clean(parent);
	shown = str_escaped(parent);
	if (*parent != '/' || streq(clean, "/") || strstr(parent, ".."))
		return err_set(err, -EINVAL,
		        "the cgroup parent '%s' must be an absolute path below the top, without '..'",
		        shown);
	*ret = xprintf("%s/%s", clean, id);
	return 0;
}

/* --- the row ---------------------------------------------------------------------------------- */

/* The smallest range of ids that no row has. Inside a write transaction. */
static int free_range(struct engine *e, uint32_t *ret, struct err *err)
{
	static const char sql[] =
	        "SELECT host_id FROM containers WHERE host_id IS NOT NULL ORDER BY host_id";
	_stmt_ sqlite3_stmt *q = NULL;
	uint32_t next = PROFILE_IDS_FIRST;

	if (sqlite3_prepare_v2(store_db(e->store), sql, -1, &q, NULL) != SQLITE_OK)
		return store_db_error(e->store, "look for free user ids", err);
	while (sqlite3_step(q) == SQLITE_ROW && sqlite3_column_int64(q, 0) == next)
		next += PROFILE_IDS_SIZE;
	if (next > PROFILE_IDS_LAST - PROFILE_IDS_SIZE + 1)
		return err_set(err, -ENOSPC, "no range of user ids is left: %u containers exist",
		        (PROFILE_IDS_LAST - PROFILE_IDS_FIRST + 1u) / PROFILE_IDS_SIZE);
	*ret = next;
	return 0;
}

/* Returns 1 when the name is taken. */
static int insert_row(struct engine *e, const struct store_image *image, const struct container *c,
        struct err *err)
{
	static const char sql[] =
	        "INSERT INTO containers (id, name, image_id, state, host_id, cgroup, created)"
	        " VALUES (?, ?, ?, 'running', ?, ?, ?)";
	/* The parent alone: with the path, which repeats the id, a row needs a second page, and
	 * that one needs three more for each change. */
	_free_ char *parent = xstrndup(c->cgroup, strlen(c->cgroup) - strlen(c->id) - 1);
	sqlite3 *db = store_db(e->store);
	_stmt_ sqlite3_stmt *q = NULL;
	int r;

	if (sqlite3_prepare_v2(db, sql, -1, &q, NULL) != SQLITE_OK ||
	        sqlite3_bind_text(q, 1, c->id, -1, SQLITE_STATIC) != SQLITE_OK ||
	        sqlite3_bind_text(q, 2, c->name, -1, SQLITE_STATIC) != SQLITE_OK ||
	        sqlite3_bind_text(q, 3, image->id, -1, SQLITE_STATIC) != SQLITE_OK ||
	        sqlite3_bind_int64(q, 4, c->host_id) != SQLITE_OK ||
	        sqlite3_bind_text(q, 5, parent, -1, SQLITE_STATIC) != SQLITE_OK ||
	        sqlite3_bind_int64(q, 6, time(NULL)) != SQLITE_OK)
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

/* Name and range in one transaction. Returns 1 when the name is taken. */
static int record(
        struct engine *e, const struct store_image *image, struct container *c, struct err *err)
{
	int r = store_begin(e->store, err);

	if (r < 0)
		return r;
	r = free_range(e, &c->host_id, err);
	if (r == 0)
		r = insert_row(e, image, c, err);
	if (r == 0)
		r = store_commit(e->store, err);
	if (r != 0)
		store_rollback(e->store);
	return r;
}

static int record_named(struct engine *e, const struct store_image *image, const char *name,
        struct container *c, struct err *err)
{
	int r = 1;

	for (int i = 0; i < (name ? 1 : MADE_UP_TRIES) && r == 1; i++) {
		free(c->name);
		c->name = name ? xstrdup(name) : name_made_up();
		r = record(e, image, c, err);
	}
	if (r == 1)
		return err_set(err, -EEXIST,
		        "the name '%s' is in use by another container: choose another name, or remove that one",
		        c->name);
	return r;
}

static int delete_row(struct engine *e, const char *id, struct err *err)
{
	_stmt_ sqlite3_stmt *q = NULL;

	if (sqlite3_prepare_v2(store_db(e->store), "DELETE FROM containers WHERE id = ?", -1, &q,
	            NULL) != SQLITE_OK ||
	        sqlite3_bind_text(q, 1, id, -1, SQLITE_STATIC) != SQLITE_OK ||
	        sqlite3_step(q) != SQLITE_DONE)
		return store_db_error(e->store, "remove the container's record", err);
	return 0;
}

/* --- folders and groups ----------------------------------------------------------------------- */

/* fs/rw/ID with the overlay's two folders. The upper folder is the container's "/": 0755 whatever
 * our umask is. */
static int make_folders(struct engine *e, struct container *c, struct err *err)
{
	_close_ int fs = openat(
	        store_dir(e->store), "fs", O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	_close_ int own = -EBADF, upper = -EBADF;
	_free_ char *path = xprintf("rw/%s", c->id);
	static const char *const sentence = "cannot make the writable folder of the container";

	if (fs < 0 || (mkdirat(fs, "rw", 0700) < 0 && errno != EEXIST) ||
	        mkdirat(fs, path, 0700) < 0)
		return err_errno(err, -errno, "%s", sentence);
	own = openat(fs, path, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (own < 0 || mkdirat(own, "upper", 0755) < 0 || mkdirat(own, "work", 0700) < 0)
		return err_errno(err, -errno, "%s", sentence);
	upper = openat(own, "upper", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (upper < 0 || fchmod(upper, 0755) < 0)
		return err_errno(err, -errno, "%s", sentence);
	c->upper = xprintf("%s/upper", path);
	c->work = xprintf("%s/work", path);
	return 0;
}

static int remove_folders(struct engine *e, const char *id, struct err *err)
{
	_close_ int rw = openat(
	        store_dir(e->store), "fs/rw", O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	int r;

	if (rw < 0)
		return errno == ENOENT ? 0
		                       : err_errno(err, -errno, "cannot open the writable folders");
	r = tree_remove(rw, id);
	return r < 0 ? err_errno(
	                       err, r, "cannot remove the writable folder of container '%.12s'", id)
	             : 0;
}

/* Kills what is left in the container's groups and removes them, empty parents that are ours too.
 */
static int remove_groups(const char *path, struct err *err)
{
	_cleanup_(cgroup_facts_done) struct cgroup_facts facts = { 0 };
	const char *names[CGROUP_HIERARCHIES_MAX + 1];
	struct cgroup_group group = { .path = path, .hierarchies = names };
	int r = cgroup_facts_probe(&facts, err);

	if (r < 0)
		return r;
	if (facts.mode == CGROUP_NONE)
		return 0;
	cgroup_hierarchy_names(&facts, names);
	group.mode = facts.mode;
	group.unified = facts.mode == CGROUP_HYBRID;
	return cgroup_remove(&group, true, SIZE_MAX, err);
}

/* --- reserve, remove, repair ------------------------------------------------------------------ */

int container_reserve(struct engine *e, const struct store_image *image, const char *name,
        const char *cgroup_parent, struct container *ret, struct err *err)
{
	_container_done_ struct container c = CONTAINER_INIT;
	struct err ignored;
	int r;

	if (name && !container_name_is_valid(name)) {
		_free_ char *shown = str_escaped(name);

		return err_set(err, -EINVAL,
		        "'%s' is not a name: letters, digits, '_', '.' and '-' are, beginning with a letter or digit",
		        shown);
	}
	r = name_random_hex(c.id, STORE_ID_SIZE - 1);
	if (r < 0)
		return err_errno(err, r, "cannot make an id");
	r = group_path(cgroup_parent, c.id, &c.cgroup, err);
	if (r < 0)
		return r;
	c.lock = lock_make(e->locks_fd, c.id);
	if (c.lock < 0)
		return err_errno(err, c.lock, "cannot make a lock file in the state folder");
	r = record_named(e, image, name, &c, err);
	if (r == 0)
		r = make_folders(e, &c, err);
	if (r < 0) {
		(void) container_remove(e, &c, &ignored); /* the first error is the one to tell */
		return r;
	}
	*ret = c;
	c = (struct container) CONTAINER_INIT;
	return 0;
}

/* Everything of one container, in the order that keeps the row until nothing else is left. */
static int remove_all(struct engine *e, const char *id, const char *group, struct err *err)
{
	int r = group && *group ? remove_groups(group, err) : 0;

	if (r < 0)
		return r;
	r = remove_folders(e, id, err);
	if (r < 0)
		return r;
	r = delete_row(e, id, err);
	if (r < 0)
		return r;
	r = lock_remove(e->locks_fd, id);
	return r < 0 ? err_errno(err, r, "cannot remove the lock of container '%.12s'", id) : 0;
}

int container_remove(struct engine *e, struct container *c, struct err *err)
{
	return remove_all(e, c->id, c->cgroup, err);
}

/* The ids and groups of all rows that have an owner, as pairs of texts. */
static int list_rows(struct engine *e, char ***ret, struct err *err)
{
	static const char sql[] =
	        "SELECT id, coalesce(cgroup, '') FROM containers WHERE state = 'running' LIMIT ?";
	_stmt_ sqlite3_stmt *q = NULL;
	int r;

	if (sqlite3_prepare_v2(store_db(e->store), sql, -1, &q, NULL) != SQLITE_OK ||
	        sqlite3_bind_int(q, 1, ROWS_MAX) != SQLITE_OK)
		return store_db_error(e->store, "list the containers", err);
	while ((r = sqlite3_step(q)) == SQLITE_ROW) {
		const char *id = (const char *) sqlite3_column_text(q, 0);
		const char *parent = (const char *) sqlite3_column_text(q, 1);
		_free_ char *group = *parent ? xprintf("%s/%s", parent, id) : xstrdup("");

		strv_add(ret, id);
		strv_add(ret, group);
	}
	return r == SQLITE_DONE ? 0 : store_db_error(e->store, "list the containers", err);
}

/* Removes the container when its owner is gone. */
static int repair_one(struct engine *e, const char *id, const char *group, struct err *err)
{
	_close_ int lock = lock_try(e->locks_fd, id);

	if (lock == -EWOULDBLOCK)
		return 0;
	if (lock < 0 && lock != -ENOENT)
		return err_errno(err, lock, "cannot look at the lock of container '%.12s'", id);
	return remove_all(e, id, group, err);
}

static bool has_row(char *const *rows, const char *id)
{
	for (; rows && rows[0]; rows += 2)
		if (streq(rows[0], id))
			return true;
	return false;
}

/* Removes lock files of owners that were killed before they had a row. */
static void sweep_locks(struct engine *e, char *const *rows)
{
	int copy = fd_dup(e->locks_fd);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);

	if (!dir) {
		fd_close(copy);
		return;
	}
	rewinddir(dir);
	for (struct dirent *d; (d = readdir(dir));) {
		_free_ char *id = xstrdup(d->d_name);
		_close_ int lock = -EBADF;

		if (!str_has_suffix(id, ".lock"))
			continue;
		id[strlen(id) - strlen(".lock")] = '\0';
		if (has_row(rows, id))
			continue;
		lock = lock_try(e->locks_fd, id);
		if (lock >= 0)
			(void) lock_remove(e->locks_fd, id); /* the next command tries again */
	}
	(void) closedir(dir);
}

int engine_repair(struct engine *e, struct err *err)
{
	_cleanup_(strv_freep) char **rows = NULL;
	int r = list_rows(e, &rows, err);

	if (r < 0)
		return r;
	sweep_locks(e, rows);
	for (char **row = rows; r == 0 && row && row[0]; row += 2)
		r = repair_one(e, row[0], row[1], err);
	return r;
}
