/* SPDX-License-Identifier: Apache-2.0 */
#include "bulkhead.h"

#include "store/store.h"

#include <errno.h>
#include <stdio.h>

struct values {
	bool force;
};

static const struct opt options[] = {
	{ "force", 'f', OPT_FLAG, NULL,
	        "remove all names of an id, and no error for a missing image",
	        offsetof(struct values, force), NULL },
};

static void print_removed(const struct store_removed *removed)
{
	for (char **name = removed->untagged; name && *name; name++)
		(void) printf("Untagged: %s\n", *name);
	if (*removed->id)
		(void) printf("Deleted: sha256:%s\n", removed->id);
}

static int run(void *data, void *values, int argc, char **argv)
{
	_store_free_ struct store *store = NULL;
	struct global *global = data;
	struct values *v = values;
	struct err err;
	int code = EXIT_OK;

	if (store_open(global->root, STORE_WRITE, &store, &err) < 0)
		return fail(EXIT_ERROR, &err);
	/* Each image by itself: one that cannot go does not keep the others. */
	for (int i = 0; i < argc; i++) {
		struct store_removed removed = { 0 };
		int r = store_remove(
		        store, argv[i], v->force ? STORE_REMOVE_FORCE : 0, &removed, &err);

		if (r == 0)
			print_removed(&removed);
		else if (!(v->force && r == -ENOENT))
			code = fail(EXIT_ERROR, &err);
		store_removed_done(&removed);
	}
	return code;
}

#define REMOVE_COMMAND(words, text)                                                                \
	{                                                                                          \
		.name = (words), .args = "IMAGE [IMAGE...]", .help = (text), .options = options,   \
		.n_options = ARRAY_SIZE(options), .min_args = 1, .max_args = -1, .mixed = true,    \
		.values_size = sizeof(struct values), .run = run,                                  \
	}
const struct opt_command command_rmi = REMOVE_COMMAND("rmi", "remove images");
const struct opt_command command_image_rm = REMOVE_COMMAND("image rm", NULL);
