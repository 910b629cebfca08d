/* SPDX-License-Identifier: Apache-2.0 */
#include "format/table.h"

#include "base/str.h"
#include "format/template.h"

#include <errno.h>
#include <json-c/json_object.h>

enum { ROWS_MAX = 64 << 20 }; /* bytes of a table before it is aligned */

/* What --format asks for. */
struct wanted {
	bool table;
	struct template *template;
};

static void wanted_done(struct wanted *w)
{
	w->template = template_free(w->template);
}

/* The template without the blanks around it. */
static int parse_trimmed(const char *text, struct template **ret, struct err *err)
{
	size_t len;
	_free_ char *copy = NULL;

	while (*text == ' ')
		text++;
	len = strlen(text);
	while (len > 0 && text[len - 1] == ' ')
		len--;
	copy = xstrndup(text, len);
	return template_parse(copy, TEMPLATE_ESCAPES, ret, err);
}

static int parse_spec(const struct format_list *list, struct wanted *ret, struct err *err)
{
	const char *spec = list->spec ? list->spec : "";

	*ret = (struct wanted){ 0 };
	if (list->quiet)
		return parse_trimmed(list->quiet, &ret->template, err);
	if (streq(spec, "json"))
		return template_parse("{{json .}}", 0, &ret->template, err);
	if (str_has_prefix(spec, "table") && !streq(spec, "table")) {
		ret->table = true;
		return parse_trimmed(spec + strlen("table"), &ret->template, err);
	}
	ret->table = !*spec || streq(spec, "table");
	return parse_trimmed(ret->table ? list->table : spec, &ret->template, err);
}

int format_list_check(const struct format_list *list, struct err *err)
{
	_cleanup_(wanted_done) struct wanted w = { 0 };

	return parse_spec(list, &w, err);
}

bool format_list_uses(const struct format_list *list, const char *field)
{
	_cleanup_(wanted_done) struct wanted w = { 0 };

	/* A template that does not parse is an error of format_list, not of this question. */
	return parse_spec(list, &w, NULL) < 0 || template_uses(w.template, field);
}

/* The first line of a table: the template over the headers. What cannot work with headers (range
 * over a text) ends the line early; a name that is not there is an error also for an empty list. */
static int add_header(
        const struct format_list *list, const struct wanted *w, struct buf *out, struct err *err)
{
	static const struct template_options options = { .flags = TEMPLATE_HEADER };
	struct json_object *headers = json_object_new_object();
	int r;

	for (const struct format_header *h = list->headers; h->field; h++)
		(void) json_object_object_add(headers, h->field, json_object_new_string(h->header));
	r = template_exec(w->template, headers, &options, out, err);
	(void) json_object_put(headers);
	(void) buf_addc(out, '\n'); /* too much is found in the end */
	return r == -ENOENT ? r : 0;
}

static int add_row(const struct format_list *list, const struct wanted *w, struct json_object *row,
        bool has_labels, struct json_object *labels, struct buf *out, struct err *err)
{
	const struct template_options options = {
		.flags = TEMPLATE_SORT | (list->clean || w->table ? TEMPLATE_CLEAN : 0u) |
		         (has_labels ? TEMPLATE_LABELS : 0u),
		.labels = labels,
	};
	int r = template_exec(w->template, row, &options, out, err);

	if (r < 0)
		return r;
	if (buf_addc(out, '\n') < 0)
		return err_set(err, -EMSGSIZE, "the list is longer than %zu bytes", out->max);
	return 0;
}

/* Appends the text, aligned or as it is, or nothing at all. */
static int add_whole(struct buf *out, const struct buf *text, bool align, struct err *err)
{
	const struct buf before = *out;
	int r = !buf_ok(text) ? -EMSGSIZE
	        : align       ? table_align(buf_str(text), text->len, out)
	                      : buf_add(out, buf_str(text), text->len);

	if (r == 0)
		return 0;
	out->len = before.len;
	out->toobig = before.toobig;
	if (out->data)
		out->data[out->len] = '\0';
	return err_set(err, r, "the output is longer than %zu bytes", out->max);
}

/* A row of the array that the caller has, or of those that are made. */
typedef int (*add_fn)(const struct format_list *list, const struct wanted *w, const void *rows,
        size_t i, struct buf *out, struct err *err);

static int add_all(const struct format_list *list, add_fn add, const void *rows, size_t n,
        struct buf *out, struct err *err)
{
	_cleanup_(wanted_done) struct wanted w = { 0 };
	_buf_done_ struct buf text = BUF_INIT(ROWS_MAX);
	int r = parse_spec(list, &w, err);

	if (r == 0 && w.table)
		r = add_header(list, &w, &text, err);
	for (size_t i = 0; i < n && r == 0; i++)
		r = add(list, &w, rows, i, &text, err);
	return r < 0 ? r : add_whole(out, &text, w.table, err);
}

static int add_given(const struct format_list *list, const struct wanted *w, const void *rows,
        size_t i, struct buf *out, struct err *err)
{
	const struct json_object *all = rows;

	return add_row(list, w, json_object_array_get_idx(all, i), list->labels != NULL,
	        list->labels ? json_object_array_get_idx(list->labels, i) : NULL, out, err);
}

int format_list(
        const struct format_list *list, struct json_object *rows, struct buf *out, struct err *err)
{
	return add_all(list, add_given, rows, json_object_array_length(rows), out, err);
}

static int add_made(const struct format_list *list, const struct wanted *w, const void *rows,
        size_t i, struct buf *out, struct err *err)
{
	const struct format_rows *made = rows;
	struct json_object *row = json_object_new_object(),
	                   *labels = made->labels ? json_object_new_object() : NULL;
	int r;

	made->make(made->data, i, row, labels);
	r = add_row(list, w, row, made->labels, labels, out, err);
	(void) json_object_put(row);
	(void) json_object_put(labels);
	return r;
}

int format_list_rows(const struct format_list *list, const struct format_rows *rows,
        struct buf *out, struct err *err)
{
	return add_all(list, add_made, rows, rows->n, out, err);
}

int format_inspect(
        const char *spec, bool clean, struct json_object *objects, struct buf *out, struct err *err)
{
	const struct template_options options = { .flags = clean ? TEMPLATE_CLEAN : 0u };
	_template_free_ struct template *t = NULL;
	_buf_done_ struct buf text = BUF_INIT(ROWS_MAX);
	size_t n = json_object_array_length(objects);
	bool json = !spec || !*spec || streq(spec, "json");
	int r = json ? format_json(objects, !spec || !*spec, &text, err)
	             : template_parse(spec, 0, &t, err);

	if (json && r == 0)
		(void) buf_addc(&text, '\n');
	for (size_t i = 0; i < n && !json && r == 0; i++) {
		r = template_exec(t, json_object_array_get_idx(objects, i), &options, &text, err);
		(void) buf_addc(&text, '\n');
	}
	return r < 0 ? r : add_whole(out, &text, false, err);
}
