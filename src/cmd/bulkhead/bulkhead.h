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

extern const struct opt_command command_run, command_import, command_images, command_image_ls,
        command_rmi, command_image_rm, command_info, command_completion;
