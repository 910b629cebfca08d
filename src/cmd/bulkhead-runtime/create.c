/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd.h"
#include "compile/compile.h"

#include "base/str.h"

int parse_u32(const char *text, void *field, struct err *err)
{
	if (num_parse_u32(text, field) < 0)
		return err_set(err, -EINVAL, "it is a number");
	return 0;
}

void create_args(const struct global *g, const struct create_options *o, const char *id,
        struct runtime_create *args)
{
	*args = (struct runtime_create){
		.id = id,
		.bundle = o->bundle ? o->bundle : ".",
		.config = o->config,
		.pid_file = o->pid_file,
		.no_pivot = o->no_pivot,
		.no_new_keyring = o->no_new_keyring,
		.no_cgroups = g->cgroup_manager && streq(g->cgroup_manager, "disabled"),
		.preserve_fds = o->preserve_fds,
		.detach = o->detach,
		.keep = o->keep,
		.console_socket = o->console_socket,
	};
}

static const struct opt options[] = { CREATE_OPTIONS };

static int run(void *global, void *values, int argc _unused_, char **argv)
{
	const struct global *g = global;
	struct runtime_create args;
	struct compile_notes notes = { 0 };
	struct err err = { 0 };
	_cleanup_(runtime_done) struct runtime rt;
	runtime_init(&rt);
	if (protect_self(g) != 0 || open_runtime(g, true, &rt) != 0)
		return 1;
	create_args(g, values, argv[0], &args);
	int r = runtime_create(&rt, &args, &notes, &err);
	tell_notes(g, &notes);
	return r < 0 ? fail(g, &err) : 0;
}

const struct opt_command command_create = {
	.name = "create",
	.args = "ID",
	.help = "make a container that waits for start",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.min_args = 1,
	.max_args = 1,
	.values_size = sizeof(struct create_options),
	.run = run,
};
