/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Build tool: prints the default profile as initializers of struct sock_filter.
 *
 *   compile-default x86_64|aarch64
 */
#include "base/str.h"
#include "seccomp/seccomp.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>

static int print_filter(const struct sock_filter *insns, size_t n)
{
	for (size_t i = 0; i < n; i++)
		(void) printf("{0x%02x, %u, %u, 0x%08x},\n", insns[i].code, insns[i].jt,
		        insns[i].jf, insns[i].k);
	return fflush(stdout) == 0 ? 0 : -errno;
}

int main(int argc, char **argv)
{
	struct seccomp_target target = { .foreign_action = SECCOMP_RET_ERRNO | ENOSYS };
	_buf_done_ struct buf out = BUF_INIT(SECCOMP_FILTER_BYTES_MAX);
	struct err err = { 0 };
	size_t n;
	int r;

	if (argc != 2 || (!streq(argv[1], "x86_64") && !streq(argv[1], "aarch64"))) {
		(void) fprintf(stderr, "usage: compile-default x86_64|aarch64\n");
		return 2;
	}
	target.native = streq(argv[1], "aarch64") ? SECCOMP_ABI_AARCH64 : SECCOMP_ABI_X86_64;
	r = seccomp_default_compile(&target, &out, &err);
	n = out.len / sizeof(struct sock_filter);
	if (r == 0)
		r = seccomp_check((const void *) out.data, n, &err);
	if (r == 0) {
		r = print_filter((const void *) out.data, n);
		if (r < 0)
			(void) err_errno(&err, r, "cannot write the filter");
	}
	if (r < 0)
		(void) fprintf(stderr, "compile-default: %s\n", err.text);
	return r < 0 ? 1 : 0;
}
