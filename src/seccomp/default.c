/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The default profile of Bulkhead.
 *
 * Aim: ordinary images run unchanged (python, nginx, redis, postgres, apt-get), and the kernel
 * interfaces that most escapes of the last years needed are not reachable. How a call is refused
 * decides whether programs go on:
 * - ENOSYS (also every call that is not listed): "this kernel is older", so libraries take the old
 *   way. clone3 is the example: its flags are in memory, where a filter cannot look; glibc then
 * uses clone, whose flags it can see.
 * - EAFNOSUPPORT and EPROTONOSUPPORT for socket families and protocols: what a kernel without the
 *   module says. EPERM makes useradd (libaudit) give up.
 * - EINVAL, EOPNOTSUPP, ENOPROTOOPT where the call is optional for its users (splice, RWF_NOWAIT,
 *   TCP_ULP): they have a fallback for exactly that answer.
 * - EPERM for what needs privileges that a container does not have.
 * No call kills: programs probe.
 *
 * Rules are tried in order for each call; a rule without conditions ends its list. Arguments are
 * compared in the kernel's own width (seccomp.h). Calls that only i386 has are not listed: the
 * profile compiles the native ABI alone.
 */
#include "seccomp/ir.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <string.h>

/* Numbers of the kernel's interface that headers of one supported system or another lack. */
enum {
	AF_UNIX_ = 1,
	AF_INET_ = 2,
	AF_INET6_ = 10,
	AF_NETLINK_ = 16,
	SOCK_TYPE_MASK_ = 0xf,
	SOCK_RAW_ = 3,
	SOCK_PACKET_ = 10, /* becomes AF_PACKET inside the kernel */
	SOL_TCP_ = 6,
	TCP_ULP_ = 31,
	SOL_ALG_ = 279,
	SOL_XDP_ = 283,
	S_IFMT_ = 0170000,
	S_IFCHR_ = 0020000,
	S_IFBLK_ = 0060000,
	F_NOTIFY_ = 1026,
	RWF_NOWAIT_ = 8,
	PR_SET_MM_ = 35,
	PR_SET_IO_FLUSHER_ = 57,
	PR_SET_MEMORY_MERGE_ = 67,
	PR_SET_PTRACER_ = 0x59616d61,
	MADV_MERGEABLE_ = 12,
	MADV_HWPOISON_ = 100,
	MADV_SOFT_OFFLINE_ = 101,
	/* CLONE_NEW{NS,CGROUP,UTS,IPC,USER,PID,NET}; CLONE_NEWTIME does not exist in clone */
	CLONE_NEW_ANY_ = 0x7e020000,
};

struct rule {
	const char *names; /* separated by blanks */
	uint32_t ret;
	size_t n_args;
	struct oci_seccomp_arg args[3];
};

#define ALLOW SECCOMP_RET_ALLOW
#define NO(e) (SECCOMP_RET_ERRNO | (e))
#define IF(...)                                                                                    \
	sizeof((struct oci_seccomp_arg[]){ __VA_ARGS__ }) / sizeof(struct oci_seccomp_arg),        \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}
#define ALWAYS                                                                                     \
	0,                                                                                         \
	{                                                                                          \
		{                                                                                  \
			0                                                                          \
		}                                                                                  \
	}
#define EQ(i, v)                                                                                   \
	{                                                                                          \
		.index = (i), .op = OCI_OP_EQ, .value = (v)                                        \
	}
#define NE(i, v)                                                                                   \
	{                                                                                          \
		.index = (i), .op = OCI_OP_NE, .value = (v)                                        \
	}
#define GE(i, v)                                                                                   \
	{                                                                                          \
		.index = (i), .op = OCI_OP_GE, .value = (v)                                        \
	}
#define LE(i, v)                                                                                   \
	{                                                                                          \
		.index = (i), .op = OCI_OP_LE, .value = (v)                                        \
	}
#define BITS(i, m, v)                                                                              \
	{                                                                                          \
		.index = (i), .op = OCI_OP_MASKED_EQ, .value = (m), .value_two = (v)               \
	}

static const struct rule rules[] = {
	/* Processes and threads. */
	{ "execve execveat exit exit_group fork vfork wait4 waitid kill tkill tgkill rt_sigqueueinfo "
	  "rt_tgsigqueueinfo pidfd_open pidfd_send_signal restart_syscall pause alarm getpid getppid "
	  "gettid getpgid getpgrp getsid setpgid setsid set_tid_address set_robust_list rseq "
	  "membarrier arch_prctl seccomp getcpu uretprobe uprobe",
	        ALLOW, ALWAYS },
	{ "clone", ALLOW, IF(BITS(0, CLONE_NEW_ANY_, 0)) },
	{ "clone", NO(EPERM), ALWAYS },
	{ "clone3", NO(ENOSYS), ALWAYS },
	{ "unshare setns ptrace process_vm_readv process_vm_writev process_madvise process_mrelease "
	  "kcmp pidfd_getfd get_robust_list",
	        NO(EPERM), ALWAYS },
	{ "personality", ALLOW, IF(EQ(0, 0)) },
	{ "personality", ALLOW, IF(EQ(0, 0x8)) },
	{ "personality", ALLOW, IF(EQ(0, 0x20000)) },
	{ "personality", ALLOW, IF(EQ(0, 0x20008)) },
	{ "personality", ALLOW, IF(EQ(0, 0xffffffff)) },
	{ "personality", NO(EPERM), ALWAYS },
	{ "prctl", NO(EPERM), IF(EQ(0, PR_SET_MM_)) },
	{ "prctl", NO(EPERM), IF(EQ(0, PR_SET_IO_FLUSHER_)) },
	{ "prctl", NO(EINVAL), IF(EQ(0, PR_SET_MEMORY_MERGE_)) },
	{ "prctl", NO(EINVAL), IF(EQ(0, PR_SET_PTRACER_)) },
	{ "prctl", ALLOW, ALWAYS },

	/* Identity and limits. Limits of other processes are not the container's business. */
	{ "getuid geteuid getgid getegid getresuid getresgid getgroups setuid setgid setreuid setregid "
	  "setresuid setresgid setgroups setfsuid setfsgid capget capset getrlimit setrlimit "
	  "getrusage times umask",
	        ALLOW, ALWAYS },
	{ "prlimit64", ALLOW, IF(EQ(0, 0)) },
	{ "prlimit64", NO(EPERM), ALWAYS },

	/* Signals, time, scheduling. */
	{ "rt_sigaction rt_sigpending rt_sigprocmask rt_sigreturn rt_sigsuspend rt_sigtimedwait "
	  "sigaltstack signalfd signalfd4 nanosleep clock_nanosleep clock_gettime clock_getres "
	  "gettimeofday time getitimer setitimer timer_create timer_delete timer_getoverrun "
	  "timer_gettime timer_settime timerfd_create timerfd_gettime timerfd_settime sched_yield "
	  "sched_getaffinity sched_setaffinity sched_getattr sched_getparam sched_setparam "
	  "sched_getscheduler sched_setscheduler sched_get_priority_max sched_get_priority_min "
	  "sched_rr_get_interval getpriority setpriority ioprio_get futex futex_waitv futex_wake "
	  "futex_wait futex_requeue",
	        ALLOW, ALWAYS },
	{ "sched_setattr ioprio_set adjtimex clock_adjtime clock_settime settimeofday", NO(EPERM),
	        ALWAYS },

	/* Memory. Refused advice: sharing equal pages with others leaks by timing, poisoning pages
	 * is for tests of the kernel. */
	{ "brk mmap munmap mremap mprotect msync mlock mlock2 mlockall munlock munlockall mbind "
	  "set_mempolicy get_mempolicy memfd_create pkey_alloc pkey_free pkey_mprotect mseal "
	  "map_shadow_stack shmget shmat shmdt shmctl",
	        ALLOW, ALWAYS },
	{ "madvise", NO(EINVAL), IF(EQ(2, MADV_MERGEABLE_)) },
	{ "madvise", NO(EINVAL), IF(EQ(2, MADV_HWPOISON_)) },
	{ "madvise", NO(EINVAL), IF(EQ(2, MADV_SOFT_OFFLINE_)) },
	{ "madvise", ALLOW, ALWAYS },
	{ "migrate_pages move_pages userfaultfd", NO(EPERM), ALWAYS },

	/* Files. */
	{ "open openat openat2 creat close close_range read write pread64 pwrite64 readv writev preadv "
	  "pwritev lseek sendfile copy_file_range dup dup2 dup3 flock fsync fdatasync sync "
	  "syncfs sync_file_range readahead fadvise64 fallocate truncate ftruncate stat fstat lstat "
	  "newfstatat statx statfs fstatfs access faccessat faccessat2 getcwd chdir fchdir mkdir "
	  "mkdirat rmdir rename renameat renameat2 link linkat symlink symlinkat unlink unlinkat "
	  "readlink readlinkat chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat utime "
	  "utimes futimesat utimensat getdents getdents64 setxattr lsetxattr fsetxattr getxattr "
	  "lgetxattr fgetxattr listxattr llistxattr flistxattr removexattr lremovexattr fremovexattr "
	  "setxattrat getxattrat listxattrat removexattrat inotify_init inotify_init1 "
	  "inotify_add_watch inotify_rm_watch landlock_create_ruleset landlock_add_rule "
	  "landlock_restrict_self",
	        ALLOW, ALWAYS },
	{ "mknod", NO(EPERM), IF(BITS(1, S_IFMT_, S_IFCHR_)) },
	{ "mknod", NO(EPERM), IF(BITS(1, S_IFMT_, S_IFBLK_)) },
	{ "mknod", ALLOW, ALWAYS },
	{ "mknodat", NO(EPERM), IF(BITS(2, S_IFMT_, S_IFCHR_)) },
	{ "mknodat", NO(EPERM), IF(BITS(2, S_IFMT_, S_IFBLK_)) },
	{ "mknodat", ALLOW, ALWAYS },
	{ "fcntl", NO(EINVAL), IF(EQ(1, F_NOTIFY_)) },
	{ "fcntl", ALLOW, ALWAYS },
	{ "preadv2", NO(EOPNOTSUPP), IF(BITS(5, RWF_NOWAIT_, RWF_NOWAIT_)) },
	{ "preadv2", ALLOW, ALWAYS },
	{ "pwritev2", NO(EOPNOTSUPP), IF(BITS(5, RWF_NOWAIT_, RWF_NOWAIT_)) },
	{ "pwritev2", ALLOW, ALWAYS },
	{ "splice tee vmsplice", NO(EINVAL), ALWAYS },
	{ "name_to_handle_at", NO(EOPNOTSUPP), ALWAYS },
	{ "open_by_handle_at fanotify_init fanotify_mark quotactl quotactl_fd chroot", NO(EPERM),
	        ALWAYS },

	/* Terminals take input (TIOCSTI), selections (TIOCLINUX) and line disciplines (TIOCSETD)
	 * from whoever holds them. Block devices, loop and tun: "not that kind of file". */
	{ "ioctl", NO(EPERM), IF(EQ(1, 0x5412)) },                         /* TIOCSTI */
	{ "ioctl", NO(EPERM), IF(EQ(1, 0x541c)) },                         /* TIOCLINUX */
	{ "ioctl", NO(EPERM), IF(EQ(1, 0x541d)) },                         /* TIOCCONS */
	{ "ioctl", NO(EPERM), IF(EQ(1, 0x5423)) },                         /* TIOCSETD */
	{ "ioctl", NO(EPERM), IF(EQ(1, 0xc0045877)) },                     /* FIFREEZE */
	{ "ioctl", NO(EPERM), IF(EQ(1, 0xc0045878)) },                     /* FITHAW */
	{ "ioctl", NO(EPERM), IF(GE(1, 0x89a0), LE(1, 0x89a3)) },          /* SIOCBR* */
	{ "ioctl", NO(EPERM), IF(GE(1, 0x8940), LE(1, 0x8941)) },          /* SIOC{G,S}IFBR */
	{ "ioctl", NO(ENOTTY), IF(BITS(1, 0xff00, 0x1200)) },              /* BLK* */
	{ "ioctl", NO(ENOTTY), IF(GE(1, 0x4c00), LE(1, 0x4cff)) },         /* LOOP_* */
	{ "ioctl", NO(ENOTTY), IF(GE(1, 0x400454c8), LE(1, 0x400454e2)) }, /* TUNSET* */
	{ "ioctl", ALLOW, ALWAYS },

	/* Waiting and pipes. */
	{ "select pselect6 poll ppoll epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait "
	  "epoll_pwait2 eventfd eventfd2 pipe pipe2 io_setup io_submit io_cancel io_destroy "
	  "io_getevents io_pgetevents",
	        ALLOW, ALWAYS },

	/* Sockets: UNIX; TCP, UDP, MPTCP and unprivileged ping over IP; netlink's route protocol.
	 * Every other family and protocol is a module that a call would load. */
	{ "socket", ALLOW, IF(EQ(0, AF_UNIX_)) },
	{ "socket", ALLOW, IF(EQ(0, AF_NETLINK_), EQ(2, 0)) },
	{ "socket", NO(EPROTONOSUPPORT), IF(EQ(0, AF_NETLINK_)) },
	{ "socket", NO(EAFNOSUPPORT), IF(NE(0, AF_INET_), NE(0, AF_INET6_)) },
	{ "socket", NO(EPERM), IF(BITS(1, SOCK_TYPE_MASK_, SOCK_RAW_)) },
	{ "socket", NO(EPERM), IF(BITS(1, SOCK_TYPE_MASK_, SOCK_PACKET_)) },
	/* What is left but STREAM and DGRAM: DCCP and SCTP load their modules also for protocol 0.
	 */
	{ "socket", NO(ESOCKTNOSUPPORT), IF(BITS(1, 0xc, 0x4)) },
	{ "socket", NO(ESOCKTNOSUPPORT), IF(BITS(1, 0x8, 0x8)) },
	{ "socket", ALLOW, IF(EQ(2, 0)) },
	{ "socket", ALLOW, IF(EQ(2, 6)) },
	{ "socket", ALLOW, IF(EQ(2, 17)) },
	{ "socket", ALLOW, IF(EQ(2, 1)) },
	{ "socket", ALLOW, IF(EQ(2, 58)) },
	{ "socket", ALLOW, IF(EQ(2, 262)) },
	{ "socket", NO(EPROTONOSUPPORT), ALWAYS },
	{ "socketpair", ALLOW, IF(EQ(0, AF_UNIX_)) },
	{ "socketpair", NO(EAFNOSUPPORT), ALWAYS },
	{ "setsockopt", NO(ENOPROTOOPT), IF(EQ(1, SOL_TCP_), EQ(2, TCP_ULP_)) },
	{ "setsockopt", NO(ENOPROTOOPT), IF(EQ(1, SOL_ALG_)) },
	{ "setsockopt", NO(ENOPROTOOPT), IF(EQ(1, SOL_XDP_)) },
	{ "setsockopt", ALLOW, ALWAYS },
	{ "bind connect listen accept accept4 getsockname getpeername sendto sendmsg sendmmsg recvfrom "
	  "recvmsg recvmmsg shutdown getsockopt",
	        ALLOW, ALWAYS },

	/* System V IPC and POSIX queues: of the container's own IPC namespace. */
	{ "semget semop semctl semtimedop msgget msgsnd msgrcv msgctl mq_open mq_unlink mq_timedsend "
	  "mq_timedreceive mq_notify mq_getsetattr",
	        ALLOW, ALWAYS },

	/* The rest that every program may ask, and what belongs to the host. */
	{ "uname sysinfo getrandom", ALLOW, ALWAYS },
	{ "mount umount2 pivot_root mount_setattr move_mount open_tree open_tree_attr fsopen fsconfig "
	  "fsmount fspick bpf perf_event_open keyctl add_key request_key syslog acct reboot swapon "
	  "swapoff kexec_load kexec_file_load init_module finit_module delete_module sethostname "
	  "setdomainname vhangup iopl ioperm lookup_dcookie",
	        NO(EPERM), ALWAYS },
};

#undef IF
#undef EQ
#undef NE
#undef GE
#undef LE
#undef BITS
#undef ALWAYS

const char *seccomp_default_name(void)
{
	return "default";
}

const char *seccomp_default_description(void)
{
	return "calls that ordinary programs use; no other ABI, no namespaces, mounts, tracing, kernel "
	       "keys, io_uring or page cache splicing; sockets of UNIX, IP and netlink route only";
}

/* Splits the names of a rule in place into a NULL-terminated list. */
static const char *const *split_names(char *text, const char **list)
{
	size_t n = 0;

	for (char *p = text; *p;) {
		char *end = p + strcspn(p, " ");
		list[n++] = p;
		p = *end ? end + 1 : end;
		*end = '\0';
	}
	list[n] = NULL;
	return list;
}

int seccomp_default_compile(const struct seccomp_target *target, struct buf *out, struct err *err)
{
	_free_ struct ir_rule *lowered = xnew_n(struct ir_rule, ARRAY_SIZE(rules));
	_free_ char *text = NULL;
	_free_ const char **names = NULL;
	struct seccomp_report report = { 0 };
	size_t size = 0, at = 0, used = 0;
	int r;
	struct ir_input in = {
		.rules = lowered,
		.n_rules = ARRAY_SIZE(rules),
		.order = IR_FIRST,
		.dflt = NO(ENOSYS),
		.foreign = target->foreign_action,
		.abis = { target->native },
		.n_abis = 1,
	};

	if (target->native != SECCOMP_ABI_X86_64 && target->native != SECCOMP_ABI_AARCH64)
		return err_set(err, -EINVAL, "seccomp target is not a native ABI of a machine");
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		size += strlen(rules[i].names) + 1;
	/* A name has at least one letter and its end, and each list has one end. */
	text = xmalloc(size);
	names = xcalloc(size + ARRAY_SIZE(rules), sizeof(*names));
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		size_t len = strlen(rules[i].names) + 1;

		memcpy(text + at, rules[i].names, len);
		lowered[i] = (struct ir_rule){
			.names = split_names(text + at, names + used),
			.ret = rules[i].ret,
			.args = rules[i].args,
			.n_args = rules[i].n_args,
		};
		at += len;
		while (names[used++])
			;
	}
	r = ir_compile(&in, out, &report, err);
	if (r == 0 && report.n_unknown_names > 0)
		return err_set(
		        err, -EINVAL, "default seccomp profile names a call that does not exist");
	return r;
}
