/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Reading events: past ones from the files, coming ones by inotify, as docker's messages.
 *
 * Theory of operation: a line of the file (shim/event_line.h) says what happened to an id; shims
 * know no more. Name, image and labels of a container come from its 'create' and 'rename' lines,
 * or, when those were turned over long ago, from its row and configuration. Everything in a line
 * may come from an image or a container, so lines are parsed as foreign documents, and one that is
 * damaged is skipped. A message has docker's keys:
 *
 *   {"status","id","from","Type","Action","Actor":{"ID","Attributes"},"scope","time","timeNano"}
 */
#include "engine/events.h"

#include <stdbool.h>

struct json_object;

#define EVENTS_FILE     "events"
#define EVENTS_FILE_OLD "events.1"
enum {
	EVENTS_FILE_MAX = 8 << 20, /* bytes, then it is turned over */
	EVENTS_FILTERS_MAX = 256,
};

struct events_query {
	bool has_since, has_until;
	int64_t since, until; /* nanoseconds since 1970, both included */
	/* "KEY=VALUE": container, event, image, label, type, volume, scope, daemon, and the kinds
	 * that do not exist here (network, plugin, service, ...). Values of one key are
	 * alternatives (labels: all must be there), keys narrow each other. */
	char *const *filters;
};

/* -EINVAL with the sentence for what is not KEY=VALUE or an unknown key. */
int events_check_filters(char *const *filters, struct err *err);
/* True when the message passes the filters (which are checked). */
bool events_match(char *const *filters, struct json_object *message);

/* One line as a message; without what only other lines tell. -EBADMSG for anything else. */
int events_parse(const char *line, size_t len, struct json_object **ret);
/* A message in docker's words, with its line break; foreign bytes escaped. Times are local. */
struct buf;
void events_print(struct json_object *message, struct buf *out);

/* Calls 'each' for every message that the query wants, old ones first, and waits for more until
 * 'until' (for ever without it). Old ones are told only when there is a since or an until. Ends
 * with what 'each' returned when that is not 0. */
int events_read(struct engine *e, const struct events_query *query,
        int (*each)(void *data, struct json_object *message), void *data, struct err *err);
