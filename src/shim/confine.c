/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the server gives up before it reads the first byte of a container: capabilities, files
 * beyond the folder of logs, and every system call but those that move bytes, keep the log and talk
 * to clients. There is no call among them that makes a process, a socket or a mount, or sends a
 * signal.
 */
#include "base/fd.h"
#include "caps/caps.h"
#include "kernel/sys.h"
#include "landlock/landlock.h"
#include "shim/internal.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
enum { NATIVE_ARCH = AUDIT_ARCH_X86_64 };
#elif defined(__aarch64__)
enum { NATIVE_ARCH = AUDIT_ARCH_AARCH64 };
#else
#error "no system call list for this machine"
#endif

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

static void add_call(struct filter *f, int call, uint32_t action)
{
	add(f, (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t) call, 0, 1));
	add(f, (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, action));
}

static void load(struct filter *f, uint32_t offset)
{
	add(f, (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset));
}

/* One call whose argument decides; the number is loaded again behind it. Both are ints for the
 * kernel: the low half. */
static void add_ioctl(struct filter *f)
{
	add(f, (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 5));
	load(f, offsetof(struct seccomp_data, args[1]));
	add(f, (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TIOCSWINSZ, 0, 1));
	add(f, (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
	add(f, (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOTTY));
	load(f, offsetof(struct seccomp_data, nr));
}

static void add_mmap(struct filter *f)
{
	add(f, (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 1, 0));
	add(f, (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
	load(f, offsetof(struct seccomp_data, args[2]));
	add(f, (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1));
	add(f, (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
	add(f, (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
}

static int filter_enter(struct err *err)
{
	struct filter f = { .n = 0 };
	struct sock_fprog prog = { .filter = f.code };
	int r;

	load(&f, offsetof(struct seccomp_data, arch));
	add(&f, (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCH, 1, 0));
	add(&f, (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
	load(&f, offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++)
		add_call(&f, allowed[i], SECCOMP_RET_ALLOW);
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		add_call(&f, refused[i], SECCOMP_RET_ERRNO | ENOSYS);
	add_ioctl(&f);
	add_mmap(&f);
	if (f.n >= FILTER_MAX)
		return err_set(err, -E2BIG, "the filter of the shim is too long");
	prog.len = f.n;
	r = sys_seccomp_filter(0, &prog);
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
