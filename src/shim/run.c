/* SPDX-License-Identifier: Apache-2.0 */
/* One run of the container: stdio, the plan, and what is left behind. */
#include "base/fd.h"
#include "cgroup/cgroup.h"
#include "kernel/sys.h"
#include "plan/plan.h"
#include "proc/proc.h"
#include "shim/internal.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

/* The ends that the container gets. */
struct inner {
	int fds[3];
};

static void inner_done(struct inner *in)
{
	for (int i = 0; i < 3; i++)
		in->fds[i] = fd_close(in->fds[i]);
}

void run_done(struct run *r)
{
	r->child.pidfd = fd_close(r->child.pidfd);
	r->child.sync = fd_close(r->child.sync);
	r->child.terminal_fd = fd_close(r->child.terminal_fd);
	for (int i = 0; i < RUN_FDS; i++)
		r->outer[i] = fd_close(r->outer[i]);
}

/* Pipes of our own: nothing that the caller holds is ever the container's. */
static int make_stdio(const struct shim *s, struct run *r, struct inner *in, struct err *err)
{
	for (int i = 0; i < 3; i++) {
		int p[2];

		if (i == 0 && !s->settings.open_stdin) {
			in->fds[0] = open("/dev/null", O_RDWR | O_CLOEXEC);
			if (in->fds[0] < 0)
				return err_errno(err, -errno, "cannot open /dev/null");
			continue;
		}
		if (pipe2(p, O_CLOEXEC) < 0)
			return err_errno(err, -errno, "cannot make a pipe");
		in->fds[i] = p[i == 0 ? 0 : 1];
		r->outer[RUN_STDIN + i] = p[i == 0 ? 1 : 0];
	}
	return 0;
}

/* With a terminal the executor makes it, in the container's own devpts. */
static int take_terminal(struct run *r, struct err *err)
{
	r->outer[RUN_STDOUT] = fd_dup(r->child.terminal_fd);
	if (r->outer[RUN_STDOUT] < 0)
		return err_errno(err, r->outer[RUN_STDOUT], "cannot keep the terminal");
	r->outer[RUN_STDIN] = TAKE_FD(r->child.terminal_fd);
	return 0;
}

/* The network namespace outlives the first process for as long as somebody has it open. */
static int open_netns(struct run *r, struct err *err)
{
	char path[64];

	(void) snprintf(path, sizeof(path), "/proc/%d/ns/net", (int) r->child.pid);
	r->outer[RUN_NETNS] = open(path, O_RDONLY | O_CLOEXEC);
	/* Gone again already: it was a short program. */
	if (r->outer[RUN_NETNS] < 0 && errno != ENOENT && errno != EACCES)
		return err_errno(err, -errno, "cannot keep the container's network");
	return 0;
}

static int apply(struct shim *s, struct run *r, int *ret_exit_code, struct err *err)
{
	_cleanup_(plan_freep) struct plan *plan = NULL;
	_cleanup_(inner_done) struct inner in = { { -EBADF, -EBADF, -EBADF } };
	struct sandbox_io io = { .gate_fd = -EBADF, .result_fd = -EBADF, .die_with_parent = true };
	int k = plan_open(s->plan_fd, &plan, err);

	if (k == 0 && !s->settings.terminal)
		k = make_stdio(s, r, &in, err);
	if (k < 0)
		return k;
	io.stdin_fd = in.fds[0];
	io.stdout_fd = in.fds[1];
	io.stderr_fd = in.fds[2];
	k = sandbox_apply(plan, &io, &r->child, ret_exit_code, err);
	if (k < 0)
		return k;
	if (s->settings.terminal)
		k = take_terminal(r, err);
	if (k == 0)
		k = open_netns(r, err);
	inner_done(&in);
	if (k == 0)
		k = sandbox_wait_exec(&r->child, ret_exit_code, err);
	r->child.sync = fd_close(r->child.sync);
	return k;
}

int run_start(struct shim *s, struct run *ret, int *ret_exit_code, struct err *err)
{
	struct run r = { .child = { .pidfd = -EBADF, .sync = -EBADF, .terminal_fd = -EBADF },
		.outer = { -EBADF, -EBADF, -EBADF, -EBADF, -EBADF, -EBADF } };
	int k;

	*ret_exit_code = 0;
	k = apply(s, &r, ret_exit_code, err);
	if (k < 0) {
		if (r.child.pidfd >= 0) {
			bool oom;

			(void) sys_pidfd_send_signal(r.child.pidfd, SIGKILL);
			(void) proc_wait(r.child.pidfd);
			run_clean(s, &oom);
		}
		run_done(&r);
		*ret_exit_code = *ret_exit_code ? *ret_exit_code : 125;
		return k;
	}
	*ret = r;
	return 0;
}

void run_clean(struct shim *s, bool *ret_oom)
{
	_cleanup_(plan_freep) struct plan *plan = NULL;
	struct err ignored;
	uint64_t kills = 0;

	*ret_oom = false;
	if (plan_open(s->plan_fd, &plan, &ignored) < 0)
		return;
	if (sandbox_oom_kills(plan, &kills) == 0)
		*ret_oom = kills > 0;
	/* Failing: the next command of the engine tries again. */
	(void) sandbox_cleanup(plan, &ignored);
}
