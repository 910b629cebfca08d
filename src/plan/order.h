/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The order of the steps of a plan, in one table with the reason for each neighbour (order.c).
 *
 * The compiler emits steps in this order, the decoder refuses any other, the executor walks it.
 * Several steps of one kind may follow each other. tests/unit/test_order.c fails when two
 * neighbours of the table are swapped.
 */
#include "plan/plan.h"

enum plan_actor {
	ACTOR_SUPERVISOR, /* before the clone, on the host */
	ACTOR_PARENT,     /* the supervisor, while the child waits */
	ACTOR_CHILD,      /* the child, in its new namespaces */
};

struct plan_order {
	enum plan_kind kind;
	enum plan_actor actor;
	const char *after_previous_because; /* why it stands behind its predecessor */
};

extern const struct plan_order plan_order[];
extern const size_t plan_order_count;

/* The place of a kind in the table; -1 when it is not there. */
int plan_rank(enum plan_kind kind);
