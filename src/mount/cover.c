/* SPDX-License-Identifier: Apache-2.0 */
/* Covers: what the container must not see lies below a null device or an empty folder. */
#include "mount/mount.h"

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "kernel/sys.h"
#include "mount/internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

void mount_cover_init(struct mount_cover *c, int null_tree)
{
	*c = (struct mount_cover){
		.null_tree = null_tree,
		.null_mount = -EBADF,
		.empty_mount = -EBADF,
	};
}

void mount_cover_done(struct mount_cover *c)
{
	c->null_mount = fd_close(c->null_mount);
	c->empty_mount = fd_close(c->empty_mount);
}

/* The first use attaches the mount itself; later ones attach clones of the attached one, because
 * before Linux 6.15 a detached mount cannot be cloned. */
static int cover_again(int mount, int target)
{
	_close_ int copy = mount_clone(mount, false);

	return copy < 0 ? TAKE_FD(copy) : sys_move_mount_fd(copy, target);
}

/* A path may be named twice, or through a link: one cover is enough. */
static bool is_covered(const struct mount_cover *c, int target)
{
	return (c->null_mount >= 0 && fd_same_file(c->null_mount, target)) ||
	       (c->empty_mount >= 0 && fd_same_file(c->empty_mount, target));
}

static int cover_file(struct mount_cover *c, int target)
{
	struct stat st;
	int r;

	if (c->null_mount >= 0)
		return cover_again(c->null_mount, target);
	/* CVE-2025-31133: what covers is the null device, and nothing that took its name. */
	if (fstat(c->null_tree, &st) < 0 || !S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
		return -ENXIO;
	r = sys_move_mount_fd(c->null_tree, target);
	if (r < 0)
		return r;
	r = fd_dup(c->null_tree);
	if (r < 0)
		return r;
	c->null_mount = r;
	return 0;
}

static int cover_dir(struct mount_cover *c, int target, struct err *err)
{
	static const char *const options[] = { "mode=555", "size=4k", "nr_inodes=1", NULL };
	_close_ int tree = -EBADF;
	int r;

	if (c->empty_mount >= 0)
		return cover_again(c->empty_mount, target);
	r = mount_new_fs("tmpfs", "none", options,
	        MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, &tree,
	        err);
	if (r == 0)
		r = sys_move_mount_fd(tree, target);
	if (r < 0)
		return r;
	c->empty_mount = TAKE_FD(tree);
	return 0;
}

static int cover_fd(struct mount_cover *c, int target, const char *path, struct err *err)
{
	int r = mount_fd_is_dir(target) ? cover_dir(c, target, err) : cover_file(c, target);

	if (r < 0)
		return mount_path_error(err, r, "cannot cover", path);
	return 0;
}

int mount_cover_path(struct mount_cover *c, int rootfd, const char *path, struct err *err)
{
	_close_ int target = path_open_in(rootfd, path, PATH_IN_ROOT, O_PATH, 0);

	if (target == -ENOENT || target == -ENOTDIR)
		return 0;
	if (target < 0)
		return mount_path_error(err, target, "cannot open what is to be covered:", path);
	if (is_covered(c, target))
		return 0;
	return cover_fd(c, target, path, err);
}

static bool stays(const struct dirent *e, const char *const *names)
{
	/* self, thread-self, mounts and net are links into a process folder; a mount cannot lie on
	 * a link. */
	if (e->d_name[0] == '.' || e->d_type == DT_LNK || mount_is_pid_name(e->d_name))
		return true;
	for (size_t i = 0; names && names[i]; i++)
		if (streq(names[i], e->d_name))
			return true;
	return false;
}

/* What covers an entry of this type, once it lies somewhere; else negative. */
static int cover_for(const struct mount_cover *c, unsigned char type)
{
	return type == DT_DIR ? c->empty_mount : type == DT_REG ? c->null_mount : -EBADF;
}

/* The entry is one name in a folder of procfs that is held open, and the kernel resolves it once,
 * without following it, in the call that mounts on it: a descriptor of its own would not say more.
 * An entry of another type than was listed is refused by the kernel. */
static int cover_name(int mount, int proc, const char *name, struct err *err)
{
	_close_ int copy = mount_clone(mount, false);
	int r = copy < 0 ? copy : sys_move_mount(copy, "", proc, name, MOVE_MOUNT_F_EMPTY_PATH);

	if (r == -ENOENT) /* gone since it was listed */
		return 0;
	return r < 0 ? mount_path_error(err, r, "cannot cover", name) : 0;
}

static int cover_entry(
        struct mount_cover *c, int proc, const char *name, unsigned char type, struct err *err)
{
	int mount = cover_for(c, type);
	_close_ int target = -EBADF;

	if (mount >= 0)
		return cover_name(mount, proc, name, err);
	target = path_open_in(proc, name, PATH_BENEATH_NO_LINKS, O_PATH, 0);
	if (target == -ENOENT) /* gone since it was listed */
		return 0;
	if (target < 0)
		return mount_path_error(
		        err, target, "cannot open what is to be covered in '/proc':", name);
	return cover_fd(c, target, name, err);
}

int mount_cover_proc(struct mount_cover *c, int rootfd, const char *const *names, struct err *err)
{
	_close_ int proc = path_open_in(
	        rootfd, "/proc", PATH_IN_ROOT_NO_LINKS, O_RDONLY | O_DIRECTORY, 0);
	int listing, r = 0;
	struct dirent *e;
	DIR *d;

	if (proc < 0)
		return err_errno(err, proc, "cannot open '/proc' of the root file system");
	if (!mount_fd_is_procfs(proc))
		return err_set(err, -ENOTDIR, "cannot cover '/proc': it is not a procfs");
	listing = fd_dup(proc);
	d = listing < 0 ? NULL : fdopendir(listing);
	if (!d) {
		r = listing < 0 ? listing : -errno;
		fd_close(listing);
		return err_errno(err, r, "cannot list '/proc' of the root file system");
	}
	errno = 0;
	while (r == 0 && (e = readdir(d))) {
		if (!stays(e, names))
			r = cover_entry(c, proc, e->d_name, e->d_type, err);
		errno = 0;
	}
	if (r == 0 && errno != 0)
		r = err_errno(err, -errno, "cannot list '/proc' of the root file system");
	(void) closedir(d);
	return r;
}

static bool is_mount_root(int fd)
{
	struct statx stx;

	return statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT, 0, &stx) == 0 &&
	       (stx.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

int mount_read_only(int rootfd, const char *path, struct err *err)
{
	_close_ int target = path_open_in(rootfd, path, PATH_IN_ROOT, O_PATH, 0);
	_close_ int tree = -EBADF;
	int r;

	if (target == -ENOENT || target == -ENOTDIR)
		return 0;
	if (target < 0)
		return mount_path_error(err, target, "cannot open what is to be read-only:", path);
	if (is_mount_root(target)) {
		r = mount_change(target, MOUNT_ATTR_RDONLY, 0, 0, false);
		return r < 0 ? mount_path_error(err, r, "cannot make read-only", path) : 0;
	}
	/* With the mounts below it: covers must not come off. */
	tree = mount_clone(target, true);
	if (tree < 0)
		return mount_path_error(err, tree, "cannot bind onto itself", path);
	r = mount_change(tree, MOUNT_ATTR_RDONLY, 0, 0, false);
	if (r == 0)
		r = sys_move_mount_fd(tree, target);
	if (r < 0)
		return mount_path_error(err, r, "cannot make read-only", path);
	return 0;
}
