/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions of a profile reduced to what the kernel sees of an argument (seccomp.h, "Width"). */
#include "seccomp/ir.h"

enum { NEVER = -1, ALWAYS = 0, SOMETIMES = 1 };

static uint64_t width_mask(unsigned int bits)
{
	return bits == 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;
}

/* Brings a value into the width; false when no argument of that width is equal to it. A negative
 * number, sign-extended from 32 bits or from the width to 64, counts as its low part. */
static bool value_fits(uint64_t value, unsigned int bits, uint64_t *ret)
{
	uint64_t mask = width_mask(bits);
	bool fits = value <= mask;

	if (!fits && bits < 64)
		fits = (value >> (bits - 1)) == (UINT64_MAX >> (bits - 1));
	*ret = value & mask;
	return fits;
}

/* The width for an argument whose width is not known: the one under which an allowing rule matches
 * less and a refusing rule matches more. With the high half set, EQ, LT and LE match more calls in
 * 32 bits, and NE, GE and GT match more in 64. A value that needs 64 bits can only mean 64. */
static unsigned int unknown_width(const struct oci_seccomp_arg *arg, bool allowing)
{
	bool more_in_32 = arg->op != OCI_OP_NE && arg->op != OCI_OP_GE && arg->op != OCI_OP_GT;
	uint64_t high = arg->value | (arg->op == OCI_OP_MASKED_EQ ? arg->value_two : 0);
	uint64_t low;

	if (!value_fits(high, 32, &low))
		return 64;
	return more_in_32 == allowing ? 64 : 32;
}

/* (argument & value) == value_two */
static int reduce_masked(const struct oci_seccomp_arg *arg, unsigned int bits, struct ir_cond *ret)
{
	uint64_t width = width_mask(bits), two = arg->value_two & arg->value;
	bool negative = (arg->value & ~width) == ~width && (two & ~width) == ~width &&
	                (two >> (bits - 1) & 1);

	if ((two & ~width) != 0 && !negative)
		return NEVER;
	ret->mask = arg->value & width;
	ret->value = two & width;
	return ret->mask == 0 ? ALWAYS : SOMETIMES;
}

static int reduce_compare(const struct oci_seccomp_arg *arg, unsigned int bits, struct ir_cond *ret)
{
	static const struct {
		enum ir_op op;
		bool negate;
	} ops[] = {
		[OCI_OP_NE] = { IR_EQ, true },
		[OCI_OP_LT] = { IR_GE, true },
		[OCI_OP_LE] = { IR_GT, true },
		[OCI_OP_EQ] = { IR_EQ, false },
		[OCI_OP_GE] = { IR_GE, false },
		[OCI_OP_GT] = { IR_GT, false },
	};

	ret->op = ops[arg->op].op;
	ret->negate = ops[arg->op].negate;
	ret->mask = width_mask(bits);
	if (!value_fits(arg->value, bits, &ret->value))
		return ret->negate ? ALWAYS : NEVER;
	if (ret->op == IR_GT && ret->value == ret->mask)
		return ret->negate ? ALWAYS : NEVER;
	if (ret->op == IR_GE && ret->value == 0)
		return ret->negate ? NEVER : ALWAYS;
	return SOMETIMES;
}

int ir_cond_reduce(const struct oci_seccomp_arg *arg, unsigned int bits, bool allowing, bool abi32,
        struct ir_cond *ret)
{
	*ret = (struct ir_cond){ .arg = (uint8_t) arg->index, .op = IR_EQ };
	if (bits == 0)
		bits = abi32 ? 32 : unknown_width(arg, allowing);
	if (arg->op == OCI_OP_MASKED_EQ)
		return reduce_masked(arg, bits, ret);
	return reduce_compare(arg, bits, ret);
}
