/* SPDX-License-Identifier: Apache-2.0 */
#include "bulkhead.h"

#include "base/str.h"
#include "engine/engine.h"
#include "sandbox/selfexec.h"

#include <errno.h>
#include <stdio.h>

struct values {
	bool rm, interactive, read_only, show_security, has_entrypoint;
	const char *name, *hostname, *user, *workdir, *cgroup_parent;
	const char *entrypoint;
	char **env;
	uint64_t memory, nano_cpus;
	int64_t pids;
};

static int parse_memory(const char *text, void *field, struct err *err)
{
	int r = num_parse_size(text, field);

	if (r < 0 || *(uint64_t *) field == 0)
		return err_set(err, -EINVAL, "expected a size such as 512m or 2g");
	return 0;
}

static int parse_cpus(const char *text, void *field, struct err *err)
{
	int r = num_parse_nano(text, field);

	if (r < 0 || *(uint64_t *) field < 10000000)
		return err_set(
		        err, -EINVAL, "expected a number of CPUs such as 1.5, at least 0.01");
	return 0;
}

static int parse_pids(const char *text, void *field, struct err *err)
{
	int64_t *pids = field;

	if (num_parse_i64(text, pids) < 0 || *pids < -1 || *pids == 0)
		return err_set(err, -EINVAL, "expected a number of tasks, or -1 for no limit");
	return 0;
}

static int parse_entrypoint(const char *text, void *field, struct err *err)
{
	struct values *v = (struct values *) field;

	v->entrypoint = text;
	v->has_entrypoint = true;
	return 0;
}

#define AT(field) offsetof(struct values, field)
static const struct opt options[] = {
	{ "cgroup-parent", 0, OPT_TEXT, "PATH",
	        "control group to put the container's group in (default /bulkhead)",
	        AT(cgroup_parent), NULL },
	{ "cpus", 0, OPT_PARSE, "N", "CPUs that may be used, e.g. 1.5 (default all but one)",
	        AT(nano_cpus), parse_cpus },
	{ "entrypoint", 0, OPT_PARSE, "PROGRAM", "run this instead of the image's entry point", 0,
	        parse_entrypoint },
	{ "env", 'e', OPT_LIST, "KEY[=VALUE]", "set a variable; without a value, the caller's",
	        AT(env), NULL },
	{ "hostname", 0, OPT_TEXT, "NAME", "host name inside (default the short id)", AT(hostname),
	        NULL },
	{ "interactive", 'i', OPT_FLAG, NULL, "keep stdin open (always so in the foreground)",
	        AT(interactive), NULL },
	{ "memory", 'm', OPT_PARSE, "SIZE", "memory limit, e.g. 512m (default half of the machine)",
	        AT(memory), parse_memory },
	{ "name", 0, OPT_TEXT, "NAME", "name of the container", AT(name), NULL },
	{ "pids-limit", 0, OPT_PARSE, "N", "most tasks at once (default 512; -1: no limit)",
	        AT(pids), parse_pids },
	{ "read-only", 0, OPT_FLAG, NULL, "make the root file system read-only", AT(read_only),
	        NULL },
	{ "rm", 0, OPT_FLAG, NULL, "remove the container when it ends", AT(rm), NULL },
	{ "show-security", 0, OPT_FLAG, NULL, "print what protects the container before it starts",
	        AT(show_security), NULL },
	{ "user", 'u', OPT_TEXT, "USER[:GROUP]", "user to run as: a name of the image, or a number",
	        AT(user), NULL },
	{ "workdir", 'w', OPT_TEXT, "DIR", "working folder inside", AT(workdir), NULL },
};

static void warn(const char *text)
{
	(void) fprintf(stderr, "bulkhead: %s\n", text);
}

static int run_values(struct global *global, const struct values *v, int argc, char **argv)
{
	_engine_done_ struct engine engine = ENGINE_INIT;
	struct engine_request request = {
		.image = argv[0],
		.args = argv + 1,
		.name = v->name,
		.hostname = v->hostname,
		.user = v->user,
		.workdir = v->workdir,
		.entrypoint = v->entrypoint,
		.has_entrypoint = v->has_entrypoint,
		.env = v->env,
		.memory = v->memory,
		.nano_cpus = v->nano_cpus,
		.pids_limit = v->pids,
		.read_only = v->read_only,
		.show_security = v->show_security,
		.cgroup_parent = v->cgroup_parent,
	};
	struct err err;
	int code;

	if (!v->rm) {
		(void) err_set(&err, -EINVAL,
		        "containers that outlive their command are not part of this version: add --rm");
		return fail(EXIT_ENGINE, &err);
	}
	/* From here on /proc/PID/exe of anything that we start is a read-only copy (CVE-2019-5736).
	 */
	if (sandbox_protect_self(global->argv, &err) < 0)
		return fail(EXIT_ENGINE, &err);
	if (engine_open(global->root, &engine, &err) < 0)
		return fail(EXIT_ENGINE, &err);
	if (engine_run(&engine, &request, warn, &code, &err) < 0)
		return fail(EXIT_ENGINE, &err);
	return code;
}

static int run(void *data, void *values, int argc, char **argv)
{
	struct values *v = values;
	int code = run_values(data, v, argc, argv);

	strv_free(v->env);
	return code;
}

const struct opt_command command_run = {
	.name = "run",
	.args = "IMAGE [COMMAND [ARGUMENT...]]",
	.help = "run a program in a new container",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.min_args = 1,
	.max_args = -1,
	.values_size = sizeof(struct values),
	.run = run,
};
