/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/selfexec.h"

#include "base/fd.h"
#include "base/str.h"
#include "kernel/sys.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* Linux 6.3; older kernels refuse the flag and have nothing to ask for. */
#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

enum {
	SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE,
	COPY_CHUNK = 1 << 30,
};

static const char self_exe[] = "/proc/self/exe";

/* A sealed file is recognised by its seals, which need a readable descriptor; a mount by its flags.
 */
int sandbox_self_state(struct err *err)
{
	_close_ int fd = open(self_exe, O_RDONLY | O_CLOEXEC);
	struct statvfs fs;
	int seals;

	if (fd < 0)
		return err_errno(err, -errno, "cannot open our own binary");
	seals = fcntl(fd, F_GET_SEALS);
	if (seals >= 0 && (seals & F_SEAL_WRITE))
		return SANDBOX_SELF_SEALED;
	if (fstatvfs(fd, &fs) < 0)
		return err_errno(err, -errno, "cannot look at our own binary");
	return fs.f_flag & ST_RDONLY ? SANDBOX_SELF_MOUNT : SANDBOX_SELF_OPEN;
}

static int execute(int fd, char *const argv[])
{
	return sys_execveat(fd, "", argv, environ, AT_EMPTY_PATH);
}

/* Only returns when it is refused. */
static int protect_by_mount(char *const argv[])
{
	struct mount_attr attr = {
		.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
	};
	_close_ int self = open(self_exe, O_PATH | O_CLOEXEC), tree = -EBADF;
	int r;

	if (self < 0)
		return -errno;
	tree = sys_open_tree(self, "", OPEN_TREE_CLONE | AT_EMPTY_PATH);
	if (tree < 0)
		return tree;
	r = sys_mount_setattr(tree, "", AT_EMPTY_PATH, &attr);
	return r < 0 ? r : execute(tree, argv);
}

static int copy_self(int to)
{
	_close_ int self = open(self_exe, O_RDONLY | O_CLOEXEC);
	struct stat st;
	off_t left;

	if (self < 0 || fstat(self, &st) < 0)
		return -errno;
	for (left = st.st_size; left > 0;) {
		ssize_t n = sendfile(to, self, NULL, (size_t) MIN(left, (off_t) COPY_CHUNK));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		left -= n;
	}
	return 0;
}

static int protect_by_copy(char *const argv[])
{
	_close_ int fd = memfd_create("bulkhead", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
	int r;

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("bulkhead", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	r = copy_self(fd);
	if (r < 0)
		return r;
	if (fcntl(fd, F_ADD_SEALS, SEALS) < 0)
		return -errno;
	return execute(fd, argv);
}

/* execveat leaves a number as the name of the process on kernels before 6.14. */
static void restore_name(char *const argv[])
{
	const char *slash;

	if (!argv[0])
		return;
	slash = strrchr(argv[0], '/');
	(void) prctl(PR_SET_NAME, slash ? slash + 1 : argv[0], 0, 0, 0);
}

static int protect(char *const argv[], bool by_mount, struct err *err)
{
	int r = sandbox_self_state(err);

	if (r < 0)
		return r;
	if (r != SANDBOX_SELF_OPEN) {
		restore_name(argv);
		return 0;
	}
	if (by_mount)
		(void) protect_by_mount(argv); /* refused: the other way */
	r = protect_by_copy(argv);
	return err_errno(err, r, "cannot run from a copy of our own binary that is sealed");
}

int sandbox_protect_self_sealed(char *const argv[], struct err *err)
{
	return protect(argv, false, err);
}

int sandbox_protect_self(char *const argv[], struct err *err)
{
	return protect(argv, true, err);
}
