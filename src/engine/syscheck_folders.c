/* SPDX-License-Identifier: Apache-2.0 */
/* What lies in the folders and belongs to nothing. */
#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "engine/syscheck_internal.h"
#include "engine/locks.h"
#include "engine/volumes.h"
#include "store/store.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>

static void dir_done(DIR **d)
{
	if (*d)
		(void) closedir(*d);
}

/* A folder of the state folder, and what each name in it must be. */
struct place {
	const char *path;
	const char *prefix; /* of its name in lost+found */
	/* 1: it belongs to something; 0: it does not; negative errno. */
	int (*belongs)(struct syscheck *k, const char *name, struct err *err);
};

static int is_container(struct syscheck *k, const char *name, struct err *err)
{
	(void) err;
	return syscheck_is_id(name) && syscheck_is_known(k, name);
}

static int is_volume(struct syscheck *k, const char *name, struct err *err)
{
	_volume_done_ struct volume v = { .name = NULL };
	int r;

	/* What is being filled or removed (volume_folder.h): the next sweep's. */
	if (*name == '.')
		return 1;
	r = volume_name_is_valid(name) ? volume_find(k->e, name, &v, err) : -ENOENT;
	return r == -ENOENT ? 0 : r < 0 ? r : 1;
}

static const struct place places[] = {
	{ "containers", "container-", is_container },
	{ "fs/rw", "rw-", is_container },
	{ "volumes", "volume-", is_volume },
};

static void save(struct syscheck *k, const struct place *p, int dir, const char *name)
{
	_free_ char *as = xprintf("%s%s", p->prefix, name);
	struct err err = { .code = 0 };
	int r = syscheck_save(k, dir, name, as, &err);

	syscheck_done(k, r, "it was moved to '" SYSCHECK_LOST_FOLDER "'", &err);
}

static int check_entry(
        struct syscheck *k, const struct place *p, int dir, const char *name, struct err *err)
{
	_free_ char *shown = str_escaped(name);
	_free_ char *subject = xprintf("folder '%s/%s'", p->path, shown);
	int r = p->belongs(k, name, err);

	if (r != 0)
		return MIN(r, 0);
	if (syscheck_is_young(dir, name))
		return 0; /* somebody may be making it */
	syscheck_found(k, "moves it to '" SYSCHECK_LOST_FOLDER "'", subject, "belongs to nothing");
	if (k->flags & SYSCHECK_SAVE)
		save(k, p, dir, name);
	return 0;
}

static int open_place(struct syscheck *k, const char *path, DIR **ret)
{
	_close_ int fd = path_open_in(
	        store_dir(k->e->store), path, PATH_BENEATH_NO_LINKS, O_RDONLY | O_DIRECTORY, 0);

	if (fd < 0)
		return fd;
	*ret = fdopendir(fd);
	if (!*ret)
		return -errno;
	(void) TAKE_FD(fd);
	return 0;
}

static int check_place(struct syscheck *k, const struct place *p, struct err *err)
{
	_cleanup_(dir_done) DIR *d = NULL;
	int r = open_place(k, p->path, &d);

	if (r == -ENOENT)
		return 0; /* nothing of it was ever made */
	if (r < 0)
		return err_errno(err, r, "cannot open the folder '%s/%s'", k->e->root, p->path);
	for (struct dirent *e; r == 0 && (e = readdir(d));)
		if (!streq(e->d_name, ".") && !streq(e->d_name, ".."))
			r = check_entry(k, p, dirfd(d), e->d_name, err);
	return r;
}

/* --- locks of version 0.1 --------------------------------------------------------------------- */

static void check_lock(struct syscheck *k, int dir, const char *name)
{
	static const char suffix[] = ".lock";
	_free_ char *shown = str_escaped(name);
	_free_ char *subject = xprintf("file 'locks/%s'", shown);
	_free_ char *id = str_has_suffix(name, suffix)
	                          ? xstrndup(name, strlen(name) - strlen(suffix))
	                          : xstrdup(name);
	_close_ int lock = -EBADF;

	if (syscheck_is_known(k, id) || syscheck_is_young(dir, name))
		return;
	lock = lock_try(k->e->locks_fd, id);
	if (lock == -EWOULDBLOCK)
		return;
	syscheck_found(k, "removes it", subject, "is the lock of a container that is not there");
	if (k->flags & SYSCHECK_MEND && lock >= 0)
		syscheck_done(k, lock_remove(k->e->locks_fd, id), "the lock was removed", NULL);
}

static int check_locks(struct syscheck *k, struct err *err)
{
	_cleanup_(dir_done) DIR *d = NULL;
	int r = k->e->locks_fd < 0 ? -ENOENT : open_place(k, "locks", &d);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return err_errno(err, r, "cannot open the folder '%s/locks'", k->e->root);
	for (struct dirent *e; (e = readdir(d));)
		if (!streq(e->d_name, ".") && !streq(e->d_name, ".."))
			check_lock(k, dirfd(d), e->d_name);
	return 0;
}

int syscheck_folders(struct syscheck *k, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(places); i++)
		r = check_place(k, &places[i], err);
	return r < 0 ? r : check_locks(k, err);
}
