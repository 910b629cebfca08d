/* SPDX-License-Identifier: Apache-2.0 */
#include "format/internal.h"

#include "format/clean.h"

#include <errno.h>
#include <string.h>

/* printf of templates: Go's verbs, and Go's answers to wrong ones. */

enum { WIDTH_MAX = 100000 };

struct format {
	struct exec *x;
	const char *s, *end;
	const struct value *args;
	size_t n, used;
	struct buf *out;
};

/* Reads digits as a width or precision; false when it is too large. */
static bool number(struct format *f, int *ret)
{
	int n = 0;

	for (; f->s < f->end && *f->s >= '0' && *f->s <= '9'; f->s++) {
		n = n * 10 + (*f->s - '0');
		if (n > WIDTH_MAX)
			return false;
	}
	*ret = n;
	return true;
}

static void flags(struct format *f, struct verb *v)
{
	for (; f->s < f->end; f->s++) {
		if (*f->s == '-')
			v->minus = true;
		else if (*f->s == '0')
			v->zero = true;
		else if (*f->s == '+')
			v->plus = true;
		else if (*f->s == ' ')
			v->space = true;
		else if (*f->s == '#')
			v->sharp = true;
		else
			break;
	}
}

/* One directive; f->s is behind its '%'. Returns 0, the error of printing, or -EINVAL: not one
 * that is known here. */
static int directive(struct format *f)
{
	struct verb v = { 0 };
	struct value arg;

	flags(f, &v);
	if (!number(f, &v.width))
		return -EINVAL;
	if (f->s < f->end && *f->s == '.') {
		f->s++;
		v.has_precision = true;
		if (!number(f, &v.precision))
			return -EINVAL;
	}
	if (f->s == f->end)
		return buf_adds(f->out, "%!(NOVERB)");
	v.letter = *f->s++;
	if (v.letter == '%')
		return buf_addc(f->out, '%');
	if (v.letter == '*' || v.letter == '[' || (v.letter & 0x80))
		return -EINVAL;
	if (f->used == f->n)
		return buf_addf(f->out, "%%!%c(MISSING)", v.letter);
	arg = f->args[f->used++];
	if (v.letter == 'T')
		return buf_adds(f->out, value_type(arg.o));
	v.clean = (f->x->flags & TEMPLATE_CLEAN) && !arg.safe;
	return print_value(f->out, arg.o, &v);
}

/* What no directive used. */
static int extra(struct format *f)
{
	const struct verb plain = { .letter = 'v' };
	int r = buf_adds(f->out, "%!(EXTRA ");

	for (size_t i = f->used; i < f->n && r == 0; i++) {
		struct verb v = plain;

		v.clean = (f->x->flags & TEMPLATE_CLEAN) && !f->args[i].safe;
		(void) buf_addf(f->out, "%s%s", i > f->used ? ", " : "", value_type(f->args[i].o));
		if (!f->args[i].o)
			continue;
		(void) buf_addc(f->out, '=');
		r = print_value(f->out, f->args[i].o, &v);
	}
	return r < 0 ? r : buf_addc(f->out, ')');
}

int func_printf(struct exec *x, const struct term *at, const struct value *args, size_t n,
        struct value *ret)
{
	_buf_done_ struct buf out = exec_buf(x);
	struct format f = { .x = x, .args = args + 1, .n = n - 1, .out = &out };
	bool clean = (x->flags & TEMPLATE_CLEAN) && !args[0].safe;
	int r = 0;

	if (!json_object_is_type(args[0].o, json_type_string))
		return exec_fail(
		        x, -EINVAL, at, "argument 1 must be a text, not %s", value_type(args[0].o));
	f.s = json_object_get_string(args[0].o);
	f.end = f.s + json_object_get_string_len(args[0].o);
	while (f.s < f.end && r == 0) {
		const char *percent = memchr(f.s, '%', (size_t) (f.end - f.s));
		const char *to = percent ? percent : f.end;

		r = clean ? format_clean(&out, f.s, (size_t) (to - f.s))
		          : buf_add(&out, f.s, (size_t) (to - f.s));
		f.s = to;
		if (r < 0 || !percent)
			break;
		f.s++;
		r = directive(&f);
		if (r == -EINVAL)
			return exec_fail(
			        x, r, at, "printf knows %%[-+# 0][width][.precision] and a letter");
	}
	if (r == 0 && f.used < f.n)
		r = extra(&f);
	return r < 0 ? exec_print_fail(x, r, at) : exec_text(x, at, &out, true, ret);
}
