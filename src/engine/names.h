/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Random ids and made-up names. */
#include "base/base.h"

/* Writes 'digits' random hexadecimal digits (at most 128) and a NUL. Returns 0 or a negative errno.
 */
int name_random_hex(char *out, size_t digits);
/* "brisk_cutter_417"; not unique: the caller tries again when it is taken. New memory. */
char *name_made_up(void);
