/* SPDX-License-Identifier: Apache-2.0 */
#include "seccomp/table.h"

#include "base/str.h"

#include <linux/audit.h>

static uint32_t fnv1a(const char *s)
{
	uint32_t h = 0x811c9dc5;

	for (; *s; s++)
		h = (h ^ (uint8_t) *s) * 0x01000193;
	return h;
}

const struct seccomp_row *seccomp_row_find(const char *name)
{
	uint32_t slot = fnv1a(name) % SECCOMP_HASH_SLOTS;

	/* The table is at most a quarter full, so an empty slot ends every search. */
	for (; seccomp_hash[slot] != 0; slot = (slot + 1) % SECCOMP_HASH_SLOTS) {
		const struct seccomp_row *row = &seccomp_rows[seccomp_hash[slot] - 1];
		if (streq(row->name, name))
			return row;
	}
	return NULL;
}

unsigned int seccomp_row_width(
        const struct seccomp_row *row, enum seccomp_abi abi, unsigned int arg)
{
	static const uint8_t bits[] = { 0, 16, 32, 64 };

	if (arg >= SECCOMP_ARGS)
		return 0;
	return bits[(row->widths[abi] >> (2 * arg)) & 3];
}

int seccomp_syscall_number(const char *name, enum seccomp_abi abi)
{
	const struct seccomp_row *row = seccomp_row_find(name);

	if (!row || row->nr[abi] < 0)
		return -1;
	return row->nr[abi] | (abi == SECCOMP_ABI_X32 ? SECCOMP_X32_BIT : 0);
}

const char *seccomp_syscall_name(int number, enum seccomp_abi abi)
{
	if (abi == SECCOMP_ABI_X32) {
		if ((number & SECCOMP_X32_BIT) == 0)
			return NULL;
		number &= ~SECCOMP_X32_BIT;
	}
	if (number < 0 || number >= SECCOMP_NR_MAX || seccomp_by_number[abi][number] == 0)
		return NULL;
	return seccomp_rows[seccomp_by_number[abi][number] - 1].name;
}

unsigned int seccomp_arg_width(const char *name, enum seccomp_abi abi, unsigned int index)
{
	const struct seccomp_row *row = seccomp_row_find(name);

	return row ? seccomp_row_width(row, abi, index) : 0;
}

static const struct {
	uint32_t audit_arch;
	const char *name;
} abis[SECCOMP_ABI_COUNT] = {
	[SECCOMP_ABI_X86_64] = { AUDIT_ARCH_X86_64, "SCMP_ARCH_X86_64" },
	[SECCOMP_ABI_X32] = { AUDIT_ARCH_X86_64, "SCMP_ARCH_X32" },
	[SECCOMP_ABI_I386] = { AUDIT_ARCH_I386, "SCMP_ARCH_X86" },
	[SECCOMP_ABI_AARCH64] = { AUDIT_ARCH_AARCH64, "SCMP_ARCH_AARCH64" },
};

uint32_t seccomp_abi_audit_arch(enum seccomp_abi abi)
{
	return abis[abi].audit_arch;
}

const char *seccomp_abi_name(enum seccomp_abi abi)
{
	return abis[abi].name;
}
