/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_check(): what can be wrong with a configuration on any machine. Where docker has the same
 * check its words are used: people and scripts know them.
 */
#include "engine/request.h"

#include "base/path.h"
#include "base/str.h"
#include "engine/caps_opt.h"
#include "engine/check_parts.h"
#include "engine/cpulist.h"
#include "engine/security_opt.h"
#include "engine/texts.h"
#include "engine/ulimits.h"
#include "oci/seccomp_profile.h"
#include "proc/proc.h"
#include "seccomp/seccomp.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

enum { NAME_MAX_BYTES = 64, ARG_BYTES_MAX = 128 << 10 };

#define MEMORY_MIN (UINT64_C(6) << 20)
#define MS         INT64_C(1000000)

bool check_is_graphic(const char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text > '~')
			return false;
	return true;
}

int check_refuse(struct err *err, const char *fmt, ...)
{
	char text[ERR_TEXT_MAX];
	_buf_done_ struct buf shown = BUF_INIT((size_t) 4 * ERR_TEXT_MAX);
	va_list ap;

	va_start(ap, fmt);
	(void) vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void) str_escape(&shown, text, strlen(text), sizeof(text));
	return err_set(err, -EINVAL, "%s", buf_str(&shown));
}

/* --- what runs --- */

static int check_texts(const struct config *c, struct err *err)
{
	const char *const *lists[] = { c->entrypoint, c->cmd, c->env };

	for (size_t k = 0; k < ARRAY_SIZE(lists); k++)
		for (size_t i = 0; lists[k][i]; i++)
			if (strlen(lists[k][i]) >= ARG_BYTES_MAX)
				return err_set(err, -E2BIG,
				        "an argument or variable is longer than %d bytes, the kernel's maximum",
				        ARG_BYTES_MAX);
	for (size_t i = 0; c->env[i]; i++)
		if (*c->env[i] == '=' || !strchr(c->env[i], '='))
			return check_refuse(err, "invalid environment variable: %s", c->env[i]);
	for (size_t i = 0; i < c->n_labels; i++)
		if (!*c->labels[i].key)
			return check_refuse(
			        err, "invalid label '=%s': empty name", c->labels[i].value);
	if (!c->entrypoint[0] && !c->cmd[0])
		return err_set(err, -EINVAL, "no command specified");
	return 0;
}

/* It goes into /etc/hosts and into shells' prompts. */
static int check_names(const struct config *c, struct err *err)
{
	if (!*c->hostname || strlen(c->hostname) > NAME_MAX_BYTES || !check_is_graphic(c->hostname))
		return check_refuse(err,
		        "invalid hostname '%s': 1 to 64 letters, digits, dots and hyphens",
		        c->hostname);
	if (strlen(c->domainname) > NAME_MAX_BYTES || !check_is_graphic(c->domainname))
		return check_refuse(err,
		        "invalid domainname '%s': at most 64 letters, digits, dots and hyphens",
		        c->domainname);
	if (*c->workdir && *c->workdir != '/')
		return check_refuse(err,
		        "the working directory '%s' is invalid, it needs to be an absolute path",
		        c->workdir);
	if (*c->stop_signal && proc_signal_parse(c->stop_signal) < 0)
		return check_refuse(err, "invalid signal: %s", c->stop_signal);
	for (size_t i = 0; c->group_add[i]; i++)
		if (!*c->group_add[i] || !check_is_graphic(c->group_add[i]))
			return check_refuse(err, "unable to find group '%s'", c->group_add[i]);
	return 0;
}

static int check_health(const struct config *c, struct err *err)
{
	const struct config_health *h = &c->health;
	const struct {
		const char *name;
		int64_t value;
	} times[] = {
		{ "Interval", h->interval },
		{ "Timeout", h->timeout },
		{ "StartPeriod", h->start_period },
		{ "StartInterval", h->start_interval },
	};
	const char *kind = h->test && h->test[0] ? h->test[0] : "NONE";

	for (size_t i = 0; i < ARRAY_SIZE(times); i++)
		if (times[i].value != 0 && times[i].value < MS)
			return err_set(err, -EINVAL, "%s in Healthcheck cannot be less than 1ms",
			        times[i].name);
	if (h->retries < 0 || h->retries > INT32_MAX)
		return err_set(err, -EINVAL, "Retries in Healthcheck cannot be negative");
	if (!streq(kind, "NONE") && !streq(kind, "CMD") && !streq(kind, "CMD-SHELL"))
		return check_refuse(err, "Unknown type of probe '%s' in healthcheck", kind);
	if (!streq(kind, "NONE") && !h->test[1])
		return err_set(err, -EINVAL, "the health check of type %s has no command", kind);
	return 0;
}

/* --- limits --- */

static int check_memory(const struct config *c, struct err *err)
{
	const uint64_t most = INT64_MAX;

	if (c->memory > most || c->memory_reservation > most || c->shm_size > most ||
	        c->nano_cpus > most || c->cpu_shares > most)
		return err_set(err, -ERANGE, "a limit is too large");
	if (c->memory && c->memory < MEMORY_MIN)
		return err_set(err, -EINVAL, "Minimum memory limit allowed is 6MB");
	if (c->memory_swap < -1)
		return err_set(err, -EINVAL, "memory-swap is -1 (unlimited) or a size");
	if (c->memory && c->memory_swap > 0 && (uint64_t) c->memory_swap < c->memory)
		return err_set(err, -EINVAL,
		        "Minimum memoryswap limit should be larger than memory limit, see usage");
	if (!c->memory && c->memory_swap > 0)
		return err_set(err, -EINVAL,
		        "You should always set the Memory limit when using Memoryswap limit, see usage");
	if (c->memory_reservation && c->memory_reservation < MEMORY_MIN)
		return err_set(err, -EINVAL, "Minimum memory reservation allowed is 6MB");
	if (c->memory && c->memory_reservation > c->memory)
		return err_set(err, -EINVAL,
		        "Minimum memory limit can not be less than memory reservation limit, see usage");
	return 0;
}

static int check_cpu(const struct config *c, struct err *err)
{
	if (c->nano_cpus && c->cpu_period)
		return err_set(err, -EINVAL,
		        "Conflicting options: Nano CPUs and CPU Period cannot both be set");
	if (c->nano_cpus && c->cpu_quota)
		return err_set(err, -EINVAL,
		        "Conflicting options: Nano CPUs and CPU Quota cannot both be set");
	if (c->cpu_period != 0 && (c->cpu_period < 1000 || c->cpu_period > 1000000))
		return err_set(err, -EINVAL,
		        "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)");
	if (c->cpu_quota < -1 || (c->cpu_quota > 0 && c->cpu_quota < 1000))
		return err_set(err, -EINVAL, "CPU cfs quota can not be less than 1ms (i.e. 1000)");
	if (*c->cpuset_cpus && !cpulist_is_valid(c->cpuset_cpus))
		return check_refuse(err, "Invalid value %s for cpuset cpus", c->cpuset_cpus);
	if (*c->cpuset_mems && !cpulist_is_valid(c->cpuset_mems))
		return check_refuse(err, "Invalid value %s for cpuset mems", c->cpuset_mems);
	return 0;
}

static int check_others(const struct config *c, struct err *err)
{
	if (c->pids_limit < -1)
		return err_set(err, -EINVAL, "pids-limit is a number of tasks, or -1 for no limit");
	if (c->has_oom_score_adj && (c->oom_score_adj < -1000 || c->oom_score_adj > 1000))
		return err_set(err, -EINVAL,
		        "Invalid value %" PRId64 ", range for oom score adj is [-1000, 1000]",
		        c->oom_score_adj);
	for (size_t i = 0; i < c->n_ulimits; i++) {
		int r = ulimit_check(&c->ulimits[i], err);

		if (r < 0)
			return r;
	}
	return 0;
}

/* --- rights --- */

static int check_caps(const struct config *c, struct err *err)
{
	uint64_t set;

	return caps_opt_apply(0, c->cap_add, c->cap_drop, &set, err);
}

/* A profile is parsed and compiled: a start must not be the first to see that it is wrong. */
static int check_security(const struct config *c, struct err *err)
{
	const struct oci_seccomp_place newest = { UINT64_MAX, UINT32_MAX, 0 };
	_arena_done_ struct arena arena = { 0 };
	_buf_done_ struct buf filter = BUF_INIT(SECCOMP_FILTER_BYTES_MAX);
	struct seccomp_target target = seccomp_target_host();
	const struct oci_seccomp *profile;
	struct security_opt s;
	uint32_t flags;
	int r = security_opt_parse(c->security_opt, &s, err);

	if (r < 0 || !s.profile)
		return r;
	r = oci_seccomp_profile_parse(s.profile, strlen(s.profile), &newest, &arena, &profile, err);
	if (r == 0)
		r = seccomp_compile(profile, &target, &filter, &flags, NULL, err);
	return r;
}

/* --- life --- */

static int check_restart(const struct config *c, struct err *err)
{
	static const char *const policies[] = { "no", "on-failure", "always", "unless-stopped",
		NULL };

	if (!texts_have(policies, c->restart))
		return check_refuse(err,
		        "invalid restart policy: unknown policy '%s'; use one of 'no', 'always', "
		        "'on-failure', or 'unless-stopped'",
		        c->restart);
	if (c->restart_max && !streq(c->restart, "on-failure"))
		return err_set(err, -EINVAL,
		        "invalid restart policy: maximum retry count can only be used with 'on-failure'");
	if (c->auto_remove && !streq(c->restart, "no"))
		return err_set(err, -EINVAL,
		        "conflicting options: cannot specify both --restart and --rm");
	return 0;
}

static int check_place(const struct config *c, struct err *err)
{
	_free_ char *clean = path_clean(c->cgroup_parent);

	if (*c->cgroup_parent && (*c->cgroup_parent != '/' || !streq(clean, c->cgroup_parent) ||
	                                 streq(clean, "/") || !check_is_graphic(clean)))
		return check_refuse(err,
		        "the cgroup parent '%s' is not an absolute path of a group, such as /mine",
		        c->cgroup_parent);
	return 0;
}

int config_check(const struct config *config, struct err *err)
{
	static int (*const checks[])(const struct config *, struct err *) = {
		check_texts,
		check_names,
		check_health,
		check_memory,
		check_cpu,
		check_others,
		check_caps,
		check_security,
		check_sysctls,
		check_network,
		check_restart,
		check_place,
		check_mounts,
	};
	_free_ char *text = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		int r = checks[i](config, err);

		if (r < 0)
			return r;
	}
	return config_to_text(config, &text, err);
}
