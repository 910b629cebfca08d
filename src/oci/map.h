/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The reader of JSON objects of texts, for every document that has them. */
#include "json/json.h"
#include "oci/kv.h"

/* const struct oci_kv *, aux: count. Empty keys are refused. */
int oci_get_map(
        struct json_read *r, const struct json_field *field, struct json_object *value, void *base);
