/* SPDX-License-Identifier: Apache-2.0 */
#include "testkit.h"

#include "base/fd.h"
#include "proc/proc.h"

#include <string.h>
#include <unistd.h>

static int sh(const char *script, const struct proc_fd *fds, size_t n)
{
	const char *const argv[] = { "sh", "-c", script, NULL };
	struct proc_spawn spawn = { .path = "/bin/sh", .argv = argv, .fds = fds, .n_fds = n };
	_close_ int pidfd = -EBADF;

	assert_true(proc_spawn(&spawn, &pidfd) > 0);
	return proc_wait(pidfd);
}

static void exit_codes_and_signals_come_back(void **state)
{
	const char *const argv[] = { "x", NULL };
	struct proc_spawn missing = { .path = "/does/not/exist", .argv = argv };
	_close_ int pidfd = -EBADF;

	assert_int_equal(sh("exit 7", NULL, 0), 7);
	assert_int_equal(sh("kill -9 $$", NULL, 0), 128 + 9);
	assert_true(proc_spawn(&missing, &pidfd) > 0);
	assert_int_equal(proc_wait(pidfd), 127);
}

static void only_mapped_descriptors_reach_the_child(void **state)
{
	_close_ int leak = fd_dup(2);
	int p[2];
	char text[64] = "";
	struct proc_fd fds[2];

	assert_int_equal(pipe(p), 0);
	/* The two ends cross over: 1 gets the pipe's end while the map's numbers overlap. */
	fds[0] = (struct proc_fd){ p[1], 1 };
	fds[1] = (struct proc_fd){ p[1], p[0] };
	/* Built-in commands only: a pipe of the shell's own would show up as well. */
	assert_int_equal(sh("i=0; while [ $i -lt 64 ]; do [ ! -e /proc/$$/fd/$i ] || "
	                    "printf '%s ' $i; i=$((i+1)); done",
	                         fds, 1),
	        0);
	(void) close(p[1]);
	assert_true(read(p[0], text, sizeof(text) - 1) > 0);
	(void) close(p[0]);
	assert_string_equal(text, "1 ");
}

static void signal_names_are_parsed(void **state)
{
	assert_int_equal(proc_signal_parse("KILL"), SIGKILL);
	assert_int_equal(proc_signal_parse("sigterm"), SIGTERM);
	assert_int_equal(proc_signal_parse("15"), 15);
	assert_int_equal(proc_signal_parse("SIGRTMIN+3"), SIGRTMIN + 3);
	assert_int_equal(proc_signal_parse("RTMAX-1"), SIGRTMAX - 1);
	assert_true(proc_signal_parse("0") < 0);
	assert_true(proc_signal_parse("65") < 0);
	assert_true(proc_signal_parse("NOPE") < 0);
	assert_true(proc_signal_parse("RTMIN+99") < 0);
	assert_true(proc_signal_parse("") < 0);
}

static void a_process_is_named_by_its_start(void **state)
{
	uint64_t a, b;
	char id[37];

	assert_int_equal(proc_start_time(getpid(), &a), 0);
	assert_int_equal(proc_start_time(1, &b), 0);
	assert_true(a > b);
	assert_int_equal(proc_start_time(0x3fffffff, &a), -ESRCH);
	assert_int_equal(proc_boot_id(id), 0);
	assert_int_equal(strlen(id), 36);
}

static void signals_are_forwarded(void **state)
{
	const char *const argv[] = { "sh", "-c",
		"trap 'exit 9' TERM; kill -TERM $PPID; while :; do sleep 0.01; done", NULL };
	struct proc_spawn spawn = { .path = "/bin/sh", .argv = argv };
	_close_ int pidfd = -EBADF;
	sigset_t old;

	proc_block_signals(&old);
	assert_true(proc_spawn(&spawn, &pidfd) > 0);
	assert_int_equal(proc_wait_forwarding(pidfd), 9);
	(void) sigprocmask(SIG_SETMASK, &old, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testkit_case(exit_codes_and_signals_come_back),
		testkit_case(only_mapped_descriptors_reach_the_child),
		testkit_case(signal_names_are_parsed),
		testkit_case(a_process_is_named_by_its_start),
		testkit_case(signals_are_forwarded),
	};

	return testkit_run(tests);
}
