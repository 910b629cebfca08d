/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/volume_folder.h"

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "base/tree.h"
#include "engine/engine.h"
#include "engine/names.h"
#include "store/store.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	GONE_DIGITS = 24,
	BYTES_DEPTH_MAX = 64,
	BYTES_ENTRIES_MAX = 4000000,
};

char *volume_folder_path(struct engine *e)
{
	const char *fs = store_fs_path(e->store);

	return xprintf("%.*svolumes", (int) (strlen(fs) - strlen("fs")), fs);
}

int volume_folder_open(struct engine *e, bool make, int *ret_fd, struct err *err)
{
	int dir = store_dir(e->store), fd;

	if (make && mkdirat(dir, "volumes", 0700) < 0 && errno != EEXIST)
		return err_errno(err, -errno, "cannot make the folder of volumes");
	fd = path_open_in(dir, "volumes", PATH_BENEATH_NO_LINKS, O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return !make && fd == -ENOENT
		               ? fd
		               : err_errno(err, fd, "cannot open the folder of volumes");
	*ret_fd = fd;
	return 0;
}

int volume_folder_list(int dirfd, const char *name, DIR **ret)
{
	_close_ int fd = path_open_in(
	        dirfd, name, PATH_BENEATH_NO_LINKS, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	DIR *d;

	if (fd < 0)
		return TAKE_FD(fd);
	d = fdopendir(fd);
	if (!d)
		return -errno;
	(void) TAKE_FD(fd);
	*ret = d;
	return 0;
}

void volume_folder_list_done(DIR **d)
{
	if (*d)
		(void) closedir(*d);
}

struct dirent *volume_folder_next(DIR *d)
{
	struct dirent *e;

	do {
		errno = 0;
		e = readdir(d);
	} while (e && (streq(e->d_name, ".") || streq(e->d_name, "..")));
	return e;
}

int volume_folder_data(int volumes, const char *name)
{
	_free_ char *path = xprintf("%s/_data", name);

	return path_open_in(volumes, path, PATH_BENEATH_NO_LINKS, O_RDONLY | O_DIRECTORY, 0);
}

/* Containers see _data as their own folder: its mode does not depend on our umask. */
static int make_data(int volumes, const char *name)
{
	_free_ char *path = xprintf("%s/_data", name);
	_close_ int data = -EBADF;

	if (mkdirat(volumes, name, 0700) < 0 && errno != EEXIST)
		return -errno;
	if (mkdirat(volumes, path, 0755) < 0)
		return errno == EEXIST ? 0 : -errno;
	data = volume_folder_data(volumes, name);
	if (data < 0)
		return TAKE_FD(data);
	return fchmod(data, 0755) < 0 ? -errno : 0;
}

int volume_folder_make(int volumes, const char *name, bool fresh, struct err *err)
{
	_cleanup_(strv_freep) char **gone = NULL;
	int r = fresh ? volume_folder_retire(volumes, name, &gone, err) : 0;

	if (r < 0)
		return r;
	r = make_data(volumes, name);
	volume_folder_delete(volumes, gone);
	return r < 0 ? err_errno(err, r, "cannot make the folder of volume '%s'", name) : 0;
}

static int retire(int volumes, const char *prefix, const char *name, char ***gone)
{
	_free_ char *from = xprintf("%s%s", prefix, name), *to = NULL;
	char digits[GONE_DIGITS + 1];
	int r = name_random_hex(digits, GONE_DIGITS);

	if (r < 0)
		return r;
	to = xprintf(VOLUME_GONE "%s", digits);
	if (renameat2(volumes, from, volumes, to, RENAME_NOREPLACE) < 0)
		return errno == ENOENT ? 0 : -errno;
	strv_add(gone, to);
	return 0;
}

int volume_folder_retire(int volumes, const char *name, char ***gone, struct err *err)
{
	static const char *const prefixes[] = { "", VOLUME_FILL, VOLUME_FULL };
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(prefixes) && r == 0; i++)
		r = retire(volumes, prefixes[i], name, gone);
	return r < 0 ? err_errno(err, r, "cannot remove the folder of volume '%s'", name) : 0;
}

void volume_folder_delete(int volumes, char *const *gone)
{
	for (; gone && *gone; gone++)
		(void) tree_remove(volumes, *gone);
}

int volume_folder_is_empty(int fd)
{
	_folder_list_ DIR *d = NULL;
	int r = volume_folder_list(fd, ".", &d);

	if (r < 0)
		return r;
	if (volume_folder_next(d))
		return 0;
	return errno ? -errno : 1;
}

/* A file with several names counts its part for each. */
static void add_bytes(int parent, const char *name, int depth, uint64_t *entries, uint64_t *bytes)
{
	_folder_list_ DIR *d = NULL;

	if (depth == BYTES_DEPTH_MAX || volume_folder_list(parent, name, &d) < 0)
		return;
	for (struct dirent *e; (e = volume_folder_next(d)) && *entries < BYTES_ENTRIES_MAX;
	        (*entries)++) {
		const char *entry = e->d_name;
		struct stat st;

		if (fstatat(dirfd(d), entry, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (S_ISDIR(st.st_mode))
			add_bytes(dirfd(d), entry, depth + 1, entries, bytes);
		else if (S_ISREG(st.st_mode) && st.st_nlink > 0)
			*bytes += (uint64_t) st.st_size / st.st_nlink;
	}
}

uint64_t volume_folder_bytes(int volumes, const char *name)
{
	_free_ char *path = xprintf("%s/_data", name);
	uint64_t entries = 0, bytes = 0;

	add_bytes(volumes, path, 0, &entries, &bytes);
	return bytes;
}
