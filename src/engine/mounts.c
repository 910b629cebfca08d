/* SPDX-License-Identifier: Apache-2.0 */
/* The list of mounts: bringing the sources together, order, and the host's side of binds. */
#include "engine/mounts.h"

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "engine/flag.h"
#include "engine/mounts_option.h"
#include "kernel/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { SOURCE_MODE = 0755 };

struct item {
	struct config_mount mount;
	bool weak; /* -v /x: gives way to anything else at the place */
};

struct list {
	struct item *items;
	size_t n;
};

static void list_done(struct list *l)
{
	free(l->items);
}

static struct item *list_find(const struct list *l, const char *target)
{
	for (size_t i = 0; i < l->n; i++)
		if (streq(l->items[i].mount.target, target))
			return &l->items[i];
	return NULL;
}

static int list_append(struct list *l, const struct config_mount *m, bool weak, struct err *err)
{
	if (l->n == CONFIG_LIST_MAX)
		return err_set(err, -E2BIG, "a container has at most %d mounts", CONFIG_LIST_MAX);
	if (l->n % 64 == 0)
		l->items = xrealloc_n(l->items, l->n + 64, sizeof(*l->items));
	l->items[l->n++] = (struct item){ .mount = *m, .weak = weak };
	return 0;
}

/* What an option asks for. */
static int list_add(struct list *l, const struct config_mount *m, bool weak, struct err *err)
{
	struct item *there = list_find(l, m->target);
	_free_ char *shown = NULL;

	if (!there)
		return list_append(l, m, weak, err);
	if (weak)
		return 0;
	if (there->weak) {
		*there = (struct item){ .mount = *m };
		return 0;
	}
	shown = str_escaped(m->target);
	return err_set(err, -EINVAL, "Duplicate mount point: %s", shown);
}

/* --- options ---------------------------------------------------------------------------------- */

static int add_volumes(
        struct config *c, const struct mounts_options *o, struct list *l, struct err *err)
{
	for (char *const *text = o->volumes; text && *text; text++) {
		struct config_mount m;
		int r = mounts_parse_volume(&c->arena, *text, o->cwd, &m, err);

		if (r == 0)
			r = list_add(l, &m, m.anonymous, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int add_mounts(
        struct config *c, const struct mounts_options *o, struct list *l, struct err *err)
{
	for (char *const *text = o->mounts; text && *text; text++) {
		struct config_mount m;
		int r = mounts_parse_mount(&c->arena, *text, o->cwd, &m, err);

		if (r == 0)
			r = list_add(l, &m, false, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int add_tmpfs(
        struct config *c, const struct mounts_options *o, struct list *l, struct err *err)
{
	for (char *const *text = o->tmpfs; text && *text; text++) {
		struct config_mount m;
		int r = mounts_parse_tmpfs(&c->arena, *text, &m, err);

		if (r == 0)
			r = list_add(l, &m, false, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* --- other containers ------------------------------------------------------------------------- */

/* The mount as this container has it: the same volume, which was filled already. */
static struct config_mount taken_over(
        struct arena *a, const struct config_mount *from, bool read_only)
{
	struct config_mount m = *from;

	m.source = arena_strdup(a, from->source);
	m.target = arena_strdup(a, from->target);
	m.propagation = arena_strdup(a, from->propagation ? from->propagation : "");
	m.read_only = from->read_only || read_only;
	m.no_copy = true;
	m.volume_labels = NULL;
	return m;
}

static int add_from(
        struct config *c, const struct mounts_from *from, struct list *l, struct err *err)
{
	for (size_t i = 0; i < from->config->n_mounts; i++) {
		const struct config_mount *theirs = &from->config->mounts[i];
		struct item *there = list_find(l, theirs->target);
		struct config_mount m;
		int r = 0;

		if (theirs->type == CONFIG_TMPFS || (there && !there->weak))
			continue;
		m = taken_over(&c->arena, theirs, from->read_only);
		if (there)
			*there = (struct item){ .mount = m };
		else
			r = list_append(l, &m, false, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* --- the whole -------------------------------------------------------------------------------- */

static size_t depth(const char *target)
{
	size_t n = 0;

	for (; *target; target++)
		n += *target == '/';
	return n;
}

/* By insertion: the list is short and mostly in order. */
void mounts_sort(struct config_mount *mounts, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct config_mount m = mounts[i];
		size_t at = i, own = depth(m.target);

		for (; at > 0 && depth(mounts[at - 1].target) > own; at--)
			mounts[at] = mounts[at - 1];
		mounts[at] = m;
	}
}

static void store_list(struct config *c, const struct list *l)
{
	struct config_mount *mounts = arena_new_n(&c->arena, struct config_mount, l->n + 1);

	for (size_t i = 0; i < l->n; i++)
		mounts[i] = l->items[i].mount;
	mounts_sort(mounts, l->n);
	c->mounts = mounts;
	c->n_mounts = l->n;
}

int mounts_resolve(struct config *config, const struct mounts_options *o, struct err *err)
{
	_cleanup_(list_done) struct list l = { 0 };
	int r = add_volumes(config, o, &l, err);

	if (r == 0)
		r = add_tmpfs(config, o, &l, err);
	if (r == 0)
		r = add_mounts(config, o, &l, err);
	for (size_t i = o->n_from; r == 0 && i > 0; i--)
		r = add_from(config, &o->from[i - 1], &l, err);
	if (r == 0)
		store_list(config, &l);
	return r;
}

/* --- sources ---------------------------------------------------------------------------------- */

static int make_source(const struct config_mount *m)
{
	_close_ int root = sys_openat2(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0, 0);

	return root < 0 ? TAKE_FD(root) : path_make_dirs_in(root, m->source, SOURCE_MODE);
}

static int check_source(const struct config_mount *m, bool make, struct err *err)
{
	_close_ int fd = sys_openat2(AT_FDCWD, m->source, O_PATH, 0, 0);
	_free_ char *shown = str_escaped(m->source);

	if (fd >= 0)
		return 0;
	if (fd == -ENOENT && m->create_source) {
		if (!make)
			return 0;
		fd = make_source(m);
		return fd < 0 ? err_errno(err, fd, "error while creating mount source path '%s'",
		                        shown)
		              : 0;
	}
	if (fd == -ENOENT)
		return err_set(err, fd,
		        "invalid mount config for type \"bind\": bind source path does not exist: "
		        "%s",
		        shown);
	return err_errno(err, fd, "cannot open the source '%s' of a bind mount", shown);
}

int mounts_check_sources(const struct config *config, bool make, struct err *err)
{
	for (size_t i = 0; i < config->n_mounts; i++) {
		const struct config_mount *m = &config->mounts[i];
		int r = m->type == CONFIG_BIND ? check_source(m, make, err) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}
