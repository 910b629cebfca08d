/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What the handlers of --change instructions share inside this module.
 */
#include "oci/image.h"

/* One instruction being applied. */
struct oci_change {
	struct oci_image *img; /* the copy */
	struct arena *arena;   /* of the image */
	const char *keyword;
	struct err *err;
};

/* Fails with "cannot apply KEYWORD: " and the text; returns -EINVAL. */
int oci_change_refuse(const struct oci_change *c, const char *why);
/* The list of a JSON form ["a", "b"]; NULL when the text is none (then it is the shell's). */
const char *const *oci_change_json_form(const struct oci_change *c, const char *rest);
const char *oci_skip_blanks(const char *p);
bool oci_is_blank(char b);
/* HEALTHCHECK [--option=value...] NONE | CMD command */
int oci_change_healthcheck(struct oci_change *c, const char *rest);
