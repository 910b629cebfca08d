/* SPDX-License-Identifier: Apache-2.0 */
/* Attacks of more than one call, and the ordinary uses that must keep working. */
#include "probe.h"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/times.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

enum {
	FAMILIES = 64,
	PIDS_TO_TRY = 8000,
	FORKS_MAX = 2000,
	TEXT = 65536,
	HOST_KEY = 0x62686174, /* the tests make a segment and a queue of these names on the host */
	NS_GET_PARENT_ = 0xb702,
	TIOCGPTPEER_ = 0x5441,
	SIOCGSKNS_ = 0x894c,
	NOBODY = 1000,
};
#define HOST_NAME "bulkhead-attack"

static ssize_t read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK);
	ssize_t n, len = 0;

	if (fd < 0)
		return -1;
	while ((n = read(fd, text + len, size - 1 - (size_t) len)) > 0)
		len += n;
	text[len] = '\0';
	(void) close(fd);
	return len;
}

/* --- sockets ---------------------------------------------------------------------------------- */

/* Every family with every type: the answer of the first one that is not refused as unknown. */
static int families(void)
{
	for (long family = 0; family < FAMILIES; family++) {
		if (family == AF_UNIX || family == AF_INET || family == AF_INET6 ||
		        family == AF_NETLINK)
			continue;
		for (long type = 1; type <= 10; type++)
			for (int high = 0; high < 2; high++) {
				long r = syscall(SYS_socket, family | ((long) high << 32), type, 0);

				if (r >= 0 || errno != EAFNOSUPPORT)
					return probe_result(r);
			}
	}
	return EAFNOSUPPORT;
}

static int netlink_protocols(void)
{
	for (long protocol = 1; protocol < 32; protocol++)
		for (int high = 0; high < 2; high++) {
			long r = syscall(
			        SYS_socket, AF_NETLINK, SOCK_DGRAM, protocol | ((long) high << 32));

			if (r >= 0 || errno != EPROTONOSUPPORT)
				return probe_result(r);
		}
	return EPROTONOSUPPORT;
}

/* The host's test listens on this name of the abstract space. */
static int host_abstract(void)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "\0" HOST_NAME };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	socklen_t len = offsetof(struct sockaddr_un, sun_path) + sizeof(HOST_NAME);

	return probe_result(connect(fd, (struct sockaddr *) &name, len));
}

/* The owner of a socket's network namespace would be a way to it. */
static int socket_namespace(void)
{
	return probe_result(ioctl(socket(AF_INET, SOCK_DGRAM, 0), SIOCGSKNS_));
}

static int parent_namespace(const char *path)
{
	int fd = open(path, O_RDONLY);

	return fd < 0 ? errno : probe_result(ioctl(fd, NS_GET_PARENT_));
}

static int parent_user(void)
{
	return parent_namespace("/proc/self/ns/user");
}

static int parent_pid(void)
{
	return parent_namespace("/proc/self/ns/pid");
}

/* --- processes -------------------------------------------------------------------------------- */

/* Numbers in /proc beside our own few. */
static int foreign_processes(void)
{
	DIR *d = opendir("/proc");
	int n = 0;

	for (struct dirent *e; d && (e = readdir(d));)
		n += e->d_name[0] >= '1' && e->d_name[0] <= '9';
	return n > 2 ? 0 : ESRCH; /* the probe and this child of it */
}

static int foreign_pidfds(void)
{
	int n = 0;

	for (int pid = 1; pid < PIDS_TO_TRY; pid++) {
		long fd = syscall(SYS_pidfd_open, pid, 0);

		n += fd >= 0;
		(void) close((int) fd);
	}
	return n > 2 ? 0 : ESRCH;
}

static int kill_all(void)
{
	return probe_result(kill(-1, 0));
}

static int kill_host(void)
{
	for (int pid = 2; pid < PIDS_TO_TRY; pid++)
		if (pid != getpid() && kill(pid, 0) == 0)
			return 0;
	return ESRCH;
}

static int fork_bomb(void)
{
	int n = 0, error = 0;
	int hold[2];

	if (pipe(hold) < 0)
		return errno;
	for (; n < FORKS_MAX && error == 0; n++) {
		pid_t pid = fork();

		if (pid == 0) {
			char byte;

			(void) close(hold[1]);
			_exit(read(hold[0], &byte, 1) > 0);
		}
		error = pid < 0 ? errno : 0;
	}
	(void) close(hold[1]);
	while (wait(NULL) > 0)
		;
	return n >= FORKS_MAX ? 0 : error;
}

static int real_time(void)
{
	struct sched_param p = { .sched_priority = 1 };

	return probe_result(sched_setscheduler(0, SCHED_FIFO, &p));
}

static int nice_negative(void)
{
	return probe_result(setpriority(PRIO_PROCESS, 0, -5));
}

static int oom_score(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY);

	return fd < 0 ? errno : probe_result(write(fd, "-500", 4));
}

static int core_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_CORE, &limit) < 0)
		return errno;
	/* At exactly 1 the kernel starts no helper on the host. */
	return limit.rlim_cur == 1 && limit.rlim_max == 1 ? PROBE_OTHER : 0;
}

static int core_limit_raise(void)
{
	struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };

	return probe_result(setrlimit(RLIMIT_CORE, &limit));
}

/* --- rights ----------------------------------------------------------------------------------- */

static int copy_self(const char *to)
{
	static char bytes[1 << 16];
	int from = open("/proc/self/exe", O_RDONLY);
	int fd = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0755);
	ssize_t n;

	if (from < 0 || fd < 0)
		return errno;
	while ((n = read(from, bytes, sizeof(bytes))) > 0)
		if (write(fd, bytes, (size_t) n) != n)
			return EIO;
	(void) close(from);
	(void) close(fd);
	return n < 0 ? errno : 0;
}

/* 0 when the program says that it runs as root. */
static int run_as_user(const char *path)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		if (setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0)
			_exit(2);
		(void) execl(path, path, "euid", (char *) NULL);
		_exit(3);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!WIFEXITED(status))
		return EIO;
	return WEXITSTATUS(status) == 0 ? 0 : WEXITSTATUS(status) == 1 ? EPERM : EIO;
}

static int setuid_program(void)
{
	int r = copy_self("/tmp/suid");

	if (r != 0 || chmod("/tmp/suid", 04755) < 0)
		return r ? r : errno;
	return run_as_user("/tmp/suid");
}

static int file_capabilities(void)
{
	struct vfs_cap_data caps = {
		.magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE,
		.data = { { .permitted = ~0U }, { .permitted = ~0U } },
	};
	int r = copy_self("/tmp/fcap");

	return r ? r
	         : probe_result(
	                   setxattr("/tmp/fcap", "security.capability", &caps, sizeof(caps), 0));
}

static int trusted_xattr(void)
{
	int fd = open("/tmp/trusted", O_WRONLY | O_CREAT, 0600);

	return probe_result(fsetxattr(fd, "trusted.overlay.opaque", "y", 1, 0));
}

static int no_new_privs(void)
{
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? PROBE_OTHER : 0;
}

/* Capabilities beyond the eight of the profile. */
static int more_capabilities(void)
{
	static const int given[] = { CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_FSETID, CAP_KILL,
		CAP_NET_BIND_SERVICE, CAP_SETGID, CAP_SETUID };
	uint64_t all = 0;

	for (size_t i = 0; i < sizeof(given) / sizeof(*given); i++)
		all |= UINT64_C(1) << given[i];
	for (int cap = 0; cap <= 63; cap++)
		if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1 && !(all >> cap & 1))
			return 0;
	return EPERM;
}

static int write_own(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	return fd < 0 ? errno : probe_result(write(fd, text, strlen(text)));
}

static int write_uid_map(void)
{
	return write_own("/proc/self/uid_map", "0 0 1\n");
}

static int write_time_offsets(void)
{
	return write_own("/proc/self/timens_offsets", "boottime 99 0\n");
}

/* user.max_* that is not 0 lets a kernel bug that needs a namespace be reached. */
static int namespace_limits(void)
{
	static const char *const names[] = { "user", "mnt", "net", "pid", "uts", "ipc", "cgroup",
		"time" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char path[64], text[32];

		(void) snprintf(path, sizeof(path), "/proc/sys/user/max_%s_namespaces", names[i]);
		if (read_text(path, text, sizeof(text)) < 0 || strcmp(text, "0\n") != 0)
			return 0;
	}
	return ENOSPC;
}

static int inotify_limit(void)
{
	int n = 0;

	while (n < FORKS_MAX && inotify_init1(0) >= 0)
		n++;
	return n >= FORKS_MAX ? 0 : errno;
}

/* --- files ------------------------------------------------------------------------------------ */

static int parent_of_root(void)
{
	struct stat root, above;

	if (stat("/", &root) < 0 || stat("/../../../../../../../..", &above) < 0)
		return errno;
	return root.st_dev == above.st_dev && root.st_ino == above.st_ino ? EXDEV : 0;
}

static int folder_at_start(void)
{
	char path[4096];

	if (syscall(SYS_getcwd, path, sizeof(path)) < 0)
		return errno;
	return path[0] == '/' ? EXDEV : 0;
}

static int write_exe(void)
{
	return probe_result(open("/proc/self/exe", O_WRONLY));
}

static int write_exe_of_init(void)
{
	return probe_result(open("/proc/1/exe", O_RDWR));
}

/* Nothing that init was started from is still open or mapped. */
static int runtime_in_maps(void)
{
	static char text[TEXT];

	if (read_text("/proc/1/maps", text, sizeof(text)) <= 0)
		return errno;
	return strstr(text, "bulkhead") && !strstr(text, "/probe") ? 0 : ENOENT;
}

static bool has_pointer(const char *text)
{
	for (const char *p = text; (p = strstr(p, "ffff")); p++)
		if (strspn(p, "0123456789abcdef") >= 16 && strncmp(p, "ffffffffffffffff", 16) != 0)
			return true;
	return false;
}

/* Addresses of the kernel in what a process may read of itself and its network. */
static int kernel_pointers(void)
{
	static const char *const files[] = { "/proc/self/stat", "/proc/self/wchan",
		"/proc/self/stack", "/proc/self/syscall", "/proc/net/unix", "/proc/net/tcp",
		"/proc/net/udp", "/proc/net/packet", "/proc/net/netlink", "/proc/net/raw",
		"/proc/net/ptype", "/proc/self/maps" };
	static char text[TEXT];

	(void) socket(AF_UNIX, SOCK_STREAM, 0);
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		if (read_text(files[i], text, sizeof(text)) > 0 && has_pointer(text)) {
			char *calls = strstr(text, "[vsyscall]");

			if (!calls)
				return 0;
		}
	return EACCES;
}

static int memfd_exec(unsigned int flags)
{
	long fd = syscall(SYS_memfd_create, "m", flags);
	char self[64];
	int status = 0;
	pid_t pid;

	if (fd < 0)
		return errno;
	(void) snprintf(self, sizeof(self), "/proc/self/fd/%ld", fd);
	if (copy_self(self) != 0)
		return EIO;
	pid = fork();
	if (pid == 0) {
		char *args[] = { self, (char *) (uintptr_t) "euid", NULL };

		(void) syscall(SYS_execveat, fd, "", args, args + 2, AT_EMPTY_PATH);
		_exit(errno == EACCES || errno == ETXTBSY ? errno : EIO);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
}

/* Programs that were not written for vm.memfd_noexec ask for nothing. */
static int memfd_exec_plain(void)
{
	return memfd_exec(0);
}

static int exec_in(const char *path)
{
	int status = 0, r = copy_self(path);
	pid_t pid = r ? -1 : fork();

	if (r)
		return r;
	if (pid == 0) {
		(void) execl(path, path, "euid", (char *) NULL);
		_exit(errno);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
}

static int exec_in_shm(void)
{
	return exec_in("/dev/shm/program");
}

static int exec_in_tmp(void)
{
	return exec_in("/tmp/program");
}

/* The names of the host's folders in the table of mounts. */
static int mounts_tell_host(void)
{
	static char text[TEXT];

	if (read_text("/proc/self/mountinfo", text, sizeof(text)) <= 0)
		return errno;
	return strstr(text, "/fs/layers") || strstr(text, "/fs/rw/") || strstr(text, "/var/lib")
	               ? 0
	               : ENOENT;
}

static int cgroup_tells_host(void)
{
	static char text[TEXT];

	if (read_text("/proc/self/cgroup", text, sizeof(text)) <= 0)
		return errno;
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		if (strcmp(strrchr(line, ':'), ":/") != 0)
			return 0;
	return ENOENT;
}

static int host_shm(void)
{
	return probe_result(shmget(HOST_KEY, 1, 0));
}

static int host_mqueue(void)
{
	return probe_result(mq_open("/" HOST_NAME, O_RDONLY));
}

static int host_shm_file(void)
{
	return probe_result(open("/dev/shm/" HOST_NAME, O_RDONLY));
}

/* Device nodes that a container made itself would be opened here. */
static int devices_open_on_root(void)
{
	struct statfs fs;

	if (statfs("/", &fs) < 0)
		return errno;
	return fs.f_flags & 4 /* ST_NODEV */ ? EACCES : 0;
}

static int times_since_boot(void)
{
	struct timespec now = { 0 };
	struct tms t;
	long ticks = (long) times(&t);

	(void) clock_gettime(CLOCK_BOOTTIME, &now);
	return ticks / sysconf(_SC_CLK_TCK) > now.tv_sec + 60 ? 0 : PROBE_OTHER;
}

/* --- terminals -------------------------------------------------------------------------------- */

static int open_terminal(int *ret_master)
{
	int master = open("/dev/ptmx", O_RDWR | O_NOCTTY), zero = 0, n = 0;
	char path[32];

	if (master < 0 || ioctl(master, TIOCSPTLCK, &zero) < 0 || ioctl(master, TIOCGPTN, &n) < 0)
		return -1;
	*ret_master = master;
	(void) snprintf(path, sizeof(path), "/dev/pts/%d", n);
	return open(path, O_RDWR | O_NOCTTY);
}

/* On a terminal of one's own, as its controlling process: the strongest position there is. */
static int inject(unsigned long request)
{
	int master, slave = open_terminal(&master);
	int discipline = 21; /* N_GSM0710 */
	char byte = 'x';

	if (slave < 0)
		return EIO;
	(void) setsid();
	if (ioctl(slave, TIOCSCTTY, 0) < 0)
		return EIO;
	return probe_result(syscall(SYS_ioctl, slave, request,
	        (request & 0xffff) == TIOCSETD ? (void *) &discipline : (void *) &byte));
}

static int inject_plain(void)
{
	return inject(TIOCSTI);
}

static int inject_high(void)
{
	return inject(TIOCSTI | 1UL << 32);
}

static int discipline_plain(void)
{
	return inject(TIOCSETD);
}

static int discipline_high(void)
{
	return inject(TIOCSETD | 1UL << 63);
}

/* --- ordinary uses ---------------------------------------------------------------------------- */

static int use_terminal(void)
{
	struct winsize size = { .ws_row = 24, .ws_col = 80 };
	int master, slave = open_terminal(&master), tty;
	char byte = 0;

	if (slave < 0)
		return errno;
	(void) setsid();
	if (ioctl(slave, TIOCSCTTY, 0) < 0 || ioctl(slave, TIOCSWINSZ, &size) < 0)
		return errno;
	tty = open("/dev/tty", O_RDWR);
	if (tty < 0 || write(master, "q\n", 2) != 2 || read(tty, &byte, 1) != 1)
		return errno ? errno : EIO;
	return byte == 'q' ? 0 : EIO;
}

static int use_peer(void)
{
	int master, slave = open_terminal(&master);

	return slave < 0 ? errno : probe_result(ioctl(master, TIOCGPTPEER_, O_RDWR | O_NOCTTY));
}

static int use_devices(void)
{
	static const char *const names[] = { "null", "zero", "full", "random", "urandom" };
	char byte;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char path[32];
		int fd;

		(void) snprintf(path, sizeof(path), "/dev/%s", names[i]);
		fd = open(path, O_RDWR);
		if (fd < 0 || read(fd, &byte, 1) < 0)
			return errno;
		if (strcmp(names[i], "full") == 0 && (write(fd, "x", 1) >= 0 || errno != ENOSPC))
			return EIO;
	}
	return 0;
}

static int use_tcp(void)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET, .sin_port = htons(80), .sin_addr = { htonl(INADDR_LOOPBACK) }
	};
	int server = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);

	if (bind(server, (struct sockaddr *) &a, sizeof(a)) < 0 || listen(server, 1) < 0 ||
	        connect(client, (struct sockaddr *) &a, sizeof(a)) < 0)
		return errno;
	return 0;
}

static int use_ping(void)
{
	return probe_result(socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP));
}

static int use_route(void)
{
	return probe_result(socket(AF_NETLINK, SOCK_RAW, 0));
}

static int use_unix(void)
{
	int pair[2];

	return probe_result(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair));
}

static int use_fork_and_wait(void)
{
	int status = 1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(7);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) && WEXITSTATUS(status) == 7 ? 0 : EIO;
}

static int use_files(void)
{
	int fd;

	if (mkdir("/tmp/d1", 0755) < 0 || mkdir("/var/d2", 0755) < 0)
		return errno;
	fd = open("/tmp/d1/f", O_RDWR | O_CREAT, 0644);
	if (fd < 0 || write(fd, "x", 1) != 1 || ftruncate(fd, 0) < 0)
		return errno;
	if (link("/tmp/d1/f", "/var/d2/hard") < 0 || symlink("f", "/tmp/d1/soft") < 0 ||
	        rename("/tmp/d1/f", "/var/d2/moved") < 0 || rename("/tmp/d1", "/var/d2/in") < 0)
		return errno;
	if (mknod("/var/d2/fifo", S_IFIFO | 0600, 0) < 0 ||
	        mknod("/var/d2/file", S_IFREG | 0600, 0) < 0)
		return errno;
	return probe_result(chown("/var/d2/moved", 33, 33));
}

static int use_ids(void)
{
	gid_t groups[] = { 4, 5 };

	if (setgroups(2, groups) < 0 || setresgid(33, 33, 33) < 0 || setresuid(33, 33, 33) < 0)
		return errno;
	return getuid() == 33 ? 0 : EIO;
}

static int use_memory(void)
{
	int fd = memfd_create("m", MFD_CLOEXEC);
	void *p;

	if (fd < 0 || ftruncate(fd, 4096) < 0)
		return errno;
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return errno;
	return probe_result(madvise(p, 4096, MADV_DONTNEED));
}

static int use_ipc(void)
{
	int id = shmget(IPC_PRIVATE, 4096, 0600);
	struct mq_attr attr = { .mq_maxmsg = 4, .mq_msgsize = 32 };

	if (id < 0 || shmctl(id, IPC_RMID, NULL) < 0)
		return errno;
	return probe_result(mq_open("/own", O_CREAT | O_RDWR, 0600, &attr));
}

static int use_signals(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		(void) pause();
		_exit(0);
	}
	if (kill(pid, SIGKILL) < 0)
		return errno;
	(void) waitpid(pid, NULL, 0);
	return probe_result(prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0));
}

#define ROW(function)                                                                              \
	{                                                                                          \
		.name = #function, .run = (function)                                               \
	}
const struct probe probe_acts[] = {
	ROW(families),
	ROW(netlink_protocols),
	ROW(host_abstract),
	ROW(socket_namespace),
	ROW(parent_user),
	ROW(parent_pid),
	ROW(foreign_processes),
	ROW(foreign_pidfds),
	ROW(kill_all),
	ROW(kill_host),
	ROW(fork_bomb),
	ROW(real_time),
	ROW(nice_negative),
	ROW(oom_score),
	ROW(core_limit),
	ROW(core_limit_raise),
	ROW(setuid_program),
	ROW(file_capabilities),
	ROW(trusted_xattr),
	ROW(no_new_privs),
	ROW(more_capabilities),
	ROW(write_uid_map),
	ROW(write_time_offsets),
	ROW(namespace_limits),
	ROW(inotify_limit),
	ROW(parent_of_root),
	ROW(folder_at_start),
	ROW(write_exe),
	ROW(write_exe_of_init),
	ROW(runtime_in_maps),
	ROW(kernel_pointers),
	ROW(memfd_exec_plain),
	ROW(exec_in_shm),
	ROW(mounts_tell_host),
	ROW(cgroup_tells_host),
	ROW(host_shm),
	ROW(host_mqueue),
	ROW(host_shm_file),
	ROW(devices_open_on_root),
	ROW(times_since_boot),
	ROW(inject_plain),
	ROW(inject_high),
	ROW(discipline_plain),
	ROW(discipline_high),
};
const size_t probe_acts_count = sizeof(probe_acts) / sizeof(*probe_acts);

const struct probe probe_uses[] = {
	ROW(use_terminal),
	ROW(use_peer),
	ROW(use_devices),
	ROW(use_tcp),
	ROW(use_ping),
	ROW(use_route),
	ROW(use_unix),
	ROW(use_fork_and_wait),
	ROW(use_files),
	ROW(use_ids),
	ROW(use_memory),
	ROW(use_ipc),
	ROW(use_signals),
	ROW(exec_in_tmp),
};
const size_t probe_uses_count = sizeof(probe_uses) / sizeof(*probe_uses);
