/* SPDX-License-Identifier: Apache-2.0 */
#include "mountkit.h"

#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

static const char *reason_to_skip(void)
{
	if (geteuid() != 0)
		return "needs root";
	if (!mountkit_contains("/proc/self/uid_map", "4294967295"))
		return "needs root of the initial user namespace";
	pid_t pid = fork();
	int status = 0;

	if (pid == 0)
		_exit(unshare(CLONE_NEWNS) < 0);
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || status != 0)
		return "needs CAP_SYS_ADMIN";
	return NULL;
}

void mountkit_run(void (*body)(void))
{
	const char *reason = reason_to_skip();
	int status = 0;
	pid_t pid;

	if (reason) {
		print_message("skipped: %s\n", reason);
		skip();
	}
	(void) testkit_scratch();
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		CHECK(unshare(CLONE_NEWNS) == 0);
		CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
		body();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void write_maps(pid_t pid)
{
	static const char *const files[] = { "uid_map", "gid_map" };
	char path[64], map[64];

	(void) snprintf(map, sizeof(map), "0 %d 65536", MOUNTKIT_BASE);
	for (size_t i = 0; i < 2; i++) {
		(void) snprintf(path, sizeof(path), "/proc/%d/%s", (int) pid, files[i]);
		mountkit_write(path, map);
	}
}

/* Ends as the child did. */
static void follow(pid_t pid)
{
	int status = 0;

	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status));
	if (WEXITSTATUS(status))
		_exit(WEXITSTATUS(status));
}

static void enter_user_namespace(int flags)
{
	pid_t target = getpid(), mapper;
	int ends[2];
	char byte;

	CHECK(pipe2(ends, O_CLOEXEC) == 0);
	mapper = fork();
	CHECK(mapper >= 0);
	if (mapper == 0) {
		CHECK(read(ends[0], &byte, 1) == 1);
		write_maps(target);
		_exit(0);
	}
	CHECK(unshare(CLONE_NEWUSER | flags) == 0);
	CHECK(write(ends[1], "x", 1) == 1);
	follow(mapper);
	(void) close(ends[0]);
	(void) close(ends[1]);
	CHECK(setresgid(0, 0, 0) == 0);
	CHECK(setresuid(0, 0, 0) == 0);
}

void mountkit_enter(bool userns)
{
	const int flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET |
	                  CLONE_NEWCGROUP;
	/* Never closed: the "host" with its peer groups lives on without a process in it. */
	int host = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	pid_t pid;

	CHECK(host >= 0);
	if (userns)
		enter_user_namespace(flags);
	else
		CHECK(unshare(flags) == 0);
	pid = fork();
	CHECK(pid >= 0);
	if (pid > 0) {
		follow(pid);
		_exit(0);
	}
}

const char *mountkit_path(const char *name)
{
	static char paths[8][PATH_MAX];
	static unsigned int turn;
	char *path = paths[turn++ % 8];

	(void) snprintf(path, PATH_MAX, "%s/%s", testkit_scratch(), name);
	return path;
}

void mountkit_mkdir(const char *name)
{
	char path[PATH_MAX];

	(void) snprintf(path, sizeof(path), "%s", mountkit_path(name));
	for (char *p = path + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		CHECK(mkdir(path, 0755) == 0 || errno == EEXIST);
		*p = '/';
	}
	CHECK(mkdir(path, 0755) == 0 || errno == EEXIST);
}

void mountkit_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	size_t len = strlen(text);

	if (fd < 0)
		(void) fprintf(stderr, "%s: ", path);
	CHECK(fd >= 0);
	CHECK(write(fd, text, len) == (ssize_t) len);
	(void) close(fd);
}

bool mountkit_contains(const char *path, const char *text)
{
	static char data[1 << 20];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n;

	CHECK(fd >= 0);
	while (len < sizeof(data) - 1 && (n = read(fd, data + len, sizeof(data) - 1 - len)) > 0)
		len += (size_t) n;
	data[len] = '\0';
	(void) close(fd);
	return strstr(data, text) != NULL;
}
