/* SPDX-License-Identifier: Apache-2.0 */
#include "cgroup/cgroup.h"

#include "base/path.h"
#include "base/str.h"
#include "cgroup/internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

enum {
	SHARES_MIN = 2, /* kernel/sched: MIN_SHARES, MAX_SHARES */
	SHARES_MAX = 262144,
	WEIGHT_MAX = 10000,
	PERIOD_MIN = 1000, /* microseconds: kernel/sched min_cfs_quota_period, max_... */
	PERIOD_MAX = 1000000,
	PERIOD_DEFAULT = 100000,
	PIDS_LIMIT_MAX = 4 << 20, /* PID_MAX_LIMIT of 64-bit kernels: more is no limit */
	SWAPPINESS_MAX = 100,
	VALUE_MAX = 64,
	UNIFIED_MAX = 4096,
};

#define KEY "linux.resources."

struct out {
	const struct oci_resources *r;
	const struct cgroup_facts *facts;
	cgroup_emit emit;
	void *data;
	char ***notes;
	struct err *err;
};

/* One setting in both languages; a NULL file says that this version has no such thing. */
struct setting {
	const char *controller;
	const char *key; /* of the configuration, behind KEY */
	const char *v1_file, *v2_file;
};

static void add_note(char ***notes, const char *text)
{
	if (notes)
		strv_add(notes, text);
}

/* The hierarchy that has a controller, as cgroup_emit names it; NULL when there is none. */
static const char *locate(const struct cgroup_facts *f, const char *controller, bool *ret_v2)
{
	for (size_t i = 0; i < f->n_v1; i++) {
		if (cgroup_list_has(f->v1[i].controllers, ',', controller)) {
			*ret_v2 = false;
			return f->v1[i].name;
		}
	}
	*ret_v2 = true;
	return f->v2_controllers && cgroup_list_has(f->v2_controllers, ' ', controller) ? "" : NULL;
}

/* Emits one setting in the language of the place where its controller is. free: the value limits
 * nothing, so a machine without the controller or the file has it already. */
static int put(
        const struct out *o, const struct setting *s, const char *v1, const char *v2, bool free)
{
	bool is_v2;
	const char *hierarchy = locate(o->facts, s->controller, &is_v2);
	const char *file = is_v2 ? s->v2_file : s->v1_file;

	if (hierarchy && file)
		return o->emit(o->data, hierarchy, file, is_v2 ? v2 : v1, free);
	if (free)
		return 0;
	if (!hierarchy)
		return err_set(o->err, -EOPNOTSUPP,
		        KEY "%s cannot be applied: this machine offers no '%s' control group "
		            "controller; switch it on, or leave the limit out",
		        s->key, s->controller);
	return err_set(o->err, -EOPNOTSUPP,
	        KEY "%s cannot be applied: cgroup %s has no such setting; leave it out", s->key,
	        is_v2 ? "v2" : "v1");
}

static int put_i64(const struct out *o, const struct setting *s, int64_t value)
{
	_free_ char *text = xprintf("%" PRId64, value);

	return put(o, s, text, value == -1 ? "max" : text, value == -1);
}

static int put_u64(const struct out *o, const struct setting *s, uint64_t value, bool free)
{
	_free_ char *text = xprintf("%" PRIu64, value);

	return put(o, s, text, text, free);
}

static int out_of_range(const struct out *o, const char *key, const char *what)
{
	return err_set(o->err, -EINVAL, KEY "%s is out of range: it is %s", key, what);
}

/* --- memory --- */

/* memory.swap of the configuration is memory and swap together, as in v1. *ret: 0 not set, -1
 * unlimited, else that sum. */
static int swap_wanted(const struct out *o, int64_t *ret)
{
	int64_t limit = o->r->memory_limit.has ? o->r->memory_limit.value : 0;
	int64_t swap = o->r->memory_swap.has ? o->r->memory_swap.value : 0;

	if (swap < -1)
		return out_of_range(o, "memory.swap", "-1 (unlimited) or a number of bytes");
	if (limit == -1 && swap == 0)
		swap = -1;
	*ret = swap;
	if (swap <= 0)
		return 0;
	if (limit <= 0)
		return err_set(o->err, -EINVAL,
		        KEY "memory.swap needs memory.limit: it limits memory and swap together");
	if (swap < limit)
		return err_set(o->err, -EINVAL,
		        KEY "memory.swap (%" PRId64 ") is less than memory.limit (%" PRId64
		            "); it limits memory and swap together",
		        swap, limit);
	return 0;
}

static int put_swap(const struct out *o, int64_t swap)
{
	static const struct setting setting = { "memory", "memory.swap",
		"memory.memsw.limit_in_bytes", "memory.swap.max" };
	_free_ char *v1 = xprintf("%" PRId64, swap);
	_free_ char *v2 = NULL;

	if (swap == 0)
		return 0;
	if (!o->facts->swap_accounting) {
		if (swap == -1)
			return 0;
		if (swap != o->r->memory_limit.value)
			return err_set(o->err, -EOPNOTSUPP,
			        KEY "memory.swap cannot be applied: this kernel does not count "
			            "swap (boot with swapaccount=1), or leave it out");
		add_note(o->notes, KEY "memory.swap is ignored: this kernel does not count swap");
		return 0;
	}
	v2 = swap == -1 ? xstrdup("max") : xprintf("%" PRId64, swap - o->r->memory_limit.value);
	return put(o, &setting, v1, v2, swap == -1);
}

static int put_memory_limit(const struct out *o)
{
	static const struct setting setting = { "memory", "memory.limit", "memory.limit_in_bytes",
		"memory.max" };
	int64_t swap = 0, limit = o->r->memory_limit.has ? o->r->memory_limit.value : 0;
	int r;

	if (limit < -1)
		return out_of_range(o, "memory.limit", "-1 (unlimited) or a number of bytes");
	r = swap_wanted(o, &swap);
	/* v1 wants memory <= memory and swap at every moment: what grows first goes first. */
	if (r == 0 && limit == -1)
		r = put_swap(o, swap);
	if (r == 0 && limit != 0)
		r = put_i64(o, &setting, limit);
	if (r == 0 && limit != -1)
		r = put_swap(o, swap);
	return r;
}

static int put_memory(const struct out *o)
{
	static const struct setting reservation = { "memory", "memory.reservation",
		"memory.soft_limit_in_bytes", "memory.low" };
	static const struct setting swappiness = { "memory", "memory.swappiness",
		"memory.swappiness", NULL };
	static const struct setting oom = { "memory", "memory.disableOOMKiller",
		"memory.oom_control", NULL };
	const struct oci_resources *res = o->r;
	int r = put_memory_limit(o);

	if (r == 0 && res->memory_reservation.has && res->memory_reservation.value < -1)
		r = out_of_range(o, "memory.reservation", "-1 (unlimited) or a number of bytes");
	if (r == 0 && res->memory_reservation.has && res->memory_reservation.value != 0)
		r = put_i64(o, &reservation, res->memory_reservation.value);
	if (r == 0 && res->memory_swappiness.has && res->memory_swappiness.value > SWAPPINESS_MAX)
		r = out_of_range(o, "memory.swappiness", "0 to 100");
	if (r == 0 && res->memory_swappiness.has)
		r = put_u64(o, &swappiness, res->memory_swappiness.value, false);
	if (r == 0 && res->has_disable_oom_killer && res->disable_oom_killer)
		r = put(o, &oom, "1", "1", false);
	return r;
}

/* --- cpu --- */

/*
 * Both scales are logarithmic in effect, so a straight line gave small containers far too little;
 * the runtimes agreed on a quadratic curve through (2, 1), (1024, 100) and (262144, 10000):
 * weight = 10 ^ ((log2(shares)^2 + 125 log2(shares)) / 612 - 7/34), rounded up. The small
 * difference keeps the rounding of floating point from lifting the three exact points.
 */
uint64_t cgroup_weight_from_shares(uint64_t shares)
{
	double l;

	if (shares <= SHARES_MIN)
		return 1;
	if (shares >= SHARES_MAX)
		return WEIGHT_MAX;
	l = log2((double) shares);
	return (uint64_t) ceil(pow(10, (l * l + 125 * l) / 612 - 7.0 / 34) - 1e-6);
}

static int put_shares(const struct out *o)
{
	static const struct setting setting = { "cpu", "cpu.shares", "cpu.shares", "cpu.weight" };
	uint64_t wanted = o->r->cpu_shares.has ? o->r->cpu_shares.value : 0;
	uint64_t shares = MIN(MAX(wanted, (uint64_t) SHARES_MIN), (uint64_t) SHARES_MAX);
	_free_ char *v1 = xprintf("%" PRIu64, shares);
	_free_ char *v2 = xprintf("%" PRIu64, cgroup_weight_from_shares(shares));

	if (wanted == 0)
		return 0;
	if (shares != wanted) {
		_free_ char *note = xprintf(KEY "cpu.shares %" PRIu64
		                                " is outside the kernel's range, using %" PRIu64,
		        wanted, shares);

		add_note(o->notes, note);
	}
	return put(o, &setting, v1, v2, false);
}

/* Quota, period and burst. v1: the period first, since the quota is checked against it. */
static int put_bandwidth(const struct out *o)
{
	static const struct setting period_setting = { "cpu", "cpu.period", "cpu.cfs_period_us",
		NULL };
	static const struct setting quota_setting = { "cpu", "cpu.quota", "cpu.cfs_quota_us",
		"cpu.max" };
	static const struct setting period_only = { "cpu", "cpu.period", NULL, "cpu.max" };
	static const struct setting burst = { "cpu", "cpu.burst", "cpu.cfs_burst_us",
		"cpu.max.burst" };
	uint64_t period = o->r->cpu_period.has ? o->r->cpu_period.value : 0;
	int64_t quota = o->r->cpu_quota.has ? o->r->cpu_quota.value : 0;
	char v1[VALUE_MAX], v2[2 * VALUE_MAX];
	bool is_v2;
	int r = 0;

	if (period != 0 && (period < PERIOD_MIN || period > PERIOD_MAX))
		return out_of_range(o, "cpu.period", "1000 to 1000000 microseconds");
	if (quota > 0 && quota < PERIOD_MIN)
		return out_of_range(o, "cpu.quota", "at least 1000 microseconds, or -1");
	(void) snprintf(v1, sizeof(v1), "%" PRId64, quota < 0 ? -1 : quota);
	(void) snprintf(v2, sizeof(v2), "%s %" PRIu64, quota > 0 ? v1 : "max",
	        period ? period : PERIOD_DEFAULT);
	(void) locate(o->facts, "cpu", &is_v2);
	if (period != 0 && !is_v2)
		r = put_u64(o, &period_setting, period, false);
	else if (period != 0 && quota == 0)
		r = put(o, &period_only, "", v2, false);
	if (r == 0 && quota != 0)
		r = put(o, &quota_setting, v1, v2, quota < 0 && !(is_v2 && period));
	if (r == 0 && o->r->cpu_burst.has)
		r = put_u64(o, &burst, o->r->cpu_burst.value, o->r->cpu_burst.value == 0);
	return r;
}

static int put_cpu(const struct out *o)
{
	static const struct setting idle = { "cpu", "cpu.idle", "cpu.idle", "cpu.idle" };
	static const struct setting rt_period = { "cpu", "cpu.realtimePeriod", "cpu.rt_period_us",
		NULL };
	static const struct setting rt_runtime = { "cpu", "cpu.realtimeRuntime",
		"cpu.rt_runtime_us", NULL };
	const struct oci_resources *res = o->r;
	/* The weight of an idle group cannot be written: shares before idle. */
	int r = put_shares(o);

	if (r == 0)
		r = put_bandwidth(o);
	if (r == 0 && res->cpu_idle.has && res->cpu_idle.value != 0 && res->cpu_idle.value != 1)
		r = out_of_range(o, "cpu.idle", "0 or 1");
	if (r == 0 && res->cpu_idle.has)
		r = put_u64(o, &idle, (uint64_t) res->cpu_idle.value, res->cpu_idle.value == 0);
	if (r == 0 && res->cpu_rt_period.has && res->cpu_rt_period.value != 0)
		r = put_u64(o, &rt_period, res->cpu_rt_period.value, false);
	if (r == 0 && res->cpu_rt_runtime.has && res->cpu_rt_runtime.value != 0)
		r = put_i64(o, &rt_runtime, res->cpu_rt_runtime.value);
	return r;
}

/* --- cpuset, pids --- */

static int put_list(const struct out *o, const struct setting *s, const char *list)
{
	if (!list || !*list)
		return 0;
	if (list[strspn(list, "0123456789,-")]) {
		_free_ char *shown = str_escaped(list);

		return err_set(o->err, -EINVAL, KEY "%s '%s' is not a list such as '0-2,5'", s->key,
		        shown);
	}
	return put(o, s, list, list, false);
}

static int put_cpuset(const struct out *o)
{
	static const struct setting cpus = { "cpuset", "cpu.cpus", "cpuset.cpus", "cpuset.cpus" };
	static const struct setting mems = { "cpuset", "cpu.mems", "cpuset.mems", "cpuset.mems" };
	int r = put_list(o, &cpus, o->r->cpuset_cpus);

	return r < 0 ? r : put_list(o, &mems, o->r->cpuset_mems);
}

static int put_pids(const struct out *o)
{
	static const struct setting setting = { "pids", "pids.limit", "pids.max", "pids.max" };
	int64_t limit = o->r->pids_limit.has ? o->r->pids_limit.value : 0;
	_free_ char *text = NULL;

	if (!o->r->pids_limit.has)
		return 0;
	if (limit < -1)
		return out_of_range(o, "pids.limit", "-1 (unlimited) or a number of tasks");
	if (limit <= 0 || limit > PIDS_LIMIT_MAX)
		return put(o, &setting, "max", "max", true);
	text = xprintf("%" PRId64, limit);
	return put(o, &setting, text, text, false);
}

/* --- unified --- */

/* The only files of the core that are limits: the others move or kill processes. */
static const char *const core_limits[] = { "cgroup.max.depth", "cgroup.max.descendants",
	"cgroup.pressure" };

static int check_unified_key(const struct out *o, const char *key)
{
	_free_ char *shown = str_escaped(key);
	_free_ char *controller = xstrndup(key, strcspn(key, "."));
	bool is_v2;

	if (!path_is_name(key) || key[0] == '.' || !strchr(key, '.'))
		return err_set(o->err, -EINVAL,
		        KEY "unified: '%s' is not the name of a file such as 'memory.high'", shown);
	if (!o->facts->v2_controllers)
		return err_set(o->err, -EOPNOTSUPP,
		        KEY "unified: '%s' cannot be applied: this machine has no cgroup v2",
		        shown);
	if (streq(controller, "cgroup")) {
		for (size_t i = 0; i < ARRAY_SIZE(core_limits); i++)
			if (streq(key, core_limits[i]))
				return 0;
		return err_set(o->err, -EINVAL,
		        KEY "unified: '%s' is not a limit and is not written", shown);
	}
	if (!locate(o->facts, controller, &is_v2) || !is_v2)
		return err_set(o->err, -EOPNOTSUPP,
		        KEY "unified: '%s' cannot be applied: the cgroup v2 tree of this machine "
		            "has no '%s' controller",
		        shown, controller);
	return 0;
}

static int put_unified_lines(const struct out *o, const struct oci_kv *kv)
{
	_free_ char *copy = xstrdup(kv->value);
	char *rest = copy;

	if (strlen(kv->value) > UNIFIED_MAX)
		return err_set(o->err, -EINVAL, KEY "unified: a value is longer than %d bytes",
		        UNIFIED_MAX);
	/* Files with a line a device take one line a write. */
	for (char *line; (line = strsep(&rest, "\n"));) {
		int r = *line ? o->emit(o->data, "", kv->key, line, false) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

static int put_unified(const struct out *o)
{
	for (size_t i = 0; i < o->r->n_unified; i++) {
		int r = check_unified_key(o, o->r->unified[i].key);

		if (r == 0)
			r = put_unified_lines(o, &o->r->unified[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

int cgroup_limits(const struct oci_resources *resources, const struct cgroup_facts *facts,
        cgroup_emit emit, void *data, char ***notes, struct err *err)
{
	const struct out o = { resources, facts, emit, data, notes, err };
	int r = put_memory(&o);

	if (r == 0)
		r = put_cpu(&o);
	if (r == 0)
		r = put_cpuset(&o);
	if (r == 0)
		r = put_pids(&o);
	if (r == 0) /* last: it has the final word over the keys above */
		r = put_unified(&o);
	return r;
}

/* --- whether --- */

static int count_limit(
        void *data, const char *hierarchy, const char *file, const char *value, bool optional)
{
	(void) hierarchy;
	(void) file;
	(void) value;
	*(size_t *) data += optional ? 0 : 1;
	return 0;
}

int cgroup_usable(const struct cgroup_facts *facts, const struct oci_resources *resources,
        bool ignore_limits, char ***notes, struct err *err)
{
	/* Everything exists here, so that each limit that was asked for is counted. */
	const struct cgroup_facts all = { .mode = CGROUP_V2,
		.v2_controllers = "cpu cpuset io memory pids hugetlb rdma misc",
		.v1 = { { "memory", "memory", "/" }, { "cpu", "cpu", "/" } },
		.n_v1 = 2,
		.swap_accounting = true };
	struct oci_resources plain = *resources;
	char **ignored = NULL;
	_free_ char *note = NULL;
	size_t limits = 0;
	int r;

	if (!facts->cannot_create)
		return 1;
	plain.n_unified = 0;
	r = cgroup_limits(&plain, &all, count_limit, &limits, &ignored, err);
	strv_free(ignored);
	if (r < 0)
		return r;
	limits += resources->n_unified;
	if (limits > 0 && !ignore_limits)
		return err_set(err, -EPERM,
		        "cannot apply the resource limits that were asked for (%zu): %s; leave them "
		        "out, or run where control groups can be made",
		        limits, facts->cannot_create);
	note = xprintf("no control group is used%s: %s",
	        limits > 0 ? " and the limits are not applied" : "", facts->cannot_create);
	add_note(notes, note);
	return 0;
}
