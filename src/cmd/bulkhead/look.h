/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the commands that look at things share. */
#include "bulkhead.h"

#include "engine/containers.h"

/* Opens the engine for reading and finds a container. No store yet is a store without containers:
 * "No such container". */
int look_container(const struct global *global, const char *text, struct engine *e,
        struct container *c, struct err *err);
/* -EINVAL in docker's words for a --filter without '='; that is a wrong command line, exit code
 * EXIT_ENGINE. */
int look_check_filters(char *const *filters, struct err *err);
/* Prints "Error: TEXT" as docker's inspect does. */
void look_error(const char *text);
