/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The processes of a container, as the host's ps shows them ('top').
 *
 * Theory of operation: members of the container's control group are its processes, by their numbers
 * on the host. ps runs on the host with the user's options, and of its table the lines of members
 * are kept. What a container calls its processes is foreign text, so cells are cleaned.
 */
#include "base/buf.h"
#include "engine/containers.h"

/* The members, sorted; new memory. -ESRCH: it is not running. */
int processes_list(const struct container *c, pid_t **ret, size_t *ret_n, struct err *err);
/* Refuses options that put another column under the heading PID, by which members are found. */
int processes_check_options(char *const *options, size_t n, struct err *err);
/* Runs the host's ps with the options (none: -ef) and gives its output: for the members where the
 * options allow it, else for whatever they choose. */
int processes_run_ps(char *const *options, size_t n, const pid_t *members, size_t n_members,
        struct buf *out, struct err *err);
/* The table of ps with the lines of the members alone, in docker's columns. -EINVAL: it has no
 * column PID. Pure. */
int processes_table(
        const char *ps, const pid_t *members, size_t n, struct buf *out, struct err *err);
