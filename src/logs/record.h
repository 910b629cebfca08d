/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * One line of a json-file log, found in place: nothing is copied and nothing is allocated.
 *
 * Theory of operation: an object with the keys log, stream, time and perhaps attrs, in any order,
 * with blanks where JSON has them, as docker, podman and others write it; other keys are skipped,
 * nested to LOG_RECORD_DEPTH at most. The texts stay escaped; escapes have been checked, so
 * log_unescape cannot meet a bad one. Bytes that a strict reader would refuse inside of a text
 * (control bytes, bad UTF-8) go through: they are the container's.
 */
#include "logs/config.h"

enum { LOG_RECORD_DEPTH = 16, LOG_UNESCAPE_MAX = 4 };

struct log_record {
	const char *text; /* escaped; in the line */
	size_t text_len;
	const char *attrs; /* the JSON object, or NULL */
	size_t attrs_len;
	enum log_stream stream;
	int64_t time;
};

/* Reads the line (without its '\n'). -EINVAL when it is damaged. Linear time. */
int log_record_scan(const char *line, size_t len, struct log_record *ret);
/* Undoes the escapes of a checked text, as much as fits into 'room' (LOG_UNESCAPE_MAX at least);
 * *ret_used says how many bytes of 'in' it was. A lone surrogate becomes U+FFFD. Returns the bytes
 * written. */
size_t log_unescape(const char *in, size_t len, size_t *ret_used, char *out, size_t room);
/* Appends "k=v,k2=v2 " of a checked attrs object, sorted, escaped as in the query of a URL; for no
 * attrs a blank. */
void log_record_details(const char *attrs, size_t len, struct buf *out);
