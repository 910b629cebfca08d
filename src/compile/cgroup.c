/* SPDX-License-Identifier: Apache-2.0 */
#include "compile/internal.h"

#include "cgroup/cgroup.h"

#include <sched.h>

int compile_cgroup(struct compile *c)
{
	if (!c->use_cgroup)
		return 0;
	const struct cgroup_facts *facts = c->facts->cgroup;
	_free_ char *path = NULL;
	int r = cgroup_path_for(c->id, c->spec->linux_.cgroups_path, facts, &path, c->err);
	if (r < 0)
		return r;
	const char *names[CGROUP_HIERARCHIES_MAX + 1] = { NULL };
	cgroup_hierarchy_names(facts, names);
	plan_write(c->w, &(struct plan_step){ .kind = PLAN_CGROUP,
	                         .cgroup = {
	                                 .mode = facts->mode,
	                                 .path = path,
	                                 .hierarchies = names,
	                                 .unified = facts->mode == CGROUP_HYBRID,
	                         } });
	return 0;
}

static int emit_limit(
        void *data, const char *hierarchy, const char *file, const char *value, bool optional)
{
	struct compile *c = data;
	plan_write(c->w, &(struct plan_step){ .kind = PLAN_CGROUP_SET,
	                         .cgroup_set = {
	                                 .hierarchy = hierarchy,
	                                 .file = file,
	                                 .value = value,
	                                 .optional = optional,
	                         } });
	return 0;
}

int compile_cgroup_set(struct compile *c)
{
	if (!c->use_cgroup)
		return 0;
	return cgroup_limits(&c->spec->linux_.resources, c->facts->cgroup, emit_limit, c,
	        c->notes ? &c->notes->lines : NULL, c->err);
}

static void write_device_rules(struct compile *c, const struct oci_device_rule *rules, size_t n)
{
	for (size_t i = 0; i < n; i++)
		plan_write(c->w, &(struct plan_step){ .kind = PLAN_CGROUP_DEVICE,
		                         .cgroup_device = {
		                                 .allow = rules[i].allow,
		                                 .type = (uint32_t) rules[i].type,
		                                 .major = rules[i].major,
		                                 .minor = rules[i].minor,
		                                 .access = rules[i].access,
		                         } });
}

/* A config without rules gets the default devices and nothing else, as in runc. Without privileges
 * on the host no device rule can be set, and none is needed: no device can be made there. */
int compile_cgroup_device(struct compile *c)
{
	if (!c->use_cgroup || !c->facts->privileged)
		return 0;
	write_device_rules(
	        c, c->spec->linux_.resources.devices, c->spec->linux_.resources.n_devices);
	write_device_rules(c, cgroup_default_devices, cgroup_default_devices_count);
	return 0;
}

static bool joins_v1(const struct compile *c)
{
	return c->use_cgroup &&
	       (c->facts->cgroup->mode == CGROUP_V1 || c->facts->cgroup->mode == CGROUP_HYBRID);
}

/* On v1 the cgroup namespace is made by the child after it has joined its groups: one made by the
 * clone would have the supervisor's groups as its root, and leak their path. */
int compile_cgroup_join(struct compile *c)
{
	if (joins_v1(c))
		plan_write(c->w,
		        &(struct plan_step){ .kind = PLAN_CGROUP_JOIN,
		                .cgroup_join = {
		                        .new_namespace = !!(c->new_namespaces & CLONE_NEWCGROUP),
		                } });
	return 0;
}

int compile_namespace(struct compile *c)
{
	const struct oci_linux *l = &c->spec->linux_;
	for (size_t i = 0; i < l->n_namespaces; i++) {
		const struct oci_namespace *ns = &l->namespaces[i];
		if (ns->clone_flag == CLONE_NEWCGROUP && !ns->path && joins_v1(c))
			continue;
		plan_write(c->w, &(struct plan_step){ .kind = PLAN_NAMESPACE,
		                         .ns = {
		                                 .flag = (uint32_t) ns->clone_flag,
		                                 .path = ns->path,
		                         } });
	}
	return 0;
}
