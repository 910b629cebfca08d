/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Times as nanoseconds since 1970 and as RFC 3339 texts, without the C library's tables of zones.
 * The range is that of 64 bits: years 1678 to 2261.
 */
#include "base/base.h"

enum { LOG_STAMP_SIZE = 32 };
#define LOG_SECOND 1000000000LL

/* "2026-01-31T12:00:00" of a second; 19 bytes and a NUL. The second must lie in the range. */
void log_stamp_second(int64_t second, char out[20]);
/* "2026-01-31T12:00:00.123456789Z", always nine digits, and a NUL; returns the length. */
size_t log_stamp_fixed(int64_t ns, char out[LOG_STAMP_SIZE]);
/* The fraction and the end of a stamp as Go writes it: ".1234Z", or "Z"; returns the length. */
size_t log_stamp_fraction(uint32_t ns, char out[12]);
/* Reads an RFC 3339 time: date, 'T', time, up to nine digits of fraction (more are read and
 * ignored), 'Z' or +hh:mm. Returns 0, or -EINVAL when it is anything else or out of the range. */
int log_stamp_parse(const char *text, size_t len, int64_t *ret);
/* Splits ns into a second, rounded down, and the rest. */
static inline int64_t log_stamp_split(int64_t ns, uint32_t *ret_rest)
{
	int64_t second = ns / LOG_SECOND, rest = ns % LOG_SECOND;

	if (rest < 0) {
		second--;
		rest += LOG_SECOND;
	}
	*ret_rest = (uint32_t) rest;
	return second;
}
