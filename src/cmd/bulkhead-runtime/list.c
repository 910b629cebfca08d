/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd.h"

#include "base/str.h"

enum { LIST_BYTES_MAX = 256 << 20 };

struct values {
	bool quiet, json;
};

static int parse_format(const char *text, void *field, struct err *err)
{
	if (!streq(text, "table") && !streq(text, "json"))
		return err_set(err, -EINVAL, "it is table or json");
	*(bool *) field = streq(text, "json");
	return 0;
}

static const struct opt options[] = {
	{ "format", 'f', OPT_PARSE, "FORMAT", "table (default) or json",
	        offsetof(struct values, json), parse_format },
	{ "quiet", 'q', OPT_FLAG, NULL, "print the IDs only", offsetof(struct values, quiet),
	        NULL },
};

static void add_row(const struct runtime *rt, const struct runtime_state *s, struct buf *out)
{
	pid_t pid = 0;
	const char *status = runtime_status_name(runtime_state_status(rt, s, &pid));
	_free_ char *bundle = str_escaped(s->bundle);
	(void) buf_addf(out, "%-20s %-8d %-8s %-40s %-31s %s\n", s->id, (int) pid, status, bundle,
	        s->created, s->owner);
}

/* Containers that vanish meanwhile, or are half-made, are left out. */
static void add_all(const struct runtime *rt, const struct values *v, char **ids, struct buf *out)
{
	const char *separator = "";
	for (size_t i = 0; ids[i]; i++) {
		_cleanup_(runtime_state_freep) struct runtime_state *state = NULL;
		if (runtime_state_load(rt, ids[i], &state, NULL) < 0)
			continue;
		if (v->quiet) {
			(void) buf_addf(out, "%s\n", ids[i]);
		} else if (v->json) {
			(void) buf_adds(out, separator);
			(void) runtime_state_print(rt, state, false, out);
			separator = ",";
		} else {
			add_row(rt, state, out);
		}
	}
}

static int run(void *global, void *values, int argc _unused_, char **argv _unused_)
{
	const struct global *g = global;
	const struct values *v = values;
	struct err err = { 0 };
	_buf_done_ struct buf text = BUF_INIT(LIST_BYTES_MAX);
	_cleanup_(runtime_done) struct runtime rt;
	_cleanup_(strv_freep) char **ids = NULL;
	if (open_runtime(g, false, &rt) != 0)
		return 1;
	if (g->root && rt.root_fd < 0) {
		_free_ char *shown = str_escaped(g->root);
		err_set(&err, -ENOENT, "there is no state folder '%s'", shown);
		return fail(g, &err);
	}
	if (runtime_list(&rt, &ids, &err) < 0)
		return fail(g, &err);
	bool json = v->json && !v->quiet;
	if (json)
		(void) buf_addc(&text, '[');
	else if (!v->quiet)
		(void) buf_addf(&text, "%-20s %-8s %-8s %-40s %-31s %s\n", "ID", "PID", "STATUS",
		        "BUNDLE", "CREATED", "OWNER");
	add_all(&rt, v, ids, &text);
	if (json)
		(void) buf_adds(&text, "]\n");
	return print_text(g, &text);
}

const struct opt_command command_list = {
	.name = "list",
	.args = "",
	.help = "list the containers of the state folder",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.values_size = sizeof(struct values),
	.run = run,
};
