/* SPDX-License-Identifier: Apache-2.0 */
#include "look.h"

#include "base/arena.h"
#include "base/fd.h"
#include "base/str.h"
#include "engine/life.h"
#include "format/units.h"
#include "logs/journal_read.h"
#include "logs/reader.h"
#include "shim/client.h"

#include <fcntl.h>
#include <time.h>

#define JOURNALCTL "/usr/bin/journalctl"

enum {
	CONNECT_TRIES = 50, /* a shim that has just been started may not listen yet */
	CONNECT_STEP_MS = 20,
};

struct values {
	bool follow, timestamps, details;
	const char *since, *until, *tail;
};

#define AT(field) offsetof(struct values, field)
static const struct opt options[] = {
	{ "details", 0, OPT_FLAG, NULL, "show the labels and variables that --log-opt chose",
	        AT(details), NULL },
	{ "follow", 'f', OPT_FLAG, NULL, "go on until the container ends", AT(follow), NULL },
	{ "since", 0, OPT_TEXT, "TIME", "begin there: a time, or 10m for ten minutes ago",
	        AT(since), NULL },
	{ "tail", 'n', OPT_TEXT, "N", "only the last N lines (default all)", AT(tail), NULL },
	{ "timestamps", 't', OPT_FLAG, NULL, "show when each line was written", AT(timestamps),
	        NULL },
	{ "until", 0, OPT_TEXT, "TIME", "end there", AT(until), NULL },
};

/* Docker takes what is negative, or no number at all, as "all". */
static uint64_t parse_tail(const char *text)
{
	int64_t n;

	return num_parse_i64(text, &n) == 0 && n >= 0 ? (uint64_t) n : LOG_TAIL_ALL;
}

static int understand(const struct values *v, struct log_read_options *o, struct err *err)
{
	struct timespec now;
	int64_t now_ns;
	int r = 0;

	(void) clock_gettime(CLOCK_REALTIME, &now);
	now_ns = (int64_t) now.tv_sec * 1000000000 + now.tv_nsec;
	o->timestamps = v->timestamps;
	o->details = v->details;
	if (v->tail)
		o->tail = parse_tail(v->tail);
	if (v->since)
		r = format_parse_time(v->since, now_ns, &o->since, err);
	if (r == 0 && v->until)
		r = format_parse_time(v->until, now_ns, &o->until, err);
	return r;
}

/* A connection to the shim that becomes readable when the container has ended. -ESRCH: it has. */
static int wait_for_end(struct engine *e, struct container *c, int *ret_fd)
{
	const struct shim_message wait = { .type = SHIM_WAIT };

	for (int i = 0; i < CONNECT_TRIES; i++) {
		const struct timespec step = { .tv_nsec = CONNECT_STEP_MS * 1000000L };
		_close_ int sock = -EBADF;
		int r = shim_connect(c->dir, &sock);

		if (r == 0)
			r = shim_send(sock, &wait, NULL, 0);
		if (r == 0) {
			*ret_fd = TAKE_FD(sock);
			return 0;
		}
		if (container_look(e, c, NULL) < 0 || !c->alive)
			return -ESRCH;
		(void) nanosleep(&step, NULL);
	}
	return -ETIMEDOUT;
}

static int follow(struct engine *e, struct container *c, struct log_read_options *o, int *ret_fd,
        struct err *err)
{
	int r = c->alive ? wait_for_end(e, c, ret_fd) : -ESRCH;

	if (r == -ESRCH)
		return 0;
	if (r < 0)
		return err_errno(err, r, "the shim of container '%.12s' does not answer", c->id);
	o->follow = true;
	o->ended_fd = *ret_fd;
	return 0;
}

static int read_file(const struct container *c, const struct log_read_options *o,
        const struct log_sink *sink, struct err *err)
{
	_close_ int dir = openat(c->dir, "logs", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	struct log_read_result result;
	int r = dir < 0 ? -errno : log_read(dir, o, sink, &result, err);

	/* It has never run. */
	if (r == -ENOENT)
		return 0;
	return dir < 0 ? err_errno(err, r, "cannot open the log of container '%.12s'", c->id) : r;
}

static int read_log(
        struct engine *e, struct container *c, const struct log_read_options *o, struct err *err)
{
	_config_free_ struct config *config = NULL;
	_arena_done_ struct arena arena = { 0 };
	int fds[] = { 1, 2 };
	const struct log_sink sink = { log_sink_fds, fds };
	struct log_config log = { .driver = LOG_DRIVER_NONE };
	int r = container_config(e, c, &config, err);

	if (r == 0)
		r = life_log_config(config, c, &arena, &log, err);
	if (r < 0)
		return r;
	if (log.driver == LOG_DRIVER_NONE)
		return err_set(
		        err, -EOPNOTSUPP, "configured logging driver does not support reading");
	if (log.driver == LOG_DRIVER_JOURNALD)
		return log_read_journal(JOURNALCTL, c->id, o, &sink, err);
	return read_file(c, o, &sink, err);
}

static int run(void *data, void *values, int argc, char **argv)
{
	_container_done_ struct container c = CONTAINER_INIT;
	_engine_done_ struct engine e = ENGINE_INIT;
	struct log_read_options o = LOG_READ_ALL;
	const struct values *v = values;
	_close_ int ended = -EBADF;
	struct err err;
	int r = understand(v, &o, &err);

	if (r == 0)
		r = look_container(data, argv[0], &e, &c, &err);
	if (r == 0 && v->follow)
		r = follow(&e, &c, &o, &ended, &err);
	if (r == 0)
		r = read_log(&e, &c, &o, &err);
	/* A reader that went away, as head does, has seen what it wanted. */
	if (r == -EPIPE)
		return EXIT_ERROR;
	return r < 0 ? fail(EXIT_ERROR, &err) : EXIT_OK;
}

#define LOGS_COMMAND(words, text)                                                                  \
	{                                                                                          \
		.name = (words), .args = "CONTAINER", .help = (text), .options = options,          \
		.n_options = ARRAY_SIZE(options), .min_args = 1, .max_args = 1, .mixed = true,     \
		.values_size = sizeof(struct values), .run = run,                                  \
	}
const struct opt_command command_logs = LOGS_COMMAND("logs", "show the output of a container");
const struct opt_command command_container_logs = LOGS_COMMAND("container logs", NULL);
