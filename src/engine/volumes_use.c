/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes and the containers that use them. */
#include "engine/volumes.h"

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "base/tree.h"
#include "engine/config.h"
#include "engine/volume_fill.h"
#include "engine/volume_folder.h"
#include "engine/volume_rows.h"
#include "shim/record.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>

/* --- prepare ---------------------------------------------------------------------------------- */

static bool has_volumes(const struct config *c)
{
	for (size_t i = 0; i < c->n_mounts; i++)
		if (c->mounts[i].type == CONFIG_VOLUME)
			return true;
	return false;
}

/* Gives each volume that has none a name. */
static int name_volumes(struct config *c, struct err *err)
{
	struct config_mount *mounts = arena_new_n(&c->arena, struct config_mount, c->n_mounts);

	for (size_t i = 0; i < c->n_mounts; i++) {
		char name[VOLUME_RANDOM_SIZE];
		int r;

		mounts[i] = c->mounts[i];
		if (mounts[i].type != CONFIG_VOLUME || *mounts[i].source)
			continue;
		r = volume_random_name(name, err);
		if (r < 0)
			return r;
		mounts[i].source = arena_strdup(&c->arena, name);
		mounts[i].anonymous = true;
	}
	c->mounts = mounts;
	return 0;
}

/* Whether a volume will be made; decides only how carefully the rows are written. */
static bool is_new(struct engine *e, const struct config *c)
{
	for (size_t i = 0; i < c->n_mounts; i++) {
		_stmt_ sqlite3_stmt *q = NULL;
		const struct config_mount *m = &c->mounts[i];

		if (m->type != CONFIG_VOLUME)
			continue;
		q = volume_rows_prepare(e, "SELECT 1 FROM volumes WHERE name = ?1", NULL);
		if (!q || volume_rows_step(e, q, (const char *const[]){ m->source }, 1, NULL) != 1)
			return true;
	}
	return false;
}

/* Appends to *made the name of a volume that was not there. */
static int record_use(struct engine *e, int volumes, const struct config_mount *m, const char *id,
        char ***made, struct err *err)
{
	const struct volume_wanted w = {
		.name = m->source,
		.labels = (char *const *) (uintptr_t) m->volume_labels,
		.anonymous = m->anonymous,
	};
	int r = volume_make(e, volumes, &w, err);

	if (r < 0)
		return r;
	if (r > 0)
		strv_add(made, m->source);
	return volume_rows_run(e,
	        "INSERT OR IGNORE INTO volume_uses (container_id, volume) VALUES (?1, ?2)",
	        (const char *const[]){ id, m->source }, 2, err);
}

static int record_uses(
        struct engine *e, int volumes, const struct config *c, const char *id, struct err *err)
{
	_cleanup_(strv_freep) char **made = NULL;
	int r = volume_rows_begin(e, is_new(e, c), err);

	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < c->n_mounts; i++)
		if (c->mounts[i].type == CONFIG_VOLUME)
			r = record_use(e, volumes, &c->mounts[i], id, &made, err);
	r = volume_rows_end(e, r, err);
	for (char **name = made; r == 0 && name && *name; name++)
		volume_tell(e, *name, "create");
	return r;
}

static int fill_volumes(struct engine *e, const struct store_image *image, int volumes,
        const struct config *c, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->n_mounts; i++) {
		const struct config_mount *m = &c->mounts[i];

		if (m->type == CONFIG_VOLUME && !m->no_copy)
			r = volume_fill(
			        e, image, volumes, m->source, m->target, !m->anonymous, err);
	}
	return r;
}

int volumes_prepare(struct engine *e, const struct store_image *image, struct config *config,
        const char *container_id, struct err *err)
{
	_close_ int volumes = -EBADF;
	struct err ignored;
	int r;

	if (!has_volumes(config))
		return 0;
	r = name_volumes(config, err);
	if (r == 0)
		r = volume_folder_open(e, true, &volumes, err);
	if (r == 0)
		r = record_uses(e, volumes, config, container_id, err);
	if (r < 0)
		return r;
	r = fill_volumes(e, image, volumes, config, err);
	if (r < 0)
		(void) volumes_release(e, container_id, true, &ignored); /* the first error tells */
	return r;
}

/* --- release ---------------------------------------------------------------------------------- */

/* The names in the first column. */
static int list_names(
        struct engine *e, const char *sql, const char *id, char ***ret, struct err *err)
{
	_stmt_ sqlite3_stmt *q = volume_rows_prepare(e, sql, err);
	int r = q ? volume_rows_step(e, q, (const char *const[]){ id }, id ? 1 : 0, err) : -EIO;

	for (; r > 0; r = volume_rows_step(e, q, NULL, 0, err))
		strv_add(ret, (const char *) sqlite3_column_text(q, 0));
	return r;
}

static int forget_uses(struct engine *e, const char *id, struct err *err)
{
	int r = volume_rows_begin(e, false, err);

	if (r < 0)
		return r;
	r = volume_rows_run(e, "DELETE FROM volume_uses WHERE container_id = ?1",
	        (const char *const[]){ id }, 1, err);
	return volume_rows_end(e, r, err);
}

int volumes_release(
        struct engine *e, const char *container_id, bool with_anonymous, struct err *err)
{
	static const char used[] = "SELECT volume FROM volume_uses WHERE container_id = ?1";
	static const char own[] = "SELECT volume FROM volume_uses JOIN volumes ON name = volume"
	                          " WHERE container_id = ?1 AND anonymous = 1";
	_cleanup_(strv_freep) char **names = NULL, **anonymous = NULL;
	int r = list_names(e, used, container_id, &names, err);

	if (r == 0 && with_anonymous)
		r = list_names(e, own, container_id, &anonymous, err);
	if (r < 0 || !names)
		return r;
	r = forget_uses(e, container_id, err);
	for (char **name = anonymous; r == 0 && name && *name; name++) {
		r = volume_remove(e, *name, true, err);
		if (r == -EBUSY) /* another container has it too */
			r = 0;
	}
	return r;
}

/* --- sweep ------------------------------------------------------------------------------------ */

/* A container that is being made has a folder whose record is locked, and no row yet. */
static bool has_owner(struct engine *e, const char *id)
{
	_close_ int dir = path_open_in(
	        e->containers_fd, id, PATH_BENEATH_NO_LINKS, O_RDONLY | O_DIRECTORY, 0);
	struct record record;
	bool alive = false;
	int r;

	if (dir == -ENOENT)
		return false;
	r = dir < 0 ? dir : record_read(dir, &record, &alive);
	/* What cannot be read may belong to somebody. */
	return r == -ENOENT ? false : r < 0 || alive;
}

static void sweep_uses(struct engine *e)
{
	_cleanup_(strv_freep) char **ids = NULL;
	struct err ignored;

	if (list_names(e,
	            "SELECT DISTINCT container_id FROM volume_uses WHERE container_id NOT IN"
	            " (SELECT id FROM containers)",
	            NULL, &ids, &ignored) < 0)
		return;
	/* The anonymous ones are the container's own: nobody else will ever ask for them. */
	for (char **id = ids; id && *id; id++)
		if (!has_owner(e, *id))
			(void) volumes_release(e, *id, true, &ignored);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

static bool has_row(char *const *names, const char *name)
{
	return names && bsearch(&name, names, strv_len(names), sizeof(*names), by_text);
}

/* Looks again, now that nobody else can add a row, and removes the folder if it still has none. */
static void remove_orphan(struct engine *e, int volumes, const char *name)
{
	_cleanup_(strv_freep) char **gone = NULL, **found = NULL;
	struct err ignored;
	int r = volume_rows_begin(e, false, &ignored);

	if (r < 0)
		return;
	r = list_names(e, "SELECT name FROM volumes WHERE name = ?1", name, &found, &ignored);
	if (r == 0 && !found)
		r = volume_folder_retire(volumes, name, &gone, &ignored);
	(void) volume_rows_end(e, r, &ignored);
	volume_folder_delete(volumes, gone);
}

static void sweep_entry(struct engine *e, int volumes, char *const *names, const char *entry)
{
	if (str_has_prefix(entry, VOLUME_GONE))
		(void) tree_remove(volumes, entry);
	else if (str_has_prefix(entry, VOLUME_FILL))
		volume_fill_repair(volumes, entry + strlen(VOLUME_FILL));
	else if (str_has_prefix(entry, VOLUME_FULL))
		volume_fill_repair(volumes, entry + strlen(VOLUME_FULL));
	else if (volume_name_is_valid(entry) && !has_row(names, entry))
		remove_orphan(e, volumes, entry);
}

void volumes_sweep(struct engine *e)
{
	_cleanup_(strv_freep) char **names = NULL;
	_folder_list_ DIR *d = NULL;
	_close_ int volumes = -EBADF;
	struct err ignored;

	if (volume_folder_open(e, false, &volumes, &ignored) < 0)
		return;
	sweep_uses(e);
	/* The list before the folder: what is made in between is found by its row later. */
	if (list_names(e, "SELECT name FROM volumes ORDER BY name", NULL, &names, &ignored) < 0 ||
	        volume_folder_list(volumes, ".", &d) < 0)
		return;
	for (struct dirent *entry; (entry = volume_folder_next(d));)
		sweep_entry(e, volumes, names, entry->d_name);
}
