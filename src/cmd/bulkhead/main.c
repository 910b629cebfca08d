/* SPDX-License-Identifier: Apache-2.0 */
#include "bulkhead.h"

#include "base/fd.h"
#include "base/str.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static const struct opt global_options[] = {
	{ "root", 0, OPT_TEXT, "DIR",
	        "state folder with images and containers (default /var/lib/bulkhead)",
	        offsetof(struct global, root), NULL },
	{ "version", 'v', OPT_FLAG, NULL, "print the version", offsetof(struct global, version),
	        NULL },
};

static const struct opt_command *const commands[] = {
	&command_run,
	&command_import,
	&command_images,
	&command_image_ls,
	&command_rmi,
	&command_image_rm,
	&command_info,
	&command_completion,
};

static int usage_exit(const struct opt_command *command)
{
	return command == &command_run ? EXIT_ENGINE : EXIT_ERROR;
}

static int without_command(void *data)
{
	struct global *global = data;

	if (!global->version)
		return -1;
	return printf("bulkhead version %s\n", BULKHEAD_VERSION) < 0 ? EXIT_ERROR : EXIT_OK;
}

static const struct opt_program program = {
	.name = "bulkhead",
	.help = "Runs containers that assume that they will be breached.",
	.options = global_options,
	.n_options = ARRAY_SIZE(global_options),
	.commands = commands,
	.n_commands = ARRAY_SIZE(commands),
	.usage_exit = EXIT_ENGINE,
	.command_usage_exit = usage_exit,
	.without_command = without_command,
};

int fail(int code, const struct err *err)
{
	(void) fprintf(stderr, "bulkhead: %s\n", err->text);
	return code;
}

int print_text(const struct buf *text)
{
	return fd_write_all(1, buf_str(text), text->len) < 0 ? EXIT_ERROR : EXIT_OK;
}

/* Cuts the last component off; false when there is none. */
static bool up(char *path)
{
	char *slash = strrchr(path, '/');

	if (!slash || slash == path)
		return false;
	*slash = '\0';
	return true;
}

int helper_path(const char *name, char **ret, struct err *err)
{
	char exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	_free_ char *built = NULL, *installed = NULL;

	if (n <= 0)
		return err_errno(
		        err, -errno, "cannot find out where this program is (is /proc mounted?)");
	exe[n] = '\0';
	if (!up(exe) || !up(exe))
		return err_set(err, -ENOENT,
		        "cannot find the helper '%s': this program has no folder", name);
	/* BUILD/src/cmd/bulkhead/bulkhead and PREFIX/bin/bulkhead: two levels up in both. */
	built = xprintf("%s/%s/%s", exe, name, name);
	installed = xprintf("%s/libexec/bulkhead/%s", exe, name);
	if (access(built, X_OK) == 0)
		*ret = TAKE_PTR(built);
	else if (access(installed, X_OK) == 0)
		*ret = TAKE_PTR(installed);
	else
		return err_set(err, -ENOENT,
		        "cannot find the helper '%s': neither '%s' nor '%s' is there; "
		        "install Bulkhead whole, or run it from its build folder",
		        name, built, installed);
	return 0;
}

int main(int argc, char **argv)
{
	struct global global = {
		.root = "/var/lib/bulkhead",
		.argv = argv,
		.program = &program,
	};

	(void) signal(SIGPIPE, SIG_IGN); /* a vanished reader is an error of write, not our death */
	return opt_main(&program, &global, argc, argv);
}
