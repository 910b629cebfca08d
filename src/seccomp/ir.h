/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What both kinds of profile (OCI and our default) become before code is made of it: for each
 * number of each ABI either one return value or an ordered list of cases. Internal to the module.
 */
#include "oci/spec.h"
#include "seccomp/table.h"

/* One comparison, already reduced to the width that the kernel uses: ((arg & mask) OP value) is
 * holds. */
enum ir_op {
	IR_EQ,
	IR_GE,
	IR_GT,
};
struct ir_cond {
	uint64_t mask, value;
	uint8_t arg;
	uint8_t op;
	bool negate;
};

/* First case whose conditions all hold decides. */
struct ir_case {
	uint32_t ret;
	uint32_t first_cond, n_conds;
};
struct ir_list {
	uint32_t first_case, n_cases;
	uint32_t otherwise;
	uint32_t hash;
};

/* What one number gets: list 0 is none (then ret), else index + 1. */
struct ir_slot {
	uint32_t ret;
	uint32_t list;
};

struct ir_abi {
	enum seccomp_abi abi;
	struct ir_slot slots[SECCOMP_NR_MAX];
	uint32_t n;      /* slots in use */
	uint32_t beyond; /* return value of the numbers from n on */
};

struct ir_program {
	struct ir_abi *abis; /* the native one first */
	size_t n_abis;
	uint32_t foreign; /* return value of every other ABI */
	uint32_t dflt;
	struct ir_cond *conds;
	struct ir_case *cases;
	struct ir_list *lists;
	size_t n_conds, n_cases, n_lists;
	size_t room_conds, room_cases, room_lists;
};

/* A rule on its way down. Strings and args are borrowed. */
struct ir_rule {
	const char *const *names; /* NULL-terminated */
	uint32_t ret;
	const struct oci_seccomp_arg *args;
	size_t n_args;
};

enum ir_order {
	IR_STRICTEST, /* OCI: an unconditional rule wins, then the strictest */
	IR_FIRST,     /* the order of the rules decides */
};

/* What lowering needs besides the rules. */
struct ir_input {
	const struct ir_rule *rules;
	size_t n_rules;
	enum ir_order order;
	uint32_t dflt, foreign;
	bool enosys_beyond; /* numbers above every mentioned one get ENOSYS, not the default */
	enum seccomp_abi abis[SECCOMP_ABI_COUNT];
	size_t n_abis;
};

void ir_program_done(struct ir_program *p);
/* Lowers the rules. report may be NULL. Errors: -E2BIG. */
int ir_lower(const struct ir_input *in, struct ir_program *p, struct seccomp_report *report,
        struct err *err);
/* Reduces a condition of a profile to a width (16, 32, 64, or 0 for unknown; allowing says what the
 * rule does). Returns 1 and the condition, or 0 when it always holds, or -1 when it never does. */
int ir_cond_reduce(const struct oci_seccomp_arg *arg, unsigned int bits, bool allowing, bool abi32,
        struct ir_cond *ret);
/* Makes code: appends struct sock_filter[] to out. Errors: -E2BIG. */
int ir_emit(const struct ir_program *p, struct buf *out, struct err *err);
/* Both. */
int ir_compile(
        const struct ir_input *in, struct buf *out, struct seccomp_report *report, struct err *err);

/* Calls the report's function, within its limit. */
void seccomp_note(struct seccomp_report *report, const char *fmt, ...) _printf_(2, 3);
