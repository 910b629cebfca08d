/* SPDX-License-Identifier: Apache-2.0 */
/* The default profile: what ordinary programs do passes, what attacks do is refused with the errno
 * that lets programs go on; in the simulator, for both machines, and with high bits set. */
#include "seccompkit.h"

#include <string.h>

static const enum seccomp_abi natives[] = { SECCOMP_ABI_X86_64, SECCOMP_ABI_AARCH64 };

struct row {
	const char *name;
	uint64_t args[6];
	uint32_t answer;
};

static const struct row attacks[] = {
	{ "socket", { 38, 5, 0 }, NO(EAFNOSUPPORT) },   /* AF_ALG */
	{ "socket", { 40, 1, 0 }, NO(EAFNOSUPPORT) },   /* AF_VSOCK */
	{ "socket", { 33, 2, 0 }, NO(EAFNOSUPPORT) },   /* AF_RXRPC */
	{ "socket", { 17, 3, 768 }, NO(EAFNOSUPPORT) }, /* AF_PACKET */
	{ "socket", { 44, 3, 0 }, NO(EAFNOSUPPORT) },   /* AF_XDP */
	{ "socket", { 0, 1, 0 }, NO(EAFNOSUPPORT) },
	{ "socket", { (uint32_t) -1, 1, 0 }, NO(EAFNOSUPPORT) },
	{ "socket", { 16, 3, 6 }, NO(EPROTONOSUPPORT) },  /* NETLINK_XFRM */
	{ "socket", { 16, 3, 12 }, NO(EPROTONOSUPPORT) }, /* NETLINK_NETFILTER */
	{ "socket", { 2, 3, 1 }, NO(EPERM) },             /* SOCK_RAW */
	{ "socket", { 10, 3 | 02000000, 58 }, NO(EPERM) },
	{ "socket", { 2, 10, 768 }, NO(EPERM) }, /* SOCK_PACKET */
	{ "socket", { 2, 5, 132 }, NO(ESOCKTNOSUPPORT) },
	/* SCTP */ { "socket", { 2, 1, 132 }, NO(EPROTONOSUPPORT) },
	{ "socket", { 2, 6, 0 }, NO(ESOCKTNOSUPPORT) },
	/* DCCP */ { "socket", { 10, 5, 0 }, NO(ESOCKTNOSUPPORT) },
	{ "socket", { 2, 9, 0 }, NO(ESOCKTNOSUPPORT) },
	{ "socket", { 2, 4, 0 }, NO(ESOCKTNOSUPPORT) },
	{ "socket", { 2, 2, 115 }, NO(EPROTONOSUPPORT) }, /* L2TP */
	{ "socketpair", { 38, 1, 0 }, NO(EAFNOSUPPORT) },
	{ "socketpair", { 40, 1, 0 }, NO(EAFNOSUPPORT) },
	{ "setsockopt", { 3, 6, 31 }, NO(ENOPROTOOPT) },     /* TCP_ULP */
	{ "setsockopt", { 3, 279, 1 }, NO(ENOPROTOOPT) },    /* SOL_ALG */
	{ "ioctl", { 0, 0x5412 }, NO(EPERM) },               /* TIOCSTI */
	{ "ioctl", { 0, 0x541c }, NO(EPERM) },               /* TIOCLINUX */
	{ "ioctl", { 0, 0x541d }, NO(EPERM) },               /* TIOCCONS */
	{ "ioctl", { 0, 0x5423 }, NO(EPERM) },               /* TIOCSETD */
	{ "ioctl", { 0, 0xc0045877 }, NO(EPERM) },           /* FIFREEZE */
	{ "ioctl", { 0, 0xc0045878 }, NO(EPERM) },           /* FITHAW */
	{ "ioctl", { 0, 0x89a0 }, NO(EPERM) },               /* SIOCBRADDBR */
	{ "ioctl", { 0, 0x1272 }, NO(ENOTTY) },              /* BLK* */
	{ "ioctl", { 0, 0x4c00 }, NO(ENOTTY) },              /* LOOP_SET_FD */
	{ "ioctl", { 0, 0x4c82 }, NO(ENOTTY) },              /* LOOP_CTL_GET_FREE */
	{ "ioctl", { 0, 0x400454ca }, NO(ENOTTY) },          /* TUNSETIFF */
	{ "prctl", { 35 }, NO(EPERM) },                      /* PR_SET_MM */
	{ "prctl", { 67, 1 }, NO(EINVAL) },                  /* PR_SET_MEMORY_MERGE */
	{ "prctl", { 0x59616d61, UINT64_MAX }, NO(EINVAL) }, /* PR_SET_PTRACER */
	{ "madvise", { 0, 0, 12 }, NO(EINVAL) },             /* MADV_MERGEABLE */
	{ "madvise", { 0, 0, 100 }, NO(EINVAL) },
	{ "madvise", { 0, 0, 101 }, NO(EINVAL) },
	{ "personality", { 0x40000 }, NO(EPERM) },           /* ADDR_NO_RANDOMIZE */
	{ "preadv2", { 0, 0, 1, 0, 0, 8 }, NO(EOPNOTSUPP) }, /* RWF_NOWAIT */
	{ "preadv2", { 0, 0, 1, 0, 0, 9 }, NO(EOPNOTSUPP) },
	{ "pwritev2", { 0, 0, 1, 0, 0, 8 }, NO(EOPNOTSUPP) },
	{ "mknodat", { 0, 0, 0020600, 0x101 }, NO(EPERM) }, /* S_IFCHR */
	{ "mknodat", { 0, 0, 0060600, 0x801 }, NO(EPERM) }, /* S_IFBLK */
	{ "clone", { 0x10000000 | 17 }, NO(EPERM) },        /* CLONE_NEWUSER */
	{ "clone", { 0x00020000 | 17 }, NO(EPERM) },        /* CLONE_NEWNS */
	{ "clone", { 0x02000000 | 17 }, NO(EPERM) },        /* CLONE_NEWCGROUP */
	{ "clone", { 0x40000000 | 17 }, NO(EPERM) },        /* CLONE_NEWNET */
	{ "prlimit64", { 1, 7 }, NO(EPERM) },
	{ "fcntl", { 0, 1026 }, NO(EINVAL) }, /* F_NOTIFY */
	{ "unshare", { 0x10000000 }, NO(EPERM) },
	{ "setns", { 3, 0 }, NO(EPERM) },
	{ "clone3", { 0 }, NO(ENOSYS) },
	{ "io_uring_setup", { 1 }, NO(ENOSYS) },
	{ "io_uring_enter", { 1 }, NO(ENOSYS) },
	{ "io_uring_register", { 1 }, NO(ENOSYS) },
	{ "statmount", { 0 }, NO(ENOSYS) },
	{ "listmount", { 0 }, NO(ENOSYS) },
	{ "cachestat", { 0 }, NO(ENOSYS) },
	{ "mincore", { 0 }, NO(ENOSYS) },
	{ "memfd_secret", { 0 }, NO(ENOSYS) },
	{ "remap_file_pages", { 0 }, NO(ENOSYS) },
	{ "splice", { 0 }, NO(EINVAL) },
	{ "tee", { 0 }, NO(EINVAL) },
	{ "vmsplice", { 0 }, NO(EINVAL) },
	{ "name_to_handle_at", { 0 }, NO(EOPNOTSUPP) },
	{ "open_by_handle_at", { 0 }, NO(EPERM) },
	{ "ptrace", { 16 }, NO(EPERM) },
	{ "process_vm_readv", { 1 }, NO(EPERM) },
	{ "process_vm_writev", { 1 }, NO(EPERM) },
	{ "pidfd_getfd", { 1 }, NO(EPERM) },
	{ "kcmp", { 1 }, NO(EPERM) },
	{ "bpf", { 0 }, NO(EPERM) },
	{ "perf_event_open", { 0 }, NO(EPERM) },
	{ "userfaultfd", { 0 }, NO(EPERM) },
	{ "keyctl", { 0 }, NO(EPERM) },
	{ "add_key", { 0 }, NO(EPERM) },
	{ "request_key", { 0 }, NO(EPERM) },
	{ "mount", { 0 }, NO(EPERM) },
	{ "umount2", { 0 }, NO(EPERM) },
	{ "pivot_root", { 0 }, NO(EPERM) },
	{ "fsopen", { 0 }, NO(EPERM) },
	{ "fsconfig", { 0 }, NO(EPERM) },
	{ "open_tree", { 0 }, NO(EPERM) },
	{ "move_mount", { 0 }, NO(EPERM) },
	{ "mount_setattr", { 0 }, NO(EPERM) },
	{ "chroot", { 0 }, NO(EPERM) },
	{ "init_module", { 0 }, NO(EPERM) },
	{ "finit_module", { 0 }, NO(EPERM) },
	{ "kexec_load", { 0 }, NO(EPERM) },
	{ "reboot", { 0 }, NO(EPERM) },
	{ "swapon", { 0 }, NO(EPERM) },
	{ "acct", { 0 }, NO(EPERM) },
	{ "syslog", { 3 }, NO(EPERM) },
	{ "settimeofday", { 0 }, NO(EPERM) },
	{ "clock_settime", { 0 }, NO(EPERM) },
	{ "quotactl", { 0 }, NO(EPERM) },
	{ "fanotify_init", { 0 }, NO(EPERM) },
};

static const struct row everyday[] = {
	{ "socket", { 1, 1, 0 }, ALLOW },
	{ "socket", { 1, 3, 0 }, ALLOW },
	{ "socket", { 2, 1 | 02004000, 0 }, ALLOW },
	{ "socket", { 2, 1, 6 }, ALLOW },
	{ "socket", { 2, 2, 17 }, ALLOW },
	{ "socket", { 2, 2, 1 }, ALLOW },
	{ "socket", { 10, 1, 0 }, ALLOW },
	{ "socket", { 10, 2, 58 }, ALLOW },
	{ "socket", { 2, 1, 262 }, ALLOW },
	{ "socket", { 16, 3 | 02000000, 0 }, ALLOW },
	{ "socketpair", { 1, 1, 0 }, ALLOW },
	{ "setsockopt", { 3, 6, 1 }, ALLOW },
	{ "setsockopt", { 3, 1, 31 }, ALLOW },
	{ "ioctl", { 0, 0x5413 }, ALLOW },
	{ "ioctl", { 0, 0x5401 }, ALLOW },
	{ "ioctl", { 0, 0x8912 }, ALLOW },
	{ "ioctl", { 0, 0x894b }, ALLOW },
	{ "prctl", { 15 }, ALLOW },
	{ "prctl", { 38, 1 }, ALLOW },
	{ "madvise", { 0, 0, 4 }, ALLOW },
	{ "madvise", { 0, 0, 14 }, ALLOW },
	{ "personality", { 0xffffffff }, ALLOW },
	{ "personality", { 0 }, ALLOW },
	{ "personality", { 8 }, ALLOW },
	{ "preadv2", { 0, 0, 1, 0, 0, 0 }, ALLOW },
	{ "pwritev2", { 0, 0, 1, 0, 0, 2 }, ALLOW },
	{ "mknodat", { 0, 0, 0010600 }, ALLOW },
	{ "mknodat", { 0, 0, 0100600 }, ALLOW },
	{ "mknodat", { 0, 0, 0140600 }, ALLOW },
	{ "clone", { 0x003d0f00 }, ALLOW },
	{ "clone", { 0x01200011 }, ALLOW },
	{ "prlimit64", { 0, 7 }, ALLOW },
	{ "fcntl", { 0, 1030 }, ALLOW },
	{ "fcntl", { 0, 4 }, ALLOW },
	{ "execve", { 0 }, ALLOW },
	{ "openat", { 0 }, ALLOW },
	{ "openat2", { 0 }, ALLOW },
	{ "statx", { 0 }, ALLOW },
	{ "futex", { 0 }, ALLOW },
	{ "epoll_pwait", { 0 }, ALLOW },
	{ "io_submit", { 0 }, ALLOW },
	{ "sendfile", { 0 }, ALLOW },
	{ "copy_file_range", { 0 }, ALLOW },
	{ "getrandom", { 0 }, ALLOW },
	{ "seccomp", { 0 }, ALLOW },
	{ "setresuid", { 0 }, ALLOW },
	{ "setgroups", { 0 }, ALLOW },
	{ "capset", { 0 }, ALLOW },
	{ "fchownat", { 0 }, ALLOW },
	{ "setxattr", { 0 }, ALLOW },
	{ "mlock", { 0 }, ALLOW },
	{ "shmget", { 0 }, ALLOW },
	{ "semop", { 0 }, ALLOW },
	{ "rseq", { 0 }, ALLOW },
	{ "landlock_restrict_self", { 0 }, ALLOW },
	{ "close_range", { 0 }, ALLOW },
	{ "pidfd_open", { 0 }, ALLOW },
	{ "memfd_create", { 0 }, ALLOW },
	{ "membarrier", { 0 }, ALLOW },
	{ "rt_sigreturn", { 0 }, ALLOW },
	{ "exit_group", { 0 }, ALLOW },
	{ "sched_setaffinity", { 0 }, ALLOW },
	{ "fchmodat2", { 0 }, ALLOW },
	{ "mseal", { 0 }, ALLOW },
};

static void compile_host(enum seccomp_abi native, struct filter *ret)
{
	struct seccomp_target target = kit_target(native);

	target.foreign_action = NO(ENOSYS);
	kit_compile_default(&target, ret);
}

static void check_rows(const struct row *rows, size_t n)
{
	for (size_t m = 0; m < ARRAY_SIZE(natives); m++) {
		_filter_done_ struct filter f = { 0 };

		compile_host(natives[m], &f);
		for (size_t i = 0; i < n; i++) {
			uint32_t answer = kit_ask(&f, natives[m], rows[i].name, rows[i].args);
			if (answer != rows[i].answer)
				fail_msg("%s %s(%llx, %llx): 0x%x", seccomp_abi_name(natives[m]),
				        rows[i].name, (unsigned long long) rows[i].args[0],
				        (unsigned long long) rows[i].args[1], answer);
		}
	}
}

static void attacks_are_refused(void **state)
{
	check_rows(attacks, ARRAY_SIZE(attacks));
}

static void everyday_calls_pass(void **state)
{
	check_rows(everyday, ARRAY_SIZE(everyday));
}

/* Each argument of 32 bits in turn, then all of them, with bits that the kernel does not see. */
static void high_bits_change_no_answer(void **state)
{
	static const uint64_t highs[] = { HIGH, HIGH << 31, UINT64_C(0xffffffff00000000) };

	for (size_t m = 0; m < ARRAY_SIZE(natives); m++) {
		_filter_done_ struct filter f = { 0 };

		compile_host(natives[m], &f);
		for (size_t i = 0; i < ARRAY_SIZE(attacks); i++)
			for (unsigned int bits = 1; bits < 64; bits++) {
				uint64_t args[6];

				memcpy(args, attacks[i].args, sizeof(args));
				for (unsigned int a = 0; a < 6; a++)
					if (bits & 1u << a && seccomp_arg_width(attacks[i].name,
					                              natives[m], a) < 64)
						args[a] |= highs[(bits + a) % ARRAY_SIZE(highs)];
				assert_int_equal(kit_ask(&f, natives[m], attacks[i].name, args),
				        attacks[i].answer);
			}
	}
}

/* A mode has 16 bits in the kernel. */
static void bits_above_a_mode_change_no_answer(void **state)
{
	_filter_done_ struct filter f = { 0 };

	compile_host(SECCOMP_ABI_X86_64, &f);
	for (unsigned int bit = 16; bit < 64; bit++) {
		uint64_t high = UINT64_C(1) << bit;
		assert_int_equal(kit_ask(&f, SECCOMP_ABI_X86_64, "mknod", ARGS(0, 0020600 | high)),
		        NO(EPERM));
		assert_int_equal(
		        kit_ask(&f, SECCOMP_ABI_X86_64, "mknod", ARGS(0, 0010600 | high)), ALLOW);
	}
}

static void other_abis_get_enosys(void **state)
{
	_filter_done_ struct filter f = { 0 };

	compile_host(SECCOMP_ABI_X86_64, &f);
	for (uint32_t nr = 0; nr < 600; nr++) {
		assert_int_equal(kit_ask_number(&f, SECCOMP_ABI_I386, nr, ARGS(0)), NO(ENOSYS));
		assert_int_equal(
		        kit_ask_number(&f, SECCOMP_ABI_X32, nr | 0x40000000, ARGS(0)), NO(ENOSYS));
	}
	assert_int_equal(kit_ask_number(&f, SECCOMP_ABI_X86_64, UINT32_MAX, ARGS(0)), NO(ENOSYS));
	assert_int_equal(kit_ask_number(&f, SECCOMP_ABI_AARCH64, 56, ARGS(0)), NO(ENOSYS));
}

static void nothing_kills(void **state)
{
	for (size_t m = 0; m < ARRAY_SIZE(natives); m++) {
		_filter_done_ struct filter f = { 0 };

		compile_host(natives[m], &f);
		for (size_t i = 0; i < f.n; i++)
			if (f.insns[i].code == (BPF_RET | BPF_K))
				assert_true(f.insns[i].k == ALLOW ||
				            (f.insns[i].k & SECCOMP_RET_ACTION_FULL) ==
				                    SECCOMP_RET_ERRNO);
	}
}

static void built_in_filter_is_the_host_s(void **state)
{
	struct seccomp_target host = seccomp_target_host();
	_filter_done_ struct filter f = { 0 };
	size_t n = 0;
	const struct sock_filter *built = seccomp_default_filter(&n);

	compile_host(host.native, &f);
	assert_int_equal(n, f.n);
	assert_memory_equal(built, f.insns, n * sizeof(*built));
	assert_true(n < 250); /* the budget of a default filter */
	assert_string_equal(seccomp_default_name(), "default");
	assert_true(strlen(seccomp_default_description()) > 20);
}

/* The whole list, to be read in reviews of changes. */
static void decisions_are_as_recorded(void **state)
{
	_filter_done_ struct filter f = { 0 };
	_buf_done_ struct buf out = BUF_INIT(1 << 16);

	compile_host(SECCOMP_ABI_X86_64, &f);
	for (int nr = 0; nr < 500; nr++) {
		const char *name = seccomp_syscall_name(nr, SECCOMP_ABI_X86_64);
		uint32_t answer;

		if (!name)
			continue;
		answer = kit_ask_number(&f, SECCOMP_ABI_X86_64, (uint32_t) nr, ARGS(0));
		if (answer == ALLOW)
			(void) buf_addf(&out, "%s allow\n", name);
		else
			(void) buf_addf(&out, "%s errno %u\n", name, answer & 0xffff);
	}
	assert_golden("seccomp-default.txt", buf_str(&out));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testkit_case(attacks_are_refused),
		testkit_case(everyday_calls_pass),
		testkit_case(high_bits_change_no_answer),
		testkit_case(bits_above_a_mode_change_no_answer),
		testkit_case(other_abis_get_enosys),
		testkit_case(nothing_kills),
		testkit_case(built_in_filter_is_the_host_s),
		testkit_case(decisions_are_as_recorded),
	};

	return testkit_run(tests);
}
