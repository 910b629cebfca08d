/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/stdio.h"

#include "base/fd.h"
#include "proc/proc.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum {
	NULL_MAJOR = 1,
	NULL_MINOR = 3,
	/* A blocking descriptor of the host that polls writable takes at least this much without
	   blocking. */
	WRITE_AT_ONCE = PIPE_BUF,
};

static void relay_done(struct stdio_relay *r)
{
	if (r->close_from)
		fd_close(r->from);
	if (r->close_to)
		fd_close(r->to);
	free(r->data);
	*r = (struct stdio_relay){ .from = -EBADF, .to = -EBADF };
}

void stdio_close_child(struct stdio *io)
{
	for (int i = 0; i < 3; i++) {
		if (io->own_child[i])
			fd_close(io->child[i]);
		io->own_child[i] = false;
		io->child[i] = -EBADF;
	}
}

void stdio_done(struct stdio *io)
{
	stdio_close_child(io);
	for (size_t i = 0; i < io->n_relays; i++)
		relay_done(&io->relays[i]);
	io->n_relays = 0;
}

/* Only what nobody can have put anything into. A socket of the host belongs to the host's network:
 * by it a container could look at the host's addresses, and a TCP socket can be disconnected and
 * connected again to anything the host reaches. A pipe of the host is shared with whoever holds it:
 * the container opens its other end by /proc/self/fd and reads what others wrote, or writes what
 * others will read. */
static bool may_be_passed_on(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) &&
	       st.st_rdev == makedev(NULL_MAJOR, NULL_MINOR);
}

/* A pipe whose inner end is the container's and whose outer end is relayed to or from fd. */
static int open_relay(struct stdio *io, int fd)
{
	struct stdio_relay *r = &io->relays[io->n_relays];
	bool input = fd == 0;
	int p[2];

	if (pipe2(p, O_CLOEXEC) < 0)
		return -errno;
	io->child[fd] = input ? p[0] : p[1];
	io->own_child[fd] = true;
	*r = (struct stdio_relay){
		.from = input ? fd : p[0],
		.to = input ? p[1] : fd,
		.close_from = !input,
		.close_to = input,
		.data = xmalloc(STDIO_RELAY_SIZE),
	};
	io->n_relays++;
	return fcntl(input ? p[1] : p[0], F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
}

int stdio_open(struct stdio *ret, struct err *err)
{
	_stdio_done_ struct stdio io = { .child = { -EBADF, -EBADF, -EBADF } };

	for (int fd = 0; fd < 3; fd++) {
		int r = 0;

		if (fcntl(fd, F_GETFD) < 0) {
			io.child[fd] = open("/dev/null", O_RDWR | O_CLOEXEC);
			io.own_child[fd] = true;
			r = io.child[fd] < 0 ? -errno : 0;
		} else if (may_be_passed_on(fd)) {
			io.child[fd] = fd;
		} else {
			r = open_relay(&io, fd);
		}
		if (r < 0)
			return err_errno(
			        err, r, "cannot prepare descriptor %d of the container", fd);
	}
	*ret = io;
	io = (struct stdio){ .child = { -EBADF, -EBADF, -EBADF } };
	return 0;
}

/* Moves bytes once, as poll found it possible. The relay ends itself at the end of input or of the
 * reader. */
static void relay_step(struct stdio_relay *r)
{
	ssize_t n;

	if (r->start == r->end) {
		r->start = r->end = 0;
		n = read(r->from, r->data, STDIO_RELAY_SIZE);
		if (n > 0)
			r->end = (size_t) n;
		else if (n == 0 || (errno != EAGAIN && errno != EINTR))
			relay_done(r);
		return;
	}
	/* Our own end does not block. */
	n = write(r->to, r->data + r->start,
	        r->close_to ? r->end - r->start : MIN(r->end - r->start, (size_t) WRITE_AT_ONCE));
	if (n > 0)
		r->start += (size_t) n;
	else if (errno != EAGAIN && errno != EINTR)
		relay_done(r);
}

/* Fills one pollfd a live relay; the others get fd -1, which poll ignores. */
static bool fill_polls(const struct stdio *io, bool input_too, struct pollfd *polls)
{
	bool any = false;

	for (size_t i = 0; i < io->n_relays; i++) {
		const struct stdio_relay *r = &io->relays[i];
		bool reading = r->start == r->end;
		bool live = r->data && (input_too || !r->close_to);

		polls[i] = (struct pollfd){ .fd = live ? (reading ? r->from : r->to) : -1,
			.events = reading ? POLLIN : POLLOUT };
		any = any || live;
	}
	return any;
}

int stdio_wait(struct stdio *io, int pidfd)
{
	_close_ int signals = -EBADF;
	int code = -EINPROGRESS;
	int r = proc_signal_fd(&signals);

	if (r < 0)
		return r;
	for (;;) {
		struct pollfd polls[5];
		bool any = fill_polls(io, code == -EINPROGRESS, polls);

		if (code != -EINPROGRESS && !any)
			return code;
		polls[io->n_relays] = (struct pollfd){ .fd = signals, .events = POLLIN };
		polls[io->n_relays + 1] = (struct pollfd){ .fd = code == -EINPROGRESS ? pidfd : -1,
			.events = POLLIN };
		if (poll(polls, io->n_relays + 2, -1) < 0 && errno != EINTR)
			return -errno;
		for (size_t i = 0; i < io->n_relays; i++)
			if (polls[i].revents)
				relay_step(&io->relays[i]);
		if (polls[io->n_relays].revents && code == -EINPROGRESS)
			proc_forward(signals, pidfd);
		else if (polls[io->n_relays].revents)
			return code; /* a signal while only output is left: the user does not want
			                it any more */
		if (polls[io->n_relays + 1].revents)
			code = proc_wait(pidfd);
	}
}
