/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What a reader of events knows about containers by their ids: name, image, labels. Private to the
 * reader (events_read.h). */
#include "engine/engine.h"

#include <stdbool.h>

struct json_object;

struct event_names {
	struct json_object *by_id; /* id -> attributes */
};
void event_names_done(struct event_names *names);
/* True for a line that event_names_learn may learn from; a quick look. */
bool event_names_teaches(const char *line, size_t len);
/* Learns from a message 'create' or 'rename' of a container. */
void event_names_learn(struct event_names *names, struct json_object *message);
/* Adds to a message what is known about its container (asks the store when nothing is), and sorts
 * the attributes. */
void event_names_complete(struct event_names *names, struct engine *e, struct json_object *message);
