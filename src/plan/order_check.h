/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Internal to order.c and its test: the rules that any table of the order must keep.
 *
 * Each rule says that one kind stands before another, and why. They are written pair by pair from
 * what the kernel needs, not from the table; for any two neighbours of the table one rule exists,
 * so that no two steps can change places unnoticed.
 */
#include "plan/order.h"

struct plan_rule {
	enum plan_kind before, after;
	const char *because;
};

extern const struct plan_rule plan_rules[];
extern const size_t plan_rules_count;

/* The first rule that the table breaks, or whose kinds it lacks; NULL when it keeps all. */
const struct plan_rule *plan_order_broken(const struct plan_order *table, size_t count);
