/* SPDX-License-Identifier: Apache-2.0 */
/* /sys/fs/cgroup of a container, on v2, v1 and hybrid machines. */
#include "mount/mount.h"

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "kernel/sys.h"
#include "mount/internal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CONTROLLERS_MAX = 32 };

#define CGROUP_ATTRS (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

/* A clone of the supervisor's bind or, in a cgroup namespace, a new mount of the hierarchy. */
static int open_v2(const struct mount_cgroup_view *v, size_t i, int *ret_fd, struct err *err)
{
	int fd;

	if (!v->trees)
		return mount_new_fs("cgroup2", "cgroup", NULL, CGROUP_ATTRS, ret_fd, err);
	fd = fd_dup(v->trees[i]);
	if (fd < 0)
		return err_errno(err, fd, "cannot use the bind of a control group");
	*ret_fd = fd;
	return 0;
}

/* "cpu,cpuacct" is mounted with these two options, "systemd" and "name=x" are hierarchies without
 * controllers. */
static int new_v1(const char *hierarchy, int *ret_fd, struct err *err)
{
	const char *options[CONTROLLERS_MAX + 1] = { NULL };
	_free_ char *copy = xstrdup(hierarchy);
	_free_ char *named = NULL;
	char *rest = copy;
	size_t n = 0;

	if (streq(hierarchy, "systemd") || str_has_prefix(hierarchy, "name=")) {
		named = str_has_prefix(hierarchy, "name=") ? xstrdup(hierarchy)
		                                           : xprintf("name=%s", hierarchy);
		options[n++] = "none";
		options[n++] = named;
	} else {
		for (char *name; n < CONTROLLERS_MAX && (name = strsep(&rest, ","));)
			options[n++] = name;
	}
	return mount_new_fs("cgroup", "cgroup", options, CGROUP_ATTRS, ret_fd, err);
}

static int attach_named(int dir, const char *name, int tree, uint64_t attrs, struct err *err)
{
	_close_ int target = -EBADF;
	int r;

	if (!path_is_name(name))
		return mount_path_error(err, -EINVAL, "not a name of a cgroup hierarchy:", name);
	if (mkdirat(dir, name, 0755) < 0)
		return mount_path_error(
		        err, -errno, "cannot make the folder of the cgroup hierarchy", name);
	target = path_open_in(dir, name, PATH_BENEATH_NO_LINKS, O_PATH | O_DIRECTORY, 0);
	if (target < 0)
		return mount_path_error(
		        err, target, "cannot open the folder of the cgroup hierarchy", name);
	r = mount_change(tree, attrs, 0, MS_PRIVATE, true);
	if (r == 0)
		r = sys_move_mount_fd(tree, target);
	if (r < 0)
		return mount_path_error(err, r, "cannot mount the cgroup hierarchy", name);
	return 0;
}

/* cpu -> cpu,cpuacct and cpuacct -> cpu,cpuacct: what programs look for. */
static int link_controllers(int dir, const char *hierarchy, struct err *err)
{
	_free_ char *copy = xstrdup(hierarchy);
	char *rest = copy;

	if (!strchr(hierarchy, ','))
		return 0;
	for (char *name; (name = strsep(&rest, ","));) {
		if (!path_is_name(name))
			return mount_path_error(
			        err, -EINVAL, "not a name of a cgroup hierarchy:", hierarchy);
		if (symlinkat(hierarchy, dir, name) < 0 && errno != EEXIST)
			return mount_path_error(
			        err, -errno, "cannot make the link of the cgroup controller", name);
	}
	return 0;
}

static int fill_v1(int dir, const struct mount_cgroup_view *v, uint64_t attrs, struct err *err)
{
	size_t i = 0;
	int r;

	for (; v->hierarchies && v->hierarchies[i]; i++) {
		const char *name = v->hierarchies[i];
		_close_ int tree = -EBADF;

		if (v->trees)
			r = open_v2(v, i, &tree, err);
		else
			r = new_v1(name, &tree, err);
		if (r == 0)
			r = attach_named(dir, str_has_prefix(name, "name=") ? name + 5 : name, tree,
			        attrs, err);
		if (r == 0)
			r = link_controllers(dir, name, err);
		if (r < 0)
			return r;
	}
	if (v->unified) {
		_close_ int tree = -EBADF;

		r = open_v2(v, i, &tree, err);
		return r < 0 ? r : attach_named(dir, "unified", tree, attrs, err);
	}
	return 0;
}

int mount_attach_cgroup(int rootfd, const struct mount_spec *m,
        const struct mount_cgroup_view *view, struct err *err)
{
	static const char *const tmpfs_options[] = { "mode=755", "size=64k", "nr_inodes=128",
		NULL };
	uint64_t attrs = m->attr_set | CGROUP_ATTRS | (view->trees ? MOUNT_ATTR_RDONLY : 0);
	_close_ int target = -EBADF, tree = -EBADF;
	int r = mount_open_target(rootfd, m->target, true, true, &target, err);

	if (r < 0)
		return r;
	if (view->v2)
		r = open_v2(view, 0, &tree, err);
	else
		r = mount_new_fs("tmpfs", "cgroup", tmpfs_options, CGROUP_ATTRS, &tree, err);
	if (r == 0 && view->v2) {
		r = mount_change(tree, attrs, 0, MS_PRIVATE, true);
		if (r < 0)
			(void) err_errno(err, r, "cannot set the options of the cgroup mount");
	}
	if (r < 0)
		return r;
	/* Attached first: Linux 6.1 cannot mount onto a detached tree. */
	r = sys_move_mount_fd(tree, target);
	if (r < 0)
		return mount_path_error(err, r, "cannot mount the control groups on", m->target);
	if (view->v2)
		return 0;
	r = fill_v1(tree, view, attrs, err);
	if (r < 0)
		return r;
	/* The tmpfs holds names only; nobody has anything to write there. */
	r = mount_change(tree, MOUNT_ATTR_RDONLY, 0, 0, false);
	if (r < 0)
		return mount_path_error(err, r, "cannot make read-only", m->target);
	return 0;
}
