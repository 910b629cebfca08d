/* SPDX-License-Identifier: Apache-2.0 */
/* Signals, stopping, pausing, waiting. */
#include "engine/life.h"

#include "base/fd.h"
#include "base/str.h"
#include "engine/events.h"
#include "engine/groups.h"
#include "kernel/sys.h"
#include "proc/proc.h"
#include "shim/client.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum {
	DEFAULT_STOP_SECONDS = 10,
	KILL_WAIT_MS = 10000,
	LOOK_EVERY_MS = 20,
};

static void sleep_ms(int ms)
{
	const struct timespec t = { .tv_nsec = (long) ms * 1000000 };

	(void) nanosleep(&t, NULL);
}

static int not_running(const struct container *c, struct err *err)
{
	return err_set(err, -ESRCH, "Container %s is not running", c->id);
}

/* The connection to the shim; -ESRCH when there is none. One that has just been started may not
 * listen yet, and one that ends not any more: the lock tells them apart. */
int life_connect(struct engine *e, struct container *c, int *ret_sock, struct err *err)
{
	for (int waited = 0; waited < KILL_WAIT_MS; waited += LOOK_EVERY_MS) {
		int r = shim_connect(c->dir, ret_sock);

		if (r == 0)
			return 0;
		if (r != -ENOENT && r != -ECONNREFUSED)
			return err_errno(
			        err, r, "cannot connect to the shim of container '%.12s'", c->id);
		r = container_look(e, c, err);
		if (r < 0)
			return r;
		if (!c->alive || c->record.state == RECORD_EXITED)
			return not_running(c, err);
		sleep_ms(LOOK_EVERY_MS);
	}
	return err_set(err, -ETIMEDOUT, "the shim of container '%.12s' does not answer", c->id);
}

static int parse_signal(const struct config *config)
{
	int n = config->stop_signal && *config->stop_signal ? proc_signal_parse(config->stop_signal)
	                                                    : SIGTERM;

	return n > 0 ? n : SIGTERM;
}

/* --- signals ---------------------------------------------------------------------------------- */

static void event_signal(struct engine *e, const struct container *c, int signal)
{
	_free_ char *number = xprintf("%d", signal);
	const struct oci_kv attribute = { "signal", number };

	events_container(e, c, "kill", &attribute, 1);
}

/* A frozen process gets nothing until it is thawed. */
static void thaw(struct engine *e, struct container *c)
{
	_cleanup_(cgroup_handle_done) struct cgroup_handle group = CGROUP_HANDLE_INIT;
	struct err ignored;

	if (!c->paused)
		return;
	if (groups_open(c->cgroup, &group, &ignored) == 0)
		(void) cgroup_freeze(&group, false, &ignored);
	(void) container_set_paused(e, c, 0, &ignored);
}

static int send_signal(
        struct engine *e, struct container *c, int pidfd, int signal, struct err *err)
{
	int r = sys_pidfd_send_signal(pidfd, signal);

	if (r == -ESRCH)
		return not_running(c, err);
	if (r < 0)
		return err_errno(err, r, "cannot signal container '%.12s'", c->id);
	event_signal(e, c, signal);
	return 0;
}

static int no_restart(int sock, struct err *err)
{
	const struct shim_message m = { .type = SHIM_NO_RESTART };
	_shim_packet_done_ struct shim_packet p = SHIM_PACKET_INIT;

	return shim_request(sock, &m, &p, err);
}

int life_kill(struct engine *e, struct container *c, int signal, struct err *err)
{
	_config_free_ struct config *config = NULL;
	_close_ int sock = -EBADF, pidfd = -EBADF;
	int r;

	if (!container_is_running(c))
		return not_running(c, err);
	r = container_config(e, c, &config, err);
	if (r == 0)
		r = life_connect(e, c, &sock, err);
	if (r == 0)
		r = shim_info(sock, &pidfd, NULL, NULL, err);
	/* A person who ends it does not want it back. */
	if (r == 0 && (signal == SIGKILL || signal == parse_signal(config)))
		r = no_restart(sock, err);
	if (r == 0)
		r = send_signal(e, c, pidfd, signal, err);
	if (r == 0 && signal == SIGKILL)
		thaw(e, c);
	return r;
}

/* --- waiting ---------------------------------------------------------------------------------- */

static bool wait_readable(int fd, int64_t timeout_ms)
{
	struct timespec t;
	int64_t end, now;

	(void) clock_gettime(CLOCK_MONOTONIC, &t);
	now = t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
	end = timeout_ms < 0 ? INT64_MAX : now + timeout_ms;
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int left = end == INT64_MAX ? -1 : (int) MIN(end - now, (int64_t) INT32_MAX);

		if (poll(&p, 1, left) > 0)
			return true;
		(void) clock_gettime(CLOCK_MONOTONIC, &t);
		now = t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
		if (now >= end)
			return false;
	}
}

/* Reads messages until the one that tells the end. */
static int await_exited(int sock, int64_t timeout_ms, int *ret_code)
{
	for (;;) {
		_shim_packet_done_ struct shim_packet p = SHIM_PACKET_INIT;
		int r = wait_readable(sock, timeout_ms) ? shim_receive(sock, &p) : -ETIMEDOUT;

		if (r == 0)
			return -ECONNRESET;
		if (r < 0)
			return r;
		if (p.m.type == SHIM_EXITED) {
			*ret_code = p.m.a;
			return 0;
		}
	}
}

int life_wait(struct engine *e, struct container *c, int *ret_code, struct err *err)
{
	const struct shim_message m = { .type = SHIM_WAIT };

	for (;;) {
		_close_ int sock = -EBADF;
		struct err ignored;
		int r = container_look(e, c, err);

		if (r < 0)
			return r;
		if (!c->alive || c->record.state == RECORD_EXITED ||
		        c->record.state == RECORD_CREATED) {
			*ret_code = c->record.exit_code;
			return 0;
		}
		if (life_connect(e, c, &sock, &ignored) < 0 || shim_send(sock, &m, NULL, 0) < 0)
			continue;
		r = await_exited(sock, -1, ret_code);
		if (r == 0)
			return 0;
	}
}

/* --- stop ------------------------------------------------------------------------------------- */

/* The connection tells the end when the record and the groups say so too. */
static int stop_running(struct engine *e, struct container *c, int sock, int signal,
        int64_t timeout_s, struct err *err)
{
	const struct shim_message m = { .type = SHIM_WAIT, .flags = SHIM_WAIT_NEXT };
	_close_ int pidfd = -EBADF;
	int code, r = shim_info(sock, &pidfd, NULL, NULL, err);

	if (r == -ESRCH)
		return 0;
	if (r == 0)
		r = send_signal(e, c, pidfd, signal, err);
	if (r == -ESRCH)
		return 0;
	if (r == 0 && !wait_readable(pidfd, timeout_s < 0 ? -1 : timeout_s * 1000)) {
		r = send_signal(e, c, pidfd, SIGKILL, err);
		thaw(e, c);
	}
	if (r < 0 && r != -ESRCH)
		return r;
	r = shim_send(sock, &m, NULL, 0);
	if (r == 0)
		r = await_exited(sock, KILL_WAIT_MS, &code);
	if (r == -ETIMEDOUT)
		return err_set(err, r,
		        "container '%.12s' does not end, even by SIGKILL (is it waiting for a device or a file server?)",
		        c->id);
	return 0; /* a shim that is gone has ended it */
}

static int64_t own_timeout(const struct config *config)
{
	return config->has_stop_timeout ? config->stop_timeout : DEFAULT_STOP_SECONDS;
}

static bool has_policy(const struct config *config)
{
	return config->restart && *config->restart && !streq(config->restart, "no");
}

/* A shim that goes away while it is spoken to has ended its container. */
static bool is_going(int code)
{
	return code == -ESRCH || code == -EPIPE || code == -ECONNRESET;
}

static int wait_for_shim(struct engine *e, struct container *c, struct err *err)
{
	int r = 0;

	for (int waited = 0; r == 0 && waited < KILL_WAIT_MS; waited += LOOK_EVERY_MS) {
		r = container_look(e, c, err);
		if (r == 0 && (!c->alive || c->record.state == RECORD_EXITED))
			return 0;
		sleep_ms(LOOK_EVERY_MS);
	}
	return r < 0 ? r
	             : err_set(err, -ETIMEDOUT, "the shim of container '%.12s' does not end",
	                       c->id);
}

static int stop_alive(
        struct engine *e, struct container *c, int signal, int64_t timeout_s, struct err *err)
{
	_close_ int sock = -EBADF;
	int r = life_connect(e, c, &sock, err);

	if (r == 0)
		r = no_restart(sock, err);
	if (r == 0)
		r = stop_running(e, c, sock, signal, timeout_s, err);
	return r == 0 || is_going(r) ? wait_for_shim(e, c, err) : r;
}

int life_stop(struct engine *e, struct container *c, int signal, int64_t timeout_s, struct err *err)
{
	_config_free_ struct config *config = NULL;
	int r = container_config(e, c, &config, err);

	if (r == 0 && has_policy(config))
		r = container_set_stopped(e, c, true, err);
	if (r < 0)
		return r;
	if (!c->alive || c->record.state == RECORD_EXITED)
		return 0;
	r = stop_alive(e, c, signal ? signal : parse_signal(config),
	        timeout_s == INT64_MIN ? own_timeout(config) : timeout_s, err);
	if (r == 0)
		events_container(e, c, "stop", NULL, 0);
	return r;
}

/* A shim that does not answer is ended itself; what it kept ends with it (PDEATHSIG). */
static void kill_shim(struct container *c)
{
	pid_t pid = record_owner(c->dir);
	_close_ int pidfd = pid > 0 ? sys_pidfd_open(pid) : -EBADF;

	/* Still the same one: a number that was used again would not hold the lock. */
	if (pidfd >= 0 && record_owner(c->dir) == pid)
		(void) sys_pidfd_send_signal(pidfd, SIGKILL);
}

int life_end(struct engine *e, struct container *c, struct err *err)
{
	_close_ int sock = -EBADF, pidfd = -EBADF;
	int r = life_connect(e, c, &sock, err);

	if (r == 0)
		r = no_restart(sock, err);
	if (r == 0)
		r = shim_info(sock, &pidfd, NULL, NULL, err);
	if (r == 0) {
		(void) sys_pidfd_send_signal(pidfd, SIGKILL);
		event_signal(e, c, SIGKILL);
		thaw(e, c);
		(void) wait_readable(pidfd, KILL_WAIT_MS);
		if (wait_readable(sock, 0)) /* the shim is at its end */
			return 0;
	}
	/* It writes the end down and lets go; a reader that does not read must not keep it. */
	for (int i = 0; i < 10; i++) {
		if (record_owner(c->dir) == 0)
			return 0;
		sleep_ms(LOOK_EVERY_MS);
	}
	kill_shim(c);
	return 0;
}

/* --- pause ------------------------------------------------------------------------------------ */

int life_pause(struct engine *e, struct container *c, bool pause, struct err *err)
{
	_cleanup_(cgroup_handle_done) struct cgroup_handle group = CGROUP_HANDLE_INIT;
	bool paused = streq(container_status(c), "paused");
	int r;

	if (!container_is_running(c))
		return not_running(c, err);
	if (paused == pause)
		return err_set(err, -EALREADY, "Container %s is %s paused", c->id,
		        pause ? "already" : "not");
	r = groups_open(c->cgroup, &group, err);
	if (r == 0)
		r = cgroup_freeze(&group, pause, err);
	if (r == 0)
		r = container_set_paused(e, c, pause ? c->record.started : 0, err);
	if (r == 0)
		events_container(e, c, pause ? "pause" : "unpause", NULL, 0);
	return r;
}
