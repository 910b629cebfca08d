/* SPDX-License-Identifier: Apache-2.0 */
/* The root of a container: folders, overlays with ids, pivot, working folder. */
#include "mount/mount.h"

#include "base/fd.h"
#include "mountkit.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

static struct err err;

/* base/layers/{one,two}, base/rw/{upper,work}; 'two' is the lower one. */
static void make_store(void)
{
	static const char *const folders[] = { "base/layers/one/etc", "base/layers/two/etc",
		"base/layers/two/proc", "base/layers/two/sys", "base/layers/two/dev",
		"base/layers/two/tmp", "base/layers/two/old", "base/rw/upper", "base/rw/work" };

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		mountkit_mkdir(folders[i]);
	CHECK(chmod(mountkit_path("base/layers/two/tmp"), 01777) == 0);
	mountkit_write(mountkit_path("base/layers/two/marker"), "lower");
	mountkit_write(mountkit_path("base/layers/two/www"), "page");
	CHECK(chown(mountkit_path("base/layers/two/www"), 33, 33) == 0);
	mountkit_write(mountkit_path("base/layers/two/old/inner"), "hidden by opaque");
	mountkit_write(mountkit_path("base/layers/two/gone"), "x");
	mountkit_write(mountkit_path("base/layers/one/etc/top"), "upper layer");
}

static const char *const both_layers[] = { "layers/one", "layers/two", NULL };
static const char *const one_layer[] = { "layers/two", NULL };

static struct mount_overlay overlay_args(enum mount_overlay_method method)
{
	static char base[PATH_MAX];

	(void) snprintf(base, sizeof(base), "%s", mountkit_path("base"));
	return (struct mount_overlay){
		.base = base,
		.layers = both_layers,
		.upper = "rw/upper",
		.work = "rw/work",
		.host_id = MOUNTKIT_BASE,
		.size = 65536,
		.attr_set = MOUNT_ATTR_NOSUID,
		.method = method,
	};
}

static void become_container(int root, bool userns)
{
	mountkit_enter(userns);
	OK(mount_set_propagation(MS_PRIVATE, &err));
	OK(mount_attach_root(root, &err));
}

static void mount_proc(int root)
{
	const struct mount_spec proc = {
		.source = "proc",
		.target = "/proc",
		.fstype = "proc",
		.attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
	};

	OK(mount_attach_fs(root, &proc, &err));
}

static void work_as_image_users(void)
{
	struct stat st;

	CHECK(stat("/www", &st) == 0 && st.st_uid == 33 && st.st_gid == 33);
	CHECK(stat("/marker", &st) == 0 && st.st_uid == 0);
	mountkit_write("/new", "made");
	mountkit_write("/www", "PAGE");         /* copy-up keeps the owner */
	CHECK(chown("/marker", 101, 102) == 0); /* copy-up by a change of owner */
	CHECK(unlink("/gone") == 0);            /* whiteout */
	CHECK(unlink("/old/inner") == 0);
	CHECK(rmdir("/old") == 0 && mkdir("/old", 0700) == 0); /* opaque */
	CHECK(access("/old/inner", F_OK) < 0 && access("/gone", F_OK) < 0);
	CHECK(stat("/www", &st) == 0 && st.st_uid == 33);
	CHECK(mknod("/device", S_IFCHR | 0600, makedev(1, 3)) < 0);
	/* Mountinfo tells nothing of the host. */
	CHECK(!mountkit_contains("/proc/self/mountinfo", testkit_scratch()));
	CHECK(!mountkit_contains("/proc/self/mountinfo", "bulkhead-unit"));
}

static void expect_ids_on_disk(void)
{
	struct stat st;

	CHECK(stat(mountkit_path("base/rw/upper/new"), &st) == 0 && st.st_uid == 0);
	CHECK(stat(mountkit_path("base/rw/upper/www"), &st) == 0 && st.st_uid == 33);
	CHECK(stat(mountkit_path("base/rw/upper/marker"), &st) == 0);
	CHECK(st.st_uid == 101 && st.st_gid == 102);
	CHECK(lstat(mountkit_path("base/rw/upper/gone"), &st) == 0 && S_ISCHR(st.st_mode));
	CHECK(st.st_rdev == 0);
	CHECK(stat(mountkit_path("base/layers/two/www"), &st) == 0 && st.st_uid == 33);
}

static void use_overlay(enum mount_overlay_method method)
{
	struct mount_overlay o = overlay_args(method);
	int root;

	make_store();
	OK(mount_open_overlay(&o, &root, &err));
	become_container(root, true);
	mount_proc(root);
	OK(mount_pivot(root, false, &err));
	work_as_image_users();
}

static void body_by_fd(void)
{
	use_overlay(MOUNT_OVERLAY_AUTO);
}
static void overlay_keeps_image_ids_on_disk(void **state)
{
	mountkit_run(body_by_fd);
	mountkit_run(expect_ids_on_disk);
}

static void body_by_name(void)
{
	use_overlay(MOUNT_OVERLAY_BY_NAME);
}
static void overlay_by_name_keeps_image_ids_on_disk(void **state)
{
	mountkit_run(body_by_name);
	mountkit_run(expect_ids_on_disk);
}

static void read_only_root(enum mount_overlay_method method, const char *const *layers)
{
	struct mount_overlay o = overlay_args(method);
	int root;

	o.layers = layers;
	o.upper = o.work = NULL;
	OK(mount_open_overlay(&o, &root, &err));
	become_container(root, true);
	mount_proc(root);
	OK(mount_pivot(root, false, &err));
	CHECK(mountkit_contains("/marker", "lower"));
	CHECK(open("/new", O_CREAT | O_WRONLY, 0600) < 0 && errno == EROFS);
	CHECK(!mountkit_contains("/proc/self/mountinfo", "bulkhead-unit"));
}

static void body_one_layer(void)
{
	make_store();
	read_only_root(MOUNT_OVERLAY_AUTO, one_layer);
}
static void body_one_layer_by_name(void)
{
	make_store();
	read_only_root(MOUNT_OVERLAY_BY_NAME, one_layer);
}
static void body_two_layers(void)
{
	make_store();
	read_only_root(MOUNT_OVERLAY_AUTO, both_layers);
}
static void overlay_without_upper_is_read_only(void **state)
{
	mountkit_run(body_one_layer);
	mountkit_run(body_one_layer_by_name);
	mountkit_run(body_two_layers);
}

static void body_no_ids(void)
{
	struct mount_overlay o = overlay_args(MOUNT_OVERLAY_AUTO);
	int root;

	make_store();
	o.size = 0;
	OK(mount_open_overlay(&o, &root, &err));
	become_container(root, false);
	OK(mount_pivot(root, false, &err));
	mountkit_write("/new", "x");
}
static void overlay_without_ids_works(void **state)
{
	mountkit_run(body_no_ids);
}

static void body_overlay_attacks(void)
{
	static const char *const link[] = { "layers/link", NULL };
	static const char *const outside[] = { "../../..", NULL };
	static const char *const none[] = { NULL };
	struct mount_overlay o = overlay_args(MOUNT_OVERLAY_AUTO);
	int root;

	make_store();
	CHECK(symlink("/etc", mountkit_path("base/layers/link")) == 0);
	o.layers = link;
	REFUSED(ELOOP, "layers/link", mount_open_overlay(&o, &root, &err));
	o.layers = outside;
	REFUSED(EXDEV, "../../..", mount_open_overlay(&o, &root, &err));
	o.layers = none;
	REFUSED(EINVAL, "none", mount_open_overlay(&o, &root, &err));
	o = overlay_args(MOUNT_OVERLAY_AUTO);
	o.upper = "/etc";
	REFUSED(EXDEV, "/etc", mount_open_overlay(&o, &root, &err));
	o = overlay_args(MOUNT_OVERLAY_BY_NAME);
	o.work = "rw/missing";
	REFUSED(ENOENT, "rw/missing", mount_open_overlay(&o, &root, &err));
	o.size = 100000;
	REFUSED(EINVAL, "65536", mount_open_overlay(&o, &root, &err));
}
static void overlay_refuses_names_that_leave_the_store(void **state)
{
	mountkit_run(body_overlay_attacks);
}

static void body_bad_option(enum mount_overlay_method method)
{
	static const char *const options[] = { "nonsense=1", NULL };
	struct mount_overlay o = overlay_args(method);
	int root;

	make_store();
	o.options = options;
	REFUSED(EINVAL, "nonsense", mount_open_overlay(&o, &root, &err));
}
static void body_bad_option_by_fd(void)
{
	body_bad_option(MOUNT_OVERLAY_AUTO);
}
static void body_bad_option_by_name(void)
{
	body_bad_option(MOUNT_OVERLAY_BY_NAME);
}
static void overlay_error_names_the_option(void **state)
{
	mountkit_run(body_bad_option_by_fd);
	mountkit_run(body_bad_option_by_name);
}

/* --- folders as roots ------------------------------------------------------------------------ */

static void make_folder_root(void)
{
	mountkit_mkdir("root/proc");
	mountkit_mkdir("root/sys");
	mountkit_mkdir("root/etc");
	mountkit_write(mountkit_path("root/marker"), "folder");
}

static void pivot_to_folder(bool userns, bool no_pivot)
{
	int root;

	make_folder_root();
	OK(mount_open_root(mountkit_path("root"), MOUNT_ATTR_NODEV, &root, &err));
	become_container(root, userns);
	mount_proc(root);
	OK(mount_pivot(root, no_pivot, &err));
	OK(mount_set_root(MOUNT_ATTR_RDONLY, MS_PRIVATE, &err));
	CHECK(mountkit_contains("/marker", "folder"));
	CHECK(open("/x", O_CREAT | O_WRONLY, 0600) < 0 && errno == EROFS);
	CHECK(access(testkit_scratch(), F_OK) < 0);
	if (!no_pivot) {
		/* One line for the root, one for /proc: nothing of the host is left. */
		struct statvfs fs;

		CHECK(!mountkit_contains("/proc/self/mountinfo", "/dev/pts"));
		CHECK(!mountkit_contains("/proc/self/mountinfo", "/sys"));
		CHECK(statvfs("/", &fs) == 0 && fs.f_flag & ST_NODEV);
	}
}
static void body_pivot(void)
{
	pivot_to_folder(false, false);
}
static void body_pivot_userns(void)
{
	pivot_to_folder(true, false);
}
static void body_no_pivot(void)
{
	pivot_to_folder(false, true);
}
static void pivot_leaves_nothing_of_the_host(void **state)
{
	mountkit_run(body_pivot);
	mountkit_run(body_pivot_userns);
}
static void root_changes_without_pivot_too(void **state)
{
	mountkit_run(body_no_pivot);
}

static void body_shared_host(void)
{
	int root, before;

	make_folder_root();
	/* As on a host with systemd: everything is shared. */
	CHECK(mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL) == 0);
	before = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	OK(mount_open_root(mountkit_path("root"), 0, &root, &err));
	mountkit_enter(false);
	OK(mount_set_propagation(MS_SHARED, &err));
	OK(mount_attach_root(root, &err));
	mount_proc(root);
	OK(mount_pivot(root, false, &err));
	/* The file of before reads the other mount namespace: it still has its mounts. */
	char text[1 << 16];
	ssize_t n = pread(before, text, sizeof(text) - 1, 0);

	CHECK(n > 0);
	text[n] = '\0';
	CHECK(strstr(text, " /dev/pts ") && !strstr(text, "/root/proc"));
}
static void shared_host_mounts_survive_the_container(void **state)
{
	mountkit_run(body_shared_host);
}

static void body_cwd(void)
{
	int root, outside;

	make_folder_root();
	OK(mount_open_root(mountkit_path("root"), 0, &root, &err));
	outside = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	become_container(root, false);
	mount_proc(root);
	OK(mount_pivot(root, false, &err));
	OK(mount_enter_cwd("/etc", false, &err));
	REFUSED(ENOENT, "/job/dir", mount_enter_cwd("/job/dir", false, &err));
	OK(mount_enter_cwd("/job/dir", true, &err));
	OK(mount_verify_cwd(&err));
	char name[64];
	(void) snprintf(name, sizeof(name), "/proc/self/fd/%d", outside);
	REFUSED(ELOOP, "/proc/self/fd", mount_enter_cwd(name, true, &err));
	CHECK(symlink(name, "/etc/link") == 0);
	REFUSED(ELOOP, "/etc/link", mount_enter_cwd("/etc/link", false, &err));
	REFUSED(ENOTDIR, "/marker", mount_enter_cwd("/marker", true, &err));
	CHECK(fchdir(outside) == 0);
	REFUSED(EPERM, "outside", mount_verify_cwd(&err));
}
static void working_folder_must_be_inside_the_root(void **state)
{
	mountkit_run(body_cwd);
}

static void body_open_errors(void)
{
	int fd;

	make_folder_root();
	REFUSED(ENOENT, "missing", mount_open_root(mountkit_path("missing"), 0, &fd, &err));
	REFUSED(ENOTDIR, "marker", mount_open_root(mountkit_path("root/marker"), 0, &fd, &err));
	REFUSED(ENOENT, "missing", mount_open_bind(mountkit_path("missing"), true, &fd, &err));
	OK(mount_open_device("/dev/null", 'c', 1, 3, &fd, &err));
	CHECK(symlink("/dev/null", mountkit_path("root/null")) == 0);
	REFUSED(ENXIO, "root/null",
	        mount_open_device(mountkit_path("root/null"), 'c', 1, 3, &fd, &err));
	REFUSED(ENXIO, "/dev/zero", mount_open_device("/dev/zero", 'c', 1, 3, &fd, &err));
	REFUSED(ENXIO, "block", mount_open_device("/dev/null", 'b', 1, 3, &fd, &err));
}
static void devices_of_the_host_are_checked(void **state)
{
	mountkit_run(body_open_errors);
}

static void body_idmap(void)
{
	const struct mount_id_extent map[] = { { 0, 5000, 10 } };
	const struct mount_id_extent bad[] = { { 0, 5000, 10 }, { 5, 9000, 10 } };
	struct stat st;
	int userns, tree;

	make_folder_root();
	CHECK(chown(mountkit_path("root/marker"), 3, 4) == 0);
	OK(mount_userns_new(map, 1, &userns, &err));
	OK(mount_open_bind(mountkit_path("root"), false, &tree, &err));
	OK(mount_set_idmap(tree, userns, false, "root", &err));
	CHECK(fstatat(tree, "marker", &st, 0) == 0 && st.st_uid == 5003 && st.st_gid == 5004);
	REFUSED(EINVAL, "uid_map", mount_userns_new(bad, 2, &userns, &err));
	OK(mount_open_bind("/proc", false, &tree, &err));
	REFUSED(EINVAL, "file system", mount_set_idmap(tree, userns, false, "/proc", &err));
}
static void binds_can_be_idmapped(void **state)
{
	mountkit_run(body_idmap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testkit_case(overlay_keeps_image_ids_on_disk),
		testkit_case(overlay_by_name_keeps_image_ids_on_disk),
		testkit_case(overlay_without_upper_is_read_only),
		testkit_case(overlay_without_ids_works),
		testkit_case(overlay_refuses_names_that_leave_the_store),
		testkit_case(overlay_error_names_the_option),
		testkit_case(pivot_leaves_nothing_of_the_host),
		testkit_case(root_changes_without_pivot_too),
		testkit_case(shared_host_mounts_survive_the_container),
		testkit_case(working_folder_must_be_inside_the_root),
		testkit_case(devices_of_the_host_are_checked),
		testkit_case(binds_can_be_idmapped),
	};

	return testkit_run(tests);
}
