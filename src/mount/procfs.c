/* SPDX-License-Identifier: Apache-2.0 */
/* The runtime's own door to procfs. */
#include "mount/mount.h"

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "kernel/sys.h"
#include "mount/internal.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PROC_ROOT_INODE = 1, VALUE_MAX = 4096 };

static int check_proc_root(int fd, struct err *err)
{
	struct stat st;

	if (!mount_fd_is_procfs(fd) || fstat(fd, &st) < 0 || st.st_ino != PROC_ROOT_INODE)
		return err_set(err, -ENOTDIR, "'/proc' is not the root of a procfs");
	return 0;
}

int mount_private_proc(int *ret_fd, struct err *err)
{
	_close_ int fd = -EBADF;
	int r = mount_new_fs("proc", "proc", NULL,
	        MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, &fd, err);

	if (r < 0)
		return r;
	r = check_proc_root(fd, err);
	if (r < 0)
		return r;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int mount_host_proc(int *ret_fd, struct err *err)
{
	_close_ int fd = open("/proc", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r;

	if (fd < 0)
		return err_errno(err, -errno, "cannot open '/proc'");
	r = check_proc_root(fd, err);
	if (r < 0)
		return r;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int mount_proc_open(int procfd, const char *path, int flags)
{
	/* NO_XDEV: a mount on the way would be somebody's fake. 'self' is a link that stays inside.
	 */
	_close_ int fd = sys_openat2(procfd, path, (uint64_t) (unsigned int) flags, 0,
	        RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV);

	if (fd < 0)
		return TAKE_FD(fd);
	if (!mount_fd_is_procfs(fd))
		return -EXDEV;
	return TAKE_FD(fd);
}

int mount_write_sysctl(int procfd, const char *path, const char *value, struct err *err)
{
	_free_ char *full = xprintf("sys/%s", path);
	_free_ char *clean = path_clean(full);
	_free_ char *shown = str_escaped(path);
	_close_ int fd = -EBADF;
	size_t len = strlen(value);
	ssize_t n;

	/* A name is what it says: "net/../kernel/core_pattern" is not a net sysctl. */
	if (!*path || !streq(clean + 1, full))
		return err_set(err, -EINVAL, "'%s' is not the name of a sysctl", shown);
	if (len > VALUE_MAX)
		return err_set(err, -E2BIG, "the value of sysctl '%s' is too long", shown);
	fd = mount_proc_open(procfd, full, O_WRONLY | O_NOCTTY);
	if (fd == -ENOENT)
		return err_set(err, -ENOENT,
		        "cannot set sysctl '%s': this kernel does not have it here", shown);
	if (fd < 0)
		return err_errno(err, fd, "cannot open sysctl '%s'", shown);
	n = write(fd, value, len);
	if (n < 0 || (size_t) n != len) {
		_free_ char *text = str_escaped(value);
		return err_errno(
		        err, n < 0 ? -errno : -EIO, "cannot set sysctl '%s' to '%s'", shown, text);
	}
	return 0;
}
