/* SPDX-License-Identifier: Apache-2.0 */
/* attach, start */
#include "each.h"
#include "foreground.h"

#include "base/str.h"
#include "engine/attach.h"
#include "engine/life.h"
#include "proc/proc.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

struct attach_values {
	bool no_stdin, no_sig_proxy;
	const char *detach_keys;
};

struct start_values {
	bool attach, interactive;
	const char *detach_keys;
};

/* The container that argv names, for a command about one. */
static int open_one(struct global *global, const char *name, struct engine *engine,
        struct container *c, struct err *err)
{
	int r = find_programs(err);

	if (r == 0)
		r = engine_open(global->root, ENGINE_WRITE, engine, err);
	return r < 0 ? r : container_find(engine, name, c, err);
}

/* --- attach ----------------------------------------------------------------------------------- */

static int check_attachable(const struct container *c, struct err *err)
{
	if (streq(container_status(c), "paused"))
		return err_set(
		        err, -EBUSY, "You cannot attach to a paused container, unpause it first");
	if (c->alive && c->record.state == RECORD_RESTARTING)
		return err_set(err, -EBUSY,
		        "You cannot attach to a restarting container, wait until it is running");
	if (!container_is_running(c))
		return err_set(
		        err, -ESRCH, "You cannot attach to a stopped container, start it first");
	return 0;
}

static int run_attach(void *data, void *values, int argc, char **argv)
{
	const struct attach_values *v = values;
	_engine_done_ struct engine engine = ENGINE_INIT;
	_container_done_ struct container c = CONTAINER_INIT;
	_config_free_ struct config *config = NULL;
	_attach_done_ struct attach a = ATTACH_INIT;
	struct err err;
	sigset_t old;
	int code = 0, r = open_one(data, argv[0], &engine, &c, &err);

	(void) argc;
	if (r == 0)
		r = check_attachable(&c, &err);
	if (r == 0)
		r = container_config(&engine, &c, &config, &err);
	if (r < 0)
		return fail(EXIT_ERROR, &err);
	a.out = a.err = true;
	a.in = config->open_stdin && !v->no_stdin;
	a.terminal = config->tty;
	a.sig_proxy = !v->no_sig_proxy;
	a.detach_keys = v->detach_keys;
	if (a.in && a.terminal && !isatty(0)) {
		(void) err_set(&err, -ENOTTY, "the input device is not a TTY");
		return fail(EXIT_ERROR, &err);
	}
	proc_block_signals(&old);
	r = attach_open(&a, &err);
	if (r == 0)
		r = attach_connect(&a, &engine, &c, &err);
	if (r == 0)
		r = attach_serve(&a, &engine, &c, -EBADF, &code, &err);
	return foreground_result(r, code, &err);
}

/* --- start ------------------------------------------------------------------------------------ */

/* Another command was quicker: the container runs, or is about to. */
static bool is_started(struct engine *e, struct container *c)
{
	struct err ignored;

	return container_look(e, c, &ignored) == 0 && c->alive &&
	       (c->record.state == RECORD_STARTING || c->record.state == RECORD_RUNNING);
}

static int act_start(struct engine *e, struct container *c, void *values, struct err *err)
{
	static const struct life_start how = { .attach = 0 };
	int code, r;

	(void) values;
	if (container_is_running(c))
		return 0;
	r = find_programs(err);
	if (r == 0)
		r = life_start(e, c, &how, foreground_warn, NULL, &code, err);
	return r < 0 && is_started(e, c) ? 0 : r;
}

/* The foreground: attached before the first byte of output. */
static int start_attached(struct global *global, const struct start_values *v, const char *name)
{
	_engine_done_ struct engine engine = ENGINE_INIT;
	_container_done_ struct container c = CONTAINER_INIT;
	_config_free_ struct config *config = NULL;
	_attach_done_ struct attach a = ATTACH_INIT;
	struct life_start how = { .attach = 0 };
	struct err err;
	sigset_t old;
	int code = 0, sock = -EBADF, r = open_one(global, name, &engine, &c, &err);

	if (r == 0)
		r = container_config(&engine, &c, &config, &err);
	if (r < 0)
		return fail(EXIT_ERROR, &err);
	a.out = a.err = v->attach || v->interactive;
	a.in = config->open_stdin && v->interactive;
	a.terminal = config->tty;
	a.sig_proxy = true;
	a.owner = config->auto_remove;
	a.detach_keys = v->detach_keys;
	proc_block_signals(&old);
	r = attach_open(&a, &err);
	if (r < 0)
		return fail(EXIT_ERROR, &err);
	attach_fill(&a, &how);
	r = life_start(&engine, &c, &how, foreground_warn, &sock, &code, &err);
	if (r < 0)
		return fail(code, &err);
	r = attach_serve(&a, &engine, &c, sock, &code, &err);
	if (r == CONSOLE_ENDED && config->auto_remove && container_reap(&engine, &c, &err) < 0)
		foreground_warn(err.text);
	return r == CONSOLE_DETACHED ? EXIT_OK : foreground_result(r, code, &err);
}

static int run_start(void *data, void *values, int argc, char **argv)
{
	const struct start_values *v = values;
	const struct each each = { .global = data, .act = act_start };
	int code;

	if (v->attach || v->interactive) {
		struct err err;

		if (argc == 1)
			return start_attached(data, v, argv[0]);
		(void) err_set(
		        &err, -EINVAL, "you cannot start and attach multiple containers at once");
		return fail(EXIT_ERROR, &err);
	}
	code = each_container(&each, argc, argv);
	if (code != EXIT_OK)
		(void) fprintf(stderr, "bulkhead: failed to start containers\n");
	return code;
}

#define KEYS_HELP "keys that detach, e.g. ctrl-a,x (default ctrl-p,ctrl-q)"

static const struct opt attach_options[] = {
	{ "detach-keys", 0, OPT_TEXT, "KEYS", KEYS_HELP,
	        offsetof(struct attach_values, detach_keys), NULL },
	{ "no-stdin", 0, OPT_FLAG, NULL, "do not attach our stdin",
	        offsetof(struct attach_values, no_stdin), NULL },
	{ "sig-proxy", 0, OPT_FLAG_OFF, NULL, "send signals on to the container (default true)",
	        offsetof(struct attach_values, no_sig_proxy), NULL },
};

static const struct opt start_options[] = {
	{ "attach", 'a', OPT_FLAG, NULL, "attach stdout and stderr, and wait",
	        offsetof(struct start_values, attach), NULL },
	{ "detach-keys", 0, OPT_TEXT, "KEYS", KEYS_HELP, offsetof(struct start_values, detach_keys),
	        NULL },
	{ "interactive", 'i', OPT_FLAG, NULL, "attach stdin too",
	        offsetof(struct start_values, interactive), NULL },
};

#define ATTACH_COMMAND(words, text)                                                                \
	{                                                                                          \
		.name = (words), .args = "CONTAINER", .help = (text), .options = attach_options,   \
		.n_options = ARRAY_SIZE(attach_options), .min_args = 1, .max_args = 1,             \
		.mixed = true, .values_size = sizeof(struct attach_values), .run = run_attach,     \
	}
#define START_COMMAND(words, text)                                                                 \
	{                                                                                          \
		.name = (words), .args = "CONTAINER [CONTAINER...]", .help = (text),               \
		.options = start_options, .n_options = ARRAY_SIZE(start_options), .min_args = 1,   \
		.max_args = -1, .mixed = true, .values_size = sizeof(struct start_values),         \
		.run = run_start,                                                                  \
	}
const struct opt_command command_attach = ATTACH_COMMAND(
        "attach", "join a container's stdin and output");
const struct opt_command command_container_attach = ATTACH_COMMAND("container attach", NULL);
const struct opt_command command_start = START_COMMAND(
        "start", "start containers that were created or have ended");
const struct opt_command command_container_start = START_COMMAND("container start", NULL);
