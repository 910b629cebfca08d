/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The two processes of an unpacking, and why they are two.
 *
 * The first hashes and decompresses, and passes the tar archive on through a pipe; the second takes
 * it apart. Parsing archives is the bigger risk, and a digest is a name that others will trust: so
 * who extracts files does not get to say what their archive's digest is, and cannot put its files
 * under the name of somebody else's layer. They also run side by side on two processors.
 *
 * Both are meant for confine_start(): no file is opened, all memory is their own, libraries are
 * initialised before by stages_init().
 */
#include "archive/record.h"
#include "base/err.h"

struct stages_limits {
	uint64_t content_bytes;
	uint64_t entries;
	uint64_t ratio; /* uncompressed : compressed */
};

struct hash_stage {
	const struct stages_limits *limits;
	int in_fd, blob_fd, out_fd, record_fd;
};
struct extract_stage {
	const struct stages_limits *limits;
	int in_fd, record_fd;
};

enum { RATIO_FREE_BYTES = 256 << 20 }; /* the ratio does not matter below */

/* Loads what OpenSSL and iconv want to load. */
int stages_init(struct err *err);
/* Reads the archive from in_fd to its end, copies it to blob_fd, writes the tar archive to out_fd,
 * and its record before it closes that. userdata: struct hash_stage. Returns an exit code. */
int stage_hash(void *userdata);
/* Extracts the tar archive from in_fd into "/", reads in_fd to its end, writes its record.
 * userdata: struct extract_stage. */
int stage_extract(void *userdata);
/* For confine_start's on_failure. */
void stage_hash_failed(void *userdata, const struct err *err);
void stage_extract_failed(void *userdata, const struct err *err);
