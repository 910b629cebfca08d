/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The child that copies from an image into a volume, and what it may do: in this order
 *
 *   die with the parent
 *   a mount namespace of its own, private; "/" is the image (a detached, read-only mount), so that
 *     no path and no ".." leads to the host
 *   all other descriptors closed, but for the folder to fill (a detached mount that begins there)
 *     and the pipe for the answer
 *   limits, then capabilities, no_new_privs
 *   Landlock: read below "/", write below the folder to fill (a second fence around the same two)
 *   seccomp last, because everything above needs calls that the copying does not
 */
#include "engine/volume_fill.h"

#include "base/fd.h"
#include "base/path.h"
#include "caps/caps.h"
#include "engine/volume_filter.h"
#include "kernel/sys.h"
#include "landlock/landlock.h"
#include "mount/mount.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Two descriptors for each level, three for a file. */
enum { FDS_MAX = 3 * VOLUME_COPY_DEPTH_MAX + 64 };

static const uint64_t kept_caps = CAPS_BIT(CAP_CHOWN) | CAPS_BIT(CAP_DAC_OVERRIDE) |
                                  CAPS_BIT(CAP_FOWNER) | CAPS_BIT(CAP_FSETID) |
                                  CAPS_BIT(CAP_SETFCAP);

struct child {
	int root; /* the image */
	int fill;
	int answer; /* the pipe */
	pid_t parent;
	const char *target;
};

/* Smaller than PIPE_BUF: it is there whole or not at all. */
struct answer {
	int result;
	struct err err;
};

/* --- confinement ------------------------------------------------------------------------------ */

static int die_with_parent(pid_t parent, struct err *err)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return err_errno(err, -errno, "cannot bind the copying process to its parent");
	return getppid() == parent ? 0 : err_set(err, -ECANCELED, "the parent has gone");
}

static int enter_image(int root, struct err *err)
{
	int r = mount_set_propagation(MS_PRIVATE, err);

	if (r < 0)
		return r;
	if (fchdir(root) < 0 || chroot(".") < 0)
		return err_errno(err, -errno, "cannot enter the image");
	return 0;
}

static int close_others(const struct child *c, struct err *err)
{
	const int kept[] = { c->root, c->fill, c->answer };
	unsigned int next = 0;

	for (;;) {
		unsigned int keep = UINT32_MAX;
		int r = 0;

		for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
			if ((unsigned int) kept[i] >= next)
				keep = MIN(keep, (unsigned int) kept[i]);
		if (keep != next)
			r = sys_close_range(next, keep == UINT32_MAX ? keep : keep - 1, 0);
		if (r < 0)
			return err_errno(err, r, "cannot close descriptors");
		if (keep == UINT32_MAX)
			return 0;
		next = keep + 1;
	}
}

static int set_limits(struct err *err)
{
	static const struct {
		__rlimit_resource_t resource;
		rlim_t max;
	} limits[] = {
		{ RLIMIT_CORE, 0 },
		{ RLIMIT_MEMLOCK, 0 },
		{ RLIMIT_MSGQUEUE, 0 },
		{ RLIMIT_NOFILE, FDS_MAX },
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

static int drop_privileges(struct err *err)
{
	const struct caps_sets sets = {
		.bounding = kept_caps, .effective = kept_caps, .permitted = kept_caps
	};
	int r = caps_drop_bounding(kept_caps, err);

	if (r == 0)
		r = caps_apply(&sets, NULL, err);
	if (r < 0)
		return r;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_errno(err, -errno, "cannot give up privileges");
	return 0;
}

static int enter_landlock(const struct child *c, struct err *err)
{
	const uint64_t reading = LL_FS_READ_FILE | LL_FS_READ_DIR;
	const uint64_t writing = reading | LL_FS_WRITE_FILE | LL_FS_MAKE_DIR | LL_FS_MAKE_REG |
	                         LL_FS_MAKE_FIFO | LL_FS_MAKE_SYM | LL_FS_REFER | LL_FS_TRUNCATE;
	int abi = sys_landlock_abi();
	uint64_t handled = abi > 0 ? landlock_fs_rights(abi) : 0;
	_close_ int set = -EBADF;
	int r;

	/* A kernel may be built without it; the other fences hold. */
	if (abi <= 0)
		return 0;
	r = landlock_open(handled, landlock_net_rights(abi), landlock_scopes(abi), abi, &set, err);
	if (r == 0)
		r = landlock_add_path(set, c->root, ".", reading, handled, false, err);
	if (r == 0)
		r = landlock_add_path(set, c->fill, ".", writing, handled, false, err);
	return r < 0 ? r : landlock_enter(set, err);
}

static int confine(const struct child *c, struct err *err)
{
	int r = die_with_parent(c->parent, err);

	if (r == 0)
		r = enter_image(c->root, err);
	if (r == 0)
		r = close_others(c, err);
	if (r == 0)
		r = set_limits(err);
	if (r == 0)
		r = drop_privileges(err);
	/* A change of credentials has cleared it. */
	if (r == 0)
		r = die_with_parent(c->parent, err);
	if (r == 0)
		r = enter_landlock(c, err);
	return r < 0 ? r : volume_filter_enter(err);
}

/* --- the work --------------------------------------------------------------------------------- */

static int open_own(int fill, const char *name, int *ret_fd, struct err *err)
{
	int fd = path_open_in(fill, name, PATH_BENEATH_NO_LINKS, O_RDONLY | O_DIRECTORY, 0);

	if (fd < 0)
		return err_errno(err, fd, "cannot open the folder to fill");
	*ret_fd = fd;
	return 0;
}

int volume_child_open(int root, const char *target)
{
	int fd = path_open_in(root, target, PATH_IN_ROOT, O_RDONLY | O_DIRECTORY | O_NONBLOCK, 0);

	/* The start will say what it thinks of the target. */
	return fd == -ENOTDIR || fd == -ELOOP || fd == -ENAMETOOLONG ? -ENOENT : fd;
}

static int copy_target(const struct child *c, struct err *err)
{
	_close_ int from = volume_child_open(c->root, c->target);
	_close_ int to = -EBADF, links = -EBADF;
	int r;

	if (from == -ENOENT)
		return 0;
	if (from < 0)
		return err_errno(err, from, "cannot open the folder in the image");
	r = open_own(c->fill, "tree", &to, err);
	if (r == 0)
		r = open_own(c->fill, "links", &links, err);
	if (r == 0)
		r = volume_copy(from, to, links, err);
	return r < 0 ? r : 1;
}

static _noreturn_ void child(const struct child *c)
{
	struct answer a = { 0 };

	a.result = confine(c, &a.err);
	if (a.result == 0)
		a.result = copy_target(c, &a.err);
	_exit(fd_write_all(c->answer, &a, sizeof(a)) < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}

/* --- parent ----------------------------------------------------------------------------------- */

/* The folder as a mount of its own: ".." of it leads nowhere. */
static int open_fill(int fill, int *ret_fd, struct err *err)
{
	struct mount_attr attrs = {
		.attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
		.propagation = MS_PRIVATE,
	};
	_close_ int tree = sys_open_tree(fill, "", OPEN_TREE_CLONE | AT_EMPTY_PATH);
	int r = tree < 0 ? tree : sys_mount_setattr(tree, "", AT_EMPTY_PATH, &attrs);

	if (r < 0)
		return err_errno(err, r, "cannot open the folder to fill as a mount");
	/* The descriptor of open_tree is O_PATH already. */
	*ret_fd = TAKE_FD(tree);
	return 0;
}

static int read_answer(int fd, pid_t pid, struct err *err)
{
	struct answer a;
	int status = 0;
	ssize_t n = TEMP_FAILURE_RETRY(read(fd, &a, sizeof(a)));

	while (waitpid(pid, &status, __WALL) < 0 && errno == EINTR)
		;
	if (n != (ssize_t) sizeof(a))
		return err_set(err, -EIO,
		        "the process that copies from the image was ended (wait status %d)",
		        status);
	if (a.result >= 0)
		return a.result;
	a.err.text[sizeof(a.err.text) - 1] = '\0';
	return err_set(err, a.result, "%s", a.err.text);
}

int volume_child_copy(int root, const char *target, int fill, struct err *err)
{
	struct clone_args args = { .flags = CLONE_NEWNS, .exit_signal = SIGCHLD };
	struct child c = { .root = root, .parent = getpid(), .target = target };
	_close_ int tree = -EBADF, read_end = -EBADF, write_end = -EBADF;
	int ends[2], r = open_fill(fill, &tree, err);
	pid_t pid;

	if (r < 0)
		return r;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_errno(err, -errno, "cannot make a pipe");
	read_end = ends[0];
	write_end = ends[1];
	c.fill = tree;
	c.answer = write_end;
	pid = sys_clone3(&args, sizeof(args));
	if (pid < 0)
		return err_errno(err, pid, "cannot start the process that copies from the image");
	if (pid == 0)
		child(&c);
	write_end = fd_close(write_end);
	return read_answer(read_end, pid, err);
}
