/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd.h"

static int run(void *global, void *values _unused_, int argc _unused_, char **argv)
{
	const struct global *g = global;
	struct err err = { 0 };
	_cleanup_(runtime_done) struct runtime rt;
	if (open_runtime(g, false, &rt) != 0)
		return 1;
	return runtime_start(&rt, argv[0], &err) < 0 ? fail(g, &err) : 0;
}

const struct opt_command command_start = {
	.name = "start",
	.args = "ID",
	.help = "let a created container run its program",
	.min_args = 1,
	.max_args = 1,
	.values_size = 1,
	.run = run,
};
