/* SPDX-License-Identifier: Apache-2.0 */
/* Files through which a container reaches its host, each by every name that may lead to it. */
#include "probe.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { PATH_SIZE = 4096, DEPTH_MAX = 12 };

/* Written by the kernel's helpers, or by who wants to control the machine. */
static const char *const to_write[] = {
	"/proc/sys/kernel/core_pattern",
	"/proc/sys/kernel/core_pipe_limit",
	"/proc/sys/kernel/modprobe",
	"/proc/sys/kernel/poweroff_cmd",
	"/proc/sys/kernel/hotplug",
	"/proc/sys/kernel/sysrq",
	"/proc/sys/kernel/ns_last_pid",
	"/proc/sys/kernel/hostname",
	"/proc/sys/kernel/randomize_va_space",
	"/proc/sys/kernel/yama/ptrace_scope",
	"/proc/sys/kernel/usermodehelper/bset",
	"/proc/sys/vm/drop_caches",
	"/proc/sys/vm/panic_on_oom",
	"/proc/sys/vm/overcommit_memory",
	"/proc/sys/vm/memfd_noexec",
	"/proc/sys/fs/suid_dumpable",
	"/proc/sys/fs/protected_symlinks",
	"/proc/sys/fs/binfmt_misc/register",
	"/proc/sys/net/ipv4/ip_forward",
	"/proc/sys/net/core/bpf_jit_enable",
	"/proc/sys/user/max_user_namespaces",
	"/proc/sysrq-trigger",
	"/proc/irq/0/smp_affinity",
	"/proc/irq/default_smp_affinity",
	"/proc/bus/pci/00/00.0",
	"/proc/scsi/scsi",
	"/proc/mtrr",
	"/proc/acpi/wakeup",
	"/proc/kcore",
	"/proc/kmem",
	"/sys/kernel/uevent_helper",
	"/sys/fs/cgroup/release_agent",
	"/sys/fs/cgroup/cgroup.procs",
	"/sys/fs/cgroup/memory/release_agent",
	"/sys/fs/cgroup/memory/cgroup.procs",
	"/sys/fs/cgroup/devices/devices.allow",
	"/sys/fs/cgroup/unified/cgroup.procs",
	"/sys/power/state",
	"/sys/module/kernel/parameters/panic",
	"/sys/kernel/debug/sched/debug",
	"/sys/kernel/tracing/trace_marker",
};

static const char *const to_read[] = {
	"/proc/kallsyms",
	"/proc/kcore",
	"/proc/kmsg",
	"/proc/keys",
	"/proc/key-users",
	"/proc/slabinfo",
	"/proc/vmallocinfo",
	"/proc/iomem",
	"/proc/ioports",
	"/proc/modules",
	"/proc/timer_list",
	"/proc/sched_debug",
	"/proc/schedstat",
	"/proc/interrupts",
	"/proc/softirqs",
	"/proc/diskstats",
	"/proc/partitions",
	"/proc/locks",
	"/proc/zoneinfo",
	"/proc/buddyinfo",
	"/proc/pagetypeinfo",
	"/proc/vmstat",
	"/proc/kpagecount",
	"/proc/kpageflags",
	"/proc/kpagecgroup",
	"/proc/config.gz",
	"/proc/cmdline",
	"/proc/bootconfig",
	"/proc/crypto",
	"/proc/devices",
	"/proc/misc",
	"/proc/mdstat",
	"/proc/cgroups",
	"/proc/consoles",
	"/proc/dma",
	"/proc/execdomains",
	"/proc/fb",
	"/proc/latency_stats",
	"/proc/pressure/cpu",
	"/proc/pressure/memory",
	"/proc/fs/ext4",
	"/proc/driver/rtc",
	"/proc/tty/drivers",
	"/proc/sysvipc/shm",
	"/proc/bus/pci/devices",
	"/sys/kernel/notes",
	"/sys/kernel/vmcoreinfo",
	"/sys/class/dmi/id/product_uuid",
	"/sys/class/powercap",
	"/sys/class/net",
	"/sys/block",
	"/sys/firmware/acpi/tables",
	"/sys/devices/system/cpu/vulnerabilities/meltdown",
	"/sys/fs/cgroup/memory.stat",
};

static const char *const devices[] = {
	"mem",
	"kmem",
	"kmsg",
	"port",
	"sda",
	"sda1",
	"vda",
	"vda1",
	"nvme0",
	"nvme0n1",
	"xvda",
	"dm-0",
	"md0",
	"loop0",
	"loop-control",
	"mapper/control",
	"btrfs-control",
	"fuse",
	"cuse",
	"kvm",
	"net/tun",
	"vhost-net",
	"vhost-vsock",
	"vsock",
	"uinput",
	"uhid",
	"input/event0",
	"dri/card0",
	"dri/renderD128",
	"nvidia0",
	"kfd",
	"vfio/vfio",
	"snapshot",
	"hpet",
	"rtc0",
	"watchdog",
	"cpu/0/msr",
	"cpu/0/cpuid",
	"ppp",
	"console",
	"tty0",
	"tty1",
	"ttyS0",
	"vcs",
	"vcsa",
	"userfaultfd",
	"udmabuf",
	"dma_heap/system",
	"sgx_enclave",
	"sev",
	"tpm0",
	"tpmrm0",
	"nvram",
	"raw/rawctl",
	"ptp0",
	"rfkill",
	"autofs",
	"ecryptfs",
	"binder",
	"ashmem",
	"hugepages",
	"initctl",
	"log",
	/* of the host; a container's own come later */
	"pts/0",
	"pts/1",
	"pts/2",
	"pts/3",
};

/* Other names of "/". */
static const char *const prefixes[] = {
	"/proc/self/root",
	"/proc/1/root",
	"/proc/self/cwd",
	"/proc/thread-self/root",
	"/proc/self/task/../root",
	"/proc/self/../self/root/proc/1/root",
	"/../../../../../../..",
	"/dev/../proc/self/root",
};

static bool is_null(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3);
}

static int open_to_write(const char *path)
{
	int fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return errno;
	return is_null(fd) ? PROBE_NULL : 0;
}

/* Opened for reading or as a path first, then again by its number, for writing. */
static int open_again(const char *path, int flags)
{
	char link[64];
	int fd = open(path, flags | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return errno;
	(void) snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	return open_to_write(link);
}

static int open_to_read(const char *path)
{
	char bytes[16];
	struct stat st;
	ssize_t n;
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return errno;
	if (is_null(fd))
		return PROBE_NULL;
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		n = syscall(SYS_getdents64, fd, (char[4096]){ 0 }, 4096);
		return n > 64 ? 0 : PROBE_EMPTY; /* more than "." and ".." */
	}
	n = read(fd, bytes, sizeof(bytes));
	return n < 0 ? errno : n == 0 ? PROBE_EMPTY : 0;
}

/* The plain name's result, unless another name of the same file is worse. */
static int by_every_name(const char *path, int (*attempt)(const char *))
{
	int first = attempt(path);

	for (size_t i = 0; first != 0 && i < sizeof(prefixes) / sizeof(*prefixes); i++) {
		char other[PATH_SIZE];

		(void) snprintf(other, sizeof(other), "%s%s", prefixes[i], path);
		if (attempt(other) == 0)
			return 0;
	}
	return first;
}

static int try_write(const void *arg)
{
	const char *path = arg;
	int r = by_every_name(path, open_to_write);

	if (r != 0 && open_again(path, O_RDONLY) == 0)
		return 0;
	return r != 0 && open_again(path, O_PATH) == 0 ? 0 : r;
}

static int try_read(const void *arg)
{
	return by_every_name(arg, open_to_read);
}

static int try_device(const void *arg)
{
	char path[PATH_SIZE];
	int r;

	(void) snprintf(path, sizeof(path), "/dev/%s", (const char *) arg);
	r = by_every_name(path, open_to_read);
	return r == 0 || r == PROBE_EMPTY || r == PROBE_NULL ? r : open_to_write(path);
}

/* --- everything below a folder ---------------------------------------------------------------- */

/* True for what belongs to the process itself and may be written: its name, its memory, ... */
static bool is_own(const char *path)
{
	return strncmp(path, "/proc/", 6) == 0 && path[6] >= '0' && path[6] <= '9';
}

/* The first file below the folder that can be opened for writing, in 'found'. */
static bool find_writable(const char *folder, char *found, int depth)
{
	DIR *d = depth < DEPTH_MAX ? opendir(folder) : NULL;
	bool hit = false;

	for (struct dirent *e; d && !hit && (e = readdir(d));) {
		char path[PATH_SIZE];

		if (e->d_name[0] == '.')
			continue;
		if (snprintf(path, sizeof(path), "%s/%s", folder, e->d_name) >= (int) sizeof(path))
			continue;
		if (is_own(path))
			continue;
		if (e->d_type == DT_DIR)
			hit = find_writable(path, found, depth + 1);
		else if (e->d_type != DT_LNK && open_to_write(path) == 0) {
			(void) snprintf(found, PATH_SIZE, "%s", path);
			hit = true;
		}
	}
	if (d)
		(void) closedir(d);
	return hit;
}

static int try_tree(const void *arg)
{
	static char found[PATH_SIZE];

	if (!find_writable(arg, found, 0))
		return EROFS;
	(void) dprintf(1, "found %s\n", found);
	return 0;
}

static void run_each(const char *what, const char *const *paths, size_t n, int (*run)(const void *))
{
	for (size_t i = 0; i < n; i++) {
		char name[PATH_SIZE];

		(void) snprintf(name, sizeof(name), "%s:%s", what, paths[i]);
		probe_run(name, run, paths[i]);
	}
}

void probe_files(void)
{
	static const char *const trees[] = { "/proc", "/sys", "/proc/self/net" };

	run_each("write", to_write, sizeof(to_write) / sizeof(*to_write), try_write);
	run_each("read", to_read, sizeof(to_read) / sizeof(*to_read), try_read);
	run_each("device", devices, sizeof(devices) / sizeof(*devices), try_device);
	run_each("tree", trees, sizeof(trees) / sizeof(*trees), try_tree);
}
