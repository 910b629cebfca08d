/* SPDX-License-Identifier: Apache-2.0 */
/* The default profile as it was compiled for this machine at build time. */
#include "seccomp/seccomp.h"

#include <linux/filter.h>

static const struct sock_filter filter[] = {
#include "seccomp-default.inc"
};

const struct sock_filter *seccomp_default_filter(size_t *ret_n)
{
	*ret_n = ARRAY_SIZE(filter);
	return filter;
}
