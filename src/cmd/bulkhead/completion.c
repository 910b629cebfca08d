/* SPDX-License-Identifier: Apache-2.0 */
#include "bulkhead.h"

static int run(void *data, void *values, int argc, char **argv)
{
	struct global *global = data;
	_buf_done_ struct buf text = BUF_INIT(1 << 20);
	struct err err;

	if (opt_completion(global->program, argv[0], &text) < 0) {
		(void) err_set(
		        &err, -1, "no completion for '%s': bash, zsh and fish are known", argv[0]);
		return fail(EXIT_ERROR, &err);
	}
	return print_text(&text);
}

const struct opt_command command_completion = {
	.name = "completion",
	.args = "bash|zsh|fish",
	.help = "print the shell's completion script",
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
