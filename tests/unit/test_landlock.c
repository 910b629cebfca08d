/* SPDX-License-Identifier: Apache-2.0 */
#include "landlock/landlock.h"

#include "base/fd.h"
#include "kernel/sys.h"
#include "mountkit.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

static struct err err;

static void rights_grow_with_the_abi(void **state)
{
	assert_int_equal(landlock_fs_rights(0), 0);
	assert_int_equal(landlock_fs_rights(1), 0x1fff);
	assert_int_equal(landlock_fs_rights(2), 0x3fff);
	assert_int_equal(landlock_fs_rights(3), 0x7fff);
	assert_int_equal(landlock_fs_rights(4), 0x7fff);
	assert_int_equal(landlock_fs_rights(5), 0xffff);
	assert_int_equal(landlock_fs_rights(99), 0xffff);
	assert_int_equal(landlock_net_rights(3), 0);
	assert_int_equal(landlock_net_rights(4), 3);
	assert_int_equal(landlock_scopes(5), 0);
	assert_int_equal(landlock_scopes(6), 3);
}

static void names_and_bits_agree(void **state)
{
	assert_string_equal(landlock_fs_name(0), "EXECUTE");
	assert_string_equal(landlock_fs_name(6), "MAKE_CHAR");
	assert_string_equal(landlock_fs_name(15), "IOCTL_DEV");
	assert_null(landlock_fs_name(16));
	for (unsigned int bit = 0; landlock_fs_name(bit); bit++)
		assert_int_equal(landlock_fs_by_name(landlock_fs_name(bit)), 1U << bit);
	assert_int_equal(landlock_fs_by_name("execute"), 0);
	assert_string_equal(landlock_net_name(1), "CONNECT_TCP");
	assert_string_equal(landlock_scope_name(1), "SIGNAL");
	assert_null(landlock_scope_name(2));
}

static void rights_beyond_the_abi_are_refused(void **state)
{
	int fd;

	assert_int_equal(landlock_open(LL_FS_TRUNCATE, 0, 0, 2, &fd, &err), -EOPNOTSUPP);
	assert_contains(err.text, "ABI 2");
	assert_int_equal(landlock_open(LL_FS_EXECUTE, 1, 0, 3, &fd, &err), -EOPNOTSUPP);
	assert_int_equal(landlock_open(LL_FS_EXECUTE, 0, 1, 5, &fd, &err), -EOPNOTSUPP);
}

static void body_confined(void)
{
	int abi = sys_landlock_abi();
	uint64_t all = landlock_fs_rights(abi);
	uint64_t read_only = LL_FS_READ_FILE | LL_FS_READ_DIR | LL_FS_EXECUTE;
	int root, set;

	mountkit_mkdir("root/open");
	mountkit_mkdir("root/shut");
	mountkit_write(mountkit_path("root/open/file"), "x");
	mountkit_write(mountkit_path("root/shut/one"), "x");
	mountkit_write(mountkit_path("root/shut/two"), "x");
	CHECK(symlink("/shut/one", mountkit_path("root/link")) == 0);
	root = open(mountkit_path("root"), O_PATH | O_DIRECTORY | O_CLOEXEC);
	OK(landlock_open(all, 0, 0, abi, &set, &err));
	OK(landlock_add_path(set, root, "/open", all & ~(uint64_t) LL_FS_MAKE_CHAR, all, 0, &err));
	/* A link is taken inside the root; a file gets only what files can have. */
	OK(landlock_add_path(set, root, "/link", read_only, all, 0, &err));
	OK(landlock_add_path(set, root, "/missing", all, all, LANDLOCK_OPTIONAL, &err));
	REFUSED(ENOENT, "/missing", landlock_add_path(set, root, "/missing", all, all, 0, &err));
	OK(landlock_add_path(set, root, "/shut/two", LL_FS_READ_DIR, all, 0, &err));
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	OK(landlock_enter(set, &err));

	CHECK(open(mountkit_path("root/open/file"), O_RDWR | O_CLOEXEC) >= 0);
	CHECK(mkdir(mountkit_path("root/open/new"), 0700) == 0);
	CHECK(mknod(mountkit_path("root/open/dev"), S_IFCHR | 0600, makedev(1, 3)) < 0);
	CHECK(errno == EACCES);
	CHECK(open(mountkit_path("root/shut/one"), O_RDONLY | O_CLOEXEC) >= 0);
	CHECK(open(mountkit_path("root/shut/one"), O_WRONLY | O_CLOEXEC) < 0 && errno == EACCES);
	CHECK(open(mountkit_path("root/shut/two"), O_RDONLY | O_CLOEXEC) < 0 && errno == EACCES);
	CHECK(open("/etc/passwd", O_RDONLY | O_CLOEXEC) < 0 && errno == EACCES);
}
static void a_rule_set_denies_everything_else(void **state)
{
	if (sys_landlock_abi() < 1) {
		print_message("skipped: the kernel has no landlock\n");
		skip();
	}
	mountkit_run(body_confined);
}

static void body_not_privileged(void)
{
	int abi = sys_landlock_abi(), set;

	OK(landlock_open(landlock_fs_rights(abi), landlock_net_rights(abi), landlock_scopes(abi),
	        abi, &set, &err));
	CHECK(sys_setresuid(1000, 1000, 1000) == 0);
	REFUSED(EPERM, "no_new_privs", landlock_enter(set, &err));
}
static void entering_needs_no_new_privs(void **state)
{
	if (sys_landlock_abi() < 1) {
		print_message("skipped: the kernel has no landlock\n");
		skip();
	}
	mountkit_run(body_not_privileged);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testkit_case(rights_grow_with_the_abi),
		testkit_case(names_and_bits_agree),
		testkit_case(rights_beyond_the_abi_are_refused),
		testkit_case(a_rule_set_denies_everything_else),
		testkit_case(entering_needs_no_new_privs),
	};

	return testkit_run(tests);
}
