/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The options of 'run' and 'create': one table, in docker's spelling.
 *
 * Theory of operation: the table fills 'struct create_values' (private: CREATE_VALUES_SIZE bytes),
 * and what can be told about one value alone is told while it is read.
 * create_options_read() brings the values together to a configuration that holds what was asked
 * for and nothing of the image (config_resolve adds that), and reads the files that they name.
 * create_options_finish() needs the engine: --volumes-from. Options of docker that this version
 * does not have are known and refused with a sentence that says what to do instead, so that nobody
 * believes in a protection or a port that is not there.
 */
#include "opt/opt.h"

#include "engine/config.h"

struct engine;

struct create_options {
	struct config *config;          /* owned */
	const char *name, *detach_keys; /* NULL: not given */
	bool has_entrypoint, detach, no_sig_proxy, show_security;
	char **volumes, **mounts, **tmpfs, **volumes_from; /* strv, owned */
};
void create_options_done(struct create_options *o);
#define _create_options_done_ _cleanup_(create_options_done)

enum create_for { CREATE_FOR_RUN, CREATE_FOR_CREATE };

enum {
	CREATE_VALUES_SIZE = 1024,
	/* The first CREATE_RUN_ONLY options are those of 'run' alone. */
	CREATE_RUN_ONLY = 4,
	CREATE_OPTIONS_RUN = 101,
	CREATE_OPTIONS_CREATE = CREATE_OPTIONS_RUN - CREATE_RUN_ONLY,
};
extern const struct opt create_option_table_run[CREATE_OPTIONS_RUN];
#define create_option_table_create (create_option_table_run + CREATE_RUN_ONLY)

/* 'values' as opt_parse filled them (their memory is released here), and the words behind the
 * options: image and command. */
int create_options_read(void *values, enum create_for which, int argc, char **argv,
        struct create_options *ret, struct err *err);
/* Resolves the mounts; looks at the sources of binds. */
int create_options_finish(struct create_options *o, struct engine *e, struct err *err);
