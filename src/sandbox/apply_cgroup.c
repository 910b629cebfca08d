/* SPDX-License-Identifier: Apache-2.0 */
/* The container's control groups: made before the child, removed when it could not be made. */
#include "base/fd.h"
#include "sandbox/apply.h"

#include <sched.h>
#include <stdio.h>

static struct cgroup_group group_of(const struct plan_step *s)
{
	return (struct cgroup_group){
		.mode = (enum cgroup_mode) s->cgroup.mode,
		.path = s->cgroup.path,
		.hierarchies = s->cgroup.hierarchies,
		.unified = s->cgroup.unified,
	};
}

static int write_limits(struct apply *a, struct err *err)
{
	const struct plan_step *s = NULL;

	while ((s = plan_next(a->plan, PLAN_CGROUP_SET, s))) {
		const struct plan_cgroup_set *set = &s->cgroup_set;
		int r = cgroup_set(
		        &a->cgroup, set->hierarchy, set->file, set->value, set->optional, err);

		if (r < 0)
			return r;
	}
	return 0;
}

static int write_device_rules(struct apply *a, struct err *err)
{
	_free_ struct oci_device_rule *rules = NULL;
	const struct plan_step *s = NULL;
	size_t n = 0;

	while ((s = plan_next(a->plan, PLAN_CGROUP_DEVICE, s))) {
		rules = xrealloc_n(rules, n + 1, sizeof(*rules));
		rules[n++] = (struct oci_device_rule){
			.allow = s->cgroup_device.allow,
			.type = (char) s->cgroup_device.type,
			.major = s->cgroup_device.major,
			.minor = s->cgroup_device.minor,
			.access = (uint8_t) s->cgroup_device.access,
		};
	}
	return n ? cgroup_devices(&a->cgroup, rules, n, err) : 0;
}

int apply_cgroup(struct apply *a, struct err *err)
{
	const struct plan_step *s = plan_find(a->plan, PLAN_CGROUP);
	struct cgroup_group group;
	int r;

	if (!s)
		return 0;
	group = group_of(s);
	r = cgroup_create(&group, &a->cgroup, err);
	if (r < 0)
		return r;
	a->cgroup_made = true;
	r = write_limits(a, err);
	if (r == 0)
		r = write_device_rules(a, err);
	return r;
}

/* One that is missing somewhere would leave the process without that hierarchy's limits. */
int apply_cgroup_open(struct apply *a, struct err *err)
{
	const struct plan_step *s = plan_find(a->plan, PLAN_CGROUP);
	struct cgroup_group group;
	size_t n = 0;
	int r;

	if (!s)
		return 0;
	group = group_of(s);
	while (group.hierarchies[n])
		n++;
	r = cgroup_open(&group, true, &a->cgroup, err);
	if (r < 0 && r != -ENOENT)
		return r;
	if (r == -ENOENT || a->cgroup.n_tasks != n ||
	        (a->cgroup.v2_fd < 0 && (group.mode == CGROUP_V2 || group.unified)))
		return err_set(
		        err, -ESRCH, "the container is not running: its control group is gone");
	/* Whoever joins a frozen group stops there. */
	if (cgroup_is_frozen(&a->cgroup) > 0)
		return err_set(err, -EBUSY, "the container is paused: resume it first");
	return 0;
}

void apply_cgroup_undo(struct apply *a)
{
	struct cgroup_group group;

	if (!a->cgroup_made)
		return;
	group = group_of(plan_find(a->plan, PLAN_CGROUP));
	(void) cgroup_remove(&group, true, a->cgroup.n_existed, NULL);
	a->cgroup_made = false;
}

/* Detached binds of the container's own groups, for a container that shares the cgroup namespace.
 * 'names' ends with NULL; the v2 tree of a hybrid machine comes last. */
static int open_group_trees(struct apply *a, const struct plan_cgroup *c, struct err *err)
{
	size_t n = 0;

	while (c->hierarchies[n])
		n++;
	a->cgroup_trees = xnew_n(int, n + 1);
	for (size_t i = 0; i <= n; i++) {
		const char *name = i < n ? c->hierarchies[i] : "unified";
		_free_ char *path = NULL;
		int r;

		if (c->mode == CGROUP_V2)
			name = "";
		else if (i == n && !c->unified)
			break;
		path = xprintf("/sys/fs/cgroup/%s%s", name, c->path);
		r = mount_open_bind(path, false, &a->cgroup_trees[i], err);
		if (r < 0)
			return r;
		a->n_cgroup_trees = i + 1;
	}
	a->cgroup_view.trees = a->cgroup_trees;
	return 0;
}

static bool has_cgroup_mount(const struct plan *plan)
{
	const struct plan_step *s = NULL;

	while ((s = plan_next(plan, PLAN_MOUNT, s)))
		if (s->mount.kind == PLAN_MOUNT_CGROUP)
			return true;
	return false;
}

/* What a cgroup mount shows. Without groups of its own (cgroups switched off) the container sees
 * what its cgroup namespace shows of the machine. */
int apply_cgroup_view(struct apply *a, struct err *err)
{
	const struct plan_step *s = plan_find(a->plan, PLAN_CGROUP);
	bool own_namespace = a->new_namespaces & CLONE_NEWCGROUP;
	int r;

	if (!has_cgroup_mount(a->plan))
		return 0;
	if (s) {
		a->cgroup_view = (struct mount_cgroup_view){
			.v2 = s->cgroup.mode == CGROUP_V2,
			.hierarchies = s->cgroup.hierarchies,
			.unified = s->cgroup.unified,
		};
		return own_namespace ? 0 : open_group_trees(a, &s->cgroup, err);
	}
	if (!own_namespace)
		return err_set(
		        err, -EINVAL, "a cgroup mount needs a control group or a cgroup namespace");
	r = cgroup_facts_probe(&a->cgroup_facts, err);
	if (r < 0)
		return r;
	cgroup_hierarchy_names(&a->cgroup_facts, a->cgroup_names);
	a->cgroup_view = (struct mount_cgroup_view){
		.v2 = a->cgroup_facts.mode == CGROUP_V2,
		.hierarchies = a->cgroup_names,
		.unified = a->cgroup_facts.mode == CGROUP_HYBRID,
	};
	return 0;
}

int sandbox_cleanup(const struct plan *plan, struct err *err)
{
	const struct plan_step *s = plan_find(plan, PLAN_CGROUP);
	struct cgroup_group group;

	if (!s)
		return 0;
	group = group_of(s);
	return cgroup_remove(&group, true, SIZE_MAX, err);
}

int sandbox_oom_kills(const struct plan *plan, uint64_t *ret)
{
	_cleanup_(cgroup_handle_done) struct cgroup_handle handle = CGROUP_HANDLE_INIT;
	const struct plan_step *s = plan_find(plan, PLAN_CGROUP);
	struct cgroup_group group;
	int r;

	if (!s)
		return -ENOENT;
	group = group_of(s);
	r = cgroup_open(&group, false, &handle, NULL);
	return r < 0 ? r : cgroup_oom_kills(&handle, ret);
}
