/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The parts of the reader: where to begin (tail.c), which file is next (files.c), what comes out
 * (output.c), and the loop (reader.c). */
#include "base/buf.h"
#include "logs/files.h"
#include "logs/reader.h"
#include "logs/record.h"

enum {
	LOG_READ_SIZE = 256 << 10,
	LOG_BUFFER_SIZE = LOG_LINE_MAX + LOG_READ_SIZE,
	LOG_SINK_SIZE = 64 << 10,
};

struct log_output {
	const struct log_read_options *options;
	const struct log_sink *sink;
	bool in_line[LOG_STREAM_N]; /* the last text of the stream had no newline */
	enum log_stream stream;     /* of what is in data */
	size_t len;
	char *data;
	struct buf attrs, details; /* those of the last line; they seldom change */
};

void log_output_init(
        struct log_output *o, const struct log_read_options *options, const struct log_sink *sink);
void log_output_done(struct log_output *o);
/* Gives a record to the sink, later; what the sink says. */
int log_output_record(struct log_output *o, const struct log_record *record);
int log_output_flush(struct log_output *o);

/* Finds where the last 'lines' lines begin: puts that file in place of the newest one in *file.
 * scratch has LOG_BUFFER_SIZE bytes. */
int log_tail_find(
        int dirfd, struct log_file *file, uint64_t lines, char *scratch, uint64_t *ret_offset);
