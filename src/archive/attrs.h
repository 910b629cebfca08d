/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Owner, mode, extended attributes, ACLs and times of an entry. Internal to archive. */
#include "base/err.h"

#include <sys/stat.h>

struct archive_entry;

enum {
	ATTRS_XATTR_MAX = 64 << 10, /* bytes of one value: the kernel's own limit */
	ATTRS_XATTR_COUNT = 256,    /* of one entry */
	ATTRS_ACL_MAX = 1024,       /* entries of one ACL */
};

/* The file to work on: the last part of the name in a parent folder that is open, never followed.
 */
struct attrs_target {
	int parent_fd;
	const char *last; /* "." for the root itself */
	int fd;           /* of a regular file, open for writing; else -EBADF */
	const char *name; /* whole, for messages */
};

/* Everything but times. *dropped counts extended attributes that are not kept. */
int attrs_apply(const struct attrs_target *t, struct archive_entry *entry, uint64_t *dropped,
        struct err *err);
/* The modification time (and the same as access time); an entry without one gets 1970. */
int attrs_apply_time(const struct attrs_target *t, struct archive_entry *entry, struct err *err);
/* The two times of an entry, for utimensat. */
void attrs_times(struct archive_entry *entry, struct timespec ret[2]);
