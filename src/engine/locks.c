/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/locks.h"

#include "base/fd.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TRIES = 100 };

static char *file_name(const char *id)
{
	return xprintf("%s.lock", id);
}

/* Opens and locks; -ESTALE when the file lost its name in between. */
static int open_and_lock(int dirfd, const char *name, int flags, int how)
{
	_close_ int fd = openat(dirfd, name, flags | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
	_close_ int now = -EBADF;

	if (fd < 0)
		return -errno;
	if (flock(fd, how) < 0)
		return -errno;
	now = openat(dirfd, name, O_PATH | O_CLOEXEC | O_NOFOLLOW);
	if (now < 0 || !fd_same_file(fd, now))
		return -ESTALE;
	return TAKE_FD(fd);
}

int lock_make(int dirfd, const char *id)
{
	_free_ char *name = file_name(id);
	int fd = -ESTALE;

	for (int i = 0; i < TRIES && fd == -ESTALE; i++)
		fd = open_and_lock(dirfd, name, O_CREAT, LOCK_EX);
	return fd;
}

int lock_try(int dirfd, const char *id)
{
	_free_ char *name = file_name(id);
	int fd = open_and_lock(dirfd, name, 0, LOCK_EX | LOCK_NB);

	return fd == -ESTALE ? -ENOENT : fd;
}

int lock_remove(int dirfd, const char *id)
{
	_free_ char *name = file_name(id);

	return unlinkat(dirfd, name, 0) < 0 && errno != ENOENT ? -errno : 0;
}
