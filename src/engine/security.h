/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What protects a container, in words: one line a layer, derived from the plan that is executed
 * (not from the request), with what the kernel lacks said as plainly as what it has.
 */
#include "base/buf.h"
#include "plan/plan.h"
#include "facts/facts.h"

/* Appends the table: layer, state, detail. */
void security_table(const struct plan *plan, const struct facts *facts, struct buf *out);
/* Appends what this kernel gives and what is lost without it ('bulkhead info'). */
void security_info(const struct facts *facts, struct buf *out);
