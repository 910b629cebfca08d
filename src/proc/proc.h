/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Child processes: start by exec, wait by pidfd, forward signals.
 *
 * A helper is always another program (fork and exec), never a forked copy of the caller, and gets
 * exactly the descriptors of its map. Waiting is by pidfd, so no pid can be mistaken for another.
 */
#include "base/base.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

struct proc_fd {
	int from; /* of the caller, borrowed */
	int to;   /* of the child */
};

/* The control group of a child from its first moment. */
struct proc_group {
	int v2_fd;            /* folder in the v2 tree (Linux 5.7); negative: the caller's group */
	const int *tasks_fds; /* 'tasks' of groups of v1 hierarchies, open for writing */
	size_t n_tasks;
};

struct proc_spawn {
	const char *path;          /* absolute; not searched */
	const char *const *argv;   /* NULL-terminated */
	const char *const *envp;   /* NULL-terminated; NULL: empty */
	const struct proc_fd *fds; /* everything else is closed; 0, 1, 2 must be mapped if wanted */
	size_t n_fds;
	bool die_with_parent; /* PDEATHSIG SIGKILL */
	bool new_session;     /* setsid: no terminal, no process group of ours */
	bool by_fd;           /* program_fd is executed instead of path */
	int program_fd;
	const struct proc_group *group; /* NULL: the caller's; one that cannot be joined is fatal */
};

/* Starts a program. *ret_pidfd is the caller's. A failing exec shows as exit code 127. Returns the
 * pid or a negative errno. */
pid_t proc_spawn(const struct proc_spawn *spawn, int *ret_pidfd);
/* Waits for the end of a child and reaps it. Returns its code, or 128 + the signal that ended it,
 * or a negative errno. */
int proc_wait(int pidfd);
/* True when the process has ended (it may still have to be waited for). */
bool proc_has_ended(int pidfd);

/* Blocks the signals that a foreground command forwards (all that end a program, HUP to USR2,
 * WINCH, CONT). Call before the child is made, so that none is lost; the child must restore
 * *ret_old (the executor clears its mask). */
void proc_block_signals(sigset_t *ret_old);
/* Waits for the child, forwarding every signal that arrives. Returns as proc_wait. The signals must
 * be blocked. */
int proc_wait_forwarding(int pidfd);

/* The two halves of it, for callers with an event loop of their own: a signalfd (non-blocking, the
 * caller's) of the forwarded signals; and sending on what has arrived. */
int proc_signal_fd(int *ret_fd);
void proc_forward(int signal_fd, int pidfd);

/* A signal by name ("KILL", "SIGKILL", "sigkill") or number ("9"). Returns the number or -EINVAL.
 */
int proc_signal_parse(const char *text);
/* The start time of a process in clock ticks since boot (field 22 of /proc/PID/stat): with the pid
 * and the boot id it names a process for ever. Returns 0, -ESRCH when there is none. */
int proc_start_time(pid_t pid, uint64_t *ret);
/* The kernel's boot id, 36 characters and a NUL. */
int proc_boot_id(char ret[37]);
