/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The store: images, their layers, their names, and the database that containers share with them.
 *
 * Theory of operation. One folder (0700, root's: it holds real setuid files of images):
 *
 *   db.sqlite         names, images, layers, containers; the only truth about what exists
 *   lock              flock: shared by commands that add images, exclusive by the one that tidies
 * up blobs/sha256/HEX  content-addressed documents and archives, as they came fs/               the
 * one tree that containers see, by an idmapped mount of it fs/layers/HEX     one unpacked layer, by
 * the digest of its uncompressed archive (diff_id) fs/rw/ID          the writable part of a
 * container (the engine's) tmp/              everything half-made
 *
 * A thing is made below tmp/, made durable by one syncfs, renamed to its final name, and then named
 * in one durable database transaction. So a crash at any point leaves only what nobody refers to:
 * something in tmp/, or a blob or layer without a row. The next command that adds or removes an
 * image, and finds that nobody else holds the lock, deletes both. Liveness is a held flock, never a
 * pid.
 *
 * Archives are never parsed here: bulkhead-unpack does it, in a sandbox, and this module checks the
 * small record that comes back. The database is not hostile (it lies in the 0700 folder), blobs
 * are: a document's digest is checked each time before it is parsed.
 *
 * Everything takes the store's own handle; a handle belongs to one process (never across fork).
 */
#include "base/err.h"

#include <stdbool.h>
#include <sys/types.h>

struct sqlite3;
struct store;
struct oci_image; /* oci/image.h */

enum {
	STORE_ID_SIZE = 65, /* 64 hexadecimal digits and the NUL */
	/* The host ids that archives are unpacked with: 131072 of them from here. No container may
	 * ever get an overlapping range. */
	STORE_UNPACK_HOST_ID = 0x7ffe0000,
	STORE_UNPACK_HOST_ID_COUNT = 131072,
};

enum store_mode {
	STORE_READ,  /* must exist: -ENOENT with a sentence when there is no store yet */
	STORE_WRITE, /* made when it is missing (the parent folder must exist or be makeable) */
};

/* Opens the store. Refused, with the sentence and what to do: not a folder, another owner, a mode
 * that lets others in, not writable, a database of a newer version (-EPROTONOSUPPORT), a broken
 * database. */
int store_open(const char *path, enum store_mode mode, struct store **ret, struct err *err);
/* Closes; accepts NULL; returns NULL. */
struct store *store_free(struct store *s);
void store_freep(struct store **s);
#define _store_free_ _cleanup_(store_freep)

/* The database, for the engine's own table 'containers' (schema.c has the columns). Owned by the
 * store. Use store_begin and store_commit around writes. */
struct sqlite3 *store_db(struct store *s);
/* BEGIN IMMEDIATE, COMMIT and ROLLBACK; busy for at most ten seconds, then -EBUSY. */
int store_begin(struct store *s, struct err *err);
int store_commit(struct store *s, struct err *err);
void store_rollback(struct store *s);
/* Turns the last failure of SQLite into a sentence: -ENOSPC, -EBUSY, -EIO, ... */
int store_db_error(struct store *s, const char *doing, struct err *err);

/* The folder of the store, O_PATH, and the absolute path of the tree 'fs' (struct mount_overlay's
 * base). Both owned by the store. */
int store_dir(struct store *s);
const char *store_fs_path(struct store *s);

/* --- images ----------------------------------------------------------------------------------- */

struct store_image {
	char id[STORE_ID_SIZE]; /* digest of the config document, as docker's image id */
	char manifest[STORE_ID_SIZE];
	char **names; /* strv, sorted; "docker.io/library/debian:12" written in full; may be NULL */
	char **layers;   /* strv, top first: paths relative to fs ("layers/HEX") */
	uint64_t size;   /* bytes of content of all layers */
	int64_t created; /* seconds since 1970 */
};
void store_image_done(struct store_image *image);
#define _store_image_done_ _cleanup_(store_image_done)

/* The image that the user's text means: a name (oci/ref.h: "debian" is
 * docker.io/library/debian:latest), a whole id, "sha256:" and an id, or a prefix of an id of at
 * least two digits that fits one image only. A name goes before an id. -ENOENT: no such image;
 * -ENOTUNIQ: several ids begin so; -EINVAL: neither a name nor an id. */
int store_resolve(struct store *s, const char *text, struct store_image *ret, struct err *err);

/* All images, newest first. */
struct store_list {
	struct store_image *images;
	size_t n;
};
void store_list_done(struct store_list *list);
#define _store_list_done_ _cleanup_(store_list_done)
int store_list(struct store *s, struct store_list *ret, struct err *err);

/* Reads the config document of an image, checks its digest, parses it. The result is freed with
 * oci_image_free. -EBADMSG: the document on disk is not the one that the id names. */
int store_image_config(
        struct store *s, const struct store_image *image, struct oci_image **ret, struct err *err);

/* Gives the image one more name; a name of another image moves. */
int store_tag(struct store *s, const struct store_image *image, const char *name, struct err *err);

/* What store_remove did, for the user: "Untagged: NAME" and "Deleted: sha256:ID" lines. */
struct store_removed {
	char **untagged;        /* strv */
	char id[STORE_ID_SIZE]; /* "" when the image is still there under other names */
};
void store_removed_done(struct store_removed *r);

enum store_remove_flags {
	STORE_REMOVE_FORCE = 1, /* by id: all names at once */
};
/* Removes a name; with the last name, or by id, the image, and every layer and blob that no other
 * image uses. -EBUSY: a container was made from it (the engine removes containers);
 * -ENOTUNIQ: the text is an id and the image has several names (FORCE removes them all). */
int store_remove(struct store *s, const char *text, unsigned int flags, struct store_removed *ret,
        struct err *err);

/* --- import ----------------------------------------------------------------------------------- */

/* Bounds of an archive; 0 means the default. */
struct store_limits {
	uint64_t content_bytes; /* of all files together; default 64 GiB */
	uint64_t entries;       /* default 4 million */
	uint32_t ratio;         /* uncompressed : compressed, above 64 MiB; default 1000 */
};

struct store_import {
	int fd;               /* the archive: file or pipe; borrowed, read to its end */
	const char *helper;   /* absolute path of bulkhead-unpack */
	const char *name;     /* name for the image; NULL: none */
	char *const *changes; /* NULL-terminated Dockerfile instructions (oci/image.h); or NULL */
	const char *message;  /* comment in the history; NULL: "Imported by bulkhead" */
	const char *author;   /* or NULL */
	struct store_limits limits;
};

/* What the archive held that is worth telling. */
struct store_imported {
	char id[STORE_ID_SIZE];
	bool known; /* the very image was there already */
	uint64_t entries, content_bytes;
	uint64_t skipped_devices; /* device nodes: a container's /dev is the engine's */
	uint64_t dropped_xattrs;  /* labels of security modules, trusted.*, overlay.* */
};

/* Makes an image of one layer from a root file system archive (tar; plain, gzip, zstd, xz). Either
 * the whole image is there afterwards, durable, or nothing. Errors are about the archive (-EBADMSG,
 * -EFBIG, -EINVAL), a --change, or the disk (-ENOSPC). */
int store_import(struct store *s, const struct store_import *options, struct store_imported *ret,
        struct err *err);

/* --- check ------------------------------------------------------------------------------------ */

/* Looks whether the database is whole and every image has its documents, layers and archives. Calls
 * found for each problem: what has it ("image 'NAME'"), what it is, what store_mend would do (NULL:
 * nothing). Archives are compared by their size, documents by their digest. */
int store_check(struct store *s,
        void (*found)(void *data, const char *subject, const char *problem, const char *remedy),
        void *data, struct err *err);
/* Deletes rows that refer to what is not there and mean nothing without it: names and layers of an
 * image, uses of a volume. */
int store_mend(struct store *s, struct err *err);
