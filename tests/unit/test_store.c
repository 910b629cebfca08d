/* SPDX-License-Identifier: Apache-2.0 */
/* What needs no archive: opening, names, ids, transactions. Imports:
 * tests/integration/test_image_*.py. */
#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "store/store.h"
#include "testkit.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static char *store_path(void)
{
	return xprintf("%s/store", testkit_scratch());
}

static struct store *open_new(void)
{
	_free_ char *path = store_path();
	struct store *s = NULL;
	struct err err = { 0 };

	if (store_open(path, STORE_WRITE, &s, &err) < 0)
		fail_msg("%s", err.text);
	return s;
}

static void sql(struct store *s, const char *text)
{
	if (sqlite3_exec(store_db(s), text, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", text, sqlite3_errmsg(store_db(s)));
}

/* An image that exists in the database only; its id is the digit, 64 times, with 'ab' at the end.
 */
static void add_image(struct store *s, char digit, const char *name)
{
	char id[STORE_ID_SIZE], text[512];

	memset(id, digit, sizeof(id));
	memcpy(id + STORE_ID_SIZE - 3, "ab", 3);
	(void) snprintf(text, sizeof(text),
	        "INSERT OR IGNORE INTO images VALUES ('%s', '%s', 5);"
	        "INSERT OR IGNORE INTO layers VALUES ('layer', 100, 1);"
	        "INSERT INTO image_layers VALUES ('%s', 0, 'layer', 'blob', 1)",
	        id, id, id);
	sql(s, text);
	(void) snprintf(text, sizeof(text), "INSERT INTO names VALUES ('%s', '%s')", name, id);
	if (name)
		sql(s, text);
}

static void a_new_store_is_private_and_empty(void **state)
{
	_store_free_ struct store *s = open_new();
	_store_list_done_ struct store_list list = { .n = 1 };
	struct stat st;

	(void) state;
	list.n = 0;
	assert_int_equal(fstat(store_dir(s), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(store_list(s, &list, NULL), 0);
	assert_int_equal(list.n, 0);
	assert_true(str_has_suffix(store_fs_path(s), "/store/fs"));
}

static void reading_does_not_make_a_store(void **state)
{
	_free_ char *path = store_path();
	_store_free_ struct store *s = NULL;
	struct err err = { 0 };

	(void) state;
	assert_int_equal(store_open(path, STORE_READ, &s, &err), -ENOENT);
	assert_contains(err.text, "no image store");
	assert_int_equal(access(path, F_OK), -1);
}

static void a_store_open_to_others_is_refused(void **state)
{
	_free_ char *path = store_path();
	_store_free_ struct store *s = open_new();
	_store_free_ struct store *again = NULL;
	struct err err = { 0 };

	(void) state;
	assert_int_equal(fchmodat(AT_FDCWD, path, 0710, 0), 0);
	assert_int_equal(store_open(path, STORE_READ, &again, &err), -EPERM);
	assert_contains(err.text, "chmod 700");
}

static void names_and_ids_resolve(void **state)
{
	_store_free_ struct store *s = open_new();
	static const char *const good[] = { "app", "app:latest", "docker.io/library/app",
		"sha256:1111", "11111" };

	(void) state;
	add_image(s, '1', "docker.io/library/app:latest");
	add_image(s, '2', NULL);
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		_store_image_done_ struct store_image image = { .size = 0 };

		assert_int_equal(store_resolve(s, good[i], &image, NULL), 0);
		assert_int_equal(image.id[0], '1');
		assert_string_equal(image.layers[0], "layers/layer");
		assert_string_equal(image.names[0], "docker.io/library/app:latest");
		assert_int_equal(image.size, 100);
	}
}

static void wrong_names_and_ids_do_not(void **state)
{
	_store_free_ struct store *s = open_new();
	_store_image_done_ struct store_image image = { .size = 0 };
	static const struct {
		const char *text;
		int code;
	} cases[] = {
		{ "other", -ENOENT },
		{ "app:1", -ENOENT },
		{ "99999", -ENOENT },
		{ "sha256:9999", -ENOENT },
		{ "sha256:", -EINVAL },
		{ "sha256:1", -EINVAL },
		{ "sha256:../../etc", -EINVAL },
		{ "../x", -EINVAL },
		{ "", -EINVAL },
		{ "UPPER", -EINVAL },
		{ "1%", -EINVAL },
		{ "12*", -EINVAL },
	};

	(void) state;
	add_image(s, '1', "docker.io/library/app:latest");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err = { 0 };

		if (store_resolve(s, cases[i].text, &image, &err) != cases[i].code)
			fail_msg("'%s' gave %d: %s", cases[i].text, err.code, err.text);
		assert_true(err.text[0]);
	}
}

static void a_prefix_of_two_ids_is_refused(void **state)
{
	_store_free_ struct store *s = open_new();
	_store_image_done_ struct store_image image = { .size = 0 };
	struct err err = { 0 };

	(void) state;
	sql(s, "INSERT INTO images VALUES ('aaaa1', 'm', 1), ('aaaa2', 'm', 1)");
	assert_int_equal(store_resolve(s, "aaaa", &image, &err), -ENOTUNIQ);
	assert_contains(err.text, "more digits");
	assert_int_equal(store_resolve(s, "aaaa2", &image, &err), 0);
}

/* A name that is also the beginning of an id means the name. */
static void a_name_goes_before_an_id(void **state)
{
	_store_free_ struct store *s = open_new();
	_store_image_done_ struct store_image image = { .size = 0 };

	(void) state;
	add_image(s, 'a', NULL);
	add_image(s, 'b', "docker.io/library/aaaa:latest");
	assert_int_equal(store_resolve(s, "aaaa", &image, NULL), 0);
	assert_int_equal(image.id[0], 'b');
}

static void a_tag_moves(void **state)
{
	_store_free_ struct store *s = open_new();
	_store_image_done_ struct store_image one = { .size = 0 }, two = { .size = 0 },
	                                      got = { .size = 0 };

	(void) state;
	add_image(s, '1', "docker.io/library/one:latest");
	add_image(s, '2', "docker.io/library/two:latest");
	assert_int_equal(store_resolve(s, "one", &one, NULL), 0);
	assert_int_equal(store_resolve(s, "two", &two, NULL), 0);
	assert_int_equal(store_tag(s, &one, "two", NULL), 0);
	assert_int_equal(store_resolve(s, "two", &got, NULL), 0);
	assert_string_equal(got.id, one.id);
	assert_int_equal(store_tag(s, &one, "Not A Name", NULL), -EINVAL);
}

static void a_removed_image_takes_its_rows_along(void **state)
{
	_store_free_ struct store *s = open_new();
	struct store_removed removed = { .untagged = NULL };
	_store_list_done_ struct store_list list = { .n = 0 };

	(void) state;
	add_image(s, '1', "docker.io/library/one:latest");
	add_image(s, '2', NULL);
	assert_int_equal(store_remove(s, "one", 0, &removed, NULL), 0);
	assert_string_equal(removed.untagged[0], "docker.io/library/one:latest");
	assert_int_equal(removed.id[0], '1');
	store_removed_done(&removed);
	assert_int_equal(store_remove(s, "one", 0, &removed, NULL), -ENOENT);
	assert_int_equal(store_list(s, &list, NULL), 0);
	assert_int_equal(list.n, 1);
}

static void a_rolled_back_transaction_leaves_nothing(void **state)
{
	_store_free_ struct store *s = open_new();
	_store_free_ struct store *other = open_new();
	_store_list_done_ struct store_list list = { .n = 0 };

	(void) state;
	assert_int_equal(store_begin(s, NULL), 0);
	sql(s, "INSERT INTO images VALUES ('aa', 'm', 1)");
	store_rollback(s);
	store_rollback(s);
	assert_int_equal(store_begin(s, NULL), 0);
	sql(s, "INSERT INTO images VALUES ('bb', 'm', 1)");
	assert_int_equal(store_list(other, &list, NULL), 0);
	assert_int_equal(list.n, 0);
	assert_int_equal(store_commit(s, NULL), 0);
	assert_int_equal(store_list(other, &list, NULL), 0);
	assert_int_equal(list.n, 1);
}

static void containers_keep_their_image_and_their_own_ids(void **state)
{
	_store_free_ struct store *s = open_new();
	struct err err = { 0 };
	struct store_removed removed = { .untagged = NULL };

	(void) state;
	add_image(s, '1', "docker.io/library/one:latest");
	sql(s, "INSERT INTO containers (id, name, image_id, host_id, created) "
	       "SELECT 'c', 'web', id, 1879048192, 0 FROM images");
	assert_int_equal(store_remove(s, "one", STORE_REMOVE_FORCE, &removed, &err), -EBUSY);
	assert_contains(err.text, "'web'");
	assert_int_not_equal(sqlite3_exec(store_db(s),
	                             "INSERT INTO containers (id, name, image_id, host_id, created)"
	                             " SELECT 'd', 'db', id, 1879048192, 0 FROM images",
	                             NULL, NULL, NULL),
	        SQLITE_OK);
	assert_int_not_equal(sqlite3_exec(store_db(s),
	                             "INSERT INTO containers (id, name, image_id, created)"
	                             " VALUES ('e', 'e', 'no such image', 0)",
	                             NULL, NULL, NULL),
	        SQLITE_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testkit_case(a_new_store_is_private_and_empty),
		testkit_case(reading_does_not_make_a_store),
		testkit_case(a_store_open_to_others_is_refused),
		testkit_case(names_and_ids_resolve),
		testkit_case(wrong_names_and_ids_do_not),
		testkit_case(a_prefix_of_two_ids_is_refused),
		testkit_case(a_name_goes_before_an_id),
		testkit_case(a_tag_moves),
		testkit_case(a_removed_image_takes_its_rows_along),
		testkit_case(a_rolled_back_transaction_leaves_nothing),
		testkit_case(containers_keep_their_image_and_their_own_ids),
	};

	return testkit_run(tests);
}
