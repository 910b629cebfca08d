/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/processes.h"

#include "base/fd.h"
#include "base/str.h"
#include "cgroup/cgroup.h"
#include "engine/groups.h"
#include "format/clean.h"
#include "proc/proc.h"

#include <fcntl.h>
#include <regex.h>
#include <unistd.h>

enum {
	TITLES_MAX = 64,
	COLUMN_MIN = 20, /* docker's columns */
	COLUMN_GAP = 3,
	OPTIONS_MAX = 64,
	MEMBERS_TEXT_MAX = 100000, /* the kernel takes 128 KiB in one word */
};

int processes_list(const struct container *c, pid_t **ret, size_t *ret_n, struct err *err)
{
	_cleanup_(cgroup_handle_done) struct cgroup_handle group = CGROUP_HANDLE_INIT;
	int r;

	if (streq(container_status(c), "restarting"))
		return err_set(err, -ESRCH,
		        "Container %s is restarting, wait until the container is running", c->id);
	if (!container_is_running(c))
		return err_set(err, -ESRCH, "Container %s is not running", c->id);
	r = groups_open(c->cgroup, &group, err);
	return r < 0 ? r : cgroup_pids(&group, ret, ret_n, err);
}

/* --- ps --------------------------------------------------------------------------------------- */

/* "-o user=PID": a heading that lies. */
int processes_check_options(char *const *options, size_t n, struct err *err)
{
	static const char pattern[] = "(^|[ ,])([^ ,=]*)=[ ]*(PID[^ ,]*)";
	_buf_done_ struct buf line = BUF_INIT(1 << 20);
	regmatch_t found[4];
	regex_t regex;
	int r = 0;

	for (size_t i = 0; i < n; i++)
		(void) buf_addf(&line, " %s", options[i]);
	if (regcomp(&regex, pattern, REG_EXTENDED) != 0)
		return err_set(err, -ENOMEM, "cannot check the options of ps");
	for (const char *at = buf_str(&line); r == 0 && regexec(&regex, at, 4, found, 0) == 0;
	        at += found[0].rm_eo) {
		_free_ char *key = xstrndup(at + found[2].rm_so,
		                    (size_t) (found[2].rm_eo - found[2].rm_so)),
		            *value = xstrndup(at + found[3].rm_so,
		                    (size_t) (found[3].rm_eo - found[3].rm_so));
		_free_ char *shown_key = str_escaped(key), *shown_value = str_escaped(value);

		if (!streq(key, "pid"))
			r = err_set(err, -EINVAL, "specifying \"%s=%s\" is not allowed", shown_key,
			        shown_value);
	}
	regfree(&regex);
	return r;
}

static int spawn_ps(const char *program, const char *const *argv, int out, bool quiet,
        int *ret_pidfd, struct err *err)
{
	static const char *const env[] = { "LC_ALL=C.UTF-8", NULL };
	_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	const struct proc_fd fds[] = { { null, 0 }, { out, 1 }, { quiet ? null : 2, 2 } };
	const struct proc_spawn spawn = {
		.path = program,
		.argv = argv,
		.envp = env,
		.fds = fds,
		.n_fds = ARRAY_SIZE(fds),
		.die_with_parent = true,
	};
	pid_t pid = null < 0 ? -errno : proc_spawn(&spawn, ret_pidfd);

	return pid < 0 ? err_errno(err, (int) pid, "cannot start '%s'", program) : 0;
}

/* Its exit status, or a negative errno. */
static int run_once(
        const char *program, const char *const *argv, bool quiet, struct buf *out, struct err *err)
{
	_close_ int read_end = -EBADF, write_end = -EBADF, pidfd = -EBADF;
	int ends[2], r, status;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_errno(err, -errno, "cannot start 'ps'");
	read_end = ends[0];
	write_end = ends[1];
	r = spawn_ps(program, argv, write_end, quiet, &pidfd, err);
	if (r < 0)
		return r;
	write_end = fd_close(write_end);
	r = buf_read_fd(out, read_end);
	read_end = fd_close(read_end); /* one that says too much ends */
	status = proc_wait(pidfd);
	return r < 0 ? err_errno(err, r, "cannot read the output of ps") : status;
}

/* "-q1,2,3": only these, whatever the options would choose by themselves. */
static char *members_option(const pid_t *members, size_t n)
{
	struct buf out = BUF_INIT(MEMBERS_TEXT_MAX);

	for (size_t i = 0; i < n; i++)
		(void) buf_addf(&out, "%s%d", i == 0 ? "-q" : ",", members[i]);
	return buf_take(&out);
}

int processes_run_ps(char *const *options, size_t n, const pid_t *members, size_t n_members,
        struct buf *out, struct err *err)
{
	static const char *const places[] = { "/usr/bin/ps", "/bin/ps" };
	const char *argv[OPTIONS_MAX + 3] = { "ps", "-ef" };
	_free_ char *only = members_option(members, n_members);
	const char *program = NULL;
	int status;

	for (size_t i = 0; i < ARRAY_SIZE(places) && !program; i++)
		program = access(places[i], X_OK) == 0 ? places[i] : NULL;
	if (!program)
		return err_set(err, -ENOENT, "top needs the program 'ps' (apt install procps)");
	if (n > OPTIONS_MAX)
		return err_set(err, -E2BIG, "more than %d options of ps", OPTIONS_MAX);
	for (size_t i = 0; i < n; i++)
		argv[i + 1] = options[i];
	argv[MAX(n, (size_t) 1) + 1] = only;
	if (run_once(program, argv, true, out, err) == 0)
		return 0;
	/* Options that choose processes themselves do not go with it, nor does a very long list. */
	argv[MAX(n, (size_t) 1) + 1] = NULL;
	buf_clear(out);
	status = run_once(program, argv, false, out, err);
	return status > 0 ? err_set(err, -EINVAL, "ps: exit status %d", status) : status;
}

/* --- the table -------------------------------------------------------------------------------- */

/* Cells of all lines, each of as many as there are titles; the last takes the rest of its line. */
struct table {
	char **cells;
	size_t n, columns, pid_column;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\f' || c == '\r';
}

/* The next word of a line; NULL at its end. */
static const char *next_word(const char **at, const char *end, size_t *ret_len)
{
	const char *word;

	while (*at < end && is_blank(**at))
		(*at)++;
	word = *at;
	while (*at < end && !is_blank(**at))
		(*at)++;
	*ret_len = (size_t) (*at - word);
	return *ret_len > 0 ? word : NULL;
}

static void add_cell(struct table *t, const char *text, size_t len)
{
	struct buf clean = BUF_INIT(1 << 20);

	(void) format_clean(&clean, text, len);
	t->cells = xrealloc_n(t->cells, t->n + 1, sizeof(*t->cells));
	t->cells[t->n++] = buf_take(&clean);
}

static void table_done(struct table *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->cells[i]);
	free(t->cells);
}

static int take_titles(struct table *t, const char *line, const char *end, struct err *err)
{
	const char *word;
	size_t len;

	t->pid_column = SIZE_MAX;
	while (t->columns < TITLES_MAX && (word = next_word(&line, end, &len))) {
		if (len == 3 && memcmp(word, "PID", 3) == 0 && t->pid_column == SIZE_MAX)
			t->pid_column = t->columns;
		add_cell(t, word, len);
		t->columns++;
	}
	if (t->pid_column == SIZE_MAX)
		return err_set(err, -EINVAL, "Couldn't find PID field in ps output");
	return 0;
}

static bool is_member(const char *word, size_t len, const pid_t *members, size_t n)
{
	_free_ char *text = xstrndup(word, len);
	uint32_t pid;

	if (num_parse_u32(text, &pid) < 0)
		return false;
	for (size_t i = 0; i < n; i++)
		if ((uint32_t) members[i] == pid)
			return true;
	return false;
}

/* Words of the last column keep one blank between them, as docker's do. */
static void take_last(struct table *t, const char *line, const char *end)
{
	_buf_done_ struct buf rest = BUF_INIT(1 << 20);
	const char *word;
	size_t len;

	while ((word = next_word(&line, end, &len))) {
		if (rest.len > 0)
			(void) buf_addc(&rest, ' ');
		(void) buf_add(&rest, word, len);
	}
	add_cell(t, buf_str(&rest), rest.len);
}

/* A line of a thread ("-" for the number) belongs to the process above it. */
static void take_line(struct table *t, const char *line, const char *end, const pid_t *members,
        size_t n, bool *above)
{
	const char *at = line, *word = NULL;
	size_t len = 0;

	for (size_t i = 0; i <= t->pid_column; i++)
		word = next_word(&at, end, &len);
	if (!word)
		return;
	if (!(len == 1 && *word == '-'))
		*above = is_member(word, len, members, n);
	if (!*above)
		return;
	at = line;
	for (size_t i = 0; i + 1 < t->columns; i++) {
		word = next_word(&at, end, &len);
		add_cell(t, word ? word : "", word ? len : 0);
	}
	take_last(t, at, end);
}

static void print(const struct table *t, struct buf *out)
{
	size_t widths[TITLES_MAX] = { 0 };

	for (size_t i = 0; i < t->n; i++) {
		size_t *w = &widths[i % t->columns];

		*w = MAX(*w, utf8_count(t->cells[i], strlen(t->cells[i])) + COLUMN_GAP);
		*w = MAX(*w, (size_t) COLUMN_MIN);
	}
	for (size_t i = 0; i < t->n; i++) {
		size_t len = utf8_count(t->cells[i], strlen(t->cells[i]));
		bool last = i % t->columns == t->columns - 1;

		(void) buf_adds(out, t->cells[i]);
		if (last)
			(void) buf_addc(out, '\n');
		else
			(void) buf_addf(out, "%*s", (int) (widths[i % t->columns] - len), "");
	}
}

int processes_table(
        const char *ps, const pid_t *members, size_t n, struct buf *out, struct err *err)
{
	_cleanup_(table_done) struct table t = { .cells = NULL };
	const char *end = strchrnul(ps, '\n');
	bool above = false;
	int r = take_titles(&t, ps, end, err);

	if (r < 0)
		return r;
	while (*end) {
		const char *line = end + 1;

		end = strchrnul(line, '\n');
		take_line(&t, line, end, members, n, &above);
	}
	print(&t, out);
	return 0;
}
