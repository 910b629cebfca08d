/* SPDX-License-Identifier: Apache-2.0 */
#include "format/internal.h"

#include "base/str.h"

#include <errno.h>

/* Templates: text and actions, nested. */

enum stop { STOP_TEXT, STOP_END, STOP_ELSE };

static int parse_list(struct parser *p, struct node **ret, enum stop *ret_stop);

int parse_count(struct parser *p, size_t pos)
{
	if (++p->n_nodes > TEMPLATE_NODES_MAX)
		return parse_fail(p, -EMSGSIZE, pos, "the template has more than %d parts",
		        TEMPLATE_NODES_MAX);
	return 0;
}

static int parse_close(struct parser *p)
{
	struct token t = { 0 };
	int r = token_next(p, &t);

	if (r == 0 && t.type != TOKEN_CLOSE)
		r = parse_fail(p, -EINVAL, t.pos, "'}}' is missing");
	return r;
}

static bool is_white(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Text up to the next action, without the blanks that "-" of its neighbours takes away. */
static int add_text(struct parser *p, size_t end, bool trim_end, struct node ***tail)
{
	size_t n = 0, start = 0;
	char *text = arena_strndup(&p->t->arena, p->text + p->pos, end - p->pos);
	struct node *node;
	int r;

	for (size_t i = 0; text[i]; i++) {
		bool escape = (p->flags & TEMPLATE_ESCAPES) && text[i] == '\\' &&
		              (text[i + 1] == 't' || text[i + 1] == 'n');

		text[n++] = escape ? (text[++i] == 't' ? '\t' : '\n') : text[i];
	}
	while (trim_end && n > 0 && is_white(text[n - 1]))
		n--;
	while (p->trim && start < n && is_white(text[start]))
		start++;
	if (start == n)
		return 0;
	r = parse_count(p, p->pos);
	node = arena_new(&p->t->arena, struct node);
	node->type = NODE_TEXT;
	node->text = text + start;
	node->text_len = n - start;
	**tail = node;
	*tail = &node->next;
	return r;
}

/* Skips a comment; p->pos is on its slash. */
static int skip_comment(struct parser *p)
{
	const char *end = strstr(p->text + p->pos + 2, "*/");

	if (!end)
		return parse_fail(p, -EINVAL, p->pos, "the comment has no end");
	end += 2;
	if (is_white(*end) && str_has_prefix(end + 1, "-}}")) {
		p->trim = true;
		end += 2;
	}
	if (!str_has_prefix(end, "}}"))
		return parse_fail(p, -EINVAL, (size_t) (end - p->text),
		        "nothing may stand between a comment and '}}'");
	p->pos = (size_t) (end - p->text) + 2;
	return 0;
}

/* else, else if, else with; the keyword is read. */
static int parse_else(struct parser *p, struct node *node, size_t start);

/* What stands between if, with or range, and end. The keyword is read. */
static int parse_control(struct parser *p, enum node_type type, size_t start, struct node **ret)
{
	struct node *node = arena_new(&p->t->arena, struct node);
	size_t n_vars = p->n_vars;
	enum stop stop = STOP_TEXT;
	int r = parse_count(p, start);

	if (r == 0 && p->depth == TEMPLATE_DEPTH_MAX)
		r = parse_fail(p, -EMSGSIZE, start, "nested deeper than %d", TEMPLATE_DEPTH_MAX);
	if (r < 0)
		return r;
	node->type = type;
	*ret = node;
	p->depth++;
	r = parse_pipe(p, type == NODE_RANGE, &node->pipe);
	if (r == 0)
		r = parse_close(p);
	p->ranges += type == NODE_RANGE;
	if (r == 0)
		r = parse_list(p, &node->body, &stop);
	p->ranges -= type == NODE_RANGE;
	if (r == 0 && stop == STOP_ELSE)
		r = parse_else(p, node, start);
	else if (r == 0 && stop == STOP_TEXT)
		r = parse_fail(p, -EINVAL, start, "this has no {{end}}");
	p->depth--;
	p->n_vars = n_vars;
	return r;
}

static int parse_else(struct parser *p, struct node *node, size_t start)
{
	const char *again = node->type == NODE_IF ? "if" : "with";
	enum stop stop = STOP_TEXT;
	struct token t = { 0 };
	int r = token_peek(p, &t);

	if (r == 0 && t.type == TOKEN_WORD && node->type != NODE_RANGE && streq(t.name, again)) {
		(void) token_next(p, &t);
		return parse_control(p, node->type, t.pos, &node->otherwise);
	}
	if (r == 0)
		r = parse_close(p);
	if (r == 0)
		r = parse_list(p, &node->otherwise, &stop);
	if (r < 0)
		return r;
	if (stop == STOP_ELSE)
		return parse_fail(p, -EINVAL, p->pos, "there is an {{else}} already");
	return stop == STOP_TEXT ? parse_fail(p, -EINVAL, start, "this has no {{end}}") : 0;
}

static const struct keyword {
	const char *word;
	enum { KEY_CONTROL = 1, KEY_JUMP, KEY_STOP, KEY_REFUSED } kind;
	int value;
} keywords[] = {
	{ "if", KEY_CONTROL, NODE_IF },
	{ "with", KEY_CONTROL, NODE_WITH },
	{ "range", KEY_CONTROL, NODE_RANGE },
	{ "break", KEY_JUMP, NODE_BREAK },
	{ "continue", KEY_JUMP, NODE_CONTINUE },
	{ "end", KEY_STOP, STOP_END },
	{ "else", KEY_STOP, STOP_ELSE },
	{ "define", KEY_REFUSED, 0 },
	{ "block", KEY_REFUSED, 0 },
	{ "template", KEY_REFUSED, 0 },
};

static const struct keyword *find_keyword(const struct token *t)
{
	for (size_t i = 0; t->type == TOKEN_WORD && i < ARRAY_SIZE(keywords); i++)
		if (streq(t->name, keywords[i].word))
			return &keywords[i];
	return NULL;
}

static int parse_plain(struct parser *p, enum node_type type, size_t pos, struct node **ret)
{
	int r = parse_count(p, pos);

	if (r < 0)
		return r;
	*ret = arena_new(&p->t->arena, struct node);
	(*ret)->type = type;
	if (type == NODE_ACTION)
		r = parse_pipe(p, false, &(*ret)->pipe);
	else if (p->ranges == 0)
		r = parse_fail(p, -EINVAL, pos, "break and continue stand inside of {{range}}");
	return r < 0 ? r : parse_close(p);
}

/* One action; p->pos is behind {{ and its "-". *ret stays NULL for else and end. */
static int parse_action(struct parser *p, struct node **ret, enum stop *ret_stop)
{
	const struct keyword *key;
	struct token t = { 0 };
	int r = token_peek(p, &t);

	if (r < 0)
		return r;
	key = find_keyword(&t);
	if (!key)
		return parse_plain(p, NODE_ACTION, t.pos, ret);
	(void) token_next(p, &t);
	if (key->kind == KEY_CONTROL)
		return parse_control(p, (enum node_type) key->value, t.pos, ret);
	if (key->kind == KEY_JUMP)
		return parse_plain(p, (enum node_type) key->value, t.pos, ret);
	if (key->kind == KEY_REFUSED)
		return parse_fail(p, -EINVAL, t.pos,
		        "'%s' is not known: there are no named templates", key->word);
	if (p->depth == 0)
		return parse_fail(
		        p, -EINVAL, t.pos, "'%s' without an if, with or range", key->word);
	*ret_stop = (enum stop) key->value;
	return *ret_stop == STOP_END ? parse_close(p) : 0;
}

/* Text and actions up to the end of the text, {{end}} (which is read), or else (its word is read).
 */
static int parse_list(struct parser *p, struct node **ret, enum stop *ret_stop)
{
	struct node **tail = ret;

	*ret_stop = STOP_TEXT;
	for (;;) {
		const char *open = strstr(p->text + p->pos, "{{");
		size_t end = open ? (size_t) (open - p->text) : p->len;
		bool trim = open && open[2] == '-' && is_white(open[3]);
		int r = add_text(p, end, trim, &tail);

		if (r < 0 || !open)
			return r;
		p->trim = false;
		p->pos = end + (trim ? 4 : 2);
		if (str_has_prefix(p->text + p->pos, "/*"))
			r = skip_comment(p);
		else
			r = parse_action(p, tail, ret_stop);
		if (r < 0 || *ret_stop != STOP_TEXT)
			return r;
		if (*tail)
			tail = &(*tail)->next;
	}
}

int template_parse(const char *text, unsigned int flags, struct template **ret, struct err *err)
{
	_template_free_ struct template *t = xnew(struct template);
	size_t len = strnlen(text, TEMPLATE_SIZE_MAX + 1);
	struct parser p = { .t = t, .text = text, .len = len, .flags = flags, .err = err };
	enum stop stop = STOP_TEXT;
	int r;

	if (len > TEMPLATE_SIZE_MAX)
		return err_set(
		        err, -EMSGSIZE, "the template is longer than %d bytes", TEMPLATE_SIZE_MAX);
	t->text = arena_strndup(&t->arena, text, len);
	p.text = t->text;
	p.vars[p.n_vars++] = ""; /* $ */
	r = parse_list(&p, &t->nodes, &stop);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(t);
	return 0;
}

struct template *template_free(struct template *t)
{
	if (!t)
		return NULL;
	for (struct constant *c = t->constants; c; c = c->next)
		(void) json_object_put(c->value);
	arena_done(&t->arena);
	free(t);
	return NULL;
}

void template_freep(struct template **t)
{
	*t = template_free(*t);
}
