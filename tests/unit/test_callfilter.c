/* SPDX-License-Identifier: Apache-2.0 */
/* The filter of our own helper programs: what it lets through, and what ends the process. */
#include "kernel/callfilter.h"
#include "testkit.h"

#include "base/base.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static const int allowed[] = { SYS_exit_group, SYS_ioctl, SYS_sigaltstack, SYS_munmap };
static const int refused[] = { SYS_uname };

/* What the process behind the filter ends with: its code, or -signal. */
static int behind(bool (*probe)(void))
{
	pid_t pid = fork();
	int status = 0;

	assert_true(pid >= 0);
	if (pid == 0) {
		struct callfilter f;

		callfilter_begin(&f);
		callfilter_ioctl(&f, TIOCSWINSZ);
		callfilter_list(&f, allowed, ARRAY_SIZE(allowed), SECCOMP_RET_ALLOW);
		callfilter_list(&f, refused, ARRAY_SIZE(refused), SECCOMP_RET_ERRNO | EPERM);
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || callfilter_enter(&f) < 0)
			_exit(2);
		_exit(probe() ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static bool answers(void)
{
	struct utsname name;

	return uname(&name) == -1 && errno == EPERM;
}

static bool data_memory(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
	       MAP_FAILED;
}

static bool window_size(void)
{
	static const struct winsize size;

	return ioctl(-1, TIOCSWINSZ, &size) == -1 && errno == EBADF;
}

static bool other_ioctl(void)
{
	static char c = 'x';

	return ioctl(-1, TIOCSTI, &c) == -1 && errno == ENOTTY;
}

static void the_listed_calls_work(void **state)
{
	(void) state;
	assert_int_equal(behind(answers), 0);
	assert_int_equal(behind(data_memory), 0);
	assert_int_equal(behind(window_size), 0);
	assert_int_equal(behind(other_ioctl), 0);
}

static bool executable_memory(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != NULL;
}

static bool a_socket(void)
{
	return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) != 0;
}

static bool a_process(void)
{
	return fork() != 0;
}

static void attack_other_calls_end_the_process(void **state)
{
	(void) state;
	assert_int_equal(behind(executable_memory), -SIGSYS);
	assert_int_equal(behind(a_socket), -SIGSYS);
	assert_int_equal(behind(a_process), -SIGSYS);
}

static void a_list_that_does_not_fit_is_refused(void **state)
{
	static int many[CALLFILTER_MAX];
	struct callfilter f;

	(void) state;
	callfilter_begin(&f);
	callfilter_list(&f, many, ARRAY_SIZE(many), SECCOMP_RET_ALLOW);
	assert_int_equal(callfilter_enter(&f), -E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testkit_case(the_listed_calls_work),
		testkit_case(attack_other_calls_end_the_process),
		testkit_case(a_list_that_does_not_fit_is_refused),
	};

	return testkit_run(tests);
}
