/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the commands of bulkhead-runtime share: global options, and how errors are told. */
#include "opt/opt.h"
#include "compile/compile.h"
#include "runtime/runtime.h"
#include "sandbox/selfexec.h"

#include <errno.h>

enum log_level { LOG_ERROR, LOG_WARNING, LOG_DEBUG };
enum log_format { LOG_TEXT, LOG_JSON };

struct global {
	char *const *argv; /* of main(), for running again from a protected copy */
	const char *root;
	const char *log; /* NULL: stderr */
	enum log_format log_format;
	enum log_level log_level;
	bool debug, version;
	bool systemd_cgroup;
	const char *cgroup_manager;
};

/* log.c */
int log_parse_format(const char *text, void *field, struct err *err);
int log_parse_level(const char *text, void *field, struct err *err);
/* Checks --log (a path that can be opened) before anything is done. */
int log_check(const struct global *g, struct err *err);
void log_line(const struct global *g, enum log_level level, const char *text);
/* Tells the error on stderr and in the log; returns 1. */
int fail(const struct global *g, const struct err *err);
/* Tells the warnings and frees them. */
void tell_notes(const struct global *g, struct compile_notes *notes);

/* Checks the global options and opens the state folder (make: makes it). On failure the error was
 * told and the result is 1. */
int open_runtime(const struct global *g, bool make, struct runtime *rt);
/* For the commands that start a container, before anything else: runs the program again from a copy
 * that cannot be written (CVE-2019-5736). On failure the error was told and the result is 1. */
int protect_self(const struct global *g);
/* Writes the text to stdout; returns the exit code. */
int print_text(const struct global *g, const struct buf *text);

/* match.c: acts on every container whose ID matches the extended regular expression, also when one
 * fails; tells each error. Returns the exit code. */
int for_each_match(const struct global *g, const struct runtime *rt, const char *pattern,
        int (*act)(const char *id, void *userdata, struct err *err), void *userdata);

/* create.c: options that create and run share. */
struct create_options {
	const char *bundle, *config, *pid_file, *console_socket;
	bool no_pivot, no_new_keyring;
	uint32_t preserve_fds;
	bool detach, keep; /* run */
};
int parse_u32(const char *text, void *field, struct err *err);
/* Fills args from the options. */
void create_args(const struct global *g, const struct create_options *o, const char *id,
        struct runtime_create *args);
#define CREATE_OPTIONS                                                                             \
	{ "bundle", 'b', OPT_TEXT, "DIR", "folder with config.json (default: the current one)",    \
		offsetof(struct create_options, bundle), NULL },                                   \
	        { "config", 'f', OPT_TEXT, "FILE", "config instead of BUNDLE/config.json",         \
		        offsetof(struct create_options, config), NULL },                           \
	        { "console-socket", 0, OPT_TEXT, "PATH",                                           \
		        "Unix socket that receives the terminal of the container",                 \
		        offsetof(struct create_options, console_socket), NULL },                   \
	        { "no-new-keyring", 0, OPT_FLAG, NULL, "keep the caller's session keyring",        \
		        offsetof(struct create_options, no_new_keyring), NULL },                   \
	        { "no-pivot", 0, OPT_FLAG, NULL, "use chroot instead of pivot_root (weaker)",      \
		        offsetof(struct create_options, no_pivot), NULL },                         \
	        { "no-subreaper", 0, OPT_IGNORED_FLAG, NULL, NULL, 0, NULL },                      \
	        { "pid-file", 0, OPT_TEXT, "FILE", "write the pid of the container's init here",   \
		        offsetof(struct create_options, pid_file), NULL },                         \
	{                                                                                          \
		"preserve-fds", 0, OPT_PARSE, "N",                                                 \
		        "pass N descriptors, from 3 on, to the container",                         \
		        offsetof(struct create_options, preserve_fds), parse_u32                   \
	}

extern const struct opt_command command_create, command_start, command_run, command_state,
        command_kill, command_delete, command_list, command_spec, command_plan;
