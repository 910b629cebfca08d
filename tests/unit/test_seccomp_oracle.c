/* SPDX-License-Identifier: Apache-2.0 */
/* Our compiler against libseccomp: the same profile, the same calls, the same answers, but for the
 * differences that seccomp.h documents. */
#include "seccompkit.h"

#include <seccomp.h>
#include <string.h>

static const enum seccomp_abi x86_abis[] = { SECCOMP_ABI_X86_64, SECCOMP_ABI_X32,
	SECCOMP_ABI_I386 };

/* Highest number that the profile names, which is where runc's ENOSYS starts. */
static uint32_t last_named(const struct oci_seccomp *p, enum seccomp_abi abi)
{
	uint32_t last = abi == SECCOMP_ABI_X32 ? 0x40000000 : 0;

	for (size_t i = 0; i < p->n_rules; i++)
		for (const char *const *name = p->rules[i].names; *name; name++) {
			int nr = seccomp_syscall_number(*name, abi);
			if (nr >= 0 && (uint32_t) nr > last)
				last = (uint32_t) nr;
		}
	return last;
}

static uint32_t expected(const struct oci_seccomp *p, const struct filter *theirs,
        enum seccomp_abi abi, uint32_t nr, const uint64_t args[6])
{
	bool open = p->default_action == OCI_ACT_ALLOW || p->default_action == OCI_ACT_LOG ||
	            p->default_action == OCI_ACT_TRACE;

	if (!open && nr > last_named(p, abi))
		return NO(ENOSYS);
	return kit_ask_number(theirs, abi, nr, args);
}

static size_t compare(const struct oci_seccomp *p, const struct filter *ours,
        const struct filter *theirs, enum seccomp_abi abi, const uint64_t args[6])
{
	uint32_t base = abi == SECCOMP_ABI_X32 ? 0x40000000 : 0;
	size_t bad = 0;

	for (uint32_t nr = base; nr < base + 600; nr++) {
		uint32_t want = expected(p, theirs, abi, nr, args);
		uint32_t got = kit_ask_number(ours, abi, nr, args);
		const char *name = seccomp_syscall_name((int) nr, abi);

		if (want == got)
			continue;
		bad++;
		print_error("%s %u %s(%llx, %llx, %llx): libseccomp 0x%x, here 0x%x\n",
		        seccomp_abi_name(abi), nr, name ? name : "?", (unsigned long long) args[0],
		        (unsigned long long) args[1], (unsigned long long) args[2], want, got);
	}
	return bad;
}

static void docker_profile_decides_as_with_libseccomp(void **state)
{
	static const uint64_t patterns[][6] = {
		{ 0 },
		{ 8, 1, 2, 3, 4, 5 },
		{ 0x20000, 0x20000, 0x20000 },
		{ 0x20008, 38, 5 },
		{ 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff },
		{ 38, 5, 0 },
		{ 16, 3, 9 },
	};
	_filter_done_ struct filter ours = { 0 }, theirs = { 0 };
	struct seccomp_target target = kit_target(SECCOMP_ABI_X86_64);
	struct oci_spec *spec = kit_docker_profile();
	size_t bad = 0;

	kit_compile(spec->linux_.seccomp, &target, &ours);
	kit_libseccomp(spec->linux_.seccomp, &theirs);
	for (size_t i = 0; i < ARRAY_SIZE(x86_abis); i++)
		for (size_t j = 0; j < ARRAY_SIZE(patterns); j++)
			bad += compare(
			        spec->linux_.seccomp, &ours, &theirs, x86_abis[i], patterns[j]);
	assert_int_equal(bad, 0);
	assert_true(ours.n < theirs.n);
	oci_spec_free(spec);
}

static uint32_t next_random(uint64_t *seed)
{
	*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t) (*seed >> 33);
}

static const uint64_t interesting[] = { 0, 1, 2, 3, 7, 8, 0x20000, 0x7fffffff, 0x1200, 0x80000000,
	0xfffffffe, 0xffffffff, 0x0fff, 0xf000 };

/* Names with arguments of all kinds; the muxed ones of i386 only without conditions. */
static const char *const names[] = { "personality", "openat", "clone", "ioctl", "mkdirat", "read",
	"mprotect", "kill", "fcntl", "unshare" };

struct random_profile {
	struct oci_seccomp p;
	struct oci_seccomp_rule rules[10];
	struct oci_seccomp_arg args[10][3];
	const char *names[10][2];
};

static void make_random(struct random_profile *r, uint64_t *seed)
{
	static const char *const archs[] = { "SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32",
		NULL };
	bool allow_list = next_random(seed) % 2;

	*r = (struct random_profile){ 0 };
	r->p = (struct oci_seccomp){
		.default_action = allow_list ? OCI_ACT_ERRNO : OCI_ACT_ALLOW,
		.architectures = archs,
		.rules = r->rules,
		.n_rules = 1 + next_random(seed) % ARRAY_SIZE(r->rules),
	};
	for (size_t i = 0; i < r->p.n_rules; i++) {
		struct oci_seccomp_rule *rule = &r->rules[i];
		uint32_t first = next_random(seed) % 3;

		/* libseccomp 2.5.4 loses rules when several with LT, LE, GE or GT meet on one call,
		 * so each name has one rule; test_seccomp.c has the several. */
		r->names[i][0] = names[i];
		rule->names = r->names[i];
		/* One action beside the default: what libseccomp does with overlapping rules of
		 * different actions depends on the shape of its tree. */
		rule->action = allow_list ? OCI_ACT_ALLOW : OCI_ACT_ERRNO;
		rule->has_errno = !allow_list;
		rule->errno_ret = allow_list ? 0 : EACCES;
		rule->args = r->args[i];
		rule->n_args = next_random(seed) % 8 == 0 ? 0 : 1 + next_random(seed) % 3;
		for (size_t j = 0; j < rule->n_args; j++) {
			uint64_t two = interesting[next_random(seed) % ARRAY_SIZE(interesting)];
			r->args[i][j] = (struct oci_seccomp_arg){
				.index = (first + (uint32_t) j) % 3,
				.op = (enum oci_seccomp_op)(next_random(seed) % 7),
				.value = interesting[next_random(seed) % ARRAY_SIZE(interesting)],
				.value_two = two,
			};
		}
	}
}

static void print_profile(const struct oci_seccomp *p)
{
	print_error("default %d\n", p->default_action);
	for (size_t i = 0; i < p->n_rules; i++) {
		print_error("  %s -> %d", p->rules[i].names[0], p->rules[i].action);
		for (size_t j = 0; j < p->rules[i].n_args; j++)
			print_error("  [%u op %d 0x%llx 0x%llx]", p->rules[i].args[j].index,
			        p->rules[i].args[j].op,
			        (unsigned long long) p->rules[i].args[j].value,
			        (unsigned long long) p->rules[i].args[j].value_two);
		print_error("\n");
	}
}

static size_t compare_named(const struct oci_seccomp *p, const struct filter *ours,
        const struct filter *theirs, uint64_t *seed)
{
	size_t bad = 0;

	for (int round = 0; round < 150; round++) {
		enum seccomp_abi abi = x86_abis[next_random(seed) % ARRAY_SIZE(x86_abis)];
		const char *name = names[next_random(seed) % ARRAY_SIZE(names)];
		int nr = seccomp_syscall_number(name, abi);
		uint64_t args[6];

		for (size_t i = 0; i < 6; i++) {
			args[i] = interesting[next_random(seed) % ARRAY_SIZE(interesting)];
			/* A mode has 16 bits; libseccomp compares more (documented). */
			if (seccomp_arg_width(name, abi, (unsigned int) i) == 16)
				args[i] &= 0xffff;
		}
		if (expected(p, theirs, abi, (uint32_t) nr, args) ==
		        kit_ask_number(ours, abi, (uint32_t) nr, args))
			continue;
		print_error("%s %s(0x%llx, 0x%llx, 0x%llx): libseccomp 0x%x, here 0x%x\n",
		        seccomp_abi_name(abi), name, (unsigned long long) args[0],
		        (unsigned long long) args[1], (unsigned long long) args[2],
		        expected(p, theirs, abi, (uint32_t) nr, args),
		        kit_ask_number(ours, abi, (uint32_t) nr, args));
		bad++;
	}
	return bad;
}

static void random_profiles_decide_as_with_libseccomp(void **state)
{
	struct seccomp_target target = kit_target(SECCOMP_ABI_X86_64);
	uint64_t seed = 1;

	for (int i = 0; i < 400; i++) {
		_filter_done_ struct filter ours = { 0 }, theirs = { 0 };
		struct random_profile r;

		make_random(&r, &seed);
		kit_compile(&r.p, &target, &ours);
		kit_libseccomp(&r.p, &theirs);
		if (compare_named(&r.p, &ours, &theirs, &seed) > 0) {
			print_profile(&r.p);
			fail();
		}
	}
}

/* One call, two rules. */
static void check_pair(enum oci_seccomp_action first, bool first_args,
        enum oci_seccomp_action second, bool second_args)
{
	static const struct oci_seccomp_arg arg = { .index = 1, .op = OCI_OP_EQ, .value = 7 };
	const struct oci_seccomp_rule rules[] = {
		{ NAMES("kill"), first, .args = &arg, .n_args = first_args },
		{ NAMES("kill"), second, .args = &arg, .n_args = second_args },
	};
	const struct oci_seccomp p = {
		.default_action = OCI_ACT_KILL_PROCESS, .rules = rules, .n_rules = 2
	};
	struct seccomp_target target = kit_target(SECCOMP_ABI_X86_64);
	_filter_done_ struct filter ours = { 0 }, theirs = { 0 };

	kit_compile(&p, &target, &ours);
	kit_libseccomp(&p, &theirs);
	for (uint64_t value = 6; value <= 7; value++)
		assert_int_equal(kit_ask(&ours, SECCOMP_ABI_X86_64, "kill", ARGS(0, value)),
		        kit_ask(&theirs, SECCOMP_ABI_X86_64, "kill", ARGS(0, value)));
}

static void precedence_is_as_with_libseccomp(void **state)
{
	/* A rule without conditions beats one with, in either order. */
	check_pair(OCI_ACT_ALLOW, false, OCI_ACT_ERRNO, true);
	check_pair(OCI_ACT_ERRNO, true, OCI_ACT_ALLOW, false);
	check_pair(OCI_ACT_ERRNO, false, OCI_ACT_ALLOW, true);
	/* Of two without, the first. */
	check_pair(OCI_ACT_ALLOW, false, OCI_ACT_ERRNO, false);
	check_pair(OCI_ACT_ERRNO, false, OCI_ACT_ALLOW, false);
}

static void foreign_calls_get_what_libseccomp_gives(void **state)
{
	const struct oci_seccomp_rule rule = { NAMES("read", "listmount"), OCI_ACT_ALLOW };
	const struct oci_seccomp p = {
		.default_action = OCI_ACT_ERRNO, .rules = &rule, .n_rules = 1
	};
	struct seccomp_target target = kit_target(SECCOMP_ABI_X86_64);
	_filter_done_ struct filter ours = { 0 }, theirs = { 0 };

	kit_compile(&p, &target, &ours);
	kit_libseccomp(&p, &theirs);
	for (uint32_t i = 0; i < 4; i++) {
		static const uint32_t numbers[] = { 0, 3, 39, 0x40000000 };
		assert_int_equal(kit_ask_number(&ours, SECCOMP_ABI_I386, numbers[i], ARGS(0)),
		        kit_ask_number(&theirs, SECCOMP_ABI_I386, numbers[i], ARGS(0)));
		assert_int_equal(
		        kit_ask_number(&ours, SECCOMP_ABI_X32, numbers[i] | 0x40000000, ARGS(0)),
		        kit_ask_number(&theirs, SECCOMP_ABI_X32, numbers[i] | 0x40000000, ARGS(0)));
	}
	assert_int_equal(kit_ask_number(&ours, SECCOMP_ABI_X86_64, UINT32_MAX, ARGS(0)),
	        kit_ask_number(&theirs, SECCOMP_ABI_X86_64, UINT32_MAX, ARGS(0)));
	assert_int_equal(
	        kit_ask_number(&ours, SECCOMP_ABI_I386, 3, ARGS(0)), SECCOMP_RET_KILL_THREAD);
}

/* Every name of the table, wherever libseccomp knows it too. */
static void numbers_are_those_of_libseccomp(void **state)
{
	size_t checked = 0;

	for (int abi = 0; abi < SECCOMP_ABI_COUNT; abi++) {
		uint32_t arch = kit_scmp_arch((enum seccomp_abi) abi);
		int base = abi == SECCOMP_ABI_X32 ? 0x40000000 : 0;

		for (int nr = base; nr < base + 600; nr++) {
			const char *ours = seccomp_syscall_name(nr, (enum seccomp_abi) abi);
			char *theirs = seccomp_syscall_resolve_num_arch(arch, nr);

			if (theirs) {
				assert_non_null(ours);
				assert_string_equal(ours, theirs);
				checked++;
			}
			free(theirs);
			if (!ours)
				continue;
			assert_int_equal(seccomp_syscall_number(ours, (enum seccomp_abi) abi), nr);
			/* -1: newer than libseccomp; other negative numbers: pseudo numbers. */
			int known = seccomp_syscall_resolve_name_arch(arch, ours);
			if (known >= 0)
				assert_int_equal(known, nr);
		}
	}
	assert_true(checked > 1200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testkit_case(docker_profile_decides_as_with_libseccomp),
		testkit_case(random_profiles_decide_as_with_libseccomp),
		testkit_case(precedence_is_as_with_libseccomp),
		testkit_case(foreign_calls_get_what_libseccomp_gives),
		testkit_case(numbers_are_those_of_libseccomp),
	};

	return testkit_run(tests);
}
