/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/message.h"

#include "base/fd.h"

#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

/* What even the shortest message of the future has: magic, protocol, type. */
enum { HEADER_SIZE = offsetof(struct shim_message, flags), LONGEST = 4096 };

void shim_packet_done(struct shim_packet *p)
{
	for (size_t i = 0; i < SHIM_FDS_MAX; i++)
		p->fds[i] = fd_close(p->fds[i]);
	p->n_fds = 0;
}

int shim_send(int sock, const struct shim_message *m, const int *fds, size_t n_fds)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int) * SHIM_FDS_MAX)];
	} control = { 0 };
	struct shim_message out = *m;
	struct iovec iov = { .iov_base = &out, .iov_len = sizeof(out) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	if (n_fds > SHIM_FDS_MAX)
		return -EINVAL;
	out.magic = SHIM_MAGIC;
	out.protocol = SHIM_PROTOCOL;
	if (n_fds > 0) {
		struct cmsghdr *c;

		msg.msg_control = control.space;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * n_fds);
	}
	do
		n = sendmsg(sock, &msg, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

/* Keeps the first ones, closes what is too many. */
static void take_fds(struct msghdr *msg, struct shim_packet *p)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		size_t n;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			if (p->n_fds < SHIM_FDS_MAX)
				p->fds[p->n_fds++] = fd;
			else
				(void) fd_close(fd);
		}
	}
}

static void clean_text(char *text)
{
	text[SHIM_TEXT_MAX - 1] = '\0';
	for (; *text; text++)
		if (*text < 0x20 || *text > 0x7e)
			*text = '?';
}

int shim_receive(int sock, struct shim_packet *ret)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int) * SHIM_FDS_MAX * 2)];
	} control;
	char bytes[LONGEST];
	struct shim_packet p = SHIM_PACKET_INIT;
	struct iovec iov = { .iov_base = bytes, .iov_len = sizeof(bytes) };
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space) };
	ssize_t n;

	do
		n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (n == 0)
		return 0;
	take_fds(&msg, &p);
	if (n >= (ssize_t) HEADER_SIZE)
		memcpy(&p.m, bytes, MIN((size_t) n, sizeof(p.m)));
	if (n < (ssize_t) HEADER_SIZE || p.m.magic != SHIM_MAGIC || (msg.msg_flags & MSG_TRUNC)) {
		shim_packet_done(&p);
		return -EBADMSG;
	}
	clean_text(p.m.text);
	*ret = p;
	return 1;
}

void shim_send_last(int sock, const struct shim_message *m)
{
	struct shim_packet p = SHIM_PACKET_INIT;
	int r;

	(void) shutdown(sock, SHUT_RD);
	(void) fcntl(sock, F_SETFL, O_NONBLOCK);
	do {
		r = shim_receive(sock, &p);
		shim_packet_done(&p);
	} while (r == 1 || r == -EBADMSG);
	(void) shim_send(sock, m, NULL, 0); /* nobody there: nobody to tell */
}
