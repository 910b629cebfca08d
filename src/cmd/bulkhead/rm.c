/* SPDX-License-Identifier: Apache-2.0 */
/* rm, and the reaper of --rm */
#include "each.h"

#include "engine/life.h"

struct values {
	bool force, volumes;
};

static const struct opt options[] = {
	{ "force", 'f', OPT_FLAG, NULL, "kill the container first when it runs",
	        offsetof(struct values, force), NULL },
	{ "volumes", 'v', OPT_FLAG, NULL, "remove its anonymous volumes too",
	        offsetof(struct values, volumes), NULL },
};

static int act_rm(struct engine *e, struct container *c, void *values, struct err *err)
{
	const struct values *v = values;

	return container_remove(e, c,
	        (v->force ? (unsigned int) CONTAINER_REMOVE_FORCE : 0) |
	                (v->volumes ? (unsigned int) CONTAINER_REMOVE_VOLUMES : 0),
	        err);
}

static int run_rm(void *data, void *values, int argc, char **argv)
{
	const struct values *v = values;
	const struct each each = {
		.global = data, .act = act_rm, .values = values, .missing_is_ok = v->force
	};

	return each_container(&each, argc, argv);
}

static int act_reap(struct engine *e, struct container *c, void *values, struct err *err)
{
	(void) values;
	return container_reap(e, c, err);
}

/* Called by the shim of a container with --rm when it has ended. */
static int run_reap(void *data, void *values, int argc, char **argv)
{
	const struct each each = {
		.global = data, .act = act_reap, .missing_is_ok = true, .quiet = true
	};

	(void) values;
	return each_container(&each, argc, argv);
}

#define COMMAND(words, text)                                                                       \
	{                                                                                          \
		.name = (words), .args = "CONTAINER [CONTAINER...]", .help = (text),               \
		.options = options, .n_options = ARRAY_SIZE(options), .min_args = 1,               \
		.max_args = -1, .mixed = true, .values_size = sizeof(struct values),               \
		.run = run_rm,                                                                     \
	}
const struct opt_command command_rm = COMMAND("rm", "remove containers");
const struct opt_command command_container_rm = COMMAND("container rm", NULL);
const struct opt_command command_system_reap = {
	.name = "system reap",
	.args = "CONTAINER",
	.help = NULL,
	.min_args = 1,
	.max_args = 1,
	.run = run_reap,
};
