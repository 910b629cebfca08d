/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One record of comma-separated values. Internal to mounts. */
#include "base/err.h"

/* The fields of the first record of the text, as encoding/csv of Go reads them: a field may stand
 * between double quotes, in which "" is a quote; a quote anywhere else is an error; empty lines
 * before the record are skipped, what stands behind its line is ignored. *ret_fields is a new strv.
 * -EINVAL with the line and column. */
int mounts_csv(const char *text, char ***ret_fields, struct err *err);
