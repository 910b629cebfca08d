/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes as things: rows and folders; making, finding, removing. */
#include "engine/volumes.h"

#include "base/fd.h"
#include "base/str.h"
#include "engine/events.h"
#include "engine/names.h"
#include "engine/volume_folder.h"
#include "engine/volume_rows.h"
#include "json/json.h"
#include "oci/kv.h"
#include "store/store.h"

#include <json-c/json.h>
#include <sqlite3.h>
#include <stdio.h>
#include <time.h>

#define ANONYMOUS_LABEL "com.docker.volume.anonymous"

enum {
	LABELS_MAX = 256,
	LABELS_BYTES_MAX = 256 << 10,
	LIST_MAX = 1 << 20,
	USERS_SHOWN = 8,
};

/* In the order of read_row's columns. */
#define COLUMNS                                                                                    \
	"SELECT name, created, anonymous, labels,"                                                 \
	" (SELECT count(*) FROM volume_uses WHERE volume = name) FROM volumes"

void volume_done(struct volume *v)
{
	free(v->name);
	free(v->path);
	v->labels = strv_free(v->labels);
	*v = (struct volume){ 0 };
}

void volume_list_done(struct volume_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		volume_done(&list->items[i]);
	free(list->items);
	*list = (struct volume_list){ 0 };
}

/* --- labels ----------------------------------------------------------------------------------- */

static const struct json_limits label_limits = {
	.max_bytes = LABELS_BYTES_MAX,
	.max_depth = 1,
	.max_list = LABELS_MAX,
	.max_string = LABELS_BYTES_MAX,
};

/* A later label of the same key wins. */
static int labels_to_json(char *const *labels, bool anonymous, char **ret, struct err *err)
{
	_json_put_ struct json_object *object = json_object_new_object();
	const char *text;
	int r;

	if (anonymous)
		(void) json_object_object_add(object, ANONYMOUS_LABEL, json_object_new_string(""));
	for (; labels && *labels; labels++) {
		const char *value = strchr(*labels, '=');
		_free_ char *key = xstrndup(*labels, strcspn(*labels, "="));

		if (!*key)
			return err_set(err, -EINVAL, "a label needs a key: use KEY=VALUE");
		(void) json_object_object_add(
		        object, key, json_object_new_string(value ? value + 1 : ""));
	}
	text = json_object_to_json_string_ext(object, JSON_C_TO_STRING_NOSLASHESCAPE);
	/* What cannot be read back, say bytes that are not UTF-8, is refused here. */
	r = json_check("the labels", text, strlen(text), &label_limits, err);
	if (r == 0)
		*ret = xstrdup(text);
	return r;
}

static int labels_from_json(const char *json, char ***ret, struct err *err)
{
	_json_put_ struct json_object *object = NULL;
	int r = json_parse_bounded(
	        "the labels of a volume", json, strlen(json), &label_limits, &object, err);

	if (r < 0)
		return r;
	json_object_object_foreach(object, key, value)
	{
		_free_ char *label = xprintf("%s=%s", key, json_object_get_string(value));

		strv_add(ret, label);
	}
	return 0;
}

bool volume_has_label(const struct volume *v, const char *filter)
{
	size_t len = strlen(filter);

	for (char *const *label = v->labels; label && *label; label++)
		if (strncmp(*label, filter, len) == 0 &&
		        (!(*label)[len] || (!strchr(filter, '=') && (*label)[len] == '=')))
			return true;
	return false;
}

/* --- rows ------------------------------------------------------------------------------------- */

static int read_row(struct engine *e, sqlite3_stmt *q, struct volume *ret, struct err *err)
{
	_free_ char *folder = volume_folder_path(e);
	_volume_done_ struct volume v = {
		.name = xstrdup((const char *) sqlite3_column_text(q, 0)),
		.created = sqlite3_column_int64(q, 1),
		.anonymous = sqlite3_column_int(q, 2) != 0,
		.users = (size_t) sqlite3_column_int64(q, 4),
	};
	int r = labels_from_json((const char *) sqlite3_column_text(q, 3), &v.labels, err);

	if (r < 0)
		return r;
	v.path = xprintf("%s/%s/_data", folder, v.name);
	*ret = v;
	v = (struct volume){ 0 };
	return 0;
}

int volume_find(struct engine *e, const char *name, struct volume *ret, struct err *err)
{
	_stmt_ sqlite3_stmt *q = volume_rows_prepare(e, COLUMNS " WHERE name = ?1", err);
	_free_ char *shown = str_escaped(name);
	int r = q ? volume_rows_step(e, q, (const char *const[]){ name }, 1, err) : -EIO;

	if (r < 0)
		return r;
	return r ? read_row(e, q, ret, err)
	         : err_set(err, -ENOENT, "get %s: no such volume", shown);
}

int volume_list(struct engine *e, struct volume_list *ret, struct err *err)
{
	_stmt_ sqlite3_stmt *q = volume_rows_prepare(e, COLUMNS " ORDER BY name", err);
	_volume_list_done_ struct volume_list list = { 0 };
	int r = q ? 0 : -EIO;

	while (r == 0 && (r = volume_rows_step(e, q, NULL, 0, err)) > 0) {
		struct volume v = { 0 };

		if (list.n == LIST_MAX)
			return err_set(err, -E2BIG, "there are more than %d volumes", LIST_MAX);
		r = read_row(e, q, &v, err);
		if (r < 0)
			return r;
		if (list.n % 64 == 0)
			list.items = xrealloc_n(list.items, list.n + 64, sizeof(v));
		list.items[list.n++] = v;
	}
	if (r < 0)
		return r;
	*ret = list;
	list = (struct volume_list){ 0 };
	return 0;
}

static int64_t now_ns(void)
{
	struct timespec t = { 0 };

	(void) clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t) t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Returns 1 when the row is new. */
static int insert_row(struct engine *e, const struct volume_wanted *w, struct err *err)
{
	_stmt_ sqlite3_stmt *q = NULL;
	_free_ char *labels = NULL;
	int r = labels_to_json(w->labels, w->anonymous, &labels, err);

	if (r < 0)
		return r;
	q = volume_rows_prepare(e,
	        "INSERT OR IGNORE INTO volumes (name, labels, created, anonymous)"
	        " VALUES (?1, ?2, ?3, ?4)",
	        err);
	if (!q)
		return -EIO;
	(void) sqlite3_bind_int64(q, 3, now_ns());
	(void) sqlite3_bind_int(q, 4, w->anonymous);
	r = volume_rows_step(e, q, (const char *const[]){ w->name, labels }, 2, err);
	return r < 0 ? r : sqlite3_changes(store_db(e->store)) > 0;
}

/* A volume that a person names is that person's from now on, whatever it began as. */
static int adopt(struct engine *e, const char *name, struct err *err)
{
	return volume_rows_run(e,
	        "UPDATE volumes SET anonymous = 0,"
	        " labels = json_remove(labels, '$.\"" ANONYMOUS_LABEL "\"')"
	        " WHERE name = ?1 AND anonymous = 1",
	        (const char *const[]){ name }, 1, err);
}

int volume_make(struct engine *e, int volumes, const struct volume_wanted *w, struct err *err)
{
	int r = volume_name_check(w->name, err);
	bool fresh;

	if (r == 0)
		r = insert_row(e, w, err);
	if (r < 0)
		return r;
	fresh = r == 1;
	r = fresh || w->anonymous ? 0 : adopt(e, w->name, err);
	if (r == 0)
		r = volume_folder_make(volumes, w->name, fresh, err);
	return r < 0 ? r : fresh;
}

void volume_tell(struct engine *e, const char *name, const char *action)
{
	static const struct oci_kv driver = { "driver", "local" };

	events_volume(e, name, action, &driver, 1);
}

/* --- create ----------------------------------------------------------------------------------- */

static int check_driver(const char *name, const char *driver, char *const *options, struct err *err)
{
	_free_ char *shown = str_escaped(driver ? driver : "");
	_free_ char *shown_name = str_escaped(name ? name : "volume");

	if (driver && *driver && !streq(driver, "local"))
		return err_set(err, -EINVAL,
		        "create %s: error looking up volume plugin %s: plugin \"%s\" not found",
		        shown_name, shown, shown);
	if (options && *options) {
		_free_ char *option = str_escaped(*options);

		return err_set(err, -EINVAL,
		        "volume option '%s' is refused: volumes are folders without options; "
		        "mount it on the host and bind it",
		        option);
	}
	return 0;
}

int volume_random_name(char ret[VOLUME_RANDOM_SIZE], struct err *err)
{
	int r = name_random_hex(ret, VOLUME_RANDOM_SIZE - 1);

	return r < 0 ? err_errno(err, r, "cannot make a name for a volume") : 0;
}

int volume_create(struct engine *e, const char *name, const char *driver, char *const *labels,
        char *const *options, struct volume *ret, struct err *err)
{
	struct volume_wanted w = { .name = name, .labels = labels, .anonymous = !name };
	char random[VOLUME_RANDOM_SIZE];
	_close_ int volumes = -EBADF;
	int fresh, r = check_driver(name, driver, options, err);

	if (r == 0 && !name) {
		r = volume_random_name(random, err);
		w.name = random;
	}
	if (r == 0)
		r = volume_folder_open(e, true, &volumes, err);
	if (r == 0)
		r = volume_rows_begin(e, true, err);
	if (r < 0)
		return r;
	fresh = volume_make(e, volumes, &w, err);
	r = volume_rows_end(e, MIN(fresh, 0), err);
	if (r == 0 && fresh > 0)
		volume_tell(e, w.name, "create");
	return r < 0 ? r : volume_find(e, w.name, ret, err);
}

/* --- remove ----------------------------------------------------------------------------------- */

/* -EBUSY with the ids of its users. */
static int check_unused(struct engine *e, const char *name, struct err *err)
{
	_buf_done_ struct buf ids = BUF_INIT(4096);
	_stmt_ sqlite3_stmt *q = volume_rows_prepare(e,
	        "SELECT container_id FROM volume_uses WHERE volume = ?1 ORDER BY container_id",
	        err);
	int r = q ? volume_rows_step(e, q, (const char *const[]){ name }, 1, err) : -EIO;
	size_t n = 0;

	for (; r > 0; r = volume_rows_step(e, q, NULL, 0, err), n++)
		if (n < USERS_SHOWN)
			(void) buf_addf(&ids, "%s%s", n ? ", " : "",
			        (const char *) sqlite3_column_text(q, 0));
	if (r < 0 || n == 0)
		return r;
	return err_set(err, -EBUSY, "remove %s: volume is in use - [%s%s]", name, buf_str(&ids),
	        n > USERS_SHOWN ? ", ..." : "");
}

static int delete_row(struct engine *e, const char *name, struct err *err)
{
	_free_ char *shown = str_escaped(name);
	int r = volume_rows_run(
	        e, "DELETE FROM volumes WHERE name = ?1", (const char *const[]){ name }, 1, err);

	if (r < 0)
		return r;
	return sqlite3_changes(store_db(e->store)) > 0
	               ? 0
	               : err_set(err, -ENOENT, "get %s: no such volume", shown);
}

/* The folder goes before the commit: a crash between leaves a volume that is empty, never a folder
 * with the data of a volume that is gone. */
static int remove_one(struct engine *e, int volumes, const char *name, struct err *err)
{
	_cleanup_(strv_freep) char **gone = NULL;
	int r = volume_rows_begin(e, false, err);

	if (r < 0)
		return r;
	r = check_unused(e, name, err);
	if (r == 0)
		r = delete_row(e, name, err);
	if (r == 0)
		r = volume_folder_retire(volumes, name, &gone, err);
	r = volume_rows_end(e, r, err);
	if (r == 0)
		volume_tell(e, name, "destroy");
	volume_folder_delete(volumes, gone);
	return r;
}

int volume_remove(struct engine *e, const char *name, bool force, struct err *err)
{
	_close_ int volumes = -EBADF;
	int r = volume_folder_open(e, true, &volumes, err);

	if (r == 0)
		r = remove_one(e, volumes, name, err);
	return r == -ENOENT && force ? 0 : r;
}

/* --- prune ------------------------------------------------------------------------------------ */

static bool matches(const struct volume *v, char *const *filters)
{
	for (; filters && *filters; filters++) {
		bool not = **filters == '!';

		if (volume_has_label(v, *filters + not ) == not )
			return false;
	}
	return true;
}

int volume_prune(struct engine *e, bool all, char *const *label_filters, char ***ret_names,
        uint64_t *ret_bytes, struct err *err)
{
	_volume_list_done_ struct volume_list list = { 0 };
	_cleanup_(strv_freep) char **names = NULL;
	_close_ int volumes = -EBADF;
	uint64_t bytes = 0;
	int r = volume_folder_open(e, true, &volumes, err);

	if (r == 0)
		r = volume_list(e, &list, err);
	for (size_t i = 0; r == 0 && i < list.n; i++) {
		const struct volume *v = &list.items[i];
		uint64_t own;

		if (v->users > 0 || !(all || v->anonymous) || !matches(v, label_filters))
			continue;
		own = volume_folder_bytes(volumes, v->name);
		r = remove_one(e, volumes, v->name, err);
		if (r == 0) {
			strv_add(&names, v->name);
			bytes += own;
		}
		/* Somebody began to use it, or was faster. */
		if (r == -EBUSY || r == -ENOENT)
			r = 0;
	}
	if (r < 0)
		return r;
	*ret_names = TAKE_PTR(names);
	*ret_bytes = bytes;
	return 0;
}
