/* SPDX-License-Identifier: Apache-2.0 */
#include "format/internal.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Numbers as Go writes them. */

enum { DIGITS_MAX = 17, PLAIN_EXPONENT = 6, JSON_EXPONENT = 21 };

__int128 value_integer(struct json_object *o)
{
	int64_t i = json_object_get_int64(o);
	uint64_t u;

	if (i != INT64_MAX) /* json-c's answer for what is larger, too */
		return i;
	u = json_object_get_uint64(o);
	return MAX(u, (uint64_t) INT64_MAX);
}

/* The fewest digits that read back as d: "d.ddde+xx". */
static void shortest(double d, char *out, size_t size)
{
	for (int precision = 0; precision < DIGITS_MAX; precision++) {
		(void) snprintf(out, size, "%.*e", precision, d);
		if (strtod(out, NULL) == d)
			return;
	}
}

/* The exponent, and the number of digits behind the first one, of such a text. */
static int exponent(const char *text, int *ret_digits)
{
	const char *e = strchr(text, 'e'), *dot = strchr(text, '.');
	int n = 0;

	*ret_digits = dot ? (int) (e - dot) - 1 : 0;
	for (const char *s = e + 2; *s; s++)
		n = n * 10 + (*s - '0');
	return e[1] == '-' ? -n : n;
}

static bool add_special(struct buf *out, double d)
{
	if (isfinite(d))
		return false;
	(void) buf_adds(out, isnan(d) ? "NaN" : d > 0 ? "+Inf" : "-Inf");
	return true;
}

int print_double(struct buf *out, double d)
{
	char text[40];
	int e, digits;

	if (add_special(out, d))
		return 0;
	shortest(d, text, sizeof(text));
	e = exponent(text, &digits);
	if (d != 0 && (e < -4 || e >= PLAIN_EXPONENT))
		return buf_adds(out, text);
	return buf_addf(out, "%.*f", MAX(digits - e, 0), d);
}

int json_double(struct buf *out, double d)
{
	char text[40], *zero;
	int e, digits;

	if (!isfinite(d))
		return -EINVAL;
	shortest(d, text, sizeof(text));
	e = exponent(text, &digits);
	if (d == 0 || (e >= -6 && e < JSON_EXPONENT))
		return buf_addf(out, "%.*f", MAX(digits - e, 0), d);
	/* e-07 is written e-7 */
	zero = strstr(text, "e-0");
	if (zero)
		memmove(zero + 2, zero + 3, strlen(zero + 3) + 1);
	return buf_adds(out, text);
}
