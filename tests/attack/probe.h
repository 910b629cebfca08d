/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The probe: one static program that tries what a hostile program in a container would try.
 *
 * Each try runs in a process of its own, so that one that dies or hangs tells only about itself,
 * and prints one line "NAME RESULT": ok (it worked), the name of an error, or one of the words
 * below. Nothing is judged here: the tables of the tests say what has to come out, and why.
 *
 * Arguments are such that a kernel which would allow the call does no harm: wrong magic numbers,
 * NULL pointers, bad descriptors.
 */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

/* What a try may return beside 0 and an errno. */
enum {
	PROBE_NULL = 10001, /* what was opened is the null device that covers it */
	PROBE_EMPTY,        /* there, readable, without a byte */
	PROBE_OTHER,        /* worked, and showed nothing of the host */
	PROBE_NA,           /* this kernel cannot even be asked */
};

struct probe {
	const char *name;
	int (*run)(void);
};

/* Runs the try in a child and prints its line. */
void probe_run(const char *name, int (*run)(const void *), const void *arg);

/* probe_calls.c: the table of system calls, each also with high bits set, by int $0x80 and as x32.
 */
void probe_calls(void);
/* probe_files.c: files that must not be there, by every name that leads to them. */
void probe_files(void);
/* probe_acts.c: what takes more than one call. */
extern const struct probe probe_acts[];
extern const size_t probe_acts_count;
/* The uses that have to work. */
extern const struct probe probe_uses[];
extern const size_t probe_uses_count;

/* 0 or errno of the last call, for 'return probe_result(open(...))'. */
static inline int probe_result(long r)
{
	return r < 0 ? errno : 0;
}
