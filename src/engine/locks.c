/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/locks.h"

#include "base/fd.h"

#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

enum { TRIES = 100 };

static char *file_name(const char *id)
{
	return xprintf("%s.lock", id);
}

/* A record lock belongs to this process alone: a child of ours that still has the descriptor does
 * not hold it when we are killed, as it would hold a flock. */
static int take(int fd, bool wait)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	while (fcntl(fd, wait ? F_SETLKW : F_SETLK, &lock) < 0) {
		if (errno == EACCES || errno == EAGAIN)
			return -EWOULDBLOCK;
		if (errno != EINTR)
			return -errno;
	}
	return 0;
}

/* Opens and locks; -ESTALE when the file lost its name in between. */
static int open_and_lock(int dirfd, const char *name, int flags, bool wait)
{
	_close_ int fd = openat(dirfd, name, flags | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
	_close_ int now = -EBADF;
	int r;

	if (fd < 0)
		return -errno;
	r = take(fd, wait);
	if (r < 0)
		return r;
	/* Without O_PATH, closing this one would drop the lock. */
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
		fd = open_and_lock(dirfd, name, O_CREAT, true);
	return fd;
}

int lock_try(int dirfd, const char *id)
{
	_free_ char *name = file_name(id);
	int fd = open_and_lock(dirfd, name, 0, false);

	return fd == -ESTALE ? -ENOENT : fd;
}

int lock_remove(int dirfd, const char *id)
{
	_free_ char *name = file_name(id);

	return unlinkat(dirfd, name, 0) < 0 && errno != ENOENT ? -errno : 0;
}
