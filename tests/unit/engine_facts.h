/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A machine that has everything, for tests of what the engine compiles. */
#include "cgroup/cgroup.h"
#include "facts/facts.h"

static const struct cgroup_facts cgroups = {
	.mode = CGROUP_V2,
	.v2_controllers = "cpuset cpu io memory pids",
	.v2_own = "/",
	.swap_accounting = true,
};

static const struct facts facts = {
	.cgroup = &cgroups,
	.landlock_abi = 7,
	.privileged = true,
	.can_raise_rlimits = true,
	.last_cap = 40,
	.caps = UINT64_MAX,
	.has_memfd_noexec = true,
	.has_time_namespace = true,
};
