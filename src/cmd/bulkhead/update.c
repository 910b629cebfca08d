/* SPDX-License-Identifier: Apache-2.0 */
/* update */
#include "create_parse.h"
#include "each.h"
#include "foreground.h"

#include "base/str.h"
#include "engine/life.h"

#include <stdio.h>

struct values {
	uint64_t memory, memory_reservation, nano_cpus;
	int64_t memory_swap, cpu_period, cpu_quota, cpu_shares, pids_limit;
	const char *cpuset_cpus, *cpuset_mems, *restart;
};

#define AT(field) offsetof(struct values, field)
static const struct opt options[] = {
	{ "cpu-period", 0, OPT_PARSE, "US", "length of the period of the CPU quota", AT(cpu_period),
	        create_parse_positive },
	{ "cpu-quota", 0, OPT_PARSE, "US", "CPU time within a period", AT(cpu_quota),
	        create_parse_number },
	{ "cpu-shares", 'c', OPT_PARSE, "N", "weight against other containers (default 1024)",
	        AT(cpu_shares), create_parse_positive },
	{ "cpus", 0, OPT_PARSE, "N", "CPUs that may be used, e.g. 1.5", AT(nano_cpus),
	        create_parse_cpus },
	{ "cpuset-cpus", 0, OPT_TEXT, "LIST", "CPUs by number, e.g. 0-3,7", AT(cpuset_cpus), NULL },
	{ "cpuset-mems", 0, OPT_TEXT, "LIST", "memory nodes by number", AT(cpuset_mems), NULL },
	{ "memory", 'm', OPT_PARSE, "SIZE", "memory limit", AT(memory), create_parse_size },
	{ "memory-reservation", 0, OPT_PARSE, "SIZE", "memory that it may count on",
	        AT(memory_reservation), create_parse_size },
	{ "memory-swap", 0, OPT_PARSE, "SIZE", "memory and swap together; -1: no limit",
	        AT(memory_swap), create_parse_swap },
	{ "pids-limit", 0, OPT_PARSE, "N", "most tasks at once; -1: no limit", AT(pids_limit),
	        create_parse_number },
	{ "restart", 0, OPT_TEXT, "POLICY", "no, on-failure[:N], always, unless-stopped",
	        AT(restart), NULL },
};

static bool is_empty(const struct values *v)
{
	static const struct values none;

	return memcmp(v, &none, sizeof(none)) == 0;
}

static int change(struct config *c, const struct values *v, struct err *err)
{
	if (v->memory)
		c->memory = v->memory;
	if (v->memory_swap)
		c->memory_swap = v->memory_swap;
	if (v->memory_reservation)
		c->memory_reservation = v->memory_reservation;
	if (v->nano_cpus)
		c->nano_cpus = v->nano_cpus;
	if (v->cpu_period)
		c->cpu_period = v->cpu_period;
	if (v->cpu_quota)
		c->cpu_quota = v->cpu_quota;
	if (v->cpu_shares)
		c->cpu_shares = (uint64_t) v->cpu_shares;
	if (v->pids_limit)
		c->pids_limit = v->pids_limit;
	if (v->cpuset_cpus)
		c->cpuset_cpus = v->cpuset_cpus;
	if (v->cpuset_mems)
		c->cpuset_mems = v->cpuset_mems;
	if (c->memory && c->memory_swap > 0 && (uint64_t) c->memory_swap < c->memory)
		return err_set(err, -EINVAL,
		        "Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time");
	return v->restart ? create_restart(c, v->restart, err) : 0;
}

static int act(struct engine *e, struct container *c, void *values, struct err *err)
{
	struct config *config = NULL;
	int r = container_config(e, c, &config, err);

	if (r < 0)
		return r;
	r = change(config, values, err);
	if (r == 0 && c->auto_remove && config->restart && !streq(config->restart, "no"))
		r = err_set(err, -EINVAL,
		        "Restart policy cannot be updated because AutoRemove is enabled for the container");
	if (r == 0)
		return life_update(e, c, config, err);
	config_free(config);
	return r;
}

static int run(void *data, void *values, int argc, char **argv)
{
	const struct each each = { .global = data, .act = act, .values = values };
	struct err err;

	if (is_empty(values)) {
		(void) err_set(&err, -EINVAL,
		        "you must provide one or more flags when using this command");
		return fail(EXIT_ERROR, &err);
	}
	return each_container(&each, argc, argv);
}

#define COMMAND(words, text)                                                                       \
	{                                                                                          \
		.name = (words), .args = "CONTAINER [CONTAINER...]", .help = (text),               \
		.options = options, .n_options = ARRAY_SIZE(options), .min_args = 1,               \
		.max_args = -1, .mixed = true, .values_size = sizeof(struct values), .run = run,   \
	}
const struct opt_command command_update = COMMAND(
        "update", "change limits and restart policy of containers");
const struct opt_command command_container_update = COMMAND("container update", NULL);
