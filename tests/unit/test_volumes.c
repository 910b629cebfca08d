/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes as things: names, rows, labels, uses, removal, and what a killed command leaves. */
#include "engine/volumes.h"

#include "testkit.h"

#include "base/fd.h"
#include "base/str.h"
#include "engine/config.h"
#include "engine/volume_folder.h"
#include "shim/record.h"
#include "store/store.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define TEXTS(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define ARGS(...)  ((char *const *) (uintptr_t) TEXTS(__VA_ARGS__))

static struct err err;

static void open_engine(struct engine *e)
{
	static char root[4096];
	_free_ char *containers = NULL;

	(void) snprintf(root, sizeof(root), "%s/state", testkit_scratch());
	assert_int_equal(store_open(root, STORE_WRITE, &e->store, &err), 0);
	e->root = root;
	containers = xprintf("%s/containers", root);
	assert_true(mkdir(containers, 0700) == 0 || errno == EEXIST);
	e->containers_fd = open(containers, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(e->containers_fd >= 0);
}

static void run_sql(struct engine *e, const char *sql)
{
	assert_int_equal(sqlite3_exec(store_db(e->store), sql, NULL, NULL, NULL), SQLITE_OK);
}

static bool is_there(struct engine *e, const char *path)
{
	struct stat st;

	return fstatat(store_dir(e->store), path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static void write_file(struct engine *e, const char *path)
{
	int fd = openat(store_dir(e->store), path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "x", 1), 1);
	(void) close(fd);
}

static void make(struct engine *e, const char *name)
{
	_volume_done_ struct volume v = { 0 };

	assert_int_equal(volume_create(e, name, NULL, NULL, NULL, &v, &err), 0);
}

/* One container with these mounts; the texts of anonymous names come back in the config. */
static void use(struct engine *e, const char *id, struct config *c)
{
	const struct store_image image = { .layers = NULL };

	assert_int_equal(volumes_prepare(e, &image, c, id, &err), 0);
}

static void names_follow_dockers_rule(void **state)
{
	static const char *const bad[] = { "", "a", "-ab", ".ab", "_ab", "a/b", "..", "a b", "a\n",
		"\xc3\xa4\xc3\xa4", "../etc" };
	char longest[300];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_false(volume_name_is_valid(bad[i]));
		assert_int_equal(volume_name_check(bad[i], &err), -EINVAL);
	}
	assert_true(volume_name_is_valid("db"));
	assert_true(volume_name_is_valid("0a_.-Z"));
	memset(longest, 'a', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	assert_false(volume_name_is_valid(longest));
}

static void a_volume_is_made_once(void **state)
{
	_engine_done_ struct engine e = ENGINE_INIT;
	_volume_done_ struct volume one = { 0 }, two = { 0 }, none = { 0 };
	struct stat st;

	open_engine(&e);
	assert_int_equal(volume_create(&e, "db", "local", ARGS("a=1", "b", "a=2", "c=x=y"), NULL,
	                         &one, &err),
	        0);
	assert_string_equal(one.name, "db");
	assert_false(one.anonymous);
	assert_int_equal(strv_len(one.labels), 3);
	assert_true(volume_has_label(&one, "a=2") && volume_has_label(&one, "b"));
	assert_true(volume_has_label(&one, "b=") && volume_has_label(&one, "c=x=y"));
	assert_true(volume_has_label(&one, "a"));
	assert_false(volume_has_label(&one, "a=1") || volume_has_label(&one, "c=x"));
	assert_int_equal(stat(one.path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	write_file(&e, "volumes/db/_data/kept");
	assert_int_equal(volume_create(&e, "db", "", NULL, NULL, &two, &err), 0);
	assert_true(one.created == two.created && volume_has_label(&two, "a=2"));
	assert_true(is_there(&e, "volumes/db/_data/kept"));
	assert_int_equal(volume_find(&e, "dc", &none, &err), -ENOENT);
	assert_string_equal(err.text, "get dc: no such volume");
}

static void a_volume_without_a_name_is_anonymous(void **state)
{
	_engine_done_ struct engine e = ENGINE_INIT;
	_volume_done_ struct volume v = { 0 };

	open_engine(&e);
	assert_int_equal(volume_create(&e, NULL, NULL, NULL, NULL, &v, &err), 0);
	assert_int_equal(strlen(v.name), 64);
	assert_true(v.anonymous && volume_has_label(&v, "com.docker.volume.anonymous"));
}

static void drivers_and_their_options_are_refused(void **state)
{
	_engine_done_ struct engine e = ENGINE_INIT;
	_volume_done_ struct volume v = { 0 };

	open_engine(&e);
	assert_int_equal(volume_create(&e, "bb", "nfs", NULL, NULL, &v, &err), -EINVAL);
	assert_string_equal(err.text, "create bb: error looking up volume plugin nfs: plugin "
	                              "\"nfs\" not found");
	assert_int_equal(volume_create(&e, "bb", "local", NULL, ARGS("o=bind"), &v, &err), -EINVAL);
	assert_contains(err.text, "'o=bind' is refused");
	assert_int_equal(volume_create(&e, "../etc", NULL, NULL, NULL, &v, &err), -EINVAL);
	assert_int_equal(volume_create(&e, "bb", NULL, ARGS("=x"), NULL, &v, &err), -EINVAL);
	assert_int_equal(volume_create(&e, "bb", NULL, ARGS("a=\xff"), NULL, &v, &err), -EINVAL);
	assert_false(is_there(&e, "volumes/bb"));
}

static void what_is_used_stays(void **state)
{
	_engine_done_ struct engine e = ENGINE_INIT;
	const struct config_mount mounts[] = {
		{ CONFIG_VOLUME, .source = "db", .target = "/db", .propagation = "" },
		{ CONFIG_VOLUME, .source = "", .target = "/anon", .propagation = "" },
		{ CONFIG_BIND, .source = "/etc", .target = "/etc2", .propagation = "rprivate" },
	};
	struct config c = { .mounts = mounts, .n_mounts = ARRAY_SIZE(mounts) };
	_volume_done_ struct volume v = { 0 };
	_free_ char *anonymous = NULL;

	open_engine(&e);
	use(&e, "c1", &c);
	assert_string_equal(c.mounts[0].source, "db");
	anonymous = xstrdup(c.mounts[1].source);
	assert_int_equal(strlen(anonymous), 64);
	assert_true(c.mounts[1].anonymous && !c.mounts[0].anonymous);
	assert_string_equal(c.mounts[2].source, "/etc");
	use(&e, "c2", &c); /* the same volumes */
	assert_int_equal(volume_find(&e, "db", &v, &err), 0);
	assert_int_equal(v.users, 2);
	assert_int_equal(volume_remove(&e, "db", true, &err), -EBUSY);
	assert_string_equal(err.text, "remove db: volume is in use - [c1, c2]");
	assert_int_equal(volumes_release(&e, "c1", true, &err), 0);
	volume_done(&v);
	assert_int_equal(volume_find(&e, anonymous, &v, &err), 0); /* c2 has it */
	assert_int_equal(volumes_release(&e, "c2", true, &err), 0);
	volume_done(&v);
	assert_int_equal(volume_find(&e, anonymous, &v, &err), -ENOENT);
	assert_int_equal(volume_find(&e, "db", &v, &err), 0);
	assert_int_equal(volume_remove(&e, "db", false, &err), 0);
	assert_false(is_there(&e, "volumes/db"));
	assert_int_equal(volume_remove(&e, "db", false, &err), -ENOENT);
	assert_int_equal(volume_remove(&e, "db", true, &err), 0);
	arena_done(&c.arena);
}

static void an_anonymous_volume_that_a_person_names_is_kept(void **state)
{
	_engine_done_ struct engine e = ENGINE_INIT;
	struct config_mount mount = { CONFIG_VOLUME, .source = "", .target = "/x",
		.propagation = "" };
	struct config c = { .mounts = &mount, .n_mounts = 1 };
	struct config named = { .n_mounts = 1 };
	_volume_done_ struct volume v = { 0 };

	open_engine(&e);
	use(&e, "c1", &c);
	mount.source = c.mounts[0].source;
	named.mounts = &mount;
	use(&e, "c2", &named);
	assert_int_equal(volumes_release(&e, "c1", true, &err), 0);
	assert_int_equal(volumes_release(&e, "c2", true, &err), 0);
	assert_int_equal(volume_find(&e, mount.source, &v, &err), 0);
	assert_false(v.anonymous || volume_has_label(&v, "com.docker.volume.anonymous"));
	arena_done(&c.arena);
	arena_done(&named.arena);
}

static void prune_takes_what_nobody_uses(void **state)
{
	_engine_done_ struct engine e = ENGINE_INIT;
	const struct config_mount mount = { CONFIG_VOLUME, .source = "used", .target = "/x",
		.propagation = "" };
	struct config c = { .mounts = &mount, .n_mounts = 1 };
	_volume_done_ struct volume anonymous = { 0 }, labelled = { 0 };
	_cleanup_(strv_freep) char **names = NULL;
	_volume_list_done_ struct volume_list list = { 0 };
	uint64_t bytes = 0;

	open_engine(&e);
	use(&e, "c1", &c);
	make(&e, "named");
	write_file(&e, "volumes/named/_data/file");
	assert_int_equal(volume_create(&e, NULL, NULL, NULL, NULL, &anonymous, &err), 0);
	assert_int_equal(volume_create(&e, "keep", NULL, ARGS("k=v"), NULL, &labelled, &err), 0);
	assert_int_equal(volume_prune(&e, false, NULL, &names, &bytes, &err), 0);
	assert_int_equal(strv_len(names), 1);
	assert_string_equal(names[0], anonymous.name);
	names = strv_free(names);
	assert_int_equal(volume_prune(&e, true, ARGS("!k"), &names, &bytes, &err), 0);
	assert_int_equal(strv_len(names), 1);
	assert_string_equal(names[0], "named");
	assert_int_equal(bytes, 1);
	names = strv_free(names);
	assert_int_equal(volume_prune(&e, true, ARGS("k=w"), &names, &bytes, &err), 0);
	assert_null(names);
	assert_int_equal(volume_prune(&e, true, ARGS("k=v", "k"), &names, &bytes, &err), 0);
	assert_string_equal(names[0], "keep");
	assert_int_equal(volume_list(&e, &list, &err), 0);
	assert_int_equal(list.n, 1);
	assert_string_equal(list.items[0].name, "used");
	arena_done(&c.arena);
}

static void a_leftover_folder_is_not_a_new_volume_s_content(void **state)
{
	_engine_done_ struct engine e = ENGINE_INIT;
	int dir;

	open_engine(&e);
	make(&e, "old");
	dir = store_dir(e.store);
	assert_int_equal(mkdirat(dir, "volumes/db", 0700), 0);
	assert_int_equal(mkdirat(dir, "volumes/db/_data", 0700), 0);
	write_file(&e, "volumes/db/_data/secret");
	assert_int_equal(mkdirat(dir, "volumes/" VOLUME_FULL "db", 0700), 0);
	write_file(&e, "volumes/" VOLUME_FULL "db/secret");
	make(&e, "db");
	assert_true(is_there(&e, "volumes/db/_data"));
	assert_false(is_there(&e, "volumes/db/_data/secret"));
	assert_false(is_there(&e, "volumes/" VOLUME_FULL "db"));
	volumes_sweep(&e);
	assert_false(is_there(&e, "volumes/db/_data/secret"));
}

static void a_lost_folder_is_made_again(void **state)
{
	_engine_done_ struct engine e = ENGINE_INIT;

	open_engine(&e);
	make(&e, "db");
	assert_int_equal(unlinkat(store_dir(e.store), "volumes/db/_data", AT_REMOVEDIR), 0);
	make(&e, "db");
	assert_true(is_there(&e, "volumes/db/_data"));
}

static void sweep_removes_what_killed_commands_left(void **state)
{
	_engine_done_ struct engine e = ENGINE_INIT;
	int dir;

	open_engine(&e);
	volumes_sweep(&e); /* nothing there at all */
	make(&e, "db");
	write_file(&e, "volumes/db/_data/kept");
	dir = store_dir(e.store);
	assert_int_equal(mkdirat(dir, "volumes/orphan", 0700), 0);
	assert_int_equal(mkdirat(dir, "volumes/" VOLUME_GONE "0123", 0700), 0);
	write_file(&e, "volumes/" VOLUME_GONE "0123/x");
	assert_int_equal(mkdirat(dir, "volumes/" VOLUME_FILL "db", 0700), 0);
	write_file(&e, "volumes/" VOLUME_FILL "db/half");
	assert_int_equal(mkdirat(dir, "volumes/" VOLUME_FULL "nobody", 0700), 0);
	assert_int_equal(mkdirat(dir, "volumes/" VOLUME_FULL "db", 0750), 0);
	write_file(&e, "volumes/" VOLUME_FULL "db/whole");
	write_file(&e, "volumes/" VOLUME_FULL "db/kept");
	volumes_sweep(&e);
	assert_false(is_there(&e, "volumes/orphan"));
	assert_false(is_there(&e, "volumes/" VOLUME_GONE "0123"));
	assert_false(is_there(&e, "volumes/" VOLUME_FILL "db"));
	assert_false(is_there(&e, "volumes/" VOLUME_FULL "nobody"));
	assert_false(is_there(&e, "volumes/" VOLUME_FULL "db"));
	assert_true(is_there(&e, "volumes/db/_data/whole"));
	assert_true(is_there(&e, "volumes/db/_data/kept"));
}

static void sweep_forgets_uses_of_containers_that_nobody_has(void **state)
{
	_engine_done_ struct engine e = ENGINE_INIT;
	const struct config_mount mounts[] = {
		{ CONFIG_VOLUME, .source = "", .target = "/x", .propagation = "" },
		{ CONFIG_VOLUME, .source = "named", .target = "/y", .propagation = "" },
	};
	struct config row = { .mounts = mounts, .n_mounts = 2 };
	struct config held = { .mounts = mounts, .n_mounts = 2 };
	struct config stale = { .mounts = mounts, .n_mounts = 2 };
	struct config half = { .mounts = mounts, .n_mounts = 2 };
	const struct record record = { .state = RECORD_CREATED };
	_volume_done_ struct volume v = { 0 }, w = { 0 }, gone = { 0 }, named = { 0 };
	_close_ int dir = -EBADF, lock = -EBADF;

	open_engine(&e);
	run_sql(&e, "INSERT INTO images (id, manifest, created) VALUES ('i', 'm', 1);"
	            "INSERT INTO containers (id, name, image_id, created)"
	            " VALUES ('row', 'n', 'i', 1)");
	use(&e, "row", &row);
	use(&e, "held", &held);
	use(&e, "stale", &stale);
	use(&e, "half", &half);
	/* 'held' is being made: its record is locked, by another process. 'half' was. */
	assert_int_equal(mkdirat(e.containers_fd, "half", 0700), 0);
	assert_int_equal(mkdirat(e.containers_fd, "held", 0700), 0);
	dir = openat(e.containers_fd, "held", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int ends[2], back[2];
	char byte;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(pipe2(back, O_CLOEXEC), 0);
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		lock = record_make(dir, &record);
		(void) close(ends[1]);
		if (lock < 0 || write(back[1], "x", 1) != 1 || read(ends[0], &byte, 1) < 0)
			_exit(1);
		_exit(0);
	}
	assert_int_equal(read(back[0], &byte, 1), 1);
	volumes_sweep(&e);
	for (int i = 0; i < 2; i++) {
		(void) close(ends[i]);
		(void) close(back[i]);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(volume_find(&e, row.mounts[0].source, &v, &err), 0);
	assert_int_equal(volume_find(&e, held.mounts[0].source, &w, &err), 0);
	assert_int_equal(volume_find(&e, stale.mounts[0].source, &gone, &err), -ENOENT);
	assert_int_equal(volume_find(&e, half.mounts[0].source, &gone, &err), -ENOENT);
	assert_int_equal(volume_find(&e, "named", &named, &err), 0);
	assert_int_equal(named.users, 2);
	arena_done(&row.arena);
	arena_done(&held.arena);
	arena_done(&stale.arena);
	arena_done(&half.arena);
}

static void a_failed_prepare_leaves_no_use(void **state)
{
	_engine_done_ struct engine e = ENGINE_INIT;
	const struct config_mount mounts[] = {
		{ CONFIG_VOLUME, .source = "good", .target = "/x", .propagation = "" },
		{ CONFIG_VOLUME, .source = "../bad", .target = "/y", .propagation = "" },
	};
	struct config c = { .mounts = mounts, .n_mounts = 2 };
	const struct store_image image = { .layers = NULL };
	_volume_done_ struct volume v = { 0 };

	open_engine(&e);
	assert_int_equal(volumes_prepare(&e, &image, &c, "c1", &err), -EINVAL);
	assert_contains(err.text, "includes invalid characters");
	assert_int_equal(volume_find(&e, "good", &v, &err), -ENOENT);
	volumes_sweep(&e);
	assert_false(is_there(&e, "volumes/good"));
	arena_done(&c.arena);
}

/* A link in the place of the folder must not lead a removal or a creation out of the store. */
static void attack_link_instead_of_a_volume_s_folder(void **state)
{
	_engine_done_ struct engine e = ENGINE_INIT;
	_free_ char *outside = xprintf("%s/outside", testkit_scratch());
	_free_ char *file = xprintf("%s/_data/file", outside);
	_free_ char *data = xprintf("%s/_data", outside);
	_volume_done_ struct volume v = { 0 };
	int fd;

	open_engine(&e);
	make(&e, "other");
	assert_int_equal(mkdir(outside, 0700), 0);
	assert_int_equal(mkdir(data, 0700), 0);
	fd = open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	(void) close(fd);
	assert_int_equal(symlinkat(outside, store_dir(e.store), "volumes/db"), 0);
	volumes_sweep(&e);
	assert_int_equal(access(file, F_OK), 0);
	assert_int_equal(symlinkat(outside, store_dir(e.store), "volumes/db"), 0);
	make(&e, "db");
	assert_int_equal(access(file, F_OK), 0);
	assert_false(is_there(&e, "volumes/db/_data/file"));
	assert_int_equal(volume_remove(&e, "db", false, &err), 0);
	assert_int_equal(access(file, F_OK), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testkit_case(names_follow_dockers_rule),
		testkit_case(a_volume_is_made_once),
		testkit_case(a_volume_without_a_name_is_anonymous),
		testkit_case(drivers_and_their_options_are_refused),
		testkit_case(what_is_used_stays),
		testkit_case(an_anonymous_volume_that_a_person_names_is_kept),
		testkit_case(prune_takes_what_nobody_uses),
		testkit_case(a_leftover_folder_is_not_a_new_volume_s_content),
		testkit_case(a_lost_folder_is_made_again),
		testkit_case(sweep_removes_what_killed_commands_left),
		testkit_case(sweep_forgets_uses_of_containers_that_nobody_has),
		testkit_case(a_failed_prepare_leaves_no_use),
		testkit_case(attack_link_instead_of_a_volume_s_folder),
	};

	return testkit_run(tests);
}
