/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/bulkhead-unpack/confine.h"

#include "base/fd.h"
#include "base/path.h"
#include "caps/caps.h"
#include "kernel/sys.h"
#include "landlock/landlock.h"
#include "mount/mount.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static const uint64_t root_attrs = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

/* --- parent ----------------------------------------------------------------------------------- */

/* The folder as a mount of its own on which the ids of the child are the natural ones on disk: what
 * the child makes as its uid 33 is stored as 33, although the child is host_id + 33. */
static int open_layer(const struct confine *c, int *ret_fd, struct err *err)
{
	const struct mount_id_extent map = {
		.inside = 0, .outside = c->host_id, .count = c->count
	};
	/* A copy of a shared mount is shared, and nothing shared can become "/". */
	struct mount_attr attrs = { .attr_set = root_attrs, .propagation = MS_PRIVATE };
	_close_ int userns = -EBADF;
	_close_ int tree = -EBADF;
	int r;

	if (c->layer_fd < 0)
		return 0;
	tree = sys_open_tree(c->layer_fd, "", OPEN_TREE_CLONE | AT_EMPTY_PATH);
	if (tree < 0)
		return err_errno(err, tree, "cannot open the layer folder as a mount");
	r = mount_userns_new(&map, 1, &userns, err);
	if (r == 0)
		r = mount_set_idmap(tree, userns, false, "the layer folder", err);
	if (r < 0)
		return r;
	r = sys_mount_setattr(tree, "", AT_EMPTY_PATH, &attrs);
	if (r < 0)
		return err_errno(err, r, "cannot set the mount options of the layer folder");
	*ret_fd = TAKE_FD(tree);
	return 0;
}

static int write_maps(const struct confine *c, pid_t pid, struct err *err)
{
	static const char *const files[] = { "uid_map", "gid_map" };
	char map[64];

	(void) snprintf(map, sizeof(map), "0 %u %u", c->host_id, c->count);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		char path[64];
		int r;

		(void) snprintf(path, sizeof(path), "/proc/%d/%s", (int) pid, files[i]);
		r = fd_write_file(AT_FDCWD, path, map);
		if (r < 0)
			return err_errno(err, r, "cannot write '%s'", path);
	}
	return 0;
}

/* --- child ------------------------------------------------------------------------------------ */

/* Waits for the maps. -ECANCELED: the parent gave up. */
static int wait_for_maps(int sync_fd)
{
	char byte;

	return TEMP_FAILURE_RETRY(read(sync_fd, &byte, 1)) == 1 ? 0 : -ECANCELED;
}

static int become_root(struct err *err)
{
	int r = sys_setresgid(0, 0, 0);

	if (r == 0)
		r = sys_setgroups(0, NULL);
	if (r == 0)
		r = sys_setresuid(0, 0, 0);
	return r < 0 ? err_errno(err, r, "cannot become root of the user namespace") : 0;
}

static int enter_root(int layer, struct err *err)
{
	_close_ int fs = -EBADF;
	_close_ int empty = -EBADF;
	int root = layer, r;

	r = mount_set_propagation(MS_PRIVATE, err);
	if (r < 0)
		return r;
	if (layer < 0) {
		fs = sys_fsopen("tmpfs");
		r = fs < 0 ? fs : sys_fsconfig_create(fs);
		if (r == 0)
			empty = sys_fsmount(fs, MOUNT_ATTR_RDONLY | (unsigned int) root_attrs);
		if (r < 0 || empty < 0)
			return err_errno(err, r < 0 ? r : empty, "cannot make an empty root");
		root = empty;
	}
	r = mount_attach_root(root, err);
	return r < 0 ? r : mount_pivot(root, false, err);
}

static int set_limits(const struct confine *c, struct err *err)
{
	const struct {
		__rlimit_resource_t resource;
		rlim_t max;
	} limits[] = {
		{ RLIMIT_CORE, 0 },
		{ RLIMIT_NOFILE, 64 },
		{ RLIMIT_NPROC, 1 },
		{ RLIMIT_MEMLOCK, 0 },
		{ RLIMIT_MSGQUEUE, 0 },
		{ RLIMIT_AS, c->memory ? c->memory : RLIM_INFINITY },
	};

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		struct rlimit now;
		rlim_t max = limits[i].max;

		if (getrlimit(limits[i].resource, &now) < 0)
			return err_errno(err, -errno, "cannot read a resource limit");
		max = MIN(max, now.rlim_max);
		if (setrlimit(limits[i].resource, &(struct rlimit){ max, max }) < 0)
			return err_errno(err, -errno, "cannot set a resource limit");
	}
	return 0;
}

static int enter_landlock(bool files, struct err *err)
{
	const uint64_t writing = LL_FS_WRITE_FILE | LL_FS_READ_DIR | LL_FS_REMOVE_DIR |
	                         LL_FS_REMOVE_FILE | LL_FS_MAKE_DIR | LL_FS_MAKE_REG |
	                         LL_FS_MAKE_SOCK | LL_FS_MAKE_FIFO | LL_FS_MAKE_SYM | LL_FS_REFER |
	                         LL_FS_TRUNCATE;
	int abi = sys_landlock_abi();
	uint64_t handled = abi > 0 ? landlock_fs_rights(abi) : 0;
	_close_ int set = -EBADF;
	int r;

	/* A kernel may be built without it; the other layers hold, and 'info' tells. */
	if (abi <= 0)
		return 0;
	r = landlock_open(handled, landlock_net_rights(abi), landlock_scopes(abi), abi, &set, err);
	if (r == 0 && files) {
		_close_ int root = path_open_in(
		        AT_FDCWD, ".", PATH_BENEATH, O_PATH | O_DIRECTORY, 0);

		r = root < 0
		            ? err_errno(err, root, "cannot open '/'")
		            : landlock_add_path(set, root, "/", writing & handled, handled, 0, err);
	}
	return r < 0 ? r : landlock_enter(set, err);
}

/* Numbers that the stage uses stay; the rest is closed, also what this code has open. */
static int close_others(const struct confine *c, struct err *err)
{
	unsigned int next = 0;

	for (;;) {
		unsigned int keep = UINT32_MAX;
		int r;

		for (size_t i = 0; i < c->n_fds; i++)
			if (c->fds[i] >= 0 && (unsigned int) c->fds[i] >= next)
				keep = MIN(keep, (unsigned int) c->fds[i]);
		if (keep != next) {
			r = sys_close_range(next, keep == UINT32_MAX ? keep : keep - 1, 0);
			if (r < 0)
				return err_errno(err, r, "cannot close descriptors");
		}
		if (keep == UINT32_MAX)
			return 0;
		next = keep + 1;
	}
}

static int drop_privileges(const struct confine *c, struct err *err)
{
	const struct caps_sets sets = {
		.bounding = c->caps, .effective = c->caps, .permitted = c->caps
	};
	uint64_t missing = 0;
	int r = caps_drop_bounding(c->caps, err);

	if (r == 0)
		r = caps_apply(&sets, &missing, err);
	if (r < 0)
		return r;
	if (missing)
		return err_set(err, -EPERM, "a capability is missing in the user namespace");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_errno(err, -errno, "cannot set no_new_privs");
	/* A change of credentials clears the next two: after it. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return err_errno(err, -errno, "cannot bind the process to its parent");
	return 0;
}

/* The parent may have died before PDEATHSIG was set: then the other end of the pipe is closed. */
static int parent_lives(int sync_fd)
{
	struct pollfd p = { .fd = sync_fd, .events = POLLIN };

	return poll(&p, 1, 0) == 0 ? 0 : -ECANCELED;
}

static int confine_self(const struct confine *c, int layer, int sync_fd, struct err *err)
{
	bool files = layer >= 0;
	int r = become_root(err);

	if (r == 0)
		r = enter_root(layer, err);
	if (r == 0)
		r = set_limits(c, err);
	if (r == 0)
		r = drop_privileges(c, err);
	if (r == 0 && parent_lives(sync_fd) < 0)
		r = err_set(err, -ECANCELED, "the parent has gone");
	if (r == 0)
		r = enter_landlock(files, err);
	if (r == 0)
		r = close_others(c, err);
	return r < 0 ? r : filter_enter(files, err);
}

static _noreturn_ void child(const struct confine *c, int layer, const int sync[2])
{
	struct err err = { 0 };

	close(sync[1]);
	if (wait_for_maps(sync[0]) < 0)
		_exit(EXIT_FAILURE);
	if (confine_self(c, layer, sync[0], &err) < 0) {
		c->on_failure(c->userdata, &err);
		_exit(EXIT_FAILURE);
	}
	_exit(c->stage(c->userdata));
}

pid_t confine_start(const struct confine *c, int *ret_pidfd, struct err *err)
{
	int pidfd = -EBADF;
	struct clone_args args = {
		.flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC |
		         CLONE_NEWUTS | CLONE_NEWCGROUP | CLONE_PIDFD,
		.pidfd = (uintptr_t) &pidfd,
		.exit_signal = SIGCHLD,
	};
	_close_ int layer = -EBADF, read_end = -EBADF, write_end = -EBADF;
	int sync[2], r;
	pid_t pid;

	r = open_layer(c, &layer, err);
	if (r < 0)
		return r;
	if (pipe2(sync, O_CLOEXEC) < 0)
		return err_errno(err, -errno, "cannot make a pipe");
	read_end = sync[0];
	write_end = sync[1];
	pid = sys_clone3(&args, sizeof(args));
	if (pid == 0)
		child(c, layer, sync);
	if (pid < 0)
		return err_errno(err, pid, "cannot make the sandboxed process");
	*ret_pidfd = pidfd;
	r = write_maps(c, pid, err);
	if (r == 0 && write(write_end, "", 1) != 1)
		r = err_errno(err, -EPIPE, "the sandboxed process ended early");
	/* Kept open for the child's check that we live. */
	if (r == 0)
		(void) TAKE_FD(write_end);
	return r < 0 ? r : pid;
}
