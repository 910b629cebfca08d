/* SPDX-License-Identifier: Apache-2.0 */
/* run, create */
#include "create_options.h"
#include "foreground.h"

#include "base/fd.h"
#include "base/str.h"
#include "engine/attach.h"
#include "engine/life.h"
#include "engine/request.h"
#include "facts/facts.h"
#include "proc/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

/* --- making it -------------------------------------------------------------------------------- */

/* --cidfile: never an existing one; what could not be made is not left. */
static int open_id_file(const char *path, int *ret_fd, struct err *err)
{
	_free_ char *shown = str_escaped(path);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);

	if (fd < 0 && errno == EEXIST)
		return err_set(err, -EEXIST,
		        "container ID file found, make sure the other container isn't running or delete %s",
		        shown);
	if (fd < 0)
		return err_errno(err, -errno, "failed to create the container ID file '%s'", shown);
	*ret_fd = fd;
	return 0;
}

/* What has less effect on this machine than its words say. */
static void tell_warnings(const struct config *config)
{
	_cleanup_(strv_freep) char **lines = NULL;
	struct facts facts;
	struct err ignored;

	if (facts_probe(&facts, &ignored) < 0)
		return;
	config_warnings(config, &facts, &lines);
	for (char **line = lines; line && *line; line++)
		foreground_warn(*line);
}

static int make(struct global *global, struct create_options *o, struct engine *engine,
        struct container *c, struct err *err)
{
	_store_image_done_ struct store_image image = { 0 };
	const char *id_file = o->config->id_file;
	_close_ int file = -EBADF;
	int r = find_programs(err);

	if (r == 0 && id_file && *id_file)
		r = open_id_file(id_file, &file, err);
	if (r == 0)
		r = engine_open(global->root, ENGINE_WRITE, engine, err);
	if (r == 0)
		r = store_resolve(engine->store, o->config->image, &image, err);
	if (r == 0)
		r = create_options_finish(o, engine, err);
	if (r == 0)
		r = container_create(engine, &image, o->config, o->has_entrypoint, o->name, c, err);
	if (r == 0)
		tell_warnings(o->config);
	if (file >= 0 && r == 0)
		(void) fd_write_all(file, c->id, strlen(c->id)); /* it exists all the same */
	else if (file >= 0)
		(void) unlink(id_file);
	return r;
}

/* --- run -------------------------------------------------------------------------------------- */

/* A start that failed: --rm takes the container away, without it it stays "created". */
static int start_failed(struct engine *engine, struct container *c, const struct create_options *o,
        int code, const struct err *err)
{
	struct err ignored;

	if (o->config->auto_remove && container_reap(engine, c, &ignored) < 0)
		foreground_warn(ignored.text);
	return fail(code, err);
}

static int run_detached(struct engine *engine, struct container *c, struct create_options *o)
{
	struct life_start how = { .show_security = o->show_security };
	struct err err;
	int code;

	if (life_start(engine, c, &how, foreground_warn, NULL, &code, &err) < 0)
		return start_failed(engine, c, o, code, &err);
	return printf("%s\n", c->id) < 0 ? EXIT_ERROR : EXIT_OK;
}

static int run_attached(struct engine *engine, struct container *c, struct create_options *o)
{
	_attach_done_ struct attach a = ATTACH_INIT;
	struct life_start how = { .show_security = o->show_security };
	struct err err;
	sigset_t old;
	int code = EXIT_ENGINE, sock = -EBADF, r;

	a.in = o->config->attach_stdin;
	a.out = o->config->attach_stdout;
	a.err = o->config->attach_stderr;
	a.terminal = o->config->tty;
	a.sig_proxy = !o->no_sig_proxy;
	a.owner = o->config->auto_remove;
	a.detach_keys = o->detach_keys;
	proc_block_signals(&old);
	r = attach_open(&a, &err);
	if (r == 0) {
		attach_fill(&a, &how);
		r = life_start(engine, c, &how, foreground_warn, &sock, &code, &err);
	}
	if (r < 0)
		return start_failed(engine, c, o, code, &err);
	r = attach_serve(&a, engine, c, sock, &code, &err);
	/* Still connected: a shim that has lost its owner starts a reaper. */
	if (r == CONSOLE_ENDED && o->config->auto_remove && container_reap(engine, c, &err) < 0)
		foreground_warn(err.text);
	/* docker: to detach is how 'run' may end, and not what 'attach' was for. */
	return r == CONSOLE_DETACHED ? EXIT_OK : foreground_result(r, code, &err);
}

static int check_terminal(const struct create_options *o, struct err *err)
{
	if (!o->detach && o->config->tty && o->config->attach_stdin && !isatty(0))
		return err_set(err, -ENOTTY, "the input device is not a TTY");
	return 0;
}

static int run_options(struct global *global, struct create_options *o)
{
	_engine_done_ struct engine engine = ENGINE_INIT;
	_container_done_ struct container c = CONTAINER_INIT;
	struct err err;

	if (check_terminal(o, &err) < 0)
		return fail(EXIT_ERROR, &err);
	if (make(global, o, &engine, &c, &err) < 0)
		return fail(EXIT_ENGINE, &err);
	return o->detach ? run_detached(&engine, &c, o) : run_attached(&engine, &c, o);
}

static int run(void *data, void *values, int argc, char **argv)
{
	_cleanup_(create_options_done) struct create_options o = { .name = NULL };
	struct err err;

	if (create_options_read(values, CREATE_FOR_RUN, argc, argv, &o, &err) < 0)
		return fail(EXIT_ENGINE, &err);
	return run_options(data, &o);
}

/* --- create ----------------------------------------------------------------------------------- */

static int create(void *data, void *values, int argc, char **argv)
{
	_cleanup_(create_options_done) struct create_options o = { .name = NULL };
	_engine_done_ struct engine engine = ENGINE_INIT;
	_container_done_ struct container c = CONTAINER_INIT;
	struct err err;

	if (create_options_read(values, CREATE_FOR_CREATE, argc, argv, &o, &err) < 0 ||
	        make(data, &o, &engine, &c, &err) < 0)
		return fail(EXIT_ERROR, &err);
	return printf("%s\n", c.id) < 0 ? EXIT_ERROR : EXIT_OK;
}

enum { N_OPTIONS_run = CREATE_OPTIONS_RUN, N_OPTIONS_create = CREATE_OPTIONS_CREATE };
#define COMMAND(words, text, which, function)                                                      \
	{                                                                                          \
		.name = (words), .args = "IMAGE [COMMAND [ARGUMENT...]]", .help = (text),          \
		.options = create_option_table_##which, .n_options = N_OPTIONS_##which,            \
		.min_args = 1, .max_args = -1, .values_size = CREATE_VALUES_SIZE,                  \
		.run = (function),                                                                 \
	}
const struct opt_command command_run = COMMAND("run", "run a program in a new container", run, run);
const struct opt_command command_container_run = COMMAND("container run", NULL, run, run);
const struct opt_command command_create = COMMAND(
        "create", "make a container without starting it", create, create);
const struct opt_command command_container_create = COMMAND(
        "container create", NULL, create, create);
