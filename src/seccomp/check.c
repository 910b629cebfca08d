/* SPDX-License-Identifier: Apache-2.0 */
/* Checking, running and printing of filters. */
#include "seccomp/seccomp.h"

#include <errno.h>
#include <linux/bpf_common.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>

enum { LOAD = BPF_LD | BPF_W | BPF_ABS, RETURN = BPF_RET | BPF_K, GOTO = BPF_JMP | BPF_JA };

/* Instructions of filters, with what they print. */
static const struct {
	uint16_t code;
	const char *name;
	bool jump;
} insns[] = {
	{ LOAD, "ld", false },
	{ BPF_ALU | BPF_AND | BPF_K, "and", false },
	{ RETURN, "ret", false },
	{ GOTO, "ja", false },
	{ BPF_JMP | BPF_JEQ | BPF_K, "jeq", true },
	{ BPF_JMP | BPF_JGE | BPF_K, "jge", true },
	{ BPF_JMP | BPF_JGT | BPF_K, "jgt", true },
	{ BPF_JMP | BPF_JSET | BPF_K, "jset", true },
};

static int find_insn(uint16_t code)
{
	for (size_t i = 0; i < ARRAY_SIZE(insns); i++)
		if (insns[i].code == code)
			return (int) i;
	return -1;
}

/* As every jump goes forward and inside, a path can only end in a return or behind the end; so it
 * is enough that nothing but a return or a jump is the last instruction. */
int seccomp_check(const struct sock_filter *filter, size_t n, struct err *err)
{
	if (n == 0 || n > BPF_MAXINSNS)
		return err_set(err, -EINVAL,
		        "seccomp filter has %zu instructions, 1 to %d are allowed", n,
		        BPF_MAXINSNS);
	for (size_t pc = 0; pc < n; pc++) {
		const struct sock_filter *i = &filter[pc];
		size_t left = n - pc - 1; /* instructions behind this one */
		int known = find_insn(i->code);
		bool good = known >= 0;

		if (i->code == LOAD)
			good = i->k % 4 == 0 && i->k < sizeof(struct seccomp_data) && left > 0;
		else if (i->code == GOTO)
			good = i->k < left;
		else if (good && insns[known].jump)
			good = i->jt < left && i->jf < left;
		else if (good && i->code != RETURN)
			good = left > 0;
		if (!good)
			return err_set(err, -EINVAL,
			        "seccomp filter is broken at instruction %zu of %zu", pc, n);
	}
	return 0;
}

static bool takes_jump(const struct sock_filter *i, uint32_t a)
{
	switch (BPF_OP(i->code)) {
	case BPF_JEQ:
		return a == i->k;
	case BPF_JGE:
		return a >= i->k;
	case BPF_JGT:
		return a > i->k;
	default:
		return (a & i->k) != 0;
	}
}

uint32_t seccomp_simulate(const struct sock_filter *filter, size_t n,
        const struct seccomp_data *data, size_t *ret_steps)
{
	uint32_t a = 0, ret = SECCOMP_RET_KILL_PROCESS;
	size_t steps = 0;

	for (size_t pc = 0; pc < n; pc++) {
		const struct sock_filter *i = &filter[pc];

		steps++;
		if (i->code == RETURN) {
			ret = i->k;
			break;
		}
		if (i->code == LOAD && i->k <= sizeof(*data) - sizeof(a))
			memcpy(&a, (const char *) data + i->k, sizeof(a));
		else if (i->code == (BPF_ALU | BPF_AND | BPF_K))
			a &= i->k;
		else if (i->code == GOTO)
			pc += i->k;
		else if (find_insn(i->code) >= 0 && i->code != LOAD)
			pc += takes_jump(i, a) ? i->jt : i->jf;
		else
			break;
	}
	if (ret_steps)
		*ret_steps = steps;
	return ret;
}

static void print_ret(uint32_t ret, struct buf *out)
{
	static const struct {
		uint32_t action;
		const char *name;
	} actions[] = {
		{ SECCOMP_RET_KILL_PROCESS, "kill_process" },
		{ SECCOMP_RET_KILL_THREAD, "kill_thread" },
		{ SECCOMP_RET_TRAP, "trap" },
		{ SECCOMP_RET_ERRNO, "errno" },
		{ SECCOMP_RET_USER_NOTIF, "notify" },
		{ SECCOMP_RET_TRACE, "trace" },
		{ SECCOMP_RET_LOG, "log" },
		{ SECCOMP_RET_ALLOW, "allow" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
		if ((ret & SECCOMP_RET_ACTION_FULL) == actions[i].action) {
			(void) buf_addf(out, "ret %s", actions[i].name);
			if (ret & SECCOMP_RET_DATA)
				(void) buf_addf(out, " %u", ret & SECCOMP_RET_DATA);
			return;
		}
	(void) buf_addf(out, "ret 0x%08x", ret);
}

static void print_load(uint32_t offset, struct buf *out)
{
	if (offset == offsetof(struct seccomp_data, nr))
		(void) buf_adds(out, "ld nr");
	else if (offset == offsetof(struct seccomp_data, arch))
		(void) buf_adds(out, "ld arch");
	else if (offset >= offsetof(struct seccomp_data, args))
		(void) buf_addf(out, "ld arg%zu.%s",
		        (offset - offsetof(struct seccomp_data, args)) / 8,
		        offset % 8 ? "high" : "low");
	else
		(void) buf_addf(out, "ld [%u]", offset);
}

void seccomp_disassemble(const struct sock_filter *filter, size_t n, struct buf *out)
{
	for (size_t pc = 0; pc < n; pc++) {
		const struct sock_filter *i = &filter[pc];
		int known = find_insn(i->code);

		(void) buf_addf(out, "%04zu ", pc);
		if (i->code == LOAD)
			print_load(i->k, out);
		else if (i->code == RETURN)
			print_ret(i->k, out);
		else if (i->code == GOTO)
			(void) buf_addf(out, "ja %04zu", pc + 1 + i->k);
		else if (known >= 0 && insns[known].jump)
			(void) buf_addf(out, "%s 0x%x ? %04zu : %04zu", insns[known].name, i->k,
			        pc + 1 + i->jt, pc + 1 + i->jf);
		else if (known >= 0)
			(void) buf_addf(out, "%s 0x%x", insns[known].name, i->k);
		else
			(void) buf_addf(out, "code 0x%x k 0x%x", i->code, i->k);
		(void) buf_addc(out, '\n');
	}
}
