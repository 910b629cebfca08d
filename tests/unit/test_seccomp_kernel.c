/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel as judge: filters are loaded in a child, and the child tells what its calls answered.
 */
#include "seccompkit.h"

#include "kernel/sys.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CANNOT_LOAD = 120 };

/* Runs the probe under the filter; its answer (0, or an errno up to 119) is the exit status. */
static int run_under(const struct sock_filter *insns, size_t n, uint32_t flags, int (*probe)(void))
{
	const struct sock_fprog prog = { (unsigned short) n,
		(struct sock_filter *) (uintptr_t) insns };
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		        sys_seccomp_filter(flags, &prog) < 0)
			_exit(CANNOT_LOAD);
		_exit(probe());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status))
		return -WTERMSIG(status);
	if (WEXITSTATUS(status) == CANNOT_LOAD)
		fail_msg("the kernel refuses the filter");
	return WEXITSTATUS(status);
}

static int under_default(int (*probe)(void))
{
	size_t n;
	const struct sock_filter *f = seccomp_default_filter(&n);

	return run_under(f, n, SECCOMP_FILTER_FLAG_LOG, probe);
}

#define answer(call) ((call) < 0 ? errno : 0)

static int probe_alg(void)
{
	return answer(syscall(SYS_socket, 38L, 5L, 0L));
}

static int probe_alg_high(void)
{
	return answer(syscall(SYS_socket, 38L | (long) HIGH, 5L, 0L));
}

static int probe_vsock_high(void)
{
	return answer(syscall(SYS_socket, 40L | (long) (HIGH << 30), 1L, 0L));
}

static int probe_xfrm_high(void)
{
	return answer(syscall(SYS_socket, 16L | (long) HIGH, 3L, 6L | (long) HIGH));
}

static int probe_raw_high(void)
{
	return answer(syscall(SYS_socket, 2L, 3L | (long) HIGH, 1L));
}

static int probe_unix(void)
{
	return answer(syscall(SYS_socket, 1L, 1L, 0L));
}

static int probe_tcp(void)
{
	return answer(syscall(SYS_socket, 2L, 1L | SOCK_CLOEXEC, 0L));
}

static int probe_sti_high(void)
{
	return answer(syscall(SYS_ioctl, 0L, 0x5412L | (long) HIGH, "x"));
}

static int probe_personality_high(void)
{
	return answer(syscall(SYS_personality, 0x40000L | (long) HIGH));
}

static int probe_ksm_high(void)
{
	return answer(syscall(SYS_prctl, 67L | (long) HIGH, 1L, 0L, 0L, 0L));
}

static int probe_newuser_high(void)
{
	return answer(syscall(SYS_clone, 0x10000000L | SIGCHLD | (long) HIGH, 0L, 0L, 0L, 0L));
}

static int probe_clone3(void)
{
	return answer(syscall(SYS_clone3, NULL, 0L));
}

static int probe_io_uring(void)
{
	return answer(syscall(SYS_io_uring_setup, 1L, NULL));
}

static int probe_splice(void)
{
	return answer(syscall(SYS_splice, 0L, NULL, 1L, NULL, 1L, 0L));
}

static int probe_mknod(void)
{
	return answer(syscall(SYS_mknodat, (long) AT_FDCWD, "/x", 0020600L | 0x10000L, 0x101L));
}

static int probe_fork_and_wait(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(7);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return errno;
	return WEXITSTATUS(status) == 7 ? 0 : 1;
}

static int probe_newest(void)
{
	return answer(syscall(999L));
}

static void default_filter_refuses_attacks_in_the_kernel(void **state)
{
	assert_int_equal(under_default(probe_alg), EAFNOSUPPORT);
	assert_int_equal(under_default(probe_alg_high), EAFNOSUPPORT);
	assert_int_equal(under_default(probe_vsock_high), EAFNOSUPPORT);
	assert_int_equal(under_default(probe_xfrm_high), EPROTONOSUPPORT);
	assert_int_equal(under_default(probe_raw_high), EPERM);
	assert_int_equal(under_default(probe_sti_high), EPERM);
	assert_int_equal(under_default(probe_personality_high), EPERM);
	assert_int_equal(under_default(probe_ksm_high), EINVAL);
	assert_int_equal(under_default(probe_newuser_high), EPERM);
	assert_int_equal(under_default(probe_clone3), ENOSYS);
	assert_int_equal(under_default(probe_io_uring), ENOSYS);
	assert_int_equal(under_default(probe_splice), EINVAL);
	assert_int_equal(under_default(probe_mknod), EPERM);
	assert_int_equal(under_default(probe_newest), ENOSYS);
}

static void default_filter_lets_programs_work(void **state)
{
	assert_int_equal(under_default(probe_unix), 0);
	assert_int_equal(under_default(probe_tcp), 0);
	assert_int_equal(under_default(probe_fork_and_wait), 0);
}

#if defined(__x86_64__)
static int int80(long nr, long a, long b)
{
	long r;

	__asm__ volatile("int $0x80"
	                 : "=a"(r)
	                 : "a"(nr), "b"(a), "c"(b), "d"(0L), "S"(0L), "D"(0L)
	                 : "memory", "r8", "r9", "r10", "r11");
	return r < 0 ? (int) -r : 0;
}

static int probe_int80_getpid(void)
{
	return int80(20, 0, 0);
}

static int probe_int80_socketcall(void)
{
	return int80(102, 1, 0);
}

static int probe_x32(void)
{
	return answer(syscall(0x40000000L | 39L));
}

/* On some virtual machines the instruction itself faults, whatever the filter says: there is no
 * such ABI to be shut. */
static void skip_without_int80(void)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		(void) signal(SIGSEGV, SIG_DFL);
		(void) int80(20, 0, 0);
		_exit(0);
	}
	assert_true(waitpid(pid, &status, 0) == pid);
	if (WIFEXITED(status))
		return;
	print_message(
	        "skipped: a program that uses int $0x80 dies on this machine without any filter\n");
	skip();
}

static void other_abis_answer_enosys_in_the_kernel(void **state)
{
	assert_int_equal(under_default(probe_x32), ENOSYS);
	skip_without_int80();
	assert_int_equal(under_default(probe_int80_getpid), ENOSYS);
	assert_int_equal(under_default(probe_int80_socketcall), ENOSYS);
}

/* What runs under docker's profile, for all its ABIs and for the native one alone. */
static int under_docker(bool native_only, int (*probe)(void))
{
	struct seccomp_target target = kit_target(SECCOMP_ABI_X86_64);
	struct oci_spec *spec = kit_docker_profile();
	_filter_done_ struct filter f = { 0 };
	int r;

	target.native_only = native_only;
	kit_compile(spec->linux_.seccomp, &target, &f);
	r = run_under(f.insns, f.n, f.flags, probe);
	oci_spec_free(spec);
	return r;
}

static void docker_profile_lets_native_programs_work(void **state)
{
	assert_int_equal(under_docker(false, probe_unix), 0);
	assert_int_equal(under_docker(true, probe_unix), 0);
}

/* The numbers of i386, tried on the kernel where it has that ABI: 20 is getpid. */
static void docker_profile_allows_i386_in_the_kernel(void **state)
{
	skip_without_int80();
	assert_int_equal(under_docker(false, probe_int80_getpid), probe_int80_getpid());
	/* As with libseccomp: the foreign ABI kills. */
	assert_int_equal(under_docker(true, probe_int80_getpid), -SIGSYS);
}
#endif

/* Each call that the profile refuses whatever its arguments, really called. */
static int probe_refused_calls(void)
{
	static const char *const refused[] = { "bpf", "perf_event_open", "userfaultfd", "acct",
		"swapon", "kcmp", "open_by_handle_at", "vhangup" };

	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		int nr = seccomp_syscall_number(refused[i], seccomp_target_host().native);
		if (syscall(nr, 0L, 0L, 0L, 0L, 0L, 0L) != -1 || errno != EPERM)
			return (int) i + 1;
	}
	return 0;
}

static void kernel_agrees_with_the_simulator(void **state)
{
	struct seccomp_target target = seccomp_target_host();
	struct oci_spec *spec = kit_docker_profile();
	_filter_done_ struct filter f = { 0 };

	kit_compile(spec->linux_.seccomp, &target, &f);
	assert_int_equal(run_under(f.insns, f.n, f.flags, probe_refused_calls), 0);
	oci_spec_free(spec);
}

static void profile_with_every_flag_loads(void **state)
{
	static const char *const flags[] = { "SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG",
		"SECCOMP_FILTER_FLAG_SPEC_ALLOW", "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", NULL };
	const struct oci_seccomp p = { .default_action = OCI_ACT_ALLOW, .flags = flags };
	struct seccomp_target target = seccomp_target_host();
	_filter_done_ struct filter f = { 0 };

	kit_compile(&p, &target, &f);
	assert_int_equal(run_under(f.insns, f.n, f.flags, probe_unix), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testkit_case(default_filter_refuses_attacks_in_the_kernel),
		testkit_case(default_filter_lets_programs_work),
#if defined(__x86_64__)
		testkit_case(other_abis_answer_enosys_in_the_kernel),
		testkit_case(docker_profile_lets_native_programs_work),
		testkit_case(docker_profile_allows_i386_in_the_kernel),
#endif
		testkit_case(kernel_agrees_with_the_simulator),
		testkit_case(profile_with_every_flag_loads),
	};

	return testkit_run(tests);
}
