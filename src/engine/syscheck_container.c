/* SPDX-License-Identifier: Apache-2.0 */
/* Each row of a container with its folders, record, configuration, socket and groups. */
#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "engine/syscheck_internal.h"
#include "engine/groups.h"
#include "engine/rows.h"
#include "engine/volumes.h"
#include "shim/message.h"
#include "store/store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* One container while it is looked at. */
struct subject {
	struct syscheck *k;
	struct container *c;
	char *name; /* "container 'web' (0123456789ab)" */
	int dir;    /* its folder; negative: gone */
	/* Its record, or why there is none (-ENOENT, -EBADMSG). */
	struct record record;
	int read;
	/* Held while something is mended: from there on the record must not be opened again. */
	int lock;
};

static void subject_done(struct subject *s)
{
	free(s->name);
	fd_close(s->lock);
	fd_close(s->dir);
}

static bool mends(const struct subject *s)
{
	return s->k->flags & SYSCHECK_MEND;
}

/* --- what cannot be used any more ------------------------------------------------------------- */

static int save_folder(
        struct syscheck *k, const char *parent, const char *id, const char *as, struct err *err)
{
	_close_ int dir = path_open_in(
	        store_dir(k->e->store), parent, PATH_BENEATH_NO_LINKS, O_PATH | O_DIRECTORY, 0);
	struct stat st;

	if (dir < 0 || fstatat(dir, id, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	return syscheck_save(k, dir, id, as, err);
}

/* Its configuration is gone, so nobody can start it; what it has written may still be wanted. */
static void give_up(const struct subject *s)
{
	struct syscheck *k = s->k;
	const char *id = s->c->id;
	_free_ char *rw = xprintf("rw-%s", id), *own = xprintf("container-%s", id);
	struct err err = { .code = 0 };
	int r;

	if (!mends(s))
		return;
	r = groups_remove(s->c->cgroup, &err);
	if (r == 0)
		r = save_folder(k, "fs/rw", id, rw, &err);
	if (r == 0)
		r = save_folder(k, "containers", id, own, &err);
	if (r == 0)
		r = volumes_release(k->e, id, false, &err);
	if (r == 0)
		r = rows_delete(k->e, id, &err);
	syscheck_done(k, r,
	        "its folders were moved to '" SYSCHECK_LOST_FOLDER "' and its row was deleted",
	        &err);
}

#define GIVES_UP "moves its folders to '" SYSCHECK_LOST_FOLDER "' and deletes its row"

/* True when it can be used. */
static bool check_config(const struct subject *s)
{
	_config_free_ struct config *config = NULL;
	struct err err = { .code = 0 };
	struct container c = *s->c;

	if (s->dir < 0) {
		syscheck_found(
		        s->k, GIVES_UP, s->name, "has lost its folder 'containers/%s'", s->c->id);
		return false;
	}
	c.dir = s->dir;
	if (container_config(s->k->e, &c, &config, &err) == 0)
		return true;
	syscheck_found(s->k, GIVES_UP, s->name, "has lost its configuration: %s", err.text);
	return false;
}

/* --- the record ------------------------------------------------------------------------------- */

static void write_record(struct subject *s)
{
	const struct record record = {
		.state = RECORD_EXITED,
		.exit_code = 255,
		.error = "the record of its state was lost",
	};
	int r = 0;

	if (s->lock < 0)
		s->lock = record_make(s->dir, &record);
	else
		r = record_write(s->lock, &record);
	syscheck_done(s->k, s->lock < 0 ? s->lock : r, "a record was written: exited", NULL);
}

/* Between the shim that has let go and the one that removes it: no fault yet. */
static bool is_young_end(const struct record *r)
{
	int64_t age_s = time(NULL) - r->finished / INT64_C(1000000000);

	return age_s >= 0 && age_s < SYSCHECK_YOUNG_S;
}

/* What the next command that writes does by itself (engine_repair). */
static const char *unfinished(const struct container *c, const struct record *r)
{
	switch (r->state) {
	case RECORD_STARTING:
	case RECORD_RUNNING:
	case RECORD_RESTARTING:
		return "is said to run, but its shim is dead";
	case RECORD_REMOVING:
		return "is half removed";
	default:
		return r->state == RECORD_EXITED && c->auto_remove && !is_young_end(r)
		               ? "has ended and should have been removed (--rm)"
		               : NULL;
	}
}

static void check_record(struct subject *s)
{
	const char *problem = s->read == 0 ? unfinished(s->c, &s->record) : NULL;

	/* Opening the engine for writing has mended it; that it is still there is a finding. */
	if (problem)
		syscheck_found(s->k, "finishes it", s->name, "%s", problem);
	if (s->read == 0)
		return;
	syscheck_found(s->k, "writes one that says 'exited'", s->name, "%s",
	        s->read == -ENOENT ? "has lost its record" : "has a record that is damaged");
	if (mends(s))
		write_record(s);
}

/* --- what a dead shim leaves ------------------------------------------------------------------ */

static void check_socket(const struct subject *s)
{
	struct stat st;

	if (fstatat(s->dir, SHIM_SOCKET, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	syscheck_found(s->k, "removes it", s->name, "has the socket of a shim that is dead");
	if (mends(s))
		syscheck_done(s->k, unlinkat(s->dir, SHIM_SOCKET, 0) < 0 ? -errno : 0,
		        "the socket was removed", NULL);
}

static bool is_alive(int dir)
{
	struct record record;
	bool alive = false;

	(void) record_read(dir, &record, &alive);
	return alive;
}

static void check_groups(const struct subject *s)
{
	struct cgroup_handle handle = CGROUP_HANDLE_INIT;
	struct err err = { .code = 0 };
	int r = groups_open(s->c->cgroup, &handle, &err);

	cgroup_handle_done(&handle);
	/* It may have been started meanwhile. */
	if (r < 0 || (!mends(s) && is_alive(s->dir)))
		return;
	syscheck_found(s->k, "kills what is in them and removes them", s->name,
	        "does not run but has control groups '%s'", s->c->cgroup);
	if (mends(s)) {
		r = groups_remove(s->c->cgroup, &err);
		syscheck_done(s->k, r, "the control groups were removed", &err);
	}
}

/* --- the writable folder ---------------------------------------------------------------------- */

static int make_one(int dir, const char *name, mode_t mode)
{
	return mkdirat(dir, name, mode) < 0 && errno != EEXIST ? -errno : 0;
}

static int make_writable(const struct subject *s)
{
	_close_ int fs = path_make_dirs_in(store_dir(s->k->e->store), "fs/rw", 0700);
	_close_ int own = -EBADF;
	int r = fs < 0 ? fs : make_one(fs, s->c->id, 0700);

	if (r < 0)
		return r;
	own = path_open_in(fs, s->c->id, PATH_BENEATH_NO_LINKS, O_PATH | O_DIRECTORY, 0);
	if (own < 0)
		return own;
	r = make_one(own, "upper", 0755);
	return r < 0 ? r : make_one(own, "work", 0700);
}

static void check_writable(const struct subject *s)
{
	static const char *const parts[] = { "upper", "work" };

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		_free_ char *path = xprintf("fs/rw/%s/%s", s->c->id, parts[i]);
		_close_ int fd = path_open_in(store_dir(s->k->e->store), path,
		        PATH_BENEATH_NO_LINKS, O_PATH | O_DIRECTORY, 0);

		if (fd >= 0)
			continue;
		syscheck_found(s->k, "makes an empty one", s->name,
		        "has lost its writable folder '%s'", path);
		if (mends(s))
			syscheck_done(s->k, make_writable(s), "an empty folder was made", NULL);
		return;
	}
}

/* --- all of them ------------------------------------------------------------------------------ */

/* False: somebody owns it, and what it is like is the owner's business. */
static bool take(struct subject *s)
{
	struct record ignored;
	bool alive = false;

	if (s->dir < 0)
		return true;
	s->read = record_read(s->dir, &s->record, &alive);
	if (alive || !mends(s))
		return !alive;
	s->lock = record_lock(s->dir, 0, &ignored);
	return s->lock != -EWOULDBLOCK;
}

static void check_one(struct syscheck *k, struct container *c)
{
	_cleanup_(subject_done) struct subject s = {
		.k = k,
		.c = c,
		.name = xprintf("container '%s' (%.12s)", c->name, c->id),
		.dir = path_open_in(k->e->containers_fd, c->id, PATH_BENEATH_NO_LINKS,
		        O_RDONLY | O_DIRECTORY, 0),
		.lock = -EBADF,
	};

	if (!take(&s))
		return;
	if (!check_config(&s)) {
		give_up(&s);
		return;
	}
	check_writable(&s);
	check_record(&s);
	check_socket(&s);
	check_groups(&s);
}

int syscheck_containers(struct syscheck *k, struct err *err)
{
	(void) err;
	for (size_t i = 0; i < k->rows.n; i++)
		check_one(k, &k->rows.items[i]);
	return 0;
}
