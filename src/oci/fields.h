/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What the parts of the document readers share inside this module. Not for other modules.
 */
#include "json/json.h"
#include "oci/map.h"
#include "oci/spec.h"

/* const char *: an absolute path; "" stays as absent. */
int oci_get_abs_path(
        struct json_read *r, const struct json_field *field, struct json_object *value, void *base);
/* const char *const *: a list of absolute paths. */
int oci_get_abs_paths(
        struct json_read *r, const struct json_field *field, struct json_object *value, void *base);
/* True when s holds a byte below 0x20 or 0x7f. */
bool oci_has_control(const char *s);
/* Fails at 'key' below the present path. */
int oci_fail_key(struct json_read *r, const char *key, const char *fmt, ...) _printf_(3, 4);

/* A list without members, for texts that are "never NULL". */
extern const char *const oci_no_texts[];

extern const struct json_table oci_process_table;     /* struct oci_process */
extern const struct json_table oci_linux_table;       /* struct oci_linux */
extern const struct json_table oci_resources_table;   /* struct oci_resources */
extern const struct json_table oci_seccomp_table;     /* struct oci_seccomp */
extern const struct json_table oci_seccomp_arg_table; /* struct oci_seccomp_arg */
extern const struct json_enum oci_seccomp_actions[];
extern const struct json_table oci_idmap_table; /* struct oci_idmap */

/* Checks a finished list of id maps: sizes, wrap-around, overlaps, the kernel's bound. */
int oci_check_idmaps(struct json_read *r, const char *key, const struct oci_idmap *maps, size_t n);
/* What holds between the parts of a whole configuration. */
int oci_check_spec(struct json_read *r, const struct oci_spec *spec);
/* The same for the sysctl map. */
int oci_check_sysctl(struct json_read *r, const struct oci_spec *spec);
/* True when the configuration has a namespace of that kind, new or joined. */
bool oci_has_namespace(const struct oci_spec *spec, int clone_flag);
