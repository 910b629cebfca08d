/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes as a seccomp profile of --security-opt. What is accepted compiles, or is refused with a
 * sentence, and never has a rule for somebody who listens. */
#include "base/str.h"
#include "oci/seccomp_profile.h"
#include "seccomp/seccomp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool truth)
{
	if (!truth)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct oci_seccomp_place places[] = { { 0, 4, 19 }, { UINT64_MAX, 6, 1 } };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		_arena_done_ struct arena arena = { 0 };
		_buf_done_ struct buf filter = BUF_INIT(SECCOMP_FILTER_BYTES_MAX);
		struct seccomp_target target = seccomp_target_host();
		const struct oci_seccomp *s = NULL;
		struct err err = { 0 };
		uint32_t flags = 0;
		int r = oci_seccomp_profile_parse(
		        (const char *) data, size, &places[i], &arena, &s, &err);

		if (r < 0) {
			require(!s && err.code == r && *err.text);
			return 0;
		}
		require(s->architectures && s->flags && s->default_action != OCI_ACT_NOTIFY);
		for (size_t k = 0; k < s->n_rules; k++)
			require(s->rules[k].names[0] && s->rules[k].action != OCI_ACT_NOTIFY);
		err = (struct err){ 0 };
		r = seccomp_compile(s, &target, &filter, &flags, NULL, &err);
		require(r == 0 || *err.text);
		if (r == 0)
			require(seccomp_check(
			                (const struct sock_filter *) (const void *) filter.data,
			                filter.len / sizeof(uint64_t), &err) == 0);
	}
	return 0;
}
