/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* --cap-add and --cap-drop. */
#include "base/err.h"

/* The set that a container starts with, by docker's rule: "--cap-add ALL" is everything but what is
 * dropped by name; "--cap-drop ALL" leaves what is added; else what is dropped goes from the
 * default set first, and then what is added comes. Names with or without "CAP_", any case. -EINVAL
 * in docker's words. */
int caps_opt_apply(uint64_t defaults, const char *const *add, const char *const *drop,
        uint64_t *ret, struct err *err);
