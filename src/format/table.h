/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Tables and lists, as docker's commands print them.
 *
 * Theory of operation: a command makes a JSON array with one object a row, whose members are the
 * fields of --format, and names its headers and its usual columns; everything that --format can
 * mean is done here. Cells of a table end with a tab. A column is as wide as its widest cell and
 * three spaces, at least ten; only lines that follow each other directly share it; what stands
 * behind the last tab of a line is not padded. Width is counted in characters. These are the rules
 * of Go's tabwriter, so scripts that cut columns find them where docker has them.
 */
#include "base/buf.h"
#include "base/err.h"

struct json_object;

/* Aligns lines (each with its '\n') of cells that end with a tab, and appends them to out. Returns
 * 0 or -EMSGSIZE. The text is the caller's: cells of foreign text are cleaned before
 * (format_clean). */
int table_align(const char *text, size_t len, struct buf *out);

/* One field that the user may name, and its header. */
struct format_header {
	const char *field, *header;
};

struct format_list {
	/* --format: NULL, "" and "table": the usual table; "table TEMPLATE"; "json": one object a
	 * line; anything else is a template for each row. \t and \n are a tab and a new line. */
	const char *spec;
	const char *table; /* the usual columns: "{{.ID}}\t{{.Names}}" (a real tab, or \t) */
	const char *quiet; /* --quiet: a template, "{{.ID}}", that goes before spec; or NULL */
	const struct format_header *headers; /* every field; ended by a NULL field */
	/* What {{.Label "key"}} reads: an array with an object (or null) for each row; or NULL.
	 * (format_list alone.) */
	struct json_object *labels;
	/* Texts of rows are cleaned (format/clean.h) in templates too; in tables they always are.
	 * Set it when the output is a terminal. */
	bool clean;
};

/* Prints the array of rows as the user wants it. out is unchanged on failure. Errors: those of
 * template_parse and template_exec. */
int format_list(
        const struct format_list *list, struct json_object *rows, struct buf *out, struct err *err);
/* Rows that are made one after the other, so that a long list needs the memory of one. */
struct format_rows {
	size_t n;
	/* Makes row i. labels is its {{.Label "key"}}, NULL when that is not to be used. */
	void (*make)(void *data, size_t i, struct json_object *row, struct json_object *labels);
	void *data;
	bool labels;
};
/* The same as format_list for an array of these rows. */
int format_list_rows(const struct format_list *list, const struct format_rows *rows,
        struct buf *out, struct err *err);
/* Checks --format before any work is done: parses what format_list would. */
int format_list_check(const struct format_list *list, struct err *err);
/* True when the output will contain the field: for what is costly to find out. The JSON form
 * contains all. */
bool format_list_uses(const struct format_list *list, const char *field);

/* Prints the array of objects as docker inspect does. spec: NULL or "": an indented JSON array;
 * "json": the array on one line; anything else: a template for each object, one a line (here a name
 * that is not there is an error, \t stays as it is). out is unchanged on failure. */
int format_inspect(const char *spec, bool clean, struct json_object *objects, struct buf *out,
        struct err *err);
/* Appends a value as JSON with Go's rules (no escaping of <, > and &): compact, or indented by four
 * spaces. Bytes that could drive a terminal are escaped. */
int format_json(struct json_object *value, bool indented, struct buf *out, struct err *err);
