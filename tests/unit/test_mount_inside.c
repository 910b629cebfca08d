/* SPDX-License-Identifier: Apache-2.0 */
/* What is mounted, made and covered inside the root, and images that set traps there. */
#include "mount/mount.h"

#include "base/fd.h"
#include "base/path.h"
#include "mountkit.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

static struct err err;
static int null_tree;

#define PROC_ATTRS (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

static const struct mount_spec proc = {
	.source = "proc", .target = "/proc", .fstype = "proc", .attr_set = PROC_ATTRS
};
static const struct mount_spec sysfs = {
	.source = "sysfs", .target = "/sys", .fstype = "sysfs", .attr_set = PROC_ATTRS
};
static const struct mount_spec dev = {
	.source = "tmpfs", .target = "/dev", .fstype = "tmpfs", .attr_set = MOUNT_ATTR_NOSUID
};

static const char *in_root(const char *name)
{
	char path[PATH_MAX];

	(void) snprintf(path, sizeof(path), "root/%s", name);
	return mountkit_path(path);
}

/* A folder that the container's root may write to. */
static void make_root(void)
{
	static const char *const folders[] = { "root", "root/proc", "root/sys", "root/dev",
		"root/etc", "root/tmp" };

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		mountkit_mkdir(folders[i]);
		CHECK(chown(mountkit_path(folders[i]), MOUNTKIT_BASE, MOUNTKIT_BASE) == 0);
	}
	OK(mount_open_device("/dev/null", 'c', 1, 3, &null_tree, &err));
}

static int enter(bool userns)
{
	int root;

	OK(mount_open_root(mountkit_path("root"), 0, &root, &err));
	mountkit_enter(userns);
	OK(mount_set_propagation(MS_PRIVATE, &err));
	OK(mount_attach_root(root, &err));
	return root;
}

/* --- traps ----------------------------------------------------------------------------------- */

static void body_links_as_targets(void)
{
	make_root();
	CHECK(rmdir(in_root("proc")) == 0 && symlink("/tmp", in_root("proc")) == 0);
	CHECK(rmdir(in_root("sys")) == 0 && symlink("tmp", in_root("sys")) == 0);
	CHECK(rmdir(in_root("dev")) == 0 && symlink("/tmp", in_root("dev")) == 0);

	int root = enter(true);

	REFUSED(ELOOP, "symbolic link", mount_attach_fs(root, &proc, &err));
	REFUSED(ELOOP, "symbolic link", mount_attach_fs(root, &sysfs, &err));
	REFUSED(ELOOP, "/dev", mount_dev_links(root, true, &err));
	CHECK(faccessat(root, "tmp/fd", F_OK, AT_SYMLINK_NOFOLLOW) < 0);
}
static void links_of_the_image_are_no_proc_or_sys(void **state)
{
	mountkit_run(body_links_as_targets);
}

static void body_proc_is_procfs(void)
{
	static const struct {
		const char *target;
		bool file;
	} refused[] = {
		{ "/proc/self/attr", false },
		{ "/proc/sys", false },
		{ "/proc/sysrq-trigger", true },
		{ "/../proc/./1/../kcore", true },
		{ "/elsewhere", false },
		{ "/trigger", true },
	};
	int file, folder;

	make_root();
	mountkit_write(in_root("etc/file"), "fake");
	CHECK(symlink("/proc/sys/kernel", in_root("elsewhere")) == 0);
	CHECK(symlink("proc/version", in_root("trigger")) == 0);
	OK(mount_open_bind(in_root("etc/file"), false, &file, &err));
	OK(mount_open_bind(in_root("etc"), false, &folder, &err));

	int root = enter(true);

	OK(mount_attach_fs(root, &proc, &err));
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		struct mount_spec m = { .target = refused[i].target, .fstype = "tmpfs" };

		REFUSED(EPERM, "/proc",
		        mount_attach_bind(root, refused[i].file ? file : folder, &m, &err));
		if (!refused[i].file)
			REFUSED(EPERM, "/proc", mount_attach_fs(root, &m, &err));
	}
	REFUSED(EPERM, "procfs",
	        mount_attach_fs(
	                root, &(struct mount_spec){ .target = "/proc", .fstype = "tmpfs" }, &err));
	REFUSED(EPERM, "procfs",
	        mount_attach_bind(root, folder, &(struct mount_spec){ .target = "//proc/" }, &err));
	OK(mount_attach_bind(root, file, &(struct mount_spec){ .target = "/proc/meminfo" }, &err));
	OK(mount_pivot(root, false, &err));
	CHECK(mountkit_contains("/proc/meminfo", "fake"));
	CHECK(!mountkit_contains("/proc/cpuinfo", "fake"));
}
static void nothing_in_proc_is_replaced_but_a_few_files(void **state)
{
	mountkit_run(body_proc_is_procfs);
}

static void body_targets_stay_inside(void)
{
	int folder, file;
	char name[PATH_MAX];

	make_root();
	mountkit_mkdir("host");
	mountkit_write(mountkit_path("host/secret"), "x");
	(void) snprintf(name, sizeof(name), "%s", mountkit_path("host"));
	CHECK(symlink(name, in_root("absolute")) == 0);
	CHECK(symlink("../../host", in_root("relative")) == 0);
	OK(mount_open_bind(in_root("etc"), false, &folder, &err));
	OK(mount_open_bind(mountkit_path("host/secret"), false, &file, &err));

	int root = enter(false);
	/* Links are taken as if the root were "/" already: the folder appears inside. */
	OK(mount_attach_bind(root, folder, &(struct mount_spec){ .target = "/absolute" }, &err));
	OK(mount_attach_bind(
	        root, file, &(struct mount_spec){ .target = "/relative/new/file" }, &err));
	REFUSED(EINVAL, "'/'",
	        mount_attach_bind(root, folder, &(struct mount_spec){ .target = "/.." }, &err));
	CHECK(mountkit_contains(mountkit_path("host/secret"), "x"));
	CHECK(access(mountkit_path("host/new"), F_OK) < 0);
	OK(mount_pivot(root, false, &err));
	CHECK(access(name, F_OK) == 0);
	CHECK(mountkit_contains("/host/new/file", "x"));
}
static void targets_stay_inside_the_root(void **state)
{
	mountkit_run(body_targets_stay_inside);
}

static void body_dangling_links(void)
{
	int file[3];

	make_root();
	mountkit_write(mountkit_path("resolv.conf"), "nameserver");
	CHECK(symlink("../run/systemd/resolve/stub.conf", in_root("etc/resolv.conf")) == 0);
	CHECK(symlink("/etc/second", in_root("etc/first")) == 0);
	CHECK(symlink("../../../../var/third", in_root("etc/second")) == 0);
	CHECK(symlink("loop", in_root("etc/loop")) == 0);
	for (size_t i = 0; i < 3; i++)
		OK(mount_open_bind(mountkit_path("resolv.conf"), false, &file[i], &err));

	int root = enter(false);

	OK(mount_attach_bind(
	        root, file[0], &(struct mount_spec){ .target = "/etc/resolv.conf" }, &err));
	OK(mount_attach_bind(root, file[1], &(struct mount_spec){ .target = "/etc/first" }, &err));
	REFUSED(ELOOP, "/etc/loop",
	        mount_attach_bind(
	                root, file[2], &(struct mount_spec){ .target = "/etc/loop" }, &err));
	OK(mount_pivot(root, false, &err));
	CHECK(mountkit_contains("/etc/resolv.conf", "nameserver"));
	CHECK(mountkit_contains("/run/systemd/resolve/stub.conf", "nameserver"));
	CHECK(mountkit_contains("/var/third", "nameserver"));
}
static void targets_of_dangling_links_are_made_inside(void **state)
{
	mountkit_run(body_dangling_links);
}

/* --- file systems and binds ------------------------------------------------------------------ */

static void body_file_systems(void)
{
	static const char *const shm[] = { "mode=1777", "size=64k", NULL };
	static const char *const pts[] = { "newinstance", "ptmxmode=0666", "mode=0620", "gid=5",
		NULL };
	static const char *const wrong[] = { "size=banana", NULL };
	static const struct mount_spec specs[] = {
		{ .source = "shm",
		        .target = "/dev/shm",
		        .fstype = "tmpfs",
		        .data = shm,
		        .attr_set = PROC_ATTRS },
		{ .source = "devpts",
		        .target = "/dev/pts",
		        .fstype = "devpts",
		        .data = pts,
		        .attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC },
		{ .source = "mqueue",
		        .target = "/dev/mqueue",
		        .fstype = "mqueue",
		        .attr_set = PROC_ATTRS },
	};
	struct statvfs fs;
	struct stat st;

	make_root();
	CHECK(chmod(in_root("tmp"), 01730) == 0);

	int root = enter(true);

	OK(mount_attach_fs(root, &proc, &err));
	OK(mount_attach_fs(root, &sysfs, &err));
	OK(mount_attach_fs(root, &dev, &err));
	for (size_t i = 0; i < ARRAY_SIZE(specs); i++)
		OK(mount_attach_fs(root, &specs[i], &err));
	OK(mount_attach_fs(root,
	        &(struct mount_spec){ .target = "/tmp",
	                .fstype = "tmpfs",
	                .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOATIME },
	        &err));
	REFUSED(EINVAL, "size=banana",
	        mount_attach_fs(root,
	                &(struct mount_spec){ .target = "/tmp", .fstype = "tmpfs", .data = wrong },
	                &err));
	CHECK(strstr(err.text, "Bad value") || strstr(err.text, "banana"));
	REFUSED(ENODEV, "nosuchfs",
	        mount_attach_fs(root,
	                &(struct mount_spec){ .target = "/tmp", .fstype = "nosuchfs" }, &err));
	OK(mount_dev_links(root, true, &err));
	OK(mount_dev_links(root, true, &err)); /* links that are right stay */
	OK(mount_pivot(root, false, &err));
	CHECK(stat("/tmp", &st) == 0 && (st.st_mode & 07777) == 01730);
	CHECK(statvfs("/tmp", &fs) == 0 && fs.f_flag & ST_RDONLY && fs.f_flag & ST_NOATIME);
	CHECK(stat("/dev", &st) == 0 && (st.st_mode & 07777) == 0755);
	CHECK(stat("/dev/shm", &st) == 0 && (st.st_mode & 07777) == 01777);
	CHECK(open("/dev/ptmx", O_RDWR | O_NOCTTY) >= 0);
	CHECK(access("/dev/fd/0", F_OK) == 0 || errno == ENOENT);
	CHECK(access("/sys/class/net/lo", F_OK) == 0);
}
static void file_systems_mount_in_a_user_namespace(void **state)
{
	mountkit_run(body_file_systems);
}

static void body_copy_up(void)
{
	struct stat st;
	char value[64];

	make_root();
	mountkit_mkdir("root/data/deep");
	mountkit_write(in_root("data/deep/file"), "content");
	CHECK(chmod(in_root("data/deep"), 0700) == 0 && chown(in_root("data/deep"), 7, 8) == 0);
	CHECK(chown(in_root("data/deep/file"), 9, 9) == 0);
	CHECK(chmod(in_root("data/deep/file"), 04711) == 0);
	CHECK(symlink("/etc/passwd", in_root("data/link")) == 0);
	CHECK(mkfifo(in_root("data/fifo"), 0600) == 0);
	CHECK(chmod(in_root("data"), 0750) == 0);

	int root = enter(false);

	OK(mount_attach_fs(root,
	        &(struct mount_spec){ .target = "/data", .fstype = "tmpfs", .copy_up = true },
	        &err));
	OK(mount_pivot(root, false, &err));
	CHECK(mountkit_contains("/data/deep/file", "content"));
	CHECK(stat("/data/deep", &st) == 0 && st.st_uid == 7 && (st.st_mode & 07777) == 0700);
	CHECK(stat("/data/deep/file", &st) == 0 && st.st_uid == 9);
	CHECK((st.st_mode & 07777) == 04711);
	CHECK(stat("/data", &st) == 0 && (st.st_mode & 07777) == 0750);
	CHECK(readlink("/data/link", value, sizeof(value)) == 11);
	CHECK(access("/data/fifo", F_OK) < 0);
}
static void tmpcopyup_brings_what_was_there(void **state)
{
	mountkit_run(body_copy_up);
}

static void body_binds(void)
{
	int tree, again, file;

	make_root();
	mountkit_mkdir("host/below");
	mountkit_write(mountkit_path("host/file"), "host file");
	CHECK(mount("none", mountkit_path("host"), "tmpfs", 0, NULL) == 0);
	CHECK(mount(NULL, mountkit_path("host"), NULL, MS_SHARED, NULL) == 0);
	mountkit_mkdir("host/below");
	mountkit_write(mountkit_path("host/file"), "host file");
	CHECK(mount("none", mountkit_path("host/below"), "tmpfs", 0, "mode=777") == 0);
	OK(mount_open_bind(mountkit_path("host"), true, &tree, &err));
	OK(mount_open_bind(mountkit_path("host"), true, &again, &err));
	OK(mount_open_bind(mountkit_path("host/file"), false, &file, &err));

	int root = enter(false);

	OK(mount_attach_fs(root, &proc, &err));
	OK(mount_attach_bind(root, tree,
	        &(struct mount_spec){ .target = "/a", .attr_set = MOUNT_ATTR_RDONLY }, &err));
	OK(mount_attach_bind(root, again,
	        &(struct mount_spec){ .target = "/b",
	                .rec_attr_set = MOUNT_ATTR_RDONLY,
	                .propagation = MS_SLAVE,
	                .propagation_recursive = true },
	        &err));
	OK(mount_attach_bind(root, file, &(struct mount_spec){ .target = "/new/place" }, &err));
	REFUSED(ENOTDIR, "folder",
	        mount_attach_bind(root, file, &(struct mount_spec){ .target = "/etc" }, &err));
	OK(mount_pivot(root, false, &err));
	CHECK(mountkit_contains("/new/place", "host file"));
	CHECK(open("/a/x", O_CREAT | O_WRONLY, 0600) < 0 && errno == EROFS);
	mountkit_write("/a/below/x", "not recursive");
	CHECK(open("/b/below/y", O_CREAT | O_WRONLY, 0600) < 0 && errno == EROFS);
	/* Private unless asked for: what the container mounts there stays here. */
	CHECK(!mountkit_contains("/proc/self/mountinfo", "shared:"));
	CHECK(mountkit_contains("/proc/self/mountinfo", "master:"));
}
static void binds_have_their_options_and_are_private(void **state)
{
	mountkit_run(body_binds);
}

static void body_cgroup(void)
{
	static const char *const v1[] = { "memory", "pids", "systemd", NULL };
	bool v2 = access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0;
	bool v1_here = access("/sys/fs/cgroup/memory/tasks", F_OK) == 0 &&
	               access("/sys/fs/cgroup/systemd/tasks", F_OK) == 0;
	struct mount_cgroup_view view = {
		.v2 = v2,
		.hierarchies = v1,
		.unified = access("/sys/fs/cgroup/unified", F_OK) == 0,
	};
	const struct mount_spec m = { .target = "/sys/fs/cgroup", .attr_set = MOUNT_ATTR_RDONLY };

	if (!v2 && !v1_here)
		return;
	make_root();

	int root = enter(true);

	OK(mount_attach_fs(root, &proc, &err));
	OK(mount_attach_fs(root, &sysfs, &err));
	OK(mount_attach_cgroup(root, &m, &view, &err));
	OK(mount_pivot(root, false, &err));
	CHECK(access(v2 ? "/sys/fs/cgroup/cgroup.procs" : "/sys/fs/cgroup/memory/tasks", F_OK) ==
	        0);
	CHECK(mkdir("/sys/fs/cgroup/x", 0755) < 0 && errno == EROFS);
	if (!v2) {
		CHECK(mkdir("/sys/fs/cgroup/pids/x", 0755) < 0 && errno == EROFS);
		CHECK(access("/sys/fs/cgroup/systemd/tasks", F_OK) == 0);
	}
	if (view.unified)
		CHECK(access("/sys/fs/cgroup/unified/cgroup.procs", F_OK) == 0);
}
static void cgroup_view_is_that_of_the_namespace(void **state)
{
	mountkit_run(body_cgroup);
}

static void body_cgroup_binds(void)
{
	static const char *const v1[] = { "cpu,cpuacct", NULL };
	int trees[2];
	struct mount_cgroup_view view = { .hierarchies = v1, .unified = true, .trees = trees };

	make_root();
	mountkit_mkdir("fake/group");
	CHECK(chmod(mountkit_path("fake/group"), 0777) == 0);
	for (size_t i = 0; i < 2; i++)
		OK(mount_open_bind(mountkit_path("fake/group"), false, &trees[i], &err));

	int root = enter(false);

	OK(mount_attach_fs(root, &sysfs, &err));
	/* A view without a cgroup namespace is read-only even when nobody asked (CVE-2023-25809).
	 */
	OK(mount_attach_cgroup(
	        root, &(struct mount_spec){ .target = "/sys/fs/cgroup" }, &view, &err));
	OK(mount_pivot(root, false, &err));
	CHECK(mkdir("/sys/fs/cgroup/cpu,cpuacct/x", 0755) < 0 && errno == EROFS);
	CHECK(mkdir("/sys/fs/cgroup/unified/x", 0755) < 0 && errno == EROFS);
	CHECK(access("/sys/fs/cgroup/cpuacct/.", F_OK) == 0);
	CHECK(access("/sys/fs/cgroup/cpu/.", F_OK) == 0);
}
static void cgroup_binds_are_read_only(void **state)
{
	mountkit_run(body_cgroup_binds);
}

/* --- devices --------------------------------------------------------------------------------- */

static void body_devices(void)
{
	const struct mount_device zero = { 'c', "/dev/sub/zero", 1, 5, 0604, 3, 4 };
	const struct mount_device fifo = { 'p', "/dev/fifo", 0, 0, 0622, 0, 0 };
	const struct mount_device null = { 'c', "/etc/null", 1, 3, 0666, 0, 0 };
	const struct mount_device link = { 'c', "/etc/link", 1, 3, 0666, 0, 0 };
	struct stat st;

	make_root();
	mountkit_write(in_root("etc/null"), "not a device");
	CHECK(symlink("/dev/sub/zero", in_root("etc/link")) == 0);

	int root = enter(false);

	(void) umask(077);
	OK(mount_attach_fs(root, &dev, &err));
	OK(mount_make_device(root, &zero, &err));
	OK(mount_make_device(root, &zero, &err)); /* the right one may be there */
	OK(mount_make_device(root, &fifo, &err));
	REFUSED(EEXIST, "something else", mount_make_device(root, &null, &err));
	REFUSED(EEXIST, "something else", mount_make_device(root, &link, &err));
	OK(mount_pivot(root, false, &err));
	CHECK(stat("/dev/sub/zero", &st) == 0 && S_ISCHR(st.st_mode));
	CHECK((st.st_mode & 07777) == 0604 && st.st_uid == 3 && st.st_gid == 4);
	CHECK(stat("/dev/fifo", &st) == 0 && S_ISFIFO(st.st_mode) && (st.st_mode & 0777) == 0622);
}
static void devices_are_made_exactly(void **state)
{
	mountkit_run(body_devices);
}

static void body_bound_devices(void)
{
	const struct mount_device null = { 'c', "/dev/null", 1, 3, 0666, 0, 0 };
	const struct mount_device zero = { 'c', "/dev/zero", 1, 5, 0666, 0, 0 };
	const struct mount_device link = { 'c', "/etc/link", 1, 5, 0666, 0, 0 };
	int zero_tree;

	make_root();
	CHECK(symlink("/dev/null", in_root("etc/link")) == 0);
	OK(mount_open_device("/dev/zero", 'c', 1, 5, &zero_tree, &err));

	int root = enter(true);

	OK(mount_attach_fs(root, &dev, &err));
	REFUSED(ENXIO, "/dev/null", mount_bind_device(root, &null, zero_tree, &err));
	REFUSED(ELOOP, "/etc/link", mount_bind_device(root, &link, zero_tree, &err));
	OK(mount_bind_device(root, &null, null_tree, &err));
	OK(mount_bind_device(root, &zero, zero_tree, &err));
	OK(mount_pivot(root, false, &err));
	mountkit_write("/dev/null", "into the void");

	char byte = 1;
	int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);

	CHECK(fd >= 0 && read(fd, &byte, 1) == 1 && byte == 0);
}
static void devices_are_bound_in_a_user_namespace(void **state)
{
	mountkit_run(body_bound_devices);
}

static void body_dev_of_the_image(void)
{
	make_root();
	mountkit_write(in_root("dev/stdin"), "precious");

	int root = enter(false);

	REFUSED(EEXIST, "/dev/stdin", mount_dev_links(root, true, &err));
	CHECK(mknodat(root, "dev/ptmx", S_IFCHR | 0666, makedev(5, 2)) == 0);
	CHECK(unlinkat(root, "dev/stdin", 0) == 0);
	OK(mount_dev_links(root, true, &err));
	CHECK(faccessat(root, "dev/ptmx", F_OK, 0) == 0);
}
static void dev_links_remove_nothing(void **state)
{
	mountkit_run(body_dev_of_the_image);
}

/* --- covers and procfs ----------------------------------------------------------------------- */

static bool is_covered(const char *path)
{
	struct stat st;

	CHECK(stat(path, &st) == 0);
	if (!S_ISDIR(st.st_mode))
		return S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3);

	DIR *d = opendir(path);
	int n = 0;

	CHECK(d);
	while (readdir(d))
		n++;
	(void) closedir(d);
	return n == 2 && mkdir("/proc/x", 0700) < 0;
}

static void body_cover_proc(void)
{
	static const char *const names[] = { "cpuinfo", "meminfo", "sys", "uptime", NULL };
	struct mount_cover cover;
	struct dirent *e;
	DIR *d;

	make_root();

	int root = enter(true);

	OK(mount_attach_fs(root, &proc, &err));
	mount_cover_init(&cover, null_tree);
	OK(mount_cover_proc(&cover, root, names, &err));
	mount_cover_done(&cover);
	OK(mount_pivot(root, false, &err));
	d = opendir("/proc");
	CHECK(d);
	while ((e = readdir(d))) {
		char path[PATH_MAX];
		bool open_one = e->d_name[0] == '.' || e->d_type == DT_LNK ||
		                (e->d_name[0] >= '0' && e->d_name[0] <= '9');

		for (size_t i = 0; names[i]; i++)
			open_one |= strcmp(names[i], e->d_name) == 0;
		(void) snprintf(path, sizeof(path), "/proc/%s", e->d_name);
		if (!open_one && !is_covered(path)) {
			(void) fprintf(stderr, "%s is open\n", path);
			_exit(1);
		}
	}
	(void) closedir(d);
	CHECK(mountkit_contains("/proc/meminfo", "MemTotal"));
	CHECK(access("/proc/self/status", R_OK) == 0);
	CHECK(umount2("/proc/kcore", MNT_DETACH) == 0 || errno == EINVAL || errno == ENOENT);
}
static void every_unlisted_entry_of_proc_is_covered(void **state)
{
	mountkit_run(body_cover_proc);
}

static void body_masks(void)
{
	struct mount_cover cover;
	struct statvfs fs;

	make_root();
	mountkit_mkdir("root/etc/folder/inner");
	mountkit_write(in_root("etc/one"), "secret");
	mountkit_write(in_root("etc/two"), "secret");
	CHECK(symlink("/etc/two", in_root("etc/link")) == 0);
	mountkit_mkdir("root/etc/second/inner");

	int root = enter(true);

	OK(mount_attach_fs(root, &proc, &err));
	mount_cover_init(&cover, null_tree);
	OK(mount_cover_path(&cover, root, "/etc/one", &err));
	OK(mount_cover_path(&cover, root, "/etc/link", &err));
	OK(mount_cover_path(&cover, root, "/etc/folder", &err));
	OK(mount_cover_path(&cover, root, "/etc/second", &err));
	OK(mount_cover_path(&cover, root, "/etc/missing/one", &err));
	OK(mount_cover_path(&cover, root, "/etc/one/not-a-folder", &err));
	mount_cover_done(&cover);
	OK(mount_read_only(root, "/proc/sys", &err));
	OK(mount_read_only(root, "/missing", &err));
	OK(mount_pivot(root, false, &err));
	CHECK(is_covered("/etc/one") && is_covered("/etc/two"));
	CHECK(is_covered("/etc/folder") && is_covered("/etc/second"));
	CHECK(mkdir("/etc/folder/new", 0700) < 0 && errno == EROFS);
	CHECK(statvfs("/proc/sys", &fs) == 0);
	CHECK(fs.f_flag & ST_RDONLY && fs.f_flag & ST_NOSUID && fs.f_flag & ST_NOEXEC);
}
static void masked_paths_show_nothing(void **state)
{
	mountkit_run(body_masks);
}

static void body_wrong_null(void)
{
	struct mount_cover cover;
	int file;

	make_root();
	mountkit_write(in_root("etc/evil"), "x");
	mountkit_write(in_root("etc/secret"), "x");
	OK(mount_open_bind(in_root("etc/evil"), false, &file, &err));

	int root = enter(true);

	mount_cover_init(&cover, file);
	REFUSED(ENXIO, "/etc/secret", mount_cover_path(&cover, root, "/etc/secret", &err));
	mount_cover_done(&cover);
	REFUSED(ENOTDIR, "procfs", mount_cover_proc(&cover, root, NULL, &err));
}
static void only_the_null_device_covers(void **state)
{
	mountkit_run(body_wrong_null);
}

static void body_private_proc(void)
{
	int fake, procfd;

	make_root();
	mountkit_write(in_root("etc/fake"), "");
	OK(mount_open_bind(in_root("etc/fake"), false, &fake, &err));

	int root = enter(true);

	OK(mount_attach_fs(root, &proc, &err));
	OK(mount_private_proc(&procfd, &err));
	OK(mount_write_sysctl(procfd, "net/ipv4/ip_unprivileged_port_start", "77", &err));
	REFUSED(ENOENT, "no/such", mount_write_sysctl(procfd, "no/such", "1", &err));
	REFUSED(EINVAL, "core_pattern",
	        mount_write_sysctl(procfd, "net/../kernel/core_pattern", "x", &err));
	REFUSED(EINVAL, "''", mount_write_sysctl(procfd, "", "x", &err));
	REFUSED(EINVAL, "hostname", mount_write_sysctl(procfd, "/kernel/hostname", "x", &err));
	REFUSED(EACCES, "core_pattern",
	        mount_write_sysctl(procfd, "kernel/core_pattern", "x", &err));
	CHECK(mount_proc_open(procfd, "self/root/etc/fake", O_RDONLY) < 0);

	/* Somebody's mount inside a procfs is not taken for it. */
	OK(mount_attach_bind(root, fake, &(struct mount_spec){ .target = "/proc/uptime" }, &err));
	int mounted = path_open_in(root, "proc", PATH_IN_ROOT, O_PATH | O_DIRECTORY, 0);
	CHECK(mounted >= 0 && mount_proc_open(mounted, "uptime", O_RDONLY) == -EXDEV);
	CHECK(mount_proc_open(procfd, "uptime", O_RDONLY) >= 0);
	OK(mount_pivot(root, false, &err));
	CHECK(mountkit_contains("/proc/sys/net/ipv4/ip_unprivileged_port_start", "77"));
}
static void sysctls_go_through_a_private_procfs(void **state)
{
	mountkit_run(body_private_proc);
}

static void body_refused_proc(void)
{
	int procfd;

	/* As inside a container: /proc is partly covered, and the cover is locked for us. */
	CHECK(mount("/dev/null", "/proc/version", NULL, MS_BIND, NULL) == 0);
	mountkit_enter(true);
	REFUSED(EPERM, "proc", mount_private_proc(&procfd, &err));
	/* What is left is the procfs of the host, where the cover is noticed. */
	OK(mount_host_proc(&procfd, &err));
	CHECK(mount_proc_open(procfd, "version", O_RDONLY) == -EXDEV);
	CHECK(mount_proc_open(procfd, "sys/kernel/hostname", O_RDONLY) >= 0);
}
static void private_proc_is_refused_where_proc_is_covered(void **state)
{
	mountkit_run(body_refused_proc);
}

static void body_host_proc(void)
{
	int procfd;

	OK(mount_host_proc(&procfd, &err));
	(void) close(procfd);
	CHECK(mount("none", "/proc", "tmpfs", 0, NULL) == 0);
	REFUSED(ENOTDIR, "procfs", mount_host_proc(&procfd, &err));
}
static void host_proc_must_be_procfs(void **state)
{
	mountkit_run(body_host_proc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testkit_case(links_of_the_image_are_no_proc_or_sys),
		testkit_case(nothing_in_proc_is_replaced_but_a_few_files),
		testkit_case(targets_stay_inside_the_root),
		testkit_case(targets_of_dangling_links_are_made_inside),
		testkit_case(file_systems_mount_in_a_user_namespace),
		testkit_case(tmpcopyup_brings_what_was_there),
		testkit_case(binds_have_their_options_and_are_private),
		testkit_case(cgroup_view_is_that_of_the_namespace),
		testkit_case(cgroup_binds_are_read_only),
		testkit_case(devices_are_made_exactly),
		testkit_case(devices_are_bound_in_a_user_namespace),
		testkit_case(dev_links_remove_nothing),
		testkit_case(every_unlisted_entry_of_proc_is_covered),
		testkit_case(masked_paths_show_nothing),
		testkit_case(only_the_null_device_covers),
		testkit_case(sysctls_go_through_a_private_procfs),
		testkit_case(private_proc_is_refused_where_proc_is_covered),
		testkit_case(host_proc_must_be_procfs),
	};

	return testkit_run(tests);
}
