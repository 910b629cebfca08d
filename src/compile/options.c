/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options of an OCI mount (runtime-spec, "Linux mount options") and what each becomes in the
 * attributes of the new mount API.
 */
#include "compile/internal.h"

#include <linux/mount.h>
#include <sys/mount.h>

#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000
#endif

enum effect {
	SET,     /* attribute on */
	CLEAR,   /* attribute off */
	ATIME,   /* one of the values of the atime field */
	REC_SET, /* the same, on the mounts below too */
	REC_CLEAR,
	REC_ATIME,
	PROPAGATE,
	REC_PROPAGATE,
	BIND,
	REC_BIND,
	COPY_UP,
	IDMAP,
	REC_IDMAP,
	SUPER,   /* belongs to the file system: passed on; means nothing for a bind */
	NOTHING, /* the default, or meaningless on Linux today */
	REFUSED,
};

static const struct option {
	const char *name;
	enum effect effect;
	uint64_t value;
} options[] = {
	{ "async", NOTHING, 0 },
	{ "atime", ATIME, MOUNT_ATTR_RELATIME },
	{ "bind", BIND, 0 },
	{ "copy-symlink", REFUSED, 0 },
	{ "defaults", NOTHING, 0 },
	{ "dest-nofollow", REFUSED, 0 },
	{ "dev", CLEAR, MOUNT_ATTR_NODEV },
	{ "diratime", CLEAR, MOUNT_ATTR_NODIRATIME },
	{ "dirsync", SUPER, 0 },
	{ "exec", CLEAR, MOUNT_ATTR_NOEXEC },
	{ "idmap", IDMAP, 0 },
	{ "iversion", NOTHING, 0 },
	{ "lazytime", SUPER, 0 },
	{ "loud", NOTHING, 0 },
	{ "mand", NOTHING, 0 },
	{ "noatime", ATIME, MOUNT_ATTR_NOATIME },
	{ "nodev", SET, MOUNT_ATTR_NODEV },
	{ "nodiratime", SET, MOUNT_ATTR_NODIRATIME },
	{ "noexec", SET, MOUNT_ATTR_NOEXEC },
	{ "noiversion", NOTHING, 0 },
	{ "nolazytime", NOTHING, 0 },
	{ "nomand", NOTHING, 0 },
	{ "norelatime", NOTHING, 0 },
	{ "nostrictatime", ATIME, MOUNT_ATTR_RELATIME },
	{ "nosuid", SET, MOUNT_ATTR_NOSUID },
	{ "nosymfollow", SET, MOUNT_ATTR_NOSYMFOLLOW },
	{ "private", PROPAGATE, MS_PRIVATE },
	{ "ratime", REC_ATIME, MOUNT_ATTR_RELATIME },
	{ "rbind", REC_BIND, 0 },
	{ "rdev", REC_CLEAR, MOUNT_ATTR_NODEV },
	{ "rdiratime", REC_CLEAR, MOUNT_ATTR_NODIRATIME },
	{ "relatime", ATIME, MOUNT_ATTR_RELATIME },
	{ "remount", REFUSED, 0 },
	{ "rexec", REC_CLEAR, MOUNT_ATTR_NOEXEC },
	{ "ridmap", REC_IDMAP, 0 },
	{ "rnoatime", REC_ATIME, MOUNT_ATTR_NOATIME },
	{ "rnodev", REC_SET, MOUNT_ATTR_NODEV },
	{ "rnodiratime", REC_SET, MOUNT_ATTR_NODIRATIME },
	{ "rnoexec", REC_SET, MOUNT_ATTR_NOEXEC },
	{ "rnorelatime", NOTHING, 0 },
	{ "rnostrictatime", REC_ATIME, MOUNT_ATTR_RELATIME },
	{ "rnosuid", REC_SET, MOUNT_ATTR_NOSUID },
	{ "rnosymfollow", REC_SET, MOUNT_ATTR_NOSYMFOLLOW },
	{ "ro", SET, MOUNT_ATTR_RDONLY },
	{ "rprivate", REC_PROPAGATE, MS_PRIVATE },
	{ "rrelatime", REC_ATIME, MOUNT_ATTR_RELATIME },
	{ "rro", REC_SET, MOUNT_ATTR_RDONLY },
	{ "rrw", REC_CLEAR, MOUNT_ATTR_RDONLY },
	{ "rshared", REC_PROPAGATE, MS_SHARED },
	{ "rslave", REC_PROPAGATE, MS_SLAVE },
	{ "rstrictatime", REC_ATIME, MOUNT_ATTR_STRICTATIME },
	{ "rsuid", REC_CLEAR, MOUNT_ATTR_NOSUID },
	{ "rsymfollow", REC_CLEAR, MOUNT_ATTR_NOSYMFOLLOW },
	{ "runbindable", REC_PROPAGATE, MS_UNBINDABLE },
	{ "rw", CLEAR, MOUNT_ATTR_RDONLY },
	{ "shared", PROPAGATE, MS_SHARED },
	{ "silent", NOTHING, 0 },
	{ "slave", PROPAGATE, MS_SLAVE },
	{ "src-nofollow", REFUSED, 0 },
	{ "strictatime", ATIME, MOUNT_ATTR_STRICTATIME },
	{ "suid", CLEAR, MOUNT_ATTR_NOSUID },
	{ "symfollow", CLEAR, MOUNT_ATTR_NOSYMFOLLOW },
	{ "sync", SUPER, 0 },
	{ "tmpcopyup", COPY_UP, 0 },
	{ "unbindable", PROPAGATE, MS_UNBINDABLE },
};

const char *compile_option_name(size_t i)
{
	return i < ARRAY_SIZE(options) ? options[i].name : NULL;
}

static const struct option *find_option(const char *name)
{
	size_t low = 0, high = ARRAY_SIZE(options);
	while (low < high) {
		size_t mid = (low + high) / 2;
		int order = strcmp(name, options[mid].name);
		if (order == 0)
			return &options[mid];
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

/* The last of several options about one attribute counts. */
static void turn_on(uint64_t *set, uint64_t *clear, uint64_t value)
{
	*set |= value;
	*clear &= ~value;
}

static void turn_off(uint64_t *set, uint64_t *clear, uint64_t value)
{
	*set &= ~value;
	*clear |= value;
}

/* The atime behaviour is a field of several bits: mount_setattr(2) wants all of it cleared when one
 * of its values is set. */
static void set_atime(uint64_t *set, uint64_t *clear, uint64_t value)
{
	*set = (*set & ~(uint64_t) MOUNT_ATTR__ATIME) | value;
	*clear |= MOUNT_ATTR__ATIME;
}

static void take_option(const struct option *o, struct compile_options *ret, const char *text)
{
	switch (o->effect) {
	case SET:
		turn_on(&ret->set, &ret->clear, o->value);
		break;
	case CLEAR:
		turn_off(&ret->set, &ret->clear, o->value);
		break;
	case ATIME:
		set_atime(&ret->set, &ret->clear, o->value);
		break;
	case REC_SET:
		turn_on(&ret->rec_set, &ret->rec_clear, o->value);
		break;
	case REC_CLEAR:
		turn_off(&ret->rec_set, &ret->rec_clear, o->value);
		break;
	case REC_ATIME:
		set_atime(&ret->rec_set, &ret->rec_clear, o->value);
		break;
	case REC_PROPAGATE:
	case PROPAGATE:
		ret->propagation = o->value;
		ret->propagation_recursive = o->effect == REC_PROPAGATE;
		break;
	case REC_BIND:
		ret->recursive = true;
		ret->bind = true;
		break;
	case BIND:
		ret->bind = true;
		break;
	case COPY_UP:
		ret->copy_up = true;
		break;
	case REC_IDMAP:
		ret->idmap_recursive = true;
		ret->idmap = true;
		break;
	case IDMAP:
		ret->idmap = true;
		break;
	case SUPER:
		ret->data[ret->n_data++] = text;
		break;
	case NOTHING:
	case REFUSED:
		break;
	}
}

int compile_options_read(struct compile *c, const struct oci_mount *m, struct compile_options *ret)
{
	size_t n = 0;
	while (m->options && m->options[n])
		n++;
	*ret = (struct compile_options){ .data = arena_new_n(&c->arena, const char *, n + 1) };
	for (size_t i = 0; i < n; i++) {
		const char *text = m->options[i];
		const struct option *o = find_option(text);
		if (o && o->effect == REFUSED)
			return err_set(c->err, -EOPNOTSUPP,
			        "mount on '%s': option '%s' is not supported by this version",
			        compile_shown(c, m->destination), text);
		if (o)
			take_option(o, ret, text);
		else if (text[0] != '\0')
			ret->data[ret->n_data++] = text;
	}
	if (ret->copy_up && (!m->type || !streq(m->type, "tmpfs")))
		return err_set(c->err, -EINVAL,
		        "mount on '%s': option 'tmpcopyup' is for tmpfs only",
		        compile_shown(c, m->destination));
	if (ret->idmap && !ret->bind)
		return err_set(c->err, -EINVAL,
		        "mount on '%s': option 'idmap' is for bind mounts only",
		        compile_shown(c, m->destination));
	return 0;
}
