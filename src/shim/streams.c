/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of a container: from it to the log and the attached clients, and from one of them to
 * it. */
#include "base/fd.h"
#include "shim/server.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static int set_nonblock(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ? -errno : 0;
}

void stream_begin(struct server *s, const int fds[RUN_FDS])
{
	bool terminal = s->shim->settings.terminal;

	s->input_to = fds[RUN_STDIN];
	s->streams[0].from = fds[RUN_STDOUT];
	s->streams[1].from = fds[RUN_STDERR];
	s->input_start = s->input_end = 0;
	for (int i = 0; i < 2; i++)
		s->streams[i].len = 0;
	for (int i = RUN_STDIN; i < RUN_FDS; i++)
		if (fds[i] >= 0)
			(void) set_nonblock(
			        fds[i]); /* a pipe or terminal that we made: cannot fail */
	if (terminal)
		s->streams[1].from = -EBADF;
}

/* --- output ----------------------------------------------------------------------------------- */

static void stream_end(struct server *s, int i)
{
	s->streams[i].from = fd_close(s->streams[i].from);
	log_writer_end(&s->log, (enum log_stream) i);
}

void stream_read(struct server *s, int i)
{
	struct stream *st = &s->streams[i];
	ssize_t n = read(st->from, st->data, sizeof(st->data));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	/* Nobody has the terminal open at the moment: somebody inside may open it again. */
	if (n < 0 && errno == EIO && s->running) {
		st->hung_until = shim_now() + HUNG_NS;
		return;
	}
	if (n <= 0) {
		stream_end(s, i);
		return;
	}
	log_writer_write(&s->log, (enum log_stream) i, st->data, (size_t) n);
	st->len = (size_t) n;
	for (size_t k = 0; k < SHIM_CLIENTS_MAX; k++)
		s->clients[k].done[i] = 0;
	for (size_t k = 0; k < SHIM_CLIENTS_MAX; k++)
		if (s->clients[k].sock >= 0 && s->clients[k].out[i] >= 0)
			stream_deliver(s, &s->clients[k], i);
}

void stream_deliver(struct server *s, struct client *c, int i)
{
	struct stream *st = &s->streams[i];
	ssize_t n;

	if (c->done[i] >= st->len)
		return;
	n = write(c->out[i], st->data + c->done[i], st->len - c->done[i]);
	if (n > 0) {
		c->done[i] += (size_t) n;
		s->stalled_since = 0;
	} else if (n < 0 && errno != EAGAIN && errno != EINTR) {
		c->out[i] = fd_close(c->out[i]);
	}
}

bool stream_is_taken(const struct server *s, int i)
{
	for (size_t k = 0; k < SHIM_CLIENTS_MAX; k++) {
		const struct client *c = &s->clients[k];

		if (c->sock >= 0 && c->out[i] >= 0 && c->done[i] < s->streams[i].len)
			return false;
	}
	return true;
}

bool streams_are_over(const struct server *s)
{
	for (int i = 0; i < 2; i++)
		if (s->streams[i].from >= 0 || !stream_is_taken(s, i))
			return false;
	return true;
}

void streams_drop_stalled(struct server *s)
{
	int64_t now = shim_now();

	if (s->stalled_since == 0)
		s->stalled_since = now;
	if (now - s->stalled_since < STALL_NS)
		return;
	for (size_t k = 0; k < SHIM_CLIENTS_MAX; k++)
		for (int i = 0; i < 2; i++)
			if (!s->clients[k].owner && s->clients[k].done[i] < s->streams[i].len)
				s->clients[k].out[i] = fd_close(s->clients[k].out[i]);
}

/* --- input ------------------------------------------------------------------------------------ */

/* The end of the input of a terminal is a character that the user types. */
void input_close(struct server *s)
{
	if (!s->shim->settings.terminal)
		s->input_to = fd_close(s->input_to);
	s->input_start = s->input_end = 0;
}

void input_read(struct server *s, struct client *c)
{
	ssize_t n = read(c->in, s->input, sizeof(s->input));

	if (n > 0) {
		s->input_start = 0;
		s->input_end = (size_t) n;
		input_write(s);
		return;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	c->in = fd_close(c->in);
	if (s->shim->settings.stdin_once)
		input_close(s);
}

void input_write(struct server *s)
{
	ssize_t n = write(s->input_to, s->input + s->input_start, s->input_end - s->input_start);

	if (n > 0)
		s->input_start += (size_t) n;
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		input_close(s);
	if (s->input_start >= s->input_end)
		s->input_start = s->input_end = 0;
}
