/* SPDX-License-Identifier: Apache-2.0 */
#include "compile/internal.h"

#include <linux/mount.h>
#include <sched.h>
#include <sys/mount.h>

int compile_root(struct compile *c)
{
	if (c->ext->overlay)
		return 0;
	plan_write(c->w, &(struct plan_step){ .kind = PLAN_ROOT,
	                         .root = {
	                                 .path = compile_host_path(c, c->spec->root_path),
	                                 .attr_set = (c->ext->root_nodev ? MOUNT_ATTR_NODEV : 0) |
	                                             (c->ext->root_nosuid ? MOUNT_ATTR_NOSUID : 0),
	                         } });
	return 0;
}

int compile_root_overlay(struct compile *c)
{
	const struct compile_overlay *o = c->ext->overlay;
	if (!o)
		return 0;
	plan_write(c->w, &(struct plan_step){ .kind = PLAN_ROOT_OVERLAY,
	                         .root_overlay = {
	                                 .base = o->base,
	                                 .layers = o->layers,
	                                 .upper = o->upper,
	                                 .work = o->work,
	                                 .host_id = o->host_id,
	                                 .size = o->size,
	                                 .attr_set = (c->ext->root_nodev ? MOUNT_ATTR_NODEV : 0) |
	                                             (c->ext->root_nosuid ? MOUNT_ATTR_NOSUID : 0),
	                         } });
	return 0;
}

/* All mounts of the copied namespace are cut off from the host; what a mount of the config asks for
 * (rslave, rshared) is a property of its own clone, which was taken on the host. */
int compile_mount_namespace(struct compile *c)
{
	plan_write(c->w, &(struct plan_step){
	                         .kind = PLAN_MOUNT_NAMESPACE,
	                         .mount_namespace = { .propagation = MS_PRIVATE },
	                 });
	return 0;
}

/* sysfs shows a network namespace, and the kernel mounts it only for the owner of that: with a user
 * namespace and somebody else's network it can only be bound, read-only all the way down. */
static bool sysfs_must_be_bound(const struct compile *c)
{
	bool own = c->new_namespaces & CLONE_NEWNET;
	bool joined_both = (c->joined_namespaces & CLONE_NEWNET) &&
	                   (c->joined_namespaces & CLONE_NEWUSER);
	return c->user_namespace && !own && !joined_both;
}

static bool same_map(const struct oci_idmap *a, size_t n_a, const struct oci_idmap *b, size_t n_b)
{
	if (n_a != n_b)
		return false;
	for (size_t i = 0; i < n_a; i++)
		if (a[i].container_id != b[i].container_id || a[i].host_id != b[i].host_id ||
		        a[i].size != b[i].size)
			return false;
	return true;
}

static int check_idmap(struct compile *c, const struct oci_mount *m, struct compile_options *o)
{
	const struct oci_linux *l = &c->spec->linux_;
	const char *target = compile_shown(c, m->destination);
	if (m->n_uid_mappings > 0 || m->n_gid_mappings > 0) {
		if (!same_map(m->uid_mappings, m->n_uid_mappings, l->uid_mappings,
		            l->n_uid_mappings) ||
		        !same_map(m->gid_mappings, m->n_gid_mappings, l->gid_mappings,
		                l->n_gid_mappings))
			return err_set(c->err, -EOPNOTSUPP,
			        "mount on '%s': id mappings other than the container's own are "
			        "not supported by this version",
			        target);
		o->idmap = true;
	}
	if (o->idmap && (!o->bind || !(c->new_namespaces & CLONE_NEWUSER)))
		return err_set(c->err, -EINVAL,
		        "mount on '%s': an idmapped mount must be a bind mount in a container "
		        "with a new user namespace",
		        target);
	return 0;
}

static void write_bind(struct compile *c, const struct oci_mount *m,
        const struct compile_options *o, const char *source)
{
	const char *target = compile_clean(c, m->destination);
	for (size_t i = 0; i < o->n_data; i++)
		compile_note(c, "mount on '%s': option '%s' means nothing for a bind mount",
		        compile_shown(c, target), compile_shown(c, o->data[i]));
	plan_write(c->w,
	        &(struct plan_step){ .kind = PLAN_MOUNT,
	                .mount = {
	                        .kind = PLAN_MOUNT_BIND,
	                        .recursive = o->recursive,
	                        .source = source,
	                        .target = target,
	                        .attr_set = o->set,
	                        .attr_clear = o->clear,
	                        .rec_attr_set = o->rec_set,
	                        .rec_attr_clear = o->rec_clear,
	                        .propagation = o->propagation ? o->propagation : MS_PRIVATE,
	                        .propagation_recursive = o->propagation ? o->propagation_recursive
	                                                                : o->recursive,
	                        .idmap = o->idmap_recursive ? 2 : o->idmap,
	                } });
}

static int write_sysfs_bind(
        struct compile *c, const struct oci_mount *m, const struct compile_options *o)
{
	struct compile_options bind = *o;
	bind.bind = bind.recursive = true;
	bind.n_data = 0;
	bind.clear = 0;
	bind.rec_clear = 0;
	bind.rec_set |= MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
	                MOUNT_ATTR_NOEXEC;
	bind.propagation = MS_PRIVATE;
	bind.propagation_recursive = true;
	write_bind(c, m, &bind, "/sys");
	return 0;
}

/* In a read-only tmpfs no mount point, node or link could be made: it becomes read-only when all of
 * them are there. */
static bool is_read_only_late(const struct oci_mount *m, const struct compile_options *o)
{
	return m->type && streq(m->type, "tmpfs") && !o->bind &&
	       ((o->set | o->rec_set) & MOUNT_ATTR_RDONLY);
}

/* A new mount has no attribute to clear. */
static void write_fs(struct compile *c, const struct oci_mount *m, const struct compile_options *o,
        enum plan_mount_kind kind)
{
	uint64_t late = is_read_only_late(m, o) ? MOUNT_ATTR_RDONLY : 0;
	plan_write(c->w,
	        &(struct plan_step){ .kind = PLAN_MOUNT,
	                .mount = {
	                        .kind = kind,
	                        .source = m->source && m->source[0] != '\0' ? m->source : m->type,
	                        .target = compile_clean(c, m->destination),
	                        .fstype = m->type,
	                        .data = o->data,
	                        .attr_set = (o->set | o->rec_set) & ~late,
	                        .propagation = o->propagation ? o->propagation : MS_PRIVATE,
	                        .propagation_recursive = o->propagation_recursive,
	                        .copy_up = o->copy_up,
	                } });
}

static int write_one(struct compile *c, const struct oci_mount *m)
{
	const char *target = compile_shown(c, m->destination);
	struct compile_options o;
	int r = compile_options_read(c, m, &o);
	if (r >= 0)
		r = check_idmap(c, m, &o);
	if (r < 0)
		return r;
	if (streq(compile_clean(c, m->destination), "/"))
		return err_set(c->err, -EINVAL,
		        "mount on '%s': the root itself is set by root.path", target);
	if (o.bind) {
		if (!m->source || m->source[0] == '\0')
			return err_set(c->err, -EINVAL, "bind mount on '%s' has no source", target);
		write_bind(c, m, &o, compile_host_path(c, m->source));
		return 0;
	}
	if (!m->type || m->type[0] == '\0' || streq(m->type, "bind") || streq(m->type, "none"))
		return err_set(c->err, -EINVAL,
		        "mount on '%s' has neither a file system type nor the option 'bind' or "
		        "'rbind'",
		        target);
	if (streq(m->type, "sysfs") && sysfs_must_be_bound(c))
		return write_sysfs_bind(c, m, &o);
	if (streq(m->type, "cgroup") || streq(m->type, "cgroup2")) {
		if (c->use_cgroup)
			write_fs(c, m, &o, PLAN_MOUNT_CGROUP);
		else
			compile_note(c,
			        "mount on '%s' left out: the container has no control group "
			        "of its own",
			        target);
		return 0;
	}
	write_fs(c, m, &o, PLAN_MOUNT_FS);
	return 0;
}

static void write_file(struct compile *c, const struct compile_file *file)
{
	plan_write(c->w, &(struct plan_step){ .kind = PLAN_MOUNT,
	                         .mount = {
	                                 .kind = PLAN_MOUNT_FILE,
	                                 .target = compile_clean(c, file->target),
	                                 .data = compile_list1(c, file->content),
	                                 .attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
	                                             MOUNT_ATTR_NOEXEC |
	                                             (file->read_only ? MOUNT_ATTR_RDONLY : 0),
	                                 .propagation = MS_PRIVATE,
	                         } });
}

int compile_mount(struct compile *c)
{
	for (size_t i = 0; i < c->spec->n_mounts; i++) {
		int r = write_one(c, &c->spec->mounts[i]);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < c->ext->n_files; i++)
		write_file(c, &c->ext->files[i]);
	return 0;
}

static void write_paths(struct compile *c, enum plan_kind kind, const char *const *paths)
{
	for (size_t i = 0; paths && paths[i]; i++)
		plan_write(c->w, &(struct plan_step){ .kind = kind,
		                         .path = { .path = compile_clean(c, paths[i]) } });
}

int compile_mask(struct compile *c)
{
	write_paths(c, PLAN_MASK, c->spec->linux_.masked_paths);
	return 0;
}

int compile_readonly(struct compile *c)
{
	for (size_t i = 0; i < c->spec->n_mounts; i++) {
		const struct oci_mount *m = &c->spec->mounts[i];
		struct compile_options o = { 0 };
		int r;

		if (!m->type || !streq(m->type, "tmpfs"))
			continue;
		r = compile_options_read(c, m, &o);
		if (r < 0)
			return r;
		if (is_read_only_late(m, &o))
			write_paths(
			        c, PLAN_READONLY, (const char *const[]){ m->destination, NULL });
	}
	write_paths(c, PLAN_READONLY, c->spec->linux_.readonly_paths);
	return 0;
}

int compile_proc_allow(struct compile *c)
{
	if (c->ext->proc_allow)
		plan_write(c->w, &(struct plan_step){ .kind = PLAN_PROC_ALLOW,
		                         .proc_allow = { .names = c->ext->proc_allow } });
	return 0;
}

int compile_pivot(struct compile *c)
{
	plan_write(c->w, &(struct plan_step){
	                         .kind = PLAN_PIVOT, .pivot = { .no_pivot = c->ext->no_pivot } });
	return 0;
}

static const struct {
	const char *name;
	uint64_t flag;
} propagations[] = {
	{ "private", MS_PRIVATE },
	{ "rprivate", MS_PRIVATE },
	{ "rshared", MS_SHARED },
	{ "rslave", MS_SLAVE },
	{ "runbindable", MS_UNBINDABLE },
	{ "shared", MS_SHARED },
	{ "slave", MS_SLAVE },
	{ "unbindable", MS_UNBINDABLE },
};

int compile_root_attr(struct compile *c)
{
	const char *text = c->spec->linux_.rootfs_propagation;
	uint64_t propagation = 0;
	for (size_t i = 0; text && i < ARRAY_SIZE(propagations); i++)
		if (streq(text, propagations[i].name))
			propagation = propagations[i].flag;
	if (text && text[0] != '\0' && propagation == 0)
		return err_set(c->err, -EINVAL,
		        "linux.rootfsPropagation '%s' is none of private, slave, shared and "
		        "unbindable",
		        compile_shown(c, text));
	uint64_t attr = c->spec->root_readonly ? MOUNT_ATTR_RDONLY : 0;
	if (attr != 0 || propagation != 0)
		plan_write(c->w, &(struct plan_step){ .kind = PLAN_ROOT_ATTR,
		                         .root_attr = {
		                                 .attr_set = attr,
		                                 .propagation = propagation,
		                         } });
	return 0;
}
