/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The generated table of system calls (gen-syscalls.py). Internal to the module. */
#include "seccomp/seccomp.h"

enum {
	SECCOMP_NR_MAX = 1024, /* numbers below this have room everywhere (x32 without its bit) */
	SECCOMP_HASH_SLOTS = 2048,
	SECCOMP_ARGS = 6,
	SECCOMP_X32_BIT = 0x40000000,
};

enum seccomp_mux {
	SECCOMP_MUX_NONE,
	SECCOMP_MUX_SOCKETCALL,
	SECCOMP_MUX_IPC,
};

struct seccomp_row {
	const char *name;
	int16_t nr[SECCOMP_ABI_COUNT];      /* -1: the ABI lacks it */
	uint16_t widths[SECCOMP_ABI_COUNT]; /* 2 bits an argument: 0 unknown, 1: 16, 2: 32, 3: 64 */
	uint8_t mux;    /* enum seccomp_mux: the older i386 way to the same call */
	uint8_t mux_nr; /* its first argument */
};

extern const struct seccomp_row seccomp_rows[];
extern const size_t seccomp_rows_n;
extern const uint16_t seccomp_hash[SECCOMP_HASH_SLOTS]; /* index + 1 by FNV-1a, linear probing */
extern const uint16_t seccomp_by_number[SECCOMP_ABI_COUNT][SECCOMP_NR_MAX]; /* index + 1 */

/* The row of a name, or NULL. */
const struct seccomp_row *seccomp_row_find(const char *name);
/* Bits of the argument that the kernel looks at, 0 when that is unknown. */
unsigned int seccomp_row_width(
        const struct seccomp_row *row, enum seccomp_abi abi, unsigned int arg);
