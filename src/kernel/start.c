/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/start.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <stdbool.h>
#include <sys/statfs.h>
#include <sys/syscall.h>

#ifndef ST_RDONLY
#define ST_RDONLY 1
#endif

#if defined(__x86_64__)
static inline long call5(long nr, long a, long b, long c, long d, long e)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	long ret;

	__asm__ volatile("syscall"
	                 : "=a"(ret)
	                 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
	                 : "rcx", "r11", "memory");
	return ret;
}

/* rsp points to argc; rdx must be zero for _start (no function to call at exit). */
__asm__(".globl bulkhead_start\n"
        ".type bulkhead_start, @function\n"
        "bulkhead_start:\n"
        "	endbr64\n"
        "	xor %ebp, %ebp\n"
        "	mov %rsp, %rbx\n"
        "	mov %rsp, %rdi\n"
        "	and $-16, %rsp\n"
        "	call bulkhead_start_protected\n"
        "	mov %rbx, %rsp\n"
        "	xor %edx, %edx\n"
        "	jmp _start\n"
        ".size bulkhead_start, .-bulkhead_start\n");
#elif defined(__aarch64__)
static inline long call5(long nr, long a, long b, long c, long d, long e)
{
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;

	__asm__ volatile("svc #0"
	                 : "+r"(x0)
	                 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4)
	                 : "memory");
	return x0;
}

__asm__(".globl bulkhead_start\n"
        ".type bulkhead_start, %function\n"
        "bulkhead_start:\n"
        "	bti c\n"
        "	mov x29, #0\n"
        "	mov x30, #0\n"
        "	mov x19, sp\n"
        "	mov x0, sp\n"
        "	bl bulkhead_start_protected\n"
        "	mov sp, x19\n"
        "	mov x0, #0\n"
        "	b _start\n"
        ".size bulkhead_start, .-bulkhead_start\n");
#else
#error "no entry point for this architecture: build with -Dstatic=false"
#endif

/* The words are compared byte by byte: strcmp is the C library's. */
static bool is_word(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

/* A word that only looks like a command costs one needless exec. */
static bool starts_containers(char *const *argv)
{
	for (; *argv; argv++)
		for (const char *word = bulkhead_start_words; *word; word++) {
			if (is_word(*argv, word))
				return true;
			while (*word)
				word++;
		}
	return false;
}

/* Called from the entry point with the stack as the kernel made it: argc, argv, NULL, envp, NULL.
 */
void bulkhead_start_protected(long *stack);
void bulkhead_start_protected(long *stack)
{
	struct mount_attr attr;
	struct statfs fs;
	char **argv = (char **) (stack + 1);
	char **envp = argv + *stack + 1;
	long self, tree;

	if (*stack < 2 || !starts_containers(argv + 1))
		return;
	self = call5(SYS_openat, AT_FDCWD, (long) "/proc/self/exe", O_PATH | O_CLOEXEC, 0, 0);
	if (self < 0)
		return;
	tree = -1;
	fs.f_flags = ST_RDONLY; /* nothing is done when the call does not fill it */
	if (call5(SYS_fstatfs, self, (long) &fs, 0, 0, 0) == 0 && !(fs.f_flags & ST_RDONLY))
		tree = call5(SYS_open_tree, self, (long) "",
		        OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH, 0, 0);
	(void) call5(SYS_close, self, 0, 0, 0, 0);
	if (tree < 0)
		return;
	attr.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
	attr.attr_clr = 0;
	attr.propagation = 0;
	attr.userns_fd = 0;
	if (call5(SYS_mount_setattr, tree, (long) "", AT_EMPTY_PATH, (long) &attr, sizeof(attr)) ==
	        0)
		(void) call5(
		        SYS_execveat, tree, (long) "", (long) argv, (long) envp, AT_EMPTY_PATH);
	(void) call5(SYS_close, tree, 0, 0, 0, 0);
}
