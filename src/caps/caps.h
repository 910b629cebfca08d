/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Capability names, numbers and sets.
 *
 * Theory of operation: a set is a 64-bit mask, bit n is capability n of linux/capability.h. The
 * names part (names.c) is pure: one table, no look at the running kernel, so a config written for a
 * newer kernel reads the same everywhere. Bits above CAPS_LAST are capabilities that this version
 * does not know by name; they print as numbers.
 */
#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	CAPS_LAST = 40, /* CAP_CHECKPOINT_RESTORE, Linux 5.9 */
	CAPS_COUNT = CAPS_LAST + 1,
};

#define CAPS_BIT(cap) (UINT64_C(1) << (cap))
/* Every capability that has a name here. */
#define CAPS_ALL (CAPS_BIT(CAPS_COUNT) - 1)

/* The number of a capability: any case, with or without "CAP_". -ENOENT when there is none of that
 * name. */
int caps_number(const char *name);
/* The full name ("CAP_CHOWN"), NULL for a number without a name. */
const char *caps_name(int cap);
/* Appends the set as full names in order of their numbers, with sep between them
 * ("CAP_CHOWN CAP_KILL"). Appends nothing for the empty set. Returns 0 or -EMSGSIZE. */
int caps_format(uint64_t set, const char *sep, struct buf *out);
/* The same in the short form that the command line takes: "chown,kill". */
int caps_format_short(uint64_t set, struct buf *out);

/* --- putting sets on the calling process (apply.c) ------------------------------------------- */

/*
 * Order in a child: caps_drop_bounding (needs CAP_SETPCAP), caps_keep(true), the change of uid and
 * gid, caps_keep(false), caps_apply. Without caps_keep a change from uid 0 empties the permitted
 * set. An inheritable set that nobody asked for must be empty: a program with file capabilities
 * would take them up (CVE-2022-24769 in docker, podman, buildah, crun and runc). Uses prctl,
 * capset and capget only, so it is safe between clone and exec.
 */
struct err;
struct caps_sets {
	uint64_t bounding, effective, permitted, inheritable, ambient;
};
/* Drops every capability that is not in 'keep' from the bounding set, up to the last one that the
 * running kernel knows. -EPERM without CAP_SETPCAP when there is something to drop. */
int caps_drop_bounding(uint64_t keep, struct err *err);
/* PR_SET_KEEPCAPS for the calling thread. Exec clears it in any case. */
int caps_keep(bool keep, struct err *err);
/*
 * Clears the ambient set, sets the three sets with capset(2), raises the ambient ones. Capabilities
 * that the process does not hold (permitted) cannot be given: they are left out, and *ret_missing
 * (may be NULL) tells which, so that the caller can refuse or warn. effective is cut to permitted,
 * ambient to permitted and inheritable, as the kernel would refuse them otherwise.
 */
int caps_apply(const struct caps_sets *want, uint64_t *ret_missing, struct err *err);
/* The sets of the calling process, for checks and for printing. */
int caps_read(struct caps_sets *ret, struct err *err);
