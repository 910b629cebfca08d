/* SPDX-License-Identifier: Apache-2.0 */
/* stop, restart */
#include "each.h"
#include "foreground.h"

#include "base/str.h"
#include "engine/events.h"
#include "engine/life.h"
#include "proc/proc.h"

struct values {
	const char *signal;
	int64_t time;
	bool has_time;
};

static int parse_time(const char *text, void *field, struct err *err)
{
	struct values *v = field;

	if (num_parse_i64(text, &v->time) < 0) {
		_free_ char *shown = str_escaped(text);

		return err_set(
		        err, -EINVAL, "strconv.ParseInt: parsing \"%s\": invalid syntax", shown);
	}
	v->has_time = true;
	return 0;
}

static const struct opt options[] = {
	{ "signal", 's', OPT_TEXT, "SIGNAL", "signal to send first (default the container's)",
	        offsetof(struct values, signal), NULL },
	{ "time", 't', OPT_PARSE, "SECONDS",
	        "wait so long before it is killed; -1: for ever (default the container's, or 10)",
	        0, parse_time },
	{ "timeout", 0, OPT_PARSE, "SECONDS", NULL, 0, parse_time },
};

static int signal_of(const struct values *v, int *ret, struct err *err)
{
	int n = v->signal ? proc_signal_parse(v->signal) : 0;
	_free_ char *shown = NULL;

	if (n >= 0) {
		*ret = n;
		return 0;
	}
	shown = str_escaped(v->signal);
	return err_set(err, -EINVAL, "Invalid signal: %s", shown);
}

static int act_stop(struct engine *e, struct container *c, void *values, struct err *err)
{
	const struct values *v = values;
	int signal = 0, r = signal_of(v, &signal, err);

	return r < 0 ? r : life_stop(e, c, signal, v->has_time ? v->time : INT64_MIN, err);
}

static int act_restart(struct engine *e, struct container *c, void *values, struct err *err)
{
	static const struct life_start how = { .attach = 0 };
	int code, r = find_programs(err);

	if (r == 0)
		r = act_stop(e, c, values, err);
	if (r == 0)
		r = container_look(e, c, err);
	if (r == 0)
		r = life_start(e, c, &how, foreground_warn, NULL, &code, err);
	if (r == 0)
		events_container(e, c, "restart", NULL, 0);
	return r;
}

static int run_stop(void *data, void *values, int argc, char **argv)
{
	const struct each each = { .global = data, .act = act_stop, .values = values };

	return each_container(&each, argc, argv);
}

static int run_restart(void *data, void *values, int argc, char **argv)
{
	const struct each each = { .global = data, .act = act_restart, .values = values };

	return each_container(&each, argc, argv);
}

#define COMMAND(words, text, function)                                                             \
	{                                                                                          \
		.name = (words), .args = "CONTAINER [CONTAINER...]", .help = (text),               \
		.options = options, .n_options = ARRAY_SIZE(options), .min_args = 1,               \
		.max_args = -1, .mixed = true, .values_size = sizeof(struct values),               \
		.run = (function),                                                                 \
	}
const struct opt_command command_stop = COMMAND("stop", "stop containers", run_stop);
const struct opt_command command_container_stop = COMMAND("container stop", NULL, run_stop);
const struct opt_command command_restart = COMMAND(
        "restart", "stop and start containers", run_restart);
const struct opt_command command_container_restart = COMMAND(
        "container restart", NULL, run_restart);
