/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Where an entry goes: names of an archive to (parent folder, last part). Internal to archive.
 *
 * The last parent is kept open, because archives list a folder's entries one after the other.
 */
#include "base/err.h"

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

enum {
	PLACE_PATH_MAX = PATH_MAX - 1, /* bytes of a cleaned name */
	PLACE_DEPTH_MAX = 256,
};

struct place {
	int rootfd;   /* borrowed */
	char *parent; /* cleaned name of the cached parent, "" for the root; NULL: nothing cached */
	int parent_fd; /* O_PATH; the root is a copy too */
	uint64_t made; /* upper bound of parents that were made unasked */
};

#define PLACE_INIT(fd)                                                                             \
	{                                                                                          \
		.rootfd = (fd), .parent_fd = -EBADF                                                \
	}
void place_done(struct place *p);
#define _place_done_ _cleanup_(place_done)
/* Forgets the cached parent: when a folder or link was removed. */
void place_forget(struct place *p);

/* Cleans the name of an entry in place: drops leading "/", "." parts, doubled and trailing "/".
 * "" is the root. -EPERM: it has a ".." part; -ENAMETOOLONG; -ELOOP: too deep; with the sentence.
 */
int place_clean_name(char *name, struct err *err);
/* Opens the parent of a cleaned name that is not "". *ret_fd is borrowed from the cache and valid
 * until the next call; *ret_last points into name. make: missing folders are made, else -ENOENT. */
int place_parent(struct place *p, char *name, bool make, int *ret_fd, const char **ret_last,
        struct err *err);
