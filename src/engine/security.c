/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/security.h"
#include "engine/profile.h"

#include "engine/request.h"
#include "facts/facts.h"

#include "base/str.h"
#include "caps/caps.h"
#include "cgroup/cgroup.h"
#include "landlock/landlock.h"

#include <linux/filter.h>
#include <linux/mount.h>
#include <stdio.h>
#include <sys/utsname.h>

static void row(struct buf *out, const char *layer, const char *state, const char *detail)
{
	(void) buf_addf(out, "%-18s %-9s %s\n", layer, state, detail);
}

static size_t count(const struct plan *plan, enum plan_kind kind)
{
	size_t n = 0;

	for (const struct plan_step *s = NULL; (s = plan_next(plan, kind, s));)
		n++;
	return n;
}

static void add_ids(const struct plan *plan, struct buf *out)
{
	const struct plan_step *s = plan_find(plan, PLAN_IDMAP);
	_free_ char *text = NULL;

	if (!s) {
		row(out, "user ids", "SHARED",
		        "ids are the host's: root in the container is root on the host");
		return;
	}
	text = xprintf(
	        "%u ids of its own: 0-%u inside are %u-%u on the host, where they own nothing",
	        s->idmap.size, s->idmap.size - 1, s->idmap.host_id,
	        s->idmap.host_id + s->idmap.size - 1);
	row(out, "user ids", "own", text);
}

static void add_namespaces(const struct plan *plan, struct buf *out)
{
	const struct plan_step *join = plan_find(plan, PLAN_CGROUP_JOIN);
	_buf_done_ struct buf own = BUF_INIT(256), joined = BUF_INIT(256);

	for (const struct plan_step *s = NULL; (s = plan_next(plan, PLAN_NAMESPACE, s));) {
		struct buf *list = *s->ns.path ? &joined : &own;
		const char *name = oci_namespace_name((int) s->ns.flag);

		(void) buf_addf(list, "%s%s", list->len ? " " : "", name ? name : "?");
	}
	if (join && join->cgroup_join.new_namespace)
		(void) buf_adds(&own, " cgroup");
	row(out, "namespaces", "own", buf_str(&own));
	if (joined.len)
		row(out, "", "SHARED", buf_str(&joined));
}

static void add_caps(const struct plan *plan, struct buf *out)
{
	const struct plan_step *s = plan_find(plan, PLAN_CAPS);
	_buf_done_ struct buf text = BUF_INIT(2048);

	if (s)
		(void) caps_format_short(s->caps.bounding, &text);
	if (s && s->caps.empty_unless_root)
		(void) buf_adds(&text, " (none unless the user is root)");
	row(out, "capabilities",
	        !s                                                  ? "NOT SET"
	        : s->caps.bounding & ~profile_grants_default().caps ? "EXTENDED"
	                                                            : "reduced",
	        *buf_str(&text) ? buf_str(&text) : "none");
}

static void add_seccomp(const struct plan *plan, struct buf *out)
{
	const struct plan_step *s = plan_find(plan, PLAN_SECCOMP);
	_free_ char *text = NULL;

	if (!s)
		s = plan_find(plan, PLAN_SECCOMP_EARLY);
	if (!s) {
		row(out, "system calls", "OPEN", "every system call of the kernel can be reached");
		return;
	}
	text = xprintf(
	        "allow-list, native ABI only, arguments compared as the kernel sees them (%zu instructions)",
	        (size_t) s->seccomp.filter_size / sizeof(struct sock_filter));
	row(out, "system calls", "filtered", text);
}

static void add_landlock(const struct plan *plan, struct buf *out)
{
	const struct plan_step *s = plan_find(plan, PLAN_LANDLOCK);
	_free_ char *text = NULL;

	if (!s) {
		row(out, "Landlock", "OFF", "this kernel has none, or it was not asked for");
		return;
	}
	text = xprintf("ABI %u: no device nodes can be made%s, and no mount can be changed",
	        s->landlock.abi,
	        s->landlock.handled_fs & LL_FS_IOCTL_DEV ? ", ioctl on devices only below /dev"
	                                                 : "");
	row(out, "Landlock", "on", text);
}

static void add_files(const struct plan *plan, struct buf *out)
{
	const struct plan_step *root = plan_find(plan, PLAN_ROOT_OVERLAY);
	const struct plan_step *attr = plan_find(plan, PLAN_ROOT_ATTR);
	const struct plan_step *proc = plan_find(plan, PLAN_PROC_ALLOW);
	bool readonly = attr && attr->root_attr.attr_set & MOUNT_ATTR_RDONLY;
	_free_ char *text = NULL;

	row(out, "root file system", readonly ? "read-only" : "own",
	        root ? "overlay on idmapped image layers, nosuid, nodev; the layers cannot be written"
	             : "a folder of the host");
	if (proc) {
		text = xprintf(
		        "%zu entries beside its own processes, everything else covered; /proc/sys read-only",
		        strv_len((char *const *) (uintptr_t) proc->proc_allow.names));
		row(out, "/proc", "allowed", text);
	} else {
		row(out, "/proc", "OPEN",
		        "whatever the kernel tells about the host and its other tenants");
	}
	row(out, "/sys", "none", "not mounted");
	free(text);
	text = xprintf(
	        "%zu nodes: null, zero, full, random, urandom, tty", count(plan, PLAN_DEVICE));
	row(out, "devices", "exact", text);
}

/* The value of one limit file in any hierarchy, "" when it is not set. */
static const char *limit(const struct plan *plan, const char *v2, const char *v1)
{
	for (const struct plan_step *s = NULL; (s = plan_next(plan, PLAN_CGROUP_SET, s));)
		if (streq(s->cgroup_set.file, v2) || streq(s->cgroup_set.file, v1))
			return s->cgroup_set.value;
	return "";
}

/* v2 counts swap alone, v1 memory and swap together. */
static bool has_swap(const struct plan *plan, const char *memory)
{
	const char *swap = limit(plan, "memory.swap.max", "memory.swap.max");
	const char *sum = limit(plan, "memory.memsw.limit_in_bytes", "memory.memsw.limit_in_bytes");

	return *sum ? !streq(sum, memory) : *swap && !streq(swap, "0");
}

/* v2 has it behind the quota. */
static const char *period(const struct plan *plan, const char *cpu)
{
	const char *blank = strchr(cpu, ' ');
	const char *v1 = limit(plan, "cpu.cfs_period_us", "cpu.cfs_period_us");

	return blank ? blank + 1 : *v1 ? v1 : "100000";
}

static void add_limits(const struct plan *plan, const struct facts *facts, struct buf *out)
{
	const char *memory = limit(plan, "memory.max", "memory.limit_in_bytes");
	const char *pids = limit(plan, "pids.max", "pids.max");
	const char *cpu = limit(
	        plan, "cpu.max", "cpu.cfs_quota_us"); /* v2 has the period behind it */
	_free_ char *text = NULL;

	if (!plan_find(plan, PLAN_CGROUP)) {
		row(out, "limits", "NONE", "no control group");
		return;
	}
	text = xprintf("memory %s bytes %s, tasks %s, cpu %.*s of every %s us (cgroup %s)",
	        *memory ? memory : "unlimited",
	        has_swap(plan, memory) ? "and swap" : "without swap", *pids ? pids : "unlimited",
	        *cpu ? (int) strcspn(cpu, " ") : 9, *cpu ? cpu : "unlimited", period(plan, cpu),
	        facts->cgroup ? cgroup_mode_name(facts->cgroup->mode) : "none");
	row(out, "limits", "on", text);
}

/* Who the program runs as: a name is looked up inside the sandbox, so it is shown as it was given.
 */
static void add_user(const struct plan *plan, struct buf *out)
{
	const struct plan_step *user = plan_find(plan, PLAN_USER),
	                       *map = plan_find(plan, PLAN_IDMAP);
	_free_ char *shown = str_escaped(user ? user->user.lookup : "");
	_free_ char *text = NULL;

	if (*shown && !streq(shown, "0"))
		text = xprintf("'%s', looked up in the image inside the sandbox", shown);
	else if (map)
		text = xprintf("uid 0 inside, which is uid %u on the host", map->idmap.host_id);
	else
		text = xprintf("uid %u", user ? user->user.uid : 0);
	row(out, "user", "", text);
}

void security_table(const struct plan *plan, const struct facts *facts, struct buf *out)
{
	(void) buf_adds(out, "LAYER              STATE     WHAT IT DOES\n");
	add_ids(plan, out);
	add_user(plan, out);
	add_namespaces(plan, out);
	row(out, "network", "loopback",
	        "no other interface, no way to other containers or to the host");
	add_caps(plan, out);
	row(out, "no_new_privs", plan_find(plan, PLAN_NO_NEW_PRIVS) ? "on" : "OFF",
	        "setuid programs and file capabilities give nothing");
	add_seccomp(plan, out);
	add_landlock(plan, out);
	add_files(plan, out);
	add_limits(plan, facts, out);
	row(out, "nested namespaces", plan_find(plan, PLAN_LATE_SYSCTL) ? "none" : "ALLOWED",
	        "user, mount, network and other namespaces cannot be made inside");
	row(out, "memory files", facts->has_memfd_noexec ? "noexec" : "exec",
	        facts->has_memfd_noexec
	                ? "not executable unless a program asks for it"
	                : "can be executed: this kernel has no vm.memfd_noexec (Linux 6.3)");
	row(out, "kernel keyring", plan_find(plan, PLAN_KEYRING) ? "own" : "SHARED",
	        "a new, empty session keyring");
}

static void info_cgroup(const struct facts *facts, struct buf *out)
{
	enum cgroup_mode mode = facts->cgroup ? facts->cgroup->mode : CGROUP_NONE;
	static const char *const lost[] = {
		[CGROUP_NONE] = "LOST: no limits can be set",
		[CGROUP_V1] = "lost: pressure metrics, kill of a group in one step",
		[CGROUP_V2] = "all controllers in one tree",
		[CGROUP_HYBRID] =
		        "limits by v1; kill, freeze and pressure by v2; lost: memory.high",
	};

	row(out, "control groups", cgroup_mode_name(mode), lost[mode]);
}

static void info_landlock(const struct facts *facts, struct buf *out)
{
	static const char *const lost[] = {
		[0] = "LOST: the second wall around files",
		[1] = "lost: renames between folders, truncation, TCP ports, ioctl on devices, scopes",
		[2] = "lost: truncation, TCP ports, ioctl on devices, scopes",
		[3] = "lost: TCP ports, ioctl on devices, scopes",
		[4] = "lost: ioctl on devices, scopes",
		[5] = "lost: scopes of signals and abstract sockets",
		[6] = "everything that is used",
	};
	_free_ char *abi = facts->landlock_abi > 0 ? xprintf("ABI %d", facts->landlock_abi)
	                                           : xstrdup("none");

	row(out, "Landlock", abi, lost[MIN(MAX(facts->landlock_abi, 0), 6)]);
}

void security_info(const struct facts *facts, struct buf *out)
{
	struct utsname u;

	if (uname(&u) == 0) {
		_free_ char *text = xprintf("%s %s", u.sysname, u.machine);

		row(out, "kernel", u.release, text);
	}
	row(out, "privileges", facts->privileged ? "root" : "LIMITED",
	        facts->privileged ? "full set-up"
	                          : "not root of the host: 'run' needs root in this version");
	row(out, "raise limits", facts->can_raise_rlimits ? "yes" : "no",
	        facts->can_raise_rlimits
	                ? "CAP_SYS_RESOURCE is there"
	                : "CAP_SYS_RESOURCE is missing: limits above the host's are cut with a warning");
	info_cgroup(facts, out);
	info_landlock(facts, out);
	row(out, "time namespace", facts->has_time_namespace ? "yes" : "no",
	        facts->has_time_namespace ? "uptime starts at zero"
	                                  : "LOST: the host's uptime is seen");
	row(out, "memfd_noexec", facts->has_memfd_noexec ? "yes" : "no",
	        facts->has_memfd_noexec
	                ? "memory files are not executable unless asked for"
	                : "lost: memory files can be executed (Linux 6.3 has the switch)");
}
