/* SPDX-License-Identifier: Apache-2.0 */
/* The running binary cannot be written through /proc/PID/exe. The test runs itself again as a child
 * with an argument that says what to do. */
#include "testkit.h"

#include "base/base.h"
#include "base/fd.h"
#include "sandbox/selfexec.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RESULT_EROFS = 10, RESULT_EPERM = 11, RESULT_WRITTEN = 23 };

/* The last act, in the plain test program: nobody runs the protected binary any more (that alone
 * would give ETXTBSY), and a descriptor of it was kept, as an attacker would. */
static int attack(const char *kept)
{
	_free_ char *path = xprintf("/proc/self/fd/%s", kept);
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	/* A sealed file can be opened, and not written. */
	if (fd >= 0 && write(fd, "x", 1) >= 0)
		return RESULT_WRITTEN;
	if (errno != EROFS && errno != EPERM)
		return RESULT_WRITTEN;
	return errno == EROFS ? RESULT_EROFS : RESULT_EPERM;
}

static bool has_own_name(void)
{
	char name[16] = { 0 };
	FILE *f = fopen("/proc/self/comm", "r");
	bool right = f && fgets(name, sizeof(name), f) && !strcmp(name, "copy\n");

	if (f)
		(void) fclose(f);
	return right;
}

/* argv: name, how, path of the test program. */
static int child_main(char **argv)
{
	int (*protect)(char *const[], struct err *) = !strcmp(argv[1], "sealed")
	                                                      ? sandbox_protect_self_sealed
	                                                      : sandbox_protect_self;
	char number[16];
	int fd;

	if (protect(argv, NULL) < 0)
		return 24;
	/* Only the second run comes here: it is protected, keeps its environment, and has its name.
	 */
	if (sandbox_self_state(NULL) <= SANDBOX_SELF_OPEN || !has_own_name() || !getenv("KEPT"))
		return 25;
	fd = open("/proc/self/exe", O_RDONLY);
	(void) snprintf(number, sizeof(number), "%d", fd);
	(void) execl(argv[2], "test", "attack", number, (char *) NULL);
	return 26;
}

/* Runs a copy of this program, so that nobody else runs its file. */
static int run_child(const char *how)
{
	char self[512] = { 0 };
	_free_ char *copy = xprintf("%s/copy", testkit_scratch());
	_free_ char *command = xprintf("cp /proc/%d/exe %s", (int) getpid(), copy);
	pid_t pid;
	int status = 0;

	assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	assert_int_equal(system(command), 0);
	pid = fork();
	if (pid == 0) {
		(void) setenv("KEPT", "1", 1);
		(void) execl(copy, copy, how, self, (char *) NULL);
		_exit(30);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void mount_keeps_the_binary_from_being_written(void **state)
{
	(void) state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(run_child("mount"), RESULT_EROFS);
}

static void sealed_copy_keeps_the_binary_from_being_written(void **state)
{
	(void) state;
	assert_int_equal(run_child("sealed"), RESULT_EPERM);
}

static void unprotected_binary_is_seen_as_such(void **state)
{
	(void) state;
	assert_int_equal(sandbox_self_state(NULL), SANDBOX_SELF_OPEN);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		testkit_case(mount_keeps_the_binary_from_being_written),
		testkit_case(sealed_copy_keeps_the_binary_from_being_written),
		testkit_case(unprotected_binary_is_seen_as_such),
	};

	if (argc == 3 && !strcmp(argv[1], "attack"))
		return attack(argv[2]);
	return argc == 3 ? child_main(argv) : testkit_run(tests);
}
