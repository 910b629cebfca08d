/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the prune commands share. */
#include "base/buf.h"
#include "base/err.h"

#include <stdint.h>

/* Takes KEY=VALUE of --filter apart. *ret_key is new memory, *ret_value points into filter. -EINVAL
 * in docker's words. */
int prune_filter(const char *filter, char **ret_key, const char **ret_value, struct err *err);
/* The sentence for a key that the command does not know: -EINVAL. */
int prune_unknown_filter(const char *key, struct err *err);
/* The last line, after an empty one when something was removed. */
void prune_total(struct buf *out, uint64_t bytes);
