/* SPDX-License-Identifier: Apache-2.0 */
#include "format/internal.h"

#include "base/str.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

enum { NAMES_SHOWN = 400 };

/* What a list of nodes ended with. */
enum flow { FLOW_NEXT, FLOW_BREAK, FLOW_CONTINUE };

static int exec_list(struct exec *x, const struct node *list, struct value dot);

int exec_fail(struct exec *x, int code, const struct term *at, const char *fmt, ...)
{
	_free_ char *term = xstrndup(x->t->text + at->pos, at->len), *shown = str_escaped(term);
	char text[ERR_TEXT_MAX];
	size_t line, column;
	va_list ap;

	va_start(ap, fmt);
	(void) vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	text_position(x->t->text, at->pos, &line, &column);
	return err_set(x->err, code, "template: %zu:%zu: at '%s': %s", line, column, shown, text);
}

int exec_print_fail(struct exec *x, int code, const struct term *at)
{
	if (code == -ELOOP)
		return exec_fail(x, code, at, "the value is nested too deeply");
	if (code == -EINVAL)
		return exec_fail(x, code, at, "JSON has no such number");
	return exec_fail(x, code, at, "the text is too long");
}

int exec_step(struct exec *x, const struct term *at)
{
	if (++x->steps <= TEMPLATE_STEPS_MAX)
		return 0;
	return exec_fail(
	        x, -EMSGSIZE, at, "the template takes more than %d steps", TEMPLATE_STEPS_MAX);
}

struct value exec_own(struct exec *x, struct json_object *o)
{
	if (x->n_owned == x->size_owned) {
		x->size_owned = MAX((size_t) 16, x->size_owned * 2);
		x->owned = xrealloc_n(x->owned, x->size_owned, sizeof(void *));
	}
	x->owned[x->n_owned++] = o;
	return (struct value){ .o = o };
}

struct buf exec_buf(const struct exec *x)
{
	return (struct buf) BUF_INIT(TEMPLATE_MEMORY_MAX - x->memory);
}

int exec_text(
        struct exec *x, const struct term *at, const struct buf *text, bool safe, struct value *ret)
{
	if (!buf_ok(text))
		return exec_fail(x, -EMSGSIZE, at,
		        "the texts of the template need more than %d bytes", TEMPLATE_MEMORY_MAX);
	x->memory += text->len;
	*ret = exec_own(x, json_object_new_string_len(buf_str(text), (int) text->len));
	ret->safe = safe;
	return 0;
}

bool value_truth(struct json_object *o)
{
	switch (json_object_get_type(o)) {
	case json_type_boolean:
		return json_object_get_boolean(o);
	case json_type_int:
		return value_integer(o) != 0;
	case json_type_double:
		return json_object_get_double(o) != 0;
	case json_type_string:
		return json_object_get_string_len(o) > 0;
	case json_type_array:
		return json_object_array_length(o) > 0;
	case json_type_object:
		return json_object_object_length(o) > 0;
	default:
		return false;
	}
}

/* "no entry for ...", with the names that are there. */
static int no_field(struct exec *x, const struct term *at, struct json_object *o, const char *name)
{
	_buf_done_ struct buf names = BUF_INIT(NAMES_SHOWN + 1024);
	_free_ char *shown = str_escaped(name);
	bool more = false;

	json_object_object_foreach(o, key, value)
	{
		_free_ char *known = str_escaped(key);

		(void) value;
		more = names.len + strlen(known) > NAMES_SHOWN;
		if (more)
			break;
		(void) buf_addf(&names, "%s'%s'", names.len ? ", " : "", known);
	}
	return exec_fail(x, -ENOENT, at, "map has no entry for key '%s' (it has %s%s)", shown,
	        names.len ? buf_str(&names) : "none", more ? ", ..." : "");
}

static int take_field(struct exec *x, const struct term *at, const char *name, struct value *v)
{
	struct json_object *member = NULL;
	_free_ char *shown = NULL;

	if (json_object_is_type(v->o, json_type_object)) {
		if (!json_object_object_get_ex(v->o, name, &member) &&
		        !(x->flags & TEMPLATE_NO_VALUE))
			return no_field(x, at, v->o, name);
		*v = (struct value){ .o = member };
		return 0;
	}
	if (!v->o && (x->flags & TEMPLATE_NO_VALUE))
		return 0;
	shown = str_escaped(name);
	return exec_fail(x, v->o ? -EINVAL : -ENOENT, at, "a value of type %s has no field '%s'",
	        value_type(v->o), shown);
}

static int exec_call(struct exec *x, const struct term *call, size_t n_args, struct value dot,
        const struct value *last, struct value *ret);

static int exec_term(struct exec *x, const struct term *t, struct value dot, struct value *ret)
{
	int r = exec_step(x, t);

	*ret = (struct value){ 0 };
	if (r < 0)
		return r;
	if (t->type == TERM_CONSTANT)
		*ret = (struct value){ .o = t->constant, .safe = true };
	else if (t->type == TERM_DOT)
		*ret = dot;
	else if (t->type == TERM_VAR)
		*ret = x->vars[t->slot];
	else if (t->type == TERM_CALL)
		r = exec_call(x, t, 0, dot, NULL, ret);
	else
		r = exec_pipe(x, t->pipe, dot, ret);
	for (size_t i = 0; i < t->n_fields && r == 0; i++)
		r = take_field(x, t, t->fields[i], ret);
	return r;
}

/* Calls a function with the n_args terms behind it, and the value that came down the pipeline. */
static int exec_call(struct exec *x, const struct term *call, size_t n_args, struct value dot,
        const struct value *last, struct value *ret)
{
	const struct func *f = call->func;
	struct value args[TEMPLATE_ARGS_MAX + 1];
	const struct term *t = call->next;
	size_t n = n_args + (last != NULL);

	for (size_t i = 0; i < n; i++) {
		int r = 0;

		if (i < n_args) {
			r = exec_term(x, t, dot, &args[i]);
			t = t->next;
		} else {
			args[i] = *last;
		}
		if (r < 0)
			return r;
		if ((f->flags & FUNC_AND && !value_truth(args[i].o)) ||
		        (f->flags & FUNC_OR && value_truth(args[i].o))) {
			*ret = args[i];
			return 0;
		}
	}
	if (f->flags & (FUNC_AND | FUNC_OR) ||
	        (f->flags & FUNC_HEADER && x->flags & TEMPLATE_HEADER)) {
		assert(n > 0); /* the parser has counted */
		*ret = args[f->flags & FUNC_HEADER ? 0 : n - 1];
		return 0;
	}
	return f->call(x, call, args, n, ret);
}

/* The header of a label's column: the last part of its name, with blanks. */
static int label_header(struct exec *x, const struct term *at, const char *name, struct value *ret)
{
	_buf_done_ struct buf text = exec_buf(x);
	const char *dot = strrchr(name, '.');

	for (const char *s = dot ? dot + 1 : name; *s; s++)
		(void) buf_addc(&text, *s == '-' || *s == '_' ? ' ' : *s);
	return exec_text(x, at, &text, true, ret);
}

/* .Label "name" of the document itself. */
static int exec_label(struct exec *x, const struct command *c, struct value dot, struct value *ret)
{
	static const struct buf empty = BUF_INIT(0);
	struct json_object *value = NULL;
	struct value name = { 0 };
	int r;

	if (!(x->flags & (TEMPLATE_LABELS | TEMPLATE_HEADER)) ||
	        (c->terms->type == TERM_DOT && dot.o != x->root))
		return exec_fail(
		        x, -EINVAL, c->terms, "this is not a function, it takes no argument");
	r = exec_term(x, c->terms->next, dot, &name);
	if (r < 0)
		return r;
	if (!json_object_is_type(name.o, json_type_string))
		return exec_fail(x, -EINVAL, c->terms->next,
		        "the name of a label is a text, not %s", value_type(name.o));
	if (x->flags & TEMPLATE_HEADER)
		return label_header(x, c->terms, json_object_get_string(name.o), ret);
	if (!x->labels ||
	        !json_object_object_get_ex(x->labels, json_object_get_string(name.o), &value))
		return exec_text(x, c->terms, &empty, true, ret);
	*ret = (struct value){ .o = value };
	return 0;
}

int exec_pipe(struct exec *x, const struct pipe *pipe, struct value dot, struct value *ret)
{
	const struct value *last = NULL;
	struct value value = { 0 };
	int r = 0;

	for (const struct command *c = pipe->commands; c && r == 0; c = c->next) {
		struct value next = { 0 };

		if (c->terms->type == TERM_CALL) {
			r = exec_step(x, c->terms);
			if (r == 0)
				r = exec_call(x, c->terms, c->n_terms - 1, dot, last, &next);
		} else if (c->n_terms > 1) {
			r = exec_label(x, c, dot, &next);
		} else {
			r = exec_term(x, c->terms, dot, &next);
		}
		value = next;
		last = &value;
	}
	*ret = value;
	return r;
}

/* Evaluates the pipeline of an action, and assigns it to the variable that it names. */
static int exec_assign(struct exec *x, const struct pipe *pipe, struct value dot, struct value *ret)
{
	int r = exec_pipe(x, pipe, dot, ret);

	if (r == 0 && pipe->n_vars)
		x->vars[pipe->slots[0]] = *ret;
	return r;
}

static int exec_action(struct exec *x, const struct node *node, struct value dot)
{
	struct verb verb = { .letter = 'v' };
	struct value v;
	int r = exec_assign(x, node->pipe, dot, &v);

	if (r < 0 || node->pipe->n_vars)
		return r;
	verb.clean = (x->flags & TEMPLATE_CLEAN) && !v.safe;
	r = v.o ? print_value(x->out, v.o, &verb) : buf_adds(x->out, "<no value>");
	if (r == -EMSGSIZE)
		return exec_fail(x, r, node->pipe->commands->terms,
		        "the output is longer than %zu bytes", x->out->max);
	return r < 0 ? exec_print_fail(x, r, node->pipe->commands->terms) : 0;
}

/* One turn of a range. index may be NULL. */
static int exec_turn(
        struct exec *x, const struct node *node, struct value index, struct value element)
{
	const struct pipe *p = node->pipe;
	int r = exec_step(x, p->commands->terms);

	if (r < 0)
		return r;
	if (p->n_vars == 2)
		x->vars[p->slots[0]] = index;
	if (p->n_vars)
		x->vars[p->slots[p->n_vars - 1]] = element;
	return exec_list(x, node->body, element);
}

static struct value make_integer(struct exec *x, int64_t i)
{
	return exec_own(x, json_object_new_int64(i));
}

static int range_list(struct exec *x, const struct node *node, struct json_object *list)
{
	size_t n = json_object_array_length(list);
	int r = FLOW_NEXT;

	for (size_t i = 0; i < n && r >= 0 && r != FLOW_BREAK; i++) {
		struct value index = { 0 }, element = { .o = json_object_array_get_idx(list, i) };

		if (node->pipe->n_vars == 2)
			index = make_integer(x, (int64_t) i);
		r = exec_turn(x, node, index, element);
	}
	return r;
}

static int range_map(struct exec *x, const struct node *node, struct json_object *map)
{
	_free_ const char **keys = NULL;
	_free_ struct json_object **values = sorted_members(map, &keys);
	int r = FLOW_NEXT;

	for (size_t i = 0; keys[i] && r >= 0 && r != FLOW_BREAK; i++) {
		struct value key = { 0 };

		if (node->pipe->n_vars == 2)
			key = exec_own(x, json_object_new_string(keys[i]));
		r = exec_turn(x, node, key, (struct value){ .o = values[i] });
	}
	return r;
}

static int range_integer(struct exec *x, const struct node *node, int64_t n)
{
	int r = FLOW_NEXT;

	for (int64_t i = 0; i < n && r >= 0 && r != FLOW_BREAK; i++) {
		struct value v = make_integer(x, i);

		r = exec_turn(x, node, v, v);
	}
	return r;
}

static int exec_range(struct exec *x, const struct node *node, struct value dot)
{
	struct value v;
	int r = exec_pipe(x, node->pipe, dot, &v);

	if (r < 0)
		return r;
	switch (json_object_get_type(v.o)) {
	case json_type_array:
		r = range_list(x, node, v.o);
		break;
	case json_type_object:
		r = range_map(x, node, v.o);
		break;
	case json_type_int:
		r = range_integer(x, node, json_object_get_int64(v.o));
		break;
	case json_type_null:
		break;
	default:
		return exec_fail(x, -EINVAL, node->pipe->commands->terms,
		        "range takes a list, a map or a whole number, not %s", value_type(v.o));
	}
	if (r < 0)
		return r;
	if (!value_truth(v.o) ||
	        (json_object_is_type(v.o, json_type_int) && value_integer(v.o) < 0))
		return exec_list(x, node->otherwise, dot);
	return FLOW_NEXT;
}

static int exec_branch(struct exec *x, const struct node *node, struct value dot)
{
	struct value v;
	int r = exec_assign(x, node->pipe, dot, &v);

	if (r < 0)
		return r;
	if (!value_truth(v.o))
		return exec_list(x, node->otherwise, dot);
	return exec_list(x, node->body, node->type == NODE_WITH ? v : dot);
}

/* Returns an enum flow or the error. */
static int exec_node(struct exec *x, const struct node *node, struct value dot)
{
	switch (node->type) {
	case NODE_TEXT:
		if (buf_add(x->out, node->text, node->text_len) == 0)
			return FLOW_NEXT;
		return err_set(x->err, -EMSGSIZE, "template: the output is longer than %zu bytes",
		        x->out->max);
	case NODE_ACTION:
		return exec_action(x, node, dot);
	case NODE_IF:
	case NODE_WITH:
		return exec_branch(x, node, dot);
	case NODE_RANGE:
		return exec_range(x, node, dot);
	case NODE_BREAK:
		return FLOW_BREAK;
	default:
		return FLOW_CONTINUE;
	}
}

static int exec_list(struct exec *x, const struct node *list, struct value dot)
{
	int r = FLOW_NEXT;

	for (const struct node *n = list; n && r == FLOW_NEXT; n = n->next)
		r = exec_node(x, n, dot);
	return r;
}

int template_exec(const struct template *t, struct json_object *document,
        const struct template_options *options, struct buf *out, struct err *err)
{
	struct exec x = {
		.t = t,
		.flags = options ? options->flags : 0,
		.root = document,
		.labels = options ? options->labels : NULL,
		.vars[0] = { .o = document },
		.out = out,
		.err = err,
	};
	int r = exec_list(&x, t->nodes, (struct value){ .o = document });

	for (size_t i = 0; i < x.n_owned; i++)
		(void) json_object_put(x.owned[i]);
	free(x.owned);
	return r < 0 ? r : 0;
}

static bool pipe_uses(const struct pipe *pipe, const char *field);

/* True for .FIELD, $.FIELD, and the document as a whole, which holds it. A dot inside of range or
 * with is another value: there the answer may be yes where no would do. */
static bool term_uses(const struct term *t, const char *field)
{
	bool document = t->type == TERM_DOT || (t->type == TERM_VAR && t->slot == 0);

	if (t->type == TERM_PIPE && pipe_uses(t->pipe, field))
		return true;
	return document && (t->n_fields == 0 || streq(t->fields[0], field));
}

static bool pipe_uses(const struct pipe *pipe, const char *field)
{
	for (const struct command *c = pipe->commands; c; c = c->next)
		for (const struct term *t = c->terms; t; t = t->next)
			if (term_uses(t, field))
				return true;
	return false;
}

static bool list_uses(const struct node *list, const char *field)
{
	for (const struct node *n = list; n; n = n->next)
		if ((n->pipe && pipe_uses(n->pipe, field)) || list_uses(n->body, field) ||
		        list_uses(n->otherwise, field))
			return true;
	return false;
}

bool template_uses(const struct template *t, const char *field)
{
	return list_uses(t->nodes, field);
}
