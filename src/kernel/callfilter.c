/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/callfilter.h"

#include "kernel/sys.h"

#include <errno.h>
#include <linux/audit.h>
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

static void add(struct callfilter *f, struct sock_filter s)
{
	/* One that is full stays so: it is refused at the end. */
	if (f->n < CALLFILTER_MAX)
		f->code[f->n++] = s;
}

static void load(struct callfilter *f, uint32_t offset)
{
	add(f, (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset));
}

static void answer(struct callfilter *f, uint32_t action)
{
	add(f, (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, action));
}

static void jump_equal(struct callfilter *f, uint32_t value, uint8_t yes, uint8_t no)
{
	add(f, (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, yes, no));
}

void callfilter_begin(struct callfilter *f)
{
	f->n = 0;
	load(f, offsetof(struct seccomp_data, arch));
	jump_equal(f, NATIVE_ARCH, 1, 0);
	answer(f, SECCOMP_RET_KILL_PROCESS);
	load(f, offsetof(struct seccomp_data, nr));
}

void callfilter_list(struct callfilter *f, const int *calls, size_t n, uint32_t action)
{
	for (size_t i = 0; i < n; i++) {
		jump_equal(f, (uint32_t) calls[i], 0, 1);
		answer(f, action);
	}
}

/* The argument decides; it is an int for the kernel: the low half. Then the number is loaded again.
 */
void callfilter_ioctl(struct callfilter *f, uint32_t request)
{
	jump_equal(f, SYS_ioctl, 0, 5);
	load(f, offsetof(struct seccomp_data, args[1]));
	jump_equal(f, request, 0, 1);
	answer(f, SECCOMP_RET_ALLOW);
	answer(f, SECCOMP_RET_ERRNO | ENOTTY);
	load(f, offsetof(struct seccomp_data, nr));
}

/* prot is an int: the low half. */
static void end(struct callfilter *f)
{
	jump_equal(f, SYS_mmap, 1, 0);
	answer(f, SECCOMP_RET_KILL_PROCESS);
	load(f, offsetof(struct seccomp_data, args[2]));
	add(f, (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1));
	answer(f, SECCOMP_RET_KILL_PROCESS);
	answer(f, SECCOMP_RET_ALLOW);
}

int callfilter_enter(struct callfilter *f)
{
	struct sock_fprog prog = { .filter = f->code };

	end(f);
	if (f->n >= CALLFILTER_MAX)
		return -E2BIG;
	prog.len = f->n;
	return sys_seccomp_filter(0, &prog);
}
