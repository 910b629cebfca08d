/* SPDX-License-Identifier: Apache-2.0 */
#include "look.h"

#include "base/str.h"
#include "engine/events_read.h"
#include "format/table.h"
#include "format/template.h"
#include "format/units.h"
#include "json/build.h"
#include "json/json.h"

#include <time.h>
#include <unistd.h>

enum { MESSAGE_MAX = 4 << 20 };

struct values {
	const char *since, *until, *format;
	char **filters;
};

#define AT(field) offsetof(struct values, field)
static const struct opt options[] = {
	{ "filter", 'f', OPT_LIST, "KEY=VALUE", "show only what matches, e.g. event=die",
	        AT(filters), NULL },
	{ "format", 0, OPT_TEXT, "FORMAT", "'json', or a Go template", AT(format), NULL },
	{ "since", 0, OPT_TEXT, "TIME",
	        "show events since then: a time, or 10m for ten minutes ago", AT(since), NULL },
	{ "until", 0, OPT_TEXT, "TIME", "end with the events of that time", AT(until), NULL },
};

struct printer {
	struct template *template; /* NULL: docker's words */
	bool json, clean;
	struct err *err;
};

static void printer_done(struct printer *p)
{
	p->template = template_free(p->template);
}

/* Templates name the members as docker's own structure does. */
static struct json_object *for_template(struct json_object *message)
{
	static const struct {
		const char *from, *to;
	} names[] = {
		{ "status", "Status" },
		{ "id", "ID" },
		{ "from", "From" },
		{ "Type", "Type" },
		{ "Action", "Action" },
		{ "Actor", "Actor" },
		{ "scope", "Scope" },
		{ "time", "Time" },
		{ "timeNano", "TimeNano" },
	};
	struct json_object *o = json_object_new_object();

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct json_object *value = json_object_object_get(message, names[i].from);

		if (value)
			json_add(o, names[i].to, json_object_get(value));
		else
			json_add_text(o, names[i].to, "");
	}
	return o;
}

static int format_message(const struct printer *p, struct json_object *message, struct buf *out)
{
	const struct template_options how = { .flags = p->clean ? TEMPLATE_CLEAN : 0 };
	_json_put_ struct json_object *named = NULL;
	int r;

	if (!p->json && !p->template) {
		events_print(message, out);
		return 0;
	}
	if (p->json) {
		r = format_json(message, false, out, p->err);
	} else {
		named = for_template(message);
		r = template_exec(p->template, named, &how, out, p->err);
	}
	return r < 0 ? r : buf_addc(out, '\n');
}

static int print(void *data, struct json_object *message)
{
	_buf_done_ struct buf out = BUF_INIT(MESSAGE_MAX);
	const struct printer *p = data;
	int r = format_message(p, message, &out);

	if (r < 0)
		return r;
	/* Nobody reads any more: that is the end, and not worth a word. */
	return print_text(&out) == EXIT_OK ? 0 : 1;
}

static int prepare(const struct values *v, struct printer *p, struct events_query *q)
{
	struct timespec now;
	int64_t now_ns;
	int r = events_check_filters(v->filters, p->err);

	(void) clock_gettime(CLOCK_REALTIME, &now);
	now_ns = (int64_t) now.tv_sec * 1000000000 + now.tv_nsec;
	if (r == 0 && v->since)
		r = format_parse_time(v->since, now_ns, &q->since, p->err);
	if (r == 0 && v->until)
		r = format_parse_time(v->until, now_ns, &q->until, p->err);
	q->has_since = v->since != NULL;
	q->has_until = v->until != NULL;
	q->filters = v->filters;
	/* Templates pass the message with docker's inner names, but {{json .}} means its JSON. */
	p->json = v->format && (streq(v->format, "json") || streq(v->format, "{{json .}}"));
	if (r == 0 && v->format && *v->format && !p->json)
		r = template_parse(v->format, 0, &p->template, p->err);
	return r;
}

/* Whoever waits for events waits for the first container too. */
static int open_engine(const struct global *global, struct engine *e, struct err *err)
{
	int r = engine_open(global->root, ENGINE_READ, e, err);

	return r == -ENOENT ? engine_open(global->root, ENGINE_WRITE, e, err) : r;
}

static int run_values(const struct global *global, const struct values *v)
{
	_engine_done_ struct engine e = ENGINE_INIT;
	struct events_query query = { .has_since = false };
	struct err err;
	_cleanup_(printer_done) struct printer p = { .clean = isatty(1) != 0, .err = &err };
	int r;

	if (look_check_filters(v->filters, &err) < 0)
		return fail(EXIT_ENGINE, &err);
	r = prepare(v, &p, &query);
	if (r == 0)
		r = open_engine(global, &e, &err);
	if (r == 0)
		r = events_read(&e, &query, print, &p, &err);
	if (r < 0)
		return fail(EXIT_ERROR, &err);
	return r > 0 ? EXIT_ERROR : EXIT_OK;
}

static int run(void *data, void *values, int argc, char **argv)
{
	struct values *v = values;
	int code = run_values(data, v);

	v->filters = strv_free(v->filters);
	return code;
}

#define EVENTS_COMMAND(words, text)                                                                \
	{                                                                                          \
		.name = (words), .args = "", .help = (text), .options = options,                   \
		.n_options = ARRAY_SIZE(options), .values_size = sizeof(struct values),            \
		.run = run,                                                                        \
	}
const struct opt_command command_events = EVENTS_COMMAND("events", "show what happens");
const struct opt_command command_system_events = EVENTS_COMMAND("system events", NULL);
