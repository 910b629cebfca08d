/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What 'inspect' shows: docker's objects of containers, images and volumes.
 *
 * Theory of operation: an object is put together from what is known anyway: row, record, the
 * configuration as it was written, documents of the store. Nothing is made up: what this engine
 * does not have (a bridge, labels of a security module) keeps docker's key with its empty value.
 * The texts in it come from images and containers; whoever prints them escapes them.
 */
#include "engine/engine.h"

#include <stdbool.h>

struct config;
struct container;
struct json_object;
struct oci_image;
struct store_image;
struct volume;

enum {
	INSPECT_HEALTH_LOG_MAX = 5,
	INSPECT_HEALTH_FILE_MAX = 256 << 10,
};
#define INSPECT_HEALTH_FILE "health.json" /* in the container's folder, by its shim */

enum inspect_flags {
	INSPECT_SIZE = 1, /* SizeRw and SizeRootFs, which walk the writable folder */
};
/* The folder of c must be open (container_find, container_look). */
int inspect_container(struct engine *e, const struct container *c, unsigned int flags,
        struct json_object **ret, struct err *err);
int inspect_image(struct engine *e, const struct store_image *image, struct json_object **ret,
        struct err *err);
struct json_object *inspect_volume(const struct volume *v);

/* Bytes of the files in the writable folder of a container, as 'ps --size' shows. A file with
 * several names counts once; what lies deeper than 500 folders is not counted. */
int inspect_size(struct engine *e, const struct container *c, uint64_t *ret, struct err *err);

/* --- the pure parts --------------------------------------------------------------------------- */

struct inspect_container_parts {
	const struct container *c;
	const struct config *config;
	const char *root;        /* state folder */
	char *const *layers;     /* of the image, relative to fs, top first; NULL: it is gone */
	struct json_object *log; /* of the health check, an array; NULL: none */
	bool has_size;
	uint64_t size_rw, size_image;
};
struct json_object *inspect_container_object(const struct inspect_container_parts *parts);
struct json_object *inspect_image_object(
        const struct store_image *image, const struct oci_image *config, const char *root);
/* The mounts as "Mounts" shows them: Type Name Source Destination Driver Mode RW Propagation. */
struct json_object *inspect_mounts(const struct config *config, const char *root);
/* Reads the log of health checks: one object a line with exactly Start, End, ExitCode and Output. A
 * line that is anything else is left out; at most the last INSPECT_HEALTH_LOG_MAX count. A new
 * array. */
struct json_object *inspect_health_log(const char *text, size_t len);
