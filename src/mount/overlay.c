/* SPDX-License-Identifier: Apache-2.0 */
/* The root of a container from image layers: one idmapped tree, one overlay on it. */
#include "mount/mount.h"

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "kernel/sys.h"
#include "mount/internal.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	LAYERS_MAX = 500, /* the kernel's own limit */
	EXTRA_ID = 65536, /* where host root is mapped, above every id of an image */
	LOWERDIR_MAX = 8 * (LAYERS_MAX + 1),
};

/* Everything that the overlay is made of, opened; all of it lives on one detached tree. */
struct parts {
	int tree;
	int *layers;
	size_t n_layers;
	int upper, work;
	int empty; /* a second lower folder: an overlay wants two when there is no upper */
};

static void parts_done(struct parts *p)
{
	for (size_t i = 0; i < p->n_layers; i++)
		fd_close(p->layers[i]);
	free(p->layers);
	fd_close(p->tree);
	fd_close(p->upper);
	fd_close(p->work);
	fd_close(p->empty);
}

static int open_tree_of_base(const struct mount_overlay *o, int *ret_fd, struct err *err)
{
	const struct mount_id_extent map[] = {
		{ .inside = 0, .outside = o->host_id, .count = o->size },
		{ .inside = EXTRA_ID, .outside = 0, .count = 1 },
	};
	_close_ int tree = -EBADF, userns = -EBADF;
	int r;

	if (o->size > EXTRA_ID)
		return err_set(err, -EINVAL, "an image's ids end at %d, %u were asked for",
		        EXTRA_ID, (unsigned int) o->size);
	tree = sys_open_tree(AT_FDCWD, o->base, OPEN_TREE_CLONE);
	if (tree < 0)
		return mount_path_error(err, tree, "cannot open the layer store", o->base);
	r = mount_change(tree, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, 0, MS_PRIVATE, false);
	if (r < 0)
		return mount_path_error(err, r, "cannot set attributes of", o->base);
	if (o->size > 0) {
		r = mount_userns_new(map, ARRAY_SIZE(map), &userns, err);
		if (r < 0)
			return r;
		r = mount_set_idmap(tree, userns, false, o->base, err);
		if (r < 0)
			return r;
	}
	*ret_fd = TAKE_FD(tree);
	return 0;
}

static int open_part(int tree, const char *name, int *ret_fd, struct err *err)
{
	int fd = path_open_in(tree, name, PATH_BENEATH_NO_LINKS, O_RDONLY | O_DIRECTORY, 0);

	if (fd < 0)
		return mount_path_error(err, fd, "cannot open the folder of a layer", name);
	*ret_fd = fd;
	return 0;
}

static int open_parts(const struct mount_overlay *o, struct parts *p, struct err *err)
{
	bool writable = o->upper && *o->upper;
	size_t n = 0;
	int r;

	while (n <= LAYERS_MAX && o->layers[n])
		n++;
	if (n == 0 || n > LAYERS_MAX)
		return err_set(err, -EINVAL,
		        "a root file system needs 1 to %d layers, this one has %s", LAYERS_MAX,
		        n == 0 ? "none" : "more");
	r = open_tree_of_base(o, &p->tree, err);
	if (r < 0)
		return r;
	p->layers = xnew_n(int, n);
	for (; p->n_layers < n; p->n_layers++) {
		r = open_part(p->tree, o->layers[p->n_layers], &p->layers[p->n_layers], err);
		if (r < 0)
			return r;
	}
	if (writable) {
		r = open_part(p->tree, o->upper, &p->upper, err);
		return r < 0 ? r : open_part(p->tree, o->work, &p->work, err);
	}
	if (n == 1)
		return mount_new_fs("tmpfs", "none", NULL,
		        MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, &p->empty, err);
	return 0;
}

static int set_options(int fsfd, const char *const *options, struct err *err)
{
	for (size_t i = 0; options && options[i]; i++) {
		_free_ char *copy = xstrdup(options[i]);
		char *value = strchr(copy, '=');
		int r;

		if (value)
			*value++ = '\0';
		r = value ? sys_fsconfig_string(fsfd, copy, value) : sys_fsconfig_flag(fsfd, copy);
		if (r < 0)
			return mount_fs_error(fsfd, r, err, "cannot set an option of the overlay");
	}
	return 0;
}

static const char what[] = "cannot make the root file system from its layers";

/* Before Linux 6.5 options are looked at here, all together, and no log says which was wrong. */
static int create_error(int fsfd, int code, const char *const *options, struct err *err)
{
	_buf_done_ struct buf text = BUF_INIT(1024);

	(void) buf_adds(&text, what);
	for (size_t i = 0; options && options[i]; i++) {
		(void) buf_adds(&text, i ? ", '" : " with '");
		(void) str_escape(&text, options[i], strlen(options[i]), 60);
		(void) buf_adds(&text, "'");
	}
	return mount_fs_error(fsfd, code, err, buf_str(&text));
}

/* The last steps of both ways. */
static int create(int fsfd, const struct mount_overlay *o, int *ret_fd, struct err *err)
{
	unsigned int attrs = (unsigned int) o->attr_set | MOUNT_ATTR_NODEV;
	int r = set_options(fsfd, o->options, err);
	int fd;

	if (r < 0)
		return r;
	r = sys_fsconfig_string(fsfd, "source", "overlay");
	if (r == 0)
		r = sys_fsconfig_create(fsfd);
	if (r < 0)
		return create_error(fsfd, r, o->options, err);
	fd = sys_fsmount(fsfd, attrs);
	if (fd < 0)
		return mount_fs_error(fsfd, fd, err, what);
	*ret_fd = fd;
	return 0;
}

/* Linux 6.13: each part by descriptor, from the detached tree. */
static int overlay_by_fd(
        const struct mount_overlay *o, const struct parts *p, int *ret_fd, struct err *err)
{
	_close_ int fsfd = sys_fsopen("overlay");
	int r = 0;

	if (fsfd < 0)
		return err_errno(err, fsfd, "this kernel has no overlay file system");
	for (size_t i = 0; i < p->n_layers && r == 0; i++)
		r = sys_fsconfig_fd(fsfd, "lowerdir+", p->layers[i]);
	if (r == 0 && p->empty >= 0)
		r = sys_fsconfig_fd(fsfd, "lowerdir+", p->empty);
	if (r == 0 && p->upper >= 0)
		r = sys_fsconfig_fd(fsfd, "upperdir", p->upper);
	if (r == 0 && p->upper >= 0)
		r = sys_fsconfig_fd(fsfd, "workdir", p->work);
	if (r < 0)
		return mount_fs_error(fsfd, r, err, what);
	return create(fsfd, o, ret_fd, err);
}

/* --- older kernels: by name, in a helper with a mount namespace of its own ------------------- */

struct answer {
	int result;
	int fd; /* in the shared table of descriptors */
	struct err err;
};

static int set_number(int fsfd, const char *key, int number)
{
	_free_ char *text = xprintf("%d", number);

	return sys_fsconfig_string(fsfd, key, text);
}

/* The names are numbers below /proc/self/fd, which is the helper's working folder: short enough for
 * 500 layers in the one page that the kernel takes, and they tell the container nothing. */
static int name_parts(int fsfd, const struct parts *p)
{
	_buf_done_ struct buf lower = BUF_INIT(LOWERDIR_MAX);
	int r;

	for (size_t i = 0; i < p->n_layers; i++)
		(void) buf_addf(&lower, "%s%d", i ? ":" : "", p->layers[i]);
	if (p->empty >= 0)
		(void) buf_addf(&lower, ":%d", p->empty);
	if (!buf_ok(&lower))
		return -E2BIG;
	r = sys_fsconfig_string(fsfd, "lowerdir", buf_str(&lower));
	if (r < 0 || p->upper < 0)
		return r;
	r = set_number(fsfd, "upperdir", p->upper);
	return r < 0 ? r : set_number(fsfd, "workdir", p->work);
}

/* Overlay takes only mounts of the caller's own mount namespace, so the tree is attached in one
 * that nobody else sees. */
static int attach_in_helper(const struct parts *p, struct err *err)
{
	_close_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (root < 0)
		return err_errno(err, -errno, "cannot open '/'");
	r = mount_change(root, 0, 0, MS_PRIVATE, true);
	if (r < 0)
		return err_errno(err, r, "cannot make the mounts of the overlay helper private");
	r = sys_move_mount_fd(p->tree, root);
	if (r == 0 && p->empty >= 0)
		r = sys_move_mount_fd(p->empty, root);
	if (r < 0)
		return err_errno(err, r, "cannot attach the layers in the overlay helper");
	if (chdir("/proc/self/fd") < 0)
		return err_errno(err, -errno, "cannot change to '/proc/self/fd'");
	return 0;
}

static int overlay_in_helper(
        const struct mount_overlay *o, const struct parts *p, int *ret_fd, struct err *err)
{
	_close_ int fsfd = -EBADF;
	int r = attach_in_helper(p, err);

	if (r < 0)
		return r;
	fsfd = sys_fsopen("overlay");
	if (fsfd < 0)
		return err_errno(err, fsfd, "this kernel has no overlay file system");
	r = name_parts(fsfd, p);
	if (r < 0)
		return mount_fs_error(fsfd, r, err, what);
	return create(fsfd, o, ret_fd, err);
}

static _noreturn_ void helper(const struct mount_overlay *o, const struct parts *p, int answer_fd)
{
	struct answer a = { .fd = -EBADF };

	a.result = overlay_in_helper(o, p, &a.fd, &a.err);
	_exit(fd_write_all(answer_fd, &a, sizeof(a)) < 0 ? 1 : 0);
}

static int overlay_by_name(
        const struct mount_overlay *o, const struct parts *p, int *ret_fd, struct err *err)
{
	/* CLONE_FILES: the mount that the helper makes stays in our table when it exits. */
	struct clone_args args = { .flags = CLONE_FILES | CLONE_NEWNS };
	_close_ int read_end = -EBADF, write_end = -EBADF;
	struct answer a;
	int ends[2], status = 0;
	ssize_t n;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_errno(err, -errno, "cannot make a pipe");
	read_end = ends[0];
	write_end = ends[1];
	pid = sys_clone3(&args, sizeof(args));
	if (pid < 0)
		return err_errno(err, pid, "cannot start the overlay helper");
	if (pid == 0)
		helper(o, p, write_end);
	while (waitpid(pid, &status, __WALL) < 0 && errno == EINTR)
		;
	/* The answer is smaller than PIPE_BUF, so it is there whole or not at all. */
	n = read(read_end, &a, sizeof(a));
	if (n != (ssize_t) sizeof(a))
		return err_set(err, -EIO, "the overlay helper died (wait status %d)", status);
	if (a.result < 0)
		return err_set(err, a.result, "%s", a.err.text);
	*ret_fd = a.fd;
	return 0;
}

int mount_open_overlay(const struct mount_overlay *o, int *ret_fd, struct err *err)
{
	_cleanup_(parts_done) struct parts parts = {
		.tree = -EBADF,
		.upper = -EBADF,
		.work = -EBADF,
		.empty = -EBADF,
	};
	_close_ int fd = -EBADF;
	struct statvfs fs;
	int r = open_parts(o, &parts, err);

	if (r < 0)
		return r;
	r = -EOPNOTSUPP;
	if (o->method != MOUNT_OVERLAY_BY_NAME)
		r = overlay_by_fd(o, &parts, &fd, err);
	/* Linux 6.1 to 6.4 say EOPNOTSUPP, 6.5 to 6.12 EINVAL. */
	if ((r == -EOPNOTSUPP || r == -EINVAL) && o->method != MOUNT_OVERLAY_BY_FD)
		r = overlay_by_name(o, &parts, &fd, err);
	if (r < 0)
		return r;
	/* The kernel falls back to read-only in silence when it cannot use the work folder. */
	if (fstatvfs(fd, &fs) < 0)
		return err_errno(err, -errno, "cannot look at the root file system");
	if (parts.upper >= 0 && fs.f_flag & ST_RDONLY && !(o->attr_set & MOUNT_ATTR_RDONLY))
		return err_set(err, -EROFS,
		        "%s: the kernel made it read-only, its work folder cannot be used (see "
		        "the kernel log)",
		        what);
	if (o->ret_base)
		*o->ret_base = TAKE_FD(parts.tree);
	*ret_fd = TAKE_FD(fd);
	return 0;
}
