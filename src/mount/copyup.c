/* SPDX-License-Identifier: Apache-2.0 */
/* tmpcopyup: a tmpfs starts with what the image has at its target. */
#include "mount/internal.h"

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

/* The image chose the tree; its bytes are bounded by the tmpfs. */
enum { DEPTH_MAX = 64, ENTRIES_MAX = 65536, CHUNK = 64 << 10 };

struct copy {
	size_t entries;
	char *chunk;
};

static int copy_bytes(struct copy *c, int from, int to)
{
	for (;;) {
		ssize_t n = read(from, c->chunk, CHUNK);
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		r = fd_write_all(to, c->chunk, (size_t) n);
		if (r < 0)
			return r;
	}
}

/* Owner before mode: a change of owner clears the set-id bits. */
static int copy_metadata(int fd, const struct stat *st)
{
	const struct timespec times[2] = { st->st_atim, st->st_mtim };

	if (fchown(fd, st->st_uid, st->st_gid) < 0 || fchmod(fd, st->st_mode & 07777) < 0 ||
	        futimens(fd, times) < 0)
		return -errno;
	return 0;
}

static int copy_file(struct copy *c, int from_dir, int to_dir, const char *name)
{
	_close_ int from = path_open_in(
	        from_dir, name, PATH_BENEATH_NO_LINKS, O_RDONLY | O_NONBLOCK, 0);
	_close_ int to = -EBADF;
	struct stat st;
	int r;

	if (from < 0)
		return from;
	if (fstat(from, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EBADMSG;
	to = path_open_in(to_dir, name, PATH_BENEATH_NO_LINKS, O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (to < 0)
		return to;
	r = copy_bytes(c, from, to);
	return r < 0 ? r : copy_metadata(to, &st);
}

static int copy_link(int from_dir, int to_dir, const char *name, const struct stat *st)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(from_dir, name, target, sizeof(target) - 1);

	if (n < 0)
		return -errno;
	target[n] = '\0';
	if (symlinkat(target, to_dir, name) < 0 ||
	        fchownat(to_dir, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return 0;
}

static int copy_dir(struct copy *c, int from, int to, int depth);

static int copy_subdir(struct copy *c, int from_dir, int to_dir, const char *name, int depth)
{
	const int flags = O_RDONLY | O_DIRECTORY;
	_close_ int from = path_open_in(from_dir, name, PATH_BENEATH_NO_LINKS, flags, 0);
	_close_ int to = -EBADF;

	if (from < 0)
		return from;
	if (mkdirat(to_dir, name, 0700) < 0)
		return -errno;
	to = path_open_in(to_dir, name, PATH_BENEATH_NO_LINKS, flags, 0);
	return to < 0 ? to : copy_dir(c, from, to, depth + 1);
}

static int copy_entry(struct copy *c, int from, int to, const char *name, int depth)
{
	struct stat st;

	if (++c->entries > ENTRIES_MAX || depth > DEPTH_MAX)
		return -E2BIG;
	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return copy_subdir(c, from, to, name, depth);
	if (S_ISREG(st.st_mode))
		return copy_file(c, from, to, name);
	if (S_ISLNK(st.st_mode))
		return copy_link(from, to, name, &st);
	/* Devices, sockets and FIFOs of an image are not wanted in a tmpfs. */
	return 0;
}

static int copy_dir(struct copy *c, int from, int to, int depth)
{
	int copy = fd_dup(from);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *e;
	struct stat st;
	int r = 0;

	if (!d) {
		fd_close(copy);
		return copy < 0 ? copy : -errno;
	}
	while (r == 0 && (e = readdir(d)))
		if (!streq(e->d_name, ".") && !streq(e->d_name, ".."))
			r = copy_entry(c, from, to, e->d_name, depth);
	(void) closedir(d);
	if (r < 0)
		return r;
	/* Last: a read-only folder could not be filled by a user without override. */
	if (fstat(from, &st) < 0)
		return -errno;
	return copy_metadata(to, &st);
}

int mount_copy_up(int from, int to, struct err *err)
{
	_free_ char *chunk = xmalloc(CHUNK);
	_close_ int readable = path_open_in(
	        from, ".", PATH_BENEATH_NO_LINKS, O_RDONLY | O_DIRECTORY, 0);
	_close_ int writable = path_open_in(
	        to, ".", PATH_BENEATH_NO_LINKS, O_RDONLY | O_DIRECTORY, 0);
	struct copy c = { .chunk = chunk };
	int r;

	if (readable < 0 || writable < 0)
		return err_errno(
		        err, MIN(readable, writable), "cannot open the folders of tmpcopyup");
	r = copy_dir(&c, readable, writable, 0);
	if (r < 0)
		return err_errno(err, r, "cannot copy the image's files into a tmpfs (tmpcopyup)");
	return 0;
}
