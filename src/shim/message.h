/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Messages between a shim and the commands that talk to it.
 *
 * Theory of operation. A SOCK_SEQPACKET socket 'sock' in the container's folder (0700 all the way
 * up); the peer must be root or the shim's own user (SO_PEERCRED). One packet is one message of a
 * fixed structure plus descriptors. A shim lives for years while commands are upgraded: the
 * structure only ever grows at its end, a receiver takes what it knows of a longer one and zeroes
 * what a shorter one lacks, and a type that a shim does not know is answered with SHIM_REFUSED.
 * Texts are ended and cleaned by the receiver. No message moves bytes of a container: those travel
 * through pipes that ATTACH brings along.
 */
#include "base/base.h"

#include <sys/types.h>

enum {
	SHIM_PROTOCOL = 1, /* grows when a message changes its meaning; never with a new type */
	SHIM_FDS_MAX = 6,
	SHIM_TEXT_MAX = 640,
	SHIM_CLIENTS_MAX = 64,
};
#define SHIM_SOCKET "sock"
#define SHIM_MAGIC  0x4d534842u /* "BHSM" */

enum shim_type {
	/* requests */
	SHIM_INFO = 1, /* -> SHIM_STATE with fds: pidfd of the container, its plan, its network
	                  namespace; without fds when nothing runs */
	SHIM_ATTACH,   /* flags, fds: stdin (read end), stdout, stderr (write ends) of pipes, in
	                  this order, those that the flags name -> SHIM_STATE or SHIM_REFUSED, later
	                  SHIM_EXITED */
	SHIM_RESIZE,   /* a: rows, b: columns; no answer */
	SHIM_DETACH, /* the streams of this connection end, the container lives on -> SHIM_STATE */
	SHIM_WAIT,   /* -> SHIM_EXITED when the container has ended (at once when it waits for a
	                restart and flags has SHIM_WAIT_NEXT) */
	SHIM_NO_RESTART, /* a person stops it: the policy is off until the next start -> SHIM_STATE
	                  */
	SHIM_CLOSE_OUTPUT, /* a foreground command lost its reader: the container's output ends, as
	                      with a pipe that lost its reader */
	/* answers */
	SHIM_STARTED = 64, /* on the socket of the start: a: pid, text: "" */
	SHIM_FAILED,       /* on the socket of the start: a: exit code (126, 127, else 125), text */
	SHIM_STATE,        /* a: enum record_state, b: pid, c: exit code, d: started */
	SHIM_EXITED,       /* a: exit code; flags */
	SHIM_REFUSED,      /* a: errno, text */
};

enum shim_flags {
	SHIM_ATTACH_STDIN = 1,
	SHIM_ATTACH_STDOUT = 2,
	SHIM_ATTACH_STDERR = 4,
	SHIM_ATTACH_OWNER =
	        8,           /* the command that runs it in the foreground and removes it itself */
	SHIM_WAIT_NEXT = 16, /* WAIT: the end of this run, also when a restart follows */
	SHIM_EXITED_OOM = 32,
	SHIM_EXITED_RESTARTS = 64, /* it will be started again */
};

struct shim_message {
	uint32_t magic;
	uint16_t protocol;
	uint16_t type; /* enum shim_type */
	uint32_t flags;
	int32_t a;
	int64_t b, c, d;
	char text[SHIM_TEXT_MAX];
};

/* A message with the descriptors that came or go with it. */
struct shim_packet {
	struct shim_message m;
	int fds[SHIM_FDS_MAX];
	size_t n_fds;
};
#define SHIM_PACKET_INIT                                                                           \
	{                                                                                          \
		.fds = { -EBADF, -EBADF, -EBADF, -EBADF, -EBADF, -EBADF }                          \
	}
/* Closes the descriptors of a received packet. */
void shim_packet_done(struct shim_packet *p);
#define _shim_packet_done_ _cleanup_(shim_packet_done)

/* Sends; the fds are borrowed. -EAGAIN on a full non-blocking socket, -EPIPE: the peer is gone. */
int shim_send(int sock, const struct shim_message *m, const int *fds, size_t n_fds);
/* Sends the last message before a socket is closed: what came in is read and dropped first, because
 * a socket that is closed with something unread in it tells its peer "connection reset" before what
 * was sent. */
void shim_send_last(int sock, const struct shim_message *m);
/* Receives one packet: 1, 0 at the end, -EBADMSG for what is no message (its descriptors are
 * closed), or a negative errno. Descriptors are close-on-exec. */
int shim_receive(int sock, struct shim_packet *ret);
