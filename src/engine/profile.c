/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/profile.h"
#include "compile/compile.h"

#include "caps/caps.h"
#include "cgroup/cgroup.h"
#include "landlock/landlock.h"
#include "seccomp/seccomp.h"

#include <errno.h>
#include <linux/sched.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <time.h>

static const struct oci_namespace namespaces[] = {
	{ CLONE_NEWUSER, NULL },
	{ CLONE_NEWNS, NULL },
	{ CLONE_NEWPID, NULL },
	{ CLONE_NEWNET, NULL },
	{ CLONE_NEWIPC, NULL },
	{ CLONE_NEWUTS, NULL },
	{ CLONE_NEWCGROUP, NULL },
	{ CLONE_NEWTIME, NULL },
};

#define OPTIONS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static const struct oci_mount mounts[] = {
	{ .destination = "/proc",
	        .type = "proc",
	        .source = "proc",
	        .options = OPTIONS("nosuid", "nodev", "noexec") },
	{ .destination = "/dev",
	        .type = "tmpfs",
	        .source = "tmpfs",
	        .options = OPTIONS("nosuid", "noexec", "strictatime", "mode=755", "size=64k") },
	{ .destination = "/dev/pts",
	        .type = "devpts",
	        .source = "devpts",
	        .options = OPTIONS(
	                "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5") },
	{ .destination = "/dev/shm",
	        .type = "tmpfs",
	        .source = "shm",
	        .options = OPTIONS("nosuid", "noexec", "nodev", "mode=1777", "size=64m") },
	{ .destination = "/dev/mqueue",
	        .type = "mqueue",
	        .source = "mqueue",
	        .options = OPTIONS("nosuid", "noexec", "nodev") },
};

/* What programs read in /proc beside their own process; everything else is covered. */
static const char *const proc_allow[] = {
	"cpuinfo",
	"filesystems",
	"loadavg",
	"meminfo",
	"mounts",
	"net",
	"stat",
	"swaps",
	"sys",
	"uptime",
	"version",
	NULL,
};
static const char *const readonly_paths[] = { "/proc/sys", NULL };
static const char *const no_paths[] = { NULL };

/* gosu and su-exec (SETUID, SETGID), entry points that chown (CHOWN, FOWNER, DAC_OVERRIDE), dpkg's
 * setgid folders (FSETID), masters that signal their workers (KILL), old servers that insist on the
 * name (NET_BIND_SERVICE). */
static const char *const capabilities[] = {
	"CAP_CHOWN",
	"CAP_DAC_OVERRIDE",
	"CAP_FOWNER",
	"CAP_FSETID",
	"CAP_KILL",
	"CAP_NET_BIND_SERVICE",
	"CAP_SETGID",
	"CAP_SETUID",
};

static const struct oci_rlimit rlimits[] = {
	/* Exactly 1: the kernel then starts no core_pattern helper on the host and writes no file;
	   0 still starts it. */
	{ RLIMIT_CORE, "RLIMIT_CORE", 1, 1 },
	{ RLIMIT_NOFILE, "RLIMIT_NOFILE", 65536, 524288 },
	{ RLIMIT_MEMLOCK, "RLIMIT_MEMLOCK", 8 << 20, 8 << 20 },
	{ RLIMIT_MSGQUEUE, "RLIMIT_MSGQUEUE", 819200, 819200 },
	{ RLIMIT_SIGPENDING, "RLIMIT_SIGPENDING", 4096, 4096 },
};

static const struct oci_kv sysctls[] = {
	/* Low ports and ping without capabilities: the network is the container's own. */
	{ "net.ipv4.ip_unprivileged_port_start", "0" },
	{ "net.ipv4.ping_group_range", "0 65535" },
};
static const struct oci_kv early_sysctls[] = {
	{ "vm/memfd_noexec", "1" },
};
/* No nested namespaces: they unlock most kernel bugs of the last years; and small shares of what is
 * counted by user. */
static const struct oci_kv late_sysctls[] = {
	{ "user/max_user_namespaces", "0" },
	{ "user/max_mnt_namespaces", "0" },
	{ "user/max_net_namespaces", "0" },
	{ "user/max_pid_namespaces", "0" },
	{ "user/max_uts_namespaces", "0" },
	{ "user/max_ipc_namespaces", "0" },
	{ "user/max_cgroup_namespaces", "0" },
	{ "user/max_time_namespaces", "0" },
	{ "user/max_inotify_instances", "512" },
	{ "user/max_inotify_watches", "65536" },
};

/* Landlock cannot take away what a rule on a parent gave: "/" lacks what only /dev may have, nobody
 * may make devices. */
static const struct compile_landlock_rule landlock_rules[] = {
	{ "/",
	        LL_FS_EXECUTE | LL_FS_WRITE_FILE | LL_FS_READ_FILE | LL_FS_READ_DIR |
	                LL_FS_REMOVE_DIR | LL_FS_REMOVE_FILE | LL_FS_MAKE_DIR | LL_FS_MAKE_REG |
	                LL_FS_MAKE_SOCK | LL_FS_MAKE_FIFO | LL_FS_MAKE_SYM | LL_FS_REFER |
	                LL_FS_TRUNCATE,
	        false },
	{ "/dev", LL_FS_IOCTL_DEV, true },
	/* mq_open goes by a mount of the kernel's own that is not below "/"; the folder of its
	   files is the same. */
	{ "/dev/mqueue", LL_FS_READ_FILE | LL_FS_WRITE_FILE, true },
};

/* The compiler puts the devices that every container may use behind it. */
static const struct oci_device_rule deny_all[] = {
	{ false, 'a', -1, -1, OCI_ACCESS_READ | OCI_ACCESS_WRITE | OCI_ACCESS_MKNOD },
};

static const struct oci_kv v2_settings[] = {
	{ "memory.oom.group", "1" },
};

enum {
	DEFAULT_PIDS = 512,
	CPU_PERIOD_US = 100000,
	OOM_SCORE_ADJ = 500,
};
#define DEFAULT_MEMORY_MIN (UINT64_C(512) << 20)
#define NANO               UINT64_C(1000000000)

static int64_t seconds(clockid_t clock)
{
	struct timespec t = { 0 };

	(void) clock_gettime(clock, &t);
	return t.tv_sec;
}

int profile_host_probe(const struct facts *facts, struct profile_host *ret, struct err *err)
{
	struct sysinfo info;
	cpu_set_t cpus;

	if (sysinfo(&info) < 0)
		return err_errno(err, -errno, "cannot read the size of the memory");
	if (sched_getaffinity(0, sizeof(cpus), &cpus) < 0)
		return err_errno(err, -errno, "cannot read the CPUs that may be used");
	*ret = (struct profile_host){
		.memory = (uint64_t) info.totalram * info.mem_unit,
		.cpus = (uint32_t) CPU_COUNT(&cpus),
		.boottime = seconds(CLOCK_BOOTTIME),
		.monotonic = seconds(CLOCK_MONOTONIC),
		.facts = facts,
	};
	return 0;
}

static void set_ids(struct oci_spec *spec, uint32_t host_id)
{
	struct oci_idmap *map = arena_new(&spec->arena, struct oci_idmap);

	*map = (struct oci_idmap){
		.container_id = 0, .host_id = host_id, .size = PROFILE_IDS_SIZE
	};
	spec->linux_.uid_mappings = spec->linux_.gid_mappings = map;
	spec->linux_.n_uid_mappings = spec->linux_.n_gid_mappings = 1;
}

/* The profile's wishes, cut to what this machine's root may give: nobody asked for them, so nobody
 * is warned. */
static void set_rlimits(struct oci_spec *spec, const struct facts *facts)
{
	struct oci_rlimit *own = arena_new_n(&spec->arena, struct oci_rlimit, ARRAY_SIZE(rlimits));

	for (size_t i = 0; i < ARRAY_SIZE(rlimits); i++) {
		uint64_t most = facts->can_raise_rlimits ? UINT64_MAX
		                                         : facts->rlimit_hard[rlimits[i].resource];

		own[i] = rlimits[i];
		own[i].soft = MIN(own[i].soft, most);
		own[i].hard = MIN(own[i].hard, most);
	}
	spec->process.rlimits = own;
	spec->process.n_rlimits = ARRAY_SIZE(rlimits);
}

static int set_caps(struct oci_spec *spec, struct err *err)
{
	uint64_t mask = 0;

	for (size_t i = 0; i < ARRAY_SIZE(capabilities); i++) {
		int cap = caps_number(capabilities[i]);

		if (cap < 0)
			return err_set(err, -EINVAL, "unknown capability '%s' in the profile",
			        capabilities[i]);
		mask |= UINT64_C(1) << cap;
	}
	spec->process.caps = (struct oci_caps){
		.has_caps = true, .bounding = mask, .effective = mask, .permitted = mask
	};
	return 0;
}

/* Memory: half of the machine, no swap. CPU: all but one. Tasks: 512. */
static int set_limits(struct oci_spec *spec, const struct profile_host *host,
        const struct profile_limits *limits, struct err *err)
{
	struct oci_resources *r = &spec->linux_.resources;
	uint64_t memory = limits->memory ? limits->memory
	                                 : MAX(DEFAULT_MEMORY_MIN, host->memory / 2);
	uint64_t nano = limits->nano_cpus ? limits->nano_cpus : NANO * MAX(1u, host->cpus - 1);

	if (memory < (UINT64_C(6) << 20) || memory > INT64_MAX)
		return err_set(err, -EINVAL,
		        "memory limit of %llu bytes is below 6m, the least that can run",
		        (unsigned long long) memory);
	if (nano > NANO * host->cpus)
		return err_set(err, -ERANGE, "%llu.%02llu CPUs were asked for, this machine has %u",
		        (unsigned long long) (nano / NANO),
		        (unsigned long long) (nano % NANO / 10000000), host->cpus);
	r->memory_limit = (struct oci_opt_i64){ true, (int64_t) memory };
	r->memory_swap = r->memory_limit; /* memory and swap together: no swap */
	r->cpu_shares = (struct oci_opt_u64){ true, 1024 };
	r->cpu_period = (struct oci_opt_u64){ true, CPU_PERIOD_US };
	r->cpu_quota = (struct oci_opt_i64){ true,
		MAX(1000, (int64_t) (nano / (NANO / CPU_PERIOD_US))) };
	r->pids_limit = (struct oci_opt_i64){ true, limits->pids ? limits->pids : DEFAULT_PIDS };
	/* A container that runs out of memory ends as a whole: one that goes on without its worker
	 * is worse. v1 has no such switch. memory.high is left alone: without swap it slows a
	 * container to a crawl before it ends it. */
	if (host->facts->cgroup && host->facts->cgroup->mode == CGROUP_V2) {
		r->unified = v2_settings;
		r->n_unified = ARRAY_SIZE(v2_settings);
	}
	r->devices = deny_all;
	r->n_devices = ARRAY_SIZE(deny_all);
	return 0;
}

static void set_ext(struct compile_ext *ext, const struct facts *facts)
{
	size_t n;

	ext->proc_allow = proc_allow;
	ext->landlock = true;
	ext->landlock_rules = landlock_rules;
	ext->n_landlock_rules = ARRAY_SIZE(landlock_rules);
	ext->early_sysctl = early_sysctls;
	/* Nobody asked for it, so nobody is warned where the kernel lacks it; 'info' and the table
	 * tell. */
	ext->n_early_sysctl = facts->has_memfd_noexec ? ARRAY_SIZE(early_sysctls) : 0;
	ext->late_sysctl = late_sysctls;
	ext->n_late_sysctl = ARRAY_SIZE(late_sysctls);
	ext->caps_empty_unless_root = true;
	ext->root_nodev = ext->root_nosuid = true;
	ext->seccomp_filter = seccomp_default_filter(&n);
	ext->seccomp_filter_size = n * sizeof(uint64_t); /* sizeof(struct sock_filter) */
}

int profile_apply(struct oci_spec *spec, struct compile_ext *ext, const struct profile_host *host,
        const struct profile_limits *limits, uint32_t host_id, struct err *err)
{
	struct oci_linux *l = &spec->linux_;
	int r;

	l->namespaces = namespaces;
	l->n_namespaces = ARRAY_SIZE(namespaces);
	l->monotonic = (struct oci_time_offset){ true, -host->monotonic, 0 };
	l->boottime = (struct oci_time_offset){ true, -host->boottime, 0 };
	l->sysctl = sysctls;
	l->n_sysctl = ARRAY_SIZE(sysctls);
	l->readonly_paths = readonly_paths;
	l->masked_paths = no_paths;
	spec->mounts = mounts;
	spec->n_mounts = ARRAY_SIZE(mounts);
	set_rlimits(spec, host->facts);
	spec->process.no_new_privileges = true;
	spec->process.has_umask = true;
	spec->process.umask = 022;
	spec->process.has_oom_score_adj = true;
	spec->process.oom_score_adj = OOM_SCORE_ADJ;
	set_ids(spec, host_id);
	set_ext(ext, host->facts);
	r = set_caps(spec, err);
	if (r < 0)
		return r;
	return set_limits(spec, host, limits, err);
}
