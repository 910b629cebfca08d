/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Device rules. The configuration's list is ordered; for each access bit (read, write, mknod) the
 * last rule that matches the device decides, and where none does the answer is no.
 *
 * v2 has no files for this but a BPF program that the kernel asks: (access, type, major, minor) ->
 * 1 or 0. It walks the rules backwards with the set of bits that are still undecided; an allow rule
 * takes its bits out, a deny rule that meets an undecided bit says no. A rule for all bits ends the
 * walk at once. The verifier costs 3 us an instruction and more for a jump, so the common rules are
 * short: one 64-bit compare, one look at the type for many of them. Rules for some bits load what
 * they compare afresh, so that the verifier finds the same state behind each of them and its work
 * stays linear in the number of rules. The memory is charged to the caller's group since
 * Linux 5.11; the locked memory limit does not matter.
 *
 * v1 has one default for all devices and a list of exceptions; the rules are reduced to that, or
 * refused when they say more (an exception to an exception).
 */
#include "cgroup/cgroup.h"

#include "base/fd.h"
#include "base/str.h"
#include "cgroup/internal.h"
#include "kernel/sys.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum {
	ACCESS_ALL = OCI_ACCESS_READ | OCI_ACCESS_WRITE | OCI_ACCESS_MKNOD,
	RULE_TEXT_MAX = 64,
};

#define RULE(t, major_, minor_, access_)                                                           \
	{                                                                                          \
		.allow = true, .type = (t), .major = (major_), .minor = (minor_),                  \
		.access = (access_)                                                                \
	}

const struct oci_device_rule cgroup_default_devices[] = {
	RULE('c', -1, -1, OCI_ACCESS_MKNOD), /* to make a node opens nothing */
	RULE('b', -1, -1, OCI_ACCESS_MKNOD), /* the same */
	RULE('c', 1, 3, ACCESS_ALL),         /* null */
	RULE('c', 1, 5, ACCESS_ALL),         /* zero */
	RULE('c', 1, 7, ACCESS_ALL),         /* full */
	RULE('c', 1, 8, ACCESS_ALL),         /* random */
	RULE('c', 1, 9, ACCESS_ALL),         /* urandom */
	RULE('c', 5, 0, ACCESS_ALL),         /* tty: the opener's own terminal */
	RULE('c', 5, 2, ACCESS_ALL),         /* ptmx */
	RULE('c', 136, -1, ACCESS_ALL),      /* pts/N */
};
const size_t cgroup_default_devices_count = ARRAY_SIZE(cgroup_default_devices);

static int check_rules(const struct oci_device_rule *rules, size_t n, struct err *err)
{
	if (n > CGROUP_DEVICES_MAX)
		return err_set(err, -E2BIG, "more than %d device rules", CGROUP_DEVICES_MAX);
	for (size_t i = 0; i < n; i++) {
		const struct oci_device_rule *r = &rules[i];

		if (!strchr("abc", r->type) || r->type == '\0' || r->major < -1 || r->minor < -1 ||
		        r->major > UINT32_MAX || r->minor > UINT32_MAX || (r->access & ~ACCESS_ALL))
			return err_set(err, -EINVAL, "device rule %zu is not valid", i + 1);
	}
	return 0;
}

/* True if the rule decides every access to every device. */
static bool is_total(const struct oci_device_rule *r)
{
	return r->type == 'a' && r->major < 0 && r->minor < 0 && r->access == ACCESS_ALL;
}

/* --- v2: the program --- */

static uint32_t kernel_access(uint8_t access)
{
	return (access & OCI_ACCESS_MKNOD ? BPF_DEVCG_ACC_MKNOD : 0U) |
	       (access & OCI_ACCESS_READ ? BPF_DEVCG_ACC_READ : 0U) |
	       (access & OCI_ACCESS_WRITE ? BPF_DEVCG_ACC_WRITE : 0U);
}

struct prog {
	struct bpf_insn *insns;
	size_t n, max;
};

static void add(struct prog *p, uint8_t code, uint8_t dst, uint8_t src, int16_t off, int32_t imm)
{
	if (p->n < p->max)
		p->insns[p->n] = (struct bpf_insn){
			.code = code, .dst_reg = dst, .src_reg = src, .off = off, .imm = imm
		};
	p->n++;
}

/* Jumps to the two common ends; their place is known when the program is. */
enum { TO_ALLOW = -1, TO_DENY = -2 };

/* Loads a field of the context into r2, and jumps to 'end' unless it is 'value'. Returns the place
 * of the jump. */
static size_t unless(struct prog *p, size_t field, uint32_t value, size_t end)
{
	add(p, BPF_LDX | BPF_MEM | BPF_W, BPF_REG_2, BPF_REG_1, (int16_t) field, 0);
	if (field == offsetof(struct bpf_cgroup_dev_ctx, access_type))
		add(p, BPF_ALU64 | BPF_AND | BPF_K, BPF_REG_2, 0, 0, 0xffff);
	/* 32-bit compare: the immediate of a 64-bit one would be sign-extended. */
	add(p, BPF_JMP32 | BPF_JNE | BPF_K, BPF_REG_2, 0, (int16_t) (end - p->n - 1),
	        (int32_t) value);
	return p->n - 1;
}

static size_t unless_type(struct prog *p, char type, size_t end)
{
	return unless(p, offsetof(struct bpf_cgroup_dev_ctx, access_type),
	        type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR, end);
}

/* A rule for some of the access bits, of which r3 has the undecided ones. */
static void add_partial(struct prog *p, const struct oci_device_rule *r)
{
	size_t end = p->n + (r->type == 'a' ? 0U : 3U) + (r->major < 0 ? 0U : 2U) +
	             (r->minor < 0 ? 0U : 2U) + (r->allow ? 2U : 3U);
	uint32_t bits = kernel_access(r->access);

	if (r->type != 'a')
		(void) unless_type(p, r->type, end);
	if (r->major >= 0)
		(void) unless(
		        p, offsetof(struct bpf_cgroup_dev_ctx, major), (uint32_t) r->major, end);
	if (r->minor >= 0)
		(void) unless(
		        p, offsetof(struct bpf_cgroup_dev_ctx, minor), (uint32_t) r->minor, end);
	if (r->allow) {
		add(p, BPF_ALU64 | BPF_AND | BPF_K, BPF_REG_3, 0, 0, (int32_t) ~bits);
		add(p, BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_3, 0, TO_ALLOW, 0);
	} else {
		add(p, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_2, BPF_REG_3, 0, 0);
		add(p, BPF_ALU64 | BPF_AND | BPF_K, BPF_REG_2, 0, 0, (int32_t) bits);
		add(p, BPF_JMP | BPF_JNE | BPF_K, BPF_REG_2, 0, TO_DENY, 0);
	}
}

/* A rule for all access bits: whoever matches is done. r5 is the device, major << 32 | minor. The
 * type was looked at for the whole run of such rules. */
static void add_full(struct prog *p, const struct oci_device_rule *r)
{
	int16_t to = r->allow ? TO_ALLOW : TO_DENY;

	if (r->major < 0 && r->minor < 0) {
		add(p, BPF_JMP | BPF_JA, 0, 0, to, 0);
	} else if (r->minor < 0) {
		add(p, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_2, BPF_REG_5, 0, 0);
		add(p, BPF_ALU64 | BPF_RSH | BPF_K, BPF_REG_2, 0, 0, 32);
		add(p, BPF_JMP32 | BPF_JEQ | BPF_K, BPF_REG_2, 0, to, (int32_t) r->major);
	} else if (r->major < 0) {
		add(p, BPF_ALU | BPF_MOV | BPF_X, BPF_REG_2, BPF_REG_5, 0, 0);
		add(p, BPF_JMP32 | BPF_JEQ | BPF_K, BPF_REG_2, 0, to, (int32_t) r->minor);
	} else {
		add(p, BPF_LD | BPF_DW | BPF_IMM, BPF_REG_2, 0, 0, (int32_t) r->minor);
		add(p, 0, 0, 0, 0, (int32_t) r->major);
		add(p, BPF_JMP | BPF_JEQ | BPF_X, BPF_REG_5, BPF_REG_2, to, 0);
	}
}

/* Rules from the last one down to 'first'. The type is compared once for a run of full rules. */
static void add_rules(struct prog *p, const struct oci_device_rule *rules, size_t first, size_t n)
{
	size_t guard = 0; /* place of the run's jump; 0: no run */
	char type = 'a';

	for (size_t i = n; i-- > first;) {
		const struct oci_device_rule *r = &rules[i];
		bool full = r->access == ACCESS_ALL;

		if (guard && (!full || r->type != type)) {
			if (guard < p->max)
				p->insns[guard].off = (int16_t) (p->n - guard - 1);
			guard = 0;
		}
		if (!full) {
			add_partial(p, r);
			continue;
		}
		type = r->type;
		if (!guard && type != 'a')
			guard = unless_type(p, type, p->n);
		add_full(p, r);
		if (guard && r->major < 0 && r->minor < 0) { /* nothing gets past it */
			if (guard < p->max)
				p->insns[guard].off = (int16_t) (p->n - guard - 1);
			guard = 0;
		}
	}
	if (guard && guard < p->max)
		p->insns[guard].off = (int16_t) (p->n - guard - 1);
}

/* One of the ends, when a jump goes there: the verifier refuses code that nobody reaches. */
static void add_end(struct prog *p, int16_t label, int32_t verdict)
{
	size_t here = p->n;
	bool used = false;

	for (size_t i = 0; i < MIN(here, p->max); i++) {
		uint8_t class = BPF_CLASS(p->insns[i].code);

		if ((class != BPF_JMP && class != BPF_JMP32) || p->insns[i].off != label)
			continue;
		p->insns[i].off = (int16_t) (here - i - 1);
		used = true;
	}
	if (!used)
		return;
	add(p, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, verdict);
	add(p, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

int cgroup_device_program(
        const struct oci_device_rule *rules, size_t n, struct bpf_insn *out, size_t max)
{
	struct prog p = { out, 0, max };
	bool otherwise = false;
	size_t first = 0;

	for (size_t i = 0; i < n; i++) { /* what stands before a total rule never decides */
		if (!is_total(&rules[i]))
			continue;
		first = i + 1;
		otherwise = rules[i].allow;
	}
	add(&p, BPF_LDX | BPF_MEM | BPF_W, BPF_REG_3, BPF_REG_1,
	        offsetof(struct bpf_cgroup_dev_ctx, access_type), 0);
	add(&p, BPF_ALU64 | BPF_RSH | BPF_K, BPF_REG_3, 0, 0, 16);
	add(&p, BPF_LDX | BPF_MEM | BPF_W, BPF_REG_5, BPF_REG_1,
	        offsetof(struct bpf_cgroup_dev_ctx, major), 0);
	add(&p, BPF_ALU64 | BPF_LSH | BPF_K, BPF_REG_5, 0, 0, 32);
	add(&p, BPF_LDX | BPF_MEM | BPF_W, BPF_REG_4, BPF_REG_1,
	        offsetof(struct bpf_cgroup_dev_ctx, minor), 0);
	add(&p, BPF_ALU64 | BPF_OR | BPF_X, BPF_REG_5, BPF_REG_4, 0, 0);
	add_rules(&p, rules, first, n);
	add(&p, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, otherwise);
	add(&p, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	add_end(&p, TO_ALLOW, 1);
	add_end(&p, TO_DENY, 0);
	return p.n > max ? -E2BIG : (int) p.n;
}

int cgroup_device_attach(int v2_fd, const struct oci_device_rule *rules, size_t n, struct err *err)
{
	size_t max = n * CGROUP_DEVICE_INSNS + CGROUP_DEVICE_FRAME;
	_free_ struct bpf_insn *insns = NULL;
	union bpf_attr load = { .prog_type = BPF_PROG_TYPE_CGROUP_DEVICE };
	union bpf_attr attach = { .target_fd = (uint32_t) v2_fd };
	_close_ int fd = -EBADF;
	int r = check_rules(rules, n, err);

	if (r < 0)
		return r;
	insns = xnew_n(struct bpf_insn, max);
	r = cgroup_device_program(rules, n, insns, max);
	if (r < 0)
		return err_errno(err, r, "cannot build the device program");
	load.insns = (uint64_t) (uintptr_t) insns;
	load.insn_cnt = (uint32_t) r;
	load.license = (uint64_t) (uintptr_t) "Apache-2.0";
	(void) snprintf(load.prog_name, sizeof(load.prog_name), "bulkhead_dev");
	fd = sys_bpf(BPF_PROG_LOAD, &load, sizeof(load));
	if (fd < 0)
		return err_errno(err, fd,
		        "cannot load the device program (%zu rules); it needs CAP_BPF or "
		        "CAP_SYS_ADMIN of the host",
		        n);
	attach.attach_bpf_fd = (uint32_t) fd;
	attach.attach_type = BPF_CGROUP_DEVICE;
	/* MULTI: programs of groups above and below keep their say; all must agree. */
	attach.attach_flags = BPF_F_ALLOW_MULTI;
	r = sys_bpf(BPF_PROG_ATTACH, &attach, sizeof(attach));
	return r < 0 ? err_errno(err, r, "cannot attach the device program") : 0;
}

/* --- v1: one default and exceptions --- */

static bool covers(const struct oci_device_rule *wide, const struct oci_device_rule *narrow)
{
	return wide->type == narrow->type && (wide->major < 0 || wide->major == narrow->major) &&
	       (wide->minor < 0 || wide->minor == narrow->minor);
}

static bool overlap(const struct oci_device_rule *a, const struct oci_device_rule *b)
{
	return a->type == b->type && (a->major < 0 || b->major < 0 || a->major == b->major) &&
	       (a->minor < 0 || b->minor < 0 || a->minor == b->minor) && (a->access & b->access);
}

struct reduced {
	bool allow;
	struct oci_device_rule *exceptions;
	size_t n;
};

/* A rule that says the default again: it takes back what exceptions it covers. */
static int take_back(struct reduced *s, const struct oci_device_rule *rule)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->n; i++) {
		struct oci_device_rule *e = &s->exceptions[i];

		if (covers(rule, e))
			e->access &= (uint8_t) ~rule->access;
		else if (overlap(rule, e))
			return -EOPNOTSUPP;
		if (e->access)
			s->exceptions[kept++] = *e;
	}
	s->n = kept;
	return 0;
}

static void add_exception(struct reduced *s, const struct oci_device_rule *rule)
{
	for (size_t i = 0; i < s->n; i++) {
		struct oci_device_rule *e = &s->exceptions[i];

		if (covers(rule, e) && covers(e, rule)) {
			e->access |= rule->access;
			return;
		}
	}
	s->exceptions[s->n++] = *rule;
}

int cgroup_device_reduce(const struct oci_device_rule *rules, size_t n, bool *ret_default_allow,
        struct oci_device_rule *out)
{
	struct reduced s = { .allow = false, .exceptions = out };

	for (size_t i = 0; i < n; i++) {
		if (is_total(&rules[i])) {
			s = (struct reduced){ .allow = rules[i].allow, .exceptions = out };
			continue;
		}
		for (const char *t = rules[i].type == 'a' ? "bc" : "x"; *t; t++) {
			struct oci_device_rule rule = rules[i];
			int r = 0;

			if (rule.type == 'a')
				rule.type = *t;
			if (rule.allow != s.allow)
				add_exception(&s, &rule);
			else
				r = take_back(&s, &rule);
			if (r < 0)
				return r;
		}
	}
	*ret_default_allow = s.allow;
	return (int) s.n;
}

/* "c 136:* rwm" */
static void rule_text(const struct oci_device_rule *r, char *out, size_t size)
{
	char major[24] = "*", minor[24] = "*";

	if (r->major >= 0)
		(void) snprintf(major, sizeof(major), "%u", (unsigned int) r->major);
	if (r->minor >= 0)
		(void) snprintf(minor, sizeof(minor), "%u", (unsigned int) r->minor);
	(void) snprintf(out, size, "%c %s:%s %s%s%s", r->type, major, minor,
	        r->access & OCI_ACCESS_READ ? "r" : "", r->access & OCI_ACCESS_WRITE ? "w" : "",
	        r->access & OCI_ACCESS_MKNOD ? "m" : "");
}

static int write_text(int fd, const char *text)
{
	return write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

static int devices_v1(const struct cgroup_handle *h, const char *folder,
        const struct oci_device_rule *rules, size_t n, struct err *err)
{
	_free_ struct oci_device_rule *exceptions = xnew_n(struct oci_device_rule, 2 * n);
	_close_ int allow = cgroup_open_file(h, folder, "devices.allow", O_WRONLY | O_NOCTTY);
	_close_ int deny = cgroup_open_file(h, folder, "devices.deny", O_WRONLY | O_NOCTTY);
	bool open = false;
	int r, count = cgroup_device_reduce(rules, n, &open, exceptions);

	if (count < 0)
		return err_set(err, count,
		        "cgroup v1 cannot express these device rules: a rule takes back a part of "
		        "an earlier one; list the devices one by one");
	if (allow < 0 || deny < 0)
		return err_errno(err, allow < 0 ? allow : deny,
		        "cannot open the device rules of the control group");
	r = write_text(open ? allow : deny, "a");
	if (r < 0)
		return err_errno(err, r, "cannot %s all devices in the control group",
		        open ? "allow" : "deny");
	for (int i = 0; i < count; i++) {
		char text[RULE_TEXT_MAX];

		rule_text(&exceptions[i], text, sizeof(text));
		r = write_text(open ? deny : allow, text);
		if (r < 0)
			return err_errno(err, r, "cannot %s device '%s' in the control group",
			        open ? "deny" : "allow", text);
	}
	return 0;
}

int cgroup_devices(struct cgroup_handle *handle, const struct oci_device_rule *rules, size_t n,
        struct err *err)
{
	const char *folder = cgroup_v1_folder(handle, "devices");
	int r = check_rules(rules, n, err);

	if (r < 0 || n == 0)
		return r;
	if (folder)
		return devices_v1(handle, folder, rules, n, err);
	if (handle->v2_fd < 0)
		return err_set(err, -EOPNOTSUPP,
		        "cannot apply the device rules: this machine offers no 'devices' control "
		        "group controller");
	return cgroup_device_attach(handle->v2_fd, rules, n, err);
}
