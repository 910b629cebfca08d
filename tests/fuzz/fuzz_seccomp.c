/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any profile: either it is refused with a text, or its filter is one that the kernel takes, does
 * not fault, answers only with actions of the profile, and does not look at bits of an argument
 * that the kernel ignores.
 *
 * Input: a header of 4 bytes, then rules of 4 bytes (name, action, errno, number of conditions)
 * with conditions of 4 bytes each (index, operator, two choices of a value). What is left is asked.
 */
#include "seccomp/seccomp.h"

#include "oci/spec.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>

enum { RULES = 64, CONDS = 7 };

struct input {
	const uint8_t *data;
	size_t len;
};

static uint8_t next(struct input *in)
{
	if (in->len == 0)
		return 0;
	in->len--;
	return *in->data++;
}

static const char *const names[] = { "socket", "ioctl", "clone", "personality", "mknod", "fcntl",
	"munmap", "socketcall", "ipc", "bind", "semget", "write", "listmount", "nonsense", "chown",
	"read", "prctl", "mmap", "openat", "" };

static const uint64_t values[] = { 0, 1, 2, 38, 0xfff, 0xf000, 0x10000, 0x7fffffff, 0x80000000,
	0xffffffff, 0x100000000, 0x100000026, 0xffffffff00000000, 0xffffffff80000000,
	0x7fffffffffffffff, UINT64_MAX };

static const char *const archs[] = { "SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32",
	"SCMP_ARCH_AARCH64", "SCMP_ARCH_S390X", "SCMP_ARCH_NONE" };
static const char *const flags[] = { "SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG",
	"SECCOMP_FILTER_FLAG_SPEC_ALLOW", "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV",
	"SECCOMP_FILTER_FLAG_NONE" };

struct profile {
	struct oci_seccomp p;
	struct oci_seccomp_rule rules[RULES];
	struct oci_seccomp_arg args[RULES][CONDS];
	const char *names[RULES][3];
	const char *archs[8], *flags[8];
};

/* Of a list, those whose bit is set; NULL-terminated. */
static void pick(const char **out, const char *const *from, size_t n, uint8_t bits)
{
	for (size_t i = 0; i < n; i++)
		if (bits & 1u << i)
			*out++ = from[i];
	*out = NULL;
}

static void read_profile(struct input *in, struct profile *f)
{
	uint8_t action = next(in);

	pick(f->archs, archs, ARRAY_SIZE(archs), next(in));
	pick(f->flags, flags, ARRAY_SIZE(flags), next(in));
	f->p = (struct oci_seccomp){
		.default_action = (enum oci_seccomp_action)(action & 7),
		.has_default_errno = action & 8,
		.default_errno = action >> 4,
		.architectures = f->archs,
		.flags = f->flags,
		.rules = f->rules,
		.n_rules = next(in) % RULES,
	};
	for (size_t i = 0; i < f->p.n_rules; i++) {
		struct oci_seccomp_rule *r = &f->rules[i];
		uint8_t name = next(in), rule_action = next(in), value = next(in);

		f->names[i][0] = names[name % ARRAY_SIZE(names)];
		f->names[i][1] = name & 0x80 ? names[(name / 2) % ARRAY_SIZE(names)] : NULL;
		*r = (struct oci_seccomp_rule){
			.names = f->names[i],
			.action = (enum oci_seccomp_action)(rule_action & 7),
			.has_errno = rule_action & 8,
			.errno_ret = value == 255 ? 70000 : value,
			.args = f->args[i],
			.n_args = next(in) % (CONDS + 1),
		};
		for (size_t j = 0; j < r->n_args; j++) {
			struct oci_seccomp_arg *a = &f->args[i][j];
			a->index = next(in) & 7;
			a->op = (enum oci_seccomp_op)(next(in) % 7);
			a->value = values[next(in) % ARRAY_SIZE(values)];
			a->value_two = values[next(in) % ARRAY_SIZE(values)];
		}
	}
}

static bool is_action(uint32_t ret)
{
	static const uint32_t actions[] = { SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD,
		SECCOMP_RET_TRAP, SECCOMP_RET_ERRNO, SECCOMP_RET_USER_NOTIF, SECCOMP_RET_TRACE,
		SECCOMP_RET_LOG, SECCOMP_RET_ALLOW };

	for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
		if ((ret & SECCOMP_RET_ACTION_FULL) == actions[i])
			return true;
	return false;
}

static void must(bool holds)
{
	if (!holds)
		__builtin_trap();
}

/* Asks the filter, then again with bits set that the kernel does not see. */
static void ask(const struct sock_filter *f, size_t n, enum seccomp_abi abi, struct input *in)
{
	const char *name = names[next(in) % ARRAY_SIZE(names)];
	int nr = seccomp_syscall_number(name, abi);
	struct seccomp_data d = { .nr = nr < 0 ? next(in) : nr,
		.arch = seccomp_abi_audit_arch(abi) };
	size_t steps;
	uint32_t answer;

	for (size_t i = 0; i < 6; i++)
		d.args[i] = values[next(in) % ARRAY_SIZE(values)];
	answer = seccomp_simulate(f, n, &d, &steps);
	must(is_action(answer) && steps <= n);
	for (unsigned int i = 0; nr >= 0 && i < 6; i++) {
		unsigned int bits = seccomp_arg_width(name, abi, i);
		if (bits != 0 && bits < 64 && abi != SECCOMP_ABI_I386)
			d.args[i] ^= (UINT64_C(0x0123456789abcdef) * (1 + next(in))) << bits;
	}
	if (nr >= 0)
		must(seccomp_simulate(f, n, &d, NULL) == answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct seccomp_target target = seccomp_target_host();
	_buf_done_ struct buf out = BUF_INIT(SECCOMP_FILTER_BYTES_MAX);
	_free_ struct profile *profile = xnew(struct profile);
	struct err err = { 0 };
	uint8_t choice = next(&in);
	uint32_t ret_flags;
	int r;

	target.native = choice & 1 ? SECCOMP_ABI_AARCH64 : SECCOMP_ABI_X86_64;
	target.native_only = choice & 2;
	target.allow_notify = choice & 4;
	read_profile(&in, profile);
	r = seccomp_compile(&profile->p, &target, &out, &ret_flags, NULL, &err);
	if (r < 0) {
		must(err.code == r && err.text[0] != '\0');
		return 0;
	}
	const struct sock_filter *f = (const void *) out.data;
	size_t n = out.len / sizeof(*f);
	must(seccomp_check(f, n, NULL) == 0);
	for (int i = 0; i < 32; i++)
		ask(f, n, (enum seccomp_abi)(i % SECCOMP_ABI_COUNT), &in);
	return 0;
}
