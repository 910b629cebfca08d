/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The one description of config.json: which key is which member of struct config. Private to
 * config_*.c.
 *
 * Theory of operation: the tables are those of json/json.h, so reading is json_read_object(). The
 * writer walks the same tables and finds by the reader's name how the member is written. A nested
 * object at offset 0 has its members in the outer structure.
 */
#include "engine/config.h"
#include "json/json.h"
#include "oci/map.h"

enum {
	/* Flag of a field beside json.h's: left out when it says nothing (0, "", an empty list). */
	CONFIG_OMIT_EMPTY = 1 << 8,
};

extern const struct json_table config_table;        /* struct config */
extern const struct json_table config_mount_table;  /* struct config_mount */
extern const struct json_table config_ulimit_table; /* struct config_ulimit */
extern const struct json_table config_health_table; /* struct config_health */
extern const struct json_limits config_limits;

extern const char *const config_no_texts[];

/* Readers beside json.h's. */
#define CONFIG_GET(name)                                                                           \
	int config_get_##name(struct json_read *r, const struct json_field *field,                 \
	        struct json_object *value, void *base)
CONFIG_GET(set);      /* const char *const *: the keys of an object of empty objects */
CONFIG_GET(path);     /* const char *: an absolute path that path_clean() would not change */
CONFIG_GET(constant); /* nothing: must be the JSON text of arg */
CONFIG_GET(tmpfs);    /* nothing: derived from the mounts when written, ignored when read */
#undef CONFIG_GET
