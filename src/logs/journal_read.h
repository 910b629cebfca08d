/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Reading a container's output back from the system's journal.
 *
 * Theory of operation: the journal's files are read by journalctl, a program of the host, in its
 * export format, which keeps every byte: a field is NAME=TEXT on a line, or NAME on a line, its
 * length in eight bytes and the bytes; an empty line ends an entry. Only entries of root's senders
 * count, because anybody may send a field CONTAINER_ID_FULL, but not the _UID that the journal
 * adds. Stream, parts of long lines and times are as in the json-file reader (logs/reader.h).
 */
#include "base/buf.h"
#include "logs/reader.h"

/* Reads the entries of the container by the program (absolute path of journalctl). -ENOENT: there
 * is no such program. */
int log_read_journal(const char *program, const char *id, const struct log_read_options *options,
        const struct log_sink *sink, struct err *err);

/* --- the format; pure ------------------------------------------------------------------------- */

enum {
	JOURNAL_FIELD_MAX = 1 << 20, /* of a container's are at most LOG_PART_MAX */
	JOURNAL_DETAILS_MAX = 64,    /* fields of one entry that are shown as details */
};

struct journal_parser {
	const struct log_read_options *options;
	const struct log_sink *sink;
	struct buf bytes; /* not yet understood */
	/* the entry at hand */
	struct buf message;
	bool has_message, partial;
	enum log_stream stream;
	int64_t time;
	char **details;
	bool in_line[LOG_STREAM_N]; /* the last text of the stream was part of a line */
	bool ended;                 /* an entry behind 'until' came */
};
void journal_parser_init(struct journal_parser *p, const struct log_read_options *options,
        const struct log_sink *sink);
void journal_parser_done(struct journal_parser *p);
/* Takes the next bytes, gives whole entries to the sink. -EBADMSG: no export format; or what the
 * sink said. */
int journal_parser_take(struct journal_parser *p, const char *data, size_t len);
/* The end of the input: an entry without its empty line counts too. */
int journal_parser_end(struct journal_parser *p);
