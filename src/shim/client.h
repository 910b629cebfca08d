/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The engine's side of a shim: starting one, and talking to it.
 *
 * Theory of operation: a shim is started by fork and exec from a read-only clone of its binary
 * (CVE-2019-5736), with exactly the descriptors below, in a session of its own. It answers on the
 * socket of the start when the container's program runs, or says why not. The same socket serves
 * requests afterwards, so a foreground command is attached before the first byte of output.
 */
#include "base/err.h"
#include "proc/proc.h"
#include "shim/message.h"

struct shim_start {
	const char *program; /* absolute path of bulkhead-shim */
	int plan_fd, settings_fd, log_fd, dir_fd, logs_fd, events_fd; /* enum shim_fd */
	int health_plan_fd;                                           /* -EBADF: none */
	const struct proc_group *group; /* where it lives; NULL: the caller's group */
};

/* Starts it. *ret_sock is the connected socket of the start, the caller's. The caller then may send
 * SHIM_ATTACH, and must receive SHIM_STARTED or SHIM_FAILED (shim_await_start). */
int shim_start(const struct shim_start *start, int *ret_sock, struct err *err);
/* Waits for the word of the start. Returns 0; negative with the sentence, *ret_exit_code is then
 * 125, 126 or 127. */
int shim_await_start(int sock, pid_t *ret_pid, int *ret_exit_code, struct err *err);

/* Connects to the shim of the container whose folder is dir_fd. -ECONNREFUSED, -ENOENT: there is
 * none. */
int shim_connect(int dir_fd, int *ret_sock);
/* Sends a request without fds and waits for its answer. SHIM_REFUSED becomes its errno and text. */
int shim_request(
        int sock, const struct shim_message *request, struct shim_packet *ret, struct err *err);
/* SHIM_INFO: *ret_pidfd, *ret_plan_fd and *ret_netns_fd (each may be NULL) are the caller's. -ESRCH
 * when nothing runs. */
int shim_info(int sock, int *ret_pidfd, int *ret_plan_fd, int *ret_netns_fd, struct err *err);
