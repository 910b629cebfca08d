/* SPDX-License-Identifier: Apache-2.0 */
/* The child's steps that build the file system; the work is done in src/mount. */
#include "sandbox/child.h"

#include <linux/mount.h>

int child_mount_namespace(struct child *c, const struct plan_step *s)
{
	bool rootless = plan_find(c->a->plan, PLAN_CONTAINER)->container.rootless;
	int r = mount_set_propagation(s->mount_namespace.propagation, &c->err);

	if (r == 0 && rootless) {
		r = apply_open_trees(c->a, &c->err);
		c->cover.null_tree = c->a->null_tree;
	}
	return r < 0 ? r : mount_attach_root(c->a->root, &c->err);
}

static int attach(struct child *c, const struct plan_step *s, const struct mount_spec *spec)
{
	struct apply *a = c->a;
	int tree = a->fds[s - a->plan->steps];

	switch ((enum plan_mount_kind) s->mount.kind) {
	case PLAN_MOUNT_FS:
		return mount_attach_fs(a->root, spec, &c->err);
	case PLAN_MOUNT_BIND:
		if (tree < 0)
			return -ENOENT; /* optional, and not there when it was opened */
		return mount_attach_bind(a->root, tree, spec, &c->err);
	case PLAN_MOUNT_CGROUP:
		return mount_attach_cgroup(a->root, spec, &a->cgroup_view, &c->err);
	case PLAN_MOUNT_FILE:
		return mount_attach_file(
		        a->root, s->mount.data[0] ? s->mount.data[0] : "", spec, &c->err);
	}
	return err_set(&c->err, -EINVAL, "the plan has an unknown kind of mount");
}

int child_mount(struct child *c, const struct plan_step *s)
{
	const struct plan_mount *m = &s->mount;
	const struct mount_spec spec = {
		.source = m->source,
		.target = m->target,
		.fstype = m->fstype,
		.data = m->data,
		.attr_set = m->attr_set,
		.attr_clear = m->attr_clear,
		.rec_attr_set = m->rec_attr_set,
		.rec_attr_clear = m->rec_attr_clear,
		.propagation = m->propagation,
		.propagation_recursive = m->propagation_recursive,
		.copy_up = m->copy_up,
	};
	int r = attach(c, s, &spec);

	return m->optional ? 0 : r;
}

int child_device(struct child *c, const struct plan_step *s)
{
	const struct plan_device *d = &s->device;
	const struct mount_device device = {
		.type = (char) d->type,
		.path = d->path,
		.major_no = (unsigned int) d->major,
		.minor_no = (unsigned int) d->minor,
		.mode = d->mode,
		.uid = d->uid,
		.gid = d->gid,
	};

	if (d->bind)
		return mount_bind_device(
		        c->a->root, &device, c->a->fds[s - c->a->plan->steps], &c->err);
	return mount_make_device(c->a->root, &device, &c->err);
}

int child_dev_links(struct child *c, const struct plan_step *s)
{
	return mount_dev_links(c->a->root, s->dev_links.ptmx, &c->err);
}

int child_readonly(struct child *c, const struct plan_step *s)
{
	return mount_read_only(c->a->root, s->path.path, &c->err);
}

int child_proc_allow(struct child *c, const struct plan_step *s)
{
	return mount_cover_proc(&c->cover, c->a->root, s->proc_allow.names, &c->err);
}

int child_mask(struct child *c, const struct plan_step *s)
{
	return mount_cover_path(&c->cover, c->a->root, s->path.path, &c->err);
}

int child_pivot(struct child *c, const struct plan_step *s)
{
	int r = s->pivot.no_pivot ? mount_hide_host(&c->err) : 0;

	return r < 0 ? r : mount_pivot(c->a->root, s->pivot.no_pivot, &c->err);
}

/* A working folder that is missing is made while the root can still be written. What goes wrong is
 * told by the step that enters it. */
static void make_cwd(struct child *c)
{
	const struct plan_step *cwd = plan_find(c->a->plan, PLAN_CWD);
	struct err ignored = { 0 };

	if (cwd && cwd->cwd.create && mount_enter_cwd(cwd->cwd.path, true, &ignored) == 0)
		(void) mount_enter_cwd("/", false, &ignored);
}

int child_root_attr(struct child *c, const struct plan_step *s)
{
	if (s->root_attr.attr_set & MOUNT_ATTR_RDONLY)
		make_cwd(c);
	return mount_set_root(s->root_attr.attr_set, s->root_attr.propagation, &c->err);
}
