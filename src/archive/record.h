/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The record that bulkhead-unpack hands back: fixed size, no pointer, written in one piece.
 *
 * The writer has parsed hostile bytes, so the reader takes nothing for granted: it checks magic and
 * size, ends the texts itself, and escapes them before they are shown. This header needs no library
 * and is all that the static programs see of the archive module.
 */
#include <stdint.h>

#define UNPACK_MAGIC "BHUNPK\0\1" /* the last byte is the version */

enum {
	UNPACK_MAGIC_SIZE = 8,
	UNPACK_HASH_SIZE = 32,
	UNPACK_TEXT_SIZE = 1024,
	/* Descriptors of the program; its standard input is the archive. */
	UNPACK_FD_LAYER = 3,  /* the empty folder to fill, O_PATH */
	UNPACK_FD_BLOB = 4,   /* gets a copy of the raw bytes */
	UNPACK_FD_RESULT = 5, /* gets the record */
};

struct unpack_record {
	uint8_t magic[UNPACK_MAGIC_SIZE];
	int32_t code; /* 0, or a negative errno with its sentence in text */
	uint32_t zero;
	uint8_t raw_sha256[UNPACK_HASH_SIZE];  /* of the bytes as they came */
	uint8_t diff_sha256[UNPACK_HASH_SIZE]; /* of the tar archive in them: the diff_id */
	uint64_t raw_bytes, diff_bytes;
	uint64_t entries, content_bytes, skipped_devices, dropped_xattrs;
	char method[8]; /* "none", "gzip", "zstd", "xz" */
	char text[UNPACK_TEXT_SIZE];
};
_Static_assert(sizeof(struct unpack_record) < 4096, "a pipe must take it in one write");
