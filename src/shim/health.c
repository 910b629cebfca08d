/* SPDX-License-Identifier: Apache-2.0 */
/* Health probes: a program in the container from time to time, its exit code, what it said. */
#include "base/fd.h"
#include "base/str.h"
#include "kernel/sys.h"
#include "logs/escape.h"
#include "logs/stamp.h"
#include "plan/plan.h"
#include "proc/proc.h"
#include "shim/internal.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define SECOND INT64_C(1000000000)

enum {
	DEFAULT_SECONDS = 30,
	DEFAULT_RETRIES = 3,
	START_INTERVAL_SECONDS = 5,
	RESULTS_KEPT = 5,
	RESULT_MAX = 6 * 4096 + 512, /* each byte of the output may need six */
};

static const char file[] = "health.json";

static int64_t or_default(uint64_t value, int64_t seconds)
{
	return value > 0 && value <= INT64_MAX / 2 ? (int64_t) value : seconds * SECOND;
}

/* Within the start period failures do not count, and probes come at another pace when asked for. */
static bool in_start_period(const struct health *h, const struct shim *s)
{
	return s->settings.health_start_period > 0 &&
	       shim_now() - h->started < or_default(s->settings.health_start_period, 0);
}

static int64_t interval(const struct health *h, const struct shim *s, const struct record *r)
{
	if (r->health == RECORD_HEALTH_STARTING && s->settings.health_start_interval > 0 &&
	        in_start_period(h, s))
		return or_default(s->settings.health_start_interval, START_INTERVAL_SECONDS);
	return or_default(s->settings.health_interval, DEFAULT_SECONDS);
}

void health_init(struct health *h, const struct shim *s, struct record *record)
{
	*h = (struct health){ .pidfd = -EBADF, .out = -EBADF, .due = INT64_MAX };
	record->failing = 0;
	record->health = RECORD_HEALTH_NONE;
	if (!s->settings.health)
		return;
	record->health = RECORD_HEALTH_STARTING;
	h->started = shim_now();
	h->due = h->started + interval(h, s, record);
	(void) unlinkat(s->dir_fd, file, 0); /* results of an earlier run; there may be none */
}

int64_t health_next(const struct health *h)
{
	return h->pidfd >= 0 ? h->deadline : h->due;
}

void health_stop(struct health *h)
{
	if (h->pidfd >= 0) {
		(void) sys_pidfd_send_signal(h->pidfd, SIGKILL);
		(void) proc_wait(h->pidfd);
	}
	h->pidfd = fd_close(h->pidfd);
	h->out = fd_close(h->out);
	h->due = INT64_MAX;
}

/* --- results ---------------------------------------------------------------------------------- */

/* The last results: one JSON object a line, the newest last. Failing to keep them is no failure of
 * the container. */
static void keep_result(const struct shim *s, const char *line)
{
	_buf_done_ struct buf old = BUF_INIT((size_t) RESULTS_KEPT * RESULT_MAX),
	                      all = BUF_INIT(SIZE_MAX);
	size_t lines = 0;
	const char *p;

	if (buf_read_file(&old, s->dir_fd, file) < 0)
		buf_clear(&old);
	for (p = buf_str(&old); *p; p++)
		lines += *p == '\n';
	p = buf_str(&old);
	for (; lines >= RESULTS_KEPT && (p = strchr(p, '\n')); lines--)
		p++;
	(void) buf_adds(&all, p ? p : "");
	(void) buf_adds(&all, line);
	(void) fd_replace_file(s->dir_fd, file, buf_str(&all), all.len, 0600, false);
}

static void store_result(const struct health *h, const struct shim *s, int code)
{
	_buf_done_ struct buf line = BUF_INIT(RESULT_MAX);
	_free_ char *output = xmalloc(sizeof(h->text) * LOG_ESCAPE_MAX);
	char begun[LOG_STAMP_SIZE], ended[LOG_STAMP_SIZE];
	size_t used,
	        len = log_escape(h->text, h->len, &used, output, sizeof(h->text) * LOG_ESCAPE_MAX);

	(void) log_stamp_fixed(h->began, begun);
	(void) log_stamp_fixed(shim_wall_now(), ended);
	(void) buf_addf(&line,
	        "{\"Start\":\"%s\",\"End\":\"%s\",\"ExitCode\":%d,\"Output\":\"%.*s\"}\n", begun,
	        ended, code, (int) len, output);
	if (buf_ok(&line))
		keep_result(s, buf_str(&line));
}

static void judge(struct health *h, struct shim *s, int code, struct record *record)
{
	uint32_t retries = s->settings.health_retries ? s->settings.health_retries
	                                              : DEFAULT_RETRIES;
	enum record_health before = record->health;

	if (code == 0) {
		record->failing = 0;
		record->health = RECORD_HEALTH_HEALTHY;
	} else if (!(record->health == RECORD_HEALTH_STARTING && in_start_period(h, s))) {
		record->failing++;
		if (record->failing >= retries)
			record->health = RECORD_HEALTH_UNHEALTHY;
	}
	if (before != record->health) {
		_free_ char *action = xprintf(
		        "health_status: %s", record_health_name(record->health));

		shim_event(s->events_fd, s->settings.id, action, NULL, NULL);
	}
}

/* --- a probe ---------------------------------------------------------------------------------- */

static int start_probe(struct health *h, struct shim *s, int container_pidfd, struct err *err)
{
	_cleanup_(plan_freep) struct plan *plan = NULL;
	_close_ int in = open("/dev/null", O_RDWR | O_CLOEXEC), out = -EBADF;
	struct sandbox_target target = { .pidfd = container_pidfd };
	struct sandbox_child child = { .pidfd = -EBADF, .sync = -EBADF, .terminal_fd = -EBADF };
	struct sandbox_io io = { .gate_fd = -EBADF, .result_fd = -EBADF, .die_with_parent = true };
	int p[2], code, r;

	h->out = fd_close(h->out);
	if (pipe2(p, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	h->out = p[0];
	out = p[1];
	(void) fcntl(out, F_SETFL, 0); /* the container's end blocks as programs expect */
	io.stdin_fd = in;
	io.stdout_fd = io.stderr_fd = out;
	r = plan_open(s->health_plan_fd, &plan, err);
	if (r == 0)
		r = sandbox_enter(plan, &target, &io, &child, &code, err);
	if (r < 0)
		return r;
	h->pidfd = child.pidfd;
	out = fd_close(out);
	r = sandbox_wait_exec(&child, &code, err);
	(void) fd_close(child.sync);
	return r;
}

static void begin(struct health *h, struct shim *s, int container_pidfd, struct record *record)
{
	struct err err = { 0 };
	int r;

	h->began = shim_wall_now();
	h->deadline = shim_now() + or_default(s->settings.health_timeout, DEFAULT_SECONDS);
	h->timed_out = false;
	h->len = 0;
	r = start_probe(h, s, container_pidfd, &err);
	if (r == 0)
		return;
	/* A probe that cannot be started has failed. */
	h->len = MIN(strlen(err.text), sizeof(h->text));
	memcpy(h->text, err.text, h->len);
	health_stop(h);
	store_result(h, s, -1);
	judge(h, s, 1, record);
	h->due = shim_now() + interval(h, s, record);
}

/* What it says beyond the room that there is is read and dropped, so that it cannot hang. */
static void read_output(struct health *h)
{
	static char rest[4096];
	ssize_t n;

	for (int i = 0; i < 64; i++) {
		size_t room = sizeof(h->text) - h->len;

		n = read(h->out, room ? h->text + h->len : rest, room ? room : sizeof(rest));
		if (n <= 0)
			break;
		h->len += room ? (size_t) n : 0;
	}
}

static void finish(struct health *h, struct shim *s, struct record *record)
{
	int code = proc_wait(h->pidfd);

	h->pidfd = fd_close(h->pidfd);
	read_output(h);
	h->out = fd_close(h->out);
	if (h->timed_out) {
		h->len = (size_t) snprintf(h->text, sizeof(h->text),
		        "Health check exceeded timeout (%lld s)",
		        (long long) (or_default(s->settings.health_timeout, DEFAULT_SECONDS) /
		                     SECOND));
		code = -1;
	}
	store_result(h, s, code);
	judge(h, s, code, record);
	h->due = shim_now() + interval(h, s, record);
}

bool health_step(struct health *h, struct shim *s, int container_pidfd, struct record *record)
{
	struct record before = *record;
	int64_t now = shim_now();

	if (h->pidfd < 0) {
		if (now >= h->due)
			begin(h, s, container_pidfd, record);
	} else {
		read_output(h);
		if (now >= h->deadline && !h->timed_out) {
			h->timed_out = true;
			(void) sys_pidfd_send_signal(h->pidfd, SIGKILL);
		}
		if (proc_has_ended(h->pidfd))
			finish(h, s, record);
	}
	return before.health != record->health || before.failing != record->failing;
}
