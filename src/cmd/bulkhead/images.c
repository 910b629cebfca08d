/* SPDX-License-Identifier: Apache-2.0 */
#include "bulkhead.h"

#include "base/str.h"
#include "oci/ref.h"
#include "store/store.h"

#include <errno.h>
#include <time.h>

enum { SHORT_ID = 12 };

struct values {
	bool quiet, no_trunc;
};

static const struct opt options[] = {
	{ "quiet", 'q', OPT_FLAG, NULL, "print ids only", offsetof(struct values, quiet), NULL },
	{ "no-trunc", 0, OPT_FLAG, NULL, "print whole ids", offsetof(struct values, no_trunc),
	        NULL },
	{ "all", 'a', OPT_IGNORED_FLAG, NULL, NULL, 0, NULL },
};

/* "3 days ago", as people read it. */
static char *age(int64_t created)
{
	static const struct {
		int64_t seconds;
		const char *unit;
	} units[] = {
		{ 31536000, "year" },
		{ 2592000, "month" },
		{ 604800, "week" },
		{ 86400, "day" },
		{ 3600, "hour" },
		{ 60, "minute" },
		{ 1, "second" },
	};
	int64_t s = time(NULL) - created;

	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		int64_t n = s / units[i].seconds;

		if (n >= 1)
			return xprintf(
			        "%lld %s%s ago", (long long) n, units[i].unit, n == 1 ? "" : "s");
	}
	return xstrdup("just now");
}

/* Decimal units, as docker prints sizes. */
static char *human_size(uint64_t bytes)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB" };
	double n = (double) bytes;
	size_t i = 0;

	for (; n >= 1000 && i + 1 < ARRAY_SIZE(units); i++)
		n /= 1000;
	return xprintf("%.3g%s", n, units[i]);
}

static void add_row(
        const struct store_image *image, const char *name, const struct values *v, struct buf *out)
{
	_free_ char *repository = NULL, *when = age(image->created),
	            *size = human_size(image->size);
	const char *tag = "<none>";
	struct oci_ref ref;
	int width = v->no_trunc ? STORE_ID_SIZE - 1 : SHORT_ID;

	if (v->quiet) {
		(void) buf_addf(out, "%s%.*s\n", v->no_trunc ? "sha256:" : "", width, image->id);
		return;
	}
	if (name && oci_ref_parse(name, &ref, NULL) == 0) {
		repository = oci_ref_familiar_name(&ref);
		tag = *ref.tag ? ref.tag : "<none>";
	} else {
		repository = xstrdup("<none>");
	}
	(void) buf_addf(out, "%-30s   %-12s   %s%.*s   %-16s   %s\n", repository, tag,
	        v->no_trunc ? "sha256:" : "", width, image->id, when, size);
}

static int run(void *data, void *values, int argc, char **argv)
{
	_buf_done_ struct buf out = BUF_INIT(64 << 20);
	_store_list_done_ struct store_list list = { 0 };
	_store_free_ struct store *store = NULL;
	struct global *global = data;
	struct values *v = values;
	struct err err;
	int r = store_open(global->root, STORE_READ, &store, &err);

	/* No store yet is a store without images. */
	if (r < 0 && r != -ENOENT)
		return fail(EXIT_ERROR, &err);
	if (store && store_list(store, &list, &err) < 0)
		return fail(EXIT_ERROR, &err);
	if (!v->quiet)
		(void) buf_addf(&out, "%-30s   %-12s   %-*s   %-16s   %s\n", "REPOSITORY", "TAG",
		        v->no_trunc ? 71 : SHORT_ID, "IMAGE ID", "CREATED", "SIZE");
	for (size_t i = 0; i < list.n; i++) {
		const struct store_image *image = &list.images[i];

		if (strv_len(image->names) == 0 || v->quiet)
			add_row(image, NULL, v, &out);
		for (char **name = image->names; !v->quiet && name && *name; name++)
			add_row(image, *name, v, &out);
	}
	return print_text(&out);
}

#define LIST_COMMAND(words, text)                                                                  \
	{                                                                                          \
		.name = (words), .args = "", .help = (text), .options = options,                   \
		.n_options = ARRAY_SIZE(options), .values_size = sizeof(struct values),            \
		.run = run,                                                                        \
	}
const struct opt_command command_images = LIST_COMMAND("images", "list images");
const struct opt_command command_image_ls = LIST_COMMAND("image ls", NULL);
