/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * System calls of the log writer that fail or kill. A test program that links this has its own
 * write, ftruncate, renameat, unlinkat and openat, which count and then call the kernel.
 */
#include <stdbool.h>

enum logfault_call {
	FAULT_WRITE,
	FAULT_TRUNCATE,
	FAULT_RENAME,
	FAULT_UNLINK,
	FAULT_OPEN,
	FAULT_CALLS,
};

struct logfault {
	bool on;
	int calls;   /* counted while on */
	int kill_at; /* the process ends before this call (1 is the first), 0: never */
	int torn_at; /* the process ends in the middle of this call, if it writes */
	int fail_errno[FAULT_CALLS]; /* not 0: all calls of this kind fail so */
	int short_write;             /* not 0: a write takes so many bytes at most, then fails */
};
extern struct logfault logfault;
