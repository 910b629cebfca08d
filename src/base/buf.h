/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A growing byte buffer with a mandatory maximum.
 *
 * Every buffer names its maximum when it is made. Adding beyond it makes the buffer 'too big': it
 * stays as it was, all later additions fail too, and one check at the end (buf_ok) is enough. data
 * is always NUL-terminated at data[len].
 */
#include "base/base.h"

#include <stdbool.h>

struct buf {
	char *data; /* never NULL after the first addition */
	size_t len;
	size_t size;
	size_t max;
	bool toobig;
};

#define _buf_done_ _cleanup_(buf_done)
#define BUF_INIT(maximum)                                                                          \
	{                                                                                          \
		.max = (maximum)                                                                   \
	}

void buf_done(struct buf *b);
bool buf_ok(const struct buf *b);
/* The text; "" when nothing was added. Owned by the buffer. */
const char *buf_str(const struct buf *b);
/* Gives the text away as malloc'ed memory (never NULL) and leaves an empty buffer. */
char *buf_take(struct buf *b);
void buf_clear(struct buf *b);
/* Each returns 0 or -EMSGSIZE. */
int buf_add(struct buf *b, const void *data, size_t len);
int buf_adds(struct buf *b, const char *s);
int buf_addc(struct buf *b, char c);
int buf_addf(struct buf *b, const char *fmt, ...) _printf_(2, 3);
/* Reads fd to its end. Returns 0, -EMSGSIZE when there is more than the maximum, or another
 * negative errno. */
int buf_read_fd(struct buf *b, int fd);
/* Opens and reads a file relative to dirfd (AT_FDCWD for a trusted path). */
int buf_read_file(struct buf *b, int dirfd, const char *path);
