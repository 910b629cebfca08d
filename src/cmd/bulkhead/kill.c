/* SPDX-License-Identifier: Apache-2.0 */
/* kill, pause, unpause */
#include "each.h"

#include "base/str.h"
#include "engine/life.h"
#include "proc/proc.h"

#include <signal.h>

struct values {
	const char *signal;
};

static const struct opt options[] = {
	{ "signal", 's', OPT_TEXT, "SIGNAL", "signal to send (default KILL)",
	        offsetof(struct values, signal), NULL },
};

static int act_kill(struct engine *e, struct container *c, void *values, struct err *err)
{
	return life_kill(e, c, *(int *) values, err);
}

static int act_pause(struct engine *e, struct container *c, void *values, struct err *err)
{
	(void) values;
	return life_pause(e, c, true, err);
}

static int act_unpause(struct engine *e, struct container *c, void *values, struct err *err)
{
	(void) values;
	return life_pause(e, c, false, err);
}

static int run_kill(void *data, void *values, int argc, char **argv)
{
	const struct values *v = values;
	int signal = v->signal ? proc_signal_parse(v->signal) : SIGKILL;
	const struct each each = { .global = data,
		.act = act_kill,
		.values = &signal,
		.failed = "Cannot kill container" };

	if (signal <= 0) {
		_free_ char *shown = str_escaped(v->signal);
		struct err err;

		(void) err_set(&err, -EINVAL, "Invalid signal: %s", shown);
		return fail(EXIT_ERROR, &err);
	}
	return each_container(&each, argc, argv);
}

static int run_pause(void *data, void *values, int argc, char **argv)
{
	const struct each each = { .global = data, .act = act_pause };

	(void) values;
	return each_container(&each, argc, argv);
}

static int run_unpause(void *data, void *values, int argc, char **argv)
{
	const struct each each = { .global = data, .act = act_unpause };

	(void) values;
	return each_container(&each, argc, argv);
}

#define COMMAND(words, text, function)                                                             \
	{                                                                                          \
		.name = (words), .args = "CONTAINER [CONTAINER...]", .help = (text),               \
		.min_args = 1, .max_args = -1, .mixed = true, .run = (function),                   \
	}
#define KILL_COMMAND(words, text)                                                                  \
	{                                                                                          \
		.name = (words), .args = "CONTAINER [CONTAINER...]", .help = (text),               \
		.options = options, .n_options = ARRAY_SIZE(options), .min_args = 1,               \
		.max_args = -1, .mixed = true, .values_size = sizeof(struct values),               \
		.run = run_kill,                                                                   \
	}
const struct opt_command command_kill = KILL_COMMAND("kill", "send a signal to containers");
const struct opt_command command_container_kill = KILL_COMMAND("container kill", NULL);
const struct opt_command command_pause = COMMAND(
        "pause", "freeze all processes of containers", run_pause);
const struct opt_command command_container_pause = COMMAND("container pause", NULL, run_pause);
const struct opt_command command_unpause = COMMAND(
        "unpause", "let paused containers go on", run_unpause);
const struct opt_command command_container_unpause = COMMAND(
        "container unpause", NULL, run_unpause);
