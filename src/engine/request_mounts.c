/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/request_mounts.h"

#include "base/str.h"
#include "engine/check_parts.h"
#include "engine/texts.h"

#include <errno.h>
#include <inttypes.h>

struct mounts {
	const struct config *config;
	const struct request_place *place;
	struct oci_spec *spec;
	struct oci_mount *list;
	size_t n;
};

static struct oci_mount bind_mount(
        const char *source, const char *target, const char *const *options)
{
	return (struct oci_mount){
		.destination = target, .type = "bind", .source = source, .options = options
	};
}

/* nosuid and nodev hold on the mounts below as well, and so does read-only unless it was asked for
 * at the top alone. Ids on disk are those inside, unless the file system cannot do that. */
static struct oci_mount bind_of(struct mounts *b, const struct config_mount *m)
{
	bool below = !m->non_recursive;
	struct texts o;

	texts_init(&o, &b->spec->arena);
	texts_add(&o, below ? "rbind" : "bind");
	texts_add(&o, m->propagation && *m->propagation ? m->propagation : "rprivate");
	if (!m->suid)
		texts_add(&o, below ? "rnosuid" : "nosuid");
	if (!m->dev)
		texts_add(&o, below ? "rnodev" : "nodev");
	if (m->read_only)
		texts_add(&o, below && !m->read_only_shallow ? "rro" : "ro");
	if (!m->no_idmap)
		texts_add(&o, below ? "ridmap" : "idmap");
	return bind_mount(m->source, m->target, o.items);
}

static struct oci_mount volume_of(struct mounts *b, const struct config_mount *m)
{
	static const char *const writable[] = { "bind", "private", "nosuid", "nodev", "idmap",
		NULL };
	static const char *const read_only[] = { "bind", "private", "nosuid", "nodev", "idmap",
		"ro", NULL };

	return bind_mount(
	        arena_printf(&b->spec->arena, "%s/%s/_data", b->place->volumes_path, m->source),
	        m->target, m->read_only ? read_only : writable);
}

/* Half of the container's memory, as the kernel's own default is half of the machine's. */
static struct oci_mount tmpfs_of(struct mounts *b, const struct config_mount *m)
{
	uint64_t memory = b->config->memory ? b->config->memory
	                                    : profile_default_memory(b->place->host);
	struct arena *a = &b->spec->arena;
	struct texts o;

	texts_init(&o, a);
	if (!m->suid)
		texts_add(&o, "nosuid");
	if (!m->dev)
		texts_add(&o, "nodev");
	if (!m->exec)
		texts_add(&o, "noexec");
	if (m->read_only)
		texts_add(&o, "ro");
	texts_add(&o, arena_printf(a, "mode=%o", m->tmpfs_mode ? m->tmpfs_mode : 01777));
	texts_add(&o, arena_printf(a, "size=%" PRIu64, m->tmpfs_size ? m->tmpfs_size : memory / 2));
	return (struct oci_mount){
		.destination = m->target, .type = "tmpfs", .source = "tmpfs", .options = o.items
	};
}

static int depth(const char *path)
{
	int n = 0;

	for (; *path; path++)
		n += *path == '/';
	return n;
}

/* A mount point lies in what is mounted above it, so that comes first; qsort() may not keep the
 * order of equals, and need not. */
static int compare_depth(const void *a, const void *b)
{
	const struct oci_mount *x = a, *y = b;
	int by_depth = depth(x->destination) - depth(y->destination);

	return by_depth ? by_depth : strcmp(x->destination, y->destination);
}

static int add_configured(struct mounts *b, struct err *err)
{
	size_t first = b->n;

	for (size_t i = 0; i < b->config->n_mounts; i++) {
		const struct config_mount *m = &b->config->mounts[i];

		if (m->type == CONFIG_VOLUME && !*m->source)
			return err_set(err, -EINVAL,
			        "the anonymous volume on '%s' was not given a name", m->target);
		b->list[b->n++] = m->type == CONFIG_BIND     ? bind_of(b, m)
		                  : m->type == CONFIG_VOLUME ? volume_of(b, m)
		                                             : tmpfs_of(b, m);
	}
	qsort(b->list + first, b->n - first, sizeof(*b->list), compare_depth);
	return 0;
}

static bool is_mounted(const struct config *c, const char *target)
{
	for (size_t i = 0; i < c->n_mounts; i++)
		if (streq(c->mounts[i].target, target))
			return true;
	return false;
}

/* The profile's, but where the configuration has something else at the same place. */
static void add_profile(struct mounts *b, const struct oci_mount *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!is_mounted(b->config, list[i].destination))
			b->list[b->n++] = list[i];
}

static bool is_below(const char *path, const char *above)
{
	size_t len = strlen(above);

	return strncmp(path, above, len) == 0 && path[len] == '/';
}

/* A folder of the host on /etc has files of its own: no mount points are made in there. Volumes and
 * tmpfs are the container's. */
static bool is_covered(const struct config *c, const char *target)
{
	for (size_t i = 0; i < c->n_mounts; i++) {
		const struct config_mount *m = &c->mounts[i];

		if (streq(m->target, target) ||
		        (m->type == CONFIG_BIND && is_below(target, m->target)))
			return true;
	}
	return false;
}

/* They can be written, as in docker, unless the whole root cannot. */
static void add_etc_files(const struct mounts *b, struct compile_ext *ext)
{
	const struct compile_file all[] = {
		{ "/etc/hostname", b->place->hostname, b->config->read_only },
		{ "/etc/hosts", b->place->hosts, b->config->read_only },
		{ "/etc/resolv.conf", b->place->resolv_conf, b->config->read_only },
	};
	struct compile_file *files = arena_new_n(
	        &b->spec->arena, struct compile_file, ARRAY_SIZE(all));

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (all[i].content && !is_covered(b->config, all[i].target))
			files[ext->n_files++] = all[i];
	ext->files = files;
}

/* The host's own program: its ids are the host's, so inside nobody owns it, and it can be executed
 * by everybody. */
static int add_init(struct mounts *b, struct err *err)
{
	static const char *const options[] = { "bind", "private", "nosuid", "nodev", "ro", NULL };

	if (!b->config->init)
		return 0;
	if (!b->place->init_program)
		return err_set(err, -ENOENT,
		        "--init needs an init program and none was found: install catatonit");
	if (is_covered(b->config, REQUEST_INIT))
		return err_set(err, -EINVAL,
		        "--init needs '%s', and something else is mounted there", REQUEST_INIT);
	b->list[b->n++] = bind_mount(b->place->init_program, REQUEST_INIT, options);
	return 0;
}

int request_mounts(const struct config *config, const struct request_place *place,
        struct oci_spec *spec, struct compile_ext *ext, struct err *err)
{
	enum { OWN = 1 }; /* the init */
	struct mounts b = { .config = config, .place = place, .spec = spec };
	int r = check_mounts(config, err);

	if (r < 0)
		return r;
	b.list = arena_new_n(
	        &spec->arena, struct oci_mount, spec->n_mounts + config->n_mounts + OWN);
	add_profile(&b, spec->mounts, spec->n_mounts);
	r = add_configured(&b, err);
	if (r == 0)
		add_etc_files(&b, ext);
	if (r == 0)
		r = add_init(&b, err);
	spec->mounts = b.list;
	spec->n_mounts = b.n;
	return r;
}
