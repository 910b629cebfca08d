/* SPDX-License-Identifier: Apache-2.0 */
/* system boot, system shutdown: what the unit file calls */
#include "foreground.h"

#include "base/str.h"
#include "engine/life.h"

#include <stdio.h>

/* docker's rule when its daemon starts. */
static bool wants_start(const struct container *c, const struct config *config)
{
	if (c->alive)
		return false;
	if (streq(config->restart, "always"))
		return c->record.state != RECORD_CREATED;
	if (streq(config->restart, "unless-stopped"))
		return !c->stopped && c->record.state != RECORD_CREATED;
	return streq(config->restart, "on-failure") && !c->stopped &&
	       c->record.state == RECORD_EXITED && c->record.exit_code != 0 &&
	       (config->restart_max == 0 || c->record.restarts < config->restart_max);
}

/* One that cannot be started does not keep the others. */
static int boot_one(struct engine *e, struct container *c)
{
	static const struct life_start how = { .attach = 0 };
	_config_free_ struct config *config = NULL;
	struct err err;
	int code, r = container_look(e, c, &err);

	if (r == 0)
		r = container_config(e, c, &config, &err);
	if (r == 0 && !wants_start(c, config))
		return EXIT_OK;
	if (r == 0)
		r = life_start(e, c, &how, foreground_warn, NULL, &code, &err);
	if (r == 0)
		(void) printf("%s\n", c->name);
	return r < 0 ? fail(EXIT_ERROR, &err) : EXIT_OK;
}

static int shutdown_one(struct engine *e, struct container *c)
{
	struct err err;
	bool stopped = c->stopped;
	int r = container_look(e, c, &err);

	if (r == 0 && !c->alive)
		return EXIT_OK;
	if (r == 0)
		r = life_stop(e, c, 0, INT64_MIN, &err);
	/* The machine stops it, not a person: it comes back with the machine. */
	if (r == 0)
		r = container_set_stopped(e, c, stopped, &err);
	if (r == 0)
		(void) printf("%s\n", c->name);
	return r < 0 ? fail(EXIT_ERROR, &err) : EXIT_OK;
}

static int for_all(struct global *global, int (*act)(struct engine *e, struct container *c))
{
	_container_list_done_ struct container_list list = { .n = 0 };
	_engine_done_ struct engine engine = ENGINE_INIT;
	struct err err;
	int code = EXIT_OK, r = find_programs(&err);

	if (r == 0)
		r = engine_open(global->root, ENGINE_WRITE, &engine, &err);

	if (r == 0)
		r = container_list(&engine, &list, &err);
	if (r < 0)
		return fail(EXIT_ERROR, &err);
	for (size_t i = list.n; i-- > 0;) /* the oldest first */
		if (act(&engine, &list.items[i]) != EXIT_OK)
			code = EXIT_ERROR;
	return code;
}

static int run_boot(void *data, void *values, int argc, char **argv)
{
	(void) values, (void) argc, (void) argv;
	return for_all(data, boot_one);
}

static int run_shutdown(void *data, void *values, int argc, char **argv)
{
	(void) values, (void) argc, (void) argv;
	return for_all(data, shutdown_one);
}

const struct opt_command command_system_boot = {
	.name = "system boot",
	.args = "",
	.help = "start the containers whose restart policy says so (at boot)",
	.run = run_boot,
};
const struct opt_command command_system_shutdown = {
	.name = "system shutdown",
	.args = "",
	.help = "stop all containers; 'system boot' starts them again",
	.run = run_shutdown,
};
