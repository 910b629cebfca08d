/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What a container's log writer is told: a flat record that travels in a sealed memfd.
 *
 * Theory of operation: the command compiles the user's --log-driver and --log-opt texts into a
 * struct log_config (logs/options.h) and encodes it; the shim, which has no parser of options and
 * no heap to waste, maps the memfd and decodes it in place. Decoding checks everything again: a
 * record that it accepts cannot make the writer produce a line that is no JSON, forge a field of
 * the journal, or use more memory than it has. The encoding is little endian, versioned, and of an
 * exact length; two equal configurations have the same bytes.
 */
#include "base/err.h"

struct buf;

enum log_driver {
	LOG_DRIVER_NONE,      /* output is read and thrown away */
	LOG_DRIVER_JSON_FILE, /* lines of JSON in the container's folder, as docker's json-file */
	LOG_DRIVER_JOURNALD,  /* messages to the system's journal */
	LOG_DRIVER_N,
};

enum log_stream { LOG_STDOUT, LOG_STDERR, LOG_STREAM_N };

enum {
	LOG_FILES_MAX = 1000,                /* max-file at most */
	LOG_EXTRA_MAX = 16 * 1024,           /* bytes of labels, variables and tag in each line */
	LOG_CONFIG_MAX = 64 + LOG_EXTRA_MAX, /* bytes of an encoded record, at most */
	LOG_SIZE_DEFAULT = 16 << 20,         /* max-size; docker has no limit */
	LOG_FILES_DEFAULT = 4,               /* max-file */
};
/* The largest max-size, max-rate and max-burst. */
#define LOG_NUMBER_MAX (1ULL << 50)

struct log_config {
	enum log_driver driver;
	uint64_t max_size;  /* bytes of one file; 0: no limit (json-file) */
	uint32_t max_files; /* files with the one being written; 1 to LOG_FILES_MAX (json-file) */
	uint64_t max_rate;  /* bytes a second; 0: no limit */
	uint64_t max_burst; /* bytes at once; 0 when there is no limit */
	/* json-file: a JSON object of texts that stands as "attrs" in each line, or nothing.
	 * journald: fields in the journal's own form, ready to be sent. Borrowed. */
	const char *extra;
	size_t extra_len;
};

/* Appends the encoded record. The configuration must be one that log_config_decode would give. */
void log_config_encode(const struct log_config *config, struct buf *out);

/* Decodes exactly len bytes. ret->extra points into data. -EINVAL for anything that
 * log_config_encode would not have written. Needs no memory and makes no system call. */
int log_config_decode(const void *data, size_t len, struct log_config *ret, struct err *err);

/* True when the numbers and the extra bytes are what the driver may have. */
int log_config_check(const struct log_config *config);

/* True for a field name of the journal that a sender may use: capital letters, digits and '_', not
 * first '_' or a digit, 1 to 64 bytes. */
int log_field_is_name(const char *name, size_t len);
