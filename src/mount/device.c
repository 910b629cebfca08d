/* SPDX-License-Identifier: Apache-2.0 */
/* Device nodes and the links of /dev. */
#include "mount/mount.h"

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "kernel/sys.h"
#include "mount/internal.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static mode_t type_bits(char type)
{
	return type == 'b' ? S_IFBLK : type == 'p' ? S_IFIFO : S_IFCHR;
}

static bool is_this_device(const struct stat *st, const struct mount_device *dev)
{
	if ((st->st_mode & S_IFMT) != type_bits(dev->type))
		return false;
	return dev->type == 'p' || st->st_rdev == makedev(dev->major_no, dev->minor_no);
}

/* Opens the folder of the node, made when missing, and yields the node's own name in it. */
static int open_parent(int rootfd, const struct mount_device *dev, char *clean,
        const char **ret_name, int *ret_fd, struct err *err)
{
	char *slash = strrchr(clean, '/');
	int fd;

	if (!slash || !path_is_name(slash + 1))
		return mount_path_error(err, -EINVAL, "not the path of a device:", dev->path);
	*slash = '\0';
	*ret_name = slash + 1;
	fd = path_make_dirs_in(rootfd, clean, 0755);
	if (fd < 0)
		return mount_path_error(err, fd, "cannot make the folder of the device", dev->path);
	*ret_fd = fd;
	return 0;
}

/* What is there instead of the node that was to be made. */
static int accept_existing(
        int parent, const char *name, const struct mount_device *dev, struct err *err)
{
	struct stat st;

	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return mount_path_error(err, -errno, "cannot look at the device", dev->path);
	if (!is_this_device(&st, dev)) {
		_free_ char *shown = str_escaped(dev->path);
		return err_set(err, -EEXIST,
		        "cannot make the device '%s': the image has something else there", shown);
	}
	return 0;
}

int mount_make_device(int rootfd, const struct mount_device *dev, struct err *err)
{
	_free_ char *clean = path_clean(dev->path);
	_close_ int parent = -EBADF;
	const char *name = NULL;
	mode_t old_umask;
	int r = open_parent(rootfd, dev, clean, &name, &parent, err);

	if (r < 0)
		return r;
	old_umask = umask(0);
	r = mknodat(parent, name, type_bits(dev->type) | (dev->mode & 07777),
	            dev->type == 'p' ? 0 : makedev(dev->major_no, dev->minor_no)) < 0
	            ? -errno
	            : 0;
	(void) umask(old_umask);
	if (r == -EEXIST)
		return accept_existing(parent, name, dev, err);
	if (r < 0)
		return mount_path_error(err, r, "cannot make the device", dev->path);
	if (fchownat(parent, name, dev->uid, dev->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return mount_path_error(
		        err, -errno, "cannot change the owner of the device", dev->path);
	return 0;
}

int mount_bind_device(int rootfd, const struct mount_device *dev, int tree, struct err *err)
{
	_free_ char *clean = path_clean(dev->path);
	_close_ int parent = -EBADF, target = -EBADF, made = -EBADF;
	const char *name = NULL;
	struct stat st;
	int r;

	if (fstat(tree, &st) < 0 || !is_this_device(&st, dev))
		return mount_path_error(
		        err, -ENXIO, "the host's node is not the device asked for:", dev->path);
	r = open_parent(rootfd, dev, clean, &name, &parent, err);
	if (r < 0)
		return r;
	made = path_open_in(parent, name, PATH_BENEATH_NO_LINKS, O_CREAT | O_EXCL | O_WRONLY, 0600);
	/* ELOOP is a link of the image, refused below as well. */
	if (made < 0 && made != -EEXIST && made != -ELOOP)
		return mount_path_error(err, made, "cannot make the target of", dev->path);
	target = path_open_in(parent, name, PATH_BENEATH_NO_LINKS, O_PATH, 0);
	if (target < 0)
		return mount_path_error(err, target,
		        "cannot use what the image has at the device's path", dev->path);
	if (mount_fd_is_dir(target))
		return mount_path_error(err, -EISDIR,
		        "cannot use what the image has at the device's path", dev->path);
	r = sys_move_mount_fd(tree, target);
	if (r < 0)
		return mount_path_error(err, r, "cannot bind the device", dev->path);
	return 0;
}

static int make_link(int dev, const char *name, const char *to, struct err *err)
{
	char now[PATH_MAX];
	struct stat st;
	ssize_t n;

	if (symlinkat(to, dev, name) == 0)
		return 0;
	if (errno != EEXIST)
		return mount_path_error(err, -errno, "cannot make the link in '/dev':", name);
	n = readlinkat(dev, name, now, sizeof(now));
	if (n == (ssize_t) strlen(to) && memcmp(now, to, (size_t) n) == 0)
		return 0;
	/* The device behind pts/ptmx does the same. */
	if (streq(name, "ptmx") && fstatat(dev, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	        S_ISCHR(st.st_mode) && st.st_rdev == makedev(5, 2))
		return 0;
	return err_set(err, -EEXIST,
	        "cannot make the link '/dev/%s': the image has something else there", name);
}

int mount_dev_links(int rootfd, bool ptmx, struct err *err)
{
	static const char *const links[][2] = {
		{ "fd", "/proc/self/fd" },
		{ "stdin", "/proc/self/fd/0" },
		{ "stdout", "/proc/self/fd/1" },
		{ "stderr", "/proc/self/fd/2" },
	};
	_close_ int dev = path_open_in(
	        rootfd, "/dev", PATH_IN_ROOT_NO_LINKS, O_PATH | O_DIRECTORY, 0);

	if (dev == -ENOENT)
		dev = path_make_dirs_in(rootfd, "/dev", 0755);
	if (dev == -ELOOP || dev == -ENOTDIR)
		return err_set(err, dev,
		        "cannot make links in '/dev': the image has a link or a file there");
	if (dev < 0)
		return err_errno(err, dev, "cannot open '/dev' of the root file system");
	for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
		int r = make_link(dev, links[i][0], links[i][1], err);

		if (r < 0)
			return r;
	}
	return ptmx ? make_link(dev, "ptmx", "pts/ptmx", err) : 0;
}
