/* SPDX-License-Identifier: Apache-2.0 */
/* What the supervisor opens with the host's view and rights, before there is a child. */
#include "base/fd.h"
#include "base/str.h"
#include "sandbox/apply.h"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { NSFS_TYPE = 0x6e736673 };

static int open_root(struct apply *a, const struct plan_step *s, int *ret_fd, struct err *err)
{
	if (a->root >= 0)
		return err_set(err, -EINVAL, "the plan names two roots");
	(void) ret_fd;
	return mount_open_root(s->root.path, s->root.attr_set, &a->root, err);
}

static int open_overlay(struct apply *a, const struct plan_step *s, int *ret_fd, struct err *err)
{
	const struct plan_root_overlay *o = &s->root_overlay;
	const struct mount_overlay overlay = {
		.base = o->base,
		.layers = o->layers,
		.upper = o->upper,
		.work = o->work,
		.host_id = o->host_id,
		.size = o->size,
		.attr_set = o->attr_set,
		.options = o->options,
	};

	if (a->root >= 0)
		return err_set(err, -EINVAL, "the plan names two roots");
	(void) ret_fd;
	return mount_open_overlay(&overlay, &a->root, err);
}

static int open_mount(struct apply *a, const struct plan_step *s, int *ret_fd, struct err *err)
{
	(void) a;
	if (s->mount.kind != PLAN_MOUNT_BIND)
		return 0;
	return mount_open_bind(s->mount.source, s->mount.recursive, ret_fd, err);
}

static int open_device(struct apply *a, const struct plan_step *s, int *ret_fd, struct err *err)
{
	(void) a;
	if (!s->device.bind)
		return 0;
	return mount_open_device(s->device.path, (char) s->device.type,
	        (unsigned int) s->device.major, (unsigned int) s->device.minor, ret_fd, err);
}

/* A new namespace is a flag for clone3; a path is opened and must be one of that very type. */
static int open_namespace(struct apply *a, const struct plan_step *s, int *ret_fd, struct err *err)
{
	_close_ int fd = -EBADF, own = -EBADF;
	_free_ char *shown = str_escaped(s->ns.path);
	struct statfs fs;

	if ((a->new_namespaces | a->joined_namespaces) & s->ns.flag)
		return err_set(err, -EINVAL, "the plan names one kind of namespace twice");
	if (!*s->ns.path) {
		a->new_namespaces |= s->ns.flag;
		return 0;
	}
	fd = open(s->ns.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return err_errno(err, -errno, "cannot open the namespace '%s'", shown);
	/* The type is looked at first: an ioctl on a device could do anything. */
	if (fstatfs(fd, &fs) < 0 || fs.f_type != NSFS_TYPE ||
	        ioctl(fd, NS_GET_NSTYPE) != (int) s->ns.flag)
		return err_set(
		        err, -EINVAL, "'%s' is not a namespace of the type that is wanted", shown);
	/* setns to one's own user namespace is refused, and means nothing. */
	if (s->ns.flag == CLONE_NEWUSER) {
		own = open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC);
		if (own >= 0 && fd_same_file(own, fd))
			return 0;
	}
	a->joined_namespaces |= s->ns.flag;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int open_null(struct apply *a, const struct plan_step *s, int *ret_fd, struct err *err)
{
	(void) s;
	(void) ret_fd;
	if (a->null_tree >= 0)
		return 0;
	return mount_open_device("/dev/null", 'c', 1, 3, &a->null_tree, err);
}

static int open_host_proc(struct apply *a, const struct plan_step *s, int *ret_fd, struct err *err)
{
	(void) s;
	(void) ret_fd;
	return a->host_proc >= 0 ? 0 : mount_host_proc(&a->host_proc, err);
}

typedef int (*open_step)(struct apply *a, const struct plan_step *s, int *ret_fd, struct err *err);

/* Clones of mounts; everything else below. */
static const open_step open_trees[PLAN_KIND_COUNT] = {
	[PLAN_ROOT] = open_root,
	[PLAN_ROOT_OVERLAY] = open_overlay,
	[PLAN_MOUNT] = open_mount,
	[PLAN_DEVICE] = open_device,
	[PLAN_MASK] = open_null,
	[PLAN_PROC_ALLOW] = open_null,
};
static const open_step open_others[PLAN_KIND_COUNT] = {
	[PLAN_NAMESPACE] = open_namespace,
	[PLAN_EARLY_SYSCTL] = open_host_proc,
	[PLAN_SYSCTL] = open_host_proc,
	[PLAN_LATE_SYSCTL] = open_host_proc,
};

static int open_all(struct apply *a, const open_step *opens, struct err *err)
{
	for (size_t i = 0; i < a->plan->n_steps; i++) {
		const struct plan_step *s = &a->plan->steps[i];
		int r;

		if (s->kind >= PLAN_KIND_COUNT || !opens[s->kind])
			continue;
		r = opens[s->kind](a, s, &a->fds[i], err);
		if (r < 0 && !(s->kind == PLAN_MOUNT && s->mount.optional))
			return r;
	}
	return 0;
}

/* A namespace of mounts that is the host's must never be set up or pivoted. */
static int check_namespaces(const struct apply *a, struct err *err)
{
	static const enum plan_kind needs_mounts[] = { PLAN_MOUNT_NAMESPACE, PLAN_MOUNT,
		PLAN_DEVICE, PLAN_MASK, PLAN_READONLY, PLAN_PROC_ALLOW, PLAN_PIVOT,
		PLAN_ROOT_ATTR };
	uint64_t all = a->new_namespaces | a->joined_namespaces;

	for (size_t i = 0; i < ARRAY_SIZE(needs_mounts); i++)
		if (plan_find(a->plan, needs_mounts[i]) && !(all & CLONE_NEWNS))
			return err_set(
			        err, -EINVAL, "a container needs a mount namespace of its own");
	if (plan_find(a->plan, PLAN_UTS) && !(all & CLONE_NEWUTS))
		return err_set(err, -EINVAL, "a host name needs a UTS namespace");
	if (plan_find(a->plan, PLAN_LOOPBACK) && !(a->new_namespaces & CLONE_NEWNET))
		return err_set(err, -EINVAL, "a loopback device needs a new network namespace");
	if (plan_find(a->plan, PLAN_IDMAP) && !(a->new_namespaces & CLONE_NEWUSER))
		return err_set(err, -EINVAL, "id maps need a new user namespace");
	if (plan_find(a->plan, PLAN_TIME_OFFSET) && !(a->new_namespaces & CLONE_NEWTIME))
		return err_set(err, -EINVAL, "time offsets need a new time namespace");
	return 0;
}

int apply_open_trees(struct apply *a, struct err *err)
{
	int r = open_all(a, open_trees, err);

	if (r == 0 && plan_find(a->plan, PLAN_MOUNT_NAMESPACE) && a->root < 0)
		r = err_set(err, -EINVAL, "the plan names no root");
	return r;
}

int apply_open(struct apply *a, struct err *err)
{
	bool rootless = plan_find(a->plan, PLAN_CONTAINER)->container.rootless;
	int r = rootless ? 0 : apply_open_trees(a, err);

	if (r == 0)
		r = open_all(a, open_others, err);
	return r < 0 ? r : check_namespaces(a, err);
}
