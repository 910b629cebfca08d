/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Events: what happened to containers and volumes, one JSON object a line in the file 'events' of
 * the state folder, appended by commands and shims in one write each, bounded by turning over to
 * 'events.1'. A reader learns names, images and labels from the 'create' and 'rename' events, so
 * that shims need to know ids only. Losing an event is never an error of the command that had one
 * to tell.
 */
#include "engine/engine.h"

#include <stdint.h>

struct container;
struct oci_kv;

/* The file opened for appending (O_APPEND), for commands and to hand to a shim. */
int events_open(struct engine *e, int *ret_fd, struct err *err);
/* Appends one. type: "container", "volume"; action: "create", "start", "die", ...; attributes: more
 * than name and image, which come from c. */
void events_container(struct engine *e, const struct container *c, const char *action,
        const struct oci_kv *attributes, size_t n);
void events_volume(struct engine *e, const char *name, const char *action,
        const struct oci_kv *attributes, size_t n);
