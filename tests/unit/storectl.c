/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store by itself, for tests that kill it, fill its disk or take its rights away:
 *
 *   storectl ROOT import FILE|- NAME|- HELPER [CHANGE...]
 *   storectl ROOT limited-import FILE BYTES ENTRIES RATIO HELPER
 *   storectl ROOT list | resolve TEXT | config TEXT | remove TEXT | remove-force TEXT
 *   storectl ROOT time TEXT      nanoseconds of open, resolve and config
 */
#include "base/fd.h"
#include "base/str.h"
#include "oci/image.h"
#include "store/store.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static int fail(const struct err *err)
{
	(void) fprintf(stderr, "storectl: %s\n", err->text);
	return EXIT_FAILURE;
}

static int do_import(struct store *s, char **args, const struct store_limits *limits,
        const char *helper, const char *name, char **changes)
{
	struct store_imported got = { .known = false };
	struct store_import o = {
		.helper = helper,
		.name = name,
		.changes = changes,
		.limits = limits ? *limits : (struct store_limits){ .entries = 0 },
	};
	_close_ int file = -EBADF;
	struct err err = { 0 };

	if (!streq(args[0], "-")) {
		file = open(args[0], O_RDONLY | O_CLOEXEC);
	}
	o.fd = file >= 0 ? file : STDIN_FILENO;
	if (store_import(s, &o, &got, &err) < 0)
		return fail(&err);
	(void) printf("%s %d %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", got.id, got.known,
	        got.entries, got.content_bytes, got.skipped_devices, got.dropped_xattrs);
	return EXIT_SUCCESS;
}

static int cmd_import(struct store *s, char **args)
{
	return do_import(s, args, NULL, args[2], streq(args[1], "-") ? NULL : args[1], args + 3);
}

static int cmd_limited_import(struct store *s, char **args)
{
	struct store_limits limits = { .ratio = 0 };

	if (num_parse_u64(args[1], &limits.content_bytes) < 0 ||
	        num_parse_u64(args[2], &limits.entries) < 0 ||
	        num_parse_u32(args[3], &limits.ratio) < 0)
		return EXIT_FAILURE;
	return do_import(s, args, &limits, args[4], NULL, NULL);
}

static void print_image(const struct store_image *image)
{
	(void) printf("%s", image->id);
	for (char **n = image->names; n && *n; n++)
		(void) printf(" %s", *n);
	for (char **l = image->layers; l && *l; l++)
		(void) printf(" %s", *l);
	(void) printf("\n");
}

static int cmd_list(struct store *s, _unused_ char **args)
{
	_store_list_done_ struct store_list list = { .n = 0 };
	struct err err = { 0 };

	if (store_list(s, &list, &err) < 0)
		return fail(&err);
	for (size_t i = 0; i < list.n; i++)
		print_image(&list.images[i]);
	return EXIT_SUCCESS;
}

static int cmd_resolve(struct store *s, char **args)
{
	_store_image_done_ struct store_image image = { .size = 0 };
	struct err err = { 0 };

	if (store_resolve(s, args[0], &image, &err) < 0)
		return fail(&err);
	print_image(&image);
	return EXIT_SUCCESS;
}

static int cmd_config(struct store *s, char **args)
{
	_store_image_done_ struct store_image image = { .size = 0 };
	_cleanup_(oci_image_freep) struct oci_image *config = NULL;
	_free_ char *json = NULL;
	struct err err = { 0 };

	if (store_resolve(s, args[0], &image, &err) < 0 ||
	        store_image_config(s, &image, &config, &err) < 0)
		return fail(&err);
	json = oci_image_to_json(config);
	(void) printf("%s\n", json);
	return EXIT_SUCCESS;
}

static int remove_image(struct store *s, const char *text, unsigned int flags)
{
	struct store_removed removed = { .untagged = NULL };
	struct err err = { 0 };

	if (store_remove(s, text, flags, &removed, &err) < 0)
		return fail(&err);
	for (char **n = removed.untagged; n && *n; n++)
		(void) printf("untagged %s\n", *n);
	if (*removed.id)
		(void) printf("deleted %s\n", removed.id);
	store_removed_done(&removed);
	return EXIT_SUCCESS;
}

static int cmd_remove(struct store *s, char **args)
{
	return remove_image(s, args[0], 0);
}

static int cmd_remove_force(struct store *s, char **args)
{
	return remove_image(s, args[0], STORE_REMOVE_FORCE);
}

static const struct {
	const char *name;
	int args;
	enum store_mode mode;
	int (*run)(struct store *s, char **args);
} commands[] = {
	{ "import", 3, STORE_WRITE, cmd_import },
	{ "limited-import", 5, STORE_WRITE, cmd_limited_import },
	{ "list", 0, STORE_READ, cmd_list },
	{ "resolve", 1, STORE_READ, cmd_resolve },
	{ "config", 1, STORE_READ, cmd_config },
	{ "time", 1, STORE_WRITE, cmd_config },
	{ "remove", 1, STORE_WRITE, cmd_remove },
	{ "remove-force", 1, STORE_WRITE, cmd_remove_force },
};

static uint64_t now(void)
{
	struct timespec t;

	(void) clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t) t.tv_sec * 1000000000 + (uint64_t) t.tv_nsec;
}

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 2 && i < ARRAY_SIZE(commands); i++) {
		_store_free_ struct store *s = NULL;
		struct err err = { 0 };
		uint64_t start = now();
		int r;

		if (!streq(argv[2], commands[i].name) || argc - 3 < commands[i].args)
			continue;
		if (store_open(argv[1], commands[i].mode, &s, &err) < 0)
			return fail(&err);
		r = commands[i].run(s, argv + 3);
		if (streq(argv[2], "time"))
			(void) fprintf(stderr, "%" PRIu64 "\n", now() - start);
		return r;
	}
	(void) fprintf(stderr, "storectl: wrong arguments\n");
	return 2;
}
