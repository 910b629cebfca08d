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
		.ret_base = &a->overlay_base,
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

/* True when fd is the namespace that the supervisor is in itself. */
static bool is_own_namespace(uint64_t flag, int fd)
{
	static const struct {
		uint64_t flag;
		const char *file;
	} files[] = {
		{ CLONE_NEWCGROUP, "/proc/self/ns/cgroup" },
		{ CLONE_NEWIPC, "/proc/self/ns/ipc" },
		{ CLONE_NEWNET, "/proc/self/ns/net" },
		{ CLONE_NEWNS, "/proc/self/ns/mnt" },
		{ CLONE_NEWPID, "/proc/self/ns/pid" },
		{ CLONE_NEWTIME, "/proc/self/ns/time" },
		{ CLONE_NEWUSER, "/proc/self/ns/user" },
		{ CLONE_NEWUTS, "/proc/self/ns/uts" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		_close_ int own = -EBADF;

		if (files[i].flag != flag)
			continue;
		own = open(files[i].file, O_RDONLY | O_CLOEXEC);
		return own >= 0 && fd_same_file(own, fd);
	}
	return false;
}

/* A new namespace is a flag for clone3; a path is opened and must be one of that very type. */
static int open_namespace(struct apply *a, const struct plan_step *s, int *ret_fd, struct err *err)
{
	_close_ int fd = -EBADF;
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
	/* To join one's own is to share it: the container has none of its own then, and
	   check_namespaces() refuses what would be set up in it, which is the host's. */
	if (is_own_namespace(s->ns.flag, fd))
		return 0;
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

/* Each sysctl is one of a namespace that is not the host's. */
static int check_sysctls(const struct apply *a, uint64_t all, struct err *err)
{
	const struct plan_step *s = NULL;

	while ((s = plan_next(a->plan, PLAN_SYSCTL, s))) {
		uint64_t flag = (uint64_t) (unsigned int) plan_sysctl_namespace(s->sysctl.path);
		_free_ char *shown = NULL;

		if (flag & all)
			continue;
		shown = str_escaped(s->sysctl.path);
		return err_set(err, -EPERM,
		        "sysctl '%s' needs a namespace that is not the host's: it would change the "
		        "host",
		        shown);
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
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(needs_mounts); i++)
		if (plan_find(a->plan, needs_mounts[i]) && !(all & CLONE_NEWNS))
			return err_set(
			        err, -EINVAL, "a container needs a mount namespace of its own");
	if (plan_find(a->plan, PLAN_UTS) && !(all & CLONE_NEWUTS))
		return err_set(err, -EINVAL, "a host name needs a UTS namespace");
	r = check_sysctls(a, all, err);
	if (r < 0)
		return r;
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
