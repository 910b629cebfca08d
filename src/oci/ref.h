/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Names of images: [host[:port]/]path[:tag][@digest].
 *
 * Theory of operation: a name that people write is normalised to one full form, so that two ways of
 * writing one image are one key. Without a host it is docker.io's, and there a path of one part is
 * in library/. A first part is a host when it has a '.', a ':' or a capital, or is "localhost". All
 * parts are checked against the grammar of the distribution, so they can be put into paths and
 * requests as they are. The structure owns no memory.
 */
#include "base/err.h"
#include "digest/digest.h"

#include <stdbool.h>

enum {
	OCI_REF_NAME_MAX = 255, /* host, '/', path */
	OCI_REF_TAG_MAX = 128,
};

struct oci_ref {
	char domain[OCI_REF_NAME_MAX + 1]; /* "docker.io", "localhost:5000" */
	char path[OCI_REF_NAME_MAX + 1];   /* "library/debian" */
	char tag[OCI_REF_TAG_MAX + 1];     /* "" when only a digest names the image */
	char digest[DIGEST_TEXT_SIZE];     /* "sha256:...", or "" */
};

/* Parses and normalises. Without a tag and a digest the tag is "latest". -EINVAL for anything that
 * is not a name; 64 hexadecimal digits are refused, as they would be read as an image ID. */
int oci_ref_parse(const char *text, struct oci_ref *ret, struct err *err);
/* "docker.io/library/debian:12@sha256:...". New memory. */
char *oci_ref_full(const struct oci_ref *ref);
/* The shortest form that parses to the same: "debian:12". New memory. */
char *oci_ref_familiar(const struct oci_ref *ref);
/* Only host and path, in the shortest form: "debian", for tables. New memory. */
char *oci_ref_familiar_name(const struct oci_ref *ref);
