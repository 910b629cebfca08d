/* SPDX-License-Identifier: Apache-2.0 */
#include "format/units.h"

#include "base/str.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

enum { SECOND = 1000000000, DAY_SECONDS = 86400 };

/* Days since 1970 and the calendar, both ways. A year begins in March here, so that the leap day is
 * its last one; 400 years have 146097 days. */
static void civil_from_days(int64_t days, int *ret_year, int *ret_month, int *ret_day)
{
	int64_t since = days + 719468;
	int64_t era = (since >= 0 ? since : since - 146096) / 146097, of_era = since - era * 146097;
	int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * of_year + 2) / 153;

	*ret_day = (int) (of_year - (153 * month + 2) / 5 + 1);
	*ret_month = (int) (month < 10 ? month + 3 : month - 9);
	*ret_year = (int) (year + era * 400 + (*ret_month <= 2));
}

static int64_t days_from_civil(int64_t year, int64_t month, int64_t day)
{
	int64_t y = year - (month <= 2);
	int64_t era = (y >= 0 ? y : y - 399) / 400, of_era = y - era * 400;
	int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

void format_time(char out[FORMAT_TIME_SIZE], int64_t ns)
{
	int64_t seconds = ns / SECOND, rest = ns % SECOND, days, of_day;
	int year, month, day, n;

	if (ns == 0) {
		(void) snprintf(out, FORMAT_TIME_SIZE, "0001-01-01T00:00:00Z");
		return;
	}
	if (rest < 0) {
		rest += SECOND;
		seconds--;
	}
	days = seconds / DAY_SECONDS;
	of_day = seconds % DAY_SECONDS;
	if (of_day < 0) {
		of_day += DAY_SECONDS;
		days--;
	}
	civil_from_days(days, &year, &month, &day);
	n = snprintf(out, FORMAT_TIME_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d", year, month, day,
	        (int) (of_day / 3600), (int) (of_day / 60 % 60), (int) (of_day % 60));
	if (rest) {
		n += snprintf(out + n, FORMAT_TIME_SIZE - (size_t) n, ".%09d", (int) rest);
		while (out[n - 1] == '0')
			n--;
	}
	(void) snprintf(out + n, FORMAT_TIME_SIZE - (size_t) n, "Z");
}

void format_time_local(char out[FORMAT_TIME_SIZE], int64_t seconds)
{
	time_t t = (time_t) seconds;
	struct tm tm;

	if (!localtime_r(&t, &tm) ||
	        strftime(out, FORMAT_TIME_SIZE, "%Y-%m-%d %H:%M:%S %z %Z", &tm) == 0)
		(void) snprintf(out, FORMAT_TIME_SIZE, "%lld", (long long) seconds);
}

/* Reads exactly n digits (or fails with -1) and goes behind them. */
static int digits(const char **s, int n)
{
	int value = 0;

	for (int i = 0; i < n; i++) {
		char c = (*s)[i];

		if (c < '0' || c > '9')
			return -1;
		value = value * 10 + (c - '0');
	}
	*s += n;
	return value;
}

/* Reads "." and digits as nanoseconds; more than nine digits are cut. *s stays where it is when
 * there is no dot; -1: a dot without digits. */
static int64_t fraction(const char **s)
{
	int64_t ns = 0, unit = SECOND / 10;

	if (**s != '.')
		return 0;
	++*s;
	if (**s < '0' || **s > '9')
		return -1;
	for (; **s >= '0' && **s <= '9'; ++*s, unit /= 10)
		ns += (**s - '0') * unit;
	return ns;
}

static bool is_day(int year, int month, int day)
{
	static const int days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	if (month < 1 || month > 12 || day < 1 || day > days[month - 1])
		return false;
	return month != 2 || day < 29 || leap;
}

/* Reads "Z", "+01:00" or "-01:00" as seconds; false when it is none. */
static bool zone(const char **s, int64_t *ret)
{
	int sign = **s == '-' ? -1 : 1, hours, minutes;

	if (**s == 'Z') {
		++*s;
		*ret = 0;
		return true;
	}
	if (**s != '+' && **s != '-')
		return false;
	++*s;
	hours = digits(s, 2);
	if (hours < 0 || hours > 24 || **s != ':')
		return false;
	++*s;
	minutes = digits(s, 2);
	if (minutes < 0 || minutes > 59)
		return false;
	*ret = sign * ((int64_t) hours * 3600 + (int64_t) minutes * 60);
	return true;
}

/* What a written time consists of. */
struct moment {
	int year, month, day, hour, minute, second;
	int parts;  /* of the time of day: 0 to 3 */
	int64_t ns; /* of the fraction */
	bool has_zone;
	int64_t zone; /* seconds east of Greenwich */
};

/* Reads a date, and as much of a time of day and zone as there is. */
static bool parse_moment(const char *s, struct moment *m)
{
	int *const parts[] = { &m->hour, &m->minute, &m->second };
	static const int limits[] = { 24, 60, 60 };
	static const char before[] = "T::";

	*m = (struct moment){ .year = digits(&s, 4) };
	if (m->year < 0 || *s++ != '-' || (m->month = digits(&s, 2)) < 0 || *s++ != '-' ||
	        (m->day = digits(&s, 2)) < 0 || !is_day(m->year, m->month, m->day))
		return false;
	for (; m->parts < 3 && *s == before[m->parts]; m->parts++) {
		s++;
		*parts[m->parts] = digits(&s, 2);
		if (*parts[m->parts] < 0 || *parts[m->parts] >= limits[m->parts])
			return false;
	}
	if (m->parts == 3)
		m->ns = fraction(&s);
	if (m->ns < 0)
		return false;
	m->has_zone = *s != '\0';
	return !m->has_zone || (zone(&s, &m->zone) && !*s);
}

/* Seconds and a fraction as nanoseconds. */
static int join_time(int64_t seconds, int64_t ns, int64_t *ret)
{
	int64_t t;

	if (__builtin_mul_overflow(seconds, (int64_t) SECOND, &t) ||
	        __builtin_add_overflow(t, ns, &t))
		return -ERANGE;
	*ret = t;
	return 0;
}

static int moment_time(const struct moment *m, int64_t *ret)
{
	int64_t days = days_from_civil(m->year, m->month, m->day);

	if (m->year == 1 && m->month == 1 && m->day == 1) {
		*ret = 0; /* Go's zero time: never */
		return 0;
	}
	return join_time(days * DAY_SECONDS + (int64_t) m->hour * 3600 + (int64_t) m->minute * 60 +
	                         m->second - m->zone,
	        m->ns, ret);
}

int format_parse_rfc3339(const char *text, int64_t *ret_ns)
{
	struct moment m;

	if (!parse_moment(text, &m) || m.parts != 3 || !m.has_zone)
		return -EINVAL;
	return moment_time(&m, ret_ns);
}

/* One unit of a duration, in nanoseconds; 0 when there is none. The micro sign has two forms. */
static int64_t duration_unit(const char **s)
{
	static const struct {
		const char *name;
		int64_t ns;
	} units[] = {
		{ "ns", 1 },
		{ "us", 1000 },
		{ "\xc2\xb5s", 1000 },
		{ "\xce\xbcs", 1000 },
		{ "ms", 1000000 },
		{ "s", SECOND },
		{ "m", INT64_C(60) * SECOND },
		{ "h", INT64_C(3600) * SECOND },
	};

	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (str_has_prefix(*s, units[i].name)) {
			*s += strlen(units[i].name);
			return units[i].ns;
		}
	return 0;
}

/* Reads a number with a unit and adds it. */
static int duration_part(const char **s, int64_t *sum)
{
	const char *start = *s;
	int64_t whole = 0, unit, ns, part;
	bool any = **s >= '0' && **s <= '9';

	for (; **s >= '0' && **s <= '9'; ++*s)
		if (__builtin_mul_overflow(whole, 10, &whole) ||
		        __builtin_add_overflow(whole, **s - '0', &whole))
			return -ERANGE;
	start = *s;
	if (*start == '.' && any && (start[1] < '0' || start[1] > '9')) {
		ns = 0; /* "1.s" is Go's, too */
		++*s;
	} else {
		ns = fraction(s);
	}
	if (ns < 0 || (!any && *s == start))
		return -EINVAL;
	unit = duration_unit(s);
	if (unit == 0)
		return -EINVAL;
	part = (int64_t) ((__int128) ns * unit / SECOND);
	if (__builtin_mul_overflow(whole, unit, &whole) ||
	        __builtin_add_overflow(whole, part, &whole) ||
	        __builtin_add_overflow(*sum, whole, sum))
		return -ERANGE;
	return 0;
}

int format_parse_duration(const char *text, int64_t *ret_ns)
{
	bool negative = *text == '-';
	const char *s = text + (*text == '-' || *text == '+');
	int64_t sum = 0;

	if (streq(s, "0")) {
		*ret_ns = 0;
		return 0;
	}
	do {
		int r = duration_part(&s, &sum);

		if (r < 0)
			return r;
	} while (*s);
	*ret_ns = negative ? -sum : sum;
	return 0;
}

/* Seconds since 1970 with an optional fraction. */
static int parse_unix(const char *text, int64_t *ret_ns)
{
	const char *dot = strchr(text, '.');
	_free_ char *whole = dot ? xstrndup(text, (size_t) (dot - text)) : xstrdup(text);
	int64_t seconds, ns = 0;
	int r = *text == '-' ? -EINVAL : num_parse_i64(whole, &seconds);

	if (r < 0)
		return r;
	if (dot)
		ns = fraction(&dot);
	if (ns < 0 || (dot && *dot))
		return -EINVAL;
	return join_time(seconds, ns, ret_ns);
}

/* Where the machine is at that moment, in seconds east of Greenwich. */
static int64_t local_zone(int64_t ns)
{
	time_t t = (time_t) (ns / SECOND);
	struct tm tm;

	return localtime_r(&t, &tm) ? tm.tm_gmtoff : 0;
}

static int parse_any(const char *text, int64_t now_ns, int64_t *ret_ns)
{
	struct moment m;
	int64_t ago;
	int r;

	if (parse_moment(text, &m)) {
		if (!m.has_zone)
			m.zone = local_zone(now_ns);
		return moment_time(&m, ret_ns);
	}
	r = streq(text, "0") ? -EINVAL : format_parse_duration(text, &ago);
	if (r == 0)
		return __builtin_sub_overflow(now_ns, ago, ret_ns) ? -ERANGE : 0;
	return r == -ERANGE ? r : parse_unix(text, ret_ns);
}

int format_parse_time(const char *text, int64_t now_ns, int64_t *ret_ns, struct err *err)
{
	_free_ char *shown = str_escaped(text);
	int r = parse_any(text, now_ns, ret_ns);

	if (r == -ERANGE)
		return err_set(
		        err, r, "'%s' is too far away: times are between 1678 and 2262", shown);
	if (r < 0)
		return err_set(err, r,
		        "'%s' is not a time: write it as 2026-01-31T12:00:00Z, as seconds since "
		        "1970, or as the time before now (10m, 1h30m)",
		        shown);
	return 0;
}
