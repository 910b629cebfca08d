/* SPDX-License-Identifier: Apache-2.0 */
/* The child's mount namespace: attaching the root, making it "/", the working folder. */
#include "mount/mount.h"

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "kernel/sys.h"
#include "mount/internal.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_slash(struct err *err)
{
	int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? err_errno(err, -errno, "cannot open '/'") : fd;
}

int mount_set_propagation(uint64_t propagation, struct err *err)
{
	struct mount_attr attr = { .propagation = propagation };
	int r = sys_mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &attr);

	if (r < 0)
		return err_errno(
		        err, r, "cannot set the propagation of the container's mount namespace");
	return 0;
}

int mount_attach_root(int root_fd, struct err *err)
{
	_close_ int slash = open_slash(err);
	int r;

	if (slash < 0)
		return TAKE_FD(slash);
	/*
	 * On top of "/": that folder always exists, needs nothing to be made on the host, hides
	 * nothing (the process's own "/" stays the old root until the pivot), and leaves /proc
	 * fully visible, without which a user namespace may not mount a procfs. With a shared "/"
	 * the host would get this mount too, so it is made private, whatever the plan's propagation
	 * says: pivot_root(2) demands that of the parent as well.
	 */
	r = mount_change(slash, 0, 0, MS_PRIVATE, false);
	if (r < 0)
		return err_errno(err, r, "cannot make '/' of the mount namespace private");
	r = sys_move_mount_fd(root_fd, slash);
	if (r < 0)
		return err_errno(err, r, "cannot attach the root file system");
	return 0;
}

/* Without pivot_root (the host's root is an initramfs): the root lies on top of "/" already, which
 * is what MS_MOVE would do. */
static int enter_without_pivot(struct err *err)
{
	if (chroot(".") < 0)
		return err_errno(err, -errno, "cannot change the root folder");
	if (chdir("/") < 0)
		return err_errno(err, -errno, "cannot change to the new '/'");
	return 0;
}

int mount_pivot(int root_fd, bool no_pivot, struct err *err)
{
	_close_ int old = open_slash(err);
	int r;

	if (old < 0)
		return TAKE_FD(old);
	if (fchdir(root_fd) < 0)
		return err_errno(err, -errno, "cannot change to the root file system");
	if (no_pivot)
		return enter_without_pivot(err);
	/* The old root ends up on top of the new one; no folder for it is needed. */
	r = sys_pivot_root(".", ".");
	if (r == -EINVAL)
		return err_errno(err, r,
		        "cannot make the root file system '/' (when the host runs from an "
		        "initramfs, use --no-pivot)");
	if (r < 0)
		return err_errno(err, r, "cannot make the root file system '/'");
	/* The detach below must not reach the host's mounts through shared propagation. */
	r = mount_change(old, 0, 0, MS_PRIVATE, true);
	if (r < 0)
		return err_errno(err, r, "cannot make the host's old root private");
	if (fchdir(old) < 0)
		return err_errno(err, -errno, "cannot change to the host's old root");
	if (umount2(".", MNT_DETACH) < 0)
		return err_errno(err, -errno, "cannot let go of the host's root");
	if (chdir("/") < 0)
		return err_errno(err, -errno, "cannot change to the new '/'");
	return 0;
}

int mount_set_root(uint64_t attr_set, uint64_t propagation, struct err *err)
{
	struct mount_attr flags = { .attr_set = attr_set }, type = { .propagation = propagation };
	int r = attr_set ? sys_mount_setattr(AT_FDCWD, "/", 0, &flags) : 0;

	if (r < 0)
		return err_errno(err, r, "cannot set the attributes of the root file system");
	/* Not of the mounts below: each of them has its own. */
	r = propagation ? sys_mount_setattr(AT_FDCWD, "/", 0, &type) : 0;
	if (r < 0)
		return err_errno(err, r, "cannot set the propagation of the root file system");
	return 0;
}

int mount_verify_cwd(struct err *err)
{
	char path[PATH_MAX];
	int r = sys_getcwd(path, sizeof(path));

	/* The kernel says "(unreachable)..." for a folder outside of our root. */
	if (r < 0)
		return err_errno(err, r, "cannot find out the working folder");
	if (path[0] != '/')
		return err_set(err, -EPERM,
		        "the working folder is outside of the container's root file system");
	return 0;
}

int mount_enter_cwd(const char *path, bool create, struct err *err)
{
	_close_ int slash = open_slash(err);
	_close_ int fd = -EBADF;

	if (slash < 0)
		return TAKE_FD(slash);
	fd = path_open_in(slash, path, PATH_IN_ROOT, O_PATH | O_DIRECTORY, 0);
	if (fd == -ENOENT && create)
		fd = path_make_dirs_in(slash, path, 0755);
	if (fd < 0)
		return mount_path_error(err, fd, "cannot change to the working folder", path);
	if (fchdir(fd) < 0)
		return mount_path_error(err, -errno, "cannot change to the working folder", path);
	return mount_verify_cwd(err);
}
