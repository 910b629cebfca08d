/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A list of numbers for the native ABI; the calls that come in thousands stand first. Every name is
 * relative to a descriptor, and openat2 carries its own rule (beneath, no links) from base/path.
 */
#include "engine/volume_filter.h"

#include "kernel/sys.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
enum { NATIVE_ARCH = AUDIT_ARCH_X86_64 };
#elif defined(__aarch64__)
enum { NATIVE_ARCH = AUDIT_ARCH_AARCH64 };
#else
#error "no system call list for this machine"
#endif

static const int allowed[] = {
	SYS_newfstatat, SYS_openat2, SYS_close, SYS_fstat, SYS_lseek, SYS_copy_file_range,
	SYS_pread64, SYS_pwrite64, SYS_ftruncate, SYS_fchown, SYS_fchmod, SYS_flistxattr,
	SYS_fgetxattr, SYS_fsetxattr, SYS_utimensat, SYS_fchownat, SYS_fchmodat, SYS_mkdirat,
	SYS_readlinkat, SYS_symlinkat, SYS_linkat, SYS_mknodat, SYS_getdents64, SYS_fcntl, SYS_brk,
	SYS_munmap, SYS_mremap, SYS_madvise, SYS_write, SYS_exit_group,
	SYS_sigaltstack, /* sanitizers, before an exit */
};

enum { FILTER_MAX = 2 * ARRAY_SIZE(allowed) + 16 };
struct filter {
	struct sock_filter code[FILTER_MAX];
	unsigned short n;
};

static void add(struct filter *f, struct sock_filter s)
{
	f->code[f->n++] = s;
}

static void add_return(struct filter *f, uint32_t action)
{
	add(f, (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, action));
}

static void add_jump(struct filter *f, int op, uint32_t value, uint8_t yes, uint8_t no)
{
	add(f, (struct sock_filter) BPF_JUMP((uint16_t) (BPF_JMP | op | BPF_K), value, yes, no));
}

static void add_load(struct filter *f, uint32_t offset)
{
	add(f, (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset));
}

/* Memory that is not executable. prot is an int: the low half. Last in the filter. */
static void add_mmap(struct filter *f)
{
	add_jump(f, BPF_JEQ, SYS_mmap, 1, 0);
	add_return(f, SECCOMP_RET_KILL_PROCESS);
	add_load(f, offsetof(struct seccomp_data, args[2]));
	add_jump(f, BPF_JSET, PROT_EXEC, 0, 1);
	add_return(f, SECCOMP_RET_KILL_PROCESS);
	add_return(f, SECCOMP_RET_ALLOW);
}

int volume_filter_enter(struct err *err)
{
	struct filter f = { .n = 0 };
	struct sock_fprog prog = { .filter = f.code };
	int r;

	add_load(&f, offsetof(struct seccomp_data, arch));
	add_jump(&f, BPF_JEQ, NATIVE_ARCH, 1, 0);
	add_return(&f, SECCOMP_RET_KILL_PROCESS);
	add_load(&f, offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++) {
		add_jump(&f, BPF_JEQ, (uint32_t) allowed[i], 0, 1);
		add_return(&f, SECCOMP_RET_ALLOW);
	}
	add_mmap(&f);
	prog.len = f.n;
	r = sys_seccomp_filter(0, &prog);
	return r < 0 ? err_errno(err, r, "cannot load the system call filter") : 0;
}
