/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Extraction of a tar archive into a folder, by descriptor.
 *
 * Theory of operation: libarchive reads (v7, ustar, pax, GNU, sparse, base-256); where bytes land
 * is decided here. Nobody else may touch the folder meanwhile. Rules:
 *
 * - Names: a leading "/" and "." parts are dropped; ".." anywhere is refused; bounds on length,
 *   depth and number. Names are bytes, in no character set: they reach the disk as they stand in
 *   the archive (libarchive would compose accents: it is kept in the C locale for that).
 * - Every parent folder is resolved by openat2 inside the folder, links as if it were "/"; the last
 *   part is never followed. Missing parents are made 0755, root's.
 * - A folder over a folder updates its attributes; anything else over anything is removed first and
 *   made anew, so nothing is ever written through a link.
 * - Hard links name what was extracted before; the last part of the target is not followed.
 * - Owner, then mode, then extended attributes (a change of owner clears setuid and capabilities),
 *   then times. Kept: security.capability, user.*, POSIX ACLs. Dropped and counted: everything else
 *   (trusted.*, security.selinux, *.overlay.*: an image must not forge what the kernel believes).
 * - Device nodes are skipped and counted, but 0:0 character devices, which are overlayfs's
 *   whiteouts, are refused, as are names that begin with ".wh.", which mean deletion in an image
 *   layer and nothing in a root file system.
 * - Holes stay holes.
 *
 * Must not: open anything by a path that is not below the folder; trust a size before it was
 * compared with its limit. Hostile input: every byte.
 */
#include "base/err.h"

struct extract_limits {
	uint64_t content_bytes; /* sizes of all files together, holes included */
	uint64_t entries;
};

struct extract_stats {
	uint64_t entries;
	uint64_t content_bytes;
	uint64_t skipped_devices;
	uint64_t dropped_xattrs;
};

/* Yields the next bytes of the archive, as inflate_fill_fn. */
typedef int (*extract_fill_fn)(
        void *userdata, const uint8_t **ret, size_t *ret_len, struct err *err);

/* Extracts everything into the folder rootfd. umask must be 0 and the locale "C". ids of the
 * archive must be mapped (chown says -EINVAL otherwise). Stops at the first error: -EBADMSG for a
 * broken or truncated archive, -EPERM for a forbidden entry, -EFBIG for a limit, or what the disk
 * said. The source is not read behind the end-of-archive mark. */
int extract_tar(int rootfd, extract_fill_fn fill, void *userdata,
        const struct extract_limits *limits, struct extract_stats *ret, struct err *err);
