/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the server gives up before it reads the first byte of a container: capabilities, files
 * beyond the folder of logs, and every system call but those that move bytes, keep the log and talk
 * to clients. There is no call among them that makes a process, a socket or a mount, or sends a
 * signal.
 */
#include "base/fd.h"
#include "caps/caps.h"
#include "kernel/callfilter.h"
#include "kernel/sys.h"
#include "landlock/landlock.h"
#include "shim/internal.h"

#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

/* In the order of their number of uses. */
static const int allowed[] = {
	SYS_read, SYS_write, SYS_poll, SYS_recvmsg, SYS_sendmsg, SYS_close, SYS_clock_gettime,
	SYS_accept4, SYS_getsockopt, SYS_fcntl, SYS_fstat, SYS_newfstatat, SYS_openat, SYS_renameat,
	SYS_unlinkat, SYS_ftruncate, SYS_pread64, SYS_brk, SYS_munmap, SYS_exit, SYS_exit_group,
	SYS_rt_sigreturn, SYS_restart_syscall, SYS_geteuid, SYS_sendto, SYS_lseek, SYS_madvise,
	SYS_ppoll, SYS_sigaltstack, /* sanitizers, before an exit */
};
/* What sanitizers and the C library try, and do without. */
static const int refused[] = { SYS_getpid, SYS_gettid, SYS_futex, SYS_readlink, SYS_prctl };

static int filter_enter(struct err *err)
{
	struct callfilter f;
	int r;

	callfilter_begin(&f);
	callfilter_list(&f, allowed, ARRAY_SIZE(allowed), SECCOMP_RET_ALLOW);
	callfilter_list(&f, refused, ARRAY_SIZE(refused), SECCOMP_RET_ERRNO | ENOSYS);
	callfilter_ioctl(&f, TIOCSWINSZ);
	r = callfilter_enter(&f);
	return r < 0 ? err_errno(err, r, "cannot load the filter of the shim") : 0;
}

/* Everything that the kernel's Landlock knows is handled; the folder of logs gets what a rotation
 * needs. Binding, connecting, signals and abstract sockets get nothing. */
static int landlock_logs(int logs_fd, struct err *err)
{
	int abi = sys_landlock_abi();
	uint64_t handled = landlock_fs_rights(abi);
	_close_ int ruleset = -EBADF;
	int r;

	if (abi < 1)
		return 0; /* a kernel without it: the filter and the lack of rights remain */
	r = landlock_open(
	        handled, landlock_net_rights(abi), landlock_scopes(abi), abi, &ruleset, err);
	if (r == 0)
		r = landlock_add_path(ruleset, logs_fd, ".",
		        (LL_FS_WRITE_FILE | LL_FS_READ_FILE | LL_FS_READ_DIR | LL_FS_REMOVE_FILE |
		                LL_FS_MAKE_REG | LL_FS_TRUNCATE) &
		                handled,
		        handled, false, err);
	return r < 0 ? r : landlock_enter(ruleset, err);
}

int confine_server(int logs_fd, struct err *err)
{
	const struct caps_sets none = { 0 };
	int r;

	(void) prctl(PR_SET_DUMPABLE, 0);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_errno(err, -errno, "cannot set no_new_privs");
	r = landlock_logs(logs_fd, err);
	if (r == 0)
		r = caps_drop_bounding(0, err);
	if (r == 0)
		r = caps_apply(&none, NULL, err);
	return r < 0 ? r : filter_enter(err);
}
