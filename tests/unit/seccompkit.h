/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the seccomp tests share: filters to ask, profiles to read, libseccomp as a second opinion.
 */
#include "oci/spec.h"
#include "seccomp/seccomp.h"
#include "testkit.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#define ALLOW      SECCOMP_RET_ALLOW
#define NO(e)      (SECCOMP_RET_ERRNO | (uint32_t) (e))
#define HIGH       (UINT64_C(1) << 32) /* the lowest bit that the kernel does not see in an int */
#define ARGS(...)  ((const uint64_t[6]){ __VA_ARGS__ })
#define NAMES(...) ((const char *const[]){ __VA_ARGS__, NULL })

struct filter {
	struct sock_filter *insns;
	size_t n;
	uint32_t flags;
};
#define _filter_done_ _cleanup_(filter_done)
void filter_done(struct filter *f);

/* A target as in production, but with any native ABI. */
struct seccomp_target kit_target(enum seccomp_abi native);
/* Compiles and checks; fails the test on an error. */
void kit_compile(
        const struct oci_seccomp *profile, const struct seccomp_target *target, struct filter *ret);
void kit_compile_default(const struct seccomp_target *target, struct filter *ret);
/* What the filter answers. A name that the ABI lacks fails the test. */
uint32_t kit_ask(
        const struct filter *f, enum seccomp_abi abi, const char *name, const uint64_t args[6]);
uint32_t kit_ask_number(
        const struct filter *f, enum seccomp_abi abi, uint32_t nr, const uint64_t args[6]);
/* tests/unit/data/docker-default-seccomp.json inside a config; free with oci_spec_free. */
struct oci_spec *kit_docker_profile(void);
/* libseccomp's filter for the profile, rules added in the way of runc. */
void kit_libseccomp(const struct oci_seccomp *profile, struct filter *ret);
/* The SCMP_ARCH_* value of libseccomp. */
uint32_t kit_scmp_arch(enum seccomp_abi abi);
