/* SPDX-License-Identifier: Apache-2.0 */
#include "bulkhead.h"

#include "kernel/start.h"
#include "base/fd.h"
#include "base/str.h"
#include "engine/engine.h"

#include <errno.h>
#include <fcntl.h>
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
	&command_create,
	&command_start,
	&command_stop,
	&command_restart,
	&command_kill,
	&command_pause,
	&command_unpause,
	&command_rm,
	&command_wait,
	&command_attach,
	&command_exec,
	&command_logs,
	&command_ps,
	&command_inspect,
	&command_top,
	&command_port,
	&command_rename,
	&command_update,
	&command_events,
	&command_import,
	&command_images,
	&command_image_ls,
	&command_rmi,
	&command_image_rm,
	&command_image_inspect,
	&command_volume_create,
	&command_volume_ls,
	&command_volume_inspect,
	&command_volume_rm,
	&command_volume_prune,
	&command_system_check,
	&command_system_boot,
	&command_system_shutdown,
	&command_system_reap,
	&command_system_events,
	&command_info,
	&command_completion,
	&command_container_attach,
	&command_container_create,
	&command_container_exec,
	&command_container_inspect,
	&command_container_kill,
	&command_container_list,
	&command_container_logs,
	&command_container_ls,
	&command_container_pause,
	&command_container_port,
	&command_container_prune,
	&command_container_ps,
	&command_container_rename,
	&command_container_restart,
	&command_container_rm,
	&command_container_run,
	&command_container_start,
	&command_container_stop,
	&command_container_top,
	&command_container_unpause,
	&command_container_update,
	&command_container_wait,
	&command_volume_list,
	&command_volume_remove,
};

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
	.arguments_exit = EXIT_ERROR,
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

int find_programs(struct err *err)
{
	static char *shim, *self;
	char exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	int r;

	if (shim)
		return 0;
	if (n <= 0)
		return err_errno(
		        err, -errno, "cannot find out where this program is (is /proc mounted?)");
	exe[n] = '\0';
	r = helper_path("bulkhead-shim", &shim, err);
	if (r < 0)
		return r;
	self = xstrdup(exe);
	engine_programs = (struct engine_programs){ .shim = shim, .self = self };
	return 0;
}

/* Descriptors 0, 1 and 2 must be open: the next file would take their place. */
static int check_standard_fds(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
			return -EBADF;
	return 0;
}

const char bulkhead_start_words[] = "exec\0";

int main(int argc, char **argv)
{
	struct global global = {
		.root = "/var/lib/bulkhead",
		.argv = argv,
		.program = &program,
	};

	if (check_standard_fds() < 0)
		return EXIT_ENGINE;
	(void) signal(SIGPIPE, SIG_IGN); /* a vanished reader is an error of write, not our death */
	return opt_main(&program, &global, argc, argv);
}
