/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Commands that do one thing to each container that is named.
 *
 * Theory of operation: each argument is handled by itself and in the order given; one that fails
 * does not keep the others. Several are handled at the same time, each by a child with an engine of
 * its own (a stop may take ten seconds), and the names are printed in the order of the arguments.
 */
#include "bulkhead.h"

#include "engine/containers.h"

struct each {
	struct global *global;
	/* Does it; what is printed on success is the argument itself, unless quiet. */
	int (*act)(struct engine *e, struct container *c, void *values, struct err *err);
	void *values;
	const char *failed; /* NULL, or docker's words before a message: "Cannot kill container:
	                       NAME: " */
	bool missing_is_ok; /* rm -f: told, and no error */
	bool quiet;
};
/* Returns the exit code. */
int each_container(const struct each *each, int argc, char **argv);
