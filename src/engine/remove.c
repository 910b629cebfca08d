/* SPDX-License-Identifier: Apache-2.0 */
/* Removing containers, and finishing what killed owners left. */
#include "base/fd.h"
#include "base/str.h"
#include "base/tree.h"
#include "engine/containers.h"
#include "engine/events.h"
#include "engine/groups.h"
#include "engine/life.h"
#include "engine/locks.h"
#include "engine/rows.h"
#include "engine/volumes.h"
#include "proc/proc.h"
#include "shim/message.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	LOCK_WAIT_MS = 300, /* for a shim that has just said that it ends */
	KILL_WAIT_MS = 10000,
	MANY_ROWS = 64, /* more are not looked at by every single command */
	REPAIR_EVERY_S = 10,
};

static int64_t now_ns(void)
{
	struct timespec t;

	(void) clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* --- remove ----------------------------------------------------------------------------------- */

/* Under the lock. */
static int remove_locked(
        struct engine *e, struct container *c, int lock, bool volumes, struct err *err)
{
	int r;

	/* From here on the next command finishes it. */
	c->record.state = RECORD_REMOVING;
	r = record_write(lock, &c->record);
	if (r < 0)
		return err_errno(err, r, "cannot write the record of container '%.12s'", c->id);
	r = volumes_release(e, c->id, volumes, err);
	if (r == 0)
		r = container_remove_traces(e, c->id, c->cgroup, err);
	if (r == 0)
		events_container(e, c, "destroy", NULL, 0);
	return r;
}

static int still_running(const struct container *c, struct err *err)
{
	return err_set(err, -EBUSY,
	        "You cannot remove a %s container %s. Stop the container before attempting removal or force remove",
	        container_status(c), c->id);
}

int container_remove(struct engine *e, struct container *c, unsigned int flags, struct err *err)
{
	bool force = flags & CONTAINER_REMOVE_FORCE;
	struct record record;
	_close_ int lock = record_lock(c->dir, LOCK_WAIT_MS, &record);
	int r;

	if (lock == -EWOULDBLOCK && !force) {
		r = container_look(e, c, err);
		return r < 0 ? r : still_running(c, err);
	}
	if (lock == -EWOULDBLOCK) {
		r = life_end(e, c, err);
		if (r < 0)
			return r;
		lock = record_lock(c->dir, KILL_WAIT_MS, &record);
	}
	if (lock == -ENOENT)
		/* Another command has removed it, or a file is missing: what is left goes. */
		return container_remove_traces(e, c->id, c->cgroup, err);
	if (lock < 0)
		return err_errno(err, lock, "cannot take the lock of container '%.12s'", c->id);
	c->record = record;
	return remove_locked(e, c, lock, flags & CONTAINER_REMOVE_VOLUMES, err);
}

int container_reap(struct engine *e, struct container *c, struct err *err)
{
	struct record record;
	_close_ int lock = record_lock(c->dir, KILL_WAIT_MS, &record);

	if (lock == -ENOENT)
		return 0;
	if (lock < 0)
		return err_errno(err, lock, "cannot take the lock of container '%.12s'", c->id);
	c->record = record;
	return remove_locked(e, c, lock, true, err);
}

/* --- repair ----------------------------------------------------------------------------------- */

/* A shim that was killed, or the machine went down: its end is written down. */
static int write_end(struct engine *e, struct container *c, int lock, struct err *err)
{
	struct record *r = &c->record;
	const struct oci_kv code = { "exitCode", "137" };
	char boot[RECORD_BOOT_ID_SIZE];
	bool same_boot = proc_boot_id(boot) == 0 && streq(boot, r->boot_id);
	int k = groups_remove(c->cgroup, err);

	if (k < 0)
		return k;
	r->state = r->started ? RECORD_EXITED : RECORD_CREATED;
	r->pid = 0;
	r->exit_code = CONTAINER_CODE_LOST;
	r->finished = now_ns();
	r->health = r->health ? RECORD_HEALTH_UNHEALTHY : RECORD_HEALTH_NONE;
	(void) snprintf(r->error, sizeof(r->error), "%s",
	        same_boot ? "the shim of the container was killed"
	                  : "the machine went down while the container ran");
	k = record_write(lock, r);
	if (k < 0)
		return err_errno(err, k, "cannot write the record of container '%.12s'", c->id);
	events_container(e, c, "die", &code, 1);
	return 0;
}

static bool is_unfinished(const struct record *r)
{
	return r->state == RECORD_STARTING || r->state == RECORD_RUNNING ||
	       r->state == RECORD_RESTARTING;
}

/* True when nobody owns it and something has to be done. */
static bool needs_repair(struct engine *e, const struct container *c)
{
	_free_ char *path = xprintf("%s/" RECORD_FILE, c->id);
	_free_ char *sock = xprintf("%s/" SHIM_SOCKET, c->id);
	struct record r;
	struct stat st;
	bool alive;

	if (record_read_at(e->containers_fd, path, &r, &alive) < 0 || alive)
		return false; /* missing or damaged ones are for 'system check' */
	if (is_unfinished(&r) || r.state == RECORD_REMOVING ||
	        (r.state == RECORD_EXITED && c->auto_remove))
		return true;
	/* A shim that was killed after it had written the end down leaves its socket. */
	return fstatat(e->containers_fd, sock, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static int repair_one(struct engine *e, struct container *c, struct err *err)
{
	_close_ int dir = openat(
	        e->containers_fd, c->id, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	_close_ int lock = dir < 0 ? -errno : record_lock(dir, 0, &c->record);
	int r = 0;

	if (lock < 0)
		return 0;                     /* gone, or somebody was quicker */
	(void) unlinkat(dir, SHIM_SOCKET, 0); /* nobody listens on it */
	if (is_unfinished(&c->record))
		r = write_end(e, c, lock, err);
	if (r == 0 && (c->record.state == RECORD_REMOVING ||
	                      (c->record.state == RECORD_EXITED && c->auto_remove)))
		r = remove_locked(e, c, lock, true, err);
	return r;
}

/* Containers of version 0.1: the owner holds locks/ID.lock. */
static int repair_old(struct engine *e, const char *id, const char *group, struct err *err)
{
	_close_ int lock = e->locks_fd < 0 ? -ENOENT : lock_try(e->locks_fd, id);
	int r;

	if (lock == -EWOULDBLOCK)
		return 0;
	if (lock < 0 && lock != -ENOENT)
		return err_errno(err, lock, "cannot look at the lock of container '%.12s'", id);
	r = container_remove_traces(e, id, group, err);
	if (r == 0 && e->locks_fd >= 0)
		r = lock_remove(e->locks_fd, id);
	return r;
}

/* --- what has no row -------------------------------------------------------------------------- */

static bool has_row(const struct container_list *list, const char *id)
{
	for (size_t i = 0; i < list->n; i++)
		if (streq(list->items[i].id, id))
			return true;
	return false;
}

/* A folder without a row and without an owner is that of a command that was killed before it had
 * made a row, or after it had removed it. */
static void sweep_one(struct engine *e, const char *id)
{
	_close_ int dir = openat(
	        e->containers_fd, id, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	_close_ int lock = -EBADF;
	struct container c = CONTAINER_INIT;
	struct record record;
	struct err ignored;

	if (dir < 0)
		return;
	lock = record_lock(dir, 0, &record);
	if (lock == -EWOULDBLOCK)
		return;
	/* The list of rows may be older than the row. */
	if (rows_find(e, id, &c, &ignored) == 0) {
		(void) volumes_release(e, id, true, &ignored);
		(void) container_remove_traces(e, id, NULL, &ignored);
	}
	container_done(&c);
}

/* One that was not given its name yet: left alone while anybody makes one (CONTAINER_HALF_PREFIX).
 */
static void sweep_half(struct engine *e, const char *name)
{
	if (flock(e->containers_fd, LOCK_EX | LOCK_NB) < 0)
		return;
	(void) tree_remove(e->containers_fd, name); /* failing: the next time */
	(void) flock(e->containers_fd, LOCK_UN);
}

static void sweep(struct engine *e, const struct container_list *rows)
{
	int copy = fd_dup(e->containers_fd);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);

	if (!dir) {
		fd_close(copy);
		return;
	}
	rewinddir(dir);
	for (struct dirent *d; (d = readdir(dir));)
		if (str_has_prefix(d->d_name, CONTAINER_HALF_PREFIX))
			sweep_half(e, d->d_name);
		else if (strlen(d->d_name) == STORE_ID_SIZE - 1 && !has_row(rows, d->d_name))
			sweep_one(e, d->d_name);
	(void) closedir(dir);
	volumes_sweep(e);
}

/* With many containers the look at each of them costs more than most commands: once in a while is
 * enough then, since what is looked at by name is settled in any case. */
static bool is_due(struct engine *e, size_t rows)
{
	struct stat st;
	bool recent = fstatat(store_dir(e->store), "repaired", &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	              time(NULL) - st.st_mtim.tv_sec < REPAIR_EVERY_S &&
	              time(NULL) >= st.st_mtim.tv_sec;
	_close_ int fd = -EBADF;

	if (rows <= MANY_ROWS)
		return true;
	if (recent)
		return false;
	fd = openat(
	        store_dir(e->store), "repaired", O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd >= 0)
		(void) futimens(fd, NULL);
	return true;
}

int engine_repair(struct engine *e, struct err *err)
{
	_container_list_done_ struct container_list list = { .n = 0 };
	_cleanup_(strv_freep) char **old = NULL;
	int r = rows_list(e, &list, err);

	if (r == 0)
		r = rows_list_old(e, &old, err);
	for (char **row = old; r == 0 && row && row[0]; row += 2)
		r = repair_old(e, row[0], row[1], err);
	if (r < 0 || !is_due(e, list.n))
		return r;
	for (size_t i = 0; r == 0 && i < list.n; i++)
		if (needs_repair(e, &list.items[i]))
			r = repair_one(e, &list.items[i], err);
	sweep(e, &list);
	return r;
}
