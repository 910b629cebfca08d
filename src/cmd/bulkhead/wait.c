/* SPDX-License-Identifier: Apache-2.0 */
/* wait */
#include "each.h"

#include "engine/life.h"

#include <stdio.h>

/* What is printed is the code. */
static int act_wait(struct engine *e, struct container *c, void *values, struct err *err)
{
	int code, r = life_wait(e, c, &code, err);

	(void) values;
	return r < 0 ? r : printf("%d\n", code) < 0 ? -EIO : 0;
}

/* One after the other: the codes stand in the order of the arguments. */
static int run(void *data, void *values, int argc, char **argv)
{
	const struct each each = { .global = data, .act = act_wait, .quiet = true };
	int code = EXIT_OK;

	(void) values;
	for (int i = 0; i < argc; i++) {
		int k = each_container(&each, 1, argv + i);

		(void) fflush(stdout);
		code = code == EXIT_OK ? k : code;
	}
	return code;
}

#define COMMAND(words, text)                                                                       \
	{                                                                                          \
		.name = (words), .args = "CONTAINER [CONTAINER...]", .help = (text),               \
		.min_args = 1, .max_args = -1, .mixed = true, .run = run,                          \
	}
const struct opt_command command_wait = COMMAND(
        "wait", "wait until containers end, print their exit codes");
const struct opt_command command_container_wait = COMMAND("container wait", NULL);
