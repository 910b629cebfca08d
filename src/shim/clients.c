/* SPDX-License-Identifier: Apache-2.0 */
/* The commands that are connected: requests and answers. */
#include "base/fd.h"
#include "shim/server.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

static void client_init(struct client *c, int sock)
{
	*c = (struct client){ .sock = sock, .in = -EBADF, .out = { -EBADF, -EBADF } };
}

static void detach(struct client *c)
{
	c->in = fd_close(c->in);
	for (int i = 0; i < 2; i++)
		c->out[i] = fd_close(c->out[i]);
	c->attached = false;
}

/* The command of the start has attached, or will not. */
static void release_start(struct server *s, struct client *c)
{
	if (c->expected)
		s->held = false;
	c->expected = false;
}

void client_close(struct server *s, struct client *c)
{
	bool had_input = c->in >= 0;

	release_start(s, c);
	detach(c);
	(void) fd_close(c->sock);
	client_init(c, -EBADF);
	/* Its command is gone without a word: the end of its input all the same. */
	if (had_input && s->shim->settings.stdin_once)
		input_close(s);
}

struct client *client_add(struct server *s, int sock_taken)
{
	for (size_t i = 0; i < SHIM_CLIENTS_MAX; i++)
		if (s->clients[i].sock < 0) {
			client_init(&s->clients[i], sock_taken);
			return &s->clients[i];
		}
	(void) fd_close(sock_taken);
	return NULL;
}

/* The folder is closed to everybody else, so this is the second lock on the door. */
static bool is_allowed(int sock)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return false;
	return peer.uid == 0 || peer.uid == geteuid();
}

void client_accept(struct server *s)
{
	int sock = accept4(s->shim->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (sock < 0)
		return;
	if (!is_allowed(sock))
		(void) fd_close(sock);
	else
		(void) client_add(s, sock);
}

/* A command that does not read its answers is not worth waiting for. */
static void answer(
        struct server *s, struct client *c, const struct shim_message *m, const int *fds, size_t n)
{
	if (shim_send(c->sock, m, fds, n) < 0)
		client_close(s, c);
}

static void refuse(struct server *s, struct client *c, int code, const char *text)
{
	struct shim_message m = { .type = SHIM_REFUSED, .a = code };

	(void) snprintf(m.text, sizeof(m.text), "%s", text);
	answer(s, c, &m, NULL, 0);
}

/* --- requests --------------------------------------------------------------------------------- */

static void on_info(struct server *s, struct client *c, struct shim_packet *p)
{
	const int fds[] = { s->pidfd, s->plan, s->netns };

	(void) p;
	answer(s, c, &s->state, fds, s->running ? ARRAY_SIZE(fds) : 0);
}

static bool is_pipe(int fd)
{
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode);
}

static void on_attach(struct server *s, struct client *c, struct shim_packet *p)
{
	int *const places[] = { &c->in, &c->out[0], &c->out[1] };
	bool is_first = c->expected;
	size_t next = 0;

	release_start(s, c);
	if (c->attached) {
		refuse(s, c, -EALREADY, "this connection is attached already");
		return;
	}
	if (!is_first && (s->finishing || (!s->running && s->ended.type))) {
		refuse(s, c, -ESRCH, "the container is not running");
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		if (!(p->m.flags & (1u << i)))
			continue;
		/* Whatever else it is may block us, or show us as its opener. */
		if (next >= p->n_fds || !is_pipe(p->fds[next]) ||
		        fcntl(p->fds[next], F_SETFL, O_NONBLOCK) < 0) {
			detach(c);
			refuse(s, c, -EINVAL, "an attachment needs pipes");
			return;
		}
		*places[i] = TAKE_FD(p->fds[next]);
		next++;
	}
	c->attached = true;
	c->owner = p->m.flags & SHIM_ATTACH_OWNER;
	/* What was read before it came is not for it. */
	for (int i = 0; i < 2; i++)
		c->done[i] = s->streams[i].len;
	if (s->input_to < 0)
		c->in = fd_close(c->in);
	answer(s, c, &s->state, NULL, 0);
}

static void on_resize(struct server *s, struct client *c, struct shim_packet *p)
{
	const struct winsize size = { .ws_row = (unsigned short) p->m.a,
		.ws_col = (unsigned short) p->m.b };

	(void) c;
	if (s->shim->settings.terminal && s->input_to >= 0)
		(void) ioctl(s->input_to, TIOCSWINSZ, &size);
}

static void on_detach(struct server *s, struct client *c, struct shim_packet *p)
{
	(void) p;
	detach(c);
	c->owner = false;
	answer(s, c, &s->state, NULL, 0);
}

static void on_wait(struct server *s, struct client *c, struct shim_packet *p)
{
	c->wait_next = p->m.flags & SHIM_WAIT_NEXT;
	c->waiting = true;
	if (!s->running && s->ended.type &&
	        (c->wait_next || !(s->ended.flags & SHIM_EXITED_RESTARTS)) && !s->tell_ended)
		answer(s, c, &s->ended, NULL, 0);
}

static void on_no_restart(struct server *s, struct client *c, struct shim_packet *p)
{
	const struct shim_message m = { .type = LINK_NO_RESTART };

	(void) p;
	(void) shim_send(s->shim->link, &m, NULL, 0);
	answer(s, c, &s->state, NULL, 0);
}

static void on_close_output(struct server *s, struct client *c, struct shim_packet *p)
{
	(void) p;
	if (!c->owner)
		return;
	for (int i = 0; i < 2 && !s->shim->settings.terminal; i++)
		s->streams[i].from = fd_close(s->streams[i].from);
}

void client_message(struct server *s, struct client *c)
{
	static const struct {
		enum shim_type type;
		void (*act)(struct server *s, struct client *c, struct shim_packet *p);
	} acts[] = {
		{ SHIM_INFO, on_info },
		{ SHIM_ATTACH, on_attach },
		{ SHIM_RESIZE, on_resize },
		{ SHIM_DETACH, on_detach },
		{ SHIM_WAIT, on_wait },
		{ SHIM_NO_RESTART, on_no_restart },
		{ SHIM_CLOSE_OUTPUT, on_close_output },
	};
	_shim_packet_done_ struct shim_packet p = SHIM_PACKET_INIT;
	int r = shim_receive(c->sock, &p);

	if (r == -EAGAIN)
		return;
	if (r <= 0) {
		client_close(s, c);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(acts); i++)
		if (acts[i].type == p.m.type) {
			acts[i].act(s, c, &p);
			return;
		}
	refuse(s, c, -EOPNOTSUPP,
	        "this container was started by an older version that does not know this request; restart the container");
}

/* --- the end of a run ------------------------------------------------------------------------- */

void clients_tell_ended(struct server *s)
{
	bool last = !(s->ended.flags & SHIM_EXITED_RESTARTS);

	s->tell_ended = false;
	for (size_t i = 0; i < SHIM_CLIENTS_MAX; i++) {
		struct client *c = &s->clients[i];

		if (c->sock < 0)
			continue;
		if (c->attached || (c->waiting && (last || c->wait_next))) {
			detach(c);
			c->waiting = false;
			answer(s, c, &s->ended, NULL, 0);
		}
	}
}

bool clients_owner_present(const struct server *s)
{
	for (size_t i = 0; i < SHIM_CLIENTS_MAX; i++)
		if (s->clients[i].sock >= 0 && s->clients[i].owner)
			return true;
	return false;
}
