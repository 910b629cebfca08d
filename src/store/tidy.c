/* SPDX-License-Identifier: Apache-2.0 */
/* Deleting what nobody refers to: leftovers of crashed commands, layers and blobs of removed
 * images. */
#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "base/tree.h"
#include "store/internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

struct place {
	const char *folder;
	const char *used; /* a row: the entry of that name is in use */
};

static const struct place places[] = {
	{ "fs/layers", "SELECT 1 FROM layers WHERE diff_id = ?1" },
	{ "blobs/sha256", "SELECT 1 FROM images WHERE id = ?1 OR manifest = ?1 UNION ALL "
	                  "SELECT 1 FROM image_layers WHERE blob = ?1 LIMIT 1" },
};

static void dir_done(DIR **d)
{
	if (*d)
		(void) closedir(*d);
}

static int is_used(struct store *s, const struct place *p, const char *name)
{
	_stmt_ sqlite3_stmt *q = db_prepare(s, p->used, NULL);

	return q ? db_step(s, q, (const char *const[]){ name }, 1, NULL) : -EIO;
}

/* A layer is first renamed into tmp/, so that a crash half-way leaves no half layer behind that
 * looks like a whole one. */
static void remove_unused(struct store *s, const struct place *p, int tmp)
{
	_cleanup_(dir_done) DIR *d = NULL;
	_close_ int fd = -EBADF;

	if (store_open_folder(s, p->folder, &fd, NULL) < 0)
		return;
	d = fdopendir(fd);
	if (!d)
		return;
	(void) TAKE_FD(fd);
	for (struct dirent *e; (e = readdir(d));) {
		if (streq(e->d_name, ".") || streq(e->d_name, "..") ||
		        is_used(s, p, e->d_name) != 0)
			continue;
		if (renameat(dirfd(d), e->d_name, tmp, e->d_name) == 0)
			(void) tree_remove(tmp, e->d_name);
	}
}

void store_tidy(struct store *s)
{
	_close_ int lock = -EBADF, tmp = -EBADF;

	if (store_lock(s, STORE_LOCK_TIDY, &lock, NULL) < 0 ||
	        store_open_folder(s, "tmp", &tmp, NULL) < 0)
		return;
	/* Failures: ignoring, nothing refers to what is left. */
	(void) tree_empty(tmp);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		remove_unused(s, &places[i], tmp);
}
