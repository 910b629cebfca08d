/* SPDX-License-Identifier: Apache-2.0 */
#include "base/tree.h"

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { NAME_TRIES = 1 << 16 };

static void dir_closep(DIR **d)
{
	if (*d)
		(void) closedir(*d);
}

static int open_dir(int dirfd, const char *name, DIR **ret)
{
	_close_ int fd = path_open_in(
	        dirfd, name, PATH_BENEATH_NO_LINKS, O_RDONLY | O_DIRECTORY, 0);
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

/* Unlinks a file or an empty folder. -ENOTEMPTY: a folder with something in it. */
static int remove_one(int dirfd, const char *name)
{
	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	if (unlinkat(dirfd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	return errno == EEXIST ? -ENOTEMPTY : -errno;
}

/* Moves a folder with content up into topfd, under a number that is free. */
static int lift(int dirfd, const char *name, int topfd, unsigned long *number)
{
	for (int i = 0; i < NAME_TRIES; i++) {
		char to[32];

		(void) snprintf(to, sizeof(to), "%lu", (*number)++);
		if (renameat2(dirfd, name, topfd, to, RENAME_NOREPLACE) == 0)
			return 0;
		if (errno != EEXIST)
			return -errno;
	}
	return -EEXIST;
}

/* Empties the folder 'name' of topfd; its folders with content end up in topfd. */
static int flatten(int topfd, const char *name, unsigned long *number)
{
	_cleanup_(dir_closep) DIR *d = NULL;
	int r = open_dir(topfd, name, &d);

	if (r < 0)
		return r;
	for (struct dirent *e; (errno = 0, e = readdir(d));) {
		if (streq(e->d_name, ".") || streq(e->d_name, ".."))
			continue;
		r = remove_one(dirfd(d), e->d_name);
		if (r == -ENOTEMPTY)
			r = lift(dirfd(d), e->d_name, topfd, number);
		if (r < 0)
			return r;
	}
	return -errno;
}

/* One pass over the folder. Returns the number of entries it met, or a negative errno. */
static int pass(DIR *d, unsigned long *number)
{
	int seen = 0, r;

	rewinddir(d);
	for (struct dirent *e; (errno = 0, e = readdir(d));) {
		if (streq(e->d_name, ".") || streq(e->d_name, ".."))
			continue;
		seen = 1;
		r = remove_one(dirfd(d), e->d_name);
		if (r == -ENOTEMPTY) {
			r = flatten(dirfd(d), e->d_name, number);
			if (r == 0)
				r = remove_one(dirfd(d), e->d_name);
			/* Entries that a long listing missed are met by the next pass. */
			if (r == -ENOTEMPTY)
				r = 0;
		}
		if (r < 0)
			return r;
	}
	return errno ? -errno : seen;
}

int tree_empty(int fd)
{
	_cleanup_(dir_closep) DIR *d = NULL;
	unsigned long number = 0;
	int r = open_dir(fd, ".", &d);

	if (r < 0)
		return r;
	do
		r = pass(d, &number);
	while (r > 0);
	return r;
}

int tree_remove(int dirfd, const char *name)
{
	_close_ int fd = -EBADF;
	int r = remove_one(dirfd, name);

	if (r != -ENOTEMPTY)
		return r;
	fd = path_open_in(dirfd, name, PATH_BENEATH_NO_LINKS, O_PATH | O_DIRECTORY, 0);
	if (fd < 0)
		return TAKE_FD(fd);
	r = tree_empty(fd);
	return r < 0 ? r : remove_one(dirfd, name);
}
