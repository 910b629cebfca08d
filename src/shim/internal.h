/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Private to the shim: its two processes and what passes between them.
 *
 * Theory of operation. A shim is two processes of one program:
 *
 *   keeper   privileged; the parent of the container's first process. It applies the plan, waits,
 *            removes the groups, writes the record, starts again by the policy, runs health probes.
 *            It reads no byte of the container but the first few KiB of a probe's output, which it
 *            only stores, and no message but those of 'enum link_type' from the server.
 *   server   its child; owns the outer ends of the container's stdio (or the master of its
 *            terminal), the log and the socket. It handles all bytes of containers and clients and
 *            therefore has nothing else: no capability, a Landlock rule set with the folder of logs
 *            alone, a filter of two dozen system calls that make, open and signal nothing.
 *
 * They talk over one SEQPACKET pair in struct shim_message. The keeper trusts the server with one
 * decision, "a person stops it, do not start again". When the server dies the keeper ends the
 * container and makes another one for the next start; when the keeper dies, the kernel ends the
 * container (PDEATHSIG) and the server sees the end of the pair.
 */
#include "base/err.h"
#include "logs/config.h"
#include "sandbox/sandbox.h"
#include "shim/message.h"
#include "shim/record.h"
#include "shim/settings.h"

enum link_type {
	/* keeper to server */
	LINK_RUN = 128, /* a run begins: b pid, d started; fds in the order of enum run_fd */
	LINK_ENDED,     /* a run ended: a exit code, flags SHIM_EXITED_* */
	LINK_FINISH,    /* nothing follows: deliver what is left and go */
	/* server to keeper */
	LINK_NO_RESTART,
	LINK_DRAINED, /* a: 1 when the owner is still connected and removes the container itself */
};

/* The server's descriptors of one run. With a terminal RUN_STDIN is its master and the others are
 * copies of it that are not used. */
enum run_fd { RUN_PIDFD, RUN_NETNS, RUN_PLAN, RUN_STDIN, RUN_STDOUT, RUN_STDERR, RUN_FDS };

/* What both processes know. */
struct shim {
	struct shim_settings settings;
	struct log_config log;
	int plan_fd, health_plan_fd, dir_fd, logs_fd, events_fd;
	int start_sock, listen_fd;
	int link; /* this process's end */
};

/* change.c: what 'update' left for the next run ('plan.next' and 'settings.next' in the container's
 * folder, where the server cannot write) is taken over. What cannot be read is left alone. */
void shim_take_changes(struct shim *s);

/* keeper.c: the whole life; returns the exit code of the program. */
int keeper_main(struct shim *s);

/* run.c: one run of the container. */
struct run {
	struct sandbox_child child;
	int outer[RUN_FDS]; /* for the server; -EBADF: none */
};
/* Applies the plan with fresh stdio. On failure *ret_exit_code is 126, 127 or 125. */
int run_start(struct shim *s, struct run *ret, int *ret_exit_code, struct err *err);
void run_done(struct run *r);
/* After the end of the first process: looks whether the kernel ended something for want of memory,
 * and removes the groups. */
void run_clean(struct shim *s, bool *ret_oom);

/* server.c: never returns. 'first' is the first run. */
_noreturn_ void server_main(struct shim *s, const struct shim_message *run, const int fds[RUN_FDS]);
/* confine.c: gives up everything that the server does not need. */
int confine_server(int logs_fd, struct err *err);

/* health.c */
struct health {
	int pidfd, out; /* of the probe that runs; -EBADF: none */
	int sync;
	int64_t due, deadline, began; /* CLOCK_MONOTONIC ns; wall clock for 'began' */
	int64_t started;              /* monotonic, of the container's run */
	bool timed_out;
	size_t len;
	char text[4096];
};
void health_init(struct health *h, const struct shim *s, struct record *record);
/* Nanoseconds (monotonic) of the next thing to do; INT64_MAX: none. */
int64_t health_next(const struct health *h);
/* Does what is due; true when the record changed. */
bool health_step(struct health *h, struct shim *s, int container_pidfd, struct record *record);
void health_stop(struct health *h);

/* Appends an event of the container; key NULL: no attribute. */
void shim_event(
        int events_fd, const char *id, const char *action, const char *key, const char *value);
int64_t shim_now(void);      /* CLOCK_MONOTONIC, ns */
int64_t shim_wall_now(void); /* ns since 1970 */
