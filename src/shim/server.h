/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Private to the shim's server (server.c, clients.c, streams.c): clients and streams.
 *
 * Theory of operation: one loop over poll. A stream (stdout, stderr; with a terminal only the
 * first) is read when everybody who is attached has taken what was read before, so memory is
 * bounded and a slow reader slows the container down, as a pipe does; what vanished is forgotten.
 * Each chunk goes to the log first. Input is read from one client at a time when the last input was
 * taken by the container.
 */
#include "logs/writer.h"
#include "shim/internal.h"

#include <poll.h>

enum {
	STREAM_SIZE = 32 << 10,
	INPUT_SIZE = 16 << 10,
};

/* After the end: a reader that takes nothing for so long is left. */
#define STALL_NS INT64_C(10000000000)
/* How long a terminal that nobody has open is left alone. */
#define HUNG_NS INT64_C(200000000)

struct stream {
	int from;           /* -EBADF: ended */
	int64_t hung_until; /* nobody inside has the terminal open: not polled before */
	size_t len;         /* bytes in data */
	char data[STREAM_SIZE];
};

struct client {
	int sock; /* -EBADF: free */
	int in;   /* read end of the client's stdin; -EBADF */
	int out[2];
	size_t done[2]; /* bytes of the stream's data that it has taken */
	bool attached, owner, waiting, wait_next;
	bool expected; /* the command of the start, which has not attached yet */
};

struct server {
	struct shim *shim;
	struct log_writer log;
	struct client clients[SHIM_CLIENTS_MAX];
	struct stream streams[2];
	int input_to; /* pipe or master; -EBADF: closed */
	size_t input_start, input_end;
	char input[INPUT_SIZE];
	int pidfd, netns, plan;
	bool running, finishing;
	bool held; /* nothing is read or ended before the command of the start has attached */
	struct shim_message state; /* a SHIM_STATE, kept up to date */
	struct shim_message ended; /* the SHIM_EXITED of the last run */
	bool tell_ended;           /* once the streams are empty */
	int64_t stalled_since;
	int log_due; /* as log_writer_tick */
};

/* clients.c */
void client_close(struct server *s, struct client *c);
void client_accept(struct server *s);
/* NULL: there are too many. */
struct client *client_add(struct server *s, int sock_taken);
/* One message of a client. */
void client_message(struct server *s, struct client *c);
/* Tells everybody who waits for the end of this run, and ends attachments. */
void clients_tell_ended(struct server *s);
bool clients_owner_present(const struct server *s);

/* streams.c */
void stream_begin(struct server *s, const int fds[RUN_FDS]);
/* Reads what poll says is there. */
void stream_read(struct server *s, int i);
/* Writes to one attached client. */
void stream_deliver(struct server *s, struct client *c, int i);
/* True when every attached client has everything. */
bool stream_is_taken(const struct server *s, int i);
bool streams_are_over(const struct server *s);
void input_read(struct server *s, struct client *c);
void input_write(struct server *s);
void input_close(struct server *s);
/* After the end: gives up readers that take nothing. */
void streams_drop_stalled(struct server *s);
