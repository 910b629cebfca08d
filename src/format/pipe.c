/* SPDX-License-Identifier: Apache-2.0 */
#include "format/internal.h"

#include "base/str.h"

#include <errno.h>

/* Pipelines: what stands between {{ and }}. */

/* The part of the text that a token is, for messages. */
static char *token_text(const struct parser *p, const struct token *t)
{
	_free_ char *text = xstrndup(p->text + t->pos, t->len);

	return str_escaped(text);
}

static int find_var(struct parser *p, const struct token *t, unsigned int *ret)
{
	_free_ char *shown = NULL;

	for (size_t i = p->n_vars; i > 0; i--)
		if (streq(p->vars[i - 1], t->name)) {
			*ret = (unsigned int) i - 1;
			return 0;
		}
	shown = token_text(p, t);
	return parse_fail(p, -EINVAL, t->pos, "there is no variable '%s' here", shown);
}

static int find_function(struct parser *p, const struct token *t, struct term *term)
{
	_buf_done_ struct buf names = BUF_INIT(1024);
	_free_ char *shown = NULL;

	term->func = func_find(t->name, strlen(t->name));
	if (term->func)
		return 0;
	func_names(&names);
	shown = token_text(p, t);
	return parse_fail(
	        p, -EINVAL, t->pos, "function '%s' is not known, only %s", shown, buf_str(&names));
}

/* Takes the fields that follow directly: .A.B behind a term. */
static int parse_fields(struct parser *p, struct term *term)
{
	const char *names[TEMPLATE_ARGS_MAX], **fields;
	struct token t;
	size_t n = 0;
	int r;

	if (term->n_fields)
		names[n++] = term->fields[0];
	for (;;) {
		r = token_peek(p, &t);
		if (r < 0)
			return r;
		if (t.type != TOKEN_FIELD || t.spaced)
			break;
		if (n == ARRAY_SIZE(names))
			return parse_fail(p, -EMSGSIZE, t.pos, "more than %d fields in a row",
			        TEMPLATE_ARGS_MAX);
		names[n++] = t.name;
		term->len = t.pos + t.len - term->pos;
		(void) token_next(p, &t);
	}
	if (n > 0 && (term->type == TERM_CONSTANT || term->type == TERM_CALL))
		return parse_fail(p, -EINVAL, t.pos, "a field can only be taken of a value");
	fields = arena_new_n(&p->t->arena, const char *, n);
	for (size_t i = 0; i < n; i++)
		fields[i] = names[i];
	term->fields = fields;
	term->n_fields = n;
	return 0;
}

static int parse_parenthesis(struct parser *p, struct term *term)
{
	size_t n_vars = p->n_vars;
	struct token t;
	int r = parse_pipe(p, false, &term->pipe);

	if (r < 0)
		return r;
	p->n_vars = n_vars;
	r = token_next(p, &t);
	if (r < 0)
		return r;
	if (t.type != TOKEN_RIGHT)
		return parse_fail(p, -EINVAL, term->pos, "the parenthesis is not closed");
	term->type = TERM_PIPE;
	term->len = t.pos + t.len - term->pos;
	return 0;
}

static int parse_term(struct parser *p, const struct token *t, struct term **ret)
{
	struct term *term = arena_new(&p->t->arena, struct term);
	_free_ char *shown = NULL;
	int r = parse_count(p, t->pos);

	term->pos = t->pos;
	term->len = t->len;
	if (r < 0)
		return r;
	if (t->type == TOKEN_CONSTANT) {
		term->type = TERM_CONSTANT;
		term->constant = t->constant;
	} else if (t->type == TOKEN_DOT || t->type == TOKEN_FIELD) {
		term->type = TERM_DOT;
		if (t->type == TOKEN_FIELD) {
			const char **fields = arena_new_n(&p->t->arena, const char *, 1);

			fields[0] = t->name;
			term->fields = fields;
			term->n_fields = 1;
		}
	} else if (t->type == TOKEN_VAR) {
		term->type = TERM_VAR;
		r = find_var(p, t, &term->slot);
	} else if (t->type == TOKEN_WORD) {
		term->type = TERM_CALL;
		r = find_function(p, t, term);
	} else if (t->type == TOKEN_LEFT) {
		r = parse_parenthesis(p, term);
	} else {
		shown = token_text(p, t);
		r = parse_fail(p, -EINVAL, t->pos, "unexpected '%s'", shown);
	}
	*ret = term;
	return r < 0 ? r : parse_fields(p, term);
}

/* .Label and $.Label take an argument in lists; which, the execution knows. */
static bool is_label(const struct term *t)
{
	return (t->type == TERM_DOT || (t->type == TERM_VAR && t->slot == 0)) && t->n_fields == 1 &&
	       streq(t->fields[0], "Label");
}

static int check_arity(struct parser *p, const struct term *t, size_t n)
{
	const struct func *f = t->func;

	if (n >= f->min && n <= f->max)
		return 0;
	if (f->min == f->max)
		return parse_fail(p, -EINVAL, t->pos, "'%s' takes %u argument%s, not %zu", f->name,
		        f->min, f->min == 1 ? "" : "s", n);
	return parse_fail(p, -EINVAL, t->pos, "'%s' takes at least %u argument%s, not %zu", f->name,
	        f->min, f->min == 1 ? "" : "s", n);
}

/* What can be known about a call before there is a document. */
static int check_command(struct parser *p, const struct command *c, bool first, bool only)
{
	const struct term *t = c->terms;
	_free_ char *text = xstrndup(p->text + t->pos, t->len), *shown = str_escaped(text);

	if (t->type == TERM_CALL) {
		int r = check_arity(p, t, c->n_terms - first);

		if (r < 0)
			return r;
	} else if (!first) {
		return parse_fail(p, -EINVAL, t->pos,
		        "only a function can stand behind '|', not '%s'", shown);
	} else if (c->n_terms > 1 && !(is_label(t) && c->n_terms == 2)) {
		return parse_fail(
		        p, -EINVAL, t->pos, "'%s' is not a function, it takes no argument", shown);
	} else if (t->type == TERM_CONSTANT && !t->constant && only) {
		return parse_fail(p, -EINVAL, t->pos, "nil alone is not a value to print");
	}
	for (t = t->next; t; t = t->next)
		if (t->type == TERM_CALL) {
			int r = check_arity(p, t, 0);

			if (r < 0)
				return r;
		}
	return 0;
}

/* Reads the terms up to a bar (which is read), a parenthesis or }} (which are left). */
static int parse_command(struct parser *p, struct command *c, bool *ret_more)
{
	struct term **tail = &c->terms;
	struct token t;

	for (;;) {
		int r = token_peek(p, &t);

		if (r < 0)
			return r;
		*ret_more = t.type == TOKEN_BAR;
		if (t.type == TOKEN_BAR)
			(void) token_next(p, &t);
		if (t.type == TOKEN_BAR || t.type == TOKEN_CLOSE || t.type == TOKEN_RIGHT)
			break;
		if (c->n_terms > 0 && !t.spaced)
			return parse_fail(
			        p, -EINVAL, t.pos, "a blank is missing between two values");
		if (c->n_terms > TEMPLATE_ARGS_MAX)
			return parse_fail(
			        p, -EMSGSIZE, t.pos, "more than %d arguments", TEMPLATE_ARGS_MAX);
		(void) token_next(p, &t);
		r = parse_term(p, &t, tail);
		if (r < 0)
			return r;
		tail = &(*tail)->next;
		c->n_terms++;
	}
	if (c->n_terms == 0)
		return parse_fail(p, -EINVAL, t.pos, "a value is missing");
	return 0;
}

/* The variables of "$x :=", "$x =" and, for range, "$i, $x :=". */
struct targets {
	struct token names[2];
	size_t n;
	bool declare;
};

static int parse_targets(struct parser *p, bool range, struct targets *ret)
{
	const struct parser before = *p;
	struct targets targets = { 0 };
	struct token t;
	int r;

	*ret = targets;
	for (;;) {
		r = token_next(p, &t);
		if (r < 0)
			return r;
		if (t.type != TOKEN_VAR || targets.n == (range ? 2 : 1))
			break;
		targets.names[targets.n++] = t;
		r = token_next(p, &t);
		if (r < 0)
			return r;
		if (t.type == TOKEN_DECLARE || t.type == TOKEN_ASSIGN) {
			targets.declare = t.type == TOKEN_DECLARE;
			*ret = targets;
			return 0;
		}
		if (t.type != TOKEN_COMMA)
			break;
	}
	/* It was a value. */
	p->pos = before.pos;
	p->trim = before.trim;
	p->has_peeked = before.has_peeked;
	p->peeked = before.peeked;
	return 0;
}

static int assign_targets(struct parser *p, const struct targets *targets, struct pipe *pipe)
{
	for (size_t i = 0; i < targets->n; i++) {
		const struct token *t = &targets->names[i];
		int r;

		if (targets->declare) {
			if (p->n_vars == TEMPLATE_VARS_MAX)
				return parse_fail(p, -EMSGSIZE, t->pos,
				        "more than %d variables at once", TEMPLATE_VARS_MAX);
			if (!*t->name)
				return parse_fail(p, -EINVAL, t->pos, "a variable needs a name");
			p->vars[p->n_vars] = t->name;
			pipe->slots[i] = (unsigned int) p->n_vars++;
		} else {
			r = find_var(p, t, &pipe->slots[i]);
			if (r < 0)
				return r;
		}
	}
	pipe->n_vars = (unsigned int) targets->n;
	return 0;
}

static int parse_commands(struct parser *p, struct pipe *pipe)
{
	struct command **tail = &pipe->commands;
	bool more = true;

	while (more) {
		struct command *c = arena_new(&p->t->arena, struct command);
		bool first = tail == &pipe->commands;
		int r = parse_command(p, c, &more);

		if (r == 0)
			r = check_command(p, c, first, !more);
		if (r < 0)
			return r;
		*tail = c;
		tail = &c->next;
	}
	return 0;
}

int parse_pipe(struct parser *p, bool range, struct pipe **ret)
{
	struct pipe *pipe = arena_new(&p->t->arena, struct pipe);
	struct targets targets;
	int r;

	if (p->depth == TEMPLATE_DEPTH_MAX)
		return parse_fail(
		        p, -EMSGSIZE, p->pos, "nested deeper than %d", TEMPLATE_DEPTH_MAX);
	p->depth++;
	r = parse_targets(p, range, &targets);
	if (r == 0)
		r = parse_commands(p, pipe);
	if (r == 0)
		r = assign_targets(p, &targets, pipe);
	p->depth--;
	*ret = pipe;
	return r;
}
