/* SPDX-License-Identifier: Apache-2.0 */
/* Rules by name to decisions by number. */
#include "base/str.h"
#include "seccomp/ir.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stdarg.h>
#include <stdio.h>

/* Rules with conditions that a profile may hang on calls; far more than fit into a filter, so that
 * this only bounds the work. */
enum { REFS_MAX = 16384 };

/* A rule that has a say on one number. */
struct ref {
	const struct ir_rule *rule;
	const struct seccomp_row *row; /* for the widths */
	const struct oci_seccomp_arg *args;
	uint32_t n_args;
	uint32_t next; /* index + 1 */
};

/* What is known of one number while rules are added. */
struct work {
	uint32_t first, last; /* refs, index + 1; 0 is none */
	uint32_t ret;
	bool decided; /* by a rule without conditions; ret is its action */
};

struct lower {
	const struct ir_input *in;
	struct ir_program *p;
	struct seccomp_report *report;
	struct work (*work)[SECCOMP_NR_MAX]; /* one a compiled ABI */
	uint32_t last[SECCOMP_ABI_COUNT];    /* highest mentioned number + 1 */
	struct ref *refs;
	size_t n_refs, room_refs;
};

/* Makes room for one more member. */
#define grow(array, n, room)                                                                       \
	((n) < (room) ? (array)                                                                    \
	              : ((room) = (room) ? 2 * (room) : 64,                                        \
	                        (array) = xrealloc_n((array), (room), sizeof((array)[0]))))

static void lower_done(struct lower *l)
{
	free(l->work);
	free(l->refs);
}

void ir_program_done(struct ir_program *p)
{
	free(p->abis);
	free(p->conds);
	free(p->cases);
	free(p->lists);
	*p = (struct ir_program){ 0 };
}

void seccomp_note(struct seccomp_report *report, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (!report || report->n_notes++ >= SECCOMP_NOTES_MAX || !report->note)
		return;
	va_start(ap, fmt);
	(void) vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	report->note(report->userdata, text);
}

/* The kernel's own order when several filters answer. */
static unsigned int strictness(uint32_t ret)
{
	static const uint32_t order[] = {
		SECCOMP_RET_ALLOW,
		SECCOMP_RET_LOG,
		SECCOMP_RET_TRACE,
		SECCOMP_RET_USER_NOTIF,
		SECCOMP_RET_ERRNO,
		SECCOMP_RET_TRAP,
		SECCOMP_RET_KILL_THREAD,
		SECCOMP_RET_KILL_PROCESS,
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(order); i++)
		if ((ret & SECCOMP_RET_ACTION_FULL) == order[i])
			return i;
	return ARRAY_SIZE(order);
}

static bool is_allowing(uint32_t ret)
{
	return strictness(ret) <= strictness(SECCOMP_RET_LOG);
}

static int add_ref(struct lower *l, struct work *w, const struct ref *ref, struct err *err)
{
	if (l->n_refs >= REFS_MAX)
		return err_set(err, -E2BIG,
		        "seccomp profile has more than %d rules with conditions, make it shorter",
		        REFS_MAX);
	grow(l->refs, l->n_refs, l->room_refs);
	l->refs[l->n_refs++] = *ref;
	if (w->last)
		l->refs[w->last - 1].next = (uint32_t) l->n_refs;
	else
		w->first = (uint32_t) l->n_refs;
	w->last = (uint32_t) l->n_refs;
	return 0;
}

static bool same_index_twice(const struct ir_rule *rule)
{
	unsigned int seen = 0;

	for (size_t i = 0; i < rule->n_args; i++) {
		if (seen & 1u << rule->args[i].index)
			return true;
		seen |= 1u << rule->args[i].index;
	}
	return false;
}

/* Hangs a rule on one number. 'args' replaces the conditions of the rule for socketcall and ipc. */
static int add_rule_to_number(struct lower *l, struct work *w, const struct seccomp_row *row,
        const struct ir_rule *rule, const struct oci_seccomp_arg *args, size_t n_args,
        struct err *err)
{
	struct ref ref = { .rule = rule, .row = row, .args = args, .n_args = (uint32_t) n_args };

	if (w->decided)
		return 0;
	if (n_args == 0) {
		w->decided = true;
		w->ret = rule->ret;
		return 0;
	}
	if (l->in->order == IR_FIRST || !same_index_twice(rule))
		return add_ref(l, w, &ref, err);
	for (size_t i = 0; i < n_args; i++) {
		ref.args = &args[i];
		ref.n_args = 1;
		int r = add_ref(l, w, &ref, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* socketcall(N, ...) and ipc(N, ...) are the older way to some calls of i386. */
static const struct oci_seccomp_arg *mux_args(const struct seccomp_row *row)
{
#define mux(n)                                                                                     \
	{                                                                                          \
		.index = 0, .op = OCI_OP_EQ, .value = (n)                                          \
	}
	static const struct oci_seccomp_arg args[] = {
		mux(0),
		mux(1),
		mux(2),
		mux(3),
		mux(4),
		mux(5),
		mux(6),
		mux(7),
		mux(8),
		mux(9),
		mux(10),
		mux(11),
		mux(12),
		mux(13),
		mux(14),
		mux(15),
		mux(16),
		mux(17),
		mux(18),
		mux(19),
		mux(20),
		mux(21),
		mux(22),
		mux(23),
		mux(24),
	};
#undef mux
	return &args[row->mux_nr % ARRAY_SIZE(args)];
}

static int add_mux_rule(struct lower *l, size_t abi, const struct seccomp_row *row,
        const struct ir_rule *rule, struct err *err)
{
	const struct seccomp_row *carrier;

	if (row->mux == SECCOMP_MUX_NONE || l->in->abis[abi] != SECCOMP_ABI_I386)
		return 0;
	if (rule->n_args > 0) {
		seccomp_note(l->report,
		        "seccomp rule on '%s' with conditions does not reach i386's %s", row->name,
		        row->mux == SECCOMP_MUX_IPC ? "ipc" : "socketcall");
		return 0;
	}
	carrier = seccomp_row_find(row->mux == SECCOMP_MUX_IPC ? "ipc" : "socketcall");
	return add_rule_to_number(l, &l->work[abi][carrier->nr[SECCOMP_ABI_I386]], carrier, rule,
	        mux_args(row), 1, err);
}

static int add_name(
        struct lower *l, const struct ir_rule *rule, const char *name, bool skip, struct err *err)
{
	const struct seccomp_row *row = seccomp_row_find(name);

	if (!row) {
		if (l->report)
			l->report->n_unknown_names++;
		_free_ char *shown = str_escaped(name);
		seccomp_note(
		        l->report, "system call '%s' is not known, its rule is left out", shown);
		return 0;
	}
	for (size_t i = 0; i < l->in->n_abis; i++) {
		int nr = row->nr[l->in->abis[i]];

		if (nr >= 0 && (uint32_t) nr >= l->last[i])
			l->last[i] = (uint32_t) nr + 1;
		if (skip)
			continue;
		if (nr >= 0) {
			int r = add_rule_to_number(
			        l, &l->work[i][nr], row, rule, rule->args, rule->n_args, err);
			if (r < 0)
				return r;
		}
		int r = add_mux_rule(l, i, row, rule, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Appends the conditions of one ref as a case. Returns false when the case can never match. */
static bool add_case(struct lower *l, enum seccomp_abi abi, const struct ref *ref)
{
	struct ir_program *p = l->p;
	struct ir_case c = { .ret = ref->rule->ret, .first_cond = (uint32_t) p->n_conds };

	for (size_t i = 0; i < ref->n_args; i++) {
		struct ir_cond cond;
		int r = ir_cond_reduce(&ref->args[i],
		        seccomp_row_width(ref->row, abi, ref->args[i].index), is_allowing(c.ret),
		        abi == SECCOMP_ABI_I386, &cond);
		if (r < 0) {
			p->n_conds = c.first_cond;
			return false;
		}
		if (r == 0)
			continue;
		grow(p->conds, p->n_conds, p->room_conds);
		p->conds[p->n_conds++] = cond;
		c.n_conds++;
	}
	grow(p->cases, p->n_cases, p->room_cases);
	p->cases[p->n_cases++] = c;
	return true;
}

static uint32_t hash_add(uint32_t h, uint64_t v)
{
	return (h ^ (uint32_t) v ^ (uint32_t) (v >> 32)) * 0x01000193 + 1;
}

static bool same_case(const struct ir_program *p, const struct ir_case *a, const struct ir_case *b)
{
	if (a->ret != b->ret || a->n_conds != b->n_conds)
		return false;
	for (size_t i = 0; i < a->n_conds; i++) {
		const struct ir_cond *x = &p->conds[a->first_cond + i];
		const struct ir_cond *y = &p->conds[b->first_cond + i];
		if (x->mask != y->mask || x->value != y->value || x->arg != y->arg ||
		        x->op != y->op || x->negate != y->negate)
			return false;
	}
	return true;
}

static uint32_t list_hash(const struct ir_program *p, const struct ir_list *list)
{
	uint32_t h = hash_add(list->n_cases, list->otherwise);

	for (size_t i = 0; i < list->n_cases; i++) {
		const struct ir_case *c = &p->cases[list->first_case + i];
		h = hash_add(h, c->ret);
		for (size_t j = 0; j < c->n_conds; j++)
			h = hash_add(h, p->conds[c->first_cond + j].value);
	}
	return h;
}

/* Numbers with equal lists share one, so that neighbours merge and code is made once. */
static uint32_t intern_list(struct ir_program *p, const struct ir_list *list)
{
	for (size_t i = 0; i < p->n_lists; i++) {
		const struct ir_list *other = &p->lists[i];
		bool same = other->hash == list->hash && other->n_cases == list->n_cases &&
		            other->otherwise == list->otherwise;
		for (size_t j = 0; same && j < list->n_cases; j++)
			same = same_case(p, &p->cases[other->first_case + j],
			        &p->cases[list->first_case + j]);
		if (same)
			return (uint32_t) i + 1;
	}
	grow(p->lists, p->n_lists, p->room_lists);
	p->lists[p->n_lists++] = *list;
	return (uint32_t) p->n_lists;
}

/* Stable: the earlier of two equally strict rules stays first. */
static void sort_cases(struct ir_case *cases, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct ir_case c = cases[i];
		size_t j = i;
		for (; j > 0 && strictness(cases[j - 1].ret) < strictness(c.ret); j--)
			cases[j] = cases[j - 1];
		cases[j] = c;
	}
}

static struct ir_slot finish_slot(struct lower *l, enum seccomp_abi abi, const struct work *w)
{
	struct ir_program *p = l->p;
	struct ir_slot slot = { .ret = w->decided ? w->ret : l->in->dflt };
	struct ir_list list = { .first_case = (uint32_t) p->n_cases, .otherwise = slot.ret };
	size_t conds = p->n_conds;

	if (w->decided && l->in->order == IR_STRICTEST)
		return slot;
	for (uint32_t i = w->first; i != 0; i = l->refs[i - 1].next)
		if (add_case(l, abi, &l->refs[i - 1]))
			list.n_cases++;
	if (l->in->order == IR_STRICTEST && list.n_cases > 0)
		sort_cases(&p->cases[list.first_case], list.n_cases);
	/* A case that always holds ends the list. */
	for (uint32_t i = 0; i < list.n_cases; i++)
		if (p->cases[list.first_case + i].n_conds == 0) {
			list.otherwise = p->cases[list.first_case + i].ret;
			list.n_cases = i;
		}
	slot.ret = list.otherwise;
	if (list.n_cases > 0) {
		list.hash = list_hash(p, &list);
		slot.list = intern_list(p, &list);
	}
	if (slot.list == 0 || slot.list < p->n_lists ||
	        p->lists[slot.list - 1].first_case != list.first_case) {
		p->n_cases = list.first_case;
		p->n_conds = conds;
	}
	return slot;
}

static void finish_abi(struct lower *l, size_t i)
{
	struct ir_abi *abi = &l->p->abis[i];

	abi->abi = l->in->abis[i];
	abi->n = l->last[i];
	abi->beyond = l->in->enosys_beyond ? SECCOMP_RET_ERRNO | ENOSYS : l->in->dflt;
	for (uint32_t nr = 0; nr < abi->n; nr++)
		abi->slots[nr] = finish_slot(l, abi->abi, &l->work[i][nr]);
}

static bool is_default(const struct ir_input *in, const struct ir_rule *rule)
{
	return in->order == IR_STRICTEST && rule->ret == in->dflt;
}

int ir_lower(const struct ir_input *in, struct ir_program *p, struct seccomp_report *report,
        struct err *err)
{
	_cleanup_(lower_done) struct lower l = { .in = in, .p = p, .report = report };

	p->abis = xnew_n(struct ir_abi, in->n_abis);
	p->n_abis = in->n_abis;
	p->foreign = in->foreign;
	p->dflt = in->dflt;
	l.work = xcalloc(in->n_abis, sizeof(l.work[0]));
	for (size_t i = 0; i < in->n_rules; i++) {
		const struct ir_rule *rule = &in->rules[i];
		bool skip = is_default(in, rule);

		if (rule->n_args > 0 && !skip && same_index_twice(rule) &&
		        in->order == IR_STRICTEST)
			seccomp_note(report,
			        "seccomp rule %zu names an argument twice: its conditions are "
			        "alternatives",
			        i);
		for (const char *const *name = rule->names; *name; name++) {
			int r = add_name(&l, rule, *name, skip, err);
			if (r < 0)
				return r;
		}
	}
	for (size_t i = 0; i < in->n_abis; i++)
		finish_abi(&l, i);
	return 0;
}
