/* SPDX-License-Identifier: Apache-2.0 */
#include "bulkhead.h"

#include "base/str.h"
#include "format/table.h"
#include "format/units.h"
#include "images_filter.h"
#include "oci/ref.h"

#include <errno.h>
#include <json-c/json_object.h>
#include <time.h>
#include <unistd.h>

enum { SHORT_ID = 12, OUTPUT_MAX = 64 << 20 };

struct values {
	bool quiet, no_trunc, digests;
	const char *format;
	char **filters;
};

static const struct opt options[] = {
	{ "quiet", 'q', OPT_FLAG, NULL, "print ids only", offsetof(struct values, quiet), NULL },
	{ "no-trunc", 0, OPT_FLAG, NULL, "print whole ids", offsetof(struct values, no_trunc),
	        NULL },
	{ "digests", 0, OPT_FLAG, NULL, "print the digests of manifests",
	        offsetof(struct values, digests), NULL },
	{ "filter", 'f', OPT_LIST, "KEY=VALUE",
	        "only images that fit: dangling, reference, label, before, since, until",
	        offsetof(struct values, filters), NULL },
	{ "format", 0, OPT_TEXT, "FORMAT", "'table', 'table TEMPLATE', 'json' or a Go template",
	        offsetof(struct values, format), NULL },
	{ "all", 'a', OPT_IGNORED_FLAG, NULL, NULL, 0, NULL },
};

static const struct format_header headers[] = {
	{ "ID", "IMAGE ID" },
	{ "Repository", "REPOSITORY" },
	{ "Tag", "TAG" },
	{ "Digest", "DIGEST" },
	{ "CreatedSince", "CREATED" },
	{ "CreatedAt", "CREATED AT" },
	{ "Size", "SIZE" },
	{ "Containers", "CONTAINERS" },
	{ "VirtualSize", "SIZE" },
	{ "SharedSize", "SHARED SIZE" },
	{ "UniqueSize", "UNIQUE SIZE" },
	{ NULL, NULL },
};

static void add_text(struct json_object *row, const char *field, const char *text)
{
	(void) json_object_object_add(row, field, json_object_new_string(text));
}

/* Fields that name the image: they differ from row to row of one image. */
static void add_names(struct json_object *row, const char *name)
{
	_free_ char *repository = NULL;
	struct oci_ref ref;
	bool named = name && oci_ref_parse(name, &ref, NULL) == 0;

	if (named)
		repository = oci_ref_familiar_name(&ref);
	add_text(row, "Repository", named ? repository : "<none>");
	add_text(row, "Tag", named && *ref.tag ? ref.tag : "<none>");
}

static struct json_object *make_row(
        const struct store_image *image, const char *name, bool no_trunc, int64_t now)
{
	struct json_object *row = json_object_new_object();
	_free_ char *since = format_ago(now, image->created),
	            *digest = xprintf("sha256:%s", image->manifest),
	            *id = no_trunc ? xprintf("sha256:%s", image->id)
	                           : xprintf("%.*s", SHORT_ID, image->id);
	char size[FORMAT_UNIT_SIZE], at[FORMAT_TIME_SIZE];

	format_size(size, image->size, 3);
	format_time_local(at, image->created);
	add_text(row, "ID", id);
	add_names(row, name);
	add_text(row, "Digest", digest);
	add_text(row, "CreatedSince", since);
	add_text(row, "CreatedAt", at);
	add_text(row, "Size", size);
	add_text(row, "VirtualSize", size);
	/* What docker does not know either, unless it is asked for disk usage. */
	add_text(row, "Containers", "N/A");
	add_text(row, "SharedSize", "N/A");
	add_text(row, "UniqueSize", "N/A");
	return row;
}

/* The rows of one image: one for each of its names, or one alone. */
static void add_image(struct json_object *rows, const struct store_image *image,
        const struct values *v, const struct image_filter *filter, int64_t now)
{
	bool each = strv_len(image->names) > 0 && !v->quiet, any = false;

	for (char **name = image->names; name && *name; name++) {
		bool fits = image_filter_name(filter, *name);

		any = any || fits;
		if (each && fits)
			(void) json_object_array_add(
			        rows, make_row(image, *name, v->no_trunc, now));
	}
	if (!each && (any || image_filter_name(filter, NULL)))
		(void) json_object_array_add(rows, make_row(image, NULL, v->no_trunc, now));
}

static int add_images(struct store *store, struct json_object *rows, const struct values *v,
        int64_t now, struct err *err)
{
	_cleanup_(image_filter_done) struct image_filter filter = { 0 };
	_store_list_done_ struct store_list list = { 0 };
	int r = image_filter_parse(v->filters, store, now, &filter, err);

	if (r < 0 || !store)
		return r;
	r = store_list(store, &list, err);
	for (size_t i = 0; i < list.n && r >= 0; i++) {
		r = image_filter_fits(&filter, store, &list.images[i], err);
		if (r > 0)
			add_image(rows, &list.images[i], v, &filter, now);
	}
	return r < 0 ? r : 0;
}

static int print_images(const struct global *global, const struct values *v, struct buf *out,
        struct json_object *rows, struct err *err)
{
	bool table = !v->format || !*v->format || streq(v->format, "table");
	const struct format_list list = {
		.spec = v->format,
		.table = v->digests ? "{{.Repository}}\t{{.Tag}}\t{{.Digest}}\t{{.ID}}\t"
		                      "{{.CreatedSince}}\t{{.Size}}"
		                    : "{{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t"
		                      "{{.Size}}",
		.quiet = v->quiet && table ? "{{.ID}}" : NULL,
		.headers = headers,
		.clean = isatty(STDOUT_FILENO) == 1,
	};
	_store_free_ struct store *store = NULL;
	int r = format_list_check(&list, err);

	if (r < 0)
		return r;
	r = store_open(global->root, STORE_READ, &store, err);
	/* No store yet is a store without images. */
	if (r < 0 && r != -ENOENT)
		return r;
	r = add_images(store, rows, v, (int64_t) time(NULL), err);
	return r < 0 ? r : format_list(&list, rows, out, err);
}

static int run(void *data, void *values, int argc, char **argv)
{
	_buf_done_ struct buf out = BUF_INIT(OUTPUT_MAX);
	struct json_object *rows = json_object_new_array();
	struct values *v = values;
	struct err err;
	int r = print_images(data, v, &out, rows, &err);

	(void) json_object_put(rows);
	v->filters = strv_free(v->filters);
	return r < 0 ? fail(EXIT_ERROR, &err) : print_text(&out);
}

#define LIST_COMMAND(words, text)                                                                  \
	{                                                                                          \
		.name = (words), .args = "", .help = (text), .options = options,                   \
		.n_options = ARRAY_SIZE(options), .values_size = sizeof(struct values),            \
		.run = run,                                                                        \
	}
const struct opt_command command_images = LIST_COMMAND("images", "list images");
const struct opt_command command_image_ls = LIST_COMMAND("image ls", NULL);
