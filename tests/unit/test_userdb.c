/* SPDX-License-Identifier: Apache-2.0 */
#include "userdb/userdb.h"

#include "base/fd.h"
#include "testkit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct err err;

static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\n"
                             "daemon:x:1:1::/usr/sbin:/bin/false\r\n"
                             "www-data:x:33:34:www:/var/www:/usr/sbin/nologin\n"
                             "\n# comment\nbroken line\n"
                             "1000:x:0:0:trap:/trap:/bin/sh\n"
                             "short:x:7:8\n"
                             "rel:x:9:9::relative/home:\n"
                             "big:x:4294967295:0::/:\n"
                             "many:x:1:2:3:4:5:6:7\n"
                             "app:x:2000:3000::/app:/bin/sh\n"
                             "app:x:0:0::/second:/bin/sh";
static const char group[] = "root:x:0:\n"
                            "www-data:x:34:\n"
                            "adm:x:4:www-data,app\n"
                            "app:x:3000:app\n"
                            "video:x:44:xapp,appx, app,app\n"
                            "1234:x:0:app\n"
                            "disk:x:6:root\n";

static const char *path_of(const char *name)
{
	static char path[PATH_MAX];

	(void) snprintf(path, sizeof(path), "%s/%s", testkit_scratch(), name);
	return path;
}

static void put(const char *name, const char *data, size_t len)
{
	int fd;

	(void) mkdir(path_of("etc"), 0755);
	fd = open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, data, len), 0);
	(void) close(fd);
}

static int lookup(const char *text, struct userdb_user *ret)
{
	_close_ int root = open(testkit_scratch(), O_PATH | O_DIRECTORY | O_CLOEXEC);

	return userdb_lookup(root, text, ret, &err);
}

static void standard_files(void)
{
	put("etc/passwd", passwd, sizeof(passwd) - 1);
	put("etc/group", group, sizeof(group) - 1);
}

struct expect {
	const char *text;
	uid_t uid;
	gid_t gid;
	const char *home;
	size_t n_groups;
	gid_t groups[4];
};

static void user_texts_mean_what_docker_says(void **state)
{
	static const struct expect table[] = {
		{ "", 0, 0, "/root", 2, { 0, 6 } },
		{ "0", 0, 0, "/root", 2, { 0, 6 } },
		{ "root", 0, 0, "/root", 2, { 0, 6 } },
		{ ":", 0, 0, "/root", 2, { 0, 6 } },
		{ "www-data", 33, 34, "/var/www", 2, { 34, 4 } },
		{ "33", 33, 34, "/var/www", 2, { 34, 4 } },
		{ "www-data:", 33, 34, "/var/www", 2, { 34, 4 } },
		{ "www-data:adm", 33, 4, "/var/www", 1, { 4 } },
		{ "www-data:99", 33, 99, "/var/www", 1, { 99 } },
		{ "33:adm", 33, 4, "/var/www", 1, { 4 } },
		{ "0033", 33, 34, "/var/www", 2, { 34, 4 } },
		{ "000", 0, 0, "/root", 2, { 0, 6 } },
		{ "4711", 4711, 0, "/", 1, { 0 } },
		{ "4711:4712", 4711, 4712, "/", 1, { 4712 } },
		{ ":adm", 0, 4, "/root", 1, { 4 } },
		{ "app", 2000, 3000, "/app", 3, { 3000, 4, 44 } }, /* the first line counts */
		{ "short", 7, 8, "/", 1, { 8 } },
		{ "rel", 9, 9, "/", 1, { 9 } },
		{ "4294967294", 4294967294U, 0, "/", 1, { 0 } },
	};

	standard_files();
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		const struct expect *e = &table[i];
		struct userdb_user u;

		err.text[0] = '\0';
		if (lookup(e->text, &u) < 0)
			fail_msg("'%s': %s", e->text, err.text);
		if (u.uid != e->uid || u.gid != e->gid || strcmp(u.home, e->home) != 0 ||
		        u.n_groups != e->n_groups ||
		        memcmp(u.groups, e->groups, e->n_groups * sizeof(gid_t)) != 0)
			fail_msg("'%s' is %u:%u %s, %zu groups", e->text, u.uid, u.gid, u.home,
			        u.n_groups);
	}
}

static void digits_are_never_a_name(void **state)
{
	struct userdb_user u;

	/* CVE-2016-3697: the image says that "1000" is uid 0. */
	standard_files();
	assert_int_equal(lookup("1000", &u), 0);
	assert_int_equal(u.uid, 1000);
	assert_int_equal(u.gid, 0);
	assert_string_equal(u.home, "/");
	assert_int_equal(lookup("1:1234", &u), 0);
	assert_int_equal(u.gid, 1234);
}

static void unknown_and_wrong_texts_are_refused(void **state)
{
	static const struct {
		const char *text;
		int code;
		const char *part;
	} table[] = {
		{ "nobody", -ENOENT,
		        "unable to find user nobody: no matching entries in passwd file" },
		{ "root:nogroup", -ENOENT,
		        "unable to find group nogroup: no matching entries in group file" },
		{ "4294967295", -ERANGE, "too large" },
		{ "99999999999999999999", -ERANGE, "too large" },
		{ "0:4294967295", -ERANGE, "too large" },
		{ "-1", -ENOENT, "-1" },
		{ "+0", -ENOENT, "+0" },
		{ " 0", -ENOENT, " 0" },
		{ "0x0", -ENOENT, "0x0" },
		{ "a:b:c", -EINVAL, "user:group" },
		{ "big", -ENOENT, "big" },
		{ "many", -ENOENT, "many" },
		{ "\033[31m", -ENOENT, "\\x1b" },
	};
	struct userdb_user u;

	standard_files();
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		int r = lookup(table[i].text, &u);

		if (r != table[i].code)
			fail_msg("'%s' gives %d", table[i].text, r);
		assert_contains(err.text, table[i].part);
	}
}

static void without_files_numbers_work_and_names_do_not(void **state)
{
	struct userdb_user u;

	(void) testkit_scratch();
	assert_int_equal(lookup("5:6", &u), 0);
	assert_int_equal(u.uid, 5);
	assert_int_equal(u.gid, 6);
	assert_int_equal(lookup("", &u), 0);
	assert_int_equal(lookup("www-data", &u), -ENOENT);
	assert_contains(err.text, "no matching entries in passwd file");
}

static void special_files_are_refused(void **state)
{
	struct userdb_user u;

	assert_int_equal(mkdir(path_of("etc"), 0755), 0);
	assert_int_equal(mkfifo(path_of("etc/passwd"), 0666), 0);
	assert_int_equal(lookup("root", &u), -EBADMSG);
	assert_contains(err.text, "not a regular file");
	assert_int_equal(lookup("0", &u), -EBADMSG);
	assert_int_equal(unlink(path_of("etc/passwd")), 0);
	assert_int_equal(mkdir(path_of("etc/passwd"), 0755), 0);
	assert_int_equal(lookup("root", &u), -EBADMSG);
}

static void links_are_followed_inside_the_root_only(void **state)
{
	struct userdb_user u;

	assert_int_equal(mkdir(path_of("etc"), 0755), 0);
	assert_int_equal(mkdir(path_of("usr"), 0755), 0);
	/* The host has this user, the image's own file has another. */
	assert_int_equal(symlink("/../../../usr/passwd", path_of("etc/passwd")), 0);
	put("usr/passwd", "inside:x:77:78::/inside:\n", 25);
	assert_int_equal(lookup("inside", &u), 0);
	assert_int_equal(u.uid, 77);
	assert_int_equal(lookup("root", &u), -ENOENT);
	assert_int_equal(unlink(path_of("etc/passwd")), 0);
	assert_int_equal(symlink("passwd", path_of("etc/passwd")), 0);
	assert_true(lookup("root", &u) < 0);
}

static void long_and_binary_lines_are_skipped(void **state)
{
	enum { LONG = USERDB_LINE_MAX + 5000 };
	_free_ char *data = xcalloc(1, LONG + 200);
	struct userdb_user u;
	size_t len = 0;

	memset(data, 'a', LONG);
	len = LONG;
	len += (size_t) sprintf(data + len, ":x:1:1::/:\nroot2:x:5:5::/five:\n");
	memcpy(data + len, "nul\0:x:6:6::/:\nlast:x:7:7::/seven:", 35);
	len += 34;
	put("etc/passwd", data, len);
	assert_int_equal(lookup("root2", &u), 0);
	assert_string_equal(u.home, "/five");
	assert_int_equal(lookup("last", &u), 0);
	assert_int_equal(lookup("nul", &u), -ENOENT);
}

static void files_beyond_the_limits_are_refused(void **state)
{
	_free_ char *data = xmalloc(USERDB_FILE_MAX + 10);
	struct userdb_user u;

	memset(data, 'x', USERDB_FILE_MAX + 10);
	put("etc/passwd", data, USERDB_FILE_MAX + 10);
	assert_int_equal(lookup("root", &u), -EFBIG);
	memset(data, '\n', USERDB_ENTRIES_MAX + 10);
	put("etc/passwd", data, USERDB_ENTRIES_MAX + 10);
	assert_int_equal(lookup("root", &u), -EFBIG);
	assert_contains(err.text, "lines");
}

static void further_groups_are_added_once(void **state)
{
	_close_ int root = -EBADF;
	struct userdb_user u;

	standard_files();
	put("etc/group", "root:x:0:\naudio:x:29:app\n5:x:77:\n", 33);
	root = open(testkit_scratch(), O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(userdb_lookup(root, "0:0", &u, &err), 0);
	assert_int_equal(u.n_groups, 1);
	assert_int_equal(userdb_add_group(root, "audio", &u, &err), 0);
	assert_int_equal(userdb_add_group(root, "29", &u, &err), 0);
	assert_int_equal(userdb_add_group(root, "5", &u, &err), 0); /* the number, not the name */
	assert_int_equal(u.n_groups, 3);
	assert_int_equal(u.groups[1], 29);
	assert_int_equal(u.groups[2], 5);
	assert_int_equal(userdb_add_group(root, "nobody-knows", &u, &err), -ENOENT);
	assert_contains(err.text, "unable to find group nobody-knows");
	assert_int_equal(userdb_add_group(root, "4294967295", &u, &err), -ERANGE);
	assert_int_equal(userdb_add_group(root, "", &u, &err), -ENOENT);
	assert_int_equal(u.n_groups, 3);
}

static void too_many_groups_are_an_error(void **state)
{
	_free_ char *data = xmalloc(64 * 1024);
	struct userdb_user u;
	size_t len = 0;

	standard_files();
	for (int i = 0; i < USERDB_GROUPS_MAX + 10; i++)
		len += (size_t) sprintf(data + len, "g%d:x:%d:app\n", i, 5000 + i);
	put("etc/group", data, len);
	assert_int_equal(lookup("app", &u), -EFBIG);
	assert_int_equal(lookup("app:0", &u), 0);
}

static void home_is_found_by_uid(void **state)
{
	char home[USERDB_HOME_MAX], tiny[4];
	int root;

	standard_files();
	root = open(testkit_scratch(), O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(userdb_home(root, 33, home, sizeof(home), &err), 0);
	assert_string_equal(home, "/var/www");
	assert_int_equal(userdb_home(root, 12345, home, sizeof(home), &err), 0);
	assert_string_equal(home, "/");
	assert_int_equal(userdb_home(root, 0, home, sizeof(home), &err), 0);
	assert_string_equal(home, "/root");
	assert_int_equal(userdb_home(root, 33, tiny, sizeof(tiny), &err), -ENAMETOOLONG);
	(void) close(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testkit_case(user_texts_mean_what_docker_says),
		testkit_case(digits_are_never_a_name),
		testkit_case(unknown_and_wrong_texts_are_refused),
		testkit_case(without_files_numbers_work_and_names_do_not),
		testkit_case(special_files_are_refused),
		testkit_case(links_are_followed_inside_the_root_only),
		testkit_case(long_and_binary_lines_are_skipped),
		testkit_case(files_beyond_the_limits_are_refused),
		testkit_case(further_groups_are_added_once),
		testkit_case(too_many_groups_are_an_error),
		testkit_case(home_is_found_by_uid),
	};

	return testkit_run(tests);
}
