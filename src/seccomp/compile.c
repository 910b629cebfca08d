/* SPDX-License-Identifier: Apache-2.0 */
/* OCI profiles. */
#include "base/str.h"
#include "seccomp/ir.h"

#include <errno.h>
#include <linux/seccomp.h>

/* Newer than the headers of Debian 12's predecessors; stable ABI. */
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

enum { ERRNO_MAX = 4095 }; /* MAX_ERRNO of the kernel, which cuts what is larger */

static const struct {
	const char *name;
	uint32_t ret;
	bool has_errno;
} actions[] = {
	[OCI_ACT_KILL_THREAD] = { "SCMP_ACT_KILL_THREAD", SECCOMP_RET_KILL_THREAD, false },
	[OCI_ACT_KILL_PROCESS] = { "SCMP_ACT_KILL_PROCESS", SECCOMP_RET_KILL_PROCESS, false },
	[OCI_ACT_TRAP] = { "SCMP_ACT_TRAP", SECCOMP_RET_TRAP, false },
	[OCI_ACT_ERRNO] = { "SCMP_ACT_ERRNO", SECCOMP_RET_ERRNO, true },
	[OCI_ACT_TRACE] = { "SCMP_ACT_TRACE", SECCOMP_RET_TRACE, true },
	[OCI_ACT_ALLOW] = { "SCMP_ACT_ALLOW", SECCOMP_RET_ALLOW, false },
	[OCI_ACT_LOG] = { "SCMP_ACT_LOG", SECCOMP_RET_LOG, false },
	[OCI_ACT_NOTIFY] = { "SCMP_ACT_NOTIFY", SECCOMP_RET_USER_NOTIF, false },
};

static const struct {
	const char *name;
	uint32_t flag;
} flags[] = {
	{ "SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG },
	{ "SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW },
	{ "SECCOMP_FILTER_FLAG_TSYNC", SECCOMP_FILTER_FLAG_TSYNC },
	{ "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV },
};

/* Architectures of the specification; abi is SECCOMP_ABI_COUNT where this version has no table. */
static const struct {
	const char *name;
	enum seccomp_abi abi;
} archs[] = {
	{ "SCMP_ARCH_X86_64", SECCOMP_ABI_X86_64 },
	{ "SCMP_ARCH_X32", SECCOMP_ABI_X32 },
	{ "SCMP_ARCH_X86", SECCOMP_ABI_I386 },
	{ "SCMP_ARCH_AARCH64", SECCOMP_ABI_AARCH64 },
	{ "SCMP_ARCH_ARM", SECCOMP_ABI_COUNT },
	{ "SCMP_ARCH_MIPS", SECCOMP_ABI_COUNT },
	{ "SCMP_ARCH_MIPS64", SECCOMP_ABI_COUNT },
	{ "SCMP_ARCH_MIPS64N32", SECCOMP_ABI_COUNT },
	{ "SCMP_ARCH_MIPSEL", SECCOMP_ABI_COUNT },
	{ "SCMP_ARCH_MIPSEL64", SECCOMP_ABI_COUNT },
	{ "SCMP_ARCH_MIPSEL64N32", SECCOMP_ABI_COUNT },
	{ "SCMP_ARCH_PPC", SECCOMP_ABI_COUNT },
	{ "SCMP_ARCH_PPC64", SECCOMP_ABI_COUNT },
	{ "SCMP_ARCH_PPC64LE", SECCOMP_ABI_COUNT },
	{ "SCMP_ARCH_S390", SECCOMP_ABI_COUNT },
	{ "SCMP_ARCH_S390X", SECCOMP_ABI_COUNT },
	{ "SCMP_ARCH_PARISC", SECCOMP_ABI_COUNT },
	{ "SCMP_ARCH_PARISC64", SECCOMP_ABI_COUNT },
	{ "SCMP_ARCH_RISCV64", SECCOMP_ABI_COUNT },
	{ "SCMP_ARCH_LOONGARCH64", SECCOMP_ABI_COUNT },
	{ "SCMP_ARCH_M68K", SECCOMP_ABI_COUNT },
	{ "SCMP_ARCH_SH", SECCOMP_ABI_COUNT },
	{ "SCMP_ARCH_SHEB", SECCOMP_ABI_COUNT },
};

struct seccomp_target seccomp_target_host(void)
{
	return (struct seccomp_target)
	{
#if defined(__aarch64__)
		.native = SECCOMP_ABI_AARCH64,
#else
		.native = SECCOMP_ABI_X86_64,
#endif
		.foreign_action = SECCOMP_RET_KILL_THREAD,
		.known_flags = SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_LOG |
		               SECCOMP_FILTER_FLAG_SPEC_ALLOW | SECCOMP_FILTER_FLAG_NEW_LISTENER |
		               SECCOMP_FILTER_FLAG_TSYNC_ESRCH |
		               SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
		.known_actions = (1u << ARRAY_SIZE(actions)) - 1,
	};
}

static int check_action(
        enum oci_seccomp_action action, const struct seccomp_target *target, struct err *err)
{
	if ((unsigned int) action >= ARRAY_SIZE(actions))
		return err_set(err, -EINVAL, "seccomp action number %d is not known", (int) action);
	if (action == OCI_ACT_NOTIFY && !target->allow_notify)
		return err_set(err, -EOPNOTSUPP,
		        "seccomp action 'SCMP_ACT_NOTIFY' is not supported here: nobody would answer "
		        "the calls, use another action");
	if ((target->known_actions & 1u << action) == 0)
		return err_set(err, -EOPNOTSUPP, "seccomp action '%s' is not known to this kernel",
		        actions[action].name);
	return 0;
}

/* EPERM is the default of ERRNO and, as in runc, of TRACE. */
static int action_ret(enum oci_seccomp_action action, bool has_errno, uint32_t errno_ret,
        const struct seccomp_target *target, uint32_t *ret, struct err *err)
{
	int r = check_action(action, target, err);
	uint32_t value = has_errno ? errno_ret : EPERM;

	if (r < 0)
		return r;
	if (has_errno && !actions[action].has_errno) /* the specification: MUST fail */
		return err_set(err, -EINVAL,
		        "seccomp action '%s' takes no errno value, remove errnoRet",
		        actions[action].name);
	if (action == OCI_ACT_ERRNO && value > ERRNO_MAX)
		return err_set(
		        err, -EINVAL, "seccomp errno value %u is above %d", value, ERRNO_MAX);
	if (value > SECCOMP_RET_DATA)
		return err_set(err, -EINVAL, "seccomp trace value %u is above 65535", value);
	*ret = actions[action].ret | (actions[action].has_errno ? value : 0);
	return 0;
}

static bool names_write(const struct oci_seccomp_rule *rule)
{
	for (const char *const *name = rule->names; *name; name++)
		if (streq(*name, "write"))
			return true;
	return false;
}

static int convert_rule(const struct oci_seccomp_rule *rule, const struct seccomp_target *target,
        struct ir_rule *ret, struct err *err)
{
	int r = action_ret(rule->action, rule->has_errno, rule->errno_ret, target, &ret->ret, err);

	if (r < 0)
		return r;
	if (rule->action == OCI_ACT_NOTIFY && names_write(rule))
		return err_set(err, -EINVAL,
		        "seccomp action 'SCMP_ACT_NOTIFY' cannot be used for 'write': the "
		        "listener's descriptor is handed over by it");
	for (size_t i = 0; i < rule->n_args; i++) {
		if (rule->args[i].index >= SECCOMP_ARGS)
			return err_set(err, -EINVAL, "seccomp argument index %u is above %d",
			        rule->args[i].index, SECCOMP_ARGS - 1);
		if ((unsigned int) rule->args[i].op > OCI_OP_MASKED_EQ)
			return err_set(err, -EINVAL, "seccomp operator number %d is not known",
			        (int) rule->args[i].op);
	}
	ret->names = rule->names;
	ret->args = rule->args;
	ret->n_args = rule->n_args;
	return 0;
}

static bool same_machine(enum seccomp_abi a, enum seccomp_abi b)
{
	return (a == SECCOMP_ABI_AARCH64) == (b == SECCOMP_ABI_AARCH64);
}

static void add_abi(struct ir_input *in, enum seccomp_abi abi)
{
	for (size_t i = 0; i < in->n_abis; i++)
		if (in->abis[i] == abi)
			return;
	in->abis[in->n_abis++] = abi;
}

static int convert_archs(const struct oci_seccomp *profile, const struct seccomp_target *target,
        struct ir_input *in, struct seccomp_report *report, struct err *err)
{
	in->abis[in->n_abis++] = target->native;
	for (const char *const *name = profile->architectures; name && *name; name++) {
		size_t i = 0;

		while (i < ARRAY_SIZE(archs) && !streq(archs[i].name, *name))
			i++;
		if (i == ARRAY_SIZE(archs)) {
			_free_ char *shown = str_escaped(*name);
			return err_set(
			        err, -EINVAL, "seccomp architecture '%s' is not known", shown);
		}
		if (archs[i].abi == target->native)
			continue;
		if (archs[i].abi == SECCOMP_ABI_COUNT ||
		        !same_machine(archs[i].abi, target->native) || target->native_only) {
			if (report)
				report->n_foreign_archs++;
			seccomp_note(report,
			        "seccomp architecture '%s' is left out: its calls get the "
			        "action of foreign ones",
			        *name);
			continue;
		}
		add_abi(in, archs[i].abi);
	}
	return 0;
}

static int convert_flags(const struct oci_seccomp *profile, const struct seccomp_target *target,
        bool notify, uint32_t *ret, struct seccomp_report *report, struct err *err)
{
	uint32_t sum = notify ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0;

	for (const char *const *name = profile->flags; name && *name; name++) {
		size_t i = 0;

		while (i < ARRAY_SIZE(flags) && !streq(flags[i].name, *name))
			i++;
		if (i == ARRAY_SIZE(flags)) {
			_free_ char *shown = str_escaped(*name);
			return err_set(err, -EINVAL, "seccomp flag '%s' is not known", shown);
		}
		sum |= flags[i].flag;
	}
	/* A new listener and thread synchronisation need to agree on how a failure is told. */
	if (notify && sum & SECCOMP_FILTER_FLAG_TSYNC)
		sum |= SECCOMP_FILTER_FLAG_TSYNC_ESRCH;
	if (!notify && sum & SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV) {
		sum &= ~(uint32_t) SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
		seccomp_note(report,
		        "seccomp flag 'SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV' is left out: "
		        "no rule uses SCMP_ACT_NOTIFY");
	}
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (sum & flags[i].flag & ~target->known_flags)
			return err_set(err, -EOPNOTSUPP,
			        "seccomp flag '%s' is not known to this kernel", flags[i].name);
	*ret = sum;
	return 0;
}

static int check_target(const struct seccomp_target *target, struct err *err)
{
	if (target->native == SECCOMP_ABI_X86_64 || target->native == SECCOMP_ABI_AARCH64)
		return 0;
	return err_set(err, -EINVAL, "seccomp target is not a native ABI of a machine");
}

int seccomp_compile(const struct oci_seccomp *profile, const struct seccomp_target *target,
        struct buf *out, uint32_t *ret_flags, struct seccomp_report *report, struct err *err)
{
	_free_ struct ir_rule *rules = NULL;
	struct ir_input in = { .order = IR_STRICTEST, .foreign = target->foreign_action };
	uint32_t sum = 0;
	bool notify = false;
	int r = check_target(target, err);

	if (r < 0)
		return r;
	if (profile->default_action == OCI_ACT_NOTIFY)
		return err_set(err, -EINVAL,
		        "seccomp action 'SCMP_ACT_NOTIFY' cannot be the default action");
	r = action_ret(profile->default_action, profile->has_default_errno, profile->default_errno,
	        target, &in.dflt, err);
	if (r < 0)
		return r;
	/* runc's list of actions that mean "somebody else decides" or "yes". */
	in.enosys_beyond = profile->default_action != OCI_ACT_ALLOW &&
	                   profile->default_action != OCI_ACT_LOG &&
	                   profile->default_action != OCI_ACT_TRACE;
	if (profile->n_rules > OCI_LIST_MAX)
		return err_set(err, -E2BIG, "seccomp profile has more than %d rules", OCI_LIST_MAX);
	rules = xnew_n(struct ir_rule, profile->n_rules + 1);
	for (size_t i = 0; i < profile->n_rules; i++) {
		r = convert_rule(&profile->rules[i], target, &rules[i], err);
		if (r < 0)
			return r;
		notify = notify || profile->rules[i].action == OCI_ACT_NOTIFY;
	}
	in.rules = rules;
	in.n_rules = profile->n_rules;
	r = convert_archs(profile, target, &in, report, err);
	if (r < 0)
		return r;
	r = convert_flags(profile, target, notify, &sum, report, err);
	if (r < 0)
		return r;
	r = ir_compile(&in, out, report, err);
	if (r < 0)
		return r;
	*ret_flags = sum;
	return 0;
}
