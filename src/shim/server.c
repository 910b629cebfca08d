/* SPDX-License-Identifier: Apache-2.0 */
/* The server's loop. */
#include "shim/server.h"

#include "base/fd.h"

#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum {
	POLL_LINK,
	POLL_LISTEN,
	POLL_STREAM0,
	POLL_STREAM1,
	POLL_INPUT,
	POLL_CLIENTS, /* four for each: socket, its stdin, stdout, stderr */
	PER_CLIENT = 4,
	POLLS = POLL_CLIENTS + PER_CLIENT * SHIM_CLIENTS_MAX,
	TICK_MS = 200,
};

/* --- messages of the keeper ------------------------------------------------------------------- */

static void on_run(struct server *s, const struct shim_message *m, int fds[RUN_FDS])
{
	(void) fd_close(s->pidfd);
	(void) fd_close(s->netns);
	(void) fd_close(s->plan);
	s->pidfd = TAKE_FD(fds[RUN_PIDFD]);
	s->plan = TAKE_FD(fds[RUN_PLAN]);
	s->netns = TAKE_FD(fds[RUN_NETNS]);
	stream_begin(s, fds);
	for (int i = RUN_STDIN; i < RUN_FDS; i++)
		fds[i] = -EBADF;
	s->running = true;
	s->ended = (struct shim_message){ .type = 0 };
	s->state = (struct shim_message){
		.type = SHIM_STATE, .a = RECORD_RUNNING, .b = m->b, .d = m->d
	};
}

static void on_ended(struct server *s, const struct shim_message *m)
{
	s->running = false;
	s->pidfd = fd_close(s->pidfd);
	s->netns = fd_close(s->netns);
	s->ended = *m;
	s->ended.type = SHIM_EXITED;
	s->state.a = m->flags & SHIM_EXITED_RESTARTS ? RECORD_RESTARTING : RECORD_EXITED;
	s->state.b = 0;
	s->state.c = m->a;
	s->tell_ended = true;
	s->stalled_since = 0;
	s->input_to = fd_close(s->input_to);
}

static void link_message(struct server *s)
{
	_shim_packet_done_ struct shim_packet p = SHIM_PACKET_INIT;

	if (shim_receive(s->shim->link, &p) <= 0) {
		/* The keeper was killed, and the container with it. Nobody can tell the code. */
		s->shim->link = fd_close(s->shim->link);
		s->finishing = true;
		if (s->running)
			on_ended(s, &(struct shim_message){ .a = 137 });
	} else if (p.m.type == LINK_RUN) {
		on_run(s, &p.m, p.fds);
	} else if (p.m.type == LINK_ENDED) {
		on_ended(s, &p.m);
	} else if (p.m.type == LINK_FINISH) {
		s->finishing = true;
	}
}

/* --- poll ------------------------------------------------------------------------------------- */

static bool want_stream(const struct server *s, int i)
{
	return !s->held && s->streams[i].from >= 0 && stream_is_taken(s, i) &&
	       shim_now() >= s->streams[i].hung_until;
}

static void fill(const struct server *s, struct pollfd *polls)
{
	bool input_free = s->input_to >= 0 && s->input_end == 0;

	for (size_t i = 0; i < POLLS; i++)
		polls[i] = (struct pollfd){ .fd = -1, .events = POLLIN };
	polls[POLL_LINK].fd = s->shim->link;
	polls[POLL_LISTEN].fd = s->finishing ? -1 : s->shim->listen_fd;
	for (int i = 0; i < 2; i++)
		if (want_stream(s, i))
			polls[POLL_STREAM0 + i].fd = s->streams[i].from;
	if (s->input_to >= 0 && s->input_end > 0)
		polls[POLL_INPUT] = (struct pollfd){ .fd = s->input_to, .events = POLLOUT };
	for (size_t k = 0; k < SHIM_CLIENTS_MAX; k++) {
		const struct client *c = &s->clients[k];
		struct pollfd *p = &polls[POLL_CLIENTS + k * PER_CLIENT];

		if (c->sock < 0)
			continue;
		p[0].fd = c->sock;
		if (input_free)
			p[1].fd = c->in;
		/* Without data to give, only its end is of interest (an error, always polled). */
		for (int i = 0; i < 2; i++)
			p[2 + i] = (struct pollfd){ .fd = c->out[i],
				.events = c->done[i] < s->streams[i].len ? POLLOUT : 0 };
	}
}

static void step_client(struct server *s, struct client *c, const struct pollfd *p)
{
	for (int i = 0; i < 2; i++) {
		if (c->out[i] < 0 || !p[2 + i].revents)
			continue;
		if (c->done[i] < s->streams[i].len)
			stream_deliver(s, c, i);
		else if (p[2 + i].revents & (POLLERR | POLLHUP))
			c->out[i] = fd_close(c->out[i]);
	}
	if (c->in >= 0 && p[1].revents && s->input_end == 0)
		input_read(s, c);
	if (c->sock >= 0 && p[0].revents)
		client_message(s, c);
}

static void step(struct server *s, const struct pollfd *polls)
{
	if (polls[POLL_INPUT].revents)
		input_write(s);
	for (size_t k = 0; k < SHIM_CLIENTS_MAX; k++)
		if (s->clients[k].sock >= 0)
			step_client(s, &s->clients[k], &polls[POLL_CLIENTS + k * PER_CLIENT]);
	for (int i = 0; i < 2; i++)
		if (polls[POLL_STREAM0 + i].revents && s->streams[i].from >= 0)
			stream_read(s, i);
	/* Last: a new run replaces what the lines above have looked at. */
	if (polls[POLL_LISTEN].revents)
		client_accept(s);
	if (polls[POLL_LINK].revents)
		link_message(s);
}

/* -1, or a bound where something has to be looked at without an event. */
static int timeout_of(const struct server *s)
{
	int64_t now = shim_now();

	for (int i = 0; i < 2; i++)
		if (s->streams[i].hung_until > now)
			return TICK_MS;
	if (!s->running && !s->held && !streams_are_over(s))
		return TICK_MS;
	return s->log_due;
}

static _noreturn_ void loop(struct server *s)
{
	static struct pollfd polls[POLLS];

	for (;;) {
		fill(s, polls);
		if (poll(polls, POLLS, timeout_of(s)) < 0 && errno != EINTR)
			_exit(1);
		step(s, polls);
		s->log_due = log_writer_tick(&s->log);
		if (s->held)
			continue;
		if (!s->running && !streams_are_over(s))
			streams_drop_stalled(s);
		if (s->tell_ended && streams_are_over(s))
			clients_tell_ended(s);
		if (s->finishing && !s->tell_ended && streams_are_over(s))
			break;
	}
	if (s->shim->link >= 0) {
		const struct shim_message m = { .type = LINK_DRAINED,
			.a = clients_owner_present(s) };

		(void) shim_send(s->shim->link, &m, NULL, 0);
	}
	log_writer_close(&s->log);
	_exit(0);
}

/* The command of the start is the first client. */
static void expect_start(struct server *s)
{
	struct client *c = client_add(s, TAKE_FD(s->shim->start_sock));

	c->expected = s->held = s->shim->settings.await_attach;
}

/* Before the confinement, which knows no connect. */
static int open_log(struct server *s, struct err *err)
{
	const struct log_config *config = &s->shim->log;
	int journal = -EBADF, r = 0;

	if (config->driver == LOG_DRIVER_JOURNALD)
		r = log_journal_connect(NULL, &journal, err);
	return r < 0 ? r : log_writer_open(&s->log, config, s->shim->logs_fd, journal, err);
}

_noreturn_ void server_main(struct shim *s, const struct shim_message *run, const int fds[RUN_FDS])
{
	static struct server server; /* its buffers cost nothing until they are used */
	int own[RUN_FDS];
	struct err err;
	int r;

	memcpy(own, fds, sizeof(own));
	(void) prctl(PR_SET_NAME, "bulkhead-shim/s", 0, 0, 0);
	server.shim = s;
	server.pidfd = server.netns = server.plan = server.input_to = -EBADF;
	for (size_t i = 0; i < SHIM_CLIENTS_MAX; i++)
		server.clients[i].sock = server.clients[i].in = server.clients[i].out[0] =
		        server.clients[i].out[1] = -EBADF;
	for (int i = 0; i < 2; i++)
		server.streams[i].from = -EBADF;
	server.log_due = -1;
	r = open_log(&server, &err);
	if (r == 0)
		r = confine_server(s->logs_fd, &err);
	if (r < 0)
		_exit(1); /* the keeper ends the container: never without confinement */
	if (s->start_sock >= 0)
		expect_start(&server);
	on_run(&server, run, own);
	loop(&server);
}
