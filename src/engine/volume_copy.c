/* SPDX-License-Identifier: Apache-2.0 */
/* Copying a tree of an image. Everything is done by descriptor and single names; see volume_fill.h.
 */
#include "engine/volume_fill.h"

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "engine/volume_folder.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum {
	CHUNK = 128 << 10,
	KERNEL_CHUNK = 1 << 30, /* for one copy_file_range */
	NAMES_MAX = 64 << 10,   /* the kernel's own limits */
	VALUE_MAX = 64 << 10,
};

struct copy {
	int links;
	uint64_t entries;
	bool by_hand; /* copy_file_range does not work between these two file systems */
	char *chunk;
	struct err *err;
};

/* One entry, in both trees. */
struct entry {
	int from, to; /* the folders it is in */
	const char *name;
	struct stat st;
};

static int failed(struct err *err, int code, const char *doing, const char *name)
{
	_free_ char *shown = str_escaped(name);

	return err_errno(err, code, "cannot %s '%s' of the image", doing, shown);
}

/* --- attributes ------------------------------------------------------------------------------- */

/* What a container understands. The rest is labels of the host's security modules and overlayfs's
 * own notes, which must not be forged by a copy. */
static bool xattr_is_kept(const char *name)
{
	static const char *const exact[] = {
		"security.capability",
		"system.posix_acl_access",
		"system.posix_acl_default",
	};

	for (size_t i = 0; i < ARRAY_SIZE(exact); i++)
		if (streq(name, exact[i]))
			return true;
	return str_has_prefix(name, "user.") && !str_has_prefix(name, "user.overlay.");
}

static int copy_xattr(int from, int to, const char *name, char *value)
{
	ssize_t n = fgetxattr(from, name, value, VALUE_MAX);

	if (n < 0)
		return errno == ENODATA ? 0 : -errno;
	if (fsetxattr(to, name, value, (size_t) n, 0) == 0)
		return 0;
	/* Not every file system has user.*; losing an ACL or a capability would be another thing.
	 */
	return (errno == EOPNOTSUPP || errno == EPERM) && str_has_prefix(name, "user.") ? 0
	                                                                                : -errno;
}

static int copy_xattrs(int from, int to)
{
	_free_ char *names = NULL, *value = NULL;
	ssize_t n = flistxattr(from, NULL, 0);
	int r = 0;

	if (n <= 0)
		return n == 0 || errno == EOPNOTSUPP ? 0 : -errno;
	names = xmalloc(NAMES_MAX + 1);
	value = xmalloc(VALUE_MAX);
	n = flistxattr(from, names, NAMES_MAX);
	if (n < 0)
		return -errno;
	names[n] = '\0';
	for (const char *name = names; r == 0 && name < names + n; name += strlen(name) + 1)
		if (xattr_is_kept(name))
			r = copy_xattr(from, to, name, value);
	return r;
}

/* In this order: a change of owner clears set-id bits and capabilities, a change of mode would
 * change an ACL. */
int volume_copy_attrs(int from, int to, struct err *err)
{
	struct stat st;
	int r;

	if (fstat(from, &st) < 0 || fchown(to, st.st_uid, st.st_gid) < 0 ||
	        fchmod(to, st.st_mode & 07777) < 0)
		return err_errno(err, -errno, "cannot set owner and mode");
	r = copy_xattrs(from, to);
	if (r < 0)
		return err_errno(err, r, "cannot copy extended attributes");
	if (futimens(to, (const struct timespec[]){ st.st_atim, st.st_mtim }) < 0)
		return err_errno(err, -errno, "cannot set the times");
	return 0;
}

static int set_attrs(struct copy *c, int from, int to, const char *name)
{
	int r = volume_copy_attrs(from, to, c->err);
	_free_ char *shown = str_escaped(name);

	return r < 0 ? err_prefix(c->err, r, "'%s' of the image", shown) : 0;
}

/* Owner and time of what is not open. It was made a moment ago in a folder that nobody else can
 * reach, so the name means what it did. */
static int set_attrs_by_name(struct copy *c, const struct entry *e)
{
	const struct timespec times[] = { e->st.st_atim, e->st.st_mtim };

	if (fchownat(e->to, e->name, e->st.st_uid, e->st.st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return failed(c->err, -errno, "set the owner of", e->name);
	if (!S_ISLNK(e->st.st_mode) && fchmodat(e->to, e->name, e->st.st_mode & 07777, 0) < 0)
		return failed(c->err, -errno, "set the mode of", e->name);
	if (utimensat(e->to, e->name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return failed(c->err, -errno, "set the time of", e->name);
	return 0;
}

/* --- contents --------------------------------------------------------------------------------- */

static int copy_by_hand(struct copy *c, int from, int to, off_t start, off_t end)
{
	if (!c->chunk)
		c->chunk = xmalloc(CHUNK);
	while (start < end) {
		size_t want = (size_t) MIN(end - start, (off_t) CHUNK);
		ssize_t n = pread(from, c->chunk, want, start);

		if (n <= 0)
			return n < 0 ? -errno : 0;
		for (ssize_t done = 0; done < n;) {
			ssize_t w = pwrite(to, c->chunk + done, (size_t) (n - done), start + done);

			if (w < 0)
				return -errno;
			done += w;
		}
		start += n;
	}
	return 0;
}

static int copy_part(struct copy *c, int from, int to, off_t start, off_t end)
{
	while (!c->by_hand && start < end) {
		off_t in = start, out = start;
		size_t want = (size_t) MIN(end - start, (off_t) KERNEL_CHUNK);
		ssize_t n = copy_file_range(from, &in, to, &out, want, 0);

		if (n == 0)
			return 0;
		if (n > 0)
			start += n;
		else if (errno == EXDEV || errno == EINVAL || errno == EOPNOTSUPP ||
		         errno == ENOSYS || errno == EBADF)
			c->by_hand = true;
		else
			return -errno;
	}
	return c->by_hand ? copy_by_hand(c, from, to, start, end) : 0;
}

/* Data only, so that holes stay holes; never more than the size that the file had at first. */
static int copy_data(struct copy *c, int from, int to, off_t size)
{
	off_t at = 0;

	while (at < size) {
		off_t data = lseek(from, at, SEEK_DATA), hole;
		int r;

		if (data < 0 && errno == ENXIO)
			break;
		if (data < 0)
			return -errno;
		hole = lseek(from, data, SEEK_HOLE);
		if (hole < 0)
			return -errno;
		r = copy_part(c, from, to, data, MIN(hole, size));
		if (r < 0)
			return r;
		/* A file system that lies about holes must not keep us here. */
		at = MAX(hole, data + 1);
	}
	return ftruncate(to, size) < 0 ? -errno : 0;
}

static int copy_content(struct copy *c, const struct entry *e)
{
	/* O_NONBLOCK: should this not be the regular file that it was a moment ago. */
	_close_ int from = path_open_in(
	        e->from, e->name, PATH_BENEATH_NO_LINKS, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	_close_ int to = -EBADF;
	struct stat st;
	int r;

	if (from < 0)
		return failed(c->err, from, "open", e->name);
	if (fstat(from, &st) < 0 || !S_ISREG(st.st_mode))
		return failed(c->err, -ESTALE, "read", e->name);
	to = path_open_in(e->to, e->name, PATH_BENEATH_NO_LINKS,
	        O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
	if (to < 0)
		return failed(c->err, to, "make", e->name);
	r = copy_data(c, from, to, st.st_size);
	if (r < 0)
		return failed(c->err, r, "copy", e->name);
	return set_attrs(c, from, to, e->name);
}

/* The first name of a file leaves a second one in 'links', named by its number, and the others are
 * made from that: no table to keep, and no path to walk. */
static int copy_file(struct copy *c, const struct entry *e)
{
	char number[64];
	int r;

	if (e->st.st_nlink < 2)
		return copy_content(c, e);
	(void) snprintf(number, sizeof(number), "%llx-%llx", (unsigned long long) e->st.st_dev,
	        (unsigned long long) e->st.st_ino);
	if (linkat(c->links, number, e->to, e->name, 0) == 0)
		return 0;
	/* EMLINK: that many and one more; this name gets a file of its own. */
	if (errno != ENOENT && errno != EMLINK)
		return failed(c->err, -errno, "link", e->name);
	r = copy_content(c, e);
	if (r == 0 && linkat(e->to, e->name, c->links, number, 0) < 0 && errno != EEXIST &&
	        errno != EMLINK)
		return failed(c->err, -errno, "link", e->name);
	return r;
}

static int copy_symlink(struct copy *c, const struct entry *e)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(e->from, e->name, target, sizeof(target) - 1);

	if (n < 0)
		return failed(c->err, -errno, "read the link", e->name);
	target[n] = '\0';
	if (symlinkat(target, e->to, e->name) < 0)
		return failed(c->err, -errno, "make the link", e->name);
	return set_attrs_by_name(c, e);
}

static int copy_fifo(struct copy *c, const struct entry *e)
{
	if (mknodat(e->to, e->name, S_IFIFO | 0600, 0) < 0)
		return failed(c->err, -errno, "make the pipe", e->name);
	return set_attrs_by_name(c, e);
}

static int copy_folder(struct copy *c, int from, int to, const char *name, int depth);

static int copy_subfolder(struct copy *c, const struct entry *e, int depth)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
	_close_ int from = -EBADF, to = -EBADF;

	if (depth == VOLUME_COPY_DEPTH_MAX) {
		_free_ char *shown = str_escaped(e->name);

		return err_set(c->err, -ELOOP,
		        "'%s' of the image lies more than %d folders deep in a volume: use "
		        "volume-nocopy to start with an empty one",
		        shown, VOLUME_COPY_DEPTH_MAX);
	}
	from = path_open_in(e->from, e->name, PATH_BENEATH_NO_LINKS, flags, 0);
	if (from < 0)
		return failed(c->err, from, "open", e->name);
	if (mkdirat(e->to, e->name, 0700) < 0)
		return failed(c->err, -errno, "make", e->name);
	to = path_open_in(e->to, e->name, PATH_BENEATH_NO_LINKS, flags, 0);
	if (to < 0)
		return failed(c->err, to, "open", e->name);
	return copy_folder(c, from, to, e->name, depth + 1);
}

static int copy_entry(struct copy *c, int from, int to, const char *name, int depth)
{
	struct entry e = { .from = from, .to = to, .name = name };

	if (++c->entries > VOLUME_COPY_ENTRIES_MAX)
		return err_set(c->err, -E2BIG,
		        "the image has more than %d files for a volume: use volume-nocopy to start "
		        "with an empty one",
		        VOLUME_COPY_ENTRIES_MAX);
	if (fstatat(from, name, &e.st, AT_SYMLINK_NOFOLLOW) < 0)
		return failed(c->err, -errno, "look at", name);
	if (S_ISDIR(e.st.st_mode))
		return copy_subfolder(c, &e, depth);
	if (S_ISREG(e.st.st_mode))
		return copy_file(c, &e);
	if (S_ISLNK(e.st.st_mode))
		return copy_symlink(c, &e);
	if (S_ISFIFO(e.st.st_mode))
		return copy_fifo(c, &e);
	/* Devices: volumes have none. Sockets: nobody listens. */
	return 0;
}

/* The attributes of a folder come last: a default ACL would be inherited, and each new entry
 * changes the time. */
static int copy_folder(struct copy *c, int from, int to, const char *name, int depth)
{
	_folder_list_ DIR *d = NULL;
	int r = volume_folder_list(from, ".", &d);

	if (r < 0)
		return failed(c->err, r, "read", name);
	for (struct dirent *e; r == 0 && (e = volume_folder_next(d));)
		r = copy_entry(c, from, to, e->d_name, depth);
	if (r == 0 && errno)
		r = failed(c->err, -errno, "read", name);
	return r < 0 ? r : set_attrs(c, from, to, name);
}

int volume_copy(int from, int to, int links, struct err *err)
{
	struct copy c = { .links = links, .err = err };
	int r = copy_folder(&c, from, to, ".", 0);

	free(c.chunk);
	return r;
}
