/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The mounts of a start. Private to request*.c. */
#include "engine/request.h"

/* Replaces and lengthens spec->mounts, which has the profile's: in their place, or behind them in
 * the order of depth, what the configuration mounts; then the files in /etc, and the init. */
int request_mounts(const struct config *config, const struct request_place *place,
        struct oci_spec *spec, struct compile_ext *ext, struct err *err);

/* Where the init is in the container. */
#define REQUEST_INIT "/sbin/docker-init"
