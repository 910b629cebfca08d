/* SPDX-License-Identifier: Apache-2.0 */
#include "logs/journal_read.h"

#include "base/fd.h"
#include "base/str.h"
#include "kernel/sys.h"
#include "proc/proc.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

enum {
	PIECE = 65536,
	SETTLE_MS = 500, /* what was sent before the end of a container arrives a little later */
};

struct command {
	char **argv;
	int out, pidfd;
};

static void command_done(struct command *c)
{
	if (c->pidfd >= 0) {
		(void) sys_pidfd_send_signal(c->pidfd, SIGTERM);
		(void) proc_wait(c->pidfd);
	}
	fd_close(c->pidfd);
	fd_close(c->out);
	strv_free(c->argv);
}

static void add_time(char ***argv, const char *option, int64_t ns)
{
	int64_t micro = ns / 1000;
	_free_ char *text = NULL;

	if (micro < 0)
		return; /* before every journal */
	text = xprintf("--%s=@%lld.%06lld", option, (long long) (micro / 1000000),
	        (long long) (micro % 1000000));
	strv_add(argv, text);
}

static char **command_line(const char *id, const struct log_read_options *o)
{
	_free_ char *match = xprintf("CONTAINER_ID_FULL=%s", id);
	char **argv = NULL;

	strv_add(&argv, "journalctl");
	strv_add(&argv, "--quiet");
	strv_add(&argv, "--no-pager");
	strv_add(&argv, "--output=export");
	if (!o->details)
		strv_add(&argv, "--output-fields=MESSAGE,PRIORITY,CONTAINER_PARTIAL_MESSAGE,"
		                "_SOURCE_REALTIME_TIMESTAMP");
	if (o->follow)
		strv_add(&argv, "--follow");
	if (o->tail == LOG_TAIL_ALL) {
		strv_add(&argv, "--lines=all");
	} else {
		_free_ char *lines = xprintf("--lines=%llu", (unsigned long long) o->tail);

		strv_add(&argv, lines);
	}
	if (o->since != LOG_SINCE_BEGIN)
		add_time(&argv, "since", o->since);
	if (o->until != LOG_UNTIL_END && !o->follow)
		add_time(&argv, "until", o->until + 1000); /* its microseconds are cut off */
	strv_add(&argv, match);
	strv_add(&argv, "_UID=0");
	return argv;
}

static int start(const char *program, struct command *c, struct err *err)
{
	static const char *const env[] = { "LC_ALL=C", NULL };
	_close_ int null = open("/dev/null", O_RDONLY | O_CLOEXEC), read_end = -EBADF,
	            write_end = -EBADF;
	int ends[2];

	if (access(program, X_OK) < 0)
		return err_errno(
		        err, -errno, "reading the journal needs the program '%s'", program);
	if (null < 0 || pipe2(ends, O_CLOEXEC) < 0)
		return err_errno(err, -errno, "cannot start '%s'", program);
	read_end = ends[0];
	write_end = ends[1];
	{
		const struct proc_fd fds[] = { { null, 0 }, { write_end, 1 }, { 2, 2 } };
		const struct proc_spawn spawn = {
			.path = program,
			.argv = (const char *const *) c->argv,
			.envp = env,
			.fds = fds,
			.n_fds = ARRAY_SIZE(fds),
			.die_with_parent = true,
		};
		pid_t pid = proc_spawn(&spawn, &c->pidfd);

		if (pid < 0)
			return err_errno(err, (int) pid, "cannot start '%s'", program);
	}
	c->out = TAKE_FD(read_end);
	return 0;
}

/* 1: more may come; 0: the end. */
static int read_piece(struct journal_parser *p, int fd)
{
	char piece[PIECE];
	ssize_t n = TEMP_FAILURE_RETRY(read(fd, piece, sizeof(piece)));
	int r = n > 0 ? journal_parser_take(p, piece, (size_t) n) : 0;

	if (n < 0)
		return -errno;
	return r < 0 ? r : n > 0 && !p->ended;
}

/* Until the program ends, or the container has and nothing came for a while. */
static int read_all(struct journal_parser *p, int fd, int ended_fd)
{
	struct pollfd polls[] = { { .fd = fd, .events = POLLIN },
		{ .fd = ended_fd, .events = POLLIN } };
	int r = 1;

	while (r > 0) {
		int k = poll(polls, 2, polls[1].fd < 0 && ended_fd >= 0 ? SETTLE_MS : -1);

		if (k < 0 && errno != EINTR)
			return -errno;
		if (k == 0)
			return 0;
		if (k > 0 && polls[0].revents)
			r = read_piece(p, fd);
		if (k > 0 && polls[1].revents)
			polls[1].fd = -1; /* poll leaves it out from here on */
	}
	return r;
}

int log_read_journal(const char *program, const char *id, const struct log_read_options *options,
        const struct log_sink *sink, struct err *err)
{
	_cleanup_(command_done) struct command c = { .out = -EBADF, .pidfd = -EBADF };
	_cleanup_(journal_parser_done) struct journal_parser parser;
	int r;

	journal_parser_init(&parser, options, sink);
	c.argv = command_line(id, options);
	r = start(program, &c, err);
	if (r < 0)
		return r;
	r = read_all(&parser, c.out, options->follow ? options->ended_fd : -1);
	if (r == 0)
		r = journal_parser_end(&parser);
	if (r == -EBADMSG)
		return err_set(err, r,
		        "'%s' gave something that is not the journal's export format", program);
	return r < 0 ? err_errno(err, r, "cannot pass on the log") : 0;
}
