/* SPDX-License-Identifier: Apache-2.0 */
/* File systems and binds inside the container's root. */
#include "mount/mount.h"

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "kernel/sys.h"
#include "mount/internal.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/* --- targets --------------------------------------------------------------------------------- */

/* The files of /proc that tools (lxcfs and the like) replace by a bind; sorted. Anything else there
 * would fake what the runtime or a program trusts (CVE-2019-16884). */
static const char *const proc_targets[] = {
	"/proc/cpuinfo",
	"/proc/diskstats",
	"/proc/loadavg",
	"/proc/meminfo",
	"/proc/net/dev",
	"/proc/slabinfo",
	"/proc/stat",
	"/proc/swaps",
	"/proc/sys/kernel/ns_last_pid",
	"/proc/sys/vm/overcommit_memory",
	"/proc/uptime",
};

static bool may_cover(const char *clean)
{
	for (size_t i = 0; i < ARRAY_SIZE(proc_targets); i++)
		if (streq(proc_targets[i], clean))
			return true;
	return false;
}

static int refuse_proc(const char *target, struct err *err)
{
	_free_ char *shown = str_escaped(target);

	return err_set(err, -EPERM,
	        "cannot mount on '%s': it is inside /proc, where only a few files may be replaced",
	        shown);
}

/* path_make_dirs_in and path_make_file_in follow links inside the root; the reopening does not. */
static int open_or_make(int rootfd, const char *clean, bool as_dir, bool no_links)
{
	int fd = as_dir ? path_make_dirs_in(rootfd, clean, 0755)
	                : path_make_file_in(rootfd, clean, 0644);

	if (fd < 0 || !no_links)
		return fd;
	fd_close(fd);
	return path_open_in(rootfd, clean, PATH_IN_ROOT_NO_LINKS, O_PATH, 0);
}

int mount_open_target(
        int rootfd, const char *target, bool as_dir, bool no_links, int *ret_fd, struct err *err)
{
	_free_ char *clean = path_clean(target);
	bool in_proc = str_has_prefix(clean, "/proc/");
	_close_ int fd = -EBADF;

	if (streq(clean, "/"))
		return err_set(
		        err, -EINVAL, "cannot mount on '/': that is the root file system itself");
	if (in_proc && !may_cover(clean))
		return refuse_proc(target, err);
	fd = as_dir && !no_links ? path_make_dirs_in(rootfd, clean, 0755) : -ENOTDIR;
	/* Also for a target that is there and no folder, which is told below. */
	if (fd == -ENOTDIR)
		fd = path_open_in(
		        rootfd, clean, no_links ? PATH_IN_ROOT_NO_LINKS : PATH_IN_ROOT, O_PATH, 0);
	if (fd == -ENOENT)
		fd = open_or_make(rootfd, clean, as_dir, no_links);
	if (fd == -ELOOP && no_links) {
		_free_ char *shown = str_escaped(target);
		return err_set(err, -ELOOP,
		        "cannot mount on '%s': the image has a symbolic link there (it must be "
		        "mounted on ordinary directory)",
		        shown);
	}
	if (fd < 0)
		return mount_path_error(err, fd, "cannot open the mount target", target);
	if (mount_fd_is_dir(fd) != as_dir) {
		_free_ char *shown = str_escaped(target);
		return err_set(err, -ENOTDIR, "cannot mount a %s on '%s', which is %s",
		        as_dir ? "folder" : "file", shown, as_dir ? "a file" : "a folder");
	}
	/* A link of the image may lead into the procfs that was mounted before. */
	if (mount_fd_is_procfs(fd) && !in_proc && !streq(clean, "/proc"))
		return refuse_proc(target, err);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* --- attributes ------------------------------------------------------------------------------ */

/* The plain attributes of the top mount, then those that go below it too. */
static int set_attributes(int fd, const struct mount_spec *m, struct err *err)
{
	int r = mount_change(fd, m->attr_set, m->attr_clear, 0, false);

	if (r == 0)
		r = mount_change(fd, m->rec_attr_set, m->rec_attr_clear, 0, true);
	if (r < 0)
		return mount_path_error(err, r, "cannot set the mount options of", m->target);
	return 0;
}

/*
 * A clone of a shared mount is a peer of the host's mount: left so, what the container mounts there
 * would appear on the host. So every mount is private first unless something else was asked for.
 * Slave and shared need the connection to the host's peer group, so they are set at once on all;
 * private and unbindable may differ between the top and what is below.
 */
static int set_propagation(int fd, const struct mount_spec *m, struct err *err)
{
	uint64_t top = m->propagation ? m->propagation : MS_PRIVATE;
	bool all = m->propagation_recursive || top == MS_SLAVE || top == MS_SHARED;
	int r = 0;

	if (!all || top == MS_PRIVATE)
		r = mount_change(fd, 0, 0, MS_PRIVATE, true);
	if (r == 0 && top != MS_PRIVATE)
		r = mount_change(fd, 0, 0, top, all);
	if (r < 0)
		return mount_path_error(err, r, "cannot set the propagation of", m->target);
	return 0;
}

static int attach(int tree, int target, const struct mount_spec *m, struct err *err)
{
	int r = sys_move_mount_fd(tree, target);

	if (r < 0)
		return mount_path_error(err, r, "cannot mount on", m->target);
	return 0;
}

/* --- file systems ---------------------------------------------------------------------------- */

static bool has_option(const char *const *data, const char *key)
{
	size_t len = strlen(key);

	for (size_t i = 0; data && data[i]; i++)
		if (strncmp(data[i], key, len) == 0 && (data[i][len] == '=' || !data[i][len]))
			return true;
	return false;
}

static bool is_missing(int rootfd, const char *path)
{
	_close_ int fd = path_open_in(rootfd, path, PATH_IN_ROOT, O_PATH, 0);

	return fd == -ENOENT;
}

/* A tmpfs without a mode takes that of the folder it covers (as runc does); where there was none it
 * is the kernel's, 1777. */
static int new_tmpfs(
        const struct mount_spec *m, unsigned int attrs, int target, int *ret_fd, struct err *err)
{
	_free_ const char **data = NULL;
	char mode[16] = "mode=";
	struct stat st;
	size_t n = 0;

	if (target < 0 || has_option(m->data, "mode"))
		return mount_new_fs(m->fstype, m->source, m->data, attrs, ret_fd, err);
	if (fstat(target, &st) < 0)
		return mount_path_error(err, -errno, "cannot look at the mount target", m->target);
	for (int i = 3; i >= 0; i--)
		mode[5 + 3 - i] = (char) ('0' + ((st.st_mode >> (3 * i)) & 7));
	while (m->data && m->data[n])
		n++;
	data = xnew_n(const char *, n + 2);
	for (size_t i = 0; i < n; i++)
		data[i] = m->data[i];
	data[n] = mode;
	return mount_new_fs(m->fstype, m->source, data, attrs, ret_fd, err);
}

int mount_attach_fs(int rootfd, const struct mount_spec *m, struct err *err)
{
	bool proc = streq(m->fstype, "proc");
	bool real = proc || streq(m->fstype, "sysfs");
	bool tmpfs = streq(m->fstype, "tmpfs");
	_free_ char *clean = path_clean(m->target);
	_close_ int target = -EBADF, tree = -EBADF;
	struct mount_spec rest = *m;
	unsigned int attrs;
	bool plain;
	int r;

	if (!proc && streq(clean, "/proc"))
		return err_set(err, -EPERM,
		        "cannot mount '%s' on '/proc': only a procfs can be there", m->fstype);
	plain = tmpfs && !has_option(m->data, "mode") && is_missing(rootfd, clean);
	r = mount_open_target(rootfd, m->target, true, real, &target, err);
	if (r < 0)
		return r;
	/* The mount is made with its options; one that is filled first cannot be read-only yet, and
	 * what is cleared as well has to be told in one call. */
	attrs = m->copy_up || m->attr_clear ? 0 : (unsigned int) m->attr_set;
	if (attrs)
		rest.attr_set = 0;
	if (tmpfs)
		r = new_tmpfs(m, attrs, plain ? -EBADF : target, &tree, err);
	else
		r = mount_new_fs(m->fstype, m->source, m->data, attrs, &tree, err);
	if (r < 0) {
		_free_ char *shown = str_escaped(m->target);
		return err_prefix(err, r, "cannot mount on '%s'", shown);
	}
	if (m->copy_up && tmpfs) {
		r = mount_copy_up(target, tree, err);
		if (r < 0)
			return r;
	}
	r = set_attributes(tree, &rest, err);
	if (r == 0)
		r = attach(tree, target, m, err);
	if (r == 0 && m->propagation)
		r = set_propagation(tree, m, err);
	return r;
}

int mount_attach_bind(int rootfd, int tree, const struct mount_spec *m, struct err *err)
{
	_free_ char *clean = path_clean(m->target);
	_close_ int target = -EBADF;
	int r;

	if (streq(clean, "/proc") && !mount_fd_is_procfs(tree))
		return err_set(err, -EPERM, "cannot bind on '/proc': only a procfs can be there");
	r = mount_open_target(rootfd, m->target, mount_fd_is_dir(tree),
	        streq(clean, "/proc") || streq(clean, "/sys") || str_has_prefix(clean, "/proc/"),
	        &target, err);
	if (r < 0)
		return r;
	r = set_propagation(tree, m, err);
	if (r == 0)
		r = set_attributes(tree, m, err);
	return r < 0 ? r : attach(tree, target, m, err);
}

/* --- files of our own ------------------------------------------------------------------------- */

static const char file_name[] = ".bulkhead-file";

/* A new file in the tmpfs on /dev, with its name there for a moment. */
static int make_file(int devfd, const char *content, int *ret_fd)
{
	_close_ int fd = path_open_in(devfd, file_name, PATH_BENEATH_NO_LINKS,
	        O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	int r = fd < 0 ? fd : fd_write_all(fd, content, strlen(content));

	/* Our umask is 0, but the mode is a promise. */
	if (r == 0 && fchmod(fd, 0644) < 0)
		r = -errno;
	if (r < 0)
		return r;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int mount_attach_file(int rootfd, const char *content, const struct mount_spec *m, struct err *err)
{
	_free_ char *shown = str_escaped(m->target);
	_close_ int dev = path_open_in(
	        rootfd, "dev", PATH_IN_ROOT_NO_LINKS, O_PATH | O_DIRECTORY, 0);
	_close_ int file = -EBADF, tree = -EBADF;
	struct statfs fs;
	int r = 0;

	if (dev < 0)
		return err_errno(err, dev, "cannot mount a file on '%s': there is no /dev", shown);
	if (fstatfs(dev, &fs) < 0 || fs.f_type != TMPFS_MAGIC)
		return err_set(err, -EINVAL,
		        "cannot mount a file on '%s': /dev is no tmpfs of the container's own",
		        shown);
	r = make_file(dev, content, &file);
	if (r == 0)
		r = tree = sys_open_tree(dev, file_name, OPEN_TREE_CLONE | AT_SYMLINK_NOFOLLOW);
	if (r < 0)
		r = err_errno(err, r, "cannot make the file for '%s'", shown);
	else
		r = mount_attach_bind(rootfd, tree, m, err);
	/* Only now: what has no name cannot be attached. */
	if (file >= 0 && unlinkat(dev, file_name, 0) < 0 && r >= 0)
		r = err_errno(err, -errno, "cannot make the file for '%s'", shown);
	return r;
}
