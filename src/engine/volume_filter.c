/* SPDX-License-Identifier: Apache-2.0 */
/* Every name is relative to a descriptor, and openat2 carries its own rule (beneath, no links) from
 * base/path. */
#include "engine/volume_filter.h"

#include "kernel/callfilter.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

static const int allowed[] = {
	SYS_newfstatat, SYS_openat2, SYS_close, SYS_fstat, SYS_lseek, SYS_copy_file_range,
	SYS_pread64, SYS_pwrite64, SYS_ftruncate, SYS_fchown, SYS_fchmod, SYS_flistxattr,
	SYS_fgetxattr, SYS_fsetxattr, SYS_utimensat, SYS_fchownat, SYS_fchmodat, SYS_mkdirat,
	SYS_readlinkat, SYS_symlinkat, SYS_linkat, SYS_mknodat, SYS_getdents64, SYS_fcntl, SYS_brk,
	SYS_munmap, SYS_mremap, SYS_madvise, SYS_write, SYS_exit_group,
	SYS_sigaltstack, /* sanitizers, before an exit */
};

int volume_filter_enter(struct err *err)
{
	struct callfilter f;
	int r;

	callfilter_begin(&f);
	callfilter_list(&f, allowed, ARRAY_SIZE(allowed), SECCOMP_RET_ALLOW);
	r = callfilter_enter(&f);
	return r < 0 ? err_errno(err, r, "cannot load the system call filter") : 0;
}
