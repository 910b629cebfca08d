/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of the bulkhead command share: global options, exit codes, helpers. One file is
 * one command. */
#include "opt/opt.h"

enum {
	EXIT_OK = 0,
	EXIT_ERROR = 1,
	EXIT_ENGINE = 125, /* run: the engine failed, or a wrong command line */
};

struct global {
	const char *root; /* state folder */
	bool version;
	char **argv; /* of main, for the re-execution from a protected copy */
	const struct opt_program *program;
};

/* Prints "bulkhead: TEXT" to stderr and returns code. */
int fail(int code, const struct err *err);
/* Prints the text to stdout; returns EXIT_OK, or EXIT_ERROR when it could not be written. */
int print_text(const struct buf *text);
/* The absolute path of a helper program: beside this one in the build folder, else in
 * libexec/bulkhead beside bin/. */
int helper_path(const char *name, char **ret, struct err *err);
/* Finds the programs that starting a container needs (engine.h). To be called before the first
 * container is made or removed. */
int find_programs(struct err *err);

/* Each is defined beside its function. */
extern const struct opt_command command_run, command_create, command_start, command_stop,
        command_restart, command_kill, command_pause, command_unpause, command_rm, command_wait,
        command_attach, command_exec, command_logs, command_ps, command_inspect, command_top,
        command_port, command_rename, command_update, command_events, command_import,
        command_images, command_image_ls, command_rmi, command_image_rm, command_image_inspect,
        command_volume_create, command_volume_ls, command_volume_inspect, command_volume_rm,
        command_volume_prune, command_system_check, command_system_boot, command_system_shutdown,
        command_system_reap, command_system_events, command_info, command_completion,
        command_container_attach, command_container_create, command_container_exec,
        command_container_inspect, command_container_kill, command_container_list,
        command_container_logs, command_container_ls, command_container_pause,
        command_container_port, command_container_prune, command_container_ps,
        command_container_rename, command_container_restart, command_container_rm,
        command_container_run, command_container_start, command_container_stop,
        command_container_top, command_container_unpause, command_container_update,
        command_container_wait, command_volume_list, command_volume_remove;
