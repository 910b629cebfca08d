/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Seccomp profiles of --security-opt seccomp=FILE.
 *
 * Theory of operation: three forms are taken: docker's profile, whose rules may depend on the
 * architecture, the capabilities and the kernel ("archMap", "includes", "excludes"); the object
 * "linux.seccomp" of an OCI configuration, which is the same without conditions; and a whole OCI
 * configuration, of which only that object is looked at. The conditions are decided here, for the
 * container and machine at hand, and what is left is an ordinary struct oci_seccomp. Pure. A key
 * that is not known is an error: it may have been meant as a condition.
 */
#include "oci/spec.h"

enum { OCI_SECCOMP_PROFILE_MAX = 256 << 10 }; /* bytes */

/* What conditions are about. */
struct oci_seccomp_place {
	uint64_t caps;                       /* bounding set of the container */
	uint32_t kernel_major, kernel_minor; /* running now */
};

/* Parses len bytes. The result belongs to the arena. -EINVAL with the dotted name, -EMSGSIZE,
 * -EOPNOTSUPP: SCMP_ACT_NOTIFY, which needs somebody who listens. */
int oci_seccomp_profile_parse(const char *json, size_t len, const struct oci_seccomp_place *place,
        struct arena *arena, const struct oci_seccomp **ret, struct err *err);
