/* SPDX-License-Identifier: Apache-2.0 */
#include "proc/proc.h"

#include "base/buf.h"
#include "base/fd.h"
#include "base/str.h"
#include "kernel/sys.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <poll.h>
#include <stdio.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FD_MAP_MAX = 16, STAT_MAX = 4096, START_TIME_FIELD = 22 };

static const int forwarded[] = { SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGTERM,
	SIGCONT, SIGWINCH, SIGIO, SIGPWR, SIGSYS };

static bool is_target(const struct proc_fd *fds, size_t n, int fd)
{
	for (size_t i = 0; i < n; i++)
		if (fds[i].to == fd)
			return true;
	return false;
}

/* In the child: moves the descriptors to their places, by way of numbers above all of them so that
 * none is hit. */
static int place_fds(const struct proc_fd *fds, size_t n, int program)
{
	int high[FD_MAP_MAX], above = 2;

	if (n > FD_MAP_MAX)
		return -E2BIG;
	for (size_t i = 0; i < n; i++)
		above = MAX(above, fds[i].to);
	for (size_t i = 0; i < n; i++) {
		high[i] = fcntl(fds[i].from, F_DUPFD, above + 1);
		if (high[i] < 0)
			return -errno;
	}
	for (size_t i = 0; i < n; i++)
		if (dup2(high[i], fds[i].to) < 0)
			return -errno;
	for (int fd = 0; fd <= above; fd++)
		if (!is_target(fds, n, fd))
			(void) close(fd); /* it may be closed already: ignoring */
	if (program < 0)
		return sys_close_range((unsigned int) above + 1, UINT_MAX, 0);
	if (program <= above)
		return -EINVAL;
	/* The program is close-on-exec: it goes by itself. */
	(void) sys_close_range((unsigned int) above + 1, (unsigned int) program - 1, 0);
	return sys_close_range((unsigned int) program + 1, UINT_MAX, 0);
}

/* In the child: by 'tasks', because a pid in cgroup.procs waits for an RCU grace period. */
static int join_group(const struct proc_group *g)
{
	for (size_t i = 0; i < g->n_tasks; i++)
		if (write(g->tasks_fds[i], "0", 1) != 1)
			return -errno;
	return 0;
}

static _noreturn_ void child(const struct proc_spawn *s)
{
	static char *const no_env[] = { NULL };
	sigset_t none;
	int program;

	(void) sigemptyset(&none);
	(void) sigprocmask(SIG_SETMASK, &none, NULL);
	(void) signal(SIGPIPE, SIG_DFL); /* our programs ignore it, and exec would keep that */
	if (s->group && join_group(s->group) < 0)
		_exit(127);
	if (s->die_with_parent && prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		_exit(127);
	if (s->new_session)
		(void) setsid(); /* a new child leads no process group: cannot fail */
	program = s->by_fd ? fcntl(s->program_fd, F_DUPFD_CLOEXEC, 128) : -EBADF;
	if (place_fds(s->fds, s->n_fds, program) < 0)
		_exit(127);
	if (s->by_fd)
		(void) sys_execveat(program, "", (char *const *) (uintptr_t) s->argv,
		        s->envp ? (char *const *) (uintptr_t) s->envp : no_env, AT_EMPTY_PATH);
	/* execve does not change the texts; its prototype predates const. */
	else
		(void) execve(s->path, (char *const *) (uintptr_t) s->argv,
		        s->envp ? (char *const *) (uintptr_t) s->envp : no_env);
	_exit(127);
}

pid_t proc_spawn(const struct proc_spawn *s, int *ret_pidfd)
{
	int pidfd = -EBADF;
	struct clone_args args = {
		.flags = CLONE_PIDFD | CLONE_CLEAR_SIGHAND,
		.pidfd = (uintptr_t) &pidfd,
		.exit_signal = SIGCHLD,
	};
	pid_t pid;

	if (s->group && s->group->v2_fd >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t) s->group->v2_fd;
	}
	pid = sys_clone3(&args, sizeof(args));
	if (pid == 0)
		child(s);
	if (pid > 0)
		*ret_pidfd = pidfd;
	return pid;
}

bool proc_has_ended(int pidfd)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	return poll(&p, 1, 0) > 0;
}

int proc_wait(int pidfd)
{
	siginfo_t info = { 0 };

	while (waitid(P_PIDFD, (id_t) pidfd, &info, WEXITED) < 0)
		if (errno != EINTR)
			return -errno;
	return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}

static void forwarded_set(sigset_t *set)
{
	(void) sigemptyset(set);
	for (size_t i = 0; i < ARRAY_SIZE(forwarded); i++)
		(void) sigaddset(set, forwarded[i]);
}

void proc_block_signals(sigset_t *ret_old)
{
	sigset_t set;

	forwarded_set(&set);
	(void) sigprocmask(SIG_BLOCK, &set, ret_old);
}

int proc_signal_fd(int *ret_fd)
{
	sigset_t set;
	int fd;

	forwarded_set(&set);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

void proc_forward(int signal_fd, int pidfd)
{
	struct signalfd_siginfo si;

	while (read(signal_fd, &si, sizeof(si)) == (ssize_t) sizeof(si))
		(void) sys_pidfd_send_signal(
		        pidfd, (int) si.ssi_signo); /* it may be gone: ignoring */
}

int proc_wait_forwarding(int pidfd)
{
	_close_ int sfd = -EBADF;
	int r = proc_signal_fd(&sfd);

	if (r < 0)
		return r;
	for (;;) {
		struct pollfd fds[] = { { .fd = pidfd, .events = POLLIN },
			{ .fd = sfd, .events = POLLIN } };

		if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
			return -errno;
		if (fds[1].revents)
			proc_forward(sfd, pidfd);
		if (fds[0].revents)
			return proc_wait(pidfd);
	}
}

static const struct {
	const char *name;
	int number;
} signals[] = {
	{ "ABRT", SIGABRT },
	{ "ALRM", SIGALRM },
	{ "BUS", SIGBUS },
	{ "CHLD", SIGCHLD },
	{ "CLD", SIGCHLD },
	{ "CONT", SIGCONT },
	{ "FPE", SIGFPE },
	{ "HUP", SIGHUP },
	{ "ILL", SIGILL },
	{ "INT", SIGINT },
	{ "IO", SIGIO },
	{ "IOT", SIGABRT },
	{ "KILL", SIGKILL },
	{ "PIPE", SIGPIPE },
	{ "POLL", SIGPOLL },
	{ "PROF", SIGPROF },
	{ "PWR", SIGPWR },
	{ "QUIT", SIGQUIT },
	{ "SEGV", SIGSEGV },
	{ "STKFLT", SIGSTKFLT },
	{ "STOP", SIGSTOP },
	{ "SYS", SIGSYS },
	{ "TERM", SIGTERM },
	{ "TRAP", SIGTRAP },
	{ "TSTP", SIGTSTP },
	{ "TTIN", SIGTTIN },
	{ "TTOU", SIGTTOU },
	{ "URG", SIGURG },
	{ "USR1", SIGUSR1 },
	{ "USR2", SIGUSR2 },
	{ "VTALRM", SIGVTALRM },
	{ "WINCH", SIGWINCH },
	{ "XCPU", SIGXCPU },
	{ "XFSZ", SIGXFSZ },
};

/* RTMIN, RTMIN+n, RTMAX, RTMAX-n as the C library counts them. */
static int parse_realtime(const char *s)
{
	bool from_max = strncasecmp(s, "RTMAX", 5) == 0;
	int base = from_max ? SIGRTMAX : SIGRTMIN;
	uint32_t n = 0;

	if (!from_max && strncasecmp(s, "RTMIN", 5) != 0)
		return -EINVAL;
	s += 5;
	if (*s && (*s != (from_max ? '-' : '+') || num_parse_u32(s + 1, &n) < 0))
		return -EINVAL;
	if (n > (uint32_t) (SIGRTMAX - SIGRTMIN))
		return -EINVAL;
	return from_max ? base - (int) n : base + (int) n;
}

int proc_signal_parse(const char *text)
{
	uint32_t n;

	if (num_parse_u32(text, &n) == 0)
		return n > 0 && n <= (uint32_t) SIGRTMAX ? (int) n : -EINVAL;
	if (strncasecmp(text, "SIG", 3) == 0)
		text += 3;
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		if (strcasecmp(text, signals[i].name) == 0)
			return signals[i].number;
	return parse_realtime(text);
}

int proc_start_time(pid_t pid, uint64_t *ret)
{
	_buf_done_ struct buf b = BUF_INIT(STAT_MAX);
	char path[64];
	char *p, *end;
	int r;

	(void) snprintf(path, sizeof(path), "/proc/%d/stat", (int) pid);
	r = buf_read_file(&b, AT_FDCWD, path);
	if (r < 0)
		return r == -ENOENT ? -ESRCH : r;
	/* The command in field 2 may hold anything: fields are counted behind its last bracket. */
	p = b.len > 0 ? strrchr(b.data, ')') : NULL;
	for (int field = 2; p && field < START_TIME_FIELD; field++)
		p = strchr(p + 1, ' ');
	if (!p)
		return -EBADMSG;
	end = strchr(++p, ' ');
	if (!end)
		return -EBADMSG;
	*end = '\0';
	return num_parse_u64(p, ret);
}

int proc_boot_id(char ret[37])
{
	_buf_done_ struct buf b = BUF_INIT(64);
	int r = buf_read_file(&b, AT_FDCWD, "/proc/sys/kernel/random/boot_id");

	if (r < 0)
		return r;
	if (b.len < 36)
		return -EBADMSG;
	memcpy(ret, b.data, 36);
	ret[36] = '\0';
	return 0;
}
