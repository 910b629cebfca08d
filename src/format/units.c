/* SPDX-License-Identifier: Apache-2.0 */
#include "format/units.h"

#include <stdio.h>
#include <string.h>

static void plural(char *out, int64_t n, const char *units)
{
	(void) snprintf(out, FORMAT_UNIT_SIZE, "%lld %s", (long long) n, units);
}

void format_duration(char out[FORMAT_UNIT_SIZE], int64_t seconds)
{
	static const struct {
		int below; /* hours */
		int hours; /* of one unit */
		const char *units;
	} scale[] = {
		{ 48, 1, "hours" },
		{ 24 * 7 * 2, 24, "days" },
		{ 24 * 30 * 2, 24 * 7, "weeks" },
		{ 24 * 365 * 2, 24 * 30, "months" },
	};
	/* Hours are rounded, so that 1 h 30 min are 2 hours; years alone are not. */
	int64_t minutes = seconds / 60, hours = seconds / 3600 + (seconds % 3600 >= 1800);

	if (seconds < 1)
		(void) snprintf(out, FORMAT_UNIT_SIZE, "Less than a second");
	else if (seconds == 1)
		(void) snprintf(out, FORMAT_UNIT_SIZE, "1 second");
	else if (seconds < 60)
		plural(out, seconds, "seconds");
	else if (minutes == 1)
		(void) snprintf(out, FORMAT_UNIT_SIZE, "About a minute");
	else if (minutes < 60)
		plural(out, minutes, "minutes");
	else if (hours == 1)
		(void) snprintf(out, FORMAT_UNIT_SIZE, "About an hour");
	else {
		for (size_t i = 0; i < ARRAY_SIZE(scale); i++)
			if (hours < scale[i].below) {
				plural(out, hours / scale[i].hours, scale[i].units);
				return;
			}
		plural(out, seconds / 3600 / 24 / 365, "years");
	}
}

char *format_ago(int64_t now, int64_t then)
{
	char text[FORMAT_UNIT_SIZE];
	int64_t passed;

	if (__builtin_sub_overflow(now, then, &passed))
		passed = then < now ? INT64_MAX : 0;
	format_duration(text, passed);
	return xprintf("%s ago", text);
}

/* As C prints %g, but never 1e+03. */
static void size_text(char *out, uint64_t bytes, double base, const char *const *units, int digits)
{
	double n = (double) bytes;

	for (; n >= base && units[1]; units++)
		n /= base;
	(void) snprintf(out, FORMAT_UNIT_SIZE, "%.*g%s", digits, n, *units);
	if (strchr(out, 'e'))
		(void) snprintf(out, FORMAT_UNIT_SIZE, "%.0f%s", n, *units);
}

void format_size(char out[FORMAT_UNIT_SIZE], uint64_t bytes, int digits)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB", NULL };

	size_text(out, bytes, 1000, units, digits);
}

void format_size_binary(char out[FORMAT_UNIT_SIZE], uint64_t bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", NULL };

	size_text(out, bytes, 1024, units, 4);
}
