/* SPDX-License-Identifier: Apache-2.0 */
/* bulkhead-runtime: an OCI runtime. Parses, calls src/runtime, prints. */
#include "cmd.h"

#include "kernel/start.h"
#include "base/fd.h"
#include "base/str.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static const struct opt global_options[] = {
	{ "cgroup-manager", 0, OPT_TEXT, "NAME", "cgroupfs (default) or disabled",
	        offsetof(struct global, cgroup_manager), NULL },
	{ "debug", 0, OPT_FLAG, NULL, "log more", offsetof(struct global, debug), NULL },
	{ "log", 0, OPT_TEXT, "FILE", "append errors and warnings to this file",
	        offsetof(struct global, log), NULL },
	{ "log-format", 0, OPT_PARSE, "FORMAT", "text (default) or json",
	        offsetof(struct global, log_format), log_parse_format },
	{ "log-level", 0, OPT_PARSE, "LEVEL", "error, warning (default) or debug",
	        offsetof(struct global, log_level), log_parse_level },
	{ "root", 0, OPT_TEXT, "DIR",
	        "state folder (default /run/bulkhead-runtime, or below XDG_RUNTIME_DIR)",
	        offsetof(struct global, root), NULL },
	{ "rootless", 0, OPT_IGNORED, "BOOL", NULL, 0, NULL },
	{ "systemd-cgroup", 0, OPT_FLAG, NULL,
	        "use systemd for control groups (not supported yet: refused)",
	        offsetof(struct global, systemd_cgroup), NULL },
	{ "version", 'v', OPT_FLAG, NULL, "print the version", offsetof(struct global, version),
	        NULL },
};

static const struct opt_command *const commands[] = {
	&command_create,
	&command_delete,
	&command_kill,
	&command_list,
	&command_plan,
	&command_run,
	&command_spec,
	&command_start,
	&command_state,
};

static int without_command(void *data)
{
	const struct global *g = data;
	if (!g->version)
		return -1;
	return printf("bulkhead-runtime version %s\ncommit: v%s\nspec: %s\n", BULKHEAD_VERSION,
	               BULKHEAD_VERSION, RUNTIME_SPEC_VERSION) < 0;
}

static const struct opt_program program = {
	.name = "bulkhead-runtime",
	.help = "Runs containers by the OCI runtime specification.",
	.options = global_options,
	.n_options = ARRAY_SIZE(global_options),
	.commands = commands,
	.n_commands = ARRAY_SIZE(commands),
	.usage_exit = 1,
	.without_command = without_command,
};

static int check_global(const struct global *g, struct err *err)
{
	const char *manager = g->cgroup_manager;
	if (g->systemd_cgroup || (manager && streq(manager, "systemd")))
		return err_set(err, -EOPNOTSUPP,
		        "control groups by systemd are not supported by this version: use "
		        "cgroupfs (no --systemd-cgroup, --cgroup-manager cgroupfs)");
	if (manager && !streq(manager, "cgroupfs") && !streq(manager, "disabled"))
		return err_set(err, -EINVAL, "--cgroup-manager is cgroupfs or disabled");
	return log_check(g, err);
}

int open_runtime(const struct global *g, bool make, struct runtime *rt)
{
	struct err err = { 0 };
	_free_ char *root = NULL;
	runtime_init(rt);
	int r = check_global(g, &err);
	if (r < 0)
		return fail(g, &err);
	root = g->root ? xstrdup(g->root) : runtime_default_root(&err);
	if (!root || runtime_open(rt, root, make, &err) < 0)
		return fail(g, &err);
	return 0;
}

int protect_self(const struct global *g)
{
	struct err err = { 0 };
	return sandbox_protect_self(g->argv, &err) < 0 ? fail(g, &err) : 0;
}

int print_text(const struct global *g, const struct buf *text)
{
	struct err err;
	int r = buf_ok(text) ? fd_write_all(STDOUT_FILENO, buf_str(text), text->len) : -EMSGSIZE;
	if (r >= 0)
		return 0;
	err_errno(&err, r, "cannot write to the standard output");
	return fail(g, &err);
}

/* Descriptors 0, 1 and 2 must be open: the next file would take their place. */
static int check_standard_fds(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
			return -EBADF;
	return 0;
}

const char bulkhead_start_words[] = "run\0create\0";

int main(int argc, char **argv)
{
	struct global global = { .argv = argv, .log_level = LOG_WARNING };
	if (check_standard_fds() < 0)
		return 1;
	(void) signal(SIGPIPE, SIG_IGN);
	return opt_main(&program, &global, argc, argv);
}
