/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd.h"

struct values {
	bool force, regex;
	struct runtime *rt;
};

static const struct opt options[] = {
	{ "force", 'f', OPT_FLAG, NULL, "kill it first; an unknown container is no error",
	        offsetof(struct values, force), NULL },
	{ "regex", 'r', OPT_FLAG, NULL, "ID is an extended regular expression: all that match",
	        offsetof(struct values, regex), NULL },
};

static int act(const char *id, void *userdata, struct err *err)
{
	const struct values *v = userdata;
	return runtime_delete(v->rt, id, v->force, err);
}

static int run(void *global, void *values, int argc _unused_, char **argv)
{
	const struct global *g = global;
	struct values *v = values;
	struct err err = { 0 };
	_cleanup_(runtime_done) struct runtime rt;
	if (open_runtime(g, false, &rt) != 0)
		return 1;
	v->rt = &rt;
	if (v->regex)
		return for_each_match(g, &rt, argv[0], act, v);
	return runtime_delete(&rt, argv[0], v->force, &err) < 0 ? fail(g, &err) : 0;
}

const struct opt_command command_delete = {
	.name = "delete",
	.args = "ID",
	.help = "remove a stopped or created container",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.min_args = 1,
	.max_args = 1,
	.values_size = sizeof(struct values),
	.run = run,
};
