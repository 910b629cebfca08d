/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/profile.h"
#include "compile/compile.h"

#include "base/str.h"
#include "caps/caps.h"
#include "cgroup/cgroup.h"
#include "engine/cpulist.h"
#include "landlock/landlock.h"
#include "seccomp/seccomp.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
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
	        .options = OPTIONS("nosuid", "noexec", "strictatime", "mode=755", "size=1m") },
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
static const unsigned int capabilities[] = {
	CAP_CHOWN,
	CAP_DAC_OVERRIDE,
	CAP_FOWNER,
	CAP_FSETID,
	CAP_KILL,
	CAP_NET_BIND_SERVICE,
	CAP_SETGID,
	CAP_SETUID,
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
	CPU_SHARES = 1024,
	SHM_OPTIONS = 8, /* more than /dev/shm has in the table */
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

/* "6.18.44-cloud": its first two numbers. Anything else leaves them zero. */
static void read_release(const char *release, struct profile_host *host)
{
	size_t major = strspn(release, "0123456789");
	_free_ char *first = xstrndup(release, major);
	_free_ char *second = NULL;
	uint32_t a, b;

	if (release[major] != '.')
		return;
	second = xstrndup(release + major + 1, strspn(release + major + 1, "0123456789"));
	if (num_parse_u32(first, &a) < 0 || num_parse_u32(second, &b) < 0)
		return;
	host->kernel_major = a;
	host->kernel_minor = b;
}

int profile_host_probe(const struct facts *facts, struct profile_host *ret, struct err *err)
{
	struct sysinfo info;
	struct utsname u;
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
	cpulist_format(&cpus, ret->cpu_list, sizeof(ret->cpu_list));
	cpulist_nodes(ret->node_list, sizeof(ret->node_list));
	if (uname(&u) == 0)
		read_release(u.release, ret);
	return 0;
}

struct profile_grants profile_grants_default(void)
{
	struct profile_grants g = { .oom_score_adj = OOM_SCORE_ADJ };

	for (size_t i = 0; i < ARRAY_SIZE(capabilities); i++)
		g.caps |= CAPS_BIT(capabilities[i]);
	return g;
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

static const struct oci_rlimit *find_rlimit(const struct profile_grants *grants, int resource)
{
	for (size_t i = 0; i < grants->n_rlimits; i++)
		if (grants->rlimits[i].resource == resource)
			return &grants->rlimits[i];
	return NULL;
}

/* The profile's wishes, cut to what this machine's root may give: nobody asked for them, so nobody
 * is warned. What was asked for is cut by the compiler, with a warning. */
static void set_rlimits(
        struct oci_spec *spec, const struct profile_grants *grants, const struct facts *facts)
{
	size_t n = 0;
	struct oci_rlimit *own = arena_new_n(
	        &spec->arena, struct oci_rlimit, ARRAY_SIZE(rlimits) + grants->n_rlimits);

	for (size_t i = 0; i < ARRAY_SIZE(rlimits); i++) {
		uint64_t most = facts->can_raise_rlimits ? UINT64_MAX
		                                         : facts->rlimit_hard[rlimits[i].resource];

		if (find_rlimit(grants, rlimits[i].resource))
			continue;
		own[n] = rlimits[i];
		own[n].soft = MIN(own[n].soft, most);
		own[n].hard = MIN(own[n].hard, most);
		n++;
	}
	for (size_t i = 0; i < grants->n_rlimits; i++)
		own[n++] = grants->rlimits[i];
	spec->process.rlimits = own;
	spec->process.n_rlimits = n;
}

static bool same_sysctl(const char *a, const char *b)
{
	_free_ char *x = oci_sysctl_path(a), *y = oci_sysctl_path(b);

	return x && y && streq(x, y);
}

static void set_sysctls(struct oci_spec *spec, const struct profile_grants *grants)
{
	size_t n = 0;
	struct oci_kv *own = arena_new_n(
	        &spec->arena, struct oci_kv, ARRAY_SIZE(sysctls) + grants->n_sysctls);

	for (size_t i = 0; i < ARRAY_SIZE(sysctls); i++) {
		bool given = false;

		for (size_t k = 0; k < grants->n_sysctls; k++)
			given = given || same_sysctl(sysctls[i].key, grants->sysctls[k].key);
		if (!given)
			own[n++] = sysctls[i];
	}
	for (size_t i = 0; i < grants->n_sysctls; i++)
		own[n++] = grants->sysctls[i];
	spec->linux_.sysctl = own;
	spec->linux_.n_sysctl = n;
}

/* The size of /dev/shm is the only thing about the profile's mounts that can be asked for. */
static void set_mounts(struct oci_spec *spec, uint64_t shm_size)
{
	struct oci_mount *own = arena_new_n(&spec->arena, struct oci_mount, ARRAY_SIZE(mounts));
	const char **options = arena_new_n(&spec->arena, const char *, SHM_OPTIONS + 1);

	memcpy(own, mounts, sizeof(mounts));
	for (size_t i = 0; shm_size && i < ARRAY_SIZE(mounts); i++) {
		if (!streq(mounts[i].destination, "/dev/shm"))
			continue;
		for (size_t k = 0; k < SHM_OPTIONS && mounts[i].options[k]; k++)
			options[k] = str_has_prefix(mounts[i].options[k], "size=")
			                     ? arena_printf(&spec->arena, "size=%" PRIu64, shm_size)
			                     : mounts[i].options[k];
		own[i].options = options;
	}
	spec->mounts = own;
	spec->n_mounts = ARRAY_SIZE(mounts);
}

uint64_t profile_default_memory(const struct profile_host *host)
{
	return MAX(DEFAULT_MEMORY_MIN, host->memory / 2);
}

/* Memory: half of the machine, no swap. */
static int set_memory(struct oci_resources *r, const struct profile_host *host,
        const struct profile_limits *l, struct err *err)
{
	uint64_t memory = l->memory ? l->memory : profile_default_memory(host);

	if (memory < (UINT64_C(6) << 20) || memory > INT64_MAX)
		return err_set(err, -EINVAL, "Minimum memory limit allowed is 6MB");
	r->memory_limit = (struct oci_opt_i64){ true, (int64_t) memory };
	/* Memory and swap together: no swap. */
	r->memory_swap = l->memory_swap ? (struct oci_opt_i64){ true, l->memory_swap }
	                                : r->memory_limit;
	if (l->memory_reservation)
		r->memory_reservation = (struct oci_opt_i64){ true,
			(int64_t) l->memory_reservation };
	if (!host->facts->cgroup)
		return 0;
	/* A container that runs out of memory ends as a whole: one that goes on without its worker
	 * is worse. v1 has no such switch. memory.high is left alone: without swap it slows a
	 * container to a crawl before it ends it. */
	if (host->facts->cgroup->mode == CGROUP_V2) {
		r->unified = v2_settings;
		r->n_unified = ARRAY_SIZE(v2_settings);
	} else if (l->oom_kill_disable) {
		r->has_disable_oom_killer = r->disable_oom_killer = true;
	}
	return 0;
}

/* All CPUs but one. */
static int set_cpu(struct oci_resources *r, const struct profile_host *host,
        const struct profile_limits *l, struct err *err)
{
	uint64_t nano = l->nano_cpus ? l->nano_cpus : NANO * MAX(1u, host->cpus - 1);

	if (nano > NANO * host->cpus)
		return err_set(err, -ERANGE,
		        "Range of CPUs is from 0.01 to %u.00, as there are only %u CPUs available",
		        host->cpus, host->cpus);
	r->cpu_shares = (struct oci_opt_u64){ true, l->cpu_shares ? l->cpu_shares : CPU_SHARES };
	r->cpu_period = (struct oci_opt_u64){ true,
		l->cpu_period ? (uint64_t) l->cpu_period : CPU_PERIOD_US };
	if (l->cpu_quota)
		r->cpu_quota = (struct oci_opt_i64){ true, l->cpu_quota };
	else /* the same share of a CPU, in whatever period */
		r->cpu_quota = (struct oci_opt_i64){
			true,
			MAX(1000, (int64_t) ((unsigned __int128) nano * r->cpu_period.value / NANO))
		};
	if (!cpulist_has(host->cpu_list, l->cpuset_cpus))
		return err_set(err, -ERANGE,
		        "Requested CPUs are not available - requested %s, available: %s",
		        l->cpuset_cpus, host->cpu_list);
	if (!cpulist_has(host->node_list, l->cpuset_mems))
		return err_set(err, -ERANGE,
		        "Requested memory nodes are not available - requested %s, available: %s",
		        l->cpuset_mems, host->node_list);
	r->cpuset_cpus = l->cpuset_cpus;
	r->cpuset_mems = l->cpuset_mems;
	return 0;
}

static int set_limits(struct oci_spec *spec, const struct profile_host *host,
        const struct profile_limits *limits, struct err *err)
{
	struct oci_resources *r = &spec->linux_.resources;
	int k = set_memory(r, host, limits, err);

	if (k == 0)
		k = set_cpu(r, host, limits, err);
	r->pids_limit = (struct oci_opt_i64){ true, limits->pids ? limits->pids : DEFAULT_PIDS };
	r->devices = deny_all;
	r->n_devices = ARRAY_SIZE(deny_all);
	return k;
}

static void set_ext(
        struct compile_ext *ext, const struct profile_grants *grants, const struct facts *facts)
{
	size_t n;

	ext->proc_allow = grants->system_paths ? NULL : proc_allow;
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
	if (grants->seccomp_off || grants->seccomp)
		return;
	ext->seccomp_filter = seccomp_default_filter(&n);
	ext->seccomp_filter_size = n * sizeof(uint64_t); /* sizeof(struct sock_filter) */
}

int profile_apply(struct oci_spec *spec, struct compile_ext *ext, const struct profile_host *host,
        const struct profile_limits *limits, const struct profile_grants *grants, uint32_t host_id,
        struct err *err)
{
	struct oci_linux *l = &spec->linux_;

	l->namespaces = namespaces;
	l->n_namespaces = ARRAY_SIZE(namespaces);
	l->monotonic = (struct oci_time_offset){ true, -host->monotonic, 0 };
	l->boottime = (struct oci_time_offset){ true, -host->boottime, 0 };
	l->readonly_paths = grants->system_paths ? no_paths : readonly_paths;
	l->masked_paths = no_paths;
	l->seccomp = grants->seccomp;
	set_mounts(spec, limits->shm_size);
	set_sysctls(spec, grants);
	set_rlimits(spec, grants, host->facts);
	spec->process.no_new_privileges = true;
	spec->process.has_umask = true;
	spec->process.umask = 022;
	spec->process.has_oom_score_adj = true;
	spec->process.oom_score_adj = grants->oom_score_adj;
	spec->process.caps = (struct oci_caps){
		.has_caps = true,
		.bounding = grants->caps,
		.effective = grants->caps,
		.permitted = grants->caps,
	};
	set_ids(spec, host_id);
	set_ext(ext, grants, host->facts);
	return set_limits(spec, host, limits, err);
}
