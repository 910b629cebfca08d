/* SPDX-License-Identifier: Apache-2.0 */
#include "bulkhead.h"

#include "base/str.h"
#include "engine/containers.h"

/* Docker's words, with the protocol that was left out. */
static int no_such_port(const char *text, const char *container)
{
	_free_ char *port = str_escaped(text), *name = str_escaped(container);
	struct err err;

	(void) err_set(&err, -ENOENT, "No public port '%s%s' published for %s", port,
	        strchr(text, '/') ? "" : "/tcp", name);
	return fail(EXIT_ERROR, &err);
}

/* Nothing is published in this version: a container has its loopback and nothing else. */
static int run(void *data, void *values, int argc, char **argv)
{
	_container_done_ struct container c = CONTAINER_INIT;
	_engine_done_ struct engine e = ENGINE_INIT;
	struct global *global = data;
	struct err err;

	if (engine_open(global->root, ENGINE_READ, &e, &err) < 0 ||
	        container_find(&e, argv[0], &c, &err) < 0)
		return fail(EXIT_ERROR, &err);
	return argc > 1 ? no_such_port(argv[1], argv[0]) : EXIT_OK;
}

#define PORT_COMMAND(words, text)                                                                  \
	{                                                                                          \
		.name = (words), .args = "CONTAINER [PORT[/PROTOCOL]]", .help = (text),            \
		.min_args = 1, .max_args = 2, .run = run,                                          \
	}
const struct opt_command command_port = PORT_COMMAND("port", "show published ports of a container");
const struct opt_command command_container_port = PORT_COMMAND("container port", NULL);
