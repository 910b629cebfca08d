/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The default sandbox: what every container of the bulkhead command gets when nobody asks for
 * anything.
 *
 * Theory of operation: pure data and one function that lays it over an OCI specification. The
 * profile is an allow-list wherever one is possible: /proc entries, devices, capabilities, system
 * calls, Landlock rights. It grants nothing that an ordinary image does not need, and each line
 * below says what it is for. docs/ARCHITECTURE.md has the table.
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

/* What the machine has, for limits that are shares of it. */
struct profile_host {
	uint64_t memory;  /* bytes of RAM */
	uint32_t cpus;    /* CPUs that may be used */
	int64_t boottime; /* seconds since boot, for the time namespace */
	int64_t monotonic;
	const struct facts *facts; /* for rlimits; borrowed */
};
int profile_host_probe(const struct facts *facts, struct profile_host *ret, struct err *err);

/* Limits; zero means the default of the profile. */
struct profile_limits {
	uint64_t memory; /* bytes */
	uint64_t nano_cpus;
	int64_t pids; /* -1: unlimited */
};

/* Fills namespaces, id maps, mounts, capabilities, rlimits, sysctls, resources and paths of spec,
 * and the parts that OCI cannot say in ext. The texts are constants or belong to spec's arena. */
int profile_apply(struct oci_spec *spec, struct compile_ext *ext, const struct profile_host *host,
        const struct profile_limits *limits, uint32_t host_id, struct err *err);
