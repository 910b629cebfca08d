/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The parts of the writer: what a line is (writer.c), where it goes (file.c, rotate.c,
 * journal.c). */
#include "logs/writer.h"

/* One line, or a part of a longer one. */
struct log_line {
	enum log_stream stream;
	int64_t time;
	const char *text;
	size_t len;
	bool newline;
	uint64_t raw; /* bytes of the container's output that it stands for; 0: our own words */
};

/* Takes a line; whether it was written is known after log_file_flush. */
void log_file_line(struct log_writer *w, const struct log_line *line);
/* Writes what is waiting. False: it was dropped, counted, and the file is as before. */
bool log_file_flush(struct log_writer *w);
void log_drop(struct log_writer *w, enum log_drop why, uint64_t bytes);

/* Opens 'log', making it when it is missing, and repairs its end. */
int log_file_open(struct log_writer *w, struct err *err);
/* Moves the files on and starts a new one. Returns 0 or a negative errno; then the old file is
 * still open and nothing of it is lost. */
int log_file_rotate(struct log_writer *w);

/* Sends a line; false: it was dropped and counted. */
bool log_journal_line(struct log_writer *w, const struct log_line *line);
