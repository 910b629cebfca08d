/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * One event as one line of JSON, made and written without the heap.
 *
 * Theory of operation: the file of events is appended to by commands and by shims that live for
 * years, each line by one write(2) to a descriptor with O_APPEND, so lines never mix. A line has a
 * fixed order of keys:
 *
 *   {"time":NANOSECONDS,"type":"container","action":"start","id":"...","attributes":{"k":"v"}}
 *
 * Texts may be anything: what is not UTF-8 becomes U+FFFD, control bytes are escaped. A line never
 * grows beyond its buffer: an attribute that does not fit is left out as a whole, and an action or
 * id that is too long is cut.
 */
#include "base/base.h"
#include "oci/kv.h"

enum {
	EVENT_LINE_SMALL = 8192,    /* of a shim, on the stack */
	EVENT_LINE_MAX = 256 << 10, /* of a command, which knows labels too; what a reader takes */
	EVENT_ACTION_MAX = 512,     /* bytes of the text before it is escaped */
	EVENT_ID_MAX = 256,
	EVENT_TYPE_MAX = 32,
};

struct event_line {
	int64_t time;       /* nanoseconds since 1970; 0: now */
	const char *type;   /* "container", "volume", "image" */
	const char *action; /* "start", "exec_create: sh -c true" */
	const char *id;     /* of a container; the name of a volume */
	const struct oci_kv *attributes;
	size_t n_attributes;
};

/* Writes the line with its line break, without a NUL. Returns its length; 0: 'size' is too small
 * (EVENT_LINE_SMALL always does). */
size_t event_line_format(const struct event_line *line, char *out, size_t size);
/* Formats into EVENT_LINE_SMALL bytes of the stack and appends to fd. Returns 0 or a negative errno
 * that no caller needs to look at: losing an event is no error. */
int event_line_write(int fd, const struct event_line *line);
