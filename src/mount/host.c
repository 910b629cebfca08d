/* SPDX-License-Identifier: Apache-2.0 */
/* The supervisor's half: what comes from the host is opened here, as detached mounts. */
#include "mount/mount.h"

#include "base/fd.h"
#include "base/str.h"
#include "kernel/sys.h"
#include "mount/internal.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

int mount_open_root(const char *path, uint64_t attr_set, int *ret_fd, struct err *err)
{
	_close_ int fd = -EBADF;
	int r;

	fd = sys_open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | AT_RECURSIVE);
	if (fd < 0)
		return mount_path_error(err, fd, "cannot open the root file system", path);
	if (!mount_fd_is_dir(fd))
		return mount_path_error(err, -ENOTDIR, "cannot use as a root file system", path);
	r = mount_change(fd, attr_set, 0, 0, false);
	if (r < 0)
		return mount_path_error(
		        err, r, "cannot set the attributes of the root file system", path);
	/* What the container mounts below its root must not appear on the host. The other way is
	 * the plan's choice, see mount_set_root(). */
	r = mount_change(fd, 0, 0, MS_SLAVE, true);
	if (r < 0)
		return mount_path_error(
		        err, r, "cannot make a slave of the root file system", path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int mount_open_bind(const char *path, bool recursive, int *ret_fd, struct err *err)
{
	int fd = sys_open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | (recursive ? AT_RECURSIVE : 0));

	if (fd == -EINVAL)
		return mount_path_error(err, fd,
		        "cannot bind (it is unbindable, or holds mounts that may not be revealed: "
		        "use rbind)",
		        path);
	if (fd < 0)
		return mount_path_error(err, fd, "cannot bind", path);
	*ret_fd = fd;
	return 0;
}

static bool is_device(int fd, char type, unsigned int major_no, unsigned int minor_no)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || st.st_rdev != makedev(major_no, minor_no))
		return false;
	return type == 'b' ? S_ISBLK(st.st_mode) : S_ISCHR(st.st_mode);
}

int mount_open_device(const char *path, char type, unsigned int major_no, unsigned int minor_no,
        int *ret_fd, struct err *err)
{
	_close_ int node = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	_close_ int fd = -EBADF;
	int r;

	if (node < 0)
		return mount_path_error(err, -errno, "cannot open the device", path);
	fd = mount_clone(node, false);
	if (fd < 0)
		return mount_path_error(err, fd, "cannot bind the device", path);
	/* Of the clone, which is what will be used. */
	if (!is_device(fd, type, major_no, minor_no)) {
		_free_ char *shown = str_escaped(path);
		return err_set(err, -ENXIO,
		        "cannot use '%s': it is not the %s device %u:%u (a link or another file "
		        "took its place)",
		        shown, type == 'b' ? "block" : "character", major_no, minor_no);
	}
	r = mount_change(fd, MOUNT_ATTR_NOSUID, 0, MS_PRIVATE, false);
	if (r < 0)
		return mount_path_error(err, r, "cannot set the attributes of the device", path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* --- user namespaces for idmapped mounts ----------------------------------------------------- */

enum {
	EXTENTS_MAX = 340, /* the kernel's own limit */
	HELPER_STACK = 4096,
};

static int write_map(
        pid_t pid, const char *file, const struct mount_id_extent *map, size_t n, struct err *err)
{
	_buf_done_ struct buf text = BUF_INIT((size_t) EXTENTS_MAX * 36);
	char path[64];
	int r;

	for (size_t i = 0; i < n; i++)
		(void) buf_addf(&text, "%u %u %u\n", map[i].inside, map[i].outside, map[i].count);
	(void) snprintf(path, sizeof(path), "/proc/%d/%s", (int) pid, file);
	r = buf_ok(&text) ? fd_write_file(AT_FDCWD, path, buf_str(&text)) : -EMSGSIZE;
	if (r < 0)
		return err_errno(err, r,
		        "cannot write the %s of a user namespace for id-mapped mounts", file);
	return 0;
}

/* The first process of a new user namespace. Until it is waited for, the namespace can be reached
 * by its entry in /proc, dead or alive. */
static int leave_at_once(void *unused)
{
	(void) unused;
	return 0;
}

static void reap(pid_t pid)
{
	while (waitpid(pid, NULL, __WALL) < 0 && errno == EINTR)
		;
}

int mount_userns_new2(const struct mount_id_extent *uids, size_t n_uids,
        const struct mount_id_extent *gids, size_t n_gids, int *ret_userns_fd, struct err *err)
{
	/* No exit signal: the caller's SIGCHLD handling does not see this child. It shares our
	 * memory while we stand still, and so costs no copy of it. */
	const int flags = CLONE_NEWUSER | CLONE_VM | CLONE_VFORK;
	_Alignas(16) char stack[HELPER_STACK];
	char path[64];
	int ns = -EBADF, r;
	pid_t pid;

	if (n_uids > EXTENTS_MAX || n_gids > EXTENTS_MAX)
		return err_set(err, -E2BIG, "more than %d extents in an id map", EXTENTS_MAX);
	pid = clone(leave_at_once, stack + sizeof(stack), flags, NULL);
	if (pid < 0)
		return err_errno(err, -errno, "cannot make a user namespace for id-mapped mounts");

	r = write_map(pid, "uid_map", uids, n_uids, err);
	if (r == 0)
		r = write_map(pid, "gid_map", gids, n_gids, err);
	if (r == 0) {
		(void) snprintf(path, sizeof(path), "/proc/%d/ns/user", (int) pid);
		ns = open(path, O_RDONLY | O_CLOEXEC);
		if (ns < 0)
			r = err_errno(
			        err, -errno, "cannot open the user namespace for id-mapped mounts");
	}
	reap(pid);
	if (r == 0)
		*ret_userns_fd = ns;
	return r;
}

int mount_userns_new(
        const struct mount_id_extent *map, size_t n, int *ret_userns_fd, struct err *err)
{
	return mount_userns_new2(map, n, map, n, ret_userns_fd, err);
}

int mount_set_idmap(int tree, int userns_fd, bool recursive, const char *name, struct err *err)
{
	struct mount_attr attr = {
		.attr_set = MOUNT_ATTR_IDMAP,
		.userns_fd = (uint64_t) userns_fd,
	};
	int r = sys_mount_setattr(tree, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr);

	if (r == -EINVAL) {
		_free_ char *shown = str_escaped(name);

		return err_set(err, r,
		        "cannot map the ids of '%s': its file system%s cannot do that (NFS, FUSE and procfs "
		        "never, tmpfs since Linux 6.3), or it is mapped already; use a folder of another "
		        "file system, or leave the ids as they are (--mount ...,no-idmap)",
		        shown, recursive ? ", or one that is mounted below," : "");
	}
	if (r < 0)
		return mount_path_error(err, r, "cannot map the ids of", name);
	return 0;
}
