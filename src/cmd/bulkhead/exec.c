/* SPDX-License-Identifier: Apache-2.0 */
/* exec */
#include "foreground.h"

#include "base/str.h"
#include "engine/console.h"
#include "engine/exec.h"
#include "env_file.h"
#include "proc/proc.h"
#include "sandbox/selfexec.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

struct values {
	bool detach, interactive, tty, privileged;
	const char *user, *workdir, *detach_keys;
	char **env, **env_files;
};

#define AT(field) offsetof(struct values, field)
static const struct opt options[] = {
	{ "detach", 'd', OPT_FLAG, NULL, "leave it running in the background", AT(detach), NULL },
	{ "detach-keys", 0, OPT_TEXT, "KEYS",
	        "keys that detach, e.g. ctrl-a,x (default ctrl-p,ctrl-q)", AT(detach_keys), NULL },
	{ "env", 'e', OPT_LIST, "KEY[=VALUE]", "set a variable; without a value, the caller's",
	        AT(env), NULL },
	{ "env-file", 0, OPT_LIST, "FILE", "set the variables of a file, one a line", AT(env_files),
	        NULL },
	{ "interactive", 'i', OPT_FLAG, NULL, "our stdin is its stdin", AT(interactive), NULL },
	{ "privileged", 0, OPT_FLAG, NULL, "refused: no process gets more than the container has",
	        AT(privileged), NULL },
	{ "tty", 't', OPT_FLAG, NULL, "give it a terminal", AT(tty), NULL },
	{ "user", 'u', OPT_TEXT, "USER[:GROUP]", "user to run as (default the container's)",
	        AT(user), NULL },
	{ "workdir", 'w', OPT_TEXT, "DIR", "working folder (default the container's)", AT(workdir),
	        NULL },
};

static int check(const struct values *v, struct err *err)
{
	if (v->privileged)
		return err_set(err, -EPERM,
		        "--privileged: a process that enters never gets more rights than the container; start the container with the grants that it needs (--cap-add, --security-opt)");
	if (v->tty && v->interactive && !v->detach && !isatty(0))
		return err_set(err, -ENOTTY, "the input device is not a TTY");
	return 0;
}

/* Variables of files first, so that -e wins. */
static int all_env(const struct values *v, char ***ret, struct err *err)
{
	for (char **file = v->env_files; file && *file; file++) {
		int r = env_file_read(*file, ret, err);

		if (r < 0)
			return r;
	}
	for (char **e = v->env; e && *e; e++) {
		int r = env_add(*e, ret, err);

		if (r < 0)
			return r;
	}
	return 0;
}

static int enter(struct global *global, const struct values *v, char *const *env, char **argv)
{
	_engine_done_ struct engine engine = ENGINE_INIT;
	_container_done_ struct container c = CONTAINER_INIT;
	struct exec_options o = {
		.args = (const char *const *) (argv + 1),
		.env = env,
		.user = v->user,
		.workdir = v->workdir,
		.tty = v->tty,
		.interactive = v->interactive,
		.detach = v->detach,
		.detach_keys = v->detach_keys,
	};
	struct err err;
	sigset_t old;
	int code = 0, r;

	if (v->tty)
		(void) console_size(&o.rows, &o.cols);
	/* Until it calls exec the process in the container is a copy of ours (CVE-2019-5736). */
	r = sandbox_protect_self(global->argv, &err);
	if (r == 0)
		r = engine_open(global->root, ENGINE_WRITE, &engine, &err);
	if (r == 0)
		r = container_find(&engine, argv[0], &c, &err);
	if (r < 0)
		return fail(EXIT_ERROR, &err);
	proc_block_signals(&old);
	r = exec_run(&engine, &c, &o, &code, &err);
	if (r < 0)
		return fail(code ? code : EXIT_ERROR, &err);
	return foreground_result(r, code, &err);
}

static int run(void *data, void *values, int argc, char **argv)
{
	_cleanup_(strv_freep) char **env = NULL;
	struct values *v = values;
	struct err err;
	int code;

	(void) argc;
	if (check(v, &err) < 0 || all_env(v, &env, &err) < 0)
		code = fail(EXIT_ERROR, &err);
	else
		code = enter(data, v, env, argv);
	strv_free(v->env);
	strv_free(v->env_files);
	return code;
}

#define COMMAND(words, text)                                                                       \
	{                                                                                          \
		.name = (words), .args = "CONTAINER COMMAND [ARGUMENT...]", .help = (text),        \
		.options = options, .n_options = ARRAY_SIZE(options), .min_args = 2,               \
		.max_args = -1, .values_size = sizeof(struct values), .run = run,                  \
	}
const struct opt_command command_exec = COMMAND("exec", "run a program in a running container");
const struct opt_command command_container_exec = COMMAND("container exec", NULL);
