/* SPDX-License-Identifier: Apache-2.0 */
/* Filling volumes from images: what is kept, what a hostile image cannot do, and kills half-way. */
#include "engine/volume_fill.h"

#include "mountkit.h"

#include "base/fd.h"
#include "base/str.h"
#include "engine/config.h"
#include "engine/volume_filter.h"
#include "engine/volumes.h"
#include "store/store.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>

static struct err err;

/* Layers are state/fs/layers/{two,one}, two on top; the volume is 'vol'. */
#define LAYER   "state/fs/layers/one/"
#define UPPER   "state/fs/layers/two/"
#define VOLUME  "state/volumes/vol/_data/"
#define VOLUMES "state/volumes/"

static char *layers[] = { (char *) (uintptr_t) "layers/two", (char *) (uintptr_t) "layers/one",
	NULL };
static const struct store_image image = { .layers = layers };

static void open_engine(struct engine *e)
{
	OK(store_open(mountkit_path("state"), STORE_WRITE, &e->store, &err));
	mountkit_mkdir("state/containers");
	e->containers_fd = open(
	        mountkit_path("state/containers"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(e->containers_fd >= 0);
	mountkit_mkdir(LAYER);
	mountkit_mkdir(UPPER);
}

/* What 'create' does for a container that mounts the volume at the target. */
static int prepare(struct engine *e, const char *target)
{
	const struct config_mount mount = { CONFIG_VOLUME, .source = "vol", .target = target,
		.propagation = "" };
	struct config c = { .mounts = &mount, .n_mounts = 1 };
	char id[32];
	int r;

	(void) snprintf(id, sizeof(id), "container-%d", (int) getpid());
	r = volumes_prepare(e, &image, &c, id, &err);
	arena_done(&c.arena);
	return r;
}

static void file(const char *name, const char *text)
{
	mountkit_write(mountkit_path(name), text);
}

static bool holds(const char *name, const char *text)
{
	return mountkit_contains(mountkit_path(name), text);
}

static bool is_there(const char *name)
{
	struct stat st;

	return lstat(mountkit_path(name), &st) == 0;
}

static struct stat look(const char *name)
{
	struct stat st;

	CHECK(lstat(mountkit_path(name), &st) == 0);
	return st;
}

static int count(const char *name)
{
	DIR *d = opendir(mountkit_path(name));
	int n = 0;

	CHECK(d);
	for (struct dirent *e; (e = readdir(d));)
		n += e->d_name[0] != '.' || (e->d_name[1] && e->d_name[1] != '.');
	(void) closedir(d);
	return n;
}

/* Nothing half-made is left beside the volume. */
static void expect_tidy(void)
{
	CHECK(count(VOLUMES) == 1);
}

/* --- what is kept ----------------------------------------------------------------------------- */

static void body_attributes(void)
{
	static const char acl[] = "\2\0\0\0\1\0\6\0\377\377\377\377\2\0\4\0\5\0\0\0"
	                          "\4\0\4\0\377\377\377\377\20\0\4\0\377\377\377\377"
	                          "\40\0\0\0\377\377\377\377";
	static const char caps[] = "\1\0\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
	const struct timespec old[] = { { 1000, 5 }, { 2000, 7 } };
	_engine_done_ struct engine e = ENGINE_INIT;
	char value[128];
	struct stat st;

	open_engine(&e);
	mountkit_mkdir(LAYER "data/sub/empty");
	file(LAYER "data/sub/tool", "program");
	CHECK(chown(mountkit_path(LAYER "data/sub/tool"), 33, 44) == 0);
	CHECK(chmod(mountkit_path(LAYER "data/sub/tool"), 06755) == 0);
	CHECK(setxattr(mountkit_path(LAYER "data/sub/tool"), "user.note", "hi", 2, 0) == 0);
	CHECK(setxattr(mountkit_path(LAYER "data/sub/tool"), "system.posix_acl_access", acl,
	              sizeof(acl) - 1, 0) == 0);
	CHECK(setxattr(mountkit_path(LAYER "data/sub/tool"), "security.capability", caps,
	              sizeof(caps) - 1, 0) == 0);
	CHECK(symlink("/etc/shadow", mountkit_path(LAYER "data/link")) == 0);
	CHECK(lchown(mountkit_path(LAYER "data/link"), 7, 8) == 0);
	CHECK(utimensat(AT_FDCWD, mountkit_path(LAYER "data/sub/tool"), old, 0) == 0);
	CHECK(utimensat(AT_FDCWD, mountkit_path(LAYER "data/link"), old, AT_SYMLINK_NOFOLLOW) == 0);
	CHECK(utimensat(AT_FDCWD, mountkit_path(LAYER "data/sub"), old, 0) == 0);
	CHECK(chown(mountkit_path(LAYER "data"), 70, 71) == 0);
	CHECK(chmod(mountkit_path(LAYER "data"), 02770) == 0);
	CHECK(utimensat(AT_FDCWD, mountkit_path(LAYER "data"), old, 0) == 0);

	OK(prepare(&e, "/data"));
	st = look(VOLUME);
	CHECK(st.st_uid == 70 && st.st_gid == 71 && (st.st_mode & 07777) == 02770);
	CHECK(st.st_mtim.tv_sec == 2000 && st.st_mtim.tv_nsec == 7);
	st = look(VOLUME "sub");
	CHECK(st.st_mtim.tv_sec == 2000 && st.st_uid == 0 && (st.st_mode & 07777) == 0755);
	CHECK(count(VOLUME "sub/empty") == 0);
	st = look(VOLUME "sub/tool");
	CHECK(st.st_uid == 33 && st.st_gid == 44 && (st.st_mode & 07000) == 06000);
	CHECK(st.st_mtim.tv_sec == 2000 && st.st_mtim.tv_nsec == 7);
	CHECK(holds(VOLUME "sub/tool", "program"));
	CHECK(getxattr(mountkit_path(VOLUME "sub/tool"), "user.note", value, sizeof(value)) == 2);
	CHECK(getxattr(mountkit_path(VOLUME "sub/tool"), "system.posix_acl_access", value,
	              sizeof(value)) == sizeof(acl) - 1);
	CHECK(memcmp(value, acl, sizeof(acl) - 1) == 0);
	CHECK(getxattr(mountkit_path(VOLUME "sub/tool"), "security.capability", value,
	              sizeof(value)) == sizeof(caps) - 1);
	CHECK(memcmp(value, caps, sizeof(caps) - 1) == 0);
	st = look(VOLUME "link");
	CHECK(S_ISLNK(st.st_mode) && st.st_uid == 7 && st.st_gid == 8);
	CHECK(st.st_mtim.tv_sec == 2000);
	CHECK(readlink(mountkit_path(VOLUME "link"), value, sizeof(value)) == 11);
	expect_tidy();
}

static void fill_keeps_owners_modes_times_and_xattrs(void **state)
{
	mountkit_run(body_attributes);
}

static void body_hard_links(void)
{
	_engine_done_ struct engine e = ENGINE_INIT;
	struct stat one, two, three;

	open_engine(&e);
	mountkit_mkdir(LAYER "data/deep");
	file(LAYER "data/one", "same");
	CHECK(link(mountkit_path(LAYER "data/one"), mountkit_path(LAYER "data/two")) == 0);
	CHECK(link(mountkit_path(LAYER "data/one"), mountkit_path(LAYER "data/deep/three")) == 0);
	CHECK(link(mountkit_path(LAYER "data/one"), mountkit_path(LAYER "outside")) == 0);
	file(LAYER "data/other", "other");
	CHECK(link(mountkit_path(LAYER "data/other"), mountkit_path(LAYER "other")) == 0);
	OK(prepare(&e, "/data"));
	one = look(VOLUME "one");
	two = look(VOLUME "two");
	three = look(VOLUME "deep/three");
	CHECK(one.st_ino == two.st_ino && one.st_ino == three.st_ino && one.st_nlink == 3);
	CHECK(one.st_ino != look(LAYER "data/one").st_ino);
	CHECK(look(VOLUME "other").st_nlink == 1);
	expect_tidy();
}

static void fill_keeps_hard_links(void **state)
{
	mountkit_run(body_hard_links);
}

static void body_holes(void)
{
	_engine_done_ struct engine e = ENGINE_INIT;
	char block[4096];
	struct stat st;
	int fd;

	open_engine(&e);
	mountkit_mkdir(LAYER "data");
	memset(block, 'x', sizeof(block));
	fd = open(mountkit_path(LAYER "data/big"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	CHECK(pwrite(fd, block, sizeof(block), 0) == sizeof(block));
	CHECK(pwrite(fd, block, sizeof(block), INT64_C(50) << 30) == sizeof(block));
	CHECK(ftruncate(fd, INT64_C(100) << 30) == 0);
	CHECK(close(fd) == 0);
	fd = open(mountkit_path(LAYER "data/dense"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	for (int i = 0; i < 1024; i++)
		CHECK(write(fd, block, sizeof(block)) == sizeof(block));
	CHECK(close(fd) == 0);
	OK(prepare(&e, "/data"));
	st = look(VOLUME "big");
	CHECK(st.st_size == INT64_C(100) << 30 && st.st_blocks < 1000);
	fd = open(mountkit_path(VOLUME "big"), O_RDONLY | O_CLOEXEC);
	memset(block, 0, sizeof(block));
	CHECK(pread(fd, block, sizeof(block), INT64_C(50) << 30) == sizeof(block));
	CHECK(block[0] == 'x' && block[4095] == 'x');
	CHECK(close(fd) == 0);
	CHECK(look(VOLUME "dense").st_size == 4 << 20);
	CHECK(look(VOLUME "dense").st_blocks >= 4 << 11);
}

static void fill_keeps_holes_of_a_large_file(void **state)
{
	mountkit_run(body_holes);
}

static void body_layers(void)
{
	_engine_done_ struct engine e = ENGINE_INIT;

	open_engine(&e);
	mountkit_mkdir(LAYER "data/old");
	file(LAYER "data/gone", "x");
	file(LAYER "data/kept", "x");
	file(LAYER "data/old/hidden", "x");
	file(LAYER "data/changed", "lower");
	mountkit_mkdir(UPPER "data/old");
	file(UPPER "data/changed", "upper");
	CHECK(mknod(mountkit_path(UPPER "data/gone"), S_IFCHR, makedev(0, 0)) == 0);
	CHECK(setxattr(mountkit_path(UPPER "data/old"), "trusted.overlay.opaque", "y", 1, 0) == 0);
	OK(prepare(&e, "/data"));
	CHECK(is_there(VOLUME "kept") && !is_there(VOLUME "gone"));
	CHECK(is_there(VOLUME "old") && !is_there(VOLUME "old/hidden"));
	CHECK(holds(VOLUME "changed", "upper"));
	CHECK(getxattr(mountkit_path(VOLUME "old"), "trusted.overlay.opaque", NULL, 0) < 0);
}

static void fill_takes_the_image_as_its_layers_make_it(void **state)
{
	mountkit_run(body_layers);
}

static void body_one_layer(void)
{
	static char *one[] = { (char *) (uintptr_t) "layers/one", NULL };
	const struct store_image single = { .layers = one };
	const struct config_mount mount = { CONFIG_VOLUME, .source = "vol", .target = "/link/data",
		.propagation = "" };
	struct config c = { .mounts = &mount, .n_mounts = 1 };
	_engine_done_ struct engine e = ENGINE_INIT;

	open_engine(&e);
	mountkit_mkdir("host/data");
	file("host/data/secret", "x");
	mountkit_mkdir(LAYER "real/data");
	file(LAYER "real/data/file", "content");
	CHECK(symlink("/../../../real", mountkit_path(LAYER "link")) == 0);
	OK(volumes_prepare(&e, &single, &c, "id", &err));
	CHECK(count(VOLUME) == 1 && holds(VOLUME "file", "content"));
	CHECK(count(LAYER "real/data") == 1);
	arena_done(&c.arena);
	expect_tidy();
}

static void fill_takes_an_image_of_one_layer(void **state)
{
	mountkit_run(body_one_layer);
}

static void body_empty_only(void)
{
	_engine_done_ struct engine e = ENGINE_INIT;
	ino_t before;

	open_engine(&e);
	mountkit_mkdir(LAYER "data");
	mountkit_mkdir(LAYER "none");
	file(LAYER "data/new", "x");
	OK(prepare(&e, "/missing"));
	OK(prepare(&e, "/none"));
	before = look(VOLUME).st_ino;
	CHECK(count(VOLUME) == 0);
	OK(prepare(&e, "/data")); /* still empty, and another container may be looking at it */
	CHECK(is_there(VOLUME "new") && look(VOLUME).st_ino == before);
	CHECK(unlink(mountkit_path(VOLUME "new")) == 0);
	file(VOLUME "mine", "x");
	OK(prepare(&e, "/data"));
	CHECK(!is_there(VOLUME "new") && is_there(VOLUME "mine"));
	expect_tidy();
}

static void only_an_empty_volume_is_filled(void **state)
{
	mountkit_run(body_empty_only);
}

static void body_nocopy(void)
{
	const struct config_mount mount = { CONFIG_VOLUME, .source = "vol", .target = "/data",
		.propagation = "", .no_copy = true };
	struct config c = { .mounts = &mount, .n_mounts = 1 };
	_engine_done_ struct engine e = ENGINE_INIT;

	open_engine(&e);
	mountkit_mkdir(LAYER "data");
	file(LAYER "data/new", "x");
	OK(volumes_prepare(&e, &image, &c, "id", &err));
	CHECK(count(VOLUME) == 0);
	arena_done(&c.arena);
}

static void nocopy_starts_with_an_empty_volume(void **state)
{
	mountkit_run(body_nocopy);
}

/* --- attacks ---------------------------------------------------------------------------------- */

static void body_link_to_host(void)
{
	static const char *const targets[] = { "/data", "/climb", "/nested/data", "/chain" };

	mountkit_mkdir("host");
	file("host/secret", "host");
	for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
		_engine_done_ struct engine e = ENGINE_INIT;
		_free_ char *climb = xprintf("../../../../../../../..%s", mountkit_path("host"));
		_free_ char *inside = xprintf(LAYER "%s", mountkit_path("host"));

		open_engine(&e);
		if (i == 0) {
			CHECK(symlink(mountkit_path("host"), mountkit_path(LAYER "data")) == 0);
			CHECK(symlink(climb, mountkit_path(LAYER "climb")) == 0);
			CHECK(symlink("/", mountkit_path(LAYER "nested")) == 0);
			CHECK(symlink("nested/nested/climb", mountkit_path(LAYER "chain")) == 0);
			mountkit_mkdir(inside);
			file(xprintf("%s/from-image", inside), "image");
		}
		OK(prepare(&e, targets[i]));
		CHECK(!is_there(VOLUME "secret"));
		CHECK(is_there(VOLUME "from-image"));
		OK(volumes_release(&e, xprintf("container-%d", (int) getpid()), false, &err));
		OK(volume_remove(&e, "vol", false, &err));
	}
	CHECK(holds("host/secret", "host"));
}

static void attack_link_at_the_target_reads_no_folder_of_the_host(void **state)
{
	mountkit_run(body_link_to_host);
}

static void body_magic_links(void)
{
	static const char *const targets[] = { "/self", "/loop", "/file", "/file/x", "/dangling",
		"/fifo", "/a/../../../../../../../../../../../../etc" };
	_engine_done_ struct engine e = ENGINE_INIT;

	open_engine(&e);
	CHECK(symlink("/proc/self/root/etc", mountkit_path(LAYER "self")) == 0);
	CHECK(symlink("loop", mountkit_path(LAYER "loop")) == 0);
	CHECK(symlink("/nowhere", mountkit_path(LAYER "dangling")) == 0);
	CHECK(mkfifo(mountkit_path(LAYER "fifo"), 0600) == 0);
	file(LAYER "file", "x");
	for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
		OK(prepare(&e, targets[i]));
		CHECK(count(VOLUME) == 0);
	}
	expect_tidy();
}

static void attack_target_that_is_no_folder_of_the_image(void **state)
{
	mountkit_run(body_magic_links);
}

static void body_special_files(void)
{
	const struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "socket" };
	_engine_done_ struct engine e = ENGINE_INIT;
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	open_engine(&e);
	mountkit_mkdir(LAYER "data");
	CHECK(mkfifo(mountkit_path(LAYER "data/fifo"), 0600) == 0);
	CHECK(chown(mountkit_path(LAYER "data/fifo"), 5, 6) == 0);
	CHECK(chmod(mountkit_path(LAYER "data/fifo"), 0624) == 0);
	CHECK(mknod(mountkit_path(LAYER "data/disk"), S_IFBLK | 0666, makedev(8, 0)) == 0);
	CHECK(mknod(mountkit_path(LAYER "data/mem"), S_IFCHR | 0666, makedev(1, 1)) == 0);
	CHECK(chdir(mountkit_path(LAYER "data")) == 0);
	CHECK(bind(s, (const struct sockaddr *) &name, sizeof(name)) == 0);
	CHECK(chdir("/") == 0);
	(void) close(s);
	file(LAYER "data/plain", "x");
	(void) alarm(20); /* a FIFO that somebody opens would wait for ever */
	OK(prepare(&e, "/data"));
	(void) alarm(0);
	CHECK(count(VOLUME) == 2 && is_there(VOLUME "plain"));
	CHECK(S_ISFIFO(look(VOLUME "fifo").st_mode));
	CHECK((look(VOLUME "fifo").st_mode & 07777) == 0624 && look(VOLUME "fifo").st_uid == 5);
}

static void attack_devices_fifos_and_sockets(void **state)
{
	mountkit_run(body_special_files);
}

static void body_forged_xattrs(void)
{
	static const char *const forged[] = { "trusted.overlay.redirect", "user.overlay.opaque",
		"trusted.anything" };
	_engine_done_ struct engine e = ENGINE_INIT;

	open_engine(&e);
	mountkit_mkdir(LAYER "data/dir");
	file(LAYER "data/plain", "x");
	for (size_t i = 0; i < ARRAY_SIZE(forged); i++) {
		CHECK(setxattr(mountkit_path(LAYER "data/plain"), forged[i], "y", 1, 0) == 0);
		CHECK(i == 0 ||
		        setxattr(mountkit_path(LAYER "data/dir"), forged[i], "y", 1, 0) == 0);
	}
	OK(prepare(&e, "/data"));
	CHECK(is_there(VOLUME "plain"));
	for (size_t i = 0; i < ARRAY_SIZE(forged); i++) {
		CHECK(getxattr(mountkit_path(VOLUME "plain"), forged[i], NULL, 0) < 0);
		CHECK(getxattr(mountkit_path(VOLUME "dir"), forged[i], NULL, 0) < 0);
	}
}

static void attack_forged_notes_of_overlayfs(void **state)
{
	mountkit_run(body_forged_xattrs);
}

/* 'n' folders in each other, below the folder that name ends in. */
static void nest(const char *name, int n)
{
	int fd = open(mountkit_path(name), O_PATH | O_DIRECTORY | O_CLOEXEC);

	for (int i = 0; i < n; i++) {
		int next;

		CHECK(mkdirat(fd, "d", 0755) == 0);
		next = openat(fd, "d", O_PATH | O_DIRECTORY | O_CLOEXEC);
		CHECK(next >= 0);
		(void) close(fd);
		fd = next;
	}
	(void) close(fd);
}

static void unnest(const char *name)
{
	for (;;) {
		_free_ char *first = xprintf("%s/d", name), *second = xprintf("%s/d/d", name);
		_free_ char *aside = xprintf("%s/x", name);

		if (!is_there(second)) {
			(void) rmdir(mountkit_path(first));
			return;
		}
		CHECK(rename(mountkit_path(second), mountkit_path(aside)) == 0);
		CHECK(rmdir(mountkit_path(first)) == 0);
		CHECK(rename(mountkit_path(aside), mountkit_path(first)) == 0);
	}
}

static void body_deep(void)
{
	_engine_done_ struct engine e = ENGINE_INIT;
	_volume_done_ struct volume v = { 0 };

	open_engine(&e);
	mountkit_mkdir(LAYER "data");
	mountkit_mkdir(LAYER "fine");
	nest(LAYER "data", 3 * VOLUME_COPY_DEPTH_MAX);
	nest(LAYER "fine", VOLUME_COPY_DEPTH_MAX);
	file(LAYER "data/aaa", "x");
	REFUSED(ELOOP, "folders deep", prepare(&e, "/data"));
	CHECK(count(VOLUME) == 0);
	expect_tidy();
	OK(volume_find(&e, "vol", &v, &err));
	CHECK(v.users == 0);
	OK(prepare(&e, "/fine"));
	CHECK(count(VOLUME) == 1);
	/* The scratch folder is removed by names. */
	unnest(LAYER "data");
}

static void attack_a_tree_that_is_too_deep(void **state)
{
	mountkit_run(body_deep);
}

static void body_names(void)
{
	static const char *const names[] = { "-rf", "a\nb", "\033[2J", "...", ".links", "tree",
		"links", "_data", "\xff\xfe", " " };
	_engine_done_ struct engine e = ENGINE_INIT;

	open_engine(&e);
	mountkit_mkdir(LAYER "data");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_free_ char *name = xprintf(LAYER "data/%s", names[i]);

		file(name, "x");
	}
	OK(prepare(&e, "/data"));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_free_ char *name = xprintf(VOLUME "%s", names[i]);

		CHECK(is_there(name));
	}
	expect_tidy();
}

static void attack_odd_names(void **state)
{
	mountkit_run(body_names);
}

static void attack_a_file_that_grows_is_copied_once(void **state)
{
	static const char *const folders[] = { "from", "to", "links" };
	const char *scratch = testkit_scratch();
	char block[65536] = { 1 };
	_free_ char *path = xprintf("%s/from/log", scratch), *copy = xprintf("%s/to/log", scratch);
	int fds[3];
	struct stat st;

	for (size_t i = 0; i < 3; i++) {
		_free_ char *folder = xprintf("%s/%s", scratch, folders[i]);

		assert_int_equal(mkdir(folder, 0700), 0);
		fds[i] = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(fds[i] >= 0);
	}
	int log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	assert_int_equal(write(log, block, sizeof(block)), sizeof(block));
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		/* At most a gigabyte; it is killed long before. */
		for (int i = 0; i < 16384; i++)
			if (write(log, block, sizeof(block)) < 0)
				break;
		_exit(0);
	}
	(void) close(log);
	assert_int_equal(volume_copy(fds[0], fds[1], fds[2], &err), 0);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(stat(copy, &st), 0);
	assert_true(st.st_size >= (off_t) sizeof(block) && st.st_size < (off_t) 1 << 30);
	for (size_t i = 0; i < 3; i++)
		(void) close(fds[i]);
}

/* --- the fence -------------------------------------------------------------------------------- */

/* What code that took over the copying process might try. */
static void try_open(void)
{
	(void) open("/etc/passwd", O_RDONLY | O_CLOEXEC);
}

static void try_socket(void)
{
	(void) socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static void try_kill(void)
{
	(void) kill(getppid(), 0);
}

static void try_fork(void)
{
	(void) fork();
}

static void try_executable_memory(void)
{
	(void) mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void attack_other_system_calls_end_the_copying_process(void **state)
{
	static void (*const attempts[])(
	        void) = { try_open, try_socket, try_kill, try_fork, try_executable_memory };

	for (size_t i = 0; i < ARRAY_SIZE(attempts); i++) {
		int status = 0;
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0) {
			/* no_new_privs is what the caller has set. */
			CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
			OK(volume_filter_enter(&err));
			attempts[i]();
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
	}
}

/* --- two at once, and kills ------------------------------------------------------------------- */

enum { FILES = 300, MAKERS = 4, KILLS = 12 };

static void make_many(void)
{
	mountkit_mkdir("state");
	CHECK(chmod(mountkit_path("state"), 0700) == 0);
	for (int i = 0; i < FILES; i++) {
		_free_ char *name = xprintf(LAYER "data/d%d/f%d", i % 10, i);

		if (i < 10) {
			_free_ char *folder = xprintf(LAYER "data/d%d", i);

			mountkit_mkdir(folder);
		}
		file(name, "content");
	}
	CHECK(chmod(mountkit_path(LAYER "data"), 0751) == 0);
}

static void expect_whole(void)
{
	CHECK(count(VOLUME) == 10);
	for (int i = 0; i < FILES; i++) {
		_free_ char *name = xprintf(VOLUME "d%d/f%d", i % 10, i);

		CHECK(holds(name, "content"));
	}
	CHECK((look(VOLUME).st_mode & 07777) == 0751);
}

/* A command of its own that creates a container with the volume. */
static pid_t start_maker(void)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		_engine_done_ struct engine e = ENGINE_INIT;

		open_engine(&e);
		OK(prepare(&e, "/data"));
		_exit(0);
	}
	return pid;
}

static void body_two_at_once(void)
{
	pid_t makers[MAKERS];

	make_many();
	for (int i = 0; i < MAKERS; i++)
		makers[i] = start_maker();
	for (int i = 0; i < MAKERS; i++) {
		int status = 0;

		CHECK(waitpid(makers[i], &status, 0) == makers[i] && status == 0);
	}
	expect_whole();
	expect_tidy();
}

static void creates_of_one_new_volume_at_once_fill_it_once(void **state)
{
	mountkit_run(body_two_at_once);
}

static void body_kills(void)
{
	_engine_done_ struct engine e = ENGINE_INIT;
	int empty = 0;

	open_engine(&e);
	make_many();
	for (int i = 0; i < KILLS; i++) {
		pid_t pid = start_maker();
		int status = 0, n;

		(void) poll(NULL, 0, 4 * i);
		CHECK(kill(pid, SIGKILL) == 0 && waitpid(pid, &status, 0) == pid);
		/* Its child has been told to die and may need a moment; it holds the lock. */
		volumes_sweep(&e);
		for (int wait = 0; wait < 500 && is_there(VOLUMES ".fill-vol"); wait++) {
			(void) poll(NULL, 0, 10);
			volumes_sweep(&e);
		}
		n = is_there(VOLUME) ? count(VOLUME) : 0;
		CHECK(n == 0 || n == 10);
		if (n == 10)
			expect_whole();
		empty += n == 0;
		CHECK(!is_there(VOLUMES ".fill-vol") && !is_there(VOLUMES ".full-vol"));
		OK(volume_remove(&e, "vol", true, &err));
		CHECK(count(VOLUMES) == 0);
	}
	CHECK(empty > 0);
	OK(prepare(&e, "/data"));
	expect_whole();
}

static void a_kill_half_way_leaves_the_volume_empty_or_whole(void **state)
{
	mountkit_run(body_kills);
}

static void body_moved_half(void)
{
	_engine_done_ struct engine e = ENGINE_INIT;

	open_engine(&e);
	mountkit_mkdir(LAYER "data");
	file(LAYER "data/aa", "image");
	file(LAYER "data/bb", "image");
	OK(prepare(&e, "/missing"));
	/* As if the command was killed when it had moved one of two. */
	mountkit_mkdir(VOLUMES ".full-vol");
	file(VOLUMES ".full-vol/bb", "image");
	CHECK(chmod(mountkit_path(VOLUMES ".full-vol"), 0711) == 0);
	file(VOLUME "aa", "image");
	OK(prepare(&e, "/data"));
	CHECK(holds(VOLUME "bb", "image") && (look(VOLUME).st_mode & 07777) == 0711);
	/* What a container wrote meanwhile is not overwritten. */
	mountkit_mkdir(VOLUMES ".full-vol");
	file(VOLUMES ".full-vol/aa", "other");
	file(VOLUMES ".full-vol/cc", "other");
	volumes_sweep(&e);
	CHECK(holds(VOLUME "aa", "image") && holds(VOLUME "cc", "other"));
	expect_tidy();
}

static void a_copy_that_was_being_moved_is_moved_on(void **state)
{
	mountkit_run(body_moved_half);
}

static void body_locked(void)
{
	_engine_done_ struct engine e = ENGINE_INIT;
	int fd;

	open_engine(&e);
	OK(prepare(&e, "/missing"));
	fd = open(mountkit_path(VOLUMES "vol"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(flock(fd, LOCK_EX) == 0);
	mountkit_mkdir(VOLUMES ".fill-vol");
	volumes_sweep(&e);
	CHECK(is_there(VOLUMES ".fill-vol"));
	(void) close(fd);
	volumes_sweep(&e);
	CHECK(!is_there(VOLUMES ".fill-vol"));
}

static void sweep_leaves_alone_what_is_being_copied(void **state)
{
	mountkit_run(body_locked);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testkit_case(fill_keeps_owners_modes_times_and_xattrs),
		testkit_case(fill_keeps_hard_links),
		testkit_case(fill_keeps_holes_of_a_large_file),
		testkit_case(fill_takes_the_image_as_its_layers_make_it),
		testkit_case(fill_takes_an_image_of_one_layer),
		testkit_case(only_an_empty_volume_is_filled),
		testkit_case(nocopy_starts_with_an_empty_volume),
		testkit_case(attack_link_at_the_target_reads_no_folder_of_the_host),
		testkit_case(attack_target_that_is_no_folder_of_the_image),
		testkit_case(attack_devices_fifos_and_sockets),
		testkit_case(attack_forged_notes_of_overlayfs),
		testkit_case(attack_a_tree_that_is_too_deep),
		testkit_case(attack_odd_names),
		testkit_case(attack_a_file_that_grows_is_copied_once),
		testkit_case(attack_other_system_calls_end_the_copying_process),
		testkit_case(creates_of_one_new_volume_at_once_fill_it_once),
		testkit_case(a_kill_half_way_leaves_the_volume_empty_or_whole),
		testkit_case(a_copy_that_was_being_moved_is_moved_on),
		testkit_case(sweep_leaves_alone_what_is_being_copied),
	};

	return testkit_run(tests);
}
