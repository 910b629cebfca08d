/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* --filter of images. All filters must fit, but for those of reference: there one is enough, as
 * docker has it. */
#include "store/store.h"

struct image_filter {
	char **references, **labels; /* strv; patterns, KEY or KEY=VALUE */
	int dangling;                /* 0: not asked, 1: only without a name, -1: only with one */
	bool has_before, has_since;
	int64_t before, since; /* created strictly before and after, in seconds */
};

void image_filter_done(struct image_filter *f);
/* Reads KEY=VALUE texts (NULL: none) and checks them; store may be NULL when there is none. Errors:
 * -EINVAL, -ENOENT (before or since names no image). */
int image_filter_parse(char *const *texts, struct store *store, int64_t now,
        struct image_filter *ret, struct err *err);
/* 1 when the image fits, apart from its names. */
int image_filter_fits(const struct image_filter *f, struct store *store,
        const struct store_image *image, struct err *err);
/* True when one name of an image fits; NULL: an image without names. */
bool image_filter_name(const struct image_filter *f, const char *name);
