/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/internal.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

/* Reads what went wrong behind the gate. 0: nothing, the program runs. */
static int read_result(int fd, struct err *err)
{
	char text[ERR_TEXT_MAX];
	size_t len = 0;
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		if (poll(&p, 1, -1) < 0 && errno != EINTR)
			return err_errno(err, -errno, "cannot wait for the container's start");
		ssize_t n = read(fd, text + len, sizeof(text) - 1 - len);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return err_errno(
			        err, -errno, "cannot read the result of the container's start");
		len += (size_t) n;
		if (n == 0 || len == sizeof(text) - 1)
			break;
	}
	text[len] = '\0';
	return len == 0 ? 0 : err_set(err, -EIO, "%s", text);
}

static int no_gate(
        struct runtime *rt, const struct runtime_state *state, const char *id, struct err *err)
{
	if (runtime_state_status(rt, state, NULL) == RUNTIME_STOPPED)
		return err_set(err, -ESRCH, "cannot start a container that has stopped: '%s'", id);
	return err_set(err, -EBUSY,
	        "cannot start a container that is not created: '%s' is running already", id);
}

/* The init reads one byte and goes on; the other end of result.fifo is closed by its exec. */
static int open_gate(const struct folder *f, int *ret_start, int *ret_result)
{
	_close_ int start = openat(
	        f->fd, START_FIFO, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	if (start < 0)
		return -errno;
	_close_ int result = openat(
	        f->fd, RESULT_FIFO, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	if (result < 0)
		return -errno;
	*ret_start = TAKE_FD(start);
	*ret_result = TAKE_FD(result);
	return 0;
}

int runtime_start(struct runtime *rt, const char *id, struct err *err)
{
	_folder_done_ struct folder f = FOLDER_INIT;
	_cleanup_(runtime_state_freep) struct runtime_state *state = NULL;
	_close_ int start = -EBADF, result = -EBADF;
	int r = folder_lock(rt, id, &f, err);
	if (r >= 0)
		r = state_load_at(f.fd, id, &state, err);
	if (r < 0)
		return r;
	r = open_gate(&f, &start, &result);
	if (r == -ENXIO || r == -ENOENT)
		return no_gate(rt, state, id, err);
	if (r < 0)
		return err_errno(err, r, "cannot open the gate of container '%s'", id);
	ssize_t n = write(start, "1", 1);
	if (n != 1)
		return err_errno(err, n < 0 ? -errno : -EIO, "cannot start container '%s'", id);
	start = fd_close(start);
	r = read_result(result, err);
	(void) unlinkat(f.fd, START_FIFO, 0);
	(void) unlinkat(f.fd, RESULT_FIFO, 0);
	return r;
}
