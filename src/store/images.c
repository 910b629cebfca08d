/* SPDX-License-Identifier: Apache-2.0 */
/* Finding and reading images. */
#include "base/buf.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "digest/digest.h"
#include "oci/image.h"
#include "oci/ref.h"
#include "store/internal.h"

#include <fcntl.h>
#include <stdio.h>

void store_image_done(struct store_image *image)
{
	strv_free(image->names);
	strv_free(image->layers);
	*image = (struct store_image){ .size = 0 };
}

void store_list_done(struct store_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		store_image_done(&list->images[i]);
	free(list->images);
	*list = (struct store_list){ .n = 0 };
}

static bool is_hex(const char *text, size_t len)
{
	return strlen(text) == len && strspn(text, "0123456789abcdef") == len;
}

bool store_is_hex_id(const char *text)
{
	return is_hex(text, STORE_HEX_LEN);
}

static void copy_id(char ret[STORE_ID_SIZE], sqlite3_stmt *q, int column)
{
	const unsigned char *text = sqlite3_column_text(q, column);

	(void) snprintf(ret, STORE_ID_SIZE, "%s", text ? (const char *) text : "");
}

/* --- one image -------------------------------------------------------------------------------- */

static int read_names(struct store *s, struct store_image *image, struct err *err)
{
	_stmt_ sqlite3_stmt *q = db_prepare(
	        s, "SELECT name FROM names WHERE image_id = ?1 ORDER BY name", err);
	const char *const id[] = { image->id };
	int r = q ? db_step(s, q, id, 1, err) : -EIO;

	while (r > 0) {
		strv_add(&image->names, (const char *) sqlite3_column_text(q, 0));
		r = db_step(s, q, NULL, 0, err);
	}
	return r;
}

static int read_layers(struct store *s, struct store_image *image, struct err *err)
{
	_stmt_ sqlite3_stmt *q = db_prepare(s,
	        "SELECT i.diff_id, l.content_bytes FROM image_layers i JOIN layers l USING (diff_id) "
	        "WHERE i.image_id = ?1 ORDER BY i.position DESC",
	        err);
	const char *const id[] = { image->id };
	int r = q ? db_step(s, q, id, 1, err) : -EIO;

	while (r > 0) {
		_free_ char *layer = xprintf("layers/%s", (const char *) sqlite3_column_text(q, 0));

		strv_add(&image->layers, layer);
		image->size += (uint64_t) sqlite3_column_int64(q, 1);
		r = db_step(s, q, NULL, 0, err);
	}
	return r;
}

/* From a row "id, manifest, created". */
static int read_image(struct store *s, sqlite3_stmt *q, struct store_image *ret, struct err *err)
{
	_store_image_done_ struct store_image image = { .created = sqlite3_column_int64(q, 2) };
	int r;

	copy_id(image.id, q, 0);
	copy_id(image.manifest, q, 1);
	r = read_names(s, &image, err);
	if (r == 0)
		r = read_layers(s, &image, err);
	if (r < 0)
		return r;
	*ret = image;
	image = (struct store_image){ .size = 0 };
	return 0;
}

/* --- by name or id ---------------------------------------------------------------------------- */

/* 1: found. */
static int find_name(struct store *s, const char *text, struct store_image *ret, struct err *err)
{
	_stmt_ sqlite3_stmt *q = NULL;
	_free_ char *full = NULL;
	struct oci_ref ref;
	int r = oci_ref_parse(text, &ref, err);

	if (r < 0)
		return r;
	full = oci_ref_full(&ref);
	q = db_prepare(s,
	        "SELECT i.id, i.manifest, i.created FROM names n JOIN images i ON i.id = n.image_id "
	        "WHERE n.name = ?1",
	        err);
	r = q ? db_step(s, q, (const char *const[]){ full }, 1, err) : -EIO;
	if (r <= 0)
		return r;
	r = read_image(s, q, ret, err);
	return r < 0 ? r : 1;
}

/* 1: found; -ENOTUNIQ. 'g' is what follows the last hexadecimal digit. */
static int find_id(struct store *s, const char *prefix, struct store_image *ret, struct err *err)
{
	_stmt_ sqlite3_stmt *q = db_prepare(s,
	        "SELECT id, manifest, created FROM images WHERE id >= ?1 AND id < ?2 LIMIT 2", err);
	_store_image_done_ struct store_image image = { .size = 0 };
	_free_ char *end = xprintf("%sg", prefix);
	int r = q ? db_step(s, q, (const char *const[]){ prefix, end }, 2, err) : -EIO;

	if (r <= 0)
		return r;
	r = read_image(s, q, &image, err);
	if (r < 0)
		return r;
	r = db_step(s, q, NULL, 0, err);
	if (r > 0)
		return err_set(err, -ENOTUNIQ,
		        "several images have an id that begins with '%s'; give more digits",
		        prefix);
	if (r < 0)
		return r;
	*ret = image;
	image = (struct store_image){ .size = 0 };
	return 1;
}

int store_resolve(struct store *s, const char *text, struct store_image *ret, struct err *err)
{
	bool only_id = str_has_prefix(text, "sha256:") || store_is_hex_id(text);
	const char *id = str_has_prefix(text, "sha256:") ? text + strlen("sha256:") : text;
	size_t len = strlen(id);
	_free_ char *shown = str_escaped(text);
	bool can_be_id = len >= STORE_SHORT_ID_MIN && len <= STORE_HEX_LEN && is_hex(id, len);
	int r = 0;

	if (!only_id)
		r = find_name(s, text, ret, err);
	/* "12ab" may be both; what is no name can still be an id. */
	if ((r == 0 || r == -EINVAL) && can_be_id)
		r = find_id(s, id, ret, err);
	else if (only_id)
		return err_set(err, -EINVAL,
		        "'%s' is not an image id: 2 to 64 hexadecimal digits are expected", shown);
	if (r == 0)
		return err_set(err, -ENOENT,
		        "there is no image '%s'; 'bulkhead images' lists what there is", shown);
	return r < 0 ? r : 0;
}

int store_list(struct store *s, struct store_list *ret, struct err *err)
{
	_stmt_ sqlite3_stmt *q = db_prepare(
	        s, "SELECT id, manifest, created FROM images ORDER BY created DESC, id", err);
	_store_list_done_ struct store_list list = { .n = 0 };
	int r = q ? db_step(s, q, NULL, 0, err) : -EIO;

	while (r > 0) {
		list.images = xrealloc_n(list.images, list.n + 1, sizeof(*list.images));
		list.images[list.n] = (struct store_image){ .size = 0 };
		r = read_image(s, q, &list.images[list.n], err);
		if (r < 0)
			return r;
		list.n++;
		r = db_step(s, q, NULL, 0, err);
	}
	if (r < 0)
		return r;
	*ret = list;
	list = (struct store_list){ .n = 0 };
	return 0;
}

/* --- documents -------------------------------------------------------------------------------- */

int store_read_document(
        struct store *s, const char *hex, const char *what, struct buf *out, struct err *err)
{
	_free_ char *name = xprintf("blobs/sha256/%s", hex);
	_close_ int fd = path_open_in(s->dir, name, PATH_BENEATH_NO_LINKS, O_RDONLY, 0);
	char got[DIGEST_HEX_SIZE];
	int r = fd < 0 ? fd : buf_read_fd(out, fd);

	if (r < 0)
		return err_errno(
		        err, r, "cannot read the %s of the image, '%s/%s'", what, s->path, name);
	digest_sha256(out->data ? out->data : "", out->len, got);
	if (!streq(got, hex))
		return err_set(err, -EBADMSG,
		        "the %s of the image was changed on disk: '%s/%s' does not have the digest "
		        "that its name says; remove the image and import it again",
		        what, s->path, name);
	return 0;
}

int store_image_config(
        struct store *s, const struct store_image *image, struct oci_image **ret, struct err *err)
{
	_buf_done_ struct buf doc = BUF_INIT(STORE_DOCUMENT_MAX);
	int r = store_read_document(s, image->id, "config", &doc, err);

	return r < 0 ? r : oci_image_parse(buf_str(&doc), doc.len, ret, err);
}

int store_tag(struct store *s, const struct store_image *image, const char *name, struct err *err)
{
	_free_ char *full = NULL;
	struct oci_ref ref;
	int r = oci_ref_parse(name, &ref, err);

	if (r < 0)
		return r;
	full = oci_ref_full(&ref);
	return db_exec(s, err, "INSERT OR REPLACE INTO names (name, image_id) VALUES (?1, ?2)",
	        full, image->id);
}
