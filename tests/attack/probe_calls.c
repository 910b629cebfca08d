/* SPDX-License-Identifier: Apache-2.0 */
/* System calls that a container must not reach, as numbers and arguments. */
#include "probe.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define P(x)     ((uintptr_t) (x))
#define HIGH_BIT (UINT64_C(1) << 32)

/* The numbers of calls that headers of one system or another lack. */
enum {
	NR_open_tree_attr = 467,
	NR_statmount = 457,
	NR_listmount = 458,
	NR_cachestat = 451,
	NR_memfd_secret = 447,
	NR_process_madvise = 440,
	NR_lsm_get_self_attr = 459,
	NR_listns = 470,
	NR_uselib = 134,
	X32_BIT = 0x40000000,
};

struct call {
	const char *name;
	long nr;
	int nr32;     /* its number on i386; 0: not tried */
	uint8_t ints; /* bit i: argument i is an int, so the kernel drops its high half */
	uint64_t args[6];
};

static char scratch[4096];
static char slash[] = "/";
static char tmpfs[] = "tmpfs";
static char name[] = "x";

#define A0 1
#define A1 2
#define A2 4
#define A5 32

static const struct call calls[] = {
	/* families and protocols of sockets */
	{ "socket-alg", SYS_socket, 359, A0, { 38, 5, 0 } },
	{ "socket-vsock", SYS_socket, 359, A0, { 40, 1, 0 } },
	{ "socket-packet", SYS_socket, 359, A0, { 17, 3, 0x300 } },
	{ "socket-xdp", SYS_socket, 359, A0, { 44, 3, 0 } },
	{ "socket-rxrpc", SYS_socket, 359, A0, { 33, 2, 2 } },
	{ "socket-key", SYS_socket, 359, A0, { 15, 3, 2 } },
	{ "socket-bluetooth", SYS_socket, 359, A0, { 31, 3, 1 } },
	{ "socket-tipc", SYS_socket, 359, A0, { 30, 1, 0 } },
	{ "netlink-xfrm", SYS_socket, 359, A0 | A2, { 16, 3, 6 } },
	{ "netlink-netfilter", SYS_socket, 359, A0 | A2, { 16, 3, 12 } },
	{ "netlink-audit", SYS_socket, 359, A0 | A2, { 16, 3, 9 } },
	{ "netlink-uevent", SYS_socket, 359, A0 | A2, { 16, 3, 15 } },
	{ "netlink-generic", SYS_socket, 359, A0 | A2, { 16, 3, 16 } },
	{ "netlink-crypto", SYS_socket, 359, A0 | A2, { 16, 3, 21 } },
	{ "raw-inet", SYS_socket, 359, A0 | A1, { 2, 3, 255 } },
	{ "raw-icmp", SYS_socket, 359, A0 | A1, { 2, 3, 1 } },
	{ "raw-inet6", SYS_socket, 359, A0 | A1, { 10, 3, 58 } },
	{ "inet-packet", SYS_socket, 359, A0 | A1, { 2, 10, 0x300 } },
	{ "inet-dccp", SYS_socket, 359, A0 | A1, { 2, 6, 0 } },
	{ "inet-sctp", SYS_socket, 359, A0 | A2, { 2, 1, 132 } },
	{ "inet-seqpacket", SYS_socket, 359, A0 | A1, { 2, 5, 0 } },
	{ "inet-udplite", SYS_socket, 359, A0 | A2, { 2, 2, 136 } },
	{ "socketpair-tipc", SYS_socketpair, 360, A0, { 30, 1, 0, P(scratch) } },
	{ "tcp-ulp", SYS_setsockopt, 366, A1 | A2, { (uint64_t) -1, 6, 31, P(name), 1 } },
	{ "alg-setkey", SYS_setsockopt, 366, A1, { (uint64_t) -1, 279, 1, P(name), 1 } },
	/* page cache and memory */
	{ "splice", SYS_splice, 313, 0, { 0, 0, 1, 0, 1, 0 } },
	{ "tee", SYS_tee, 315, 0, { 0, 1, 1, 0 } },
	{ "vmsplice", SYS_vmsplice, 316, 0, { 1, 0, 0, 0 } },
	{ "mincore", SYS_mincore, 218, 0, { 0, 0, 0 } },
	{ "cachestat", NR_cachestat, 451, 0, { 0, 0, 0, 0 } },
	{ "preadv2-nowait", SYS_preadv2, 378, A5, { 0, 0, 0, 0, 0, 8 } },
	{ "madvise-mergeable", SYS_madvise, 219, A2, { 0, 0, 12 } },
	{ "madvise-hwpoison", SYS_madvise, 219, A2, { 0, 0, 100 } },
	{ "prctl-merge", SYS_prctl, 172, A0, { 67, 1, 0, 0, 0 } },
	{ "prctl-mm", SYS_prctl, 172, A0, { 35, 1, 0, 0, 0 } },
	{ "prctl-ptracer", SYS_prctl, 172, A0, { 0x59616d61, (uint64_t) -1, 0, 0, 0 } },
	{ "prctl-io-flusher", SYS_prctl, 172, A0, { 57, 1, 0, 0, 0 } },
	{ "memfd_secret", NR_memfd_secret, 0, 0, { 0 } },
	{ "migrate_pages", SYS_migrate_pages, 294, 0, { 0 } },
	{ "move_pages", SYS_move_pages, 317, 0, { 0 } },
	{ "userfaultfd", SYS_userfaultfd, 374, 0, { 1 } },
	/* io_uring, namespaces, mounts */
	{ "io_uring_setup", SYS_io_uring_setup, 425, 0, { 1, P(scratch) } },
	{ "io_uring_enter", SYS_io_uring_enter, 426, 0, { (uint64_t) -1 } },
	{ "io_uring_register", SYS_io_uring_register, 427, 0, { (uint64_t) -1, 99 } },
	{ "unshare-user", SYS_unshare, 310, A0, { CLONE_NEWUSER } },
	{ "unshare-mount", SYS_unshare, 310, A0, { CLONE_NEWNS } },
	{ "unshare-nothing", SYS_unshare, 310, A0, { 0 } },
	{ "clone-user", SYS_clone, 120, A0, { CLONE_NEWUSER | SIGCHLD } },
	{ "clone-net", SYS_clone, 120, A0, { CLONE_NEWNET | SIGCHLD } },
	{ "clone-cgroup", SYS_clone, 120, A0, { 0x02000000 | SIGCHLD } },
	{ "clone3", SYS_clone3, 435, 0, { P(scratch), 64 } },
	{ "setns", SYS_setns, 346, 0, { (uint64_t) -1, 0 } },
	{ "mount", SYS_mount, 21, 0, { P(tmpfs), P(slash), P(tmpfs), 0, 0 } },
	{ "remount", SYS_mount, 21, 0, { 0, P("/proc/sys"), 0, 32, 0 } },
	{ "umount-proc-sys", SYS_umount2, 52, 0, { P("/proc/sys"), 2 } },
	{ "umount-cover", SYS_umount2, 52, 0, { P("/proc/kcore"), 2 } },
	{ "pivot_root", SYS_pivot_root, 217, 0, { P(slash), P(slash) } },
	{ "chroot", SYS_chroot, 61, 0, { P(slash) } },
	{ "fsopen", SYS_fsopen, 430, 0, { P(tmpfs), 0 } },
	{ "fsconfig", SYS_fsconfig, 431, 0, { (uint64_t) -1, 99 } },
	{ "fsmount", SYS_fsmount, 432, 0, { (uint64_t) -1 } },
	{ "fspick", SYS_fspick, 433, 0, { (uint64_t) AT_FDCWD, P("/proc"), 0 } },
	{ "open_tree", SYS_open_tree, 428, 0, { (uint64_t) AT_FDCWD, P("/proc"), 1 } },
	{ "open_tree-plain", SYS_open_tree, 428, 0, { (uint64_t) AT_FDCWD, P("/proc"), 0 } },
	{ "open_tree_attr", NR_open_tree_attr, 0, 0, { (uint64_t) AT_FDCWD, P("/proc"), 1 } },
	{ "move_mount", SYS_move_mount, 429, 0, { (uint64_t) -1, P(""), (uint64_t) -1, P(""), 4 } },
	{ "mount_setattr", SYS_mount_setattr, 442, 0, { (uint64_t) AT_FDCWD, P("/proc/sys") } },
	{ "statmount", NR_statmount, 0, 0, { 0 } },
	{ "listmount", NR_listmount, 0, 0, { 0 } },
	{ "listns", NR_listns, 0, 0, { 0 } },
	{ "lsm_get_self_attr", NR_lsm_get_self_attr, 0, 0, { 0 } },
	/* keys, tracing, other processes */
	{ "keyctl", SYS_keyctl, 288, 0, { 0, (uint64_t) -3, 0 } },
	{ "add_key", SYS_add_key, 286, 0, { P("user"), P(name), P(name), 1, (uint64_t) -3 } },
	{ "request_key", SYS_request_key, 287, 0, { P("user"), P(name), 0, (uint64_t) -3 } },
	{ "bpf", SYS_bpf, 357, 0, { 99, 0, 0 } },
	{ "perf_event_open", SYS_perf_event_open, 336, 0, { 0, 0, (uint64_t) -1, 0, 0 } },
	{ "kcmp", SYS_kcmp, 349, 0, { 1, 1, 0, 0, 0 } },
	{ "pidfd_getfd", SYS_pidfd_getfd, 438, 0, { (uint64_t) -1, 0, 0 } },
	{ "process_vm_readv", SYS_process_vm_readv, 347, 0, { 1, 0, 0, 0, 0, 0 } },
	{ "process_vm_writev", SYS_process_vm_writev, 348, 0, { 1, 0, 0, 0, 0, 0 } },
	{ "process_madvise", NR_process_madvise, 440, 0, { (uint64_t) -1, 0, 0, 0, 0 } },
	{ "ptrace-traceme", SYS_ptrace, 26, 0, { 0, 0, 0, 0 } },
	{ "ptrace-attach", SYS_ptrace, 26, 0, { 16, 0x3fffff, 0, 0 } },
	{ "get_robust_list", SYS_get_robust_list, 312, 0, { 0, P(scratch), P(scratch) } },
	{ "prlimit-of-another", SYS_prlimit64, 340, A0, { 1, 7, 0, P(scratch) } },
	{ "sched_setattr", SYS_sched_setattr, 351, 0, { 0, 0, 0 } },
	{ "ioprio_set", SYS_ioprio_set, 289, 0, { 1, 0, 0 } },
	/* calls of old times */
	{ "personality-read-implies-exec", SYS_personality, 136, A0, { 0x400000 } },
	{ "personality-no-randomize", SYS_personality, 136, A0, { 0x40000 } },
	{ "remap_file_pages", SYS_remap_file_pages, 257, 0, { 0 } },
	{ "vhangup", SYS_vhangup, 111, 0, { 0 } },
	{ "lookup_dcookie", SYS_lookup_dcookie, 253, 0, { 0 } },
#ifdef __x86_64__
	{ "modify_ldt", SYS_modify_ldt, 123, 0, { 0, P(scratch), 16 } },
	{ "uselib", NR_uselib, 86, 0, { P(name) } },
	{ "iopl", SYS_iopl, 110, 0, { 0 } },
	{ "ioperm", SYS_ioperm, 101, 0, { 0, 1, 0 } },
	{ "ustat", SYS_ustat, 62, 0, { 0, P(scratch) } },
	{ "sysfs", SYS_sysfs, 135, 0, { 3 } },
	{ "_sysctl", SYS__sysctl, 149, 0, { 0 } },
	{ "set_thread_area", SYS_set_thread_area, 243, 0, { 0 } },
	{ "mknod-block", SYS_mknod, 14, A1, { P("/tmp/b"), S_IFBLK | 0600, 0x800 } },
	{ "mknod-block-bit-16", SYS_mknod, 14, 0, { P("/tmp/b"), S_IFBLK | 0x10600, 0x800 } },
	{ "mknod-char", SYS_mknod, 14, A1, { P("/tmp/c"), S_IFCHR | 0600, 0x101 } },
#endif
	{ "mknodat-block", SYS_mknodat, 297, A2,
	        { (uint64_t) AT_FDCWD, P("/dev/b"), S_IFBLK | 0600, 0x800 } },
	{ "mknodat-char-shm", SYS_mknodat, 297, A2,
	        { (uint64_t) AT_FDCWD, P("/dev/shm/c"), S_IFCHR | 0600, 0x101 } },
	{ "mknodat-whiteout", SYS_mknodat, 297, A2,
	        { (uint64_t) AT_FDCWD, P("/tmp/w"), S_IFCHR | 0600, 0 } },
	/* terminals, disks, network devices */
	{ "tiocsti", SYS_ioctl, 54, A1, { 0, 0x5412, P(name) } },
	{ "tioclinux", SYS_ioctl, 54, A1, { 0, 0x541c, P(scratch) } },
	{ "tiocsetd", SYS_ioctl, 54, A1, { 0, 0x5423, P(scratch) } },
	{ "tioccons", SYS_ioctl, 54, A1, { 0, 0x541d, 0 } },
	{ "fifreeze", SYS_ioctl, 54, A1, { 0, 0xc0045877, 0 } },
	{ "bridge-add", SYS_ioctl, 54, A1, { (uint64_t) -1, 0x89a0, P(name) } },
	/* the machine */
	{ "init_module", SYS_init_module, 128, 0, { 0, 0, P("") } },
	{ "finit_module", SYS_finit_module, 350, 0, { (uint64_t) -1, P(""), 0 } },
	{ "delete_module", SYS_delete_module, 129, 0, { 0, 0 } },
	{ "kexec_load", SYS_kexec_load, 283, 0, { 0, 99, 0, 0 } },
	{ "kexec_file_load", SYS_kexec_file_load, 0, 0,
	        { (uint64_t) -1, (uint64_t) -1, 0, 0, 99 } },
	{ "reboot", SYS_reboot, 88, 0, { 0, 0, 0, 0 } },
	{ "swapon", SYS_swapon, 87, 0, { 0, 0 } },
	{ "swapoff", SYS_swapoff, 115, 0, { 0 } },
	{ "acct", SYS_acct, 51, 0, { P("/nowhere") } },
	{ "settimeofday", SYS_settimeofday, 79, 0, { 1, 0 } },
	{ "clock_settime", SYS_clock_settime, 264, 0, { 0, 1 } },
	{ "adjtimex", SYS_adjtimex, 124, 0, { 1 } },
	{ "clock_adjtime", SYS_clock_adjtime, 343, 0, { 0, 1 } },
	{ "sethostname", SYS_sethostname, 74, 0, { 1, 1 } },
	{ "setdomainname", SYS_setdomainname, 121, 0, { 1, 1 } },
	{ "syslog-read", SYS_syslog, 103, 0, { 3, P(scratch), 100 } },
	{ "syslog-size", SYS_syslog, 103, 0, { 10, 0, 0 } },
	{ "quotactl", SYS_quotactl, 131, 0, { 0, 0, 0, 0 } },
	{ "fanotify_init", SYS_fanotify_init, 338, 0, { 0, 0 } },
	{ "name_to_handle_at", SYS_name_to_handle_at, 341, 0,
	        { (uint64_t) AT_FDCWD, P(slash), P(scratch), P(scratch), 0 } },
	{ "open_by_handle_at", SYS_open_by_handle_at, 342, 0, { 0, P(scratch), 0 } },
	{ "fcntl-notify", SYS_fcntl, 55, A1, { 0, 1026, 0 } },
};

static int try_call(const struct call *c, long nr, const uint64_t *a)
{
	pid_t me = getpid();
	long r = syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]);

	if (getpid() != me) /* it was a clone, and it worked */
		_exit(0);
	(void) c;
	return probe_result(r);
}

static int plain(const void *arg)
{
	const struct call *c = arg;

	return try_call(c, c->nr, c->args);
}

static int high(const void *arg)
{
	const struct call *c = arg;
	uint64_t args[6];

	for (int i = 0; i < 6; i++)
		args[i] = c->args[i] | (c->ints & (1 << i) ? HIGH_BIT : 0);
	return try_call(c, c->nr, args);
}

#ifdef __x86_64__
static int x32(const void *arg)
{
	const struct call *c = arg;

	return try_call(c, c->nr | X32_BIT, c->args);
}

/* Pointers do not fit; a filter that lets the call through shows by another error. */
static int i386(const void *arg)
{
	const struct call *c = arg;
	long r;

	__asm__ volatile("int $0x80"
	                 : "=a"(r)
	                 : "a"((long) c->nr32), "b"(c->args[0]), "c"(c->args[1]), "d"(c->args[2]),
	                 "S"(c->args[3]), "D"(c->args[4])
	                 : "memory", "r8", "r9", "r10", "r11");
	return (int) r < 0 && (int) r > -4096 ? -(int) r : 0;
}
#endif

static void run_named(
        const char *first, const char *second, int (*run)(const void *), const void *arg)
{
	char text[96];

	(void) snprintf(text, sizeof(text), "%s%s", first, second);
	probe_run(text, run, arg);
}

void probe_calls(void)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		const struct call *c = &calls[i];

		probe_run(c->name, plain, c);
		if (c->ints)
			run_named(c->name, ".high", high, c);
#ifdef __x86_64__
		run_named(c->name, ".x32", x32, c);
		if (c->nr32)
			run_named(c->name, ".i386", i386, c);
#endif
	}
}
