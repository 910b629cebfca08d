/* SPDX-License-Identifier: Apache-2.0 */
/* The supervisor's side: opens, makes the child, waits for its report, undoes what failed. */
#include "sandbox/apply.h"

#include "base/fd.h"
#include "kernel/sys.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

void apply_init(struct apply *a, const struct plan *plan, const struct sandbox_io *io, int target)
{
	*a = (struct apply){
		.plan = plan,
		.io = io,
		.fds = xnew_n(int, plan->n_steps),
		.root = -EBADF,
		.overlay_base = -EBADF,
		.null_tree = -EBADF,
		.host_proc = -EBADF,
		.sync = -EBADF,
		.child_sync = -EBADF,
		.cgroup = CGROUP_HANDLE_INIT,
		.target = target,
		.pidfd = -EBADF,
		.terminal = -EBADF,
	};
	for (size_t i = 0; i < plan->n_steps; i++)
		a->fds[i] = -EBADF;
}

void apply_done(struct apply *a)
{
	for (size_t i = 0; i < a->plan->n_steps; i++)
		(void) fd_close(a->fds[i]);
	free(a->fds);
	for (size_t i = 0; i < a->n_cgroup_trees; i++)
		(void) fd_close(a->cgroup_trees[i]);
	free(a->cgroup_trees);
	(void) fd_close(a->root);
	(void) fd_close(a->overlay_base);
	(void) fd_close(a->null_tree);
	(void) fd_close(a->host_proc);
	(void) fd_close(a->sync);
	(void) fd_close(a->child_sync);
	(void) fd_close(a->pidfd);
	(void) fd_close(a->terminal);
	cgroup_handle_done(&a->cgroup);
	cgroup_facts_done(&a->cgroup_facts);
}

/* Nobody has waited for it yet, so the number is still its own. */
void apply_reap(pid_t pid, bool kill_first)
{
	if (pid <= 0)
		return;
	if (kill_first)
		(void) kill(pid, SIGKILL);
	while (waitpid(pid, NULL, __WALL) < 0 && errno == EINTR)
		;
}

/* Kills the child and everything it made, and removes the groups. */
static void apply_undo(struct apply *a)
{
	apply_reap(a->pid, true);
	apply_cgroup_undo(a);
}

/*
 * The child puts stdio and the kept fds at 0 up to 2 + n. Numbers in that range which are free now
 * would be given to our own descriptors and then be overwritten: they are filled first. Returns the
 * fillers in fill.
 */
int apply_reserve_numbers(const struct sandbox_io *io, int *fill, struct err *err)
{
	int end = 3 + (int) io->n_keep_fds;

	for (int fd = 0; fd < end; fd++)
		fill[fd] = -EBADF;
	for (int fd = 0; fd < end; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		/* Something that leads nowhere, and the lowest free number is this one. */
		fill[fd] = eventfd(0, EFD_CLOEXEC);
		if (fill[fd] < 0)
			return err_errno(err, -errno, "cannot reserve file descriptor %d", fd);
	}
	return 0;
}

void apply_release_numbers(const struct sandbox_io *io, const int *fill)
{
	for (size_t i = 0; i < 3 + io->n_keep_fds; i++)
		(void) fd_close(fill[i]);
}

int apply_make_sync(struct apply *a, struct err *err)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_errno(err, -errno, "cannot make a socket pair");
	a->sync = pair[0];
	a->child_sync = pair[1];
	return 0;
}

/* True when the parent has something to do before the child may go on. With joined namespaces the
 * process between tells the pid first: the child's own report must not come before it. */
static bool needs_barrier(const struct apply *a)
{
	return (a->new_namespaces & CLONE_NEWUSER) || a->joined_namespaces ||
	       plan_find(a->plan, PLAN_OOM_SCORE) || apply_raises_limits(a);
}

/* What came must be what the plan asked for, once, and a pty. */
static bool accept_terminal(struct apply *a, int *fd)
{
	if (!plan_find(a->plan, PLAN_TERMINAL) || a->terminal >= 0 || *fd < 0 ||
	        !mount_is_terminal_master(*fd))
		return false;
	a->terminal = TAKE_FD(*fd);
	return true;
}

int apply_wait_ready(struct apply *a, int *ret_exit_code, struct err *err)
{
	for (;;) {
		_close_ int passed = -EBADF;
		struct report report;
		int r = report_receive(a->sync, &report, &passed);

		if (r < 0)
			return err_errno(
			        err, r, "cannot read the report of the container's process");
		if (r == 0)
			return err_set(err, -EIO,
			        "the container's process was killed while it was set up");
		if (report.type == REPORT_ERROR)
			return report_to_err(&report, ret_exit_code, err);
		if (report.type == REPORT_TERMINAL && accept_terminal(a, &passed))
			continue;
		if (report.type == REPORT_READY &&
		        (a->terminal >= 0 || !plan_find(a->plan, PLAN_TERMINAL)))
			return 0;
		return err_set(err, -EBADMSG, "the container's process sent a false report");
	}
}

static int apply_steps(struct apply *a, int *ret_exit_code, struct err *err)
{
	int r = apply_open(a, err);

	if (r == 0)
		r = apply_cgroup(a, err);
	if (r == 0)
		r = apply_cgroup_view(a, err);
	if (r == 0)
		r = apply_make_sync(a, err);
	if (r < 0)
		return r;
	if (plan_find(a->plan, PLAN_TERMINAL))
		a->host_devpts = mount_host_devpts();
	a->barrier = needs_barrier(a);
	r = apply_clone(a, err);
	if (r == 0)
		r = apply_parent(a, err);
	if (r == 0)
		r = apply_wait_ready(a, ret_exit_code, err);
	return r;
}

int sandbox_apply(const struct plan *plan, const struct sandbox_io *io, struct sandbox_child *ret,
        int *ret_exit_code, struct err *err)
{
	_free_ int *fill = xnew_n(int, 3 + io->n_keep_fds);
	struct apply a;
	int r;

	if (ret_exit_code)
		*ret_exit_code = 0;
	if (plan_find(plan, PLAN_ENTER))
		return err_set(err, -EINVAL,
		        "this plan is for a process in a container that runs: it makes none");
	apply_init(&a, plan, io, -EBADF);
	r = apply_reserve_numbers(io, fill, err);
	if (r == 0)
		r = apply_steps(&a, ret_exit_code, err);
	if (r < 0)
		apply_undo(&a);
	else
		*ret = (struct sandbox_child){
			.pid = a.pid,
			.pidfd = TAKE_FD(a.pidfd),
			.sync = TAKE_FD(a.sync),
			.terminal_fd = TAKE_FD(a.terminal),
		};
	apply_release_numbers(io, fill);
	apply_done(&a);
	return r;
}

void sandbox_child_done(struct sandbox_child *child)
{
	child->pidfd = fd_close(child->pidfd);
	child->sync = fd_close(child->sync);
	child->terminal_fd = fd_close(child->terminal_fd);
}

int sandbox_wait_exec(struct sandbox_child *child, int *ret_exit_code, struct err *err)
{
	struct report report;
	int r = report_receive(child->sync, &report, NULL);

	if (ret_exit_code)
		*ret_exit_code = 0;
	if (r < 0)
		return err_errno(err, r, "cannot read the report of the container's process");
	return r == 0 ? 0 : report_to_err(&report, ret_exit_code, err);
}
