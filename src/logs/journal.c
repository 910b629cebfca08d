/* SPDX-License-Identifier: Apache-2.0 */
/* Messages to the journal. */
#include "logs/writer_internal.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "logs/escape.h"

enum { SHORTEST = 256 }; /* a journal that does not take so little takes nothing */

static struct iovec text_iov(const char *text)
{
	return (struct iovec){ (char *) (uintptr_t) text, strlen(text) };
}

/* Sends one datagram; returns 0 or a negative errno. */
static int send_message(
        struct log_writer *w, enum log_stream stream, const char *text, size_t len, bool partial)
{
	static const char *const priorities[] = { "PRIORITY=6\n", "PRIORITY=3\n" };
	char head[16] = "MESSAGE\n";
	struct iovec iov[6];
	struct msghdr m = { .msg_iov = iov };
	int flags = MSG_NOSIGNAL | (w->stalled ? MSG_DONTWAIT : 0);
	ssize_t sent;

	for (size_t i = 0; i < 8; i++)
		head[8 + i] = (char) (uint8_t) ((uint64_t) len >> (8 * i));
	iov[m.msg_iovlen++] = text_iov(priorities[stream]);
	if (partial)
		iov[m.msg_iovlen++] = text_iov("CONTAINER_PARTIAL_MESSAGE=true\n");
	iov[m.msg_iovlen++] = (struct iovec){ (char *) (uintptr_t) w->config.extra,
		w->config.extra_len };
	/* The length goes first and the bytes follow as they are: no text can be taken for a
	 * field. */
	iov[m.msg_iovlen++] = (struct iovec){ head, sizeof(head) };
	iov[m.msg_iovlen++] = (struct iovec){ (char *) (uintptr_t) text, len };
	iov[m.msg_iovlen++] = text_iov("\n");
	do
		sent = sendmsg(w->journal_fd, &m, flags);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

bool log_journal_line(struct log_writer *w, const struct log_line *line)
{
	const char *text = line->text;
	size_t left = line->len;
	uint64_t raw = line->raw;
	int r;

	do {
		size_t n = left > w->datagram_max ? log_cut_len(text, w->datagram_max) : left;

		r = send_message(w, line->stream, text, n, n < left || !line->newline);
		if (r == -EMSGSIZE && n > SHORTEST) {
			w->datagram_max = (uint32_t) n / 2;
			continue;
		}
		/* Only the first message of a standstill waits (SO_SNDTIMEO). */
		w->stalled = r == -EAGAIN;
		if (r < 0) {
			log_drop(w, LOG_DROP_JOURNAL, raw);
			return false;
		}
		text += n;
		left -= n;
		raw -= MIN(raw, (uint64_t) n);
	} while (left > 0 || r == -EMSGSIZE);
	return true;
}
