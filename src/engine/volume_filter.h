/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The system calls of the child that copies from an image. Internal to volumes. */
#include "base/err.h"

/* From now on the calling process can copy files and end, and nothing else; anything else ends it.
 */
int volume_filter_enter(struct err *err);
