/* SPDX-License-Identifier: Apache-2.0 */
#include "env_file.h"

#include "base/str.h"

#include <errno.h>
#include <fcntl.h>

static const char blanks[] = " \t\r\v\f";

int env_check(const char *text, void *field, struct err *err)
{
	_free_ char *shown = NULL;

	(void) field;
	if (*text && *text != '=')
		return 0;
	shown = str_escaped(text);
	return err_set(err, -EINVAL, "invalid environment variable: %s", shown);
}

int env_add(const char *text, char ***ret, struct err *err)
{
	const char *value = strchr(text, '=') ? NULL : getenv(text);
	_free_ char *entry = NULL;
	int r = env_check(text, NULL, err);

	if (r < 0)
		return r;
	entry = value ? xprintf("%s=%s", text, value) : xstrdup(text);
	strv_add(ret, entry);
	return 0;
}

/* One line of a file. from_environment: KEY alone is ours. */
static int add_line(const char *line, bool from_environment, char ***ret, struct err *err)
{
	size_t len;
	const char *value;

	line += strspn(line, blanks);
	if (!*line || *line == '#')
		return 0;
	len = strcspn(line, "=");
	if (len == 0 || strcspn(line, blanks) < len) {
		_free_ char *name = xstrndup(line, len), *shown = str_escaped(len ? name : line);

		return err_set(err, -EINVAL,
		        len ? "poorly formatted environment: variable '%s' contains whitespaces"
		            : "poorly formatted environment: no variable name on line '%s'",
		        shown);
	}
	value = from_environment && !line[len] ? getenv(line) : NULL;
	if (line[len] || !from_environment) {
		strv_add(ret, line);
	} else if (value) {
		_free_ char *entry = xprintf("%s=%s", line, value);

		strv_add(ret, entry);
	}
	return 0;
}

static int read_lines(const char *path, bool from_environment, char ***ret, struct err *err)
{
	static const char mark[] =
	        "\xef\xbb\xbf"; /* of UTF-8, at the start of files from Windows */
	_buf_done_ struct buf text = BUF_INIT(ENV_FILE_MAX);
	_free_ char *shown = str_escaped(path);
	int r = buf_read_file(&text, AT_FDCWD, path), number = 0;
	char *rest;

	if (r < 0)
		return err_errno(err, r, "open %s", shown);
	rest = text.data;
	if (rest && strlen(rest) != text.len)
		return err_set(err, -EINVAL,
		        "poorly formatted environment: '%s' is not a text file", shown);
	if (rest && str_has_prefix(rest, mark))
		rest += strlen(mark);
	for (char *line; rest && (line = strsep(&rest, "\n"));) {
		size_t len = strlen(line);

		if (++number > ENV_FILE_ENTRIES_MAX)
			return err_set(err, -E2BIG, "'%s' has more than %d lines", shown,
			        ENV_FILE_ENTRIES_MAX);
		if (!str_is_utf8(line, len))
			return err_set(err, -EINVAL,
			        "poorly formatted environment: invalid utf8 bytes at line %d of '%s'",
			        number, shown);
		if (len > 0 && line[len - 1] == '\r')
			line[len - 1] = '\0';
		r = add_line(line, from_environment, ret, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int env_file_read(const char *path, char ***ret, struct err *err)
{
	return read_lines(path, true, ret, err);
}

int label_file_read(const char *path, char ***ret, struct err *err)
{
	return read_lines(path, false, ret, err);
}
