/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BUF_FIRST = 256, READ_CHUNK = 4096 };

void buf_done(struct buf *b)
{
	free(b->data);
	*b = (struct buf){ .max = b->max };
}

bool buf_ok(const struct buf *b)
{
	return !b->toobig;
}

const char *buf_str(const struct buf *b)
{
	return b->data ? b->data : "";
}

char *buf_take(struct buf *b)
{
	char *data = b->data ? b->data : xstrdup("");

	*b = (struct buf){ .max = b->max };
	return data;
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->toobig = false;
	if (b->data)
		b->data[0] = '\0';
}

/* Makes room for more bytes and a NUL. */
static int reserve(struct buf *b, size_t more)
{
	size_t need;

	if (b->toobig || more > b->max - b->len) {
		b->toobig = true;
		return -EMSGSIZE;
	}
	need = b->len + more + 1;
	if (need > b->size) {
		b->size = MAX(need, MAX((size_t) BUF_FIRST, b->size * 2));
		b->data = xrealloc_n(b->data, b->size, 1);
	}
	return 0;
}

int buf_add(struct buf *b, const void *data, size_t len)
{
	int r = reserve(b, len);

	if (r < 0)
		return r;
	if (len)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
	return 0;
}

int buf_adds(struct buf *b, const char *s)
{
	return buf_add(b, s, strlen(s));
}

int buf_addc(struct buf *b, char c)
{
	return buf_add(b, &c, 1);
}

int buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n, r;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return -EINVAL;
	r = reserve(b, (size_t) n);
	if (r < 0)
		return r;
	va_start(ap, fmt);
	(void) vsnprintf(b->data + b->len, (size_t) n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t) n;
	return 0;
}

int buf_read_fd(struct buf *b, int fd)
{
	for (;;) {
		/* At the limit one byte more is read, to see whether there is one. */
		size_t room = b->max - b->len, want = MIN(room, (size_t) READ_CHUNK);
		char extra;
		ssize_t n;

		if (reserve(b, want) < 0)
			return -EMSGSIZE;
		want = MIN(room, b->size - b->len - 1);
		n = read(fd, want ? b->data + b->len : &extra, want ? want : 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || n == 0) {
			b->data[b->len] = '\0';
			return n < 0 ? -errno : 0;
		}
		if (want == 0) {
			b->toobig = true;
			return -EMSGSIZE;
		}
		b->len += (size_t) n;
		b->data[b->len] = '\0';
	}
}

int buf_read_file(struct buf *b, int dirfd, const char *path)
{
	_close_ int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	return fd < 0 ? -errno : buf_read_fd(b, fd);
}
