/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* From an image's configuration and a request to an OCI specification with the default profile.
 * Pure, but for the variables that -e KEY takes from our own environment. */
#include "engine/containers.h"
#include "compile/compile.h"
#include "engine/profile.h"
#include "oci/image.h"

/* What the engine itself adds to the two. */
struct request_place {
	const struct store_image *stored; /* the layers */
	const struct container *container;
	const char *fs_path; /* the one tree that layers and writable folders lie in */
	const struct profile_host *host;
};

/* Fills spec (from oci_spec_new) and ext. The texts live in spec's arena or are the caller's.
 * -EINVAL: a bad request, with the sentence. */
int request_build(const struct engine_request *request, const struct oci_image *image,
        const struct request_place *place, struct oci_spec *spec, struct compile_ext *ext,
        struct err *err);
