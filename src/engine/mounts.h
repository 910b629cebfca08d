/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The mounts of a container: from -v, --mount, --tmpfs and --volumes-from to the one list of
 * struct config. (VOLUME of the image is added by config_resolve.)
 *
 * Theory of operation. The parsers are pure: a text becomes one struct config_mount, or a sentence
 * in docker's words. mounts_resolve() brings them together at 'create': what the options name must
 * not collide ("Duplicate mount point"), what other containers have (--volumes-from) fills in what
 * they left free, a '-v /x' without a source gives way to both. The list is sorted so that a folder
 * comes before what lies in it, and is otherwise in the order given. All texts are in the
 * configuration's arena.
 *
 * Only mounts_check_sources() looks at the machine: at the host's paths that binds name. Those are
 * the administrator's own, so links in them are followed.
 *
 * What differs from docker: shared propagation is refused (mounts of the container would appear on
 * the host), binds are nosuid and nodev and tmpfs noexec too unless 'suid', 'dev', 'exec' say
 * otherwise, and 'no-idmap' leaves the ids of a bind as they are on the host.
 */
#include "engine/config.h"

enum {
	MOUNTS_TEXT_MAX = 64 << 10, /* bytes of one option */
	MOUNTS_PATH_MAX = 4095,     /* bytes of a source or target */
};

/* -v: SOURCE:TARGET[:OPTIONS], or TARGET alone for an anonymous volume. A source that begins with
 * '/' is a path, one that begins with '.' is a path relative to cwd (NULL: refused, as in the API),
 * anything else the name of a volume. -EINVAL. */
int mounts_parse_volume(struct arena *arena, const char *text, const char *cwd,
        struct config_mount *ret, struct err *err);
/* --mount: fields as encoding/csv of Go reads them. A source "." or "./..." is relative to cwd.
 * -EINVAL. */
int mounts_parse_mount(struct arena *arena, const char *text, const char *cwd,
        struct config_mount *ret, struct err *err);
/* --tmpfs: TARGET[:OPTIONS]. -EINVAL. */
int mounts_parse_tmpfs(
        struct arena *arena, const char *text, struct config_mount *ret, struct err *err);
/* --volumes-from: CONTAINER[:ro|rw]. *ret_container is in the arena. -EINVAL. */
int mounts_parse_from(struct arena *arena, const char *text, const char **ret_container,
        bool *ret_read_only, struct err *err);

/* The configuration of a container that --volumes-from names. */
struct mounts_from {
	const struct config *config;
	bool read_only;
};

struct mounts_options {
	char *const *volumes, *const *mounts, *const *tmpfs; /* strv, as given; NULL: none */
	const char *cwd;                                     /* absolute */
	const struct mounts_from *from; /* in the order given: the last one wins */
	size_t n_from;
};
/* Sets config->mounts and n_mounts. Binds and volumes of other containers are taken over (anonymous
 * volumes by their names), their tmpfs are not. -EINVAL: a value is wrong, or two name the same
 * target; -E2BIG: more than CONFIG_LIST_MAX. */
int mounts_resolve(struct config *config, const struct mounts_options *options, struct err *err);

/* Looks at the sources of all binds on the host: a missing one is an error in docker's words, but
 * for those of -v (create_source), which are made as folders (root's, 0755 less the umask) when
 * 'make' is set. At 'create' call it without 'make', at 'start' with it. */
int mounts_check_sources(const struct config *config, bool make, struct err *err);

/* --- parts, for tests and for the API -------------------------------------------------------- */

/* What is true for every mount: target absolute and not "/" (it is cleaned in place), type with
 * what belongs to it, name of the volume. */
int mounts_check(struct arena *arena, struct config_mount *mount, struct err *err);
/* Parents before children, otherwise stable. */
void mounts_sort(struct config_mount *mounts, size_t n);
