/* SPDX-License-Identifier: Apache-2.0 */
/* Making containers: folders, configuration, volumes, and last the row that says that they exist.
 */
#include "base/fd.h"
#include "base/str.h"
#include "base/tree.h"
#include "engine/containers.h"
#include "engine/events.h"
#include "engine/groups.h"
#include "engine/names.h"
#include "engine/request.h"
#include "engine/rows.h"
#include "engine/volumes.h"
#include "shim/settings.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { MADE_UP_TRIES = 20 };

static int64_t now_ns(void)
{
	struct timespec t;

	(void) clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* --- names ------------------------------------------------------------------------------------ */

static int name_taken(const char *name, const char *owner, struct err *err)
{
	return err_set(err, -EEXIST,
	        "Conflict. The container name \"/%s\" is already in use by container \"%s\". You have to remove (or rename) that container to be able to reuse that name.",
	        name, owner);
}

static int check_name(const char *name, struct err *err)
{
	_free_ char *shown = str_escaped(name);

	if (container_name_is_valid(name))
		return 0;
	return err_set(err, -EINVAL,
	        "Invalid container name (%s), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed", shown);
}

/* Before anything is made; the transaction at the end has the last word. */
static int name_is_free(struct engine *e, const char *name, struct err *err)
{
	char owner[STORE_ID_SIZE];
	int r = check_name(name, err);

	if (r == 0)
		r = rows_name_owner(e, name, owner, err);
	if (r == 0 && *owner)
		r = name_taken(name, owner, err);
	return r;
}

/* --- folders ---------------------------------------------------------------------------------- */

/* fs/rw/ID with the overlay's two folders. The upper folder is the container's "/": 0755 whatever
 * our umask is. */
static int make_writable(struct engine *e, const char *id, struct err *err)
{
	_close_ int fs = openat(
	        store_dir(e->store), "fs", O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	_close_ int own = -EBADF, upper = -EBADF;
	_free_ char *path = xprintf("rw/%s", id);
	static const char sentence[] = "cannot make the writable folder of the container";

	if (fs < 0 || (mkdirat(fs, "rw", 0700) < 0 && errno != EEXIST) ||
	        mkdirat(fs, path, 0700) < 0)
		return err_errno(err, -errno, "%s", sentence);
	own = openat(fs, path, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (own < 0 || mkdirat(own, "upper", 0755) < 0 || mkdirat(own, "work", 0700) < 0)
		return err_errno(err, -errno, "%s", sentence);
	upper = openat(own, "upper", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (upper < 0 || fchmod(upper, 0755) < 0)
		return err_errno(err, -errno, "%s", sentence);
	return 0;
}

/* The folder gets its name when its record is locked: a folder of that name without an owner is a
 * leftover for others. */
static int make_named(struct engine *e, struct container *c, const struct record *first,
        int *ret_lock, struct err *err)
{
	static const char sentence[] = "cannot make the folder of the container";
	_free_ char *half = xprintf(CONTAINER_HALF_PREFIX "%s", c->id);
	_close_ int lock = -EBADF;

	if (mkdirat(e->containers_fd, half, 0700) < 0)
		return err_errno(err, -errno, "%s", sentence);
	c->dir = openat(e->containers_fd, half, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (c->dir < 0 || mkdirat(c->dir, "logs", 0700) < 0)
		return err_errno(err, -errno, "%s", sentence);
	lock = record_make(c->dir, first);
	if (lock < 0)
		return err_errno(err, lock, "cannot make the record of the container");
	if (renameat(e->containers_fd, half, e->containers_fd, c->id) < 0)
		return err_errno(err, -errno, "%s", sentence);
	*ret_lock = TAKE_FD(lock);
	return 0;
}

static int make_own(struct engine *e, struct container *c, const struct record *first,
        int *ret_lock, struct err *err)
{
	int r;

	if (flock(e->containers_fd, LOCK_SH) < 0)
		return err_errno(err, -errno, "cannot lock the folder of containers");
	r = make_named(e, c, first, ret_lock, err);
	(void) flock(e->containers_fd, LOCK_UN);
	return r;
}

static int remove_writable(struct engine *e, const char *id, struct err *err)
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

static int remove_own(struct engine *e, const char *id, struct err *err)
{
	int r = tree_remove(e->containers_fd, id);

	return r < 0 ? err_errno(err, r, "cannot remove the folder of container '%.12s'", id) : 0;
}

int container_remove_traces(struct engine *e, const char *id, const char *cgroup, struct err *err)
{
	int r = cgroup && *cgroup ? groups_remove(cgroup, err) : 0;

	if (r == 0)
		r = remove_writable(e, id, err);
	if (r == 0)
		r = rows_delete(e, id, err);
	/* Last: the folder holds the lock. */
	return r < 0 ? r : remove_own(e, id, err);
}

/* --- create ----------------------------------------------------------------------------------- */

static int resolve(struct engine *e, const struct store_image *image, struct config *config,
        bool has_entrypoint, const char *id, struct err *err)
{
	_cleanup_(oci_image_freep) struct oci_image *doc = NULL;
	int r = store_image_config(e->store, image, &doc, err);

	if (r == 0)
		r = config_resolve(config, has_entrypoint, doc, id, err);
	if (r == 0)
		r = config_check(config, err);
	return r;
}

/* The row; a made-up name that is taken is made up again. */
static int insert_named(struct engine *e, struct container *c, const char *name, struct err *err)
{
	char owner[STORE_ID_SIZE];
	int r = 1;

	for (int i = 0; i < (name ? 1 : MADE_UP_TRIES) && r == 1; i++) {
		free(c->name);
		c->name = name ? xstrdup(name) : name_made_up();
		r = rows_insert(e, c, err);
	}
	if (r <= 0)
		return r;
	r = rows_name_owner(e, c->name, owner, err);
	return r < 0 ? r : name_taken(c->name, owner, err);
}

static int fill(struct engine *e, const struct store_image *image, struct config *config,
        bool has_entrypoint, const char *name, struct container *c, struct err *err)
{
	const struct record first = { .state = RECORD_CREATED };
	_close_ int lock = -EBADF;
	int r = resolve(e, image, config, has_entrypoint, c->id, err);

	if (r == 0)
		r = groups_path(config->cgroup_parent, c->id, &c->cgroup, err);
	if (r == 0)
		r = make_own(e, c, &first, &lock, err);
	if (r == 0)
		r = make_writable(e, c->id, err);
	if (r == 0 && config->n_mounts > 0)
		r = volumes_prepare(e, image, config, c->id, err);
	if (r == 0)
		r = container_write_config(c, config, err);
	if (r < 0)
		return r;
	c->image = xstrdup(config->image);
	c->command = config_command(config);
	c->auto_remove = config->auto_remove;
	c->created = now_ns();
	c->record = first;
	return insert_named(e, c, name, err);
}

int container_create(struct engine *e, const struct store_image *image, struct config *config,
        bool has_entrypoint, const char *name, struct container *ret, struct err *err)
{
	_container_done_ struct container c = CONTAINER_INIT;
	struct err ignored;
	int r = name ? name_is_free(e, name, err) : 0;

	if (r == 0) {
		r = name_random_hex(c.id, STORE_ID_SIZE - 1);
		if (r < 0)
			return err_errno(err, r, "cannot make an id");
		memcpy(c.image_id, image->id, sizeof(c.image_id));
		r = fill(e, image, config, has_entrypoint, name, &c, err);
		if (r < 0) {
			/* The first error is the one to tell. */
			(void) volumes_release(e, c.id, true, &ignored);
			(void) container_remove_traces(e, c.id, NULL, &ignored);
		}
	}
	if (r < 0)
		return r;
	events_container(e, &c, "create", config->labels, config->n_labels);
	*ret = c;
	c = (struct container) CONTAINER_INIT;
	return 0;
}

/* --- changes of the row ----------------------------------------------------------------------- */

int container_rename(struct engine *e, struct container *c, const char *name, struct err *err)
{
	const char *bare = *name == '/' ? name + 1 : name;
	struct oci_kv old = { "oldName", NULL };
	_free_ char *before = xprintf("/%s", c->name);
	int r;

	if (streq(bare, c->name))
		return err_set(err, -EINVAL,
		        "Renaming a container with the same name as its current name");
	r = name_is_free(e, bare, err);
	if (r == 0)
		r = rows_set_text(e, "name", c->id, bare, err);
	if (r == -EEXIST)
		r = name_is_free(e, bare, err); /* somebody was quicker */
	if (r < 0)
		return r;
	free(c->name);
	c->name = xstrdup(bare);
	old.value = before;
	events_container(e, c, "rename", &old, 1);
	return 0;
}

int container_set_stopped(struct engine *e, struct container *c, bool stopped, struct err *err)
{
	int r = c->stopped == stopped ? 0 : rows_set_number(e, "stopped", c->id, stopped, err);

	if (r == 0)
		c->stopped = stopped;
	return r;
}

int container_set_paused(struct engine *e, struct container *c, int64_t started, struct err *err)
{
	int r = c->paused == started ? 0 : rows_set_number(e, "paused", c->id, started, err);

	if (r == 0)
		c->paused = started;
	return r;
}
