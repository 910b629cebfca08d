/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Templates of --format: the part of Go's text/template that people write for docker, over JSON.
 *
 * Theory of operation: a template is parsed once into a tree of bounded size, with every function
 * and variable resolved, and executed over any number of documents; an execution changes neither
 * the template nor the document. Known are
 *
 *   text, {{.}}, {{.A.B}}, {{$}}, {{$x := ...}}, {{$x = ...}}, {{x | f}}, ( ), (index .A 0).B,
 *   "..." `...` 'c' 12 0x1f 1.5 true false nil, {{- and -}}, comments,
 *   if, else if, else, end, with, else with, range (lists; maps in the order of their keys; whole
 *   numbers), break, continue,
 *   and or not eq ne lt le gt ge, len index slice, print printf println, json, join split lower
 *   upper title truncate pad
 *
 * and values print as Go prints them: [a b], map[k:v], true, 1e+06, <no value> for null. Named
 * templates, html, js, urlquery and call are refused. Differences, all on purpose: whole numbers
 * and fractions can be compared; index of a map of texts, or of null, gives "" for a key that is
 * not there, as docker's typed maps do; lower, upper and title know the letters of ASCII; json
 * keeps the order of the document, and escapes DEL and C1 controls too.
 *
 * A name is looked up as it is written. One that is not there is an error that lists what is there.
 *
 * Bounds: the constants below, and the maximum of the output buffer. The document comes from
 * outside and may hold any text; the template comes from the user. With TEMPLATE_CLEAN texts of the
 * document cannot drive the terminal.
 */
#include "base/buf.h"
#include "base/err.h"

struct json_object;
struct template;

enum {
	TEMPLATE_SIZE_MAX = 64 << 10,   /* bytes of the template */
	TEMPLATE_NODES_MAX = 8192,      /* parts of its tree */
	TEMPLATE_DEPTH_MAX = 32,        /* nested {{if}} and parentheses, and nested values */
	TEMPLATE_VARS_MAX = 64,         /* variables in one scope */
	TEMPLATE_ARGS_MAX = 32,         /* arguments of a call, parts of .A.B.C */
	TEMPLATE_STEPS_MAX = 1 << 20,   /* evaluations of one execution */
	TEMPLATE_MEMORY_MAX = 64 << 20, /* bytes of all intermediate texts of one execution */
};

enum template_parse_flags {
	/* \t and \n in the text outside of {{ }} are a tab and a new line: what a user types for
	 * the list commands. */
	TEMPLATE_ESCAPES = 1,
};

/* Parses. Errors: -EINVAL (the sentence begins with "template: LINE:COLUMN: "), -EMSGSIZE (a
 * bound). */
int template_parse(const char *text, unsigned int flags, struct template **ret, struct err *err);
/* Accepts NULL; returns NULL. */
struct template *template_free(struct template *t);
void template_freep(struct template **t);
#define _template_free_ _cleanup_(template_freep)

/* True when the template reads .FIELD of the document itself, or passes the document on as a whole:
 * to compute what is costly only where it is asked for. */
bool template_uses(const struct template *t, const char *field);

enum template_exec_flags {
	/* Texts of the document are cleaned (format/clean.h) where they are printed. Text of the
	 * template, its literals, and what join and println put in stay as they are. */
	TEMPLATE_CLEAN = 1,
	/* A name that is not there, also of null, is <no value> rather than an error. */
	TEMPLATE_NO_VALUE = 2,
	/* json writes the keys of maps sorted. */
	TEMPLATE_SORT = 4,
	/* The document is the headers of a table: json, join, split, lower, upper, title and
	 * truncate give their first argument, .Label "a.b-c" gives "b c". */
	TEMPLATE_HEADER = 8,
	/* {{.Label "key"}} of the document itself reads 'labels'. */
	TEMPLATE_LABELS = 16,
};

struct template_options {
	unsigned int flags;
	struct json_object *labels; /* an object or NULL; a key that is not there gives "" */
};

/* Executes over a document (NULL is null) and appends to out; options may be NULL. Nothing is added
 * behind the output, not even a new line. On failure what came before is in out. Errors: -ENOENT (a
 * name that is not there), -EINVAL (a wrong argument), -EMSGSIZE (out is full, or a bound). */
int template_exec(const struct template *t, struct json_object *document,
        const struct template_options *options, struct buf *out, struct err *err);
