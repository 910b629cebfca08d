/* SPDX-License-Identifier: Apache-2.0 */
/* The child: walks its part of the plan through one table. The first error ends it. */
#include "sandbox/child.h"

#include "base/fd.h"
#include "kernel/sys.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static const child_step steps[PLAN_KIND_COUNT] = {
	[PLAN_CGROUP_JOIN] = child_cgroup_join,
	[PLAN_EARLY_SYSCTL] = child_sysctl,
	[PLAN_BECOME_ROOT] = child_become_root,
	[PLAN_KEYRING] = child_keyring,
	[PLAN_UTS] = child_uts,
	[PLAN_SYSCTL] = child_sysctl,
	[PLAN_LOOPBACK] = child_loopback,
	[PLAN_MOUNT_NAMESPACE] = child_mount_namespace,
	[PLAN_MOUNT] = child_mount,
	[PLAN_DEVICE] = child_device,
	[PLAN_DEV_LINKS] = child_dev_links,
	[PLAN_TERMINAL] = child_terminal,
	[PLAN_READONLY] = child_readonly,
	[PLAN_PROC_ALLOW] = child_proc_allow,
	[PLAN_MASK] = child_mask,
	[PLAN_PIVOT] = child_pivot,
	[PLAN_ROOT_ATTR] = child_root_attr,
	[PLAN_LATE_SYSCTL] = child_sysctl,
	[PLAN_LANDLOCK] = child_landlock,
	[PLAN_LANDLOCK_RULE] = child_landlock_rule,
	[PLAN_SECCOMP_EARLY] = child_seccomp_early,
	[PLAN_USER] = child_user,
	[PLAN_CAPS] = child_caps,
	[PLAN_CWD] = child_cwd,
	[PLAN_NO_NEW_PRIVS] = child_no_new_privs,
	[PLAN_LANDLOCK_ENTER] = child_landlock_enter,
	[PLAN_FIND] = child_find,
	[PLAN_RLIMIT] = child_rlimit,
	[PLAN_READY] = child_ready,
	[PLAN_SECCOMP] = child_seccomp,
	[PLAN_EXEC] = child_exec,
};

static _noreturn_ void fail(struct child *c, unsigned int kind, int code)
{
	if (!c->passed_gate)
		(void) report_error(c->sync, kind, c->exit_code, code, &c->err);
	else if (c->result >= 0)
		(void) fd_write_all(c->result, c->err.text, strlen(c->err.text));
	_exit(c->exit_code ? c->exit_code : 1);
}

/* The mask is emptied and what the caller ignored is default again; handlers went at the clone.
 * Real-time signals are left: nobody ignores them for a child. */
void child_reset_signals(void)
{
	const struct sigaction standard = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int sig = 1; sig < 32; sig++)
		if (sig != SIGKILL && sig != SIGSTOP)
			(void) sigaction(sig, &standard, NULL);
	(void) sigemptyset(&none);
	(void) sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Waits for the parent's steps. The end of the file means that the supervisor is gone. */
static void wait_for_parent(const struct child *c)
{
	char byte;
	ssize_t n;

	do
		n = recv(c->sync, &byte, 1, 0);
	while (n < 0 && errno == EINTR);
	if (n != 1)
		_exit(1);
}

/* The kernel tells us of the supervisor's end only from now on. Its end of the pair closes before
 * that, so one that ended before is seen here. */
void child_die_with_supervisor(const struct child *c)
{
	char byte;

	(void) prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (recv(c->sync, &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 0)
		_exit(1);
}

static bool has_sysctl(const struct plan *plan)
{
	return plan_find(plan, PLAN_EARLY_SYSCTL) || plan_find(plan, PLAN_SYSCTL) ||
	       plan_find(plan, PLAN_LATE_SYSCTL);
}

/*
 * The procfs for sysctls is opened before the container's own /proc is mounted and covered: the
 * kernel refuses a new one where the visible one is covered. Where it refuses at once, the host's
 * /proc does: the files below /proc/sys are those of the reader's namespaces.
 */
static int open_proc(struct child *c)
{
	int r = mount_private_proc(&c->proc, &c->err);

	if (r == 0)
		return 0;
	if (r != -EPERM)
		return r;
	c->proc = c->a->host_proc;
	c->a->host_proc = -EBADF;
	return 0;
}

static int begin(struct child *c)
{
	int r = 0;

	if (c->a->io->die_with_parent)
		child_die_with_supervisor(c);
	if (c->a->barrier)
		wait_for_parent(c);
	/* Only now: the files below /proc/PID belong to root from here on, and a supervisor without
	 * privileges could not have written the maps. Until exec nobody may trace us. */
	(void) prctl(PR_SET_DUMPABLE, 0);
	child_reset_signals();
	(void) setsid();
	(void) umask(0);
	if (c->a->joined_namespaces && !c->a->between)
		r = apply_join_namespaces(c->a, &c->err);
	if (r == 0 && has_sysctl(c->a->plan))
		r = open_proc(c);
	return r;
}

/* What is left then is done by the process that the container sees: its limits, the report, the
 * filter. A filter that is loaded early may forbid to make a process. */
static bool is_time_to_appear(const struct child *c, enum plan_kind kind)
{
	return c->a->target >= 0 && !c->is_inside &&
	       (kind == PLAN_SECCOMP_EARLY || kind == PLAN_RLIMIT || kind == PLAN_READY);
}

_noreturn_ void child_main(struct apply *a)
{
	struct child c = {
		.a = a,
		.sync = a->child_sync,
		.proc = -EBADF,
		.ruleset = -EBADF,
		.gate = a->io->gate_fd,
		.result = a->io->result_fd,
		.terminal = -EBADF,
	};
	int r;

	/* The supervisor closes it last, and so waits for it. A child that did would hold the rest
	 * of what it inherited (a lock that tells whether the supervisor lives) for as long. */
	a->overlay_base = fd_close(a->overlay_base);
	r = a->target >= 0 ? child_begin_entering(&c) : begin(&c);
	if (r < 0)
		fail(&c, 0, r);
	mount_cover_init(&c.cover, a->null_tree);
	for (size_t i = 0; i < a->plan->n_steps; i++) {
		const struct plan_step *s = &a->plan->steps[i];

		r = is_time_to_appear(&c, s->kind) ? child_appear(&c) : 0;
		if (r == 0 && s->kind < PLAN_KIND_COUNT && steps[s->kind])
			r = steps[s->kind](&c, s);
		if (r < 0)
			fail(&c, s->kind, r);
	}
	/* A plan without EXEC: there is nothing to run. */
	(void) err_set(&c.err, -EINVAL, "the container has no process to start");
	fail(&c, 0, -EINVAL);
}
