/* SPDX-License-Identifier: Apache-2.0 */
/* The child's file descriptors: 0, 1, 2, the kept ones, and nothing else. */
#include "base/fd.h"
#include "kernel/sys.h"
#include "sandbox/child.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* A terminal takes the place of all three. */
static int source_of(const struct child *c, int target)
{
	const struct sandbox_io *io = c->a->io;
	const int standard[] = { io->stdin_fd, io->stdout_fd, io->stderr_fd };

	if (target >= 3)
		return io->keep_fds[target - 3];
	return c->terminal >= 0 ? c->terminal : standard[target];
}

/* Moves an fd that the caller gave out of the way of the targets. */
static int move_up(int *fd, int end)
{
	if (*fd < 0 || *fd >= end)
		return 0;
	*fd = fcntl(*fd, F_DUPFD_CLOEXEC, end);
	return *fd < 0 ? -errno : 0;
}

/* Two passes, because a source may be another's target: first everything that is elsewhere goes
 * above the targets, then down to its place. */
static int place(const struct child *c, int end)
{
	_free_ int *high = xnew_n(int, (size_t) end);

	for (int i = 0; i < end; i++) {
		int from = source_of(c, i);

		high[i] = from == i || from < 0 ? from : fcntl(from, F_DUPFD_CLOEXEC, end);
		if (high[i] < 0 && (from >= 0 || i < 3))
			return -errno;
	}
	for (int i = 0; i < end; i++) {
		int r = high[i] < 0    ? sys_close_range((unsigned int) i, (unsigned int) i, 0)
		        : high[i] == i ? fcntl(i, F_SETFD, 0)
		                       : dup2(high[i], i);

		if (r < 0)
			return -errno;
	}
	return 0;
}

/* Closes everything from 'first' on but these (unused: negative). */
static int close_others(int first, const int *keep, size_t n)
{
	int r = 0;

	while (r == 0) {
		int next = -1;

		for (size_t i = 0; i < n; i++)
			if (keep[i] >= first && (next < 0 || keep[i] < next))
				next = keep[i];
		if (next < 0)
			return sys_close_range((unsigned int) first, ~0U, 0);
		if (next > first)
			r = sys_close_range((unsigned int) first, (unsigned int) next - 1, 0);
		first = next + 1;
	}
	return r;
}

/* A pipe can be opened again by /dev/stderr only by its owner. In a user namespace the parent gave
 * it to the namespace's root before. Failing is no error: writing to it works all the same. */
static void give_pipes(uid_t uid)
{
	for (int fd = 0; fd < 3 && uid != 0; fd++)
		if (apply_is_pipe(fd) && fchown(fd, uid, (gid_t) -1) < 0)
			continue;
}

/* The terminal belongs to the user; its group and mode are the devpts's own (tty, 0620). */
static int take_terminal(struct child *c, uid_t uid)
{
	c->terminal = -EBADF; /* it is 0, 1 and 2 now */
	c->has_terminal = true;
	if (uid != 0 && fchown(0, uid, (gid_t) -1) < 0)
		return err_errno(&c->err, -errno,
		        "cannot give the terminal to user %u (is it mapped in the user namespace?)",
		        uid);
	/* The process that will be seen leads a session of its own. */
	return c->a->target >= 0 ? 0 : child_control_terminal(c);
}

int child_take_stdio(struct child *c, uid_t uid)
{
	int end = 3 + (int) c->a->io->n_keep_fds;
	int r = move_up(&c->gate, end);

	if (r == 0)
		r = move_up(&c->sync, end);
	if (r == 0)
		r = move_up(&c->ruleset, end);
	if (r == 0)
		r = move_up(&c->result, end);
	if (r == 0)
		r = place(c, end);
	if (r == 0) {
		const int ours[] = { c->sync, c->gate, c->result, c->ruleset };

		r = close_others(end, ours, ARRAY_SIZE(ours));
	}
	if (r < 0)
		return err_errno(&c->err, r, "cannot arrange the container's file descriptors");
	c->a->root = c->proc = -EBADF;
	c->has_stdio = true;
	if (c->terminal >= 0)
		return take_terminal(c, uid);
	give_pipes(uid);
	return 0;
}
