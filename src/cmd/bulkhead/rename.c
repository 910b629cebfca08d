/* SPDX-License-Identifier: Apache-2.0 */
#include "bulkhead.h"

#include "base/str.h"
#include "engine/containers.h"

static int run(void *data, void *values, int argc, char **argv)
{
	_container_done_ struct container c = CONTAINER_INIT;
	_engine_done_ struct engine e = ENGINE_INIT;
	struct global *global = data;
	/* Docker's names may be written with their slash. */
	const char *name = argv[1] + (*argv[1] == '/' ? 1 : 0);
	struct err err;

	if (engine_open(global->root, ENGINE_WRITE, &e, &err) < 0 ||
	        container_find(&e, argv[0], &c, &err) < 0 ||
	        container_rename(&e, &c, name, &err) < 0)
		return fail(EXIT_ERROR, &err);
	return EXIT_OK;
}

#define RENAME_COMMAND(words, text)                                                                \
	{                                                                                          \
		.name = (words), .args = "CONTAINER NAME", .help = (text), .min_args = 2,          \
		.max_args = 2, .run = run,                                                         \
	}
const struct opt_command command_rename = RENAME_COMMAND("rename", "give a container another name");
const struct opt_command command_container_rename = RENAME_COMMAND("container rename", NULL);
