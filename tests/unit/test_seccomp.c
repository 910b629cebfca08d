/* SPDX-License-Identifier: Apache-2.0 */
/* The meaning of OCI profiles: which rule wins, widths of arguments, ABIs, errors, shape of code.
 */
#include "seccompkit.h"

#include <stdio.h>
#include <string.h>

#define X64 SECCOMP_ABI_X86_64

static struct oci_seccomp deny_all_but(const struct oci_seccomp_rule *rules, size_t n)
{
	return (struct oci_seccomp){
		.default_action = OCI_ACT_ERRNO, .rules = rules, .n_rules = n
	};
}

static struct oci_seccomp allow_all_but(const struct oci_seccomp_rule *rules, size_t n)
{
	return (struct oci_seccomp){
		.default_action = OCI_ACT_ALLOW, .rules = rules, .n_rules = n
	};
}

/* Compiles a profile with one rule with one condition and asks for one call. */
static uint32_t ask_one(enum oci_seccomp_action action, const char *name,
        struct oci_seccomp_arg arg, const uint64_t args[6])
{
	const struct oci_seccomp_rule rule = { NAMES(name), action,
		.has_errno = action == OCI_ACT_ERRNO, .errno_ret = EACCES, .args = &arg,
		.n_args = 1 };
	struct oci_seccomp p = action == OCI_ACT_ALLOW ? deny_all_but(&rule, 1)
	                                               : allow_all_but(&rule, 1);
	struct seccomp_target target = kit_target(X64);
	_filter_done_ struct filter f = { 0 };

	kit_compile(&p, &target, &f);
	return kit_ask(&f, X64, name, args);
}

#define COND(i, o, ...) ((struct oci_seccomp_arg){ .index = (i), .op = (o), __VA_ARGS__ })

static void high_bits_do_not_evade_a_refusing_rule(void **state)
{
	struct oci_seccomp_arg alg = COND(0, OCI_OP_EQ, .value = 38);

	assert_int_equal(ask_one(OCI_ACT_ERRNO, "socket", alg, ARGS(38)), NO(EACCES));
	assert_int_equal(ask_one(OCI_ACT_ERRNO, "socket", alg, ARGS(38 | HIGH)), NO(EACCES));
	assert_int_equal(
	        ask_one(OCI_ACT_ERRNO, "socket", alg, ARGS(38 | 0xffffffff00000000)), NO(EACCES));
	assert_int_equal(ask_one(OCI_ACT_ERRNO, "socket", alg, ARGS(39)), ALLOW);
	assert_int_equal(ask_one(OCI_ACT_ERRNO, "ioctl", COND(1, OCI_OP_EQ, .value = 0x5412),
	                         ARGS(0, 0x5412 | HIGH)),
	        NO(EACCES));
	assert_int_equal(ask_one(OCI_ACT_ERRNO, "personality",
	                         COND(0, OCI_OP_MASKED_EQ, .value = 0x40000, .value_two = 0x40000),
	                         ARGS(0x40000 | HIGH)),
	        NO(EACCES));
	assert_int_equal(ask_one(OCI_ACT_ERRNO, "clone", COND(0, OCI_OP_GE, .value = 0x10000000),
	                         ARGS(0x10000000 | HIGH)),
	        NO(EACCES));
	assert_int_equal(
	        ask_one(OCI_ACT_ERRNO, "socket", COND(0, OCI_OP_LT, .value = 3), ARGS(2 | HIGH)),
	        NO(EACCES));
	/* The kernel cuts a mode to 16 bits. */
	assert_int_equal(ask_one(OCI_ACT_ERRNO, "mknod", COND(1, OCI_OP_EQ, .value = 020600),
	                         ARGS(0, 020600 | 0x10000)),
	        NO(EACCES));
	assert_int_equal(ask_one(OCI_ACT_ERRNO, "chmod", COND(1, OCI_OP_GT, .value = 0777),
	                         ARGS(0, 0x10000 | 0755)),
	        ALLOW);
}

static void high_bits_do_not_pass_an_allowing_rule_for_wide_arguments(void **state)
{
	struct oci_seccomp_arg size = COND(1, OCI_OP_LE, .value = 4096);

	assert_int_equal(ask_one(OCI_ACT_ALLOW, "munmap", size, ARGS(0, 4096)), ALLOW);
	assert_int_equal(ask_one(OCI_ACT_ALLOW, "munmap", size, ARGS(0, 4097)), NO(EPERM));
	assert_int_equal(ask_one(OCI_ACT_ALLOW, "munmap", size, ARGS(0, HIGH)), NO(EPERM));
	struct oci_seccomp_arg large = COND(1, OCI_OP_GT, .value = 3 * HIGH + 5);
	assert_int_equal(ask_one(OCI_ACT_ALLOW, "munmap", large, ARGS(0, 3 * HIGH + 6)), ALLOW);
	assert_int_equal(ask_one(OCI_ACT_ALLOW, "munmap", large, ARGS(0, 4 * HIGH)), ALLOW);
	assert_int_equal(ask_one(OCI_ACT_ALLOW, "munmap", large, ARGS(0, 3 * HIGH + 5)), NO(EPERM));
	assert_int_equal(ask_one(OCI_ACT_ALLOW, "munmap", large, ARGS(0, 2 * HIGH + 9)), NO(EPERM));
	struct oci_seccomp_arg bits = COND(
	        0, OCI_OP_MASKED_EQ, .value = HIGH | 1, .value_two = HIGH);
	assert_int_equal(ask_one(OCI_ACT_ALLOW, "munmap", bits, ARGS(HIGH | 2)), ALLOW);
	assert_int_equal(ask_one(OCI_ACT_ALLOW, "munmap", bits, ARGS(HIGH | 1)), NO(EPERM));
	assert_int_equal(ask_one(OCI_ACT_ALLOW, "munmap", bits, ARGS(2)), NO(EPERM));
}

/* fcntl's third argument is a number for one command and an address for the next. */
static void unknown_width_errs_to_the_refusing_side(void **state)
{
	struct oci_seccomp_arg eq = COND(2, OCI_OP_EQ, .value = 5);
	struct oci_seccomp_arg ne = COND(2, OCI_OP_NE, .value = 5);
	struct oci_seccomp_arg ge = COND(2, OCI_OP_GE, .value = 5);

	assert_int_equal(seccomp_arg_width("fcntl", X64, 2), 0);
	assert_int_equal(ask_one(OCI_ACT_ALLOW, "fcntl", eq, ARGS(0, 0, 5)), ALLOW);
	assert_int_equal(ask_one(OCI_ACT_ALLOW, "fcntl", eq, ARGS(0, 0, 5 | HIGH)), NO(EPERM));
	assert_int_equal(ask_one(OCI_ACT_ERRNO, "fcntl", eq, ARGS(0, 0, 5 | HIGH)), NO(EACCES));
	assert_int_equal(ask_one(OCI_ACT_ALLOW, "fcntl", ne, ARGS(0, 0, 5 | HIGH)), NO(EPERM));
	assert_int_equal(ask_one(OCI_ACT_ERRNO, "fcntl", ne, ARGS(0, 0, 5 | HIGH)), NO(EACCES));
	assert_int_equal(ask_one(OCI_ACT_ALLOW, "fcntl", ge, ARGS(0, 0, 1 | HIGH)), NO(EPERM));
	assert_int_equal(ask_one(OCI_ACT_ERRNO, "fcntl", ge, ARGS(0, 0, 1 | HIGH)), NO(EACCES));
}

static void values_beyond_the_width_keep_their_arithmetic_meaning(void **state)
{
	const uint64_t v = 38 | HIGH;
	static const struct {
		enum oci_seccomp_op op;
		bool holds;
	} cases[] = {
		{ OCI_OP_EQ, false },
		{ OCI_OP_NE, true },
		{ OCI_OP_LT, true },
		{ OCI_OP_LE, true },
		{ OCI_OP_GE, false },
		{ OCI_OP_GT, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		for (uint64_t arg = 38; arg <= v; arg += HIGH)
			assert_int_equal(ask_one(OCI_ACT_ALLOW, "socket",
			                         COND(0, cases[i].op, .value = v), ARGS(arg)),
			        cases[i].holds ? ALLOW : NO(EPERM));
	/* -1 as 64 bits is an int's -1. */
	assert_int_equal(
	        ask_one(OCI_ACT_ALLOW, "openat", COND(0, OCI_OP_EQ, .value = (uint64_t) -100),
	                ARGS((uint32_t) -100)),
	        ALLOW);
	assert_int_equal(ask_one(OCI_ACT_ALLOW, "openat",
	                         COND(0, OCI_OP_MASKED_EQ, .value = UINT64_MAX,
	                                 .value_two = (uint64_t) -100),
	                         ARGS((uint64_t) -100)),
	        ALLOW);
	assert_int_equal(
	        ask_one(OCI_ACT_ALLOW, "socket",
	                COND(0, OCI_OP_MASKED_EQ, .value = HIGH | 0xff, .value_two = HIGH | 2),
	                ARGS(2 | HIGH)),
	        NO(EPERM));
}

static uint64_t cut(uint64_t v, unsigned int bits)
{
	return bits == 64 ? v : v & ((UINT64_C(1) << bits) - 1);
}

/* The specification's words, for values that fit the width. */
static bool holds(const struct oci_seccomp_arg *a, uint64_t arg)
{
	const bool answers[] = {
		[OCI_OP_NE] = arg != a->value,
		[OCI_OP_LT] =
		        arg<a->value, [OCI_OP_LE] = arg <= a->value, [OCI_OP_EQ] = arg == a->value,
		                [OCI_OP_GE] = arg >= a->value, [OCI_OP_GT] = arg>
		                a->value,
		[OCI_OP_MASKED_EQ] = (arg & a->value) == (a->value_two & a->value),
	};
	return answers[a->op];
}

static uint64_t next_random(uint64_t *seed)
{
	*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return *seed >> 33;
}

static const uint64_t values[] = { 0, 1, 2, 7, 0xfff, 4096, 0x7fffffff, 0x80000000, 0xffffffff,
	0xf0000000, HIGH, HIGH + 1, 5 * HIGH, UINT64_MAX };

static struct oci_seccomp_arg random_arg(uint64_t *seed, bool wide)
{
	struct oci_seccomp_arg a = {
		.op = (enum oci_seccomp_op)(next_random(seed) % 7),
		.value = values[next_random(seed) % ARRAY_SIZE(values)],
		.value_two = values[next_random(seed) % ARRAY_SIZE(values)],
	};
	if (!wide) {
		a.value = cut(a.value, 32);
		a.value_two = cut(a.value_two, 32);
	}
	return a;
}

/* remap_file_pages has five arguments of 64 bits, close_range three of 32. */
static void many_rules_on_one_call_mean_what_they_say(void **state)
{
	struct seccomp_target target = kit_target(X64);
	uint64_t seed = 7;

	for (int round = 0; round < 400; round++) {
		bool wide = round % 2;
		const char *name = wide ? "remap_file_pages" : "close_range";
		const char *const list[] = { name, NULL };
		struct oci_seccomp_arg args[5][3];
		struct oci_seccomp_rule rules[5];
		size_t n = 1 + next_random(&seed) % ARRAY_SIZE(rules);
		struct oci_seccomp p = deny_all_but(rules, n);
		_filter_done_ struct filter f = { 0 };

		for (size_t i = 0; i < n; i++) {
			rules[i] = (struct oci_seccomp_rule){ list, OCI_ACT_ALLOW, .args = args[i],
				.n_args = 1 + next_random(&seed) % 3 };
			for (size_t j = 0; j < rules[i].n_args; j++) {
				args[i][j] = random_arg(&seed, wide);
				args[i][j].index = (uint32_t) j;
			}
		}
		kit_compile(&p, &target, &f);
		for (int ask = 0; ask < 60; ask++) {
			uint64_t arg[6] = { 0 };
			bool any = false;

			for (size_t i = 0; i < 3; i++)
				arg[i] = values[next_random(&seed) % ARRAY_SIZE(values)];
			for (size_t i = 0; i < n && !any; i++) {
				any = true;
				for (size_t j = 0; j < rules[i].n_args; j++)
					any = any &&
					      holds(&args[i][j], cut(arg[j], wide ? 64 : 32));
			}
			assert_int_equal(kit_ask(&f, X64, name, arg), any ? ALLOW : NO(EPERM));
		}
	}
}

static void stricter_of_two_matching_rules_wins(void **state)
{
	const struct oci_seccomp_arg ge = COND(1, OCI_OP_GE, .value = 5);
	const struct oci_seccomp_arg le = COND(1, OCI_OP_LE, .value = 9);
	const struct oci_seccomp_rule rules[] = {
		{ NAMES("kill"), OCI_ACT_ALLOW, .args = &ge, .n_args = 1 },
		{ NAMES("kill"), OCI_ACT_ERRNO, true, EACCES, &le, 1 },
		{ NAMES("kill"), OCI_ACT_ERRNO, true, EBUSY, &le, 1 },
		{ NAMES("tkill"), OCI_ACT_LOG, .args = &ge, .n_args = 1 },
		{ NAMES("tkill"), OCI_ACT_TRAP, .args = &le, .n_args = 1 },
		{ NAMES("tkill"), OCI_ACT_KILL_PROCESS, .args = &le, .n_args = 1 },
	};
	struct oci_seccomp p = deny_all_but(rules, ARRAY_SIZE(rules));
	struct seccomp_target target = kit_target(X64);
	_filter_done_ struct filter f = { 0 };

	kit_compile(&p, &target, &f);
	assert_int_equal(kit_ask(&f, X64, "kill", ARGS(0, 7)), NO(EACCES));
	assert_int_equal(kit_ask(&f, X64, "kill", ARGS(0, 10)), ALLOW);
	assert_int_equal(kit_ask(&f, X64, "tkill", ARGS(0, 7)), SECCOMP_RET_KILL_PROCESS);
	assert_int_equal(kit_ask(&f, X64, "tkill", ARGS(0, 10)), SECCOMP_RET_LOG);
}

static void an_argument_named_twice_makes_alternatives(void **state)
{
	const struct oci_seccomp_arg args[] = { COND(1, OCI_OP_EQ, .value = 1),
		COND(1, OCI_OP_EQ, .value = 2), COND(0, OCI_OP_EQ, .value = 9) };
	const struct oci_seccomp_rule rule = { NAMES("kill"), OCI_ACT_ALLOW, .args = args,
		.n_args = 3 };
	struct oci_seccomp p = deny_all_but(&rule, 1);
	struct seccomp_target target = kit_target(X64);
	_filter_done_ struct filter f = { 0 };

	kit_compile(&p, &target, &f);
	assert_int_equal(kit_ask(&f, X64, "kill", ARGS(0, 1)), ALLOW);
	assert_int_equal(kit_ask(&f, X64, "kill", ARGS(0, 2)), ALLOW);
	assert_int_equal(kit_ask(&f, X64, "kill", ARGS(9, 3)), ALLOW);
	assert_int_equal(kit_ask(&f, X64, "kill", ARGS(0, 3)), NO(EPERM));
}

static void calls_newer_than_the_profile_get_enosys(void **state)
{
	const struct oci_seccomp_rule rule = { NAMES("read", "openat2"), OCI_ACT_ALLOW };
	struct seccomp_target target = kit_target(X64);
	static const struct {
		enum oci_seccomp_action action;
		uint32_t known, newer;
	} cases[] = {
		{ OCI_ACT_ERRNO, NO(EPERM), NO(ENOSYS) },
		{ OCI_ACT_KILL_PROCESS, SECCOMP_RET_KILL_PROCESS, NO(ENOSYS) },
		{ OCI_ACT_LOG, SECCOMP_RET_LOG, SECCOMP_RET_LOG },
		{ OCI_ACT_TRACE, SECCOMP_RET_TRACE | EPERM, SECCOMP_RET_TRACE | EPERM },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct oci_seccomp p = deny_all_but(&rule, 1);
		_filter_done_ struct filter f = { 0 };

		p.default_action = cases[i].action;
		kit_compile(&p, &target, &f);
		assert_int_equal(kit_ask(&f, X64, "read", ARGS(0)), ALLOW);
		assert_int_equal(kit_ask(&f, X64, "write", ARGS(0)), cases[i].known);
		assert_int_equal(kit_ask(&f, X64, "faccessat2", ARGS(0)), cases[i].newer);
		assert_int_equal(kit_ask_number(&f, X64, 9999, ARGS(0)), cases[i].newer);
	}
}

static void native_only_drops_the_other_abis(void **state)
{
	static const char *const archs[] = { "SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32",
		NULL };
	const struct oci_seccomp_rule rule = { NAMES("read"), OCI_ACT_ALLOW };
	struct oci_seccomp p = deny_all_but(&rule, 1);
	struct seccomp_target target = kit_target(X64);
	_filter_done_ struct filter all = { 0 }, native = { 0 };

	p.architectures = archs;
	kit_compile(&p, &target, &all);
	assert_int_equal(kit_ask(&all, SECCOMP_ABI_I386, "read", ARGS(0)), ALLOW);
	assert_int_equal(kit_ask(&all, SECCOMP_ABI_X32, "read", ARGS(0)), ALLOW);
	target.native_only = true;
	target.foreign_action = NO(ENOSYS);
	kit_compile(&p, &target, &native);
	assert_int_equal(kit_ask(&native, X64, "read", ARGS(0)), ALLOW);
	assert_int_equal(kit_ask(&native, SECCOMP_ABI_I386, "read", ARGS(0)), NO(ENOSYS));
	assert_int_equal(kit_ask(&native, SECCOMP_ABI_X32, "read", ARGS(0)), NO(ENOSYS));
	assert_int_equal(kit_ask(&native, SECCOMP_ABI_AARCH64, "read", ARGS(0)), NO(ENOSYS));
}

static void i386_sockets_are_reached_by_both_ways(void **state)
{
	static const char *const archs[] = { "SCMP_ARCH_X86", NULL };
	const struct oci_seccomp_arg unix_only = COND(0, OCI_OP_EQ, .value = 1);
	const struct oci_seccomp_rule rules[] = {
		{ NAMES("bind", "semget"), OCI_ACT_ALLOW },
		{ NAMES("socket"), OCI_ACT_ALLOW, .args = &unix_only, .n_args = 1 },
	};
	struct oci_seccomp p = deny_all_but(rules, 2);
	struct seccomp_target target = kit_target(X64);
	_filter_done_ struct filter f = { 0 };

	p.architectures = archs;
	kit_compile(&p, &target, &f);
	assert_int_equal(kit_ask(&f, SECCOMP_ABI_I386, "bind", ARGS(0)), ALLOW);
	assert_int_equal(kit_ask(&f, SECCOMP_ABI_I386, "socketcall", ARGS(2)), ALLOW);
	assert_int_equal(kit_ask(&f, SECCOMP_ABI_I386, "socketcall", ARGS(1)), NO(EPERM));
	assert_int_equal(kit_ask(&f, SECCOMP_ABI_I386, "ipc", ARGS(2)), ALLOW);
	assert_int_equal(kit_ask(&f, SECCOMP_ABI_I386, "ipc", ARGS(3)), NO(EPERM));
	assert_int_equal(kit_ask(&f, SECCOMP_ABI_I386, "socket", ARGS(1)), ALLOW);
	assert_int_equal(kit_ask(&f, SECCOMP_ABI_I386, "socket", ARGS(2)), NO(EPERM));
}

static void aarch64_compiles_on_every_machine(void **state)
{
	struct seccomp_target target = kit_target(SECCOMP_ABI_AARCH64);
	struct oci_spec *spec = kit_docker_profile();
	_filter_done_ struct filter f = { 0 };

	kit_compile(spec->linux_.seccomp, &target, &f);
	assert_int_equal(kit_ask(&f, SECCOMP_ABI_AARCH64, "openat", ARGS(0)), ALLOW);
	assert_int_equal(kit_ask(&f, SECCOMP_ABI_AARCH64, "bpf", ARGS(0)), NO(EPERM));
	assert_int_equal(kit_ask(&f, SECCOMP_ABI_AARCH64, "personality", ARGS(8 | HIGH)), ALLOW);
	assert_int_equal(kit_ask(&f, SECCOMP_ABI_AARCH64, "personality", ARGS(9)), NO(ENOSYS));
	assert_int_equal(kit_ask(&f, X64, "openat", ARGS(0)), SECCOMP_RET_KILL_THREAD);
	oci_spec_free(spec);
}

struct noted {
	size_t calls;
	char text[2048];
};

static void keep_note(void *userdata, const char *text)
{
	struct noted *n = userdata;
	size_t len = strlen(n->text);

	n->calls++;
	(void) snprintf(n->text + len, sizeof(n->text) - len, "%s\n", text);
}

static void unknown_names_are_noted_and_skipped(void **state)
{
	static const char *const archs[] = { "SCMP_ARCH_S390X", NULL };
	const struct oci_seccomp_rule rule = { NAMES("no_such_call", "read", "x\033[2J"),
		OCI_ACT_ALLOW };
	struct oci_seccomp p = deny_all_but(&rule, 1);
	struct seccomp_target target = kit_target(X64);
	_buf_done_ struct buf out = BUF_INIT(SECCOMP_FILTER_BYTES_MAX);
	struct noted noted = { 0 };
	struct seccomp_report report = { .note = keep_note, .userdata = &noted };
	uint32_t flags = 1;

	p.architectures = archs;
	assert_int_equal(seccomp_compile(&p, &target, &out, &flags, &report, NULL), 0);
	assert_int_equal(flags, 0);
	assert_int_equal(report.n_unknown_names, 2);
	assert_int_equal(report.n_foreign_archs, 1);
	assert_int_equal(noted.calls, 3);
	assert_contains(noted.text, "'no_such_call'");
	assert_contains(noted.text, "\\x1b");
	assert_contains(noted.text, "SCMP_ARCH_S390X");
}

/* Compiles what must be refused; the text of the error must contain part. */
static void assert_refused(const struct oci_seccomp *p, const struct seccomp_target *target,
        int code, const char *part)
{
	_buf_done_ struct buf out = BUF_INIT(SECCOMP_FILTER_BYTES_MAX);
	struct err err = { 0 };
	uint32_t flags = 77;

	assert_int_equal(seccomp_compile(p, target, &out, &flags, NULL, &err), code);
	assert_int_equal(flags, 77);
	assert_contains(err.text, part);
}

static void bad_profiles_are_refused(void **state)
{
	static const char *const archs[] = { "SCMP_ARCH_Z80", NULL };
	static const char *const flags[] = { "SECCOMP_FILTER_FLAG_X", NULL };
	static const struct oci_seccomp_arg seventh = { .index = 6 };
	const struct oci_seccomp_rule notify = { NAMES("read"), OCI_ACT_NOTIFY };
	const struct oci_seccomp_rule notify_write = { NAMES("write"), OCI_ACT_NOTIFY };
	const struct oci_seccomp_rule index = { NAMES("read"), OCI_ACT_ALLOW, .args = &seventh,
		.n_args = 1 };
	const struct oci_seccomp_rule value = { NAMES("read"), OCI_ACT_ERRNO, true, 4096 };
	const struct oci_seccomp_rule useless = { NAMES("read"), OCI_ACT_KILL_THREAD, true, 1 };
	struct seccomp_target target = kit_target(X64), listening = target, old = target;
	struct oci_seccomp p = allow_all_but(&notify, 1);

	listening.allow_notify = true;
	old.known_actions &= ~(1u << OCI_ACT_LOG);
	assert_refused(&p, &target, -EOPNOTSUPP, "SCMP_ACT_NOTIFY");
	p.rules = &notify_write;
	assert_refused(&p, &listening, -EINVAL, "'write'");
	p.rules = &index;
	assert_refused(&p, &target, -EINVAL, "index 6");
	p.rules = &value;
	assert_refused(&p, &target, -EINVAL, "4096");
	p.rules = &useless;
	assert_refused(&p, &target, -EINVAL, "errnoRet");
	p.n_rules = 0;
	p.default_action = OCI_ACT_NOTIFY;
	assert_refused(&p, &listening, -EINVAL, "default");
	p.default_action = OCI_ACT_LOG;
	assert_refused(&p, &old, -EOPNOTSUPP, "SCMP_ACT_LOG");
	p.architectures = archs;
	assert_refused(&p, &target, -EINVAL, "SCMP_ARCH_Z80");
	p.architectures = NULL;
	p.flags = flags;
	assert_refused(&p, &target, -EINVAL, "SECCOMP_FILTER_FLAG_X");
}

static void flags_are_those_that_the_kernel_takes(void **state)
{
	static const char *const flags[] = { "SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG",
		"SECCOMP_FILTER_FLAG_SPEC_ALLOW", "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", NULL };
	const struct oci_seccomp_rule notify = { NAMES("mount"), OCI_ACT_NOTIFY };
	struct oci_seccomp p = allow_all_but(&notify, 0);
	struct seccomp_target target = kit_target(X64);
	_filter_done_ struct filter plain = { 0 }, listener = { 0 };

	p.flags = flags;
	kit_compile(&p, &target, &plain);
	assert_int_equal(plain.flags, 1 | 2 | 4);
	p.n_rules = 1;
	target.allow_notify = true;
	kit_compile(&p, &target, &listener);
	assert_int_equal(listener.flags, 1 | 2 | 4 | 8 | 16 | 32);
	assert_int_equal(kit_ask(&listener, X64, "mount", ARGS(0)), SECCOMP_RET_USER_NOTIF);
	target.known_flags &= ~2u;
	assert_refused(&p, &target, -EOPNOTSUPP, "SECCOMP_FILTER_FLAG_LOG");
}

/* Enough conditions that most targets are out of a conditional jump's reach. */
static void far_jumps_arrive(void **state)
{
	enum { CALLS = 6, RULES = 200 };
	static const char *const names[CALLS] = { "read", "socket", "kill", "ioctl", "personality",
		"bpf" };
	struct oci_seccomp_rule rules[CALLS * RULES];
	struct oci_seccomp_arg args[CALLS * RULES];
	const char *lists[CALLS][2];
	struct oci_seccomp p = deny_all_but(rules, ARRAY_SIZE(rules));
	struct seccomp_target target = kit_target(X64);
	_filter_done_ struct filter f = { 0 };

	for (size_t c = 0; c < CALLS; c++) {
		lists[c][0] = names[c];
		lists[c][1] = NULL;
		for (size_t i = 0; i < RULES; i++) {
			args[c * RULES + i] = COND(0, OCI_OP_EQ, .value = 3 * i + c);
			rules[c * RULES + i] = (struct oci_seccomp_rule){ lists[c], OCI_ACT_ERRNO,
				true, (uint32_t) (i % 90 + 2), &args[c * RULES + i], 1 };
		}
	}
	kit_compile(&p, &target, &f);
	assert_true(f.n > 1200);
	for (size_t c = 0; c < CALLS; c++)
		for (size_t i = 0; i < 3 * RULES + 10; i++) {
			bool hit = i >= c && (i - c) % 3 == 0 && (i - c) / 3 < RULES;
			assert_int_equal(kit_ask(&f, X64, names[c], ARGS(i)),
			        hit ? NO((i - c) / 3 % 90 + 2) : NO(EPERM));
		}
}

static void too_many_conditions_are_refused(void **state)
{
	enum { RULES = 5000 };
	struct oci_seccomp_rule *rules = xnew_n(struct oci_seccomp_rule, RULES);
	static const char *const list[] = { "socket", NULL };
	struct oci_seccomp_arg *args = xnew_n(struct oci_seccomp_arg, RULES);
	struct oci_seccomp p = deny_all_but(rules, RULES);
	struct seccomp_target target = kit_target(X64);

	for (size_t i = 0; i < RULES; i++) {
		args[i] = COND(0, OCI_OP_EQ, .value = i);
		rules[i] = (struct oci_seccomp_rule){ list, OCI_ACT_ALLOW, .args = &args[i],
			.n_args = 1 };
	}
	assert_refused(&p, &target, -E2BIG, "4096");
	free(rules);
	free(args);
}

static void checker_refuses_broken_filters(void **state)
{
	static const struct sock_filter bad[][2] = {
		{ { 0x20, 0, 0, 0 }, { 0x20, 0, 0, 4 } },          /* ends in a load */
		{ { 0x15, 0, 1, 0 }, { 0x06, 0, 0, 0 } },          /* jumps behind the end */
		{ { 0x05, 0, 0, 1 }, { 0x06, 0, 0, 0 } },          /* goes behind the end */
		{ { 0x05, 0, 0, UINT32_MAX }, { 0x06, 0, 0, 0 } }, /* wraps */
		{ { 0x20, 0, 0, 2 }, { 0x06, 0, 0, 0 } },          /* not aligned */
		{ { 0x20, 0, 0, 64 }, { 0x06, 0, 0, 0 } },         /* outside of the data */
		{ { 0x60, 0, 0, 0 }, { 0x06, 0, 0, 0 } },          /* scratch memory */
	};
	static const struct sock_filter good[] = { { 0x20, 0, 0, 60 }, { 0x06, 0, 0, 0x7fff0000 } };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(seccomp_check(bad[i], 2, NULL), -EINVAL);
	assert_int_equal(seccomp_check(good, 0, NULL), -EINVAL);
	assert_int_equal(seccomp_check(good, 4097, NULL), -EINVAL);
	assert_int_equal(seccomp_check(good, 2, NULL), 0);
}

static void docker_profile_is_small_and_flat(void **state)
{
	struct seccomp_target target = kit_target(X64);
	struct oci_spec *spec = kit_docker_profile();
	_filter_done_ struct filter all = { 0 }, native = { 0 };
	size_t worst = 0;

	kit_compile(spec->linux_.seccomp, &target, &all);
	target.native_only = true;
	kit_compile(spec->linux_.seccomp, &target, &native);
	for (int nr = 0; nr < 500; nr++) {
		struct seccomp_data d = { .nr = nr, .arch = seccomp_abi_audit_arch(X64) };
		size_t steps;

		(void) seccomp_simulate(native.insns, native.n, &d, &steps);
		worst = MAX(worst, steps);
	}
	assert_true(native.n < 300);
	assert_true(all.n < 700);
	assert_true(worst <= 18);
	oci_spec_free(spec);
}

static void table_knows_the_widths_of_the_kernel(void **state)
{
	static const struct {
		const char *name;
		unsigned int index, bits;
	} cases[] = {
		{ "socket", 0, 32 },
		{ "socket", 1, 32 },
		{ "socket", 2, 32 },
		{ "ioctl", 1, 32 },
		{ "prctl", 0, 32 },
		{ "personality", 0, 32 },
		{ "clone", 0, 32 },
		{ "mknod", 1, 16 },
		{ "mknodat", 2, 16 },
		{ "openat", 3, 16 },
		{ "unshare", 0, 64 },
		{ "mmap", 1, 64 },
		{ "preadv2", 5, 32 },
		{ "madvise", 2, 32 },
		{ "read", 1, 64 },
		{ "prlimit64", 0, 32 },
		{ "setsockopt", 2, 32 },
		{ "read", 3, 0 },
		{ "prctl", 1, 0 },
		{ "fsconfig", 1, 32 },
		{ "file_setattr", 4, 32 },
		{ "mseal", 2, 64 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(
		        seccomp_arg_width(cases[i].name, X64, cases[i].index), cases[i].bits);
	assert_int_equal(seccomp_arg_width("read", SECCOMP_ABI_I386, 1), 32);
	assert_int_equal(seccomp_arg_width("chown", SECCOMP_ABI_I386, 1), 16);
	assert_int_equal(seccomp_arg_width("read", X64, 6), 0);
	assert_int_equal(seccomp_syscall_number("file_setattr", X64), 469);
	assert_int_equal(seccomp_syscall_number("file_setattr", SECCOMP_ABI_AARCH64), 469);
	assert_int_equal(seccomp_syscall_number("ioctl", SECCOMP_ABI_X32), 0x40000000 + 514);
	assert_int_equal(seccomp_syscall_number("open", SECCOMP_ABI_AARCH64), -1);
	assert_int_equal(seccomp_syscall_number("no_such_call", X64), -1);
	assert_null(seccomp_syscall_name(0, SECCOMP_ABI_X32));
	assert_null(seccomp_syscall_name(-1, X64));
}

static void printed_filter_can_be_read(void **state)
{
	const struct oci_seccomp_arg arg = COND(0, OCI_OP_EQ, .value = 38);
	const struct oci_seccomp_rule rules[] = { { NAMES("socket"), OCI_ACT_ERRNO, .args = &arg,
		.n_args = 1 } };
	struct oci_seccomp p = allow_all_but(rules, 1);
	struct seccomp_target target = kit_target(X64);
	_filter_done_ struct filter f = { 0 };
	_buf_done_ struct buf out = BUF_INIT(4096);

	kit_compile(&p, &target, &f);
	seccomp_disassemble(f.insns, f.n, &out);
	assert_golden("seccomp-socket.txt", buf_str(&out));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testkit_case(high_bits_do_not_evade_a_refusing_rule),
		testkit_case(high_bits_do_not_pass_an_allowing_rule_for_wide_arguments),
		testkit_case(unknown_width_errs_to_the_refusing_side),
		testkit_case(values_beyond_the_width_keep_their_arithmetic_meaning),
		testkit_case(many_rules_on_one_call_mean_what_they_say),
		testkit_case(stricter_of_two_matching_rules_wins),
		testkit_case(an_argument_named_twice_makes_alternatives),
		testkit_case(calls_newer_than_the_profile_get_enosys),
		testkit_case(native_only_drops_the_other_abis),
		testkit_case(i386_sockets_are_reached_by_both_ways),
		testkit_case(aarch64_compiles_on_every_machine),
		testkit_case(unknown_names_are_noted_and_skipped),
		testkit_case(bad_profiles_are_refused),
		testkit_case(flags_are_those_that_the_kernel_takes),
		testkit_case(far_jumps_arrive),
		testkit_case(too_many_conditions_are_refused),
		testkit_case(checker_refuses_broken_filters),
		testkit_case(docker_profile_is_small_and_flat),
		testkit_case(table_knows_the_widths_of_the_kernel),
		testkit_case(printed_filter_can_be_read),
	};

	return testkit_run(tests);
}
