/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Reading a container's json-file log, as 'docker logs' does.
 *
 * Theory of operation: the files log.N, ..., log.1, log are read from the oldest to the newest. A
 * file is known by its inode, not its name, and the next one is looked up only when the one at hand
 * is at its end; so a rotation at any moment neither loses nor doubles a line, unless it removes a
 * file that was not read yet. Without follow the reading ends where the newest file ended when it
 * began. Memory is constant (about 1.5 MiB), whatever the files hold.
 *
 * Lines are those of any json-file writer (logs/record.h). What is no such line, or longer than
 * LOG_LINE_MAX, or half a line at the end of a file, is skipped and counted, never an error. The
 * text comes out byte for byte as the container wrote it, also to a terminal: a log is the
 * container's output, and nothing here makes it safe to look at.
 *
 * tail counts lines of the file, so the parts of a line beyond 16 KiB are one each, as in docker;
 * it is applied before since and until, and reads backwards from the end. Prefixes (timestamps,
 * then details) stand at the beginning of each line of output, not before its later parts.
 */
#include "logs/config.h"

#include <stdbool.h>

enum { LOG_LINE_MAX = 1 << 20 }; /* bytes of a line of the file */
#define LOG_TAIL_ALL    UINT64_MAX
#define LOG_SINCE_BEGIN INT64_MIN
#define LOG_UNTIL_END   INT64_MAX

struct log_read_options {
	bool follow;
	bool timestamps; /* "2026-01-31T12:00:00.123456789Z " */
	bool details;    /* "k=v,k2=v2 " of the attrs, sorted, escaped as in a URL */
	uint64_t tail;   /* LOG_TAIL_ALL: everything */
	int64_t since;   /* nanoseconds since 1970; lines before are skipped */
	int64_t until;   /* the first line after ends the reading */
	/* follow: readable (or hung up) when the container has ended; what it has written by then
	 * is still read. -1: follow until the sink refuses. */
	int ended_fd;
};
#define LOG_READ_ALL                                                                               \
	{                                                                                          \
		.tail = LOG_TAIL_ALL, .since = LOG_SINCE_BEGIN, .until = LOG_UNTIL_END,            \
		.ended_fd = -1                                                                     \
	}

/* Takes output in the order in which it was written. Returns 0, or a negative errno that ends the
 * reading. */
struct log_sink {
	int (*take)(void *arg, enum log_stream stream, const char *data, size_t len);
	void *arg;
};

/* A sink that writes to two descriptors; arg points to int[2]; -1 throws that stream away. */
int log_sink_fds(void *arg, enum log_stream stream, const char *data, size_t len);

struct log_read_result {
	uint64_t lines;   /* given to the sink */
	uint64_t damaged; /* skipped */
};

/* Reads the log in the folder dirfd. -ENOENT when there is none. ret is always written. */
int log_read(int dirfd, const struct log_read_options *options, const struct log_sink *sink,
        struct log_read_result *ret, struct err *err);
