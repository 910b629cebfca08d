/* SPDX-License-Identifier: Apache-2.0 */
#include "format/internal.h"

#include "format/clean.h"
#include "format/table.h"

#include <errno.h>
#include <string.h>

/* Values as JSON by the rules of Go's encoding/json without escaping of HTML. */

enum { JSON_NEST_MAX = 100 };

struct encoder {
	struct buf *out;
	bool sorted;
	int indent; /* blanks of one level; -1: all on one line */
	int depth;
};

static int write_value(struct encoder *e, struct json_object *o);

/* One character; n is its length, 0 for a byte that is none. */
static int write_char(struct buf *out, const char *s, size_t n, uint32_t c)
{
	static const char special[] = "\b\f\n\r\t\\\"", names[] = "bfnrt\\\"";
	const char *known = n == 1 && c > 0 && c < 0x80 ? strchr(special, (int) c) : NULL;

	if (n == 0)
		return buf_adds(out, "\\ufffd");
	if (known)
		return buf_addf(out, "\\%c", names[known - special]);
	/* Go leaves DEL, C1 and what turns the direction of text alone; a terminal obeys them. */
	if (c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x2028 && c <= 0x202e) ||
	        (c >= 0x2066 && c <= 0x2069))
		return buf_addf(out, "\\u%04x", c);
	return buf_add(out, s, n);
}

static int write_string(struct encoder *e, const char *s, size_t len)
{
	int r = buf_addc(e->out, '"');

	for (size_t i = 0, n; i < len && r == 0; i += n ? n : 1) {
		uint32_t c = 0;

		n = utf8_decode(s + i, len - i, &c);
		r = write_char(e->out, s + i, n, c);
	}
	return r < 0 ? r : buf_addc(e->out, '"');
}

/* A new line and the blanks of the level, when the text is indented. */
static int write_break(struct encoder *e)
{
	int r = 0;

	if (e->indent < 0)
		return 0;
	r = buf_addc(e->out, '\n');
	for (int i = 0; i < e->depth * e->indent && r == 0; i++)
		r = buf_addc(e->out, ' ');
	return r;
}

/* What stands before a member. */
static int write_before(struct encoder *e, bool first)
{
	int r = first ? 0 : buf_addc(e->out, ',');

	return r < 0 ? r : write_break(e);
}

static int write_end(struct encoder *e, bool empty, char c)
{
	int r = 0;

	e->depth--;
	if (!empty)
		r = write_break(e);
	return r < 0 ? r : buf_addc(e->out, c);
}

static int write_list(struct encoder *e, struct json_object *o)
{
	size_t n = json_object_array_length(o);
	int r = buf_addc(e->out, '[');

	e->depth++;
	for (size_t i = 0; i < n && r == 0; i++) {
		r = write_before(e, i == 0);
		if (r == 0)
			r = write_value(e, json_object_array_get_idx(o, i));
	}
	return r < 0 ? r : write_end(e, n == 0, ']');
}

static int write_member(struct encoder *e, bool first, const char *key, struct json_object *value)
{
	int r = write_before(e, first);

	if (r == 0)
		r = write_string(e, key, strlen(key));
	if (r == 0)
		r = buf_adds(e->out, e->indent < 0 ? ":" : ": ");
	return r < 0 ? r : write_value(e, value);
}

static int write_map(struct encoder *e, struct json_object *o)
{
	_free_ const char **keys = NULL;
	_free_ struct json_object **values = e->sorted ? sorted_members(o, &keys) : NULL;
	int r = buf_addc(e->out, '{');
	bool first = true;

	e->depth++;
	for (size_t i = 0; keys && keys[i] && r == 0; i++, first = false)
		r = write_member(e, first, keys[i], values[i]);
	if (!keys) {
		json_object_object_foreach(o, key, value)
		{
			if (r == 0)
				r = write_member(e, first, key, value);
			first = false;
		}
	}
	return r < 0 ? r : write_end(e, first, '}');
}

static int write_value(struct encoder *e, struct json_object *o)
{
	struct verb plain = { .letter = 'd' };

	if (e->depth > JSON_NEST_MAX)
		return -ELOOP;
	switch (json_object_get_type(o)) {
	case json_type_array:
		return write_list(e, o);
	case json_type_object:
		return write_map(e, o);
	case json_type_string:
		return write_string(
		        e, json_object_get_string(o), (size_t) json_object_get_string_len(o));
	case json_type_int:
		return print_value(e->out, o, &plain);
	case json_type_double:
		return json_double(e->out, json_object_get_double(o));
	case json_type_boolean:
		return buf_adds(e->out, json_object_get_boolean(o) ? "true" : "false");
	default:
		return buf_adds(e->out, "null");
	}
}

int json_write(struct buf *out, struct json_object *o, bool sorted, int indent)
{
	struct encoder e = { .out = out, .sorted = sorted, .indent = indent };

	return write_value(&e, o);
}

int format_json(struct json_object *value, bool indented, struct buf *out, struct err *err)
{
	int r = json_write(out, value, false, indented ? 4 : -1);

	if (r == -EMSGSIZE)
		return err_set(err, r, "the output is longer than %zu bytes", out->max);
	if (r < 0)
		return err_set(err, r, "cannot write this as JSON: %s",
		        r == -ELOOP ? "it is nested too deeply" : "a number is not finite");
	return 0;
}
