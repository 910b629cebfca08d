/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A process that parses hostile bytes and can do nothing else.
 *
 * Theory of operation: confine_start() makes a child that, before it calls the stage function, is
 * - in a user namespace whose ids are an unprivileged range of the host (it has no host root, not
 *   even as nobody's owner), with the few capabilities it was given there and none on the host;
 * - alone in pid, network, IPC, UTS and mount namespaces; its "/" is the one folder it was given,
 *   or an empty one, and nothing else is mounted anywhere;
 * - under Landlock: it may make and write things below "/" if it has a folder, and may read no file
 *   and run none; no TCP, no signals or abstract sockets across;
 * - under a seccomp allow-list (filter.c) without exec, clone, sockets or executable memory;
 * - with no descriptor but those it was given, no core file, bounded memory, not dumpable, and
 * killed with its parent. Each step that fails ends the child: it fails closed. The libraries are
 * loaded before that.
 */
#include "base/err.h"

#include <sys/types.h>

struct confine {
	uint32_t host_id, count; /* the ids 0..count-1 inside are host_id... on the host */
	int layer_fd;            /* folder that becomes "/", borrowed; -EBADF: an empty one */
	uint64_t caps;           /* capabilities to keep inside */
	uint64_t memory;         /* bytes of address space; 0: not bounded */
	/* Descriptors that the stage may use; everything else is closed. They keep their numbers.
	 */
	const int *fds;
	size_t n_fds;
	/* The work. Its result is the exit code. */
	int (*stage)(void *userdata);
	/* Called instead of stage when a step of the confinement failed. */
	void (*on_failure)(void *userdata, const struct err *err);
	void *userdata;
};

/* Starts the process. *ret_pidfd is the caller's. */
pid_t confine_start(const struct confine *c, int *ret_pidfd, struct err *err);

/* filter.c: the allow-list, for good. files: also what makes and changes files. */
int filter_enter(_Bool files, struct err *err);
