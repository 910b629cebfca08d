/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The foreground: our own stdin, stdout and stderr joined to those of a container.
 *
 * Theory of operation: one loop over poll moves bytes between our descriptors and the streams'
 * outer ends, whoever has made those (a shim's pipes, an exec's pipes, the master of a terminal).
 * Nothing is read that cannot be written yet, so memory is bounded and a slow reader slows the
 * container down. Output between pipes and files is spliced. Our descriptors stay as they are: they
 * are shared with whoever gave them, so none is made non-blocking; on a terminal they are raw while
 * the loop runs and restored on every way out. Signals must be blocked by the caller
 * (proc_block_signals) and are read from a signalfd.
 */
#include "base/err.h"

#include <stdbool.h>

enum { CONSOLE_KEYS_MAX = 32 };

enum console_result {
	CONSOLE_ENDED = 0, /* on_end gave a code */
	CONSOLE_DETACHED,  /* the user typed the detach keys */
	CONSOLE_BROKEN,    /* nobody reads our output any more, and on_broken said to leave */
};

struct console {
	int to_stdin;      /* outer end of its stdin; owned; -EBADF: none */
	int from[2];       /* outer ends of stdout and stderr; owned; -EBADF: none */
	bool terminal;     /* to_stdin and from[0] are a terminal's: raw mode, sizes, detach keys */
	bool read_stdin;   /* our stdin is for it */
	bool keep_stdin;   /* the end of our stdin is not told */
	bool leave_at_end; /* do not wait for the end of output after the end of the program */
	unsigned char keys[CONSOLE_KEYS_MAX]; /* detach sequence */
	size_t n_keys;
	int end_fd; /* readable when on_end is to be asked; borrowed */
	void *data;
	/* 1 and *ret_code: it has ended (what is still in the pipes is delivered first); 0: not
	 * yet; negative errno. */
	int (*on_end)(void *data, int *ret_code);
	void (*on_signal)(void *data, int signal); /* NULL: signals are ignored */
	void (*on_resize)(void *data, unsigned short rows, unsigned short cols);
	bool (*on_broken)(void *data, int stream); /* true: leave; NULL: go on without the stream */
};
#define CONSOLE_INIT                                                                               \
	{                                                                                          \
		.to_stdin = -EBADF, .from = { -EBADF, -EBADF }, .end_fd = -EBADF                   \
	}
void console_done(struct console *c);
#define _console_done_ _cleanup_(console_done)

/* "ctrl-p,ctrl-q", "a,b", "ctrl-@": docker's notation. "" means none. -EINVAL with docker's words.
 */
int console_parse_keys(const char *text, struct console *c, struct err *err);
/* The size of our terminal; false when stdin and stdout are none. */
bool console_size(unsigned short *ret_rows, unsigned short *ret_cols);
/* Runs until the end. Returns enum console_result, *ret_code with CONSOLE_ENDED, or a negative
 * errno. */
int console_run(struct console *c, int *ret_code, struct err *err);
