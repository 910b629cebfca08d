/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Facts: what the machine offers to containers.
 *
 * Theory of operation: the compiler is pure, so what it must know of the machine comes in as this
 * structure. Programs fill it by facts_probe(), tests by hand, and so one machine can compile for
 * another. A probe is cheap: a dozen system calls, no mount table; what is missing is a fact, not
 * an error.
 */
#include "base/err.h"
#include "oci/spec.h"

#include <stdbool.h>
#include <sys/types.h>

struct cgroup_facts;

struct facts {
	const struct cgroup_facts *cgroup; /* NULL: no control groups are to be used */
	int landlock_abi;                  /* 0: none */
	bool privileged;          /* euid 0 in the initial user namespace with CAP_SYS_ADMIN */
	bool can_raise_rlimits;   /* CAP_SYS_RESOURCE */
	uint64_t rlimit_hard[16]; /* our own hard limits by RLIMIT_* number */
	uint64_t last_cap;        /* highest capability number of the kernel */
	uint64_t caps;            /* our own permitted set: without a user namespace no
	                             container can get more */
	int64_t oom_score_adj;    /* our own: lowering it needs CAP_SYS_RESOURCE */
	bool has_memfd_noexec;    /* vm.memfd_noexec (Linux 6.3) */
	bool has_time_namespace;
	uid_t euid;
	gid_t egid;
};

/* Fills facts with static storage behind the pointers; cheap (no mountinfo, a dozen system calls).
 */
int facts_probe(struct facts *ret, struct err *err);
/* The same for compiling 'spec' with a struct compile_ext that has no early sysctls: what it cannot
 * ask for (limits, OOM score, time namespaces) is left at zero. */
int facts_probe_for(const struct oci_spec *spec, struct facts *ret, struct err *err);
