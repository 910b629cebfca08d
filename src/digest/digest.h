/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * SHA-256 of documents and streams, and the text form of digests.
 *
 * Theory of operation: a thin layer over libmd, which is small and static. A digest travels as text
 * "sha256:" and 64 lower-case hexadecimal digits (image-spec, descriptor); no other algorithm is
 * accepted here. Digests are public values, so comparing them needs no constant time.
 */
#include "base/base.h"

#include <sha2.h>
#include <stdbool.h>

enum {
	DIGEST_HEX_SIZE = 65,  /* 64 digits and the NUL */
	DIGEST_TEXT_SIZE = 72, /* "sha256:", 64 digits and the NUL */
};

/* Digest of len bytes as 64 hexadecimal digits and a NUL. */
void digest_sha256(const void *data, size_t len, char ret_hex[DIGEST_HEX_SIZE]);
/* The same with "sha256:" before it. */
void digest_text(const void *data, size_t len, char ret_text[DIGEST_TEXT_SIZE]);

/* The same in pieces: init, add any number of times, end. Holds no memory of its own, so a stream
 * that is given up needs no cleanup. */
struct digest {
	SHA2_CTX ctx;
};
void digest_init(struct digest *d);
void digest_add(struct digest *d, const void *data, size_t len);
void digest_end(struct digest *d, char ret_hex[DIGEST_HEX_SIZE]);

/* True for "sha256:" and exactly 64 lower-case hexadecimal digits. Only such a text may become a
 * file name or a request (CVE-2024-3727). */
bool digest_is_valid(const char *text);
/* The digits of a valid digest, a pointer into text; NULL when it is not valid. */
const char *digest_hex(const char *text);
