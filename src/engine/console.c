/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/console.h"

#include "base/fd.h"
#include "base/str.h"
#include "proc/proc.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

enum {
	INPUT_SIZE = 16 << 10,
	OUTPUT_SIZE = 64 << 10,
	/* A blocking descriptor of ours that polls writable takes at least so much at once. */
	WRITE_AT_ONCE = PIPE_BUF,
	SPLICE_AT_ONCE = 1 << 20,
};

/* One way from the container to us. */
struct flow {
	int to; /* our 1 or 2 */
	bool can_splice;
	bool waits; /* something has to be written and 'to' was full */
	size_t start, end;
	char *data;
};

struct loop {
	struct console *c;
	struct flow flows[2];
	char input[INPUT_SIZE + CONSOLE_KEYS_MAX];
	size_t input_start, input_end;
	size_t matched; /* detach keys that were typed so far */
	bool input_over, ended, detached, broken;
	int code;
	int signals;
	bool raw;
	struct termios saved;
};

void console_done(struct console *c)
{
	c->to_stdin = fd_close(c->to_stdin);
	for (int i = 0; i < 2; i++)
		c->from[i] = fd_close(c->from[i]);
}

/* --- keys ------------------------------------------------------------------------------------- */

/* One key: a character, or "ctrl-" and one of a-z @ [ \ ] ^ _. -EINVAL. */
static int parse_key(const char *text, unsigned char *ret)
{
	static const char controls[] = "@abcdefghijklmnopqrstuvwxyz[\\]^_";
	const char *found;

	if (strlen(text) == 1) {
		*ret = (unsigned char) *text;
		return 0;
	}
	if (!str_has_prefix(text, "ctrl-") || strlen(text) != strlen("ctrl-x"))
		return -EINVAL;
	found = strchr(controls, text[5]);
	if (!found)
		return -EINVAL;
	*ret = (unsigned char) (found - controls);
	return 0;
}

int console_parse_keys(const char *text, struct console *c, struct err *err)
{
	_free_ char *copy = xstrdup(text);
	char *rest = copy;

	c->n_keys = 0;
	if (!*text)
		return 0;
	for (char *key; (key = strsep(&rest, ","));) {
		if (c->n_keys == CONSOLE_KEYS_MAX || parse_key(key, &c->keys[c->n_keys]) < 0) {
			_free_ char *shown = str_escaped(text);

			return err_set(err, -EINVAL,
			        "Invalid escape keys (%s) provided: use letters or ctrl- and one of a-z, @, ^, [, backslash, ], _, with commas between",
			        shown);
		}
		c->n_keys++;
	}
	return 0;
}

/* Puts one byte into the input; there is room (INPUT_SIZE + CONSOLE_KEYS_MAX). */
static void put(struct loop *l, unsigned char byte)
{
	l->input[l->input_end++] = (char) byte;
}

/* Moves what was typed into the input. Keys of the sequence are held back until it is certain
 * that they are none of it; those of a whole sequence never arrive. */
static void take_typed(struct loop *l, const char *typed, size_t n)
{
	const struct console *c = l->c;

	for (size_t i = 0; i < n && !l->detached; i++) {
		unsigned char byte = (unsigned char) typed[i];

		if (!c->terminal || c->n_keys == 0) {
			put(l, byte);
			continue;
		}
		if (byte != c->keys[l->matched]) {
			for (size_t k = 0; k < l->matched; k++)
				put(l, c->keys[k]);
			l->matched = 0;
		}
		if (byte == c->keys[l->matched])
			l->detached = ++l->matched == c->n_keys;
		else
			put(l, byte);
	}
}

/* --- terminal --------------------------------------------------------------------------------- */

bool console_size(unsigned short *ret_rows, unsigned short *ret_cols)
{
	struct winsize size;

	for (int fd = 0; fd < 3; fd++)
		if (ioctl(fd, TIOCGWINSZ, &size) == 0) {
			*ret_rows = size.ws_row;
			*ret_cols = size.ws_col;
			return true;
		}
	return false;
}

static void tell_size(const struct console *c)
{
	unsigned short rows, cols;

	if (c->terminal && c->on_resize && console_size(&rows, &cols))
		c->on_resize(c->data, rows, cols);
}

static void make_raw(struct loop *l)
{
	struct termios raw;

	if (!l->c->terminal || !l->c->read_stdin || tcgetattr(0, &l->saved) < 0)
		return;
	raw = l->saved;
	cfmakeraw(&raw);
	l->raw = tcsetattr(0, TCSANOW, &raw) == 0;
}

static void restore(struct loop *l)
{
	if (l->raw)
		(void) tcsetattr(0, TCSANOW, &l->saved); /* it may be gone: ignoring */
	l->raw = false;
}

/* --- output ----------------------------------------------------------------------------------- */

static void end_flow(struct loop *l, int i)
{
	l->c->from[i] = fd_close(l->c->from[i]);
	l->flows[i].waits = false;
	l->flows[i].start = l->flows[i].end = 0;
}

static void break_flow(struct loop *l, int i)
{
	end_flow(l, i);
	if (l->c->on_broken && l->c->on_broken(l->c->data, i))
		l->broken = true;
}

/* True when splice did the work, or found that there is nothing to do now. */
static bool splice_flow(struct loop *l, int i)
{
	struct flow *f = &l->flows[i];
	ssize_t n;

	if (!f->can_splice)
		return false;
	n = splice(l->c->from[i], NULL, f->to, NULL, SPLICE_AT_ONCE,
	        SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
	if (n > 0)
		f->waits = false;
	else if (n == 0)
		end_flow(l, i);
	else if (errno == EAGAIN)
		f->waits = true; /* there was something to read: 'to' is full */
	else if (errno == EPIPE)
		break_flow(l, i);
	else if (errno == EINVAL)
		f->can_splice = false;
	return f->can_splice;
}

static void write_flow(struct loop *l, int i)
{
	struct flow *f = &l->flows[i];
	ssize_t n = write(
	        f->to, f->data + f->start, MIN(f->end - f->start, (size_t) WRITE_AT_ONCE));

	if (n > 0)
		f->start += (size_t) n;
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		break_flow(l, i);
	f->waits = f->start < f->end;
}

static void read_flow(struct loop *l, int i)
{
	struct flow *f = &l->flows[i];
	ssize_t n;

	if (splice_flow(l, i))
		return;
	if (!f->data)
		f->data = xmalloc(OUTPUT_SIZE);
	n = read(l->c->from[i], f->data, OUTPUT_SIZE);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	/* The master of a terminal that nobody has open any more gives EIO. */
	if (n <= 0) {
		end_flow(l, i);
		return;
	}
	f->start = 0;
	f->end = (size_t) n;
	f->waits = true;
}

/* --- input ------------------------------------------------------------------------------------ */

static void write_input(struct loop *l)
{
	ssize_t n = write(l->c->to_stdin, l->input + l->input_start, l->input_end - l->input_start);

	if (n > 0)
		l->input_start += (size_t) n;
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		l->c->to_stdin = fd_close(l->c->to_stdin);
	if (l->input_start == l->input_end || l->c->to_stdin < 0)
		l->input_start = l->input_end = 0;
	if (l->input_over && l->input_end == 0 && !l->c->keep_stdin && !l->c->terminal)
		l->c->to_stdin = fd_close(l->c->to_stdin);
}

static void read_input(struct loop *l)
{
	char typed[INPUT_SIZE];
	ssize_t n = read(0, typed, sizeof(typed));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		l->input_over = true;
		if (!l->c->keep_stdin && !l->c->terminal)
			l->c->to_stdin = fd_close(l->c->to_stdin);
		return;
	}
	l->input_start = l->input_end = 0;
	take_typed(l, typed, (size_t) n);
	if (!l->detached && l->input_end > 0)
		write_input(l);
}

static void read_signals(struct loop *l)
{
	struct signalfd_siginfo si;

	while (read(l->signals, &si, sizeof(si)) == (ssize_t) sizeof(si)) {
		int signal = (int) si.ssi_signo;

		if (signal == SIGWINCH && l->c->terminal)
			tell_size(l->c);
		else if (l->c->on_signal)
			l->c->on_signal(l->c->data, signal);
		else if (l->ended)
			l->broken = true; /* only output is left: the user does not want it */
	}
}

/* --- the loop --------------------------------------------------------------------------------- */

enum { POLL_SIGNALS, POLL_END, POLL_INPUT, POLL_FLOW0, POLL_FLOW1, POLLS };

static void fill(const struct loop *l, struct pollfd *polls)
{
	const struct console *c = l->c;
	bool input = c->to_stdin >= 0;

	polls[POLL_SIGNALS] = (struct pollfd){ .fd = l->signals, .events = POLLIN };
	polls[POLL_END] = (struct pollfd){ .fd = l->ended ? -1 : c->end_fd, .events = POLLIN };
	polls[POLL_INPUT] = (struct pollfd){ .fd = -1 };
	if (input && l->input_end > 0)
		polls[POLL_INPUT] = (struct pollfd){ .fd = c->to_stdin, .events = POLLOUT };
	else if (input && c->read_stdin && !l->input_over)
		polls[POLL_INPUT] = (struct pollfd){ .fd = 0, .events = POLLIN };
	for (int i = 0; i < 2; i++) {
		const struct flow *f = &l->flows[i];

		polls[POLL_FLOW0 + i] = (struct pollfd){
			.fd = c->from[i] < 0 ? -1
			      : f->waits     ? f->to
			                     : c->from[i],
			.events = f->waits ? POLLOUT : POLLIN,
		};
	}
}

static int step(struct loop *l, const struct pollfd *polls)
{
	if (polls[POLL_INPUT].revents) {
		if (l->input_end > 0)
			write_input(l);
		else
			read_input(l);
	}
	for (int i = 0; i < 2; i++) {
		if (!polls[POLL_FLOW0 + i].revents || l->c->from[i] < 0)
			continue;
		if (l->flows[i].end > l->flows[i].start)
			write_flow(l, i);
		else
			read_flow(l, i);
	}
	if (polls[POLL_SIGNALS].revents)
		read_signals(l);
	if (polls[POLL_END].revents) {
		int r = l->c->on_end(l->c->data, &l->code);

		if (r < 0)
			return r;
		l->ended = r > 0;
	}
	return 0;
}

static int run_loop(struct loop *l)
{
	for (;;) {
		struct pollfd polls[POLLS];
		int r;

		if (l->detached || l->broken)
			return 0;
		if (l->ended && l->c->from[0] < 0 && l->c->from[1] < 0)
			return 0;
		fill(l, polls);
		/* After the end of an exec a grandchild may keep the pipes open: what is in them is
		 * taken, and not waited for. */
		r = poll(polls, POLLS, l->ended && l->c->leave_at_end ? 0 : -1);
		if (r < 0 && errno != EINTR)
			return -errno;
		if (r == 0)
			return 0;
		r = r < 0 ? 0 : step(l, polls);
		if (r < 0)
			return r;
	}
}

int console_run(struct console *c, int *ret_code, struct err *err)
{
	struct loop *l = xnew(struct loop);
	int r;

	l->c = c;
	l->signals = -EBADF;
	for (int i = 0; i < 2; i++)
		l->flows[i] = (struct flow){ .to = i + 1, .can_splice = !c->terminal };
	if (c->to_stdin >= 0)
		(void) fcntl(c->to_stdin, F_SETFL, O_NONBLOCK); /* an outer end of our own */
	r = proc_signal_fd(&l->signals);
	if (r == 0) {
		make_raw(l);
		tell_size(c);
		r = run_loop(l);
		restore(l);
	}
	if (r == 0) {
		r = l->detached ? CONSOLE_DETACHED : l->broken ? CONSOLE_BROKEN : CONSOLE_ENDED;
		*ret_code = l->code;
	} else {
		(void) err_errno(err, r, "cannot wait for the container");
	}
	(void) fd_close(l->signals);
	for (int i = 0; i < 2; i++)
		free(l->flows[i].data);
	free(l);
	return r;
}
