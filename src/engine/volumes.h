/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Volumes: folders that outlive containers.
 *
 * Theory of operation: a volume is a row (name, labels, when) and a folder volumes/NAME/_data of
 * the state folder, whose files have the ids that containers see (0 is root of a container) and
 * which containers mount idmapped, nosuid and nodev. The state folder is 0700, because volumes may
 * hold set-id files. An empty volume that a container mounts for the first time is filled with what
 * the image has at the target (owner, mode, xattrs of the folder too), by a child in a mount
 * namespace of its own that resolves everything inside the image's root. A use is a row (container,
 * volume), so that 'volume rm' refuses what is used. Folders without a row are swept up; a folder
 * that is removed is renamed first (volume_folder.h), in the transaction that removes the row.
 *
 * Rows of new volumes are durable when the function returns: one that a power failure took back
 * would make a folder with somebody's data a leftover. What was copied from an image is not written
 * to disk before others may see it, except into volumes with a name of their own.
 */
#include "engine/engine.h"

#include <stdint.h>

struct config;
struct container;
struct store_image;

struct volume {
	char *name;
	int64_t created; /* nanoseconds since 1970 */
	bool anonymous;
	char **labels; /* strv "k=v" */
	char *path;    /* absolute: the folder with its data */
	size_t users;  /* containers that use it */
};
void volume_done(struct volume *v);
#define _volume_done_ _cleanup_(volume_done)
struct volume_list {
	struct volume *items;
	size_t n;
};
void volume_list_done(struct volume_list *list);
#define _volume_list_done_ _cleanup_(volume_list_done)

/* [a-zA-Z0-9][a-zA-Z0-9_.-]+: docker's rule (at least two bytes). */
bool volume_name_is_valid(const char *name);
/* The same with docker's sentence, -EINVAL. */
int volume_name_check(const char *name, struct err *err);
/* Makes it; one that is there already is no error (docker). name NULL: 64 random digits, anonymous.
 * driver must be NULL, "" or "local"; driver options are refused with a sentence. */
int volume_create(struct engine *e, const char *name, const char *driver, char *const *labels,
        char *const *options, struct volume *ret, struct err *err);
/* -ENOENT: "get NAME: no such volume". */
int volume_find(struct engine *e, const char *name, struct volume *ret, struct err *err);
int volume_list(struct engine *e, struct volume_list *ret, struct err *err);
/* -EBUSY: in use, with the ids; force: a missing one is no error. */
int volume_remove(struct engine *e, const char *name, bool force, struct err *err);
/* True when it has the label: filter is "KEY" or "KEY=VALUE". */
bool volume_has_label(const struct volume *v, const char *filter);
/* Removes unused anonymous volumes (all: named ones too) that have every label of the filters, as
 * for volume_has_label; "!KEY" and "!KEY=VALUE": that do not have it. Names come back as strv. */
int volume_prune(struct engine *e, bool all, char *const *label_filters, char ***ret_names,
        uint64_t *ret_bytes, struct err *err);

/* At 'create', while the caller holds the lock of the container's record and outside of a
 * transaction: makes the volumes that the mounts of config name (and names the anonymous ones),
 * records the uses, fills empty ones from the image. On failure no use is left. The mounts of
 * --volumes-from were brought in before (mounts.h). */
int volumes_prepare(struct engine *e, const struct store_image *image, struct config *config,
        const char *container_id, struct err *err);
/* At 'rm': forgets the uses; with_anonymous: removes those volumes when nobody else uses them. */
int volumes_release(
        struct engine *e, const char *container_id, bool with_anonymous, struct err *err);
/* For engine_repair: forgets uses of containers that nobody has, finishes or undoes copies whose
 * maker was killed, removes folders without a row. Failures are left to the next time. */
void volumes_sweep(struct engine *e);
