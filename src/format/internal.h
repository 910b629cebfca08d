/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of this module share: the tree of a template, tokens, values, an execution. */
#include "format/template.h"

#include "base/arena.h"

#include <json-c/json_object.h>
#include <json-c/linkhash.h>
#include <stdbool.h>

/* --- the tree ------------------------------------------------------------------------------ */

enum term_type {
	TERM_CONSTANT, /* a literal; nil is the constant NULL */
	TERM_DOT,
	TERM_VAR,  /* $ is variable 0 */
	TERM_CALL, /* a function; its arguments are the terms behind it */
	TERM_PIPE, /* in parentheses */
};

/* One operand, with the fields that are taken of it. */
struct term {
	enum term_type type;
	uint32_t pos, len; /* where it stands in the text, for errors */
	struct json_object *constant;
	unsigned int slot; /* of the variable */
	const struct func *func;
	struct pipe *pipe;
	const char *const *fields;
	size_t n_fields;
	struct term *next;
};

struct command {
	struct term *terms;
	size_t n_terms;
	struct command *next;
};

struct pipe {
	struct command *commands;
	unsigned int n_vars, slots[2]; /* what it assigns to; for range: index and element */
};

enum node_type {
	NODE_TEXT,
	NODE_ACTION,
	NODE_IF,
	NODE_WITH,
	NODE_RANGE,
	NODE_BREAK,
	NODE_CONTINUE
};

struct node {
	enum node_type type;
	const char *text; /* NODE_TEXT */
	size_t text_len;
	struct pipe *pipe;
	struct node *body, *otherwise;
	struct node *next;
};

struct constant {
	struct json_object *value;
	struct constant *next;
};

struct template
{
	struct arena arena;
	const char *text; /* a copy, for errors */
	struct node *nodes;
	struct constant *constants; /* references that the template owns */
};

/* --- parsing ------------------------------------------------------------------------------- */

enum token_type {
	TOKEN_CLOSE, /* }} */
	TOKEN_DOT,
	TOKEN_FIELD,
	TOKEN_VAR,
	TOKEN_WORD,
	TOKEN_CONSTANT,
	TOKEN_BAR,
	TOKEN_COMMA,
	TOKEN_DECLARE, /* := */
	TOKEN_ASSIGN,
	TOKEN_LEFT,
	TOKEN_RIGHT,
};

struct token {
	enum token_type type;
	uint32_t pos, len;
	bool spaced;      /* white space stands before it */
	const char *name; /* of a field, variable or word, without . and $; in the arena */
	struct json_object *constant;
};

struct parser {
	struct template *t;
	const char *text;
	size_t len, pos;
	bool trim; /* the last action ended with -}} */
	bool has_peeked;
	struct token peeked;
	unsigned int flags;
	size_t n_nodes, depth, ranges;
	const char *vars[TEMPLATE_VARS_MAX];
	size_t n_vars;
	struct err *err;
};

/* Fails with "template: LINE:COLUMN: " and the sentence. */
int parse_fail(struct parser *p, int code, size_t pos, const char *fmt, ...) _printf_(4, 5);
/* The next token of an action. */
int token_next(struct parser *p, struct token *ret);
int token_peek(struct parser *p, struct token *ret);
/* Line and column (from 1, in bytes) of a place in the text. */
void text_position(const char *text, size_t pos, size_t *ret_line, size_t *ret_column);
/* Counts one more part of the tree. */
int parse_count(struct parser *p, size_t pos);
/* Reads a pipeline up to }} or the parenthesis that closes it (which are left). */
int parse_pipe(struct parser *p, bool range, struct pipe **ret);
/* Keeps a new reference until the template is freed. */
struct json_object *template_keep(struct template *t, struct json_object *value);

/* --- execution ----------------------------------------------------------------------------- */

struct value {
	struct json_object *o; /* borrowed: of the document, the template or the execution */
	bool safe;             /* a text that no document chose, or that was cleaned already */
};

struct exec {
	const struct template *t;
	unsigned int flags;
	struct json_object *root, *labels;
	struct value vars[TEMPLATE_VARS_MAX];
	struct buf *out;
	size_t steps, memory;
	struct json_object **owned; /* what functions made */
	size_t n_owned, size_owned;
	struct err *err;
};

/* A function: args has n values, 'at' is where it stands. */
typedef int func_call(struct exec *x, const struct term *at, const struct value *args, size_t n,
        struct value *ret);

enum func_flags {
	FUNC_HEADER = 1, /* gives its first argument when the document is a table's headers */
	FUNC_AND = 2,    /* stops at the first false argument */
	FUNC_OR = 4,     /* stops at the first true argument */
};

struct func {
	const char *name;
	func_call *call;
	unsigned int min, max; /* arguments */
	unsigned int flags;
};

/* The function, or NULL. */
const struct func *func_find(const char *name, size_t len);
/* "and, eq, ..." of all functions. */
void func_names(struct buf *out);

/* Fails with "template: LINE:COLUMN: at 'TERM': " and the sentence. */
int exec_fail(struct exec *x, int code, const struct term *at, const char *fmt, ...) _printf_(4, 5);
/* Counts an evaluation. */
int exec_step(struct exec *x, const struct term *at);
/* Takes a new reference over. */
struct value exec_own(struct exec *x, struct json_object *o);
/* A buffer that has room for what the execution may still use. */
struct buf exec_buf(const struct exec *x);
/* Makes a text of the buffer; fails when it was full. 'safe' as in struct value. */
int exec_text(struct exec *x, const struct term *at, const struct buf *text, bool safe,
        struct value *ret);
/* The value of a pipeline; variables are not assigned. */
int exec_pipe(struct exec *x, const struct pipe *pipe, struct value dot, struct value *ret);
/* Fails with what went wrong in printing. */
int exec_print_fail(struct exec *x, int code, const struct term *at);
func_call func_printf; /* printf.c */
bool value_truth(struct json_object *o);

/* --- values as text (print.c, number.c) ---------------------------------------------------- */

/* What Go calls the type, for messages. */
const char *value_type(struct json_object *o);
/* A whole number of either sign; json-c has two kinds. */
__int128 value_integer(struct json_object *o);
/* A float with as few digits as read back to it, as %v prints it. */
int print_double(struct buf *out, double d);
/* The same by the rules of Go's encoding/json; -EINVAL for what JSON cannot say. */
int json_double(struct buf *out, double d);
/* The members of an object by name; free the list. */
struct json_object **sorted_members(struct json_object *o, const char ***ret_keys);

/* How one value is printed: %v, or another verb with width and so on. */
struct verb {
	char letter;
	bool minus, zero, plus, space, sharp;
	bool has_precision;
	int width, precision;
	bool clean; /* the value's texts */
};
int print_value(struct buf *out, struct json_object *o, const struct verb *verb);
/* Quotes as Go's %q does. */
int print_quoted(struct buf *out, const char *s, size_t len);
/* As JSON; depth bounds the nesting. */
int json_write(struct buf *out, struct json_object *o, bool sorted, int indent);
