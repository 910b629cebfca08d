/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decisions to code.
 *
 * Classic BPF jumps only forward, so code is made from its end: every target exists before the jump
 * to it. A place is the index of an instruction counted from the end. Jumps on a condition reach
 * 255 instructions; where a target is farther, a copy of the return instruction or a long jump is
 * put right behind the jump (reach).
 *
 * A call costs: load and test of the architecture, load of the number, one test a level of the
 * search, the tests of its arguments, the return. The x32 numbers are ranges like any other, so
 * that native calls do not pay for a test of their bit.
 */
#include "seccomp/ir.h"

#include <errno.h>
#include <linux/bpf_common.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

_Static_assert(BPF_MAXINSNS * sizeof(struct sock_filter) == SECCOMP_FILTER_BYTES_MAX, "header");

enum { REACH = 255 };

struct ret_place {
	uint32_t ret;
	uint32_t place;
};

/* Numbers from 'first' to the next range's first - 1 that share a decision. */
struct range {
	uint32_t first;
	struct ir_slot slot;
};

struct emitter {
	const struct ir_program *p;
	struct sock_filter insns[BPF_MAXINSNS]; /* by place */
	uint32_t n;
	bool full;
	struct ret_place rets[64]; /* newest place of a return value; a cache, may miss */
	uint32_t *list_places;     /* of each list, place + 1; 0: no code yet */
	struct range *ranges;
	uint32_t n_ranges;
};

static uint32_t emit(struct emitter *e, uint16_t code, uint32_t k, uint8_t jt, uint8_t jf)
{
	if (e->n >= BPF_MAXINSNS) {
		e->full = true;
		return 0;
	}
	e->insns[e->n] = (struct sock_filter){ .code = code, .jt = jt, .jf = jf, .k = k };
	return e->n++;
}

/* Instructions between the next one to be made and the place. */
static uint32_t distance(const struct emitter *e, uint32_t place)
{
	return e->n - place - 1;
}

static uint32_t emit_ret(struct emitter *e, uint32_t ret)
{
	struct ret_place *cached = &e->rets[(ret ^ ret >> 16) % ARRAY_SIZE(e->rets)];

	if (e->n > 0 && cached->ret == ret && e->insns[cached->place].code == (BPF_RET | BPF_K) &&
	        e->insns[cached->place].k == ret && distance(e, cached->place) < REACH - 8)
		return cached->place;
	*cached = (struct ret_place){ ret, emit(e, BPF_RET | BPF_K, ret, 0, 0) };
	return cached->place;
}

/* A place that does what 'place' does and is near enough for a jump with 'more' instructions made
 * before it. */
static uint32_t reach(struct emitter *e, uint32_t place, uint32_t more)
{
	if (e->full || distance(e, place) + more <= REACH)
		return place;
	if (e->insns[place].code == (BPF_RET | BPF_K))
		return emit_ret(e, e->insns[place].k);
	return emit(e, BPF_JMP | BPF_JA, distance(e, place), 0, 0);
}

static uint32_t emit_jump(struct emitter *e, uint16_t op, uint32_t k, uint32_t t, uint32_t f)
{
	if (t == f)
		return t;
	t = reach(e, t, 1);
	f = reach(e, f, 0);
	if (e->full)
		return 0;
	return emit(e, BPF_JMP | op | BPF_K, k, (uint8_t) distance(e, t), (uint8_t) distance(e, f));
}

/* An instruction that goes on at 'next'. */
static uint32_t emit_then(struct emitter *e, uint16_t code, uint32_t k, uint32_t next)
{
	if (!e->full && distance(e, next) != 0) {
		if (e->insns[next].code == (BPF_RET | BPF_K))
			(void) emit(e, BPF_RET | BPF_K, e->insns[next].k, 0, 0);
		else
			(void) emit(e, BPF_JMP | BPF_JA, distance(e, next), 0, 0);
	}
	return emit(e, code, k, 0, 0);
}

static uint32_t emit_load(struct emitter *e, uint32_t offset, uint32_t next)
{
	return emit_then(e, BPF_LD | BPF_W | BPF_ABS, offset, next);
}

/* Where the code at 'place' starts by loading what the accumulator already holds: behind the load.
 */
static uint32_t skip_load(const struct emitter *e, uint32_t place, uint32_t offset)
{
	const struct sock_filter *i = &e->insns[place];

	if (place > 0 && i->code == (BPF_LD | BPF_W | BPF_ABS) && i->k == offset)
		return place - 1;
	return place;
}

static uint32_t arg_offset(const struct ir_cond *c, bool high)
{
	_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "halves of an argument");
	return (uint32_t) offsetof(struct seccomp_data, args) + 8u * c->arg + (high ? 4 : 0);
}

/* (half & mask) == value */
static uint32_t emit_half_eq(
        struct emitter *e, uint32_t offset, uint32_t mask, uint32_t value, uint32_t t, uint32_t f)
{
	uint32_t place;

	if (mask == 0)
		return value == 0 ? t : f;
	if (mask == UINT32_MAX) {
		place = emit_jump(
		        e, BPF_JEQ, value, skip_load(e, t, offset), skip_load(e, f, offset));
	} else if (value == 0) {
		place = emit_jump(
		        e, BPF_JSET, mask, skip_load(e, f, offset), skip_load(e, t, offset));
	} else {
		place = emit_jump(e, BPF_JEQ, value, t, f);
		place = emit_then(e, BPF_ALU | BPF_AND | BPF_K, mask, place);
	}
	return emit_load(e, offset, place);
}

/* Code that goes to t when the condition holds, else to f. */
static uint32_t emit_cond(struct emitter *e, const struct ir_cond *c, uint32_t t, uint32_t f)
{
	uint32_t low_mask = (uint32_t) c->mask, high_mask = (uint32_t) (c->mask >> 32);
	uint32_t low = (uint32_t) c->value, high = (uint32_t) (c->value >> 32);
	uint32_t at_low = arg_offset(c, false), at_high = arg_offset(c, true), place;
	uint16_t op = c->op == IR_GE ? BPF_JGE : BPF_JGT;

	if (c->negate) {
		uint32_t swap = t;
		t = f;
		f = swap;
	}
	if (c->op == IR_EQ) {
		place = emit_half_eq(e, at_low, low_mask, low, t, f);
		return emit_half_eq(e, at_high, high_mask, high, place, f);
	}
	if (high_mask == 0 && low_mask != UINT32_MAX) { /* 16 bits */
		place = emit_jump(e, op, low, t, f);
		place = emit_then(e, BPF_ALU | BPF_AND | BPF_K, low_mask, place);
		return emit_load(e, at_low, place);
	}
	if (high_mask == 0) {
		place = emit_jump(e, op, low, skip_load(e, t, at_low), skip_load(e, f, at_low));
		return emit_load(e, at_low, place);
	}
	place = emit_load(e, at_low, emit_jump(e, op, low, t, f));
	place = emit_jump(e, BPF_JEQ, high, place, f);
	place = emit_jump(e, BPF_JGT, high, t, place);
	return emit_load(e, at_high, place);
}

static uint32_t emit_list(struct emitter *e, const struct ir_list *list)
{
	const struct ir_program *p = e->p;
	uint32_t otherwise = emit_ret(e, list->otherwise);

	for (size_t i = list->n_cases; i-- > 0 && !e->full;) {
		const struct ir_case *c = &p->cases[list->first_case + i];
		uint32_t t = emit_ret(e, c->ret);

		for (size_t j = c->n_conds; j-- > 0 && !e->full;)
			t = emit_cond(e, &p->conds[c->first_cond + j], t, otherwise);
		otherwise = t;
	}
	return otherwise;
}

static uint32_t emit_slot(struct emitter *e, const struct ir_slot *slot)
{
	if (slot->list == 0)
		return emit_ret(e, slot->ret);
	if (e->list_places[slot->list - 1] == 0) {
		uint32_t place = emit_list(e, &e->p->lists[slot->list - 1]);
		e->list_places[slot->list - 1] = place + 1;
	}
	return e->list_places[slot->list - 1] - 1;
}

static bool same_slot(const struct ir_slot *a, const struct ir_slot *b)
{
	return a->list == b->list && (a->list != 0 || a->ret == b->ret);
}

/* The search over ranges [from, to), to > from: at most log2 deep. */
static uint32_t emit_search(struct emitter *e, const struct range *r, uint32_t from, uint32_t to)
{
	uint32_t mid, left, right;

	if (e->full)
		return 0;
	if (to - from == 1)
		return emit_slot(e, &r[from].slot);
	if (to - from == 3 && same_slot(&r[from].slot, &r[from + 2].slot) &&
	        r[from + 2].first - r[from + 1].first == 1) {
		left = emit_slot(e, &r[from].slot);
		right = emit_slot(e, &r[from + 1].slot);
		return emit_jump(e, BPF_JEQ, r[from + 1].first, right, left);
	}
	mid = from + (to - from) / 2;
	right = emit_search(e, r, mid, to);
	left = emit_search(e, r, from, mid);
	return emit_jump(e, BPF_JGE, r[mid].first, right, left);
}

static void add_range(struct emitter *e, uint32_t first, struct ir_slot slot)
{
	if (e->n_ranges > 0 && same_slot(&e->ranges[e->n_ranges - 1].slot, &slot))
		return;
	e->ranges[e->n_ranges++] = (struct range){ first, slot };
}

static void add_abi_ranges(struct emitter *e, const struct ir_abi *abi, uint32_t base)
{
	for (uint32_t nr = 0; nr < abi->n; nr++)
		add_range(e, base + nr, abi->slots[nr]);
	add_range(e, base + abi->n, (struct ir_slot){ .ret = abi->beyond });
}

static const struct ir_abi *find_abi(const struct ir_program *p, enum seccomp_abi abi)
{
	for (size_t i = 0; i < p->n_abis; i++)
		if (p->abis[i].abi == abi)
			return &p->abis[i];
	return NULL;
}

/* The code of one architecture; x86_64 carries x32 or what x32 gets. */
static uint32_t emit_arch(struct emitter *e, const struct ir_abi *abi)
{
	const struct ir_abi *x32 = find_abi(e->p, SECCOMP_ABI_X32);

	e->n_ranges = 0;
	add_abi_ranges(e, abi, 0);
	if (abi->abi == SECCOMP_ABI_X86_64 && x32) {
		add_abi_ranges(e, x32, SECCOMP_X32_BIT);
	} else if (abi->abi == SECCOMP_ABI_X86_64) {
		add_range(e, SECCOMP_X32_BIT, (struct ir_slot){ .ret = e->p->foreign });
		/* -1 is no call but what a tracer writes to skip one. */
		add_range(e, UINT32_MAX, (struct ir_slot){ .ret = e->p->dflt });
	}
	return emit_load(e, (uint32_t) offsetof(struct seccomp_data, nr),
	        emit_search(e, e->ranges, 0, e->n_ranges));
}

static void emitter_freep(struct emitter **e)
{
	if (*e) {
		free((*e)->list_places);
		free((*e)->ranges);
	}
	free(*e);
}

int ir_emit(const struct ir_program *p, struct buf *out, struct err *err)
{
	_cleanup_(emitter_freep) struct emitter *e = xmalloc(sizeof(*e));
	uint32_t next;

	e->p = p;
	e->n = 0;
	e->full = false;
	for (size_t i = 0; i < ARRAY_SIZE(e->rets); i++)
		e->rets[i] = (struct ret_place){ 0 };
	e->list_places = xnew_n(uint32_t, p->n_lists + 1);
	e->ranges = xcalloc(2 * SECCOMP_NR_MAX + 4, sizeof(struct range));
	next = emit_ret(e, p->foreign);
	/* From the last to the native ABI, which is then the nearest. */
	for (size_t i = p->n_abis; i-- > 0 && !e->full;) {
		uint32_t place;

		if (p->abis[i].abi == SECCOMP_ABI_X32)
			continue;
		place = emit_arch(e, &p->abis[i]);
		next = emit_jump(e, BPF_JEQ, seccomp_abi_audit_arch(p->abis[i].abi), place, next);
	}
	(void) emit_load(e, (uint32_t) offsetof(struct seccomp_data, arch), next);
	if (e->full)
		return err_set(err, -E2BIG,
		        "seccomp profile needs more than %d instructions, the kernel's limit: use "
		        "fewer conditions",
		        BPF_MAXINSNS);
	for (uint32_t i = e->n; i-- > 0;) {
		int r = buf_add(out, &e->insns[i], sizeof(e->insns[i]));
		if (r < 0)
			return err_set(err, -E2BIG, "seccomp filter does not fit into its buffer");
	}
	return 0;
}

int ir_compile(
        const struct ir_input *in, struct buf *out, struct seccomp_report *report, struct err *err)
{
	_cleanup_(ir_program_done) struct ir_program program = { 0 };
	int r = ir_lower(in, &program, report, err);

	return r < 0 ? r : ir_emit(&program, out, err);
}
