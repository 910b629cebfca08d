/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd.h"

static int run(void *global, void *values _unused_, int argc _unused_, char **argv)
{
	const struct global *g = global;
	struct err err = { 0 };
	_buf_done_ struct buf text = BUF_INIT(RUNTIME_STATE_MAX);
	_cleanup_(runtime_done) struct runtime rt;
	_cleanup_(runtime_state_freep) struct runtime_state *state = NULL;
	if (open_runtime(g, false, &rt) != 0)
		return 1;
	if (runtime_state_load(&rt, argv[0], &state, &err) < 0)
		return fail(g, &err);
	(void) runtime_state_print(&rt, state, true, &text);
	return print_text(g, &text);
}

const struct opt_command command_state = {
	.name = "state",
	.args = "ID",
	.help = "print the state of a container as JSON",
	.min_args = 1,
	.max_args = 1,
	.values_size = 1,
	.run = run,
};
