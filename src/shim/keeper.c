/* SPDX-License-Identifier: Apache-2.0 */
/* The keeper: from the start of a container to its end, and again by the policy. */
#include "base/fd.h"
#include "kernel/sys.h"
#include "proc/proc.h"
#include "shim/event_line.h"
#include "shim/internal.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MS INT64_C(1000000)

enum {
	BACKOFF_FIRST_MS = 100,
	BACKOFF_MAX_MS = 60000,
	BACKOFF_RESET_MS = 10000, /* a run of this length begins the series anew */
	LOCK_WAIT_MS = 2000,
	CODE_ENGINE = 125,
};

struct keeper {
	struct shim *shim;
	int record_fd;
	struct record record;
	struct run run;
	struct health health;
	pid_t server;
	int server_pidfd;
	bool running, no_restart;
	bool owner_removes;
	int64_t backoff_ms, restart_at; /* restart_at: monotonic; 0: none is due */
	int64_t run_began;
};

int64_t shim_now(void)
{
	struct timespec t;

	(void) clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

int64_t shim_wall_now(void)
{
	struct timespec t;

	(void) clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

void shim_event(
        int events_fd, const char *id, const char *action, const char *key, const char *value)
{
	const struct oci_kv attribute = { key, value };
	const struct event_line line = {
		.type = "container",
		.action = action,
		.id = id,
		.attributes = &attribute,
		.n_attributes = key ? 1 : 0,
	};

	/* Losing an event is no error. */
	(void) event_line_write(events_fd, &line);
}

/* --- record and words ------------------------------------------------------------------------- */

/* Failing (a full disk) leaves an older record, which the free lock shows to be old. */
static void write_record(struct keeper *k)
{
	(void) record_write(k->record_fd, &k->record);
}

static void event(struct keeper *k, const char *action, const char *key, const char *value)
{
	shim_event(k->shim->events_fd, k->shim->settings.id, action, key, value);
}

static void tell_started(struct keeper *k)
{
	const struct shim_message m = { .type = SHIM_STARTED, .a = k->record.pid };

	if (k->shim->start_sock >= 0)
		(void) shim_send(k->shim->start_sock, &m, NULL, 0);
	k->shim->start_sock = fd_close(k->shim->start_sock);
}

static void tell_failed(struct keeper *k, int exit_code, const struct err *err)
{
	struct shim_message m = { .type = SHIM_FAILED, .a = exit_code };

	(void) snprintf(m.text, sizeof(m.text), "%.*s", SHIM_TEXT_MAX - 1, err->text);
	if (k->shim->start_sock >= 0)
		shim_send_last(k->shim->start_sock, &m);
	k->shim->start_sock = fd_close(k->shim->start_sock);
}

/* --- the server ------------------------------------------------------------------------------- */

static struct shim_message run_message(const struct keeper *k)
{
	return (struct shim_message){
		.type = LINK_RUN, .b = k->record.pid, .d = k->record.started
	};
}

/* What is the keeper's alone; the server's descriptors are named one by one in its structure. */
static _noreturn_ void become_server(struct keeper *k, int link)
{
	const struct shim_message run = run_message(k);
	struct shim *s = k->shim;

	s->link = link;
	(void) fd_close(k->record_fd);
	(void) fd_close(k->run.child.pidfd);
	s->health_plan_fd = fd_close(s->health_plan_fd);
	s->plan_fd = fd_close(s->plan_fd);
	s->events_fd = fd_close(s->events_fd);
	s->dir_fd = fd_close(s->dir_fd);
	server_main(s, &run, k->run.outer);
}

static int start_server(struct keeper *k, struct err *err)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_errno(err, -errno, "cannot make a socket pair");
	pid = fork();
	if (pid == 0) {
		(void) fd_close(pair[0]);
		become_server(k, pair[1]);
	}
	(void) fd_close(pair[1]);
	if (pid < 0) {
		(void) fd_close(pair[0]);
		return err_errno(err, -errno, "cannot make the second process of the shim");
	}
	k->server = pid;
	k->server_pidfd = sys_pidfd_open(pid);
	k->shim->link = pair[0];
	return 0;
}

/* Hands the outer ends of a run to the server. */
static int give_run(struct keeper *k, struct err *err)
{
	const struct shim_message m = run_message(k);
	int fds[RUN_FDS], n = 0;

	if (k->server <= 0)
		return start_server(k, err);
	/* Missing ones (no stdin, no network any more) travel as our /dev/null. */
	for (; n < RUN_FDS; n++)
		fds[n] = k->run.outer[n] >= 0 ? k->run.outer[n] : 0;
	n = shim_send(k->shim->link, &m, fds, RUN_FDS);
	return n < 0 ? err_errno(err, n, "cannot hand the container's output over") : 0;
}

static void lose_server(struct keeper *k)
{
	k->shim->link = fd_close(k->shim->link);
	if (k->server_pidfd >= 0)
		(void) proc_wait(k->server_pidfd);
	k->server_pidfd = fd_close(k->server_pidfd);
	k->server = 0;
}

/* --- a run ------------------------------------------------------------------------------------ */

static void close_outer(struct keeper *k)
{
	for (int i = 0; i < RUN_FDS; i++)
		k->run.outer[i] = fd_close(k->run.outer[i]);
}

static int begin_run(struct keeper *k, int *ret_exit_code, struct err *err)
{
	int r = run_start(k->shim, &k->run, ret_exit_code, err);

	if (r < 0)
		return r;
	k->record.state = RECORD_RUNNING;
	k->record.pid = k->run.child.pid;
	k->record.started = shim_wall_now();
	k->record.oom_killed = false;
	k->record.error[0] = '\0';
	k->run_began = shim_now();
	k->running = true;
	k->restart_at = 0;
	k->run.outer[RUN_PIDFD] = fd_dup(k->run.child.pidfd);
	k->run.outer[RUN_PLAN] = fd_dup(k->shim->plan_fd);
	health_init(&k->health, k->shim, &k->record);
	write_record(k);
	r = give_run(k, err);
	close_outer(k);
	if (r < 0)
		(void) sys_pidfd_send_signal(k->run.child.pidfd, SIGKILL);
	event(k, "start", NULL, NULL);
	return 0;
}

static bool wants_restart(const struct keeper *k)
{
	const struct shim_settings *s = &k->shim->settings;

	if (k->no_restart)
		return false;
	switch ((enum settings_restart) s->restart) {
	case SETTINGS_RESTART_NO:
		return false;
	case SETTINGS_RESTART_ON_FAILURE:
		return k->record.exit_code != 0 &&
		       (s->restart_max == 0 || k->record.restarts < s->restart_max);
	case SETTINGS_RESTART_ALWAYS:
	case SETTINGS_RESTART_UNLESS_STOPPED:
		return true;
	}
	return false;
}

static void plan_restart(struct keeper *k)
{
	int64_t lasted = shim_now() - k->run_began;

	if (lasted >= BACKOFF_RESET_MS * MS || k->backoff_ms == 0)
		k->backoff_ms = BACKOFF_FIRST_MS;
	else
		k->backoff_ms = MIN(k->backoff_ms * 2, (int64_t) BACKOFF_MAX_MS);
	k->restart_at = shim_now() + k->backoff_ms * MS;
	k->record.state = RECORD_RESTARTING;
}

/* After the first process is gone: groups, record, events, server. */
static void end_run(struct keeper *k)
{
	struct shim_message m = { .type = LINK_ENDED };
	char code[16];
	bool oom;

	health_stop(&k->health);
	k->record.exit_code = proc_wait(k->run.child.pidfd) & 255;
	k->running = false;
	run_clean(k->shim, &oom);
	run_done(&k->run);
	k->record.oom_killed = oom;
	k->record.pid = 0;
	k->record.finished = shim_wall_now();
	k->record.health = k->record.health ? RECORD_HEALTH_UNHEALTHY : RECORD_HEALTH_NONE;
	shim_take_changes(k->shim);
	if (wants_restart(k))
		plan_restart(k);
	else
		k->record.state = RECORD_EXITED;
	write_record(k);
	if (oom)
		event(k, "oom", NULL, NULL);
	(void) snprintf(code, sizeof(code), "%d", (int) k->record.exit_code);
	event(k, "die", "exitCode", code);
	m.a = k->record.exit_code;
	m.flags = (oom ? SHIM_EXITED_OOM : 0u) | (k->restart_at ? SHIM_EXITED_RESTARTS : 0u);
	if (k->server > 0)
		(void) shim_send(k->shim->link, &m, NULL, 0);
}

static void fail_run(struct keeper *k, int exit_code, const struct err *err)
{
	/* docker: one that never ran is still 'created'. */
	k->record.state = k->record.started ? RECORD_EXITED : RECORD_CREATED;
	k->record.exit_code = exit_code;
	k->record.finished = k->record.started ? shim_wall_now() : 0;
	k->restart_at = 0;
	(void) snprintf(
	        k->record.error, sizeof(k->record.error), "%.*s", RECORD_TEXT_MAX - 1, err->text);
	write_record(k);
}

static void restart(struct keeper *k)
{
	struct err err = { 0 };
	int code = 0;

	k->record.restarts++;
	if (begin_run(k, &code, &err) < 0)
		fail_run(k, code, &err);
}

/* --- the loop --------------------------------------------------------------------------------- */

static void on_link(struct keeper *k)
{
	_shim_packet_done_ struct shim_packet p = SHIM_PACKET_INIT;
	int r = shim_receive(k->shim->link, &p);

	if (r == 1 && p.m.type == LINK_NO_RESTART) {
		k->no_restart = true;
		if (k->restart_at) {
			k->restart_at = 0;
			k->record.state = RECORD_EXITED;
			write_record(k);
		}
	} else if (r == 1 && p.m.type == LINK_DRAINED) {
		k->owner_removes = p.m.a == 1;
	} else if (r <= 0 && r != -EAGAIN) {
		/* The server is dead, and with it the container's output: it has to end. */
		lose_server(k);
		if (k->running)
			(void) sys_pidfd_send_signal(k->run.child.pidfd, SIGKILL);
	}
}

static int timeout_ms(const struct keeper *k)
{
	int64_t next = k->running ? health_next(&k->health) : INT64_MAX, now = shim_now();

	if (k->restart_at)
		next = MIN(next, k->restart_at);
	if (next == INT64_MAX)
		return -1;
	return next <= now ? 0 : (int) MIN((next - now + MS - 1) / MS, INT64_C(1000000));
}

static void loop(struct keeper *k)
{
	while (k->running || k->restart_at) {
		struct pollfd polls[] = {
			{ .fd = k->running ? k->run.child.pidfd : -1, .events = POLLIN },
			{ .fd = k->server > 0 ? k->shim->link : -1, .events = POLLIN },
			{ .fd = k->health.pidfd, .events = POLLIN },
			{ .fd = k->health.out, .events = POLLIN },
		};

		if (poll(polls, ARRAY_SIZE(polls), timeout_ms(k)) < 0 && errno != EINTR)
			break;
		if (polls[1].revents)
			on_link(k);
		if (polls[0].revents)
			end_run(k);
		if (k->running && health_step(&k->health, k->shim, k->run.child.pidfd, &k->record))
			write_record(k);
		if (k->restart_at && shim_now() >= k->restart_at)
			restart(k);
	}
}

/* --- beginning and end ------------------------------------------------------------------------ */

/* The path of a socket is short; the folder's descriptor stands for the long part. */
static int make_socket(struct shim *s, struct err *err)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	_close_ int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (sock < 0)
		return err_errno(err, -errno, "cannot make a socket");
	(void) unlinkat(s->dir_fd, SHIM_SOCKET, 0); /* of an earlier run; there may be none */
	(void) snprintf(
	        name.sun_path, sizeof(name.sun_path), "/proc/self/fd/%d/" SHIM_SOCKET, s->dir_fd);
	if (bind(sock, (const struct sockaddr *) &name, sizeof(name)) < 0)
		return err_errno(err, -errno, "cannot make the socket of the container");
	if (listen(sock, SHIM_CLIENTS_MAX) < 0)
		return err_errno(err, -errno, "cannot listen on the socket of the container");
	s->listen_fd = TAKE_FD(sock);
	return 0;
}

static int take_record(struct keeper *k, struct err *err)
{
	int fd = record_lock(k->shim->dir_fd, LOCK_WAIT_MS, &k->record);

	if (fd == -EWOULDBLOCK)
		return err_set(err, -EALREADY, "the container is running already");
	if (fd < 0)
		return err_errno(err, fd, "cannot take the record of the container");
	k->record_fd = fd;
	k->record.state = RECORD_STARTING;
	k->record.shim_pid = getpid();
	k->record.restarts = k->shim->settings.restarts;
	k->record.exit_code = 0;
	if (proc_boot_id(k->record.boot_id) < 0)
		k->record.boot_id[0] = '\0';
	write_record(k);
	return 0;
}

/* Ends the server when it has delivered everything. */
static void finish_server(struct keeper *k)
{
	const struct shim_message m = { .type = LINK_FINISH };

	if (k->server <= 0)
		return;
	(void) shim_send(k->shim->link, &m, NULL, 0);
	while (k->server > 0)
		on_link(k);
}

/* --rm: the bundle of rows and folders is the engine's to remove. It takes the lock, so ours ends
 * with the exec. */
static void reap(struct keeper *k)
{
	const struct shim_settings *s = &k->shim->settings;
	const char *const argv[] = { s->reaper, "--root", s->root, "system", "reap", s->id, NULL };

	if (!s->auto_remove || k->owner_removes || !*s->reaper)
		return;
	k->record_fd = fd_close(k->record_fd);
	(void) execve(s->reaper, (char *const *) (uintptr_t) argv, environ);
}

static void block_signals(void)
{
	sigset_t all;

	(void) sigfillset(&all);
	(void) sigprocmask(SIG_BLOCK, &all, NULL);
}

int keeper_main(struct shim *s)
{
	struct keeper k = {
		.shim = s,
		.record_fd = -EBADF,
		.run = { .child = { .pidfd = -EBADF, .sync = -EBADF, .terminal_fd = -EBADF },
		        .outer = { -EBADF, -EBADF, -EBADF, -EBADF, -EBADF, -EBADF } },
		.health = { .pidfd = -EBADF, .out = -EBADF, .due = INT64_MAX },
		.server_pidfd = -EBADF,
	};
	struct err err = { 0 };
	int code = CODE_ENGINE, r;

	block_signals();
	r = take_record(&k, &err);
	if (r == 0)
		r = make_socket(s, &err);
	if (r == 0)
		r = begin_run(&k, &code, &err);
	if (r < 0) {
		if (k.record_fd >= 0) {
			(void) unlinkat(s->dir_fd, SHIM_SOCKET, 0);
			fail_run(&k, code, &err);
		}
		tell_failed(&k, code ? code : CODE_ENGINE, &err);
		return 1;
	}
	tell_started(&k);
	loop(&k);
	finish_server(&k);
	(void) unlinkat(s->dir_fd, SHIM_SOCKET, 0);
	reap(&k);
	return 0;
}
