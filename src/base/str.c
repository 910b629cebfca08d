/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

enum { ESCAPED_MAX = 200 };

bool str_has_prefix(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool str_has_suffix(const char *s, const char *suffix)
{
	size_t len = strlen(s), n = strlen(suffix);

	return len >= n && streq(s + len - n, suffix);
}

int str_escape(struct buf *out, const char *s, size_t len, size_t max)
{
	int r = 0;

	for (size_t i = 0; i < len && r == 0; i++) {
		unsigned char c = (unsigned char) s[i];

		if (i == max)
			return buf_adds(out, "...");
		if (c < 0x20 || c > 0x7e || c == '\\')
			r = buf_addf(out, "\\x%02x", c);
		else
			r = buf_addc(out, (char) c);
	}
	return r;
}

char *str_escaped(const char *s)
{
	_buf_done_ struct buf b = BUF_INIT(4 * ESCAPED_MAX + 16);

	(void) str_escape(&b, s, strlen(s), ESCAPED_MAX);
	return buf_take(&b);
}

size_t str_utf8_length(const char *s, size_t len)
{
	static const struct {
		unsigned char first_min, first_max, second_min, second_max, len;
	} forms[] = {
		{ 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 },
		{ 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 },
		{ 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 },
		{ 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};
	const unsigned char *p = (const unsigned char *) s;

	if (len == 0)
		return 0;
	if (p[0] < 0x80)
		return 1;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		if (p[0] < forms[i].first_min || p[0] > forms[i].first_max)
			continue;
		if (len < forms[i].len || p[1] < forms[i].second_min || p[1] > forms[i].second_max)
			return 0;
		for (size_t k = 2; k < forms[i].len; k++)
			if (p[k] < 0x80 || p[k] > 0xbf)
				return 0;
		return forms[i].len;
	}
	return 0;
}

bool str_is_utf8(const char *s, size_t len)
{
	for (size_t n; len > 0; s += n, len -= n) {
		n = str_utf8_length(s, len);
		if (n == 0)
			return false;
	}
	return true;
}

/* Parses digits up to the first other byte; *end is left on it. */
static int parse_digits(const char *s, const char **end, uint64_t *ret)
{
	uint64_t n = 0;

	if (*s < '0' || *s > '9')
		return -EINVAL;
	for (; *s >= '0' && *s <= '9'; s++)
		if (__builtin_mul_overflow(n, 10u, &n) ||
		        __builtin_add_overflow(n, (uint64_t) (*s - '0'), &n))
			return -ERANGE;
	*end = s;
	*ret = n;
	return 0;
}

int num_parse_u64(const char *s, uint64_t *ret)
{
	const char *end;
	uint64_t n;
	int r = parse_digits(s, &end, &n);

	if (r < 0)
		return r;
	if (*end)
		return -EINVAL;
	*ret = n;
	return 0;
}

int num_parse_u32(const char *s, uint32_t *ret)
{
	uint64_t n;
	int r = num_parse_u64(s, &n);

	if (r < 0)
		return r;
	if (n > UINT32_MAX)
		return -ERANGE;
	*ret = (uint32_t) n;
	return 0;
}

int num_parse_i64(const char *s, int64_t *ret)
{
	bool negative = *s == '-';
	uint64_t n;
	int r = num_parse_u64(s + negative, &n);

	if (r < 0)
		return r;
	if (n > (uint64_t) INT64_MAX + negative)
		return -ERANGE;
	*ret = negative ? (int64_t) -n : (int64_t) n;
	return 0;
}

/* Parses digits[.digits] into an integer part and a fraction in billionths (further digits are
 * dropped). */
static int parse_decimal(const char *s, const char **end, uint64_t *ret_whole, uint32_t *ret_nano)
{
	uint32_t nano = 0, unit = 100000000;
	int r = parse_digits(s, end, ret_whole);

	if (r < 0)
		return r;
	if (**end == '.') {
		s = *end + 1;
		if (*s < '0' || *s > '9')
			return -EINVAL;
		for (; *s >= '0' && *s <= '9'; s++, unit /= 10)
			nano += unit * (uint32_t) (*s - '0');
		*end = s;
	}
	*ret_nano = nano;
	return 0;
}

/* Accepts "", b, k, kb, kib and so on; returns the number of bits to shift by, or -EINVAL. */
static int size_suffix(const char *s)
{
	static const char units[] = "bkmgtp";
	const char *u;
	int shift;

	if (!*s)
		return 0;
	u = strchr(units, *s | 0x20);
	if (!u)
		return -EINVAL;
	shift = (int) (u - units) * 10;
	s++;
	if (shift > 0 && (*s | 0x20) == 'i' && (s[1] | 0x20) == 'b')
		s++;
	if (shift > 0 && (*s | 0x20) == 'b')
		s++;
	return *s ? -EINVAL : shift;
}

int num_parse_size(const char *s, uint64_t *ret)
{
	const char *end;
	uint64_t whole, bytes;
	uint32_t nano;
	int shift, r = parse_decimal(s, &end, &whole, &nano);

	if (r < 0)
		return r;
	shift = size_suffix(end);
	if (shift < 0)
		return -EINVAL;
	if (nano && shift == 0)
		return -EINVAL;
	if (__builtin_mul_overflow(whole, UINT64_C(1) << shift, &bytes))
		return -ERANGE;
	if (__builtin_add_overflow(
	            bytes, (uint64_t) (((unsigned __int128) nano << shift) / 1000000000), &bytes))
		return -ERANGE;
	*ret = bytes;
	return 0;
}

int num_parse_nano(const char *s, uint64_t *ret)
{
	const char *end;
	uint64_t whole;
	uint32_t nano;
	int r = parse_decimal(s, &end, &whole, &nano);

	if (r < 0)
		return r;
	if (*end)
		return -EINVAL;
	if (__builtin_mul_overflow(whole, 1000000000u, &whole) ||
	        __builtin_add_overflow(whole, nano, &whole))
		return -ERANGE;
	*ret = whole;
	return 0;
}

/* One number with its unit at *p as nanoseconds, stepped over. */
static int duration_part(const char **p, uint64_t *ret)
{
	static const struct {
		const char *name;
		uint64_t divide, multiply;
	} units[] = {
		{ "ns", 1000000000, 1 },
		{ "us", 1000000, 1 },
		{ "\xc2\xb5s", 1000000, 1 }, /* micro sign */
		{ "ms", 1000, 1 },
		{ "s", 1, 1 },
		{ "m", 1, 60 },
		{ "h", 1, 3600 },
	};
	const char *unit;
	uint64_t whole;
	uint32_t nano;
	int r = parse_decimal(*p, &unit, &whole, &nano);
	size_t len;

	if (r < 0)
		return r;
	len = strcspn(unit, "0123456789.");
	if (__builtin_mul_overflow(whole, 1000000000u, ret) ||
	        __builtin_add_overflow(*ret, nano, ret))
		return -ERANGE;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (strlen(units[i].name) != len || memcmp(units[i].name, unit, len) != 0)
			continue;
		*p = unit + len;
		*ret /= units[i].divide;
		return __builtin_mul_overflow(*ret, units[i].multiply, ret) ? -ERANGE : 0;
	}
	return -EINVAL;
}

int num_parse_duration(const char *s, int64_t *ret)
{
	bool negative = *s == '-';
	uint64_t total = 0, part;

	s += negative;
	if (!*s)
		return -EINVAL;
	if (streq(s, "0")) {
		*ret = 0;
		return 0;
	}
	while (*s) {
		int r = duration_part(&s, &part);

		if (r < 0)
			return r;
		if (__builtin_add_overflow(total, part, &total))
			return -ERANGE;
	}
	if (total > INT64_MAX)
		return -ERANGE;
	*ret = negative ? -(int64_t) total : (int64_t) total;
	return 0;
}

/* gmtime_r() would do, but reads the machine's time zone from a file first. A year begins in March
 * here, so that the leap day is its last one; 400 years have 146097 days. */
static void civil_date(long days, long *ret_year, long *ret_month, long *ret_day)
{
	long since = days + 719468; /* 1 March of the year 0 */
	long era = since / 146097, of_era = since % 146097;
	long year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	long of_year = of_era - (365 * year + year / 4 - year / 100);
	long month = (5 * of_year + 2) / 153;

	*ret_day = of_year - (153 * month + 2) / 5 + 1;
	*ret_month = month < 10 ? month + 3 : month - 9;
	*ret_year = year + era * 400 + (*ret_month <= 2);
}

void time_rfc3339(char *out, size_t size)
{
	struct timespec now;
	long days, seconds, day, month, year;

	(void) clock_gettime(CLOCK_REALTIME, &now);
	days = now.tv_sec / 86400;
	seconds = now.tv_sec % 86400;
	civil_date(days, &year, &month, &day);
	(void) snprintf(out, size, "%04ld-%02ld-%02ldT%02ld:%02ld:%02ld.%09ldZ", year, month, day,
	        seconds / 3600, seconds / 60 % 60, seconds % 60, now.tv_nsec);
}
