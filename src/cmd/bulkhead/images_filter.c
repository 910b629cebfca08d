/* SPDX-License-Identifier: Apache-2.0 */
#include "images_filter.h"

#include "base/str.h"
#include "format/units.h"
#include "oci/image.h"
#include "oci/ref.h"

#include <errno.h>
#include <fnmatch.h>

enum { SECOND = 1000000000 };

/* What the readers of values need. */
struct reading {
	struct store *store;
	int64_t now;
	struct image_filter *filter;
	struct err *err;
};

void image_filter_done(struct image_filter *f)
{
	f->references = strv_free(f->references);
	f->labels = strv_free(f->labels);
}

static int read_dangling(struct reading *r, const char *value)
{
	static const struct {
		const char *text;
		int dangling;
	} values[] = {
		{ "true", 1 },
		{ "1", 1 },
		{ "false", -1 },
		{ "0", -1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		if (streq(value, values[i].text)) {
			r->filter->dangling = values[i].dangling;
			return 0;
		}
	return err_set(r->err, -EINVAL, "the filter 'dangling' must be true or false");
}

static int read_reference(struct reading *r, const char *value)
{
	strv_add(&r->filter->references, value);
	return 0;
}

static int read_label(struct reading *r, const char *value)
{
	strv_add(&r->filter->labels, value);
	return 0;
}

/* When the image that the value names was made. */
static int made(struct reading *r, const char *value, int64_t *ret)
{
	_store_image_done_ struct store_image image = { 0 };
	_free_ char *shown = str_escaped(value);
	int code;

	if (!r->store)
		return err_set(r->err, -ENOENT, "there is no image '%s'", shown);
	code = store_resolve(r->store, value, &image, r->err);
	*ret = image.created;
	return code;
}

static void limit_before(struct image_filter *f, int64_t seconds)
{
	f->before = f->has_before ? MIN(f->before, seconds) : seconds;
	f->has_before = true;
}

static int read_before(struct reading *r, const char *value)
{
	int64_t seconds = 0;
	int code = made(r, value, &seconds);

	if (code == 0)
		limit_before(r->filter, seconds);
	return code;
}

static int read_since(struct reading *r, const char *value)
{
	int64_t seconds = 0;
	int code = made(r, value, &seconds);

	if (code < 0)
		return code;
	r->filter->since = r->filter->has_since ? MAX(r->filter->since, seconds) : seconds;
	r->filter->has_since = true;
	return 0;
}

static int read_until(struct reading *r, const char *value)
{
	int64_t ns = 0;
	int code = format_parse_time(value, r->now * SECOND, &ns, r->err);

	if (code == 0)
		limit_before(r->filter, ns / SECOND);
	return code;
}

static const struct {
	const char *key;
	int (*read)(struct reading *r, const char *value);
} keys[] = {
	{ "before=", read_before },
	{ "dangling=", read_dangling },
	{ "label=", read_label },
	{ "reference=", read_reference },
	{ "since=", read_since },
	{ "until=", read_until },
};

static int read_one(struct reading *r, const char *text)
{
	_free_ char *shown = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (str_has_prefix(text, keys[i].key))
			return keys[i].read(r, text + strlen(keys[i].key));
	shown = str_escaped(text);
	return err_set(r->err, -EINVAL,
	        "the filter '%s' is not known: write one of before=IMAGE, dangling=true, "
	        "label=KEY[=VALUE], reference=PATTERN, since=IMAGE, until=TIME",
	        shown);
}

int image_filter_parse(char *const *texts, struct store *store, int64_t now,
        struct image_filter *ret, struct err *err)
{
	struct reading reading = { .store = store, .now = now, .filter = ret, .err = err };
	int r = 0;

	for (; texts && *texts && r == 0; texts++)
		r = read_one(&reading, *texts);
	return r;
}

/* KEY, or KEY=VALUE. */
static bool has_label(const struct oci_image *config, const char *want)
{
	size_t key_len = strcspn(want, "=");

	for (size_t i = 0; i < config->n_labels; i++) {
		const struct oci_kv *label = &config->labels[i];

		if (strlen(label->key) != key_len || memcmp(label->key, want, key_len) != 0)
			continue;
		return !want[key_len] || streq(label->value, want + key_len + 1);
	}
	return false;
}

int image_filter_fits(const struct image_filter *f, struct store *store,
        const struct store_image *image, struct err *err)
{
	struct oci_image *config = NULL;
	bool fits = true;
	int r;

	if ((f->dangling > 0 && strv_len(image->names) > 0) ||
	        (f->dangling < 0 && strv_len(image->names) == 0) ||
	        (f->has_before && image->created >= f->before) ||
	        (f->has_since && image->created <= f->since))
		return 0;
	if (!f->labels)
		return 1;
	r = store_image_config(store, image, &config, err);
	if (r < 0)
		return r;
	for (char **want = f->labels; *want && fits; want++)
		fits = has_label(config, *want);
	(void) oci_image_free(config);
	return fits;
}

bool image_filter_name(const struct image_filter *f, const char *name)
{
	_free_ char *whole = NULL, *repository = NULL;
	struct oci_ref ref;

	if (!f->references)
		return true;
	if (!name || oci_ref_parse(name, &ref, NULL) < 0)
		return false;
	whole = oci_ref_familiar(&ref);
	repository = oci_ref_familiar_name(&ref);
	/* A pattern does not cross a slash, in docker too. */
	for (char **pattern = f->references; *pattern; pattern++)
		if (fnmatch(*pattern, whole, FNM_PATHNAME) == 0 ||
		        fnmatch(*pattern, repository, FNM_PATHNAME) == 0)
			return true;
	return false;
}
