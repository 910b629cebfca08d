/* SPDX-License-Identifier: Apache-2.0 */
/* The system calls of a process that unpacks: everything else ends it. */
#include "cmd/bulkhead-unpack/confine.h"
#include "kernel/callfilter.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <sys/syscall.h>

/* Bytes in, bytes out, memory. */
static const int always[] = {
	SYS_read, SYS_write, SYS_brk, SYS_munmap, SYS_mremap, SYS_madvise, SYS_close, SYS_exit,
	SYS_exit_group, SYS_rt_sigreturn, SYS_restart_syscall, SYS_getrandom, SYS_clock_gettime,
	SYS_sigaltstack, /* sanitizers, before an exit */
};

/* Files below "/": only for the stage that extracts. The kernel's openat2 carries its own rule
 * (beneath, no links) from base/path. */
static const int with_files[] = {
	SYS_openat2,
	SYS_pwrite64,
	SYS_fchown,
	SYS_fchmod,
	SYS_utimensat,
	SYS_fchownat,
	SYS_fchmodat,
	SYS_mkdirat,
	SYS_symlinkat,
	SYS_linkat,
	SYS_mknodat,
	SYS_unlinkat,
	SYS_renameat2,
	SYS_ftruncate,
	SYS_fsetxattr,
	SYS_lsetxattr,
	SYS_fchdir,
	SYS_fcntl,
	SYS_lseek,
	SYS_getdents64,
	SYS_readlinkat,
	SYS_newfstatat,
	SYS_fstat,
};

/* What libraries try and do without: iconv looks for tables, qsort for the size of the memory. */
static const int refused[] = {
	SYS_openat,
	SYS_sysinfo,
	SYS_faccessat,
	SYS_ioctl,
	SYS_futex,
#ifdef SYS_open
	SYS_open,
	SYS_access,
	SYS_stat,
	SYS_readlink,
#endif
};

int filter_enter(bool files, struct err *err)
{
	struct callfilter f;
	int r;

	callfilter_begin(&f);
	if (files)
		callfilter_list(&f, with_files, ARRAY_SIZE(with_files), SECCOMP_RET_ALLOW);
	callfilter_list(&f, always, ARRAY_SIZE(always), SECCOMP_RET_ALLOW);
	callfilter_list(&f, refused, ARRAY_SIZE(refused), SECCOMP_RET_ERRNO | EPERM);
	r = callfilter_enter(&f);
	return r < 0 ? err_errno(err, r, "cannot load the system call filter") : 0;
}
