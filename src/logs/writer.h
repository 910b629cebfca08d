/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The log writer of the shim: raw chunks of a container's output in, lines of a log out.
 *
 * Theory of operation: a chunk is cut into lines at '\n'. Whole lines go straight from the caller's
 * chunk; the rest waits in the buffer of its stream until the newline, the end of the stream
 * (log_writer_end), or LOG_PART_MAX bytes: a longer line is written in parts that carry the time of
 * the first one, and only the last part ends in '\n', as docker does. A part never ends inside a
 * UTF-8 character. Nothing of a chunk that is a whole line stays behind when log_writer_write
 * returns.
 *
 * json-file: `{"log":"text\n","stream":"stdout","time":"2026-01-31T12:00:00.123456789Z"}`, byte for
 * byte what docker's driver writes, so its readers work: tab and the other control bytes but '\n'
 * and '\r' are \u00XX, '<', '>' and '&' too, a byte that is no UTF-8 is \ufffd (and so is lost, as
 * in docker), "attrs" stands before "time", zeros at the end of the fraction are left out. Each
 * line of one chunk is a nanosecond later than the one before, so times are a key. The file is
 * 'log'; a line that would make it longer than max-size moves 'log' to 'log.1', 'log.1' to 'log.2',
 * and so on; at most max-file files are kept. A kill between any two system calls loses no whole
 * line: the names then have a gap that the next rotation fills, and a torn last line is cut off (or
 * closed, when only its newline is missing) at the next open. Nothing is ever synced.
 *
 * journald: one datagram a line in the journal's native protocol, PRIORITY 6 for stdout and 3 for
 * stderr, CONTAINER_PARTIAL_MESSAGE=true for all parts of a line but the last.
 *
 * The container never waits for its log. What cannot be written (disk full, a journal that does not
 * read, more than max-rate) is dropped by whole lines and parts and counted, and as soon as lines
 * can be written again, once a second at most, this line of the stream stderr tells it:
 *   bulkhead: 4711 bytes of output were dropped: disk full
 * A full disk is asked again ten times a second, not for each line. A line costs LOG_LINE_COST
 * bytes of max-rate more than it has, so that empty lines are not free.
 *
 * Bounds: struct log_writer is all the memory there is (below 40 KiB, and a buffer is touched only
 * when output lacks its newline); the caller provides it, nothing is allocated.
 *
 * System calls, for the caller's filter. json-file: write, and for the open and for each rotation
 * openat, newfstatat, fstat, pread64, ftruncate, renameat, unlinkat, close; journald: sendmsg;
 * both: clock_gettime where the vDSO has none. log_journal_connect comes before any filter.
 * Landlock rights on the folder: WRITE_FILE, READ_FILE, TRUNCATE, MAKE_REG, REMOVE_FILE.
 */
#include "logs/config.h"

#include <stdbool.h>
#include <time.h>

enum {
	LOG_PART_MAX = 16 * 1024, /* bytes of a line, or of a part of a longer one */
	LOG_OUT_SIZE = 6 * 1024,
	LOG_LINE_COST = 64,
};

/* Why output was dropped. */
enum log_drop { LOG_DROP_DISK, LOG_DROP_IO, LOG_DROP_RATE, LOG_DROP_JOURNAL, LOG_DROP_N };

/* All members are private. */
struct log_pending {
	int64_t time;   /* of the first part of the line that is under way */
	bool continued; /* the last part that was seen had no newline */
	uint32_t len;
	char text[LOG_PART_MAX];
};

struct log_writer {
	struct log_config config;
	int dirfd, fd, journal_fd;
	int64_t (*clock)(clockid_t); /* nanoseconds; tests put their own here after the open */
	int64_t now;                 /* real time, for the next line */
	int64_t mono;                /* 0: not asked for in this chunk */
	int64_t retry_at;            /* no attempt to write before; 0: no trouble */
	enum log_drop why;           /* the trouble of retry_at */
	int64_t report_at;
	int64_t tokens, tokens_at;    /* the rate limit's bucket, and when it was filled */
	uint64_t dropped[LOG_DROP_N]; /* not yet told */
	uint64_t dropped_total;
	uint64_t size;      /* of the file */
	uint64_t committed; /* the file up to the end of its last whole line */
	uint64_t raw;       /* bytes of output that stand behind 'committed' or in 'out' */
	bool torn;          /* half a line could not be cut off the file */
	bool failed;        /* the line under way was given up */
	bool stalled;       /* the journal did not take the last message in time */
	uint32_t datagram_max;
	int64_t stamp_second; /* the second that 'stamp' shows */
	char stamp[24];
	uint32_t out_len;
	char out[LOG_OUT_SIZE];
	struct log_pending pending[LOG_STREAM_N];
};

/* Starts a writer in w, which may be uninitialised. config->extra, dirfd (json-file: the folder of
 * the log) and journal_fd (journald: from log_journal_connect) are borrowed and must live as long
 * as w; the other descriptor may be -EBADF. json-file: opens or makes 'log' (0600) and repairs its
 * end. */
int log_writer_open(struct log_writer *w, const struct log_config *config, int dirfd,
        int journal_fd, struct err *err);
/* Takes output of the container. Never fails and never waits for a disk that is full. */
void log_writer_write(struct log_writer *w, enum log_stream stream, const void *data, size_t len);
/* The stream has ended: what waited for a newline is written without one. */
void log_writer_end(struct log_writer *w, enum log_stream stream);
/* Tells of dropped output when it is time. Returns the milliseconds until it wants to be called
 * again, or -1 when there is nothing to tell; as the timeout of a poll(2). */
int log_writer_tick(struct log_writer *w);
/* Ends both streams, tells what was dropped, closes the file. Also after a failed open. */
void log_writer_close(struct log_writer *w);
/* Bytes of output that were dropped since the open. */
uint64_t log_writer_dropped(const struct log_writer *w);

/* Connects to the journal's socket (path NULL: the system's own), before the shim gives up its
 * rights. A send waits at most a tenth of a second for a journal that does not read. */
int log_journal_connect(const char *path, int *ret_fd, struct err *err);
