/* SPDX-License-Identifier: Apache-2.0 */
/* From an image to an empty volume; see volume_fill.h. */
#include "engine/volume_fill.h"

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "base/tree.h"
#include "engine/engine.h"
#include "engine/volume_folder.h"
#include "mount/mount.h"
#include "store/store.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* The lock lasts as long as the descriptor is open. */
static int lock_volume(int volumes, const char *name, bool wait)
{
	_close_ int fd = path_open_in(
	        volumes, name, PATH_BENEATH_NO_LINKS, O_RDONLY | O_DIRECTORY, 0);

	if (fd < 0)
		return TAKE_FD(fd);
	if (TEMP_FAILURE_RETRY(flock(fd, LOCK_EX | (wait ? 0 : LOCK_NB))) < 0)
		return -errno;
	return TAKE_FD(fd);
}

/* --- from .full-NAME to _data ----------------------------------------------------------------- */

/* Moves every entry, but for those whose name is taken. Returns the number moved. A folder that
 * shrinks while it is listed may hide entries, so this is called until nothing is left to move. */
static int move_pass(DIR *from, int to)
{
	int moved = 0;

	rewinddir(from);
	for (struct dirent *e; (e = volume_folder_next(from));)
		if (renameat2(dirfd(from), e->d_name, to, e->d_name, RENAME_NOREPLACE) == 0)
			moved++;
		else if (errno != EEXIST)
			return -errno;
	return errno ? -errno : moved;
}

static int move_on(int volumes, const char *name, struct err *err)
{
	_free_ char *full = xprintf(VOLUME_FULL "%s", name);
	_folder_list_ DIR *from = NULL;
	_close_ int data = -EBADF;
	int r = volume_folder_list(volumes, full, &from);
	struct stat st;

	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = data = volume_folder_data(volumes, name);
	if (r < 0 || fstat(dirfd(from), &st) < 0)
		return err_errno(err, r < 0 ? r : -errno, "cannot open volume '%s'", name);
	do
		r = move_pass(from, data);
	while (r > 0);
	if (r < 0)
		return err_errno(err, r, "cannot fill volume '%s'", name);
	r = volume_copy_attrs(dirfd(from), data, err);
	if (r < 0)
		return err_prefix(err, r, "volume '%s'", name);
	/* The time that it had before its entries left. */
	(void) futimens(data, (const struct timespec[]){ st.st_atim, st.st_mtim });
	r = tree_remove(volumes, full);
	return r < 0 ? err_errno(err, r, "cannot remove '%s' from the folder of volumes", full) : 0;
}

/* --- from the image to .full-NAME ------------------------------------------------------------- */

static int make_fill(int volumes, const char *fill, int *ret_fd, struct err *err)
{
	_close_ int fd = -EBADF;
	int r = tree_remove(volumes, fill);

	if (r == 0 && mkdirat(volumes, fill, 0700) < 0)
		r = -errno;
	if (r == 0)
		fd = path_open_in(volumes, fill, PATH_BENEATH_NO_LINKS, O_RDONLY | O_DIRECTORY, 0);
	if (r == 0 && fd < 0)
		r = fd;
	if (r == 0 && (mkdirat(fd, "tree", 0700) < 0 || mkdirat(fd, "links", 0700) < 0))
		r = -errno;
	if (r < 0)
		return err_errno(err, r, "cannot make a folder in the folder of volumes");
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static const uint64_t image_attrs = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
                                    MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOATIME;

/* A single layer is the image: without an overlay there are half as many mounts to let go of, and
 * each of those waits for every CPU. */
static int open_image(
        struct engine *e, const struct store_image *image, int *ret_fd, struct err *err)
{
	const char *fs = store_fs_path(e->store);
	const struct mount_overlay o = {
		.base = fs,
		.layers = (const char *const *) image->layers,
		.attr_set = image_attrs,
	};
	_free_ char *layer = xprintf("%s/%s", fs, image->layers[0]);

	return image->layers[1] ? mount_open_overlay(&o, ret_fd, err)
	                        : mount_open_root(layer, image_attrs, ret_fd, err);
}

/* Most images have an empty folder there, or none: that needs no child. Returns 1 when there is
 * something to copy. */
static int copy_folder_only(int root, const char *target, int data, struct err *err)
{
	_close_ int from = volume_child_open(root, target);
	int r = from < 0 ? from : volume_folder_is_empty(from);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return err_errno(err, r, "cannot open the folder in the image");
	return r == 0 ? 1 : volume_copy_attrs(from, data, err);
}

static int copy_whole(
        int volumes, const char *name, int root, const char *target, bool sync, struct err *err)
{
	_free_ char *fill = xprintf(VOLUME_FILL "%s", name);
	_free_ char *full = xprintf(VOLUME_FULL "%s", name);
	_close_ int fd = -EBADF;
	int r = make_fill(volumes, fill, &fd, err);

	if (r == 0)
		r = volume_child_copy(root, target, fd, err);
	if (r > 0 && sync && syncfs(fd) < 0)
		r = err_errno(err, -errno, "cannot write to the disk");
	if (r > 0 && renameat2(fd, "tree", volumes, full, RENAME_NOREPLACE) < 0)
		r = err_errno(err, -errno, "cannot move what was copied");
	(void) tree_remove(volumes, fill); /* else the next sweep */
	return r;
}

static int fill_empty(struct engine *e, const struct store_image *image, int volumes,
        const char *name, int data, const char *target, bool sync, struct err *err)
{
	_close_ int root = -EBADF;
	int r = open_image(e, image, &root, err);

	if (r == 0)
		r = copy_folder_only(root, target, data, err);
	if (r > 0)
		r = copy_whole(volumes, name, root, target, sync, err);
	if (r < 0)
		return err_prefix(err, r, "cannot fill volume '%s' with what the image has", name);
	return r > 0 ? move_on(volumes, name, err) : 0;
}

int volume_fill(struct engine *e, const struct store_image *image, int volumes, const char *name,
        const char *target, bool sync, struct err *err)
{
	_close_ int lock = -EBADF, data = -EBADF;
	int r;

	if (!image->layers || !*image->layers)
		return 0;
	lock = lock_volume(volumes, name, true);
	if (lock < 0)
		return err_errno(err, lock, "cannot lock volume '%s'", name);
	r = move_on(volumes, name, err);
	if (r < 0)
		return r;
	data = volume_folder_data(volumes, name);
	r = data < 0 ? data : volume_folder_is_empty(data);
	if (r < 0)
		return err_errno(err, r, "cannot look into volume '%s'", name);
	if (r == 0)
		return 0;
	return fill_empty(e, image, volumes, name, data, target, sync, err);
}

void volume_fill_repair(int volumes, const char *name)
{
	_free_ char *fill = xprintf(VOLUME_FILL "%s", name);
	_free_ char *full = xprintf(VOLUME_FULL "%s", name);
	_close_ int lock = lock_volume(volumes, name, false);
	struct err ignored;

	if (lock == -ENOENT)
		(void) tree_remove(volumes, full);
	if (lock < 0 && lock != -ENOENT)
		return;
	(void) tree_remove(volumes, fill);
	if (lock >= 0)
		(void) move_on(volumes, name, &ignored);
}
