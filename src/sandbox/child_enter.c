/* SPDX-License-Identifier: Apache-2.0 */
/* Entering a container: from the host's process to the one that the container sees. */
#include "base/fd.h"
#include "kernel/sys.h"
#include "sandbox/child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COMMAND_LINE_MAX = 8 << 20 };

static int not_running(struct child *c)
{
	return err_set(&c->err, -ESRCH, "the container is not running");
}

static bool is_gone(const struct child *c)
{
	struct pollfd p = { .fd = c->a->target, .events = POLLIN };

	return poll(&p, 1, 0) != 0;
}

/*
 * /proc/PID/cmdline is the memory where the supervisor's arguments stand, and everybody in the
 * container may read it. The kernel lays them out in one run: arguments, environment, and the name
 * of the program behind them. Nothing that we still need points there.
 */
static void wipe_command_line(void)
{
	char *start = program_invocation_name;
	uintptr_t end = getauxval(AT_EXECFN);

	if (end > (uintptr_t) start && end - (uintptr_t) start < COMMAND_LINE_MAX)
		memset(start, 0, end - (uintptr_t) start);
}

/* All of the container's namespaces at once: the kernel checks our rights as they are now. Our own
 * pid namespace stays the host's, only children get the container's. */
static int join(struct child *c)
{
	const struct plan_step *s = plan_find(c->a->plan, PLAN_ENTER);
	int code;

	if (setns(c->a->target, (int) s->enter.namespaces) == 0)
		return is_gone(c) ? not_running(c) : 0;
	code = -errno;
	if (code == -ESRCH || is_gone(c))
		return not_running(c);
	return err_errno(&c->err, code, "cannot join the container's namespaces");
}

int child_begin_entering(struct child *c)
{
	const struct plan_step *s = plan_find(c->a->plan, PLAN_ENTER);
	int r;

	/* Before anything of the container is near (CVE-2016-9962). */
	(void) prctl(PR_SET_DUMPABLE, 0);
	if (c->a->io->die_with_parent)
		child_die_with_supervisor(c);
	child_reset_signals();
	(void) umask(0);
	r = apply_to_self(c->a, &c->err);
	if (r < 0)
		return r;
	if (s->enter.host_uid > 0)
		apply_give_pipes(c->a->io, s->enter.host_uid, s->enter.host_gid);
	r = join(c);
	if (r < 0)
		return r;
	c->a->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (c->a->root < 0)
		return err_errno(&c->err, -errno, "cannot open '/' of the container");
	return 0;
}

static int cannot_appear(struct child *c, int code)
{
	/* The kernel says this of a pid namespace that has ended. */
	if (code == -ENOMEM)
		return err_errno(
		        &c->err, code, "cannot make a process in the container (has it ended?)");
	if (code == -EAGAIN)
		return err_errno(&c->err, code,
		        "cannot make a process in the container: it has as many as it may have");
	return err_errno(&c->err, code, "cannot make a process in the container");
}

int child_appear(struct child *c)
{
	const struct plan_step *user = plan_find(c->a->plan, PLAN_USER);
	struct clone_args args = {
		.flags = CLONE_PARENT | CLONE_PARENT_SETTID | CLONE_CLEAR_SIGHAND,
		.parent_tid = (uint64_t) (uintptr_t) c->a->entered,
	};
	pid_t pid;
	int r = user ? child_prepare_user(c, &user->user) : 0;

	if (r == 0 && !c->has_stdio)
		r = child_take_stdio(c, 0);
	if (r < 0)
		return r;
	/* A change of ids may have set it to what fs.suid_dumpable says. */
	(void) prctl(PR_SET_DUMPABLE, 0);
	wipe_command_line();
	/* The page is ours and writable from here on, so that the kernel's write cannot fail. */
	*c->a->entered = 0;
	pid = sys_clone3(&args, sizeof(args));
	if (pid < 0)
		return cannot_appear(c, pid);
	if (pid > 0)
		_exit(0);
	c->is_inside = true;
	(void) setsid();
	if (c->a->io->die_with_parent)
		child_die_with_supervisor(c);
	return c->has_terminal ? child_control_terminal(c) : 0;
}
