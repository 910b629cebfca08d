/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Private to the executor: messages from the child to the supervisor.
 *
 * One message is one packet of exactly this size. The supervisor believes none of it: another size
 * is an error, the text is ended and cleaned before it is used, the exit code is cut to a byte.
 */
#include "base/err.h"
#include "plan/plan.h"

#include <sys/types.h>

enum report_type {
	REPORT_READY = 1, /* all steps up to READY are done */
	REPORT_ERROR,     /* code, exit_code, kind and text say what failed */
	REPORT_PID,       /* from the process between: the child's pid */
	REPORT_TERMINAL,  /* comes with the terminal's master */
};

enum { REPORT_TEXT_MAX = 768 };

struct report {
	uint32_t type;
	int32_t code;       /* negative errno */
	uint32_t exit_code; /* 126 or 127 when the program is the reason, else 0 */
	uint32_t kind;      /* the step, 0: none */
	int32_t pid;
	char text[REPORT_TEXT_MAX];
};

/* Sends one message. -EPIPE: the other side is gone. Async-signal-safe. */
int report_send(int fd, const struct report *r);
/* The same for an error of a step. */
int report_error(int fd, unsigned int kind, int exit_code, int code, const struct err *err);
/* REPORT_TERMINAL with its descriptor. */
int report_terminal(int fd, int master);
/* Receives one message: 1, 0 at the end of file, or a negative errno. The text is clean. The
 * descriptor that came with it, or -EBADF, goes to *ret_fd; with NULL none is taken. */
int report_receive(int fd, struct report *ret, int *ret_fd);
/* Turns a REPORT_ERROR into the caller's error: "step: text". Returns its code. */
int report_to_err(const struct report *r, int *ret_exit_code, struct err *err);
