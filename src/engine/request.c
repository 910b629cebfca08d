/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/request.h"

#include "base/str.h"
#include "caps/caps.h"
#include "engine/caps_opt.h"
#include "engine/check_parts.h"
#include "engine/request_mounts.h"
#include "engine/security_opt.h"
#include "engine/texts.h"
#include "engine/ulimits.h"
#include "oci/seccomp_profile.h"
#include "store/store.h"

#include <errno.h>

static struct profile_limits limits_of(const struct config *c)
{
	return (struct profile_limits){
		.memory = c->memory,
		.memory_reservation = c->memory_reservation,
		.memory_swap = c->memory_swap,
		.nano_cpus = c->nano_cpus,
		.cpu_shares = c->cpu_shares,
		.cpu_quota = c->cpu_quota,
		.cpu_period = c->cpu_period,
		.cpuset_cpus = c->cpuset_cpus,
		.cpuset_mems = c->cpuset_mems,
		.pids = c->pids_limit,
		.shm_size = c->shm_size,
		.oom_kill_disable = c->oom_kill_disable,
	};
}

static int set_ulimits(
        const struct config *c, struct oci_spec *spec, struct profile_grants *g, struct err *err)
{
	struct oci_rlimit *list = arena_new_n(&spec->arena, struct oci_rlimit, c->n_ulimits + 1);

	for (size_t i = 0; i < c->n_ulimits; i++) {
		const struct config_ulimit *u = &c->ulimits[i];
		int r = ulimit_check(u, err);

		if (r < 0)
			return r;
		list[i].resource = ulimit_resource(u->name, &list[i].name);
		list[i].soft = u->soft == -1 ? UINT64_MAX : (uint64_t) u->soft;
		list[i].hard = u->hard == -1 ? UINT64_MAX : (uint64_t) u->hard;
	}
	g->rlimits = list;
	g->n_rlimits = c->n_ulimits;
	return 0;
}

static int set_security(const struct config *c, const struct profile_host *host,
        struct oci_spec *spec, struct profile_grants *g, struct err *err)
{
	const struct oci_seccomp_place place = { g->caps, host->kernel_major, host->kernel_minor };
	struct security_opt s;
	int r = security_opt_parse(c->security_opt, &s, err);

	if (r < 0)
		return r;
	g->seccomp_off = s.seccomp_off;
	g->system_paths = s.system_paths;
	if (!s.profile)
		return 0;
	return oci_seccomp_profile_parse(
	        s.profile, strlen(s.profile), &place, &spec->arena, &g->seccomp, err);
}

static int grants_of(const struct config *c, const struct profile_host *host, struct oci_spec *spec,
        struct profile_grants *ret, struct err *err)
{
	struct profile_grants g = profile_grants_default();
	int r = caps_opt_apply(g.caps, c->cap_add, c->cap_drop, &g.caps, err);

	if (r == 0)
		r = set_security(c, host, spec, &g, err);
	if (r == 0)
		r = set_ulimits(c, spec, &g, err);
	if (r == 0)
		r = check_sysctls(c, err);
	if (r < 0)
		return r;
	g.sysctls = c->sysctls;
	g.n_sysctls = c->n_sysctls;
	if (c->has_oom_score_adj)
		g.oom_score_adj = c->oom_score_adj;
	*ret = g;
	return 0;
}

static void set_root(
        const struct request_place *place, struct oci_spec *spec, struct compile_ext *ext)
{
	struct compile_overlay *o = arena_new(&spec->arena, struct compile_overlay);

	*o = (struct compile_overlay){
		.base = place->fs_path,
		.layers = (const char *const *) place->stored->layers,
		.upper = place->upper,
		.work = place->work,
		.host_id = place->host_id,
		.size = PROFILE_IDS_SIZE,
	};
	ext->overlay = o;
	spec->root_path = "/";
}

static int set_process(const struct config *c, struct oci_spec *spec, struct err *err)
{
	struct texts args;

	texts_init(&args, &spec->arena);
	if (c->init) {
		texts_add(&args, REQUEST_INIT);
		texts_add(&args, "--");
	}
	texts_add_all(&args, c->entrypoint);
	texts_add_all(&args, c->cmd);
	if (!c->entrypoint[0] && !c->cmd[0])
		return err_set(err, -EINVAL, "no command specified");
	spec->has_process = true;
	spec->process.terminal = c->tty;
	spec->process.args = args.items;
	spec->process.env = c->env;
	spec->process.cwd = *c->workdir ? c->workdir : "/";
	spec->hostname = c->hostname;
	spec->domainname = *c->domainname ? c->domainname : NULL;
	return 0;
}

int request_build(const struct config *config, const struct request_place *place,
        struct oci_spec *spec, struct compile_ext *ext, struct err *err)
{
	const struct profile_limits limits = limits_of(config);
	struct profile_grants grants;
	int r = grants_of(config, place->host, spec, &grants, err);

	if (r == 0)
		r = profile_apply(spec, ext, place->host, &limits, &grants, place->host_id, err);
	if (r == 0)
		r = set_process(config, spec, err);
	if (r == 0)
		r = request_mounts(config, place, spec, ext, err);
	if (r < 0)
		return r;
	spec->version = "1.3.0";
	spec->root_readonly = config->read_only;
	spec->linux_.cgroups_path = place->cgroup;
	ext->user = *config->user ? config->user : "0";
	ext->groups = config->group_add;
	ext->create_cwd = true;
	set_root(place, spec, ext);
	return 0;
}
