/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors and warnings. Callers read the log file (containerd: the last JSON line of level error)
 * and stderr (conmon), so an error goes to both; a line is written in one piece or not at all.
 */
#include "cmd.h"
#include "compile/compile.h"

#include "base/fd.h"
#include "base/str.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 16384 };

static const char *const level_names[] = {
	[LOG_ERROR] = "error",
	[LOG_WARNING] = "warning",
	[LOG_DEBUG] = "debug",
};

static const struct {
	const char *name;
	enum log_level level;
} levels[] = {
	{ "debug", LOG_DEBUG },
	{ "error", LOG_ERROR },
	{ "info", LOG_WARNING },
	{ "trace", LOG_DEBUG },
	{ "warn", LOG_WARNING },
	{ "warning", LOG_WARNING },
};

int log_parse_level(const char *text, void *field, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
		if (streq(text, levels[i].name)) {
			*(enum log_level *) field = levels[i].level;
			return 0;
		}
	return err_set(err, -EINVAL, "it is error, warning or debug");
}

int log_parse_format(const char *text, void *field, struct err *err)
{
	if (!streq(text, "text") && !streq(text, "json"))
		return err_set(err, -EINVAL, "it is text or json");
	*(enum log_format *) field = streq(text, "json") ? LOG_JSON : LOG_TEXT;
	return 0;
}

static void add_quoted(struct buf *out, const char *text)
{
	(void) buf_addc(out, '"');
	for (const unsigned char *p = (const unsigned char *) text; *p != '\0'; p++) {
		if (*p == '"' || *p == '\\')
			(void) buf_addf(out, "\\%c", *p);
		else if (*p < 0x20 || *p >= 0x7f)
			(void) buf_addf(out, "\\u%04x", *p);
		else
			(void) buf_addc(out, (char) *p);
	}
	(void) buf_addc(out, '"');
}

static void format_line(
        enum log_format format, enum log_level level, const char *text, struct buf *out)
{
	char time[40];
	time_rfc3339(time, sizeof(time));
	(void) buf_adds(out, format == LOG_JSON ? "{\"msg\":" : "time=\"");
	if (format == LOG_JSON) {
		add_quoted(out, text);
		(void) buf_addf(
		        out, ",\"level\":\"%s\",\"time\":\"%s\"}\n", level_names[level], time);
		return;
	}
	(void) buf_addf(out, "%s\" level=%s msg=", time, level_names[level]);
	add_quoted(out, text);
	(void) buf_addc(out, '\n');
}

static const char *log_path(const struct global *g)
{
	return str_has_prefix(g->log, "file:") ? g->log + strlen("file:") : g->log;
}

static int open_log(const struct global *g)
{
	int fd = open(log_path(g), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0644);
	return fd < 0 ? -errno : fd;
}

int log_check(const struct global *g, struct err *err)
{
	if (!g->log)
		return 0;
	_free_ char *shown = str_escaped(g->log);
	if (str_has_prefix(g->log, "journald:") || str_has_prefix(g->log, "syslog:"))
		return err_set(err, -EOPNOTSUPP,
		        "--log '%s' is not supported by this version: give a file", shown);
	_close_ int fd = open_log(g);
	return fd < 0 ? err_errno(err, fd, "cannot open the log '%s'", shown) : 0;
}

static bool to_file(const struct global *g, enum log_level level, const char *text)
{
	_buf_done_ struct buf line = BUF_INIT(LINE_MAX_BYTES);
	if (!g->log || str_has_prefix(g->log, "journald:") || str_has_prefix(g->log, "syslog:"))
		return false;
	_close_ int fd = open_log(g);
	format_line(g->log_format, level, text, &line);
	return fd >= 0 && buf_ok(&line) && fd_write_all(fd, line.data, line.len) == 0;
}

void log_line(const struct global *g, enum log_level level, const char *text)
{
	enum log_level wanted = g->debug ? LOG_DEBUG : g->log_level;
	if (level > wanted)
		return;
	bool logged = to_file(g, level, text);
	if (logged && level != LOG_ERROR)
		return;
	_buf_done_ struct buf line = BUF_INIT(LINE_MAX_BYTES);
	if (!logged && g->log_format == LOG_JSON)
		format_line(LOG_JSON, level, text, &line);
	else
		(void) buf_addf(&line, "bulkhead-runtime: %s%s\n",
		        level == LOG_WARNING ? "warning: " : "", text);
	(void) fd_write_all(STDERR_FILENO, buf_str(&line), line.len);
}

int fail(const struct global *g, const struct err *err)
{
	log_line(g, LOG_ERROR, err->text);
	return 1;
}

void tell_notes(const struct global *g, struct compile_notes *notes)
{
	for (size_t i = 0; notes->lines && notes->lines[i]; i++)
		log_line(g, LOG_WARNING, notes->lines[i]);
	for (size_t i = 0; notes->details && notes->details[i]; i++)
		log_line(g, LOG_DEBUG, notes->details[i]);
	compile_notes_done(notes);
}
