/* SPDX-License-Identifier: Apache-2.0 */
/* The supervisor's side of entering a container. */
#include "base/fd.h"
#include "base/str.h"
#include "kernel/sys.h"
#include "sandbox/apply.h"

#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

enum { END_WAIT_MS = 1000 };

static const uint32_t joinable = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET |
                                 CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP | CLONE_NEWTIME;

/* The steps of one more process. Whatever would change the container is not among them. */
static const bool has_place[PLAN_KIND_COUNT] = {
	[PLAN_CONTAINER] = true,
	[PLAN_ENTER] = true,
	[PLAN_CGROUP] = true,
	[PLAN_OOM_SCORE] = true,
	[PLAN_CGROUP_JOIN] = true,
	[PLAN_BECOME_ROOT] = true,
	[PLAN_KEYRING] = true,
	[PLAN_TERMINAL] = true,
	[PLAN_LANDLOCK] = true,
	[PLAN_LANDLOCK_RULE] = true,
	[PLAN_SECCOMP_EARLY] = true,
	[PLAN_USER] = true,
	[PLAN_CAPS] = true,
	[PLAN_CWD] = true,
	[PLAN_NO_NEW_PRIVS] = true,
	[PLAN_LANDLOCK_ENTER] = true,
	[PLAN_FIND] = true,
	[PLAN_RLIMIT] = true,
	[PLAN_READY] = true,
	[PLAN_SECCOMP] = true,
	[PLAN_EXEC] = true,
};

/* Fields that belong to a container that is made. */
static bool changes_container(const struct plan_step *s)
{
	switch (s->kind) {
	case PLAN_CGROUP_JOIN:
		return s->cgroup_join.new_namespace;
	case PLAN_TERMINAL:
		return s->terminal.console;
	case PLAN_CWD:
		return s->cwd.create;
	default:
		return false;
	}
}

static int check_plan(const struct plan *plan, struct err *err)
{
	/* Without one of these the process would keep rights of ours. */
	static const enum plan_kind needed[] = { PLAN_USER, PLAN_CAPS, PLAN_CWD, PLAN_READY,
		PLAN_EXEC };
	const struct plan_step *enter = plan_find(plan, PLAN_ENTER);

	if (!enter)
		return err_set(err, -EINVAL,
		        "this plan makes a container: it is not for one that runs already");
	if (!(enter->enter.namespaces & CLONE_NEWNS) || (enter->enter.namespaces & ~joinable))
		return err_set(err, -EINVAL,
		        "the plan does not name the container's namespaces, its mounts among them");
	for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
		if (!plan_find(plan, needed[i]))
			return err_set(err, -EINVAL, "the plan has no step '%s'",
			        plan_kind_name(needed[i]));
	for (size_t i = 0; i < plan->n_steps; i++)
		if (!has_place[plan->steps[i].kind] || changes_container(&plan->steps[i]))
			return err_set(err, -EINVAL,
			        "the step '%s' would change the container: it has no place in a "
			        "plan that enters one",
			        plan_kind_name(plan->steps[i].kind));
	return 0;
}

static bool is_gone(int pidfd, int wait_ms)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	return poll(&p, 1, wait_ms) != 0;
}

/* An init that ends kills the others first and is seen as gone last: of a process that was killed
 * without a word, or could not be made any more, the init tells why soon. */
static bool has_ended(int pidfd, int code)
{
	return is_gone(pidfd, code == -EIO || code == -ENOMEM ? END_WAIT_MS : 0);
}

static int clone_failed(const struct apply *a, int code, struct err *err)
{
	const struct plan_step *s = plan_find(a->plan, PLAN_CGROUP);
	_free_ char *path = str_escaped(s ? s->cgroup.path : "");

	if (code == -EBUSY)
		return err_set(err, code,
		        "control group '%s' hands out controllers to groups that the container "
		        "made below it, and so no process can enter it",
		        path);
	if (code == -EAGAIN)
		return err_set(err, code,
		        "cannot make a process in the container: it has as many as it may have");
	return err_errno(
	        err, code, "cannot make a process in the container's control group '%s'", path);
}

/* Makes the process between and waits until the one that it made has reported. */
static int enter(struct apply *a, int *ret_exit_code, struct err *err)
{
	struct clone_args args = { .flags = CLONE_CLEAR_SIGHAND, .exit_signal = SIGCHLD };
	pid_t between;
	int r;

	if (a->cgroup.v2_fd >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t) a->cgroup.v2_fd;
	}
	between = sys_clone3(&args, sizeof(args));
	if (between < 0)
		return clone_failed(a, between, err);
	if (between == 0) {
		(void) fd_close(a->sync);
		child_main(a);
	}
	a->child_sync = fd_close(a->child_sync);
	r = apply_wait_ready(a, ret_exit_code, err);
	apply_reap(between, r < 0);
	a->pid = *a->entered;
	if (r == 0)
		a->pidfd = sys_pidfd_open(a->pid);
	if (r == 0 && a->pidfd < 0)
		r = err_errno(err, a->pidfd, "cannot watch the process in the container");
	return r;
}

static int enter_steps(struct apply *a, int *ret_exit_code, struct err *err)
{
	void *page = MAP_FAILED;
	int r = is_gone(a->target, 0) ? err_set(err, -ESRCH, "the container is not running")
	                              : apply_cgroup_open(a, err);

	if (r == 0)
		r = apply_make_sync(a, err);
	if (r < 0)
		return r;
	if (plan_find(a->plan, PLAN_TERMINAL))
		a->host_devpts = mount_host_devpts();
	page = mmap(NULL, sizeof(pid_t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return err_errno(err, -errno, "cannot make a page of memory");
	a->entered = page;
	r = enter(a, ret_exit_code, err);
	(void) munmap(page, sizeof(pid_t));
	a->entered = NULL;
	return r;
}

int sandbox_enter(const struct plan *plan, const struct sandbox_target *target,
        const struct sandbox_io *io, struct sandbox_child *ret, int *ret_exit_code, struct err *err)
{
	_free_ int *fill = xnew_n(int, 3 + io->n_keep_fds);
	struct apply a;
	int r = check_plan(plan, err);

	if (ret_exit_code)
		*ret_exit_code = 0;
	/* Without a target the child would be one of the host. */
	if (r == 0 && target->pidfd < 0)
		r = err_set(err, -EBADF, "there is no container to enter");
	if (r < 0)
		return r;
	apply_init(&a, plan, io, target->pidfd);
	r = apply_reserve_numbers(io, fill, err);
	if (r == 0)
		r = enter_steps(&a, ret_exit_code, err);
	if (r < 0)
		apply_reap(a.pid, true);
	/* Whatever failed then: that is the reason. */
	if (r < 0 && has_ended(target->pidfd, r)) {
		if (ret_exit_code)
			*ret_exit_code = 0;
		r = err_set(err, -ESRCH, "the container is not running");
	}
	if (r == 0)
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
