/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Decompression of a stream: plain, gzip, zstd, xz, told apart by their first bytes.
 *
 * Theory of operation: pull. The caller gives a function that yields raw bytes; inflate_read()
 * yields blocks of uncompressed ones. The libraries are used directly rather than through
 * libarchive's filters, because those do not check a gzip stream's CRC and unwrap several layers of
 * compression, so that the digest of the uncompressed bytes would not be what everybody else
 * computes. Several gzip members, zstd frames or xz streams one after the other are one stream
 * (RFC 1952, RFC 8878); anything else behind the end, and an end in the middle, is an error. Memory
 * is bounded by window caps, whatever the stream asks for. Hostile input: every byte.
 */
#include "base/err.h"

enum {
	INFLATE_BLOCK = 256 << 10,     /* of uncompressed bytes */
	INFLATE_ZSTD_WINDOW_LOG = 27,  /* 128 MiB: zstd's own default for decoders */
	INFLATE_XZ_MEMORY = 256 << 20, /* xz -9 needs 65 MiB */
};

/* Yields the next raw bytes, valid until the next call. *ret_len 0 is the end. Negative errno and
 * the sentence on failure. */
typedef int (*inflate_fill_fn)(
        void *userdata, const uint8_t **ret, size_t *ret_len, struct err *err);

struct inflate;
int inflate_new(inflate_fill_fn fill, void *userdata, struct inflate **ret, struct err *err);
struct inflate *inflate_free(struct inflate *z);
void inflate_freep(struct inflate **z);
#define _inflate_free_ _cleanup_(inflate_freep)

/* "none", "gzip", "zstd" or "xz"; static. Known after the first inflate_read(). */
const char *inflate_method(const struct inflate *z);
/* The next block of uncompressed bytes, valid until the next call. Returns its length, 0 at the
 * end, -EBADMSG for a broken or truncated stream, -EFBIG when it needs too much memory. */
ssize_t inflate_read(struct inflate *z, const uint8_t **ret, struct err *err);
