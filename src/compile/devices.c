/* SPDX-License-Identifier: Apache-2.0 */
#include "compile/internal.h"

/* runtime-spec, "Default Devices" (console is a matter of terminals, ptmx a link). */
static const struct oci_device default_devices[] = {
	{ .type = 'c',
	        .path = "/dev/null",
	        .major = 1,
	        .minor = 3,
	        .has_mode = true,
	        .mode = 0666 },
	{ .type = 'c',
	        .path = "/dev/zero",
	        .major = 1,
	        .minor = 5,
	        .has_mode = true,
	        .mode = 0666 },
	{ .type = 'c',
	        .path = "/dev/full",
	        .major = 1,
	        .minor = 7,
	        .has_mode = true,
	        .mode = 0666 },
	{ .type = 'c',
	        .path = "/dev/random",
	        .major = 1,
	        .minor = 8,
	        .has_mode = true,
	        .mode = 0666 },
	{ .type = 'c',
	        .path = "/dev/urandom",
	        .major = 1,
	        .minor = 9,
	        .has_mode = true,
	        .mode = 0666 },
	{ .type = 'c', .path = "/dev/tty", .major = 5, .minor = 0, .has_mode = true, .mode = 0666 },
};

/* A user namespace may not make nodes (the kernel would make them and refuse to open them): the
 * host's are bound. A FIFO is no device. */
static void write_device(struct compile *c, const struct oci_device *d)
{
	bool bind = (c->user_namespace || !c->facts->privileged) && d->type != 'p';
	plan_write(c->w, &(struct plan_step){ .kind = PLAN_DEVICE,
	                         .device = {
	                                 .type = d->type == 'u' ? 'c' : (uint32_t) d->type,
	                                 .path = compile_clean(c, d->path),
	                                 .major = d->major,
	                                 .minor = d->minor,
	                                 .mode = d->has_mode ? d->mode : 0666,
	                                 .uid = d->uid,
	                                 .gid = d->gid,
	                                 .bind = bind,
	                         } });
}

static bool is_overridden(struct compile *c, const char *path)
{
	for (size_t i = 0; i < c->spec->linux_.n_devices; i++)
		if (streq(compile_clean(c, c->spec->linux_.devices[i].path), path))
			return true;
	return false;
}

int compile_device(struct compile *c)
{
	const struct oci_linux *l = &c->spec->linux_;
	if (!c->own_dev) {
		if (l->n_devices > 0)
			compile_note(c, "linux.devices left out: /dev is a bind mount of the host");
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(default_devices); i++)
		if (!is_overridden(c, default_devices[i].path))
			write_device(c, &default_devices[i]);
	for (size_t i = 0; i < l->n_devices; i++)
		write_device(c, &l->devices[i]);
	return 0;
}

int compile_dev_links(struct compile *c)
{
	if (!c->own_dev)
		return 0;
	bool ptmx = false;
	for (size_t i = 0; i < c->spec->n_mounts; i++)
		if (streq(compile_clean(c, c->spec->mounts[i].destination), "/dev/pts"))
			ptmx = true;
	plan_write(
	        c->w, &(struct plan_step){ .kind = PLAN_DEV_LINKS, .dev_links = { .ptmx = ptmx } });
	return 0;
}

/* The last mount on a path is the one that is seen. */
static const struct oci_mount *mount_on(struct compile *c, const char *path)
{
	const struct oci_mount *found = NULL;
	for (size_t i = 0; i < c->spec->n_mounts; i++)
		if (streq(compile_clean(c, c->spec->mounts[i].destination), path))
			found = &c->spec->mounts[i];
	return found;
}

static bool is_of_type(struct compile *c, const char *path, const char *type)
{
	const struct oci_mount *m = mount_on(c, path);
	struct compile_options o;
	return m && m->type && streq(m->type, type) && compile_options_read(c, m, &o) >= 0 &&
	       !o.bind;
}

/* The console is a file in /dev, which must not be the host's or the image's. */
int compile_terminal(struct compile *c)
{
	const struct oci_process *p = &c->spec->process;
	if (!p->terminal)
		return 0;
	if (!is_of_type(c, "/dev/pts", "devpts"))
		return err_set(c->err, -EINVAL,
		        "process.terminal needs a devpts of the container's own: add a mount of "
		        "type 'devpts' on '/dev/pts'");
	bool console = is_of_type(c, "/dev", "tmpfs");
	if (!console)
		compile_note(c, "/dev/console left out: /dev is not a tmpfs of the container");
	plan_write(c->w, &(struct plan_step){ .kind = PLAN_TERMINAL,
	                         .terminal = {
	                                 .rows = p->console_rows,
	                                 .cols = p->console_cols,
	                                 .console = console,
	                         } });
	return 0;
}
