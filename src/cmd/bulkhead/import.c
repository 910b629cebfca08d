/* SPDX-License-Identifier: Apache-2.0 */
#include "bulkhead.h"

#include "base/fd.h"
#include "base/str.h"
#include "store/store.h"

#include <fcntl.h>
#include <stdio.h>

struct values {
	char **changes;
	const char *message, *author;
	bool quiet;
};

static const struct opt options[] = {
	{ "change", 'c', OPT_LIST, "INSTRUCTION",
	        "CMD, ENTRYPOINT, ENV, USER, WORKDIR, ... as in a Dockerfile",
	        offsetof(struct values, changes), NULL },
	{ "message", 'm', OPT_TEXT, "TEXT", "comment in the image's history",
	        offsetof(struct values, message), NULL },
	{ "author", 0, OPT_TEXT, "NAME", "author in the image", offsetof(struct values, author),
	        NULL },
	{ "quiet", 'q', OPT_FLAG, NULL, "print the id only", offsetof(struct values, quiet), NULL },
};

static void print_notes(const struct store_imported *got)
{
	if (got->skipped_devices)
		(void) fprintf(stderr,
		        "bulkhead: note: %llu device nodes left out: /dev of a container is the engine's\n",
		        (unsigned long long) got->skipped_devices);
	if (got->dropped_xattrs)
		(void) fprintf(stderr,
		        "bulkhead: note: %llu extended attributes left out (labels, trusted.*)\n",
		        (unsigned long long) got->dropped_xattrs);
}

static int import(
        struct global *global, const struct values *v, int fd, const char *name, struct err *err)
{
	_store_free_ struct store *store = NULL;
	_free_ char *helper = NULL;
	struct store_imported got = { 0 };
	struct store_import options_ = {
		.fd = fd,
		.name = name,
		.changes = v->changes,
		.message = v->message,
		.author = v->author,
	};
	int r = helper_path("bulkhead-unpack", &helper, err);

	if (r < 0)
		return r;
	options_.helper = helper;
	r = store_open(global->root, STORE_WRITE, &store, err);
	if (r < 0)
		return r;
	r = store_import(store, &options_, &got, err);
	if (r < 0)
		return r;
	if (!v->quiet)
		print_notes(&got);
	(void) printf("sha256:%s\n", got.id);
	return 0;
}

static int run(void *data, void *values, int argc, char **argv)
{
	struct values *v = values;
	_close_ int file = -EBADF;
	struct err err;
	int fd = 0, r;

	if (!streq(argv[0], "-")) {
		file = open(argv[0], O_RDONLY | O_CLOEXEC | O_NOCTTY);
		if (file < 0) {
			_free_ char *shown = str_escaped(argv[0]);

			(void) err_errno(&err, -errno, "cannot open the archive '%s'", shown);
			return fail(EXIT_ERROR, &err);
		}
		fd = file;
	}
	r = import(data, v, fd, argc > 1 ? argv[1] : NULL, &err);
	strv_free(v->changes);
	return r < 0 ? fail(EXIT_ERROR, &err) : EXIT_OK;
}

const struct opt_command command_import = {
	.name = "image import",
	.args = "FILE|- [NAME[:TAG]]",
	.help = "make an image from the archive of a root file system",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.min_args = 1,
	.max_args = 2,
	.mixed = true,
	.values_size = sizeof(struct values),
	.run = run,
};
