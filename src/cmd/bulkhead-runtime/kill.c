/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd.h"

#include "base/str.h"
#include "proc/proc.h"

#include <signal.h>

struct values {
	bool all, regex;
	int sig;
	struct runtime *rt;
};

static const struct opt options[] = {
	{ "all", 'a', OPT_FLAG, NULL, "signal every process of the container",
	        offsetof(struct values, all), NULL },
	{ "regex", 'r', OPT_FLAG, NULL, "ID is an extended regular expression: all that match",
	        offsetof(struct values, regex), NULL },
};

/* 0 is no signal: kill(2) then only tells whether there is a process. */
static int parse_signal(const char *text)
{
	return streq(text, "0") ? 0 : proc_signal_parse(text);
}

static int act(const char *id, void *userdata, struct err *err)
{
	const struct values *v = userdata;
	return runtime_kill(v->rt, id, v->sig, v->all, err);
}

static int run(void *global, void *values, int argc, char **argv)
{
	const struct global *g = global;
	struct values *v = values;
	struct err err = { 0 };
	_cleanup_(runtime_done) struct runtime rt;
	int sig = argc > 1 ? parse_signal(argv[1]) : SIGTERM;
	if (open_runtime(g, false, &rt) != 0)
		return 1;
	if (sig < 0) {
		_free_ char *shown = str_escaped(argv[1]);
		err_set(&err, sig, "unknown signal '%s': give a name or a number", shown);
		return fail(g, &err);
	}
	v->rt = &rt;
	v->sig = sig;
	if (v->regex)
		return for_each_match(g, &rt, argv[0], act, v);
	return runtime_kill(&rt, argv[0], sig, v->all, &err) < 0 ? fail(g, &err) : 0;
}

const struct opt_command command_kill = {
	.name = "kill",
	.args = "ID [SIGNAL]",
	.help = "send a signal to a container (default TERM)",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.min_args = 1,
	.max_args = 2,
	.values_size = sizeof(struct values),
	.run = run,
};
