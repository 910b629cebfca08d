/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Comparing, escaping and parsing of short texts. Nothing here depends on the locale. */
#include "base/buf.h"

#include <stdbool.h>
#include <string.h>

static inline bool streq(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

bool str_has_prefix(const char *s, const char *prefix);
bool str_has_suffix(const char *s, const char *suffix);
/* Appends s with control bytes, bytes above 0x7e and backslashes as \xNN, so that foreign bytes
 * cannot drive a terminal or forge a line. At most max bytes of s are shown, then "...". */
int str_escape(struct buf *out, const char *s, size_t len, size_t max);
/* The same as a new string, for error texts; at most 200 bytes of s are shown. */
char *str_escaped(const char *s);

/* Length of the UTF-8 sequence at s, of which len bytes may be read; 0 when it is not one (RFC
 * 3629: no overlong forms, no surrogates, nothing above U+10FFFF). */
size_t str_utf8_length(const char *s, size_t len);
bool str_is_utf8(const char *s, size_t len);

/* Numbers: the whole text must be the number; no sign for the unsigned ones, no blanks, no octal.
 * Return 0, -EINVAL (not a number) or -ERANGE. */
int num_parse_u64(const char *s, uint64_t *ret);
int num_parse_u32(const char *s, uint32_t *ret);
int num_parse_i64(const char *s, int64_t *ret);
/* A size in bytes with an optional suffix b, k, m, g, t or kb, mb, ... or kib, mib ... (any case,
 * factor 1024; a decimal fraction is allowed before a suffix, as docker's -m takes it). */
int num_parse_size(const char *s, uint64_t *ret);
/* A decimal number such as 1.5 as thousandths of a millionth (1.5 -> 1500000000), as docker's
 * --cpus takes it. */
int num_parse_nano(const char *s, uint64_t *ret);
/* A duration as Go writes it, in nanoseconds: "1m30s", "1.5h", "-2ms", "0". */
int num_parse_duration(const char *s, int64_t *ret);

/* RFC 3339 time in UTC with nanoseconds, e.g. 2026-01-31T12:00:00.123456789Z. out has at least 36
 * bytes. */
void time_rfc3339(char *out, size_t size);
