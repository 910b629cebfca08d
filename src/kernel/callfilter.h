/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The system calls that a program of ours may still make: a short list of numbers, everything else
 * ends it. Not for containers: their profiles are compiled by the seccomp module, which knows
 * names, arguments and other ABIs. This one is linear and needs no memory, no table and no parser;
 * the calls that come in thousands should be added first.
 */
#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>

enum { CALLFILTER_MAX = 128 };

struct callfilter {
	struct sock_filter code[CALLFILTER_MAX];
	unsigned short n;
};

/* Begins one: a call of another ABI than our own ends the process. */
void callfilter_begin(struct callfilter *f);
/* Answers each of the calls with action (SECCOMP_RET_...). */
void callfilter_list(struct callfilter *f, const int *calls, size_t n, uint32_t action);
/* ioctl(2) with this request is allowed, with another it fails with ENOTTY. */
void callfilter_ioctl(struct callfilter *f, uint32_t request);
/* Ends it, with mmap(2) of memory that is not executable as the last call, and enters it for good.
 * Needs no_new_privs. Returns 0; -E2BIG: it does not fit; the error of seccomp(2). */
int callfilter_enter(struct callfilter *f);
