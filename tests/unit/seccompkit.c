/* SPDX-License-Identifier: Apache-2.0 */
#include "seccompkit.h"

#include "base/fd.h"

#include <fcntl.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void filter_done(struct filter *f)
{
	free(f->insns);
	*f = (struct filter){ 0 };
}

struct seccomp_target kit_target(enum seccomp_abi native)
{
	struct seccomp_target t = seccomp_target_host();

	t.native = native;
	return t;
}

static void take_filter(struct buf *out, struct filter *ret)
{
	struct err err = { 0 };

	assert_true(buf_ok(out));
	assert_int_equal(out->len % sizeof(struct sock_filter), 0);
	ret->n = out->len / sizeof(struct sock_filter);
	ret->insns = (struct sock_filter *) buf_take(out);
	if (seccomp_check(ret->insns, ret->n, &err) < 0)
		fail_msg("%s", err.text);
}

void kit_compile(
        const struct oci_seccomp *profile, const struct seccomp_target *target, struct filter *ret)
{
	_buf_done_ struct buf out = BUF_INIT(SECCOMP_FILTER_BYTES_MAX);
	struct err err = { 0 };

	if (seccomp_compile(profile, target, &out, &ret->flags, NULL, &err) < 0)
		fail_msg("%s", err.text);
	take_filter(&out, ret);
}

void kit_compile_default(const struct seccomp_target *target, struct filter *ret)
{
	_buf_done_ struct buf out = BUF_INIT(SECCOMP_FILTER_BYTES_MAX);
	struct err err = { 0 };

	if (seccomp_default_compile(target, &out, &err) < 0)
		fail_msg("%s", err.text);
	take_filter(&out, ret);
}

uint32_t kit_ask_number(
        const struct filter *f, enum seccomp_abi abi, uint32_t nr, const uint64_t args[6])
{
	struct seccomp_data d = { .nr = (int) nr, .arch = seccomp_abi_audit_arch(abi) };

	memcpy(d.args, args, sizeof(d.args));
	if (abi == SECCOMP_ABI_I386)
		for (size_t i = 0; i < ARRAY_SIZE(d.args); i++)
			d.args[i] &= UINT32_MAX;
	return seccomp_simulate(f->insns, f->n, &d, NULL);
}

uint32_t kit_ask(
        const struct filter *f, enum seccomp_abi abi, const char *name, const uint64_t args[6])
{
	int nr = seccomp_syscall_number(name, abi);

	if (nr < 0)
		fail_msg("%s has no call '%s'", seccomp_abi_name(abi), name);
	return kit_ask_number(f, abi, (uint32_t) nr, args);
}

struct oci_spec *kit_docker_profile(void)
{
	_buf_done_ struct buf json = BUF_INIT(1 << 20);
	_free_ char *path = xprintf(
	        "%s/tests/unit/data/docker-default-seccomp.json", testkit_source_dir());
	struct oci_spec *spec = NULL;
	struct err err = { 0 };

	(void) buf_adds(&json,
	        "{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"r\"},\"linux\":{\"seccomp\":");
	assert_int_equal(buf_read_file(&json, AT_FDCWD, path), 0);
	(void) buf_adds(&json, "}}");
	if (oci_spec_parse(buf_str(&json), json.len, &spec, &err) < 0)
		fail_msg("%s", err.text);
	assert_non_null(spec->linux_.seccomp);
	return spec;
}

uint32_t kit_scmp_arch(enum seccomp_abi abi)
{
	static const uint32_t archs[] = {
		[SECCOMP_ABI_X86_64] = SCMP_ARCH_X86_64,
		[SECCOMP_ABI_X32] = SCMP_ARCH_X32,
		[SECCOMP_ABI_I386] = SCMP_ARCH_X86,
		[SECCOMP_ABI_AARCH64] = SCMP_ARCH_AARCH64,
	};
	return archs[abi];
}

static uint32_t scmp_action(enum oci_seccomp_action action, bool has_errno, uint32_t value)
{
	static const uint32_t actions[] = {
		[OCI_ACT_KILL_THREAD] = SCMP_ACT_KILL_THREAD,
		[OCI_ACT_KILL_PROCESS] = SCMP_ACT_KILL_PROCESS,
		[OCI_ACT_TRAP] = SCMP_ACT_TRAP,
		[OCI_ACT_ALLOW] = SCMP_ACT_ALLOW,
		[OCI_ACT_LOG] = SCMP_ACT_LOG,
		[OCI_ACT_NOTIFY] = SCMP_ACT_NOTIFY,
	};

	if (action == OCI_ACT_ERRNO)
		return SCMP_ACT_ERRNO(has_errno ? value : EPERM);
	if (action == OCI_ACT_TRACE)
		return SCMP_ACT_TRACE(has_errno ? value : EPERM);
	return actions[action];
}

static struct scmp_arg_cmp scmp_arg(const struct oci_seccomp_arg *a)
{
	static const enum scmp_compare ops[] = {
		[OCI_OP_NE] = SCMP_CMP_NE,
		[OCI_OP_LT] = SCMP_CMP_LT,
		[OCI_OP_LE] = SCMP_CMP_LE,
		[OCI_OP_EQ] = SCMP_CMP_EQ,
		[OCI_OP_GE] = SCMP_CMP_GE,
		[OCI_OP_GT] = SCMP_CMP_GT,
		[OCI_OP_MASKED_EQ] = SCMP_CMP_MASKED_EQ,
	};
	return (struct scmp_arg_cmp){
		.arg = a->index, .op = ops[a->op], .datum_a = a->value, .datum_b = a->value_two
	};
}

static void add_rule(
        scmp_filter_ctx ctx, uint32_t action, const char *name, const struct oci_seccomp_rule *rule)
{
	struct scmp_arg_cmp args[6];
	unsigned int seen = 0;
	bool twice = false;
	int nr = seccomp_syscall_resolve_name(name);

	if (nr == __NR_SCMP_ERROR)
		return;
	for (size_t i = 0; i < rule->n_args && i < ARRAY_SIZE(args); i++) {
		args[i] = scmp_arg(&rule->args[i]);
		twice = twice || (seen & 1u << args[i].arg);
		seen |= 1u << args[i].arg;
	}
	if (!twice) {
		(void) seccomp_rule_add_array(ctx, action, nr, (unsigned int) rule->n_args, args);
		return;
	}
	for (size_t i = 0; i < rule->n_args; i++)
		(void) seccomp_rule_add_array(ctx, action, nr, 1, &args[i]);
}

void kit_libseccomp(const struct oci_seccomp *profile, struct filter *ret)
{
	_close_ int fd = memfd_create("filter", MFD_CLOEXEC);
	uint32_t dflt = scmp_action(
	        profile->default_action, profile->has_default_errno, profile->default_errno);
	scmp_filter_ctx ctx = seccomp_init(dflt);
	off_t size;

	assert_non_null(ctx);
	for (const char *const *a = profile->architectures; a && *a; a++)
		for (int abi = 0; abi < SECCOMP_ABI_COUNT; abi++)
			if (strcmp(*a, seccomp_abi_name((enum seccomp_abi) abi)) == 0)
				(void) seccomp_arch_add(ctx, kit_scmp_arch((enum seccomp_abi) abi));
	for (size_t i = 0; i < profile->n_rules; i++) {
		const struct oci_seccomp_rule *rule = &profile->rules[i];
		uint32_t action = scmp_action(rule->action, rule->has_errno, rule->errno_ret);

		if (action == dflt)
			continue;
		for (const char *const *name = rule->names; *name; name++)
			add_rule(ctx, action, *name, rule);
	}
	assert_int_equal(seccomp_export_bpf(ctx, fd), 0);
	seccomp_release(ctx);
	size = lseek(fd, 0, SEEK_END);
	ret->n = (size_t) size / sizeof(struct sock_filter);
	ret->insns = xmalloc((size_t) size);
	assert_int_equal(pread(fd, ret->insns, (size_t) size, 0), size);
}
