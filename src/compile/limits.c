/* SPDX-License-Identifier: Apache-2.0 */
#include "compile/internal.h"

#include <inttypes.h>
#include <linux/capability.h>

static const char *limit_text(struct compile *c, uint64_t value)
{
	return value == UINT64_MAX ? "unlimited" : arena_printf(&c->arena, "%" PRIu64, value);
}

/* A hard limit can be raised only with CAP_SYS_RESOURCE. Callers ask for more than some machines
 * give (podman: 1048576 files), so it is cut with a warning and not refused. */
int compile_rlimit(struct compile *c)
{
	const struct oci_process *p = &c->spec->process;
	for (size_t i = 0; i < p->n_rlimits; i++) {
		const struct oci_rlimit *l = &p->rlimits[i];
		uint64_t soft = l->soft, hard = l->hard;
		size_t n = (size_t) l->resource;
		if (!c->facts->can_raise_rlimits && n < ARRAY_SIZE(c->facts->rlimit_hard) &&
		        hard > c->facts->rlimit_hard[n]) {
			uint64_t max = c->facts->rlimit_hard[n];
			compile_note(c,
			        "rlimit %s: hard limit %s cannot be raised above %s here "
			        "(CAP_SYS_RESOURCE is missing); using %s",
			        l->name, limit_text(c, hard), limit_text(c, max),
			        limit_text(c, max));
			hard = max;
		}
		plan_write(c->w, &(struct plan_step){ .kind = PLAN_RLIMIT,
		                         .rlimit = {
		                                 .resource = (uint32_t) l->resource,
		                                 .name = l->name,
		                                 .soft = MIN(soft, hard),
		                                 .hard = hard,
		                         } });
	}
	return 0;
}

int compile_oom_score(struct compile *c)
{
	const struct oci_process *p = &c->spec->process;
	if (!p->has_oom_score_adj)
		return 0;
	int64_t value = p->oom_score_adj;
	if (!c->facts->can_raise_rlimits && value < c->facts->oom_score_adj) {
		compile_note(c,
		        "process.oomScoreAdj: %" PRIi64 " cannot be set here, it is below the "
		        "runtime's own %" PRIi64 " (CAP_SYS_RESOURCE is missing); using %" PRIi64,
		        value, c->facts->oom_score_adj, c->facts->oom_score_adj);
		value = c->facts->oom_score_adj;
	}
	plan_write(c->w,
	        &(struct plan_step){ .kind = PLAN_OOM_SCORE, .oom_score = { .value = value } });
	return 0;
}
