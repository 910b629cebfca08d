/* SPDX-License-Identifier: Apache-2.0 */
/* Prints what would be done for a bundle. Needs no privileges and changes nothing. */
#include "cmd.h"
#include "compile/compile.h"

#include "base/str.h"
#include "cgroup/cgroup.h"

struct values {
	struct create_options create;
	bool verbose;
	const char *facts;
};

#define AT(member) offsetof(struct values, member)
static const struct opt options[] = {
	{ "bundle", 'b', OPT_TEXT, "DIR", "folder with config.json (default: the current one)",
	        AT(create.bundle), NULL },
	{ "config", 'f', OPT_TEXT, "FILE", "config instead of BUNDLE/config.json",
	        AT(create.config), NULL },
	{ "facts", 0, OPT_TEXT, "NAME",
	        "plan for root on another machine: v2, v1 or hybrid (default: this one)", AT(facts),
	        NULL },
	{ "no-pivot", 0, OPT_FLAG, NULL, "as for create", AT(create.no_pivot), NULL },
	{ "verbose", 0, OPT_FLAG, NULL, "print the instructions of the seccomp filter, too",
	        AT(verbose), NULL },
};

/* Machines to plan for: as Debian has them, root with all capabilities. */
static const struct machine {
	const char *name;
	struct cgroup_facts cgroup;
	int landlock_abi;
} machines[] = {
	{ .name = "v2",
	        .landlock_abi = 7,
	        .cgroup = { .mode = CGROUP_V2,
	                .v2_controllers = "cpuset cpu io memory hugetlb pids",
	                .v2_own = "/",
	                .swap_accounting = true } },
	{ .name = "v1",
	        .landlock_abi = 2,
	        .cgroup = { .mode = CGROUP_V1,
	                .swap_accounting = true,
	                .n_v1 = 6,
	                .v1 = { { "cpu,cpuacct", "cpu,cpuacct", "/" }, { "cpuset", "cpuset", "/" },
	                        { "devices", "devices", "/" }, { "freezer", "freezer", "/" },
	                        { "memory", "memory", "/" }, { "pids", "pids", "/" } } } },
	{ .name = "hybrid",
	        .landlock_abi = 7,
	        .cgroup = { .mode = CGROUP_HYBRID,
	                .swap_accounting = true,
	                .n_v1 = 6,
	                .v1 = { { "cpu,cpuacct", "cpu,cpuacct", "/" }, { "cpuset", "cpuset", "/" },
	                        { "devices", "devices", "/" }, { "freezer", "freezer", "/" },
	                        { "memory", "memory", "/" }, { "pids", "pids", "/" } },
	                .v2_controllers = "",
	                .v2_own = "/" } },
};

static int find_facts(const char *name, struct facts *ret, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++) {
		if (!streq(name, machines[i].name))
			continue;
		*ret = (struct facts){
			.cgroup = &machines[i].cgroup,
			.landlock_abi = machines[i].landlock_abi,
			.privileged = true,
			.can_raise_rlimits = true,
			.last_cap = 40,
			.caps = UINT64_MAX,
			.has_memfd_noexec = true,
			.has_time_namespace = true,
		};
		return 0;
	}
	return err_set(err, -EINVAL, "--facts is v2, v1 or hybrid");
}

static int compile(const struct global *g, const struct values *v, const char *id,
        struct plan_writer *w, struct compile_notes *notes, struct err *err)
{
	struct facts facts;
	struct runtime_create args;
	create_args(g, &v->create, id, &args);
	int r = v->facts ? find_facts(v->facts, &facts, err) : 0;
	return r < 0 ? r : runtime_plan(&args, v->facts ? &facts : NULL, w, notes, err);
}

static int run(void *global, void *values, int argc, char **argv)
{
	const struct global *g = global;
	const struct values *v = values;
	struct err err = { 0 };
	struct compile_notes notes = { 0 };
	_buf_done_ struct buf text = BUF_INIT((size_t) 4 * PLAN_SIZE_MAX);
	_cleanup_(plan_freep) struct plan *plan = NULL;
	_cleanup_(plan_writer_done) struct plan_writer w;
	plan_writer_init(&w);
	int r = compile(g, v, argc > 0 ? argv[0] : "plan", &w, &notes, &err);
	tell_notes(g, &notes);
	if (r >= 0)
		r = plan_decode(w.bytes.data, w.bytes.len, &plan, &err);
	if (r < 0)
		return fail(g, &err);
	plan_print(plan, v->verbose, &text);
	return print_text(g, &text);
}

const struct opt_command command_plan = {
	.name = "plan",
	.args = "[ID]",
	.help = "print what would be done for a bundle, and do nothing",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.max_args = 1,
	.values_size = sizeof(struct values),
	.run = run,
};
