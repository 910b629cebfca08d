/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The life of a container: start, stop, kill, pause, restart, wait; and processes in it.
 *
 * Theory of operation: each function finds out by the record and its lock what is so, does one
 * thing, and waits until the record says so. Signals are sent by the pidfd that the shim hands out,
 * never by number. The caller's struct container is brought up to date.
 */
#include "engine/containers.h"
#include "logs/config.h"

struct life_start {
	bool wait_exec; /* default true: waits until the program runs */
	bool owner; /* the caller stays attached and removes it itself (--rm in the foreground) */
	unsigned int attach; /* SHIM_ATTACH_* : the caller's pipes go along */
	int stdin_fd, stdout_fd,
	        stderr_fd;   /* the container's ends of the caller's pipes; borrowed */
	uint16_t rows, cols; /* of the terminal; 0: 24 x 80 unless the caller resizes */
	bool show_security;  /* print the table of protections to stdout before it starts */
};

/* Compiles and starts. *ret_sock (may be NULL) is the connection that is attached. *ret_exit_code
 * on failure: 125, or 126 and 127 when the program was the reason. -EALREADY: it runs. */
int life_start(struct engine *e, struct container *c, const struct life_start *how,
        void (*warn)(const char *text), int *ret_sock, int *ret_exit_code, struct err *err);
/* Sends the stop signal, waits timeout_s (-1: for ever; INT64_MIN: the container's own or 10), then
 * SIGKILL. One that is not running is no error. signal 0: the container's stop signal. */
int life_stop(
        struct engine *e, struct container *c, int signal, int64_t timeout_s, struct err *err);
/* One signal to the first process. -ESRCH: it is not running. */
int life_kill(struct engine *e, struct container *c, int signal, struct err *err);
/* Ends it for good and at once, its shim too where it does not react (rm -f). */
int life_end(struct engine *e, struct container *c, struct err *err);
int life_pause(struct engine *e, struct container *c, bool pause, struct err *err);
/* Waits for the end; *ret_code as docker wait. */
int life_wait(struct engine *e, struct container *c, int *ret_code, struct err *err);
/* Applies a changed configuration (limits, restart policy): to the living group, to later runs, and
 * to config.json. Takes the configuration. */
int life_update(
        struct engine *e, struct container *c, struct config *config_taken, struct err *err);
/* Connects to the shim. -ESRCH: the container is not running. */
int life_connect(struct engine *e, struct container *c, int *ret_sock, struct err *err);
/* The log settings of a container, for the shim and for who reads its log. */
int life_log_config(const struct config *c, const struct container *container, struct arena *arena,
        struct log_config *ret, struct err *err);
