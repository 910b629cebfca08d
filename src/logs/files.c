/* SPDX-License-Identifier: Apache-2.0 */
#include "logs/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "logs/config.h"

enum { TRIES = 100 };

struct entry {
	uint32_t number; /* 0 is 'log' */
	dev_t dev;
	ino_t ino;
};

/* Sorted by number: the newest first. */
struct listing {
	size_t n;
	struct entry list[LOG_FILES_MAX + 2];
};

static void name_of(uint32_t number, char out[16])
{
	if (number == 0)
		(void) snprintf(out, 16, "log");
	else
		(void) snprintf(out, 16, "log.%u", (unsigned) number);
}

static bool number_of(const char *name, uint32_t *ret)
{
	char same[16];

	*ret = 0;
	if (streq(name, "log"))
		return true;
	if (!str_has_prefix(name, "log.") || num_parse_u32(name + 4, ret) < 0)
		return false;
	if (*ret == 0 || *ret > LOG_FILES_MAX)
		return false;
	name_of(*ret, same);
	return streq(name, same); /* not log.01 */
}

static bool stat_number(int dirfd, uint32_t number, struct stat *st)
{
	char name[16];

	name_of(number, name);
	return fstatat(dirfd, name, st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st->st_mode);
}

static void closedirp(DIR **d)
{
	if (*d)
		(void) closedir(*d);
}

/* The highest number that the folder shows. Names that are being changed may be left out. */
static int highest(int dirfd, uint32_t *ret)
{
	_close_ int fd = path_open_in(
	        dirfd, ".", PATH_BENEATH_NO_LINKS, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	_cleanup_(closedirp) DIR *d = NULL;
	struct dirent *e;
	uint32_t number;

	*ret = 0;
	if (fd < 0)
		return fd;
	d = fdopendir(fd);
	if (!d)
		return -errno;
	(void) TAKE_FD(fd);
	while ((e = readdir(d)))
		if (number_of(e->d_name, &number))
			*ret = MAX(*ret, number);
	return 0;
}

/* Looks from the newest to the oldest, as files move, so that one that moves meanwhile is seen
 * twice rather than never. */
static int list(int dirfd, struct listing *l)
{
	uint32_t max;
	int r = highest(dirfd, &max);

	l->n = 0;
	if (r < 0)
		return r;
	for (uint32_t number = 0; number <= MIN(max + 2, (uint32_t) LOG_FILES_MAX); number++) {
		struct stat st;

		if (stat_number(dirfd, number, &st))
			l->list[l->n++] = (struct entry){ number, st.st_dev, st.st_ino };
	}
	return 0;
}

/* Opens the file of an entry; 0 when the name is another file's by now. */
static int open_entry(int dirfd, const struct entry *e, struct log_file *ret)
{
	_close_ int fd = -EBADF;
	struct stat st;
	char name[16];

	name_of(e->number, name);
	fd = path_open_in(dirfd, name, PATH_BENEATH_NO_LINKS,
	        O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0);
	if (fd < 0)
		return fd == -ENOENT || fd == -ELOOP ? 0 : fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_dev != e->dev || st.st_ino != e->ino)
		return 0;
	*ret = (struct log_file){ TAKE_FD(fd), st.st_dev, st.st_ino };
	return 1;
}

static bool is_still(int dirfd, const struct entry *e)
{
	struct stat st;

	return stat_number(dirfd, e->number, &st) && st.st_dev == e->dev && st.st_ino == e->ino;
}

/* Opens the newest file or the oldest. */
static int open_end(int dirfd, struct log_file *ret, bool oldest)
{
	_free_ struct listing *l = xnew(struct listing), *again = xnew(struct listing);

	for (int i = 0; i < TRIES; i++) {
		int r = list(dirfd, l);

		if (r < 0 || l->n == 0)
			return r;
		r = open_entry(dirfd, &l->list[oldest ? l->n - 1 : 0], ret);
		if (r < 0)
			return r;
		if (r == 0)
			continue;
		/* An older one may have come behind it while it was opened. */
		if (!oldest || (list(dirfd, again) == 0 && again->n > 0 &&
		                       again->list[again->n - 1].ino == ret->ino))
			return 1;
		ret->fd = fd_close(ret->fd);
	}
	return -EAGAIN;
}

int log_file_newest(int dirfd, struct log_file *ret)
{
	return open_end(dirfd, ret, false);
}

int log_file_oldest(int dirfd, struct log_file *ret)
{
	return open_end(dirfd, ret, true);
}

bool log_file_is_newest(int dirfd, const struct log_file *file)
{
	return is_still(dirfd, &(struct entry){ 0, file->dev, file->ino });
}

static bool is_entry(const struct entry *e, const struct log_file *file)
{
	return e->ino == file->ino && e->dev == file->dev;
}

static bool is_removed(const struct log_file *file)
{
	struct stat st;

	return fstat(file->fd, &st) < 0 || st.st_nlink == 0;
}

static int neighbour(int dirfd, const struct log_file *file, struct log_file *ret, bool older)
{
	_free_ struct listing *l = xnew(struct listing);

	for (int i = 0; i < TRIES; i++) {
		size_t at, n;
		int r = list(dirfd, l);

		if (r < 0)
			return r;
		for (n = l->n; n > 0 && !is_entry(&l->list[n - 1], file); n--)
			;
		if (n == 0 && is_removed(file))
			return older ? 0 : log_file_oldest(dirfd, ret);
		if (n == 0)
			continue;
		at = n - 1;
		if ((older ? at + 1 == l->n : at == 0) && is_still(dirfd, &l->list[at]))
			return 0;
		if (older ? at + 1 == l->n : at == 0)
			continue;
		r = open_entry(dirfd, &l->list[older ? at + 1 : at - 1], ret);
		if (r < 0)
			return r;
		if (r > 0 && is_still(dirfd, &l->list[at]))
			return 1;
		if (r > 0)
			ret->fd = fd_close(ret->fd);
	}
	/* Still somewhere, but no file of this log any more. */
	return older ? 0 : log_file_oldest(dirfd, ret);
}

int log_file_next(int dirfd, const struct log_file *file, struct log_file *ret)
{
	return neighbour(dirfd, file, ret, false);
}

int log_file_previous(int dirfd, const struct log_file *file, struct log_file *ret)
{
	return neighbour(dirfd, file, ret, true);
}

void log_file_replace(struct log_file *file, struct log_file *with)
{
	(void) fd_close(file->fd);
	*file = *with;
	with->fd = -EBADF;
}
