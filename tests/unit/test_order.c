/* SPDX-License-Identifier: Apache-2.0 */
/* The order of the steps: it keeps every rule, and no two neighbours can change places. */
#include "testkit.h"

#include "plan/order_check.h"
#include "plan/fields.h"

#include <string.h>

static void table_keeps_every_rule(void **state)
{
	const struct plan_rule *broken = plan_order_broken(plan_order, plan_order_count);

	(void) state;
	if (broken)
		fail_msg("'%s' must stand before '%s': %s", plan_kind_name(broken->before),
		        plan_kind_name(broken->after), broken->because);
}

static void swapping_any_neighbours_breaks_a_rule(void **state)
{
	struct plan_order table[64];

	(void) state;
	assert_true(plan_order_count <= ARRAY_SIZE(table));
	for (size_t i = 0; i + 1 < plan_order_count; i++) {
		memcpy(table, plan_order, plan_order_count * sizeof(*table));
		table[i] = plan_order[i + 1];
		table[i + 1] = plan_order[i];
		if (!plan_order_broken(table, plan_order_count))
			fail_msg("'%s' and '%s' can change places unnoticed",
			        plan_kind_name(plan_order[i].kind),
			        plan_kind_name(plan_order[i + 1].kind));
	}
}

static void leaving_out_a_kind_breaks_a_rule(void **state)
{
	struct plan_order table[64];

	(void) state;
	for (size_t i = 0; i < plan_order_count; i++) {
		memcpy(table, plan_order, i * sizeof(*table));
		memcpy(table + i, plan_order + i + 1, (plan_order_count - i - 1) * sizeof(*table));
		assert_non_null(plan_order_broken(table, plan_order_count - 1));
	}
}

static void every_kind_stands_in_the_table_once(void **state)
{
	(void) state;
	for (unsigned int kind = 0; kind < PLAN_KIND_COUNT; kind++) {
		size_t seen = 0;

		for (size_t i = 0; i < plan_order_count; i++)
			seen += plan_order[i].kind == kind;
		assert_int_equal(seen, plan_layout_of(kind) ? 1 : 0);
	}
	assert_int_equal(plan_rank((enum plan_kind) 0), -1);
	assert_int_equal(plan_rank(PLAN_KIND_COUNT), -1);
}

static void actors_come_in_turn(void **state)
{
	(void) state;
	for (size_t i = 1; i < plan_order_count; i++)
		assert_true(plan_order[i - 1].actor <= plan_order[i].actor);
}

static void every_row_has_a_reason(void **state)
{
	(void) state;
	for (size_t i = 0; i < plan_order_count; i++)
		assert_true(strlen(plan_order[i].after_previous_because) > 20);
	for (size_t i = 0; i < plan_rules_count; i++)
		assert_true(strlen(plan_rules[i].because) > 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testkit_case(table_keeps_every_rule),
		testkit_case(swapping_any_neighbours_breaks_a_rule),
		testkit_case(leaving_out_a_kind_breaks_a_rule),
		testkit_case(every_kind_stands_in_the_table_once),
		testkit_case(actors_come_in_turn),
		testkit_case(every_row_has_a_reason),
	};

	return testkit_run(tests);
}
