/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The default sandbox: what every container of the bulkhead command gets when nobody asks for
 * anything.
 *
 * Theory of operation: pure data and one function that lays it over an OCI specification. The
 * profile is an allow-list wherever one is possible: /proc entries, devices, capabilities, system
 * calls, Landlock rights. It grants nothing that an ordinary image does not need, and each line
 * of profile.c says what it is for. What a container gets instead is data: struct profile_limits
 * and struct profile_grants. docs/ARCHITECTURE.md has the table.
 */
#include "oci/spec.h"
#include "compile/compile.h"

enum {
	/* Ids on the host that nothing else uses: systemd reserves 0x80000-0x6fffffff for its own
	 * containers, distributions' subuid ranges begin at 100000; 0x70000000-0x7fffffff is free.
	 */
	PROFILE_IDS_FIRST = 0x70000000,
	PROFILE_IDS_LAST = 0x7ffdffff, /* behind it: store.h, STORE_UNPACK_HOST_ID */
	PROFILE_IDS_SIZE = 65536,
};

enum { PROFILE_LIST_MAX = 256 };

/* What the machine has, for limits that are shares of it. */
struct profile_host {
	uint64_t memory; /* bytes of RAM */
	uint32_t cpus;   /* CPUs that may be used */
	/* The same as lists: "0-3"; memory nodes: "0". */
	char cpu_list[PROFILE_LIST_MAX], node_list[PROFILE_LIST_MAX];
	uint32_t kernel_major, kernel_minor; /* running now */
	int64_t boottime;                    /* seconds since boot, for the time namespace */
	int64_t monotonic;
	const struct facts *facts; /* for rlimits; borrowed */
};
int profile_host_probe(const struct facts *facts, struct profile_host *ret, struct err *err);

/* Limits; zero and NULL mean the default of the profile. */
struct profile_limits {
	uint64_t memory, memory_reservation; /* bytes */
	int64_t memory_swap;                 /* memory and swap together; -1: unlimited */
	uint64_t nano_cpus, cpu_shares;
	int64_t cpu_quota, cpu_period; /* microseconds; quota -1: unlimited */
	const char *cpuset_cpus, *cpuset_mems;
	int64_t pids; /* -1: unlimited */
	uint64_t shm_size;
	bool oom_kill_disable; /* left out where the kernel has no such switch (cgroup v2) */
};

/* What one container has instead of the default; profile_grants_default() is the profile itself. */
struct profile_grants {
	uint64_t caps;                     /* the capabilities that it starts with */
	bool system_paths;                 /* /proc as it is */
	bool seccomp_off;                  /* no filter */
	const struct oci_seccomp *seccomp; /* NULL: the default filter */
	const struct oci_rlimit *rlimits;  /* instead of or beside the profile's */
	size_t n_rlimits;
	const struct oci_kv *sysctls; /* keys in any form; instead of or beside the profile's */
	size_t n_sysctls;
	int64_t oom_score_adj;
};
struct profile_grants profile_grants_default(void);

/* Bytes that a container may use when nobody says. */
uint64_t profile_default_memory(const struct profile_host *host);

/* Fills namespaces, id maps, mounts, capabilities, rlimits, sysctls, resources and paths of spec,
 * and the parts that OCI cannot say in ext. The texts are constants, the caller's, or belong to
 * spec's arena. -EINVAL, -ERANGE: this machine cannot give what was asked for. */
int profile_apply(struct oci_spec *spec, struct compile_ext *ext, const struct profile_host *host,
        const struct profile_limits *limits, const struct profile_grants *grants, uint32_t host_id,
        struct err *err);
