/* SPDX-License-Identifier: Apache-2.0 */
#include "logs/stamp.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

enum { DAY = 86400, DAYS_400_YEARS = 146097, YEAR_FIRST = 1678, YEAR_LAST = 2261 };

static void put_digits(char *out, uint32_t value, size_t digits)
{
	while (digits > 0) {
		out[--digits] = (char) ('0' + value % 10);
		value /= 10;
	}
}

static bool is_leap(int64_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Days before each month of a year that begins in March, so that the leap day comes last. */
static const uint16_t days_before[12] = { 0, 31, 61, 92, 122, 153, 184, 214, 245, 275, 306, 337 };

void log_stamp_second(int64_t second, char out[20])
{
	/* counted from 1 March 0000: 719468 days before 1970 */
	int64_t days = second / DAY - (second % DAY < 0) + 719468;
	uint32_t in_day = (uint32_t) (second - (days - 719468) * DAY);
	uint32_t rest = (uint32_t) (days % DAYS_400_YEARS);
	/* a year is 365 days, but each 4th has one more, each 100th not, the 400th again */
	uint32_t year = (rest - rest / 1460 + rest / 36524 - rest / 146096) / 365;
	uint32_t day = rest - (year * 365 + year / 4 - year / 100), month = 11;

	while (days_before[month] > day)
		month--;
	day -= days_before[month];
	year += (uint32_t) (days / DAYS_400_YEARS) * 400 + (month >= 10);
	month = month >= 10 ? month - 9 : month + 3;
	memcpy(out, "0000-00-00T00:00:00", 20);
	put_digits(out, year, 4);
	put_digits(out + 5, month, 2);
	put_digits(out + 8, day + 1, 2);
	put_digits(out + 11, in_day / 3600, 2);
	put_digits(out + 14, in_day / 60 % 60, 2);
	put_digits(out + 17, in_day % 60, 2);
}

size_t log_stamp_fixed(int64_t ns, char out[LOG_STAMP_SIZE])
{
	uint32_t rest;

	log_stamp_second(log_stamp_split(ns, &rest), out);
	out[19] = '.';
	put_digits(out + 20, rest, 9);
	memcpy(out + 29, "Z", 2);
	return 30;
}

size_t log_stamp_fraction(uint32_t ns, char out[12])
{
	size_t len = 9;

	if (ns == 0) {
		out[0] = 'Z';
		return 1;
	}
	out[0] = '.';
	put_digits(out + 1, ns, 9);
	while (out[len] == '0')
		len--;
	out[len + 1] = 'Z';
	return len + 2;
}

/* The number of exactly 'digits' digits at text, at most max; else -1. */
static int number(const char *text, size_t digits, int max)
{
	int value = 0;

	for (size_t i = 0; i < digits; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		value = value * 10 + (text[i] - '0');
	}
	return value <= max ? value : -1;
}

static int64_t days_of(int year, int month, int day)
{
	int64_t y = month < 3 ? year - 1 : year;

	return y * 365 + y / 4 - y / 100 + y / 400 + days_before[(month + 9) % 12] + day - 1 -
	       719468;
}

/* "2026-01-31T12:00:00", as a second. */
static int read_second(const char *t, int64_t *ret)
{
	static const uint8_t month_days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int year = number(t, 4, YEAR_LAST), month = number(t + 5, 2, 12),
	    day = number(t + 8, 2, 31), hour = number(t + 11, 2, 23),
	    minute = number(t + 14, 2, 59), second = number(t + 17, 2, 59);

	if (t[4] != '-' || t[7] != '-' || (t[10] != 'T' && t[10] != 't') || t[13] != ':' ||
	        t[16] != ':')
		return -EINVAL;
	if (year < YEAR_FIRST || month < 1 || day < 1 || hour < 0 || minute < 0 || second < 0)
		return -EINVAL;
	if (day > month_days[month - 1] + (month == 2 && is_leap(year)))
		return -EINVAL;
	*ret = days_of(year, month, day) * DAY + (int64_t) hour * 3600 + (int64_t) minute * 60 +
	       second;
	return 0;
}

/* "Z", "+hh:mm" or "-hh:mm", as seconds east of Greenwich. */
static int read_zone(const char *t, size_t len, int *ret)
{
	int hour, minute;

	*ret = 0;
	if (len == 1)
		return *t == 'Z' || *t == 'z' ? 0 : -EINVAL;
	if (len != 6 || (*t != '+' && *t != '-') || t[3] != ':')
		return -EINVAL;
	hour = number(t + 1, 2, 23);
	minute = number(t + 4, 2, 59);
	if (hour < 0 || minute < 0)
		return -EINVAL;
	*ret = (hour * 3600 + minute * 60) * (*t == '-' ? -1 : 1);
	return 0;
}

int log_stamp_parse(const char *text, size_t len, int64_t *ret)
{
	int64_t second, fraction = 0, unit = LOG_SECOND / 10;
	const char *p = text + 19, *end = text + len;
	int zone;

	if (len < 20 || read_second(text, &second) < 0)
		return -EINVAL;
	if (*p == '.') {
		if (++p == end || *p < '0' || *p > '9')
			return -EINVAL;
		for (; p < end && *p >= '0' && *p <= '9'; p++, unit /= 10)
			fraction += unit * (*p - '0');
	}
	if (read_zone(p, (size_t) (end - p), &zone) < 0)
		return -EINVAL;
	*ret = (second - zone) * LOG_SECOND + fraction;
	return 0;
}
