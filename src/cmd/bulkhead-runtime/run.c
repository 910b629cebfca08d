/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd.h"
#include "compile/compile.h"

static const struct opt options[] = {
	CREATE_OPTIONS,
	{ "detach", 'd', OPT_FLAG, NULL, "do not wait for the end",
	        offsetof(struct create_options, detach), NULL },
	{ "keep", 0, OPT_FLAG, NULL, "leave the stopped container",
	        offsetof(struct create_options, keep), NULL },
};

static int run(void *global, void *values, int argc _unused_, char **argv)
{
	const struct global *g = global;
	struct runtime_create args;
	struct compile_notes notes = { 0 };
	struct err err = { 0 };
	int code = 0;
	_cleanup_(runtime_done) struct runtime rt;
	runtime_init(&rt);
	if (protect_self(g) != 0 || open_runtime(g, true, &rt) != 0)
		return 1;
	create_args(g, values, argv[0], &args);
	int r = runtime_run(&rt, &args, &notes, &code, &err);
	tell_notes(g, &notes);
	return r < 0 ? fail(g, &err) : code;
}

const struct opt_command command_run = {
	.name = "run",
	.args = "ID",
	.help = "create and start a container, and wait for its end",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.min_args = 1,
	.max_args = 1,
	.values_size = sizeof(struct create_options),
	.run = run,
};
