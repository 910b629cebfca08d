/* SPDX-License-Identifier: Apache-2.0 */
#include "bulkhead.h"

#include "engine/volumes.h"

#include <stdio.h>

struct values {
	bool force;
};

static const struct opt options[] = {
	{ "force", 'f', OPT_FLAG, NULL, "no error for a missing volume",
	        offsetof(struct values, force), NULL },
};

static int run(void *data, void *values, int argc, char **argv)
{
	_engine_done_ struct engine e = ENGINE_INIT;
	const struct global *global = data;
	const struct values *v = values;
	struct err err;
	int code = EXIT_OK;

	if (engine_open(global->root, ENGINE_WRITE, &e, &err) < 0)
		return fail(EXIT_ERROR, &err);
	/* Each by itself: one that cannot go does not keep the others. */
	for (int i = 0; i < argc; i++)
		if (volume_remove(&e, argv[i], v->force, &err) < 0)
			code = fail(EXIT_ERROR, &err);
		else if (puts(argv[i]) < 0)
			code = EXIT_ERROR;
	return code;
}

#define REMOVE_COMMAND(words, text)                                                                \
	{                                                                                          \
		.name = (words), .args = "VOLUME [VOLUME...]", .help = (text), .options = options, \
		.n_options = ARRAY_SIZE(options), .min_args = 1, .max_args = -1, .mixed = true,    \
		.values_size = sizeof(struct values), .run = run,                                  \
	}
const struct opt_command command_volume_rm = REMOVE_COMMAND(
        "volume rm", "remove volumes that no container uses");
const struct opt_command command_volume_remove = REMOVE_COMMAND("volume remove", NULL);
