/* SPDX-License-Identifier: Apache-2.0 */
/* Making the child: one clone3, with a process between when namespaces must be joined first. */
#include "base/fd.h"
#include "kernel/sys.h"
#include "sandbox/apply.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* In this order: what the others may need last. */
static const uint64_t joinable[] = { CLONE_NEWNET, CLONE_NEWIPC, CLONE_NEWUTS, CLONE_NEWCGROUP,
	CLONE_NEWTIME, CLONE_NEWPID, CLONE_NEWNS };

static int join_one(const struct apply *a, uint64_t flag, struct err *err)
{
	const struct plan_step *s = NULL;

	if (!(a->joined_namespaces & flag))
		return 0;
	while ((s = plan_next(a->plan, PLAN_NAMESPACE, s)))
		if (s->ns.flag == flag && setns(a->fds[s - a->plan->steps], (int) flag) < 0)
			return err_errno(err, -errno, "cannot join the namespace '%s'", s->ns.path);
	return 0;
}

/* With privileges on the host its user namespace comes last, because the other namespaces may
 * belong to the host; without them it comes first, because it gives the privileges. */
int apply_join_namespaces(const struct apply *a, struct err *err)
{
	bool rootless = plan_find(a->plan, PLAN_CONTAINER)->container.rootless;
	int r = rootless ? join_one(a, CLONE_NEWUSER, err) : 0;

	for (size_t i = 0; i < ARRAY_SIZE(joinable) && r == 0; i++)
		r = join_one(a, joinable[i], err);
	if (r == 0 && !rootless)
		r = join_one(a, CLONE_NEWUSER, err);
	return r;
}

/* The child inherits everything; clone3 gives its pid and pidfd. exit_signal must be 0 with
 * CLONE_PARENT. */
static pid_t clone_child(struct apply *a, uint64_t flags, int *ret_pidfd)
{
	struct clone_args args = {
		.flags = flags | CLONE_PIDFD | CLONE_CLEAR_SIGHAND,
		.pidfd = (uint64_t) (uintptr_t) ret_pidfd,
		.exit_signal = flags & CLONE_PARENT ? 0 : SIGCHLD,
	};

	if (a->cgroup.v2_fd >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t) a->cgroup.v2_fd;
	}
	return sys_clone3(&args, sizeof(args));
}

static int clone_failed(int code, struct err *err)
{
	if (code == -EPERM || code == -ENOSPC || code == -EINVAL)
		return err_errno(err, code,
		        "cannot make the container's namespaces (are user namespaces allowed here? "
		        "see user.max_*_namespaces)");
	return err_errno(err, code, "cannot make the container's first process");
}

/* The process between: joins, clones, tells the pid and is gone. */
static _noreturn_ void between_main(struct apply *a)
{
	struct report report = { .type = REPORT_PID };
	struct err err = { 0 };
	int pidfd = -EBADF, r;
	pid_t pid;

	(void) fd_close(a->sync);
	/* A process that waits in the namespace must not be able to trace us (CVE-2016-9962). */
	(void) prctl(PR_SET_DUMPABLE, 0);
	r = apply_join_namespaces(a, &err);
	if (r < 0) {
		(void) report_error(a->child_sync, PLAN_NAMESPACE, 0, r, &err);
		_exit(1);
	}
	pid = clone_child(a, a->clone_flags | CLONE_PARENT, &pidfd);
	if (pid == 0)
		child_main(a);
	if (pid < 0) {
		r = clone_failed(pid, &err);
		(void) report_error(a->child_sync, PLAN_NAMESPACE, 0, r, &err);
		_exit(1);
	}
	report.pid = pid;
	r = report_send(a->child_sync, &report);
	if (r < 0)
		(void) sys_pidfd_send_signal(pidfd, SIGKILL);
	_exit(0);
}

/* Reads the pid from the process between. The child is ours (CLONE_PARENT) and not yet waited for,
 * so its number cannot have changed hands. */
static int clone_between(struct apply *a, struct err *err)
{
	struct report report = { 0 };
	struct clone_args args = { .flags = CLONE_CLEAR_SIGHAND, .exit_signal = SIGCHLD };
	pid_t between = sys_clone3(&args, sizeof(args));
	int r;

	if (between == 0)
		between_main(a);
	if (between < 0)
		return err_errno(err, between, "cannot make a process that joins namespaces");
	a->child_sync = fd_close(a->child_sync);
	r = report_receive(a->sync, &report, NULL);
	while (waitpid(between, NULL, 0) < 0 && errno == EINTR)
		;
	if (r == 1 && report.type == REPORT_ERROR)
		return report_to_err(&report, NULL, err);
	if (r != 1 || report.type != REPORT_PID || report.pid <= 0)
		return err_set(err, -EIO, "the process that joins namespaces ended unexpectedly");
	a->pid = report.pid;
	a->pidfd = sys_pidfd_open(a->pid);
	return a->pidfd < 0 ? err_errno(err, a->pidfd, "cannot watch the container's process") : 0;
}

static int clone_direct(struct apply *a, struct err *err)
{
	pid_t pid = clone_child(a, a->clone_flags, &a->pidfd);

	if (pid == 0) {
		(void) fd_close(a->sync);
		child_main(a);
	}
	if (pid < 0) {
		a->pidfd = -EBADF;
		return clone_failed(pid, err);
	}
	a->pid = pid;
	a->child_sync = fd_close(a->child_sync);
	return 0;
}

/* --- time --- */

/* A time namespace is given to later children only, and its offsets must be written before the
 * first of them exists: the supervisor unshares, writes, clones, and goes back. */
static int enter_time(const struct apply *a, int *ret_own, struct err *err)
{
	_close_ int own = open("/proc/self/ns/time", O_RDONLY | O_CLOEXEC);
	const struct plan_step *s = NULL;
	char text[256];
	size_t len = 0;

	if (own < 0)
		return err_errno(err, -errno, "this kernel has no time namespaces");
	while ((s = plan_next(a->plan, PLAN_TIME_OFFSET, s))) {
		int n = snprintf(text + len, sizeof(text) - len, "%s %lld %u\n",
		        s->time_offset.clock, (long long) s->time_offset.secs,
		        s->time_offset.nanosecs);

		if (n < 0 || (size_t) n >= sizeof(text) - len)
			return err_set(err, -EINVAL, "too many time offsets");
		len += (size_t) n;
	}
	if (unshare(CLONE_NEWTIME) < 0)
		return err_errno(err, -errno, "cannot make a time namespace");
	*ret_own = TAKE_FD(own);
	if (len > 0) {
		int r = fd_write_file(AT_FDCWD, "/proc/self/timens_offsets", text);

		if (r < 0)
			return err_errno(err, r, "cannot set the offsets of the time namespace");
	}
	return 0;
}

int apply_clone(struct apply *a, struct err *err)
{
	const struct plan_step *join = plan_find(a->plan, PLAN_CGROUP_JOIN);
	uint64_t joined = a->joined_namespaces;
	_close_ int own_time = -EBADF;
	int r = 0;

	a->between = (joined & (CLONE_NEWUSER | CLONE_NEWPID)) ||
	             (joined && (a->new_namespaces & CLONE_NEWUSER));
	a->clone_flags = a->new_namespaces & ~(uint64_t) CLONE_NEWTIME;
	if (join && join->cgroup_join.new_namespace)
		a->clone_flags &= ~(uint64_t) CLONE_NEWCGROUP;
	if (a->new_namespaces & CLONE_NEWTIME)
		r = enter_time(a, &own_time, err);
	if (r == 0)
		r = a->between ? clone_between(a, err) : clone_direct(a, err);
	if (own_time >= 0 && setns(own_time, CLONE_NEWTIME) < 0 && r == 0)
		r = err_errno(err, -errno, "cannot return from the container's time namespace");
	return r;
}
