/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first byte chooses: an image configuration, a manifest, or instructions of --change, one a
 * line. What is accepted is written, and what was written reads and writes the same.
 */
#include "base/str.h"
#include "digest/digest.h"
#include "oci/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool truth)
{
	if (!truth)
		abort();
}

static void check_image(const struct oci_image *img)
{
	_cleanup_(oci_image_freep) struct oci_image *again = NULL;
	_free_ char *first = oci_image_to_json(img), *second = NULL;
	struct err err;

	for (size_t i = 0; img->diff_ids[i]; i++)
		require(digest_is_valid(img->diff_ids[i]));
	require(oci_image_parse(first, strlen(first), &again, &err) == 0);
	second = oci_image_to_json(again);
	require(streq(first, second));
}

static void fuzz_image(const char *text, size_t len)
{
	_cleanup_(oci_image_freep) struct oci_image *img = NULL;
	struct err err;

	if (oci_image_parse(text, len, &img, &err) == 0)
		check_image(img);
}

static void fuzz_manifest(const char *text, size_t len)
{
	_cleanup_(oci_manifest_freep) struct oci_manifest *m = NULL, *again = NULL;
	_free_ char *first = NULL, *second = NULL;
	struct err err;

	if (oci_manifest_parse(text, len, &m, &err) < 0)
		return;
	first = oci_manifest_to_json(m);
	require(oci_manifest_parse(first, strlen(first), &again, &err) == 0);
	second = oci_manifest_to_json(again);
	require(streq(first, second));
}

static void fuzz_changes(const char *text, size_t len)
{
	enum { LINES_MAX = 8 };
	_cleanup_(oci_image_freep) struct oci_image *img = oci_image_new();
	_free_ char *copy = xstrndup(text, len);
	char *rest = copy, *line;
	struct err err;

	for (int i = 0; i < LINES_MAX && (line = strsep(&rest, "\n")); i++)
		(void) oci_image_change(img, line, &err);
	check_image(img);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const targets[])(
	        const char *, size_t) = { fuzz_image, fuzz_manifest, fuzz_changes };

	if (size > 0)
		targets[data[0] % ARRAY_SIZE(targets)]((const char *) data + 1, size - 1);
	return 0;
}
