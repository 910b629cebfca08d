/* SPDX-License-Identifier: Apache-2.0 */
/* Removing names and images. */
#include "base/str.h"
#include "oci/ref.h"
#include "store/internal.h"

#include <errno.h>
#include <stdio.h>

void store_removed_done(struct store_removed *r)
{
	strv_free(r->untagged);
	*r = (struct store_removed){ .untagged = NULL };
}

/* The name of the image that the text means; NULL when it is an id. New memory. */
static char *meant_name(const struct store_image *image, const char *text)
{
	struct oci_ref ref;
	_free_ char *full = NULL;

	if (oci_ref_parse(text, &ref, NULL) < 0)
		return NULL;
	full = oci_ref_full(&ref);
	for (char **n = image->names; n && *n; n++)
		if (streq(*n, full))
			return TAKE_PTR(full);
	return NULL;
}

/* An image that a container was made from stays; the engine takes the containers away. */
static int check_unused(struct store *s, const struct store_image *image, struct err *err)
{
	_stmt_ sqlite3_stmt *q = db_prepare(s,
	        "SELECT name, state FROM containers WHERE image_id = ?1 "
	        "ORDER BY state = 'running' DESC LIMIT 1",
	        err);
	int r = q ? db_step(s, q, (const char *const[]){ image->id }, 1, err) : -EIO;

	if (r <= 0)
		return r;
	return err_set(err, -EBUSY,
	        "image '%.12s' is used by the container '%s' (%s); remove that first", image->id,
	        (const char *) sqlite3_column_text(q, 0), (const char *) sqlite3_column_text(q, 1));
}

static int remove_image(struct store *s, const struct store_image *image, struct err *err)
{
	int r = check_unused(s, image, err);

	if (r == 0)
		r = db_exec(s, err, "DELETE FROM names WHERE image_id = ?1", image->id);
	if (r == 0)
		r = db_exec(s, err, "DELETE FROM images WHERE id = ?1", image->id);
	if (r == 0)
		r = db_run(s,
		        "DELETE FROM layers WHERE diff_id NOT IN (SELECT diff_id FROM image_layers)",
		        NULL, 0, err);
	return r;
}

/* Inside the transaction. */
static int remove_locked(struct store *s, const char *text, unsigned int flags,
        struct store_removed *ret, struct err *err)
{
	_store_image_done_ struct store_image image = { .size = 0 };
	_free_ char *name = NULL;
	size_t names;
	int r = store_resolve(s, text, &image, err);

	if (r < 0)
		return r;
	names = image.names ? strv_len(image.names) : 0;
	name = meant_name(&image, text);
	if (name && names > 1) {
		strv_add(&ret->untagged, name);
		return db_exec(s, err, "DELETE FROM names WHERE name = ?1", name);
	}
	if (!name && names > 1 && !(flags & STORE_REMOVE_FORCE))
		return err_set(err, -ENOTUNIQ,
		        "image '%.12s' has %zu names, the first is '%s'; remove them one by one, or "
		        "all with --force",
		        image.id, names, image.names[0]);
	r = remove_image(s, &image, err);
	if (r < 0)
		return r;
	ret->untagged = TAKE_PTR(image.names);
	(void) snprintf(ret->id, sizeof(ret->id), "%s", image.id);
	return 0;
}

int store_remove(struct store *s, const char *text, unsigned int flags, struct store_removed *ret,
        struct err *err)
{
	_cleanup_(store_removed_done) struct store_removed removed = { .untagged = NULL };
	/* The rows must be gone for good before the folders go. */
	int r = db_make_durable(s, err);

	if (r == 0)
		r = store_begin(s, err);
	if (r < 0)
		return r;
	r = remove_locked(s, text, flags, &removed, err);
	if (r < 0) {
		store_rollback(s);
		return r;
	}
	r = store_commit(s, err);
	if (r < 0)
		return r;
	if (removed.id[0])
		store_tidy(s);
	db_shorten_log(s);
	*ret = removed;
	removed = (struct store_removed){ .untagged = NULL };
	return 0;
}
