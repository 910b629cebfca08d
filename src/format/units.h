/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Sizes, durations and times in docker's words, and times that users write.
 *
 * Times are nanoseconds since 1970 in int64_t; 0 is Go's zero time, "never". Nothing here asks for
 * the time: the caller passes what it calls now. Only functions that say so read the machine's time
 * zone.
 */
#include "base/buf.h"
#include "base/err.h"

enum {
	FORMAT_UNIT_SIZE = 32, /* fits every text below */
	FORMAT_TIME_SIZE = 48,
};

/* "Less than a second", "5 seconds", "About a minute", "3 weeks"; without "ago". Less than nothing
 * is less than a second. */
void format_duration(char out[FORMAT_UNIT_SIZE], int64_t seconds);
/* The same as new memory, of the time between two moments in seconds, followed by " ago". */
char *format_ago(int64_t now, int64_t then);
/* Decimal, with three (images, ps, network) or four digits: "12.3MB", "999B". */
void format_size(char out[FORMAT_UNIT_SIZE], uint64_t bytes, int digits);
/* Binary with four digits, as docker stats prints memory: "512MiB", "1.465GiB". */
void format_size_binary(char out[FORMAT_UNIT_SIZE], uint64_t bytes);

/* RFC 3339 in UTC as Go's RFC3339Nano: a fraction without trailing zeros, none for whole seconds.
 * 0 is "0001-01-01T00:00:00Z". */
void format_time(char out[FORMAT_TIME_SIZE], int64_t ns);
/* "2026-01-31 12:00:00 +0100 CET" in the machine's time zone, as CreatedAt of docker's lists. */
void format_time_local(char out[FORMAT_TIME_SIZE], int64_t seconds);

/* Reads RFC 3339 ("2026-01-31T12:00:00.5Z", "+01:00"; a space for the T is refused). -EINVAL: not
 * such a time; -ERANGE: not between 1678 and 2262. Go's zero time gives 0. */
int format_parse_rfc3339(const char *text, int64_t *ret_ns);
/* Reads a value of --since and --until: RFC 3339 with or without zone (then the machine's own at
 * 'now'), also without seconds, minutes or the whole time of day; seconds since 1970 with an
 * optional fraction; a duration as Go writes it ("10m", "1h30m", "1.5s", "-5m"), which means as
 * long before now. -EINVAL and -ERANGE with the sentence. */
int format_parse_time(const char *text, int64_t now_ns, int64_t *ret_ns, struct err *err);
/* Reads a duration of Go: "1h15m30.918s", "-1.5h", "300ms", "0". The number is nanoseconds. */
int format_parse_duration(const char *text, int64_t *ret_ns);
