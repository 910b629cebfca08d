/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/attach.h"

#include "base/fd.h"
#include "engine/events.h"
#include "kernel/sys.h"
#include "proc/proc.h"
#include "shim/client.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#define DEFAULT_KEYS "ctrl-p,ctrl-q"

enum { PIPE_SIZE = 256 << 10 };

void attach_done(struct attach *a)
{
	for (int i = 0; i < 3; i++)
		a->inner[i] = fd_close(a->inner[i]);
	console_done(&a->console);
	a->sock = fd_close(a->sock);
	a->pidfd = fd_close(a->pidfd);
}

static int make_pipe(int *ret_read, int *ret_write, struct err *err)
{
	int p[2];

	if (pipe2(p, O_CLOEXEC) < 0)
		return err_errno(err, -errno, "cannot make a pipe");
	/* More at once; where the user's pipes are used up a small one does. */
	(void) fcntl(p[1], F_SETPIPE_SZ, PIPE_SIZE);
	*ret_read = p[0];
	*ret_write = p[1];
	return 0;
}

int attach_open(struct attach *a, struct err *err)
{
	int r = console_parse_keys(
	        a->detach_keys ? a->detach_keys : DEFAULT_KEYS, &a->console, err);

	if (r == 0 && a->in)
		r = make_pipe(&a->inner[0], &a->console.to_stdin, err);
	if (r == 0 && a->out)
		r = make_pipe(&a->console.from[0], &a->inner[1], err);
	if (r == 0 && a->err && !a->terminal)
		r = make_pipe(&a->console.from[1], &a->inner[2], err);
	a->console.terminal = a->terminal;
	a->console.read_stdin = a->in;
	return r;
}

static unsigned int attach_flags(const struct attach *a)
{
	static const unsigned int flags[] = { SHIM_ATTACH_STDIN, SHIM_ATTACH_STDOUT,
		SHIM_ATTACH_STDERR };
	unsigned int all = 0;

	for (int i = 0; i < 3; i++)
		all |= a->inner[i] >= 0 ? flags[i] : 0;
	return all;
}

void attach_fill(struct attach *a, struct life_start *how)
{
	how->attach = attach_flags(a);
	how->owner = a->owner;
	how->stdin_fd = a->inner[0];
	how->stdout_fd = a->inner[1];
	how->stderr_fd = a->inner[2];
	if (a->terminal)
		(void) console_size(&how->rows, &how->cols);
}

int attach_connect(struct attach *a, struct engine *e, struct container *c, struct err *err)
{
	const struct shim_message m = { .type = SHIM_ATTACH, .flags = attach_flags(a) };
	_shim_packet_done_ struct shim_packet p = SHIM_PACKET_INIT;
	int fds[3], n = 0, r = life_connect(e, c, &a->sock, err);

	for (int i = 0; i < 3; i++)
		if (a->inner[i] >= 0)
			fds[n++] = a->inner[i];
	if (r == 0)
		r = shim_send(a->sock, &m, fds, (size_t) n);
	if (r == 0)
		r = shim_receive(a->sock, &p);
	if (r == 1 && p.m.type == SHIM_REFUSED)
		return err_set(err, p.m.a < 0 ? p.m.a : -EIO, "%s", p.m.text);
	if (r == 1) {
		events_container(e, c, "attach", NULL, 0);
		return 0;
	}
	return r == -ESRCH
	               ? r
	               : err_errno(err, r < 0 ? r : -ECONNRESET, "cannot attach to the container");
}

/* --- what the loop asks ----------------------------------------------------------------------- */

static int on_end(void *data, int *ret_code)
{
	_shim_packet_done_ struct shim_packet p = SHIM_PACKET_INIT;
	struct attach *a = data;
	struct err ignored;
	int r = shim_receive(a->sock, &p);

	if (r == 1 && p.m.type != SHIM_EXITED)
		return 0; /* the answer to the attachment */
	if (r == 1) {
		*ret_code = p.m.a;
		return 1;
	}
	/* The shim is gone without a word. */
	*ret_code = container_look(a->engine, a->container, &ignored) == 0
	                    ? a->container->record.exit_code
	                    : CONTAINER_CODE_LOST;
	return 1;
}

static void on_signal(void *data, int signal)
{
	struct attach *a = data;

	if (a->pidfd >= 0)
		(void) sys_pidfd_send_signal(a->pidfd, signal); /* it may be gone */
}

static void on_resize(void *data, unsigned short rows, unsigned short cols)
{
	const struct shim_message m = { .type = SHIM_RESIZE, .a = rows, .b = cols };
	struct attach *a = data;

	(void) shim_send(a->sock, &m, NULL, 0);
}

/* A foreground container that is removed with its command behaves as a program in a pipeline: it
 * learns that nobody reads. One that lives on does not notice. */
static bool on_broken(void *data, int stream)
{
	const struct shim_message m = { .type = SHIM_CLOSE_OUTPUT };
	struct attach *a = data;

	(void) stream;
	if (!a->owner)
		return true;
	(void) shim_send(a->sock, &m, NULL, 0);
	return false;
}

static void detach(struct attach *a)
{
	const struct shim_message m = { .type = SHIM_DETACH };
	_shim_packet_done_ struct shim_packet p = SHIM_PACKET_INIT;
	struct err ignored;

	(void) shim_request(a->sock, &m, &p, &ignored);
}

int attach_serve(struct attach *a, struct engine *e, struct container *c, int sock_taken,
        int *ret_code, struct err *err)
{
	struct err ignored;
	int r;

	for (int i = 0; i < 3; i++)
		a->inner[i] = fd_close(a->inner[i]);
	if (sock_taken >= 0)
		a->sock = sock_taken;
	a->engine = e;
	a->container = c;
	a->console.end_fd = a->sock;
	a->console.data = a;
	a->console.on_end = on_end;
	a->console.on_resize = on_resize;
	a->console.on_broken = on_broken;
	if (a->sig_proxy && !a->terminal) {
		_close_ int sock = -EBADF;

		a->console.on_signal = on_signal;
		/* One that has ended already has nobody to be signalled. */
		if (life_connect(e, c, &sock, &ignored) == 0)
			(void) shim_info(sock, &a->pidfd, NULL, NULL, &ignored);
	}
	r = console_run(&a->console, ret_code, err);
	if (r == CONSOLE_DETACHED || r == CONSOLE_BROKEN)
		detach(a);
	return r;
}
