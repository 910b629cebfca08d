/* SPDX-License-Identifier: Apache-2.0 */
/* The files: opening, repairing after a crash, moving on. */
#include "logs/writer_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

/* "log", "log.1", ... */
static const char *name_of(uint32_t number, char out[16])
{
	char digits[12];
	size_t at = sizeof(digits) - 1, len;

	memcpy(out, "log", 4);
	if (number == 0)
		return out;
	digits[at] = '\0';
	for (; number > 0; number /= 10)
		digits[--at] = (char) ('0' + number % 10);
	len = sizeof(digits) - at;
	out[3] = '.';
	memcpy(out + 4, digits + at, len);
	return out;
}

/* Finds where the last line that has its newline ends. Reads into w->out, which is empty. */
static int find_end(struct log_writer *w, uint64_t size, uint64_t *ret)
{
	uint64_t end = size;

	while (end > 0) {
		size_t n = MIN(end, (uint64_t) LOG_OUT_SIZE);
		ssize_t got = pread(w->fd, w->out, n, (off_t) (end - n));
		const char *newline;

		if (got < 0)
			return -errno;
		if ((size_t) got != n)
			return -EIO;
		newline = memrchr(w->out, '\n', n);
		if (newline) {
			*ret = end - n + (size_t) (newline - w->out) + 1;
			return 0;
		}
		end -= n;
	}
	*ret = 0;
	return 0;
}

/* Where one is in a line of JSON. */
struct walk {
	int depth;
	bool in_text, escaped, closed;
};

/* False when the line is over too early or begins wrongly. */
static bool walk(struct walk *s, char c)
{
	if (s->closed)
		return false;
	if (s->in_text) {
		if (s->escaped)
			s->escaped = false;
		else if (c == '\\')
			s->escaped = true;
		else if (c == '"')
			s->in_text = false;
		return (unsigned char) c >= 0x20;
	}
	if (s->depth == 0 && c != '{')
		return false;
	s->in_text = c == '"';
	s->depth += (c == '{') - (c == '}');
	s->closed = s->depth == 0;
	return true;
}

/* True when the bytes from 'start' on are a line that lacks nothing but its newline. */
static bool is_whole(struct log_writer *w, uint64_t start, uint64_t size)
{
	struct walk s = { 0 };

	while (start < size) {
		size_t n = MIN(size - start, (uint64_t) LOG_OUT_SIZE);
		ssize_t got = pread(w->fd, w->out, n, (off_t) start);

		if (got <= 0)
			return false;
		for (size_t i = 0; i < (size_t) got; i++)
			if (!walk(&s, w->out[i]))
				return false;
		start += (uint64_t) got;
	}
	return s.closed;
}

/* A kill or a loss of power can leave half a line at the end. */
static int repair(struct log_writer *w, uint64_t size)
{
	uint64_t end = size;
	int r = find_end(w, size, &end);

	if (r < 0)
		return r;
	w->size = w->committed = size;
	w->torn = end < size;
	if (!w->torn)
		return 0;
	if (is_whole(w, end, size)) {
		if (write(w->fd, "\n", 1) == 1) {
			w->size = w->committed = size + 1;
			w->torn = false;
		}
	} else if (ftruncate(w->fd, (off_t) end) == 0) {
		w->size = w->committed = end;
		w->torn = false;
	}
	return 0;
}

/* Opens 'log' as w->fd; the old one is closed only when that worked. */
static int open_file(struct log_writer *w)
{
	_close_ int fd = openat(w->dirfd, "log",
	        O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	struct stat st;
	int old = w->fd, r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	w->fd = fd;
	r = repair(w, (uint64_t) st.st_size);
	if (r < 0) {
		w->fd = old;
		return r;
	}
	(void) TAKE_FD(fd);
	(void) fd_close(old);
	return 0;
}

static bool exists(struct log_writer *w, uint32_t number)
{
	char name[16];
	struct stat st;

	return fstatat(w->dirfd, name_of(number, name), &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static int move(struct log_writer *w, uint32_t from, uint32_t to)
{
	char a[16], b[16];

	if (renameat(w->dirfd, name_of(from, a), w->dirfd, name_of(to, b)) < 0 && errno != ENOENT)
		return -errno;
	return 0;
}

/* The first number without a file; that behind the last one that is kept when there is no gap. */
static uint32_t first_gap(struct log_writer *w)
{
	uint32_t number = 1;

	while (number < w->config.max_files && exists(w, number))
		number++;
	return number;
}

int log_file_open(struct log_writer *w, struct err *err)
{
	char name[16];
	int r;

	/* A rotation that was cut short left one file too many, or no 'log'; then all others are
	 * still wanted. */
	if (exists(w, 0))
		(void) unlinkat(w->dirfd, name_of(w->config.max_files, name), 0);
	r = open_file(w);
	if (r < 0)
		return err_errno(err, r, "cannot open the file 'log' of the container's folder");
	return 0;
}

int log_file_rotate(struct log_writer *w)
{
	uint32_t keep = w->config.max_files, top = first_gap(w);
	char name[16];
	int r;

	/* Files move into the first gap, which is one behind the last that is kept when there is
	 * none; so the oldest goes only when the new one is there. */
	for (uint32_t i = top; i-- > 0;) {
		r = move(w, i, i + 1);
		if (r < 0)
			return r;
	}
	r = open_file(w);
	if (r < 0) {
		(void) move(w, 1, 0);
		return r;
	}
	(void) unlinkat(w->dirfd, name_of(keep, name), 0);
	return 0;
}
