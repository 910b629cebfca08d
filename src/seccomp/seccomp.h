/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Seccomp profiles compiled to classic BPF.
 *
 * Theory of operation: a profile is lowered to one ordered decision list for each system call of
 * each ABI, and the lists are laid out as a balanced search over ranges of system call numbers that
 * share a decision. Everything here is pure: no file, no system call, no state. What the kernel can
 * do is injected by the caller (struct seccomp_target), so that any machine can compile for any
 * other and tests need no privileges. Installing the filter is sys_seccomp_filter().
 *
 * Width of arguments. The kernel reads an 'int' or 'unsigned int' argument from the low 32 bits of
 * the register and ignores the rest, but hands all 64 bits to the filter. A filter that compares 64
 * bits is evaded by setting one high bit: socket(AF_VSOCK | 1ull << 32) is AF_VSOCK to the kernel.
 * So each comparison has the width that the kernel uses (syscalls.csv: 16, 32 or 64 bits for every
 * argument of every call), and the argument is read as an unsigned number of that width. A value of
 * the profile that does not fit into the width is first taken as a sign-extended negative number
 * (-1 as 18446744073709551615 is 4294967295 for an int); any other such value is a number that the
 * argument never reaches, and the comparison keeps its arithmetic meaning: EQ, GE and GT never
 * match, NE, LT and LE always do. MASKED_EQ compares the bits of the mask that are inside the
 * width; value_two is reduced to the mask first, as libseccomp does. On a 32-bit ABI no argument is
 * wider than 32 bits. Where the width is unknown (an index beyond the parameters of the call) an
 * allowing rule compares 64 bits and a refusing rule the low 32 bits: both err to the refusing
 * side.
 *
 * Which rule wins (as in runc with libseccomp, where that is defined):
 * - a rule whose action and errno equal the default action is skipped;
 * - a rule without conditions beats every rule with conditions on the same call, whatever the
 *   order; of several without conditions the first counts;
 * - conditions of one rule are ANDed; if one rule names the same argument index twice, each of its
 *   conditions becomes a rule of its own (ORed), which is what runc does;
 * - rules with conditions on the same call are ORed; where two of them match and have different
 *   actions, the stricter action wins in the kernel's own order (KILL_PROCESS, KILL_THREAD, TRAP,
 *   ERRNO, NOTIFY, TRACE, LOG, ALLOW), then the earlier rule. libseccomp leaves this case to the
 *   shape of its tree.
 * - a call whose number is above every call of its ABI that the profile names gets ENOSYS, unless
 *   the default action is ALLOW, LOG or TRACE: programs take EPERM for an answer and ENOSYS for
 *   "use the old call", and a profile cannot mean calls that are newer than itself (runc does it
 *   too).
 *
 * ABIs. The native ABI is always compiled. Others of the same machine (i386 and x32 on x86_64) are
 * compiled with the same rules when the profile lists them, unless the target says native_only.
 * Calls by any other ABI get foreign_action; SECCOMP_RET_KILL_THREAD is what libseccomp and thus
 * runc do. i386 reaches sockets and System V IPC also by socketcall and ipc: a rule without
 * conditions on 'socket' (and so on) then also covers that way, one with conditions cannot (the
 * arguments are in memory).
 *
 * 32-bit ARM has no table here: on aarch64 it is foreign, and noted. Flags are those of the profile
 * and no other: runc adds SPEC_ALLOW when the profile has no "flags", which gives mitigations of
 * the processor away.
 */
#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct oci_seccomp;
struct seccomp_data; /* linux/seccomp.h */
struct sock_filter;  /* linux/filter.h */

enum seccomp_abi {
	SECCOMP_ABI_X86_64,
	SECCOMP_ABI_X32, /* numbers carry 0x40000000 */
	SECCOMP_ABI_I386,
	SECCOMP_ABI_AARCH64,
	SECCOMP_ABI_COUNT,
};

struct seccomp_target {
	enum seccomp_abi native; /* SECCOMP_ABI_X86_64 or SECCOMP_ABI_AARCH64 */
	bool native_only;        /* leave out the other ABIs that a profile lists */
	bool allow_notify;       /* somebody will serve the listener; else NOTIFY is refused */
	uint32_t foreign_action; /* SECCOMP_RET_* for ABIs that are not compiled */
	uint32_t known_flags;    /* SECCOMP_FILTER_FLAG_* of the kernel */
	uint32_t known_actions;  /* 1 << OCI_ACT_* for each action that the kernel knows */
};

/* What was left out. The caller zeroes it and may set note, which is called with one sentence for
 * each thing (foreign bytes are escaped); at most SECCOMP_NOTES_MAX times. */
enum { SECCOMP_NOTES_MAX = 64 };
struct seccomp_report {
	void (*note)(void *userdata, const char *text);
	void *userdata;
	size_t n_notes;         /* things noted, also those beyond the maximum */
	size_t n_unknown_names; /* names that no ABI of this version's table has */
	size_t n_foreign_archs; /* architectures that were left out */
};

/* A target for the machine this program was built for, with everything that Linux 6.1 knows,
 * foreign_action as libseccomp, no listener. */
struct seccomp_target seccomp_target_host(void);

/* Compiles a profile. Appends the filter (struct sock_filter[], out->len is a multiple of 8) and
 * stores the flags for seccomp(2), including NEW_LISTENER when the profile has a NOTIFY rule;
 * WAIT_KILLABLE_RECV is left out without one, because the kernel refuses it. report may be NULL.
 * out should allow at least SECCOMP_FILTER_BYTES_MAX. Errors: -EINVAL (unknown architecture or flag
 * name, argument index above 5, errno above 4095, NOTIFY as default action or for 'write'),
 * -EOPNOTSUPP (an action or flag that the target does not know, or NOTIFY without allow_notify),
 * -E2BIG (more than BPF_MAXINSNS instructions). Names of system calls that are not known are noted
 * and skipped, as runc does. */
enum { SECCOMP_FILTER_BYTES_MAX = 4096 * 8 };
int seccomp_compile(const struct oci_seccomp *profile, const struct seccomp_target *target,
        struct buf *out, uint32_t *ret_flags, struct seccomp_report *report, struct err *err);

/* The default profile of Bulkhead (default.c tells what it refuses and why), compiled when the
 * program was built, for the native ABI of the host. Constant memory. */
const struct sock_filter *seccomp_default_filter(size_t *ret_n);
/* Its name and one sentence about it, for 'inspect' and documentation. */
const char *seccomp_default_name(void);
const char *seccomp_default_description(void);
/* Compiles the default profile for any target: how the constant above is made, and for tests. Only
 * native, foreign_action are looked at. Errors: -EINVAL (target), -E2BIG. */
int seccomp_default_compile(const struct seccomp_target *target, struct buf *out, struct err *err);

/* Number of the call in the ABI (x32 with its bit), or -1 when the ABI or the table lacks it. */
int seccomp_syscall_number(const char *name, enum seccomp_abi abi);
/* Name of the call, or NULL. */
const char *seccomp_syscall_name(int number, enum seccomp_abi abi);
/* Bits of argument 'index' that the kernel looks at: 16, 32 or 64; 0 when the call has no such
 * argument or is unknown. */
unsigned int seccomp_arg_width(const char *name, enum seccomp_abi abi, unsigned int index);
/* AUDIT_ARCH_* of the ABI, and its SCMP_ARCH_* name. */
uint32_t seccomp_abi_audit_arch(enum seccomp_abi abi);
const char *seccomp_abi_name(enum seccomp_abi abi);

/* Checks what the kernel checks and more: 1 to BPF_MAXINSNS instructions, only those that the
 * kernel allows in a filter, aligned loads inside struct seccomp_data, jumps forward and inside,
 * a return on every path. 0 or -EINVAL. */
int seccomp_check(const struct sock_filter *filter, size_t n, struct err *err);
/* Runs a checked filter and returns the SECCOMP_RET_* value; ret_steps (may be NULL) gets the
 * number of instructions executed. A filter that would fault gives SECCOMP_RET_KILL_PROCESS. */
uint32_t seccomp_simulate(const struct sock_filter *filter, size_t n,
        const struct seccomp_data *data, size_t *ret_steps);
/* Appends one line for each instruction, for 'plan -v' and golden files. */
void seccomp_disassemble(const struct sock_filter *filter, size_t n, struct buf *out);
