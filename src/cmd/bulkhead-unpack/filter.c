/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system calls of a process that unpacks: everything else ends it.
 *
 * A list of numbers for the native ABI is all it needs: no profile, no names at run time, nothing
 * to parse; so it does without the seccomp module and its tables. Linear, because it is short and
 * the calls that come in thousands stand first.
 */
#include "cmd/bulkhead-unpack/confine.h"
#include "kernel/sys.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
enum { NATIVE_ARCH = AUDIT_ARCH_X86_64 };
#elif defined(__aarch64__)
enum { NATIVE_ARCH = AUDIT_ARCH_AARCH64 };
#else
#error "no system call list for this machine"
#endif

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

enum { FILTER_MAX = 128 };
struct filter {
	struct sock_filter code[FILTER_MAX];
	unsigned short n;
};

static void add(struct filter *f, struct sock_filter s)
{
	if (f->n < FILTER_MAX)
		f->code[f->n++] = s;
}

static void add_list(struct filter *f, const int *calls, size_t n, uint32_t action)
{
	for (size_t i = 0; i < n; i++) {
		add(f, (struct sock_filter) BPF_JUMP(
		               BPF_JMP | BPF_JEQ | BPF_K, (uint32_t) calls[i], 0, 1));
		add(f, (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, action));
	}
}

static void load(struct filter *f, uint32_t offset)
{
	add(f, (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset));
}

/* mmap(2) of memory that is not executable. prot is an int: the low half. Last in the filter. */
static void add_mmap(struct filter *f)
{
	add(f, (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 1, 0));
	add(f, (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
	load(f, offsetof(struct seccomp_data, args[2]));
	add(f, (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1));
	add(f, (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
	add(f, (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
}

int filter_enter(bool files, struct err *err)
{
	struct filter f = { .n = 0 };
	struct sock_fprog prog = { .filter = f.code };
	int r;

	load(&f, offsetof(struct seccomp_data, arch));
	add(&f, (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCH, 1, 0));
	add(&f, (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
	load(&f, offsetof(struct seccomp_data, nr));
	if (files)
		add_list(&f, with_files, ARRAY_SIZE(with_files), SECCOMP_RET_ALLOW);
	add_list(&f, always, ARRAY_SIZE(always), SECCOMP_RET_ALLOW);
	add_list(&f, refused, ARRAY_SIZE(refused), SECCOMP_RET_ERRNO | EPERM);
	add_mmap(&f);
	prog.len = f.n;
	r = sys_seccomp_filter(0, &prog);
	return r < 0 ? err_errno(err, r, "cannot load the system call filter") : 0;
}
