/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Rows of containers: names, ids and id ranges that nobody else has. See engine.h for the order of
 * things. */
#include "engine/engine.h"

#include "store/store.h"

enum {
	CONTAINER_NAME_MAX = 128,
	CONTAINER_FOLDER_ROW = 32, /* bytes of a path below fs: "rw/" and short parts */
};

struct container {
	char id[STORE_ID_SIZE];
	char *name;
	char *cgroup;       /* absolute path of its group below each hierarchy */
	uint32_t host_id;   /* first of its 65536 ids on the host */
	int lock;           /* locked: the proof of life; closed last */
	char *upper, *work; /* relative to the store's fs: "rw/ID/upper" */
};
#define CONTAINER_INIT                                                                             \
	{                                                                                          \
		.lock = -EBADF                                                                     \
	}
#define _container_done_ _cleanup_(container_done)
/* Frees the memory and drops the lock; does not remove anything. */
void container_done(struct container *c);

/* Takes a name (NULL: one is made up), a new id, a free range of ids, and makes lock, row and
 * folders. -EEXIST: the name is in use; -EINVAL: not a name; -ENOSPC: no range is left. */
int container_reserve(struct engine *e, const struct store_image *image, const char *name,
        const char *cgroup_parent, struct container *ret, struct err *err);
/* Removes groups (members are killed), folders, row and lock file. */
int container_remove(struct engine *e, struct container *c, struct err *err);
/* [a-zA-Z0-9][a-zA-Z0-9_.-]*, at most CONTAINER_NAME_MAX bytes: docker's rule. */
bool container_name_is_valid(const char *name);
