/* SPDX-License-Identifier: Apache-2.0 */
/* Is everything there that the database speaks of? */
#include "base/buf.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "oci/image.h"
#include "oci/ref.h"
#include "store/internal.h"

#include <fcntl.h>
#include <sys/stat.h>

struct check {
	struct store *s;
	void (*found)(void *data, const char *subject, const char *problem, const char *remedy);
	void *data;
};

static const char *text_of(sqlite3_stmt *q, int column)
{
	const unsigned char *text = sqlite3_column_text(q, column);

	return text ? (const char *) text : "";
}

/* --- the database ----------------------------------------------------------------------------- */

static int check_pages(const struct check *c, struct err *err)
{
	_stmt_ sqlite3_stmt *q = db_prepare(c->s, "PRAGMA quick_check", err);
	int r = q ? db_step(c->s, q, NULL, 0, err) : -EIO;

	while (r > 0) {
		if (!streq(text_of(q, 0), "ok")) {
			_free_ char *problem = xprintf("is damaged (%s)", text_of(q, 0));

			c->found(c->data, "the database", problem, NULL);
		}
		r = db_step(c->s, q, NULL, 0, err);
	}
	return r;
}

/* Rows that refer to nothing. The key of a foreign key of each table is in the schema. */
static const struct orphans {
	const char *table, *find, *problem, *mend;
} orphans[] = {
	{ "name", "SELECT name FROM names WHERE image_id NOT IN (SELECT id FROM images)",
	        "names an image that is not there",
	        "DELETE FROM names WHERE image_id NOT IN (SELECT id FROM images)" },
	{ "layers of image",
	        "SELECT DISTINCT image_id FROM image_layers"
	        " WHERE image_id NOT IN (SELECT id FROM images)",
	        "belong to an image that is not there",
	        "DELETE FROM image_layers WHERE image_id NOT IN (SELECT id FROM images)" },
	{ "image",
	        "SELECT DISTINCT image_id FROM image_layers"
	        " WHERE diff_id NOT IN (SELECT diff_id FROM layers)",
	        "has a layer that the database does not know", NULL },
	{ "container", "SELECT id FROM containers WHERE image_id NOT IN (SELECT id FROM images)",
	        "is made of an image that is not there", NULL },
	{ "use of volume",
	        "SELECT DISTINCT volume FROM volume_uses"
	        " WHERE volume NOT IN (SELECT name FROM volumes)",
	        "is of a volume that is not there",
	        "DELETE FROM volume_uses WHERE volume NOT IN (SELECT name FROM volumes)" },
};

static int check_orphans(const struct check *c, const struct orphans *o, struct err *err)
{
	_stmt_ sqlite3_stmt *q = db_prepare(c->s, o->find, err);
	int r = q ? db_step(c->s, q, NULL, 0, err) : -EIO;

	while (r > 0) {
		_free_ char *shown = str_escaped(text_of(q, 0));
		_free_ char *subject = xprintf("%s '%s'", o->table, shown);

		c->found(c->data, subject, o->problem, o->mend ? "deletes the row" : NULL);
		r = db_step(c->s, q, NULL, 0, err);
	}
	return r;
}

int store_mend(struct store *s, struct err *err)
{
	int r = store_begin(s, err);

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(orphans); i++)
		if (orphans[i].mend)
			r = db_run(s, orphans[i].mend, NULL, 0, err);
	if (r < 0) {
		store_rollback(s);
		return r;
	}
	return store_commit(s, err);
}

/* --- images ----------------------------------------------------------------------------------- */

static char *subject_of(const struct store_image *image)
{
	struct oci_ref ref;

	if (image->names && image->names[0] && oci_ref_parse(image->names[0], &ref, NULL) == 0) {
		_free_ char *name = oci_ref_familiar(&ref);

		return xprintf("image '%s' (%.12s)", name, image->id);
	}
	return xprintf("image '%.12s'", image->id);
}

static void say(const struct check *c, const struct store_image *image, const char *problem)
{
	_free_ char *subject = subject_of(image);
	_free_ char *whole = xprintf("%s (remove the image and import it again)", problem);

	c->found(c->data, subject, whole, NULL);
}

static void check_document(
        const struct check *c, const struct store_image *image, const char *hex, const char *what)
{
	_buf_done_ struct buf doc = BUF_INIT(STORE_DOCUMENT_MAX);
	_free_ char *problem = NULL;
	int r = store_read_document(c->s, hex, what, &doc, NULL);

	if (r == 0)
		return;
	problem = r == -EBADMSG ? xprintf("its %s was changed on disk", what)
	                        : xprintf("its %s cannot be read (%s)", what,
	                                  r == -ENOENT ? "it is missing" : strerrordesc_np(-r));
	say(c, image, problem);
}

static void check_layer(const struct check *c, const struct store_image *image, const char *layer)
{
	_free_ char *path = xprintf("fs/%s", layer);
	_close_ int fd = path_open_in(
	        c->s->dir, path, PATH_BENEATH_NO_LINKS, O_PATH | O_DIRECTORY, 0);
	_free_ char *problem = xprintf("its layer '%s' is missing", path);

	if (fd < 0)
		say(c, image, problem);
}

static int check_archives(const struct check *c, const struct store_image *image, struct err *err)
{
	_stmt_ sqlite3_stmt *q = db_prepare(
	        c->s, "SELECT blob, blob_bytes FROM image_layers WHERE image_id = ?1", err);
	int r = q ? db_step(c->s, q, (const char *const[]){ image->id }, 1, err) : -EIO;

	while (r > 0) {
		_free_ char *path = xprintf("blobs/sha256/%s", text_of(q, 0));
		_free_ char *missing = xprintf("its archive '%s' is missing", path),
		            *cut = xprintf("its archive '%s' has another size", path);
		_close_ int fd = path_open_in(c->s->dir, path, PATH_BENEATH_NO_LINKS, O_PATH, 0);
		struct stat st;

		if (fd < 0 || fstat(fd, &st) < 0)
			say(c, image, missing);
		else if (st.st_size != sqlite3_column_int64(q, 1))
			say(c, image, cut);
		r = db_step(c->s, q, NULL, 0, err);
	}
	return r;
}

static int check_image(const struct check *c, const struct store_image *image, struct err *err)
{
	check_document(c, image, image->id, "config");
	check_document(c, image, image->manifest, "manifest");
	for (char **l = image->layers; l && *l; l++)
		check_layer(c, image, *l);
	return check_archives(c, image, err);
}

int store_check(struct store *s,
        void (*found)(void *data, const char *subject, const char *problem, const char *remedy),
        void *data, struct err *err)
{
	const struct check c = { s, found, data };
	_store_list_done_ struct store_list list = { .n = 0 };
	int r = check_pages(&c, err);

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(orphans); i++)
		r = check_orphans(&c, &orphans[i], err);
	if (r == 0)
		r = store_list(s, &list, err);
	for (size_t i = 0; r == 0 && i < list.n; i++)
		r = check_image(&c, &list.images[i], err);
	return r;
}
