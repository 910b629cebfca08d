/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_grants(): what a container may beyond the default profile, in sentences. Derived from the
 * configuration alone, so that 'create' can say it before anything runs. What is wrong in the
 * configuration is config_check()'s matter and no grant.
 */
#include "engine/request.h"

#include "base/str.h"
#include "caps/caps.h"
#include "cgroup/cgroup.h"
#include "engine/caps_opt.h"
#include "engine/security_opt.h"
#include "engine/ulimits.h"

#include <inttypes.h>
#include <linux/capability.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/resource.h>

struct grants {
	char **list;
	size_t n;
};

static void grant(struct grants *g, const char *fmt, ...) _printf_(2, 3);

static void grant(struct grants *g, const char *fmt, ...)
{
	_buf_done_ struct buf shown = BUF_INIT((size_t) 4 * ERR_TEXT_MAX);
	char text[ERR_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void) vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void) str_escape(&shown, text, strlen(text), sizeof(text));
	strv_add(&g->list, buf_str(&shown));
	g->n++;
}

/* By number. They act on what belongs to the container's own namespaces; the kernel code that they
 * open is the host's, and that is the risk. */
static const char *const cap_words[CAPS_COUNT] = {
	[CAP_DAC_READ_SEARCH] = "reads every file of its root file system and of what is mounted",
	[CAP_LINUX_IMMUTABLE] = "asks for immutable files (no effect in a user namespace)",
	[CAP_NET_BROADCAST] = "has no effect on today's kernels",
	[CAP_NET_ADMIN] =
	        "changes addresses, routes and packet filters of its own network; netfilter is a large part of the kernel",
	[CAP_NET_RAW] = "makes raw and packet sockets in its own network",
	[CAP_IPC_LOCK] = "locks memory within its limit",
	[CAP_IPC_OWNER] = "uses every System V IPC object of its own",
	[CAP_SYS_MODULE] = "asks for kernel modules (the system call filter refuses)",
	[CAP_SYS_RAWIO] = "asks for raw I/O (no effect in a user namespace)",
	[CAP_SYS_CHROOT] = "calls chroot",
	[CAP_SYS_PTRACE] = "looks into and changes every process of the container",
	[CAP_SYS_PACCT] = "asks for process accounting (no effect in a user namespace)",
	[CAP_SYS_ADMIN] =
	        "the key to most of the kernel's code that containers should not reach; mounting stays refused by the filter and Landlock",
	[CAP_SYS_BOOT] = "ends its own pid namespace by reboot",
	[CAP_SYS_NICE] = "raises priorities and binds processes to CPUs",
	[CAP_SYS_RESOURCE] = "goes beyond quotas and limits of its own namespaces",
	[CAP_SYS_TIME] = "asks to set the clock (no effect in a user namespace)",
	[CAP_SYS_TTY_CONFIG] = "asks to set up terminals (no effect in a user namespace)",
	[CAP_MKNOD] = "makes device nodes, which cannot be opened in a user namespace",
	[CAP_LEASE] = "takes leases on files of others",
	[CAP_AUDIT_WRITE] = "asks to write to the audit log (no effect in a user namespace)",
	[CAP_AUDIT_CONTROL] = "asks to control auditing (no effect in a user namespace)",
	[CAP_SETFCAP] = "sets capabilities on files, for itself",
	[CAP_MAC_OVERRIDE] = "asks to override security modules (no effect in a user namespace)",
	[CAP_MAC_ADMIN] = "asks to set up security modules (no effect in a user namespace)",
	[CAP_SYSLOG] = "asks for the kernel's log (no effect in a user namespace)",
	[CAP_WAKE_ALARM] = "asks to wake the machine (no effect in a user namespace)",
	[CAP_BLOCK_SUSPEND] = "asks to keep the machine awake (no effect in a user namespace)",
	[CAP_AUDIT_READ] = "asks to read the audit log (no effect in a user namespace)",
	[CAP_PERFMON] = "asks for performance monitoring (no effect in a user namespace)",
	[CAP_BPF] = "asks for BPF (no effect in a user namespace)",
	[CAP_CHECKPOINT_RESTORE] = "chooses process ids of its own namespaces",
	[CAP_SETPCAP] = "changes sets of capabilities within what it has",
};

static void grant_caps(const struct config *c, struct grants *g)
{
	uint64_t defaults = profile_grants_default().caps, set;

	if (caps_opt_apply(defaults, c->cap_add, c->cap_drop, &set, NULL) < 0)
		return;
	for (int cap = 0; cap < CAPS_COUNT; cap++)
		if (set & ~defaults & CAPS_BIT(cap))
			grant(g, "--cap-add %s: %s", caps_name(cap) + strlen("CAP_"),
			        cap_words[cap] ? cap_words[cap]
			                       : "one more capability in its own namespaces");
}

static void grant_security(const struct config *c, struct grants *g)
{
	struct security_opt s;

	if (security_opt_parse(c->security_opt, &s, NULL) < 0)
		return;
	if (s.seccomp_off)
		grant(g,
		        "--security-opt seccomp=unconfined: every system call of the kernel can be "
		        "reached, by every ABI");
	if (s.profile)
		grant(g, "--security-opt seccomp=PROFILE: system calls are those of the given "
		         "profile, not of the default allow-list");
	if (s.system_paths)
		grant(g,
		        "--security-opt systempaths=unconfined: all of /proc can be read, it tells "
		        "about the host and its other tenants; sysctls of its own namespaces can be "
		        "written, limits on nested namespaces among them");
}

static void grant_limits(const struct config *c, struct grants *g)
{
	if (c->memory_swap == -1 ||
	        (c->memory && c->memory_swap > 0 && (uint64_t) c->memory_swap > c->memory))
		grant(g, "--memory-swap: memory of the container, keys among it, can be written to "
		         "the host's swap");
	if (c->pids_limit == -1)
		grant(g, "--pids-limit -1: it can use up the process ids of the host");
	if (c->cpu_quota == -1)
		grant(g, "--cpu-quota -1: it can use all CPUs of the host");
	if (c->has_oom_score_adj && c->oom_score_adj < 0)
		grant(g,
		        "--oom-score-adj %" PRId64
		        ": when memory is short the kernel ends other processes of the host first",
		        c->oom_score_adj);
	if (c->oom_kill_disable)
		grant(g,
		        "--oom-kill-disable: processes that run out of memory hang instead of being "
		        "ended (cgroup v1)");
	for (size_t i = 0; i < c->n_ulimits; i++)
		if (ulimit_resource(c->ulimits[i].name, NULL) == RLIMIT_CORE &&
		        (c->ulimits[i].hard == -1 || c->ulimits[i].hard > 1))
			grant(g, "--ulimit core: a crash can start the host's core dump program "
			         "(kernel.core_pattern) with the container's memory");
}

/* Places of the host that are more than data. Below them, and above them, counts too. */
static const struct {
	const char *path, *what;
} sensitive[] = {
	{ "/boot", "the host's kernel" },
	{ "/dev", "the host's devices" },
	{ "/etc", "the host's settings and passwords" },
	{ "/lib", "the host's libraries" },
	{ "/lib/modules", "the host's kernel modules" },
	{ "/proc", "the host's processes" },
	{ "/root", "root's files and keys" },
	{ "/run", "sockets of the host's services" },
	{ "/sys", "the host's kernel and devices" },
	{ "/usr", "the host's programs" },
	{ "/var/lib/bulkhead", "images, volumes and other containers" },
	{ "/var/lib/containerd", "other containers" },
	{ "/var/lib/docker", "other containers" },
	{ "/var/run", "sockets of the host's services" },
};

static bool is_below(const char *path, const char *above)
{
	size_t len = streq(above, "/") ? 0 : strlen(above);

	return strncmp(path, above, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

static void add_sensitive(const char *source, struct buf *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(sensitive); i++)
		if ((is_below(source, sensitive[i].path) || is_below(sensitive[i].path, source)) &&
		        !strstr(buf_str(out), sensitive[i].what))
			(void) buf_addf(
			        out, "%s%s", out->len ? ", " : ": these are ", sensitive[i].what);
}

static void grant_bind(const struct config_mount *m, struct grants *g)
{
	_buf_done_ struct buf what = BUF_INIT(1024);

	add_sensitive(m->source, &what);
	grant(g, "bind of '%.200s' on '%.200s': %s the host's files there%s%s", m->source,
	        m->target, m->read_only ? "reads" : "reads and changes",
	        m->no_idmap ? ", as a foreign user" : ", as their owner", buf_str(&what));
}

static void grant_mounts(const struct config *c, struct grants *g)
{
	for (size_t i = 0; i < c->n_mounts; i++) {
		const struct config_mount *m = &c->mounts[i];

		if (m->type == CONFIG_BIND)
			grant_bind(m, g);
		if (m->dev)
			grant(g,
			        "mount on '%.200s' with dev: device nodes in it are devices, as far "
			        "as the list of devices allows",
			        m->target);
		if (m->suid)
			grant(g,
			        "mount on '%.200s' with suid: set-id programs in it are not ignored by "
			        "the mount (no_new_privs still ignores them)",
			        m->target);
	}
}

size_t config_grants(const struct config *config, char ***ret)
{
	struct grants g = { 0 };

	grant_caps(config, &g);
	grant_security(config, &g);
	grant_limits(config, &g);
	grant_mounts(config, &g);
	if (ret)
		*ret = TAKE_PTR(g.list);
	strv_free(g.list);
	return g.n;
}

void config_warnings(const struct config *config, const struct facts *facts, char ***ret)
{
	bool v2 = !facts->cgroup || facts->cgroup->mode == CGROUP_V2;

	if (config->oom_kill_disable && v2)
		strv_add(ret,
		        "Your kernel does not support OomKillDisable. OomKillDisable discarded.");
	if (config->memory_swap > 0 && facts->cgroup && !facts->cgroup->swap_accounting)
		strv_add(ret,
		        "Your kernel does not support swap limit capabilities or the cgroup is "
		        "not mounted. Memory limited without swap.");
	if (config->dns[0])
		strv_add(ret, "--dns has no effect: the container has no way to a name server.");
}
