/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The container's terminal: a pty in its own devpts, and its console.
 *
 * The names on the way belong to the image until the mounts are there, and to the container
 * afterwards, so nothing is used before the descriptor has said what it is, and links are never
 * followed (CVE-2025-52565: a console that was bound by name ended up on a file of procfs).
 */
#include "mount/mount.h"

#include "base/fd.h"
#include "base/path.h"
#include "kernel/sys.h"
#include "mount/internal.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* One entry of a folder that was checked: not a link, and not something mounted there. */
enum { RESOLVE_ENTRY = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS };

static bool is_on(int fd, long magic)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && (long) fs.f_type == magic;
}

static bool is_terminal_master(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(5, 2) &&
	       is_on(fd, DEVPTS_SUPER_MAGIC);
}

bool mount_is_terminal_master(int fd)
{
	unsigned int number;

	return is_terminal_master(fd) && ioctl(fd, TIOCGPTN, &number) == 0;
}

dev_t mount_host_devpts(void)
{
	_close_ int fd = open("/dev/pts", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 ? st.st_dev : 0;
}

/* The folder of the container's own devpts. */
static int open_devpts(int rootfd, dev_t host, int *ret_fd, struct err *err)
{
	_close_ int fd = path_open_in(
	        rootfd, "/dev/pts", PATH_IN_ROOT_NO_LINKS, O_PATH | O_DIRECTORY, 0);
	struct stat st;

	if (fd < 0)
		return err_errno(
		        err, fd, "cannot make a terminal: cannot open '/dev/pts' of the container");
	if (!is_on(fd, DEVPTS_SUPER_MAGIC))
		return err_set(err, -ENOTTY,
		        "cannot make a terminal: '/dev/pts' of the container is not a devpts "
		        "(mount one there)");
	if (fstat(fd, &st) < 0)
		return err_errno(err, -errno, "cannot look at '/dev/pts' of the container");
	if (st.st_dev == host)
		return err_set(err, -EPERM,
		        "cannot make a terminal: '/dev/pts' of the container is the host's (mount "
		        "a devpts of its own there)");
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int mount_open_terminal(
        int rootfd, dev_t host_devpts, int *ret_master, int *ret_slave, struct err *err)
{
	_close_ int pts = -EBADF, master = -EBADF, slave = -EBADF;
	int unlocked = 0, r = open_devpts(rootfd, host_devpts, &pts, err);

	if (r < 0)
		return r;
	/* Without a change of mounts there is nothing in a devpts but its own device nodes. */
	master = sys_openat2(
	        pts, "ptmx", O_RDWR | O_NOCTTY, 0, RESOLVE_ENTRY | (uint64_t) RESOLVE_NO_XDEV);
	if (master == -ENOSPC)
		return err_set(err, master,
		        "cannot make a terminal: there are too many (see kernel.pty.max)");
	if (master < 0)
		return err_errno(err, master,
		        "cannot make a terminal: cannot open '/dev/pts/ptmx' of the container");
	if (!is_terminal_master(master))
		return err_set(err, -ENOTTY,
		        "cannot make a terminal: '/dev/pts/ptmx' of the container is something "
		        "else");
	if (ioctl(master, TIOCSPTLCK, &unlocked) < 0)
		return err_errno(err, -errno, "cannot unlock the terminal");
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return err_errno(err, -errno, "cannot open the other end of the terminal");
	*ret_master = TAKE_FD(master);
	*ret_slave = TAKE_FD(slave);
	return 0;
}

/* The file that the console is mounted on: in the tmpfs, not in what the image has. */
static int open_console(int dev, int *ret_fd, struct err *err)
{
	_close_ int made = sys_openat2(dev, "console", O_CREAT | O_EXCL | O_WRONLY | O_NOCTTY, 0600,
	        RESOLVE_ENTRY | (uint64_t) RESOLVE_NO_XDEV);
	_close_ int target = -EBADF;
	struct stat dev_st, st;

	if (made < 0 && made != -EEXIST && made != -ELOOP && made != -EXDEV)
		return err_errno(err, made, "cannot make '/dev/console'");
	target = sys_openat2(dev, "console", O_PATH, 0, RESOLVE_ENTRY | (uint64_t) RESOLVE_NO_XDEV);
	if (target == -ELOOP)
		return err_set(err, target, "cannot use '/dev/console': it is a link");
	if (target < 0)
		return err_errno(err, target, "cannot use '/dev/console'");
	if (fstat(dev, &dev_st) < 0 || fstat(target, &st) < 0)
		return err_errno(err, -errno, "cannot look at '/dev/console'");
	if (st.st_dev != dev_st.st_dev ||
	        !(S_ISREG(st.st_mode) || (S_ISCHR(st.st_mode) && st.st_rdev == makedev(5, 1))))
		return err_set(err, -EEXIST,
		        "cannot use '/dev/console': there is something else than a plain file");
	*ret_fd = TAKE_FD(target);
	return 0;
}

int mount_bind_console(int rootfd, int slave, struct err *err)
{
	_close_ int dev = path_open_in(
	        rootfd, "/dev", PATH_IN_ROOT_NO_LINKS, O_PATH | O_DIRECTORY, 0);
	_close_ int target = -EBADF, tree = -EBADF;
	int r;

	if (dev < 0)
		return err_errno(err, dev, "cannot open '/dev' of the container for its console");
	if (!is_on(dev, TMPFS_MAGIC))
		return err_set(err, -EPERM,
		        "cannot make '/dev/console': '/dev' of the container is not a tmpfs of its "
		        "own");
	r = open_console(dev, &target, err);
	if (r < 0)
		return r;
	tree = mount_clone(slave, false);
	if (tree < 0)
		return err_errno(err, tree, "cannot bind the terminal on '/dev/console'");
	r = mount_change(tree, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, 0, MS_PRIVATE, false);
	if (r == 0)
		r = sys_move_mount_fd(tree, target);
	return r < 0 ? err_errno(err, r, "cannot bind the terminal on '/dev/console'") : 0;
}
