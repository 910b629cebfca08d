/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd.h"

#include "base/fd.h"
#include "base/str.h"

#include <fcntl.h>
#include <unistd.h>

struct values {
	const char *bundle, *file;
	bool rootless;
};

static const struct opt options[] = {
	{ "bundle", 'b', OPT_TEXT, "DIR", "folder to write config.json into (default: the current)",
	        offsetof(struct values, bundle), NULL },
	{ "config", 'f', OPT_TEXT, "FILE", "file to write instead of BUNDLE/config.json",
	        offsetof(struct values, file), NULL },
	{ "rootless", 0, OPT_FLAG, NULL, "for a plain user: with a user namespace",
	        offsetof(struct values, rootless), NULL },
};

static int write_new(const char *path, const char *text, struct err *err)
{
	_free_ char *shown = str_escaped(path);
	_close_ int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
	if (fd < 0 && errno == EEXIST)
		return err_set(err, -EEXIST, "'%s' exists already: remove it first", shown);
	int r = fd < 0 ? -errno : fd_write_all(fd, text, strlen(text));
	return r < 0 ? err_errno(err, r, "cannot write '%s'", shown) : 0;
}

static int run(void *global, void *values, int argc _unused_, char **argv _unused_)
{
	const struct global *g = global;
	const struct values *v = values;
	struct err err = { 0 };
	_free_ char *json = oci_spec_default_json(v->rootless, geteuid(), getegid());
	_free_ char *path = v->file ? xstrdup(v->file)
	                            : xprintf("%s/config.json", v->bundle ? v->bundle : ".");
	return write_new(path, json, &err) < 0 ? fail(g, &err) : 0;
}

const struct opt_command command_spec = {
	.name = "spec",
	.args = "",
	.help = "write a config.json to start from",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.values_size = sizeof(struct values),
	.run = run,
};
