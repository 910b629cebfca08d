/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the parsers of mounts share. Not for callers. */
#include "engine/mounts.h"

/* A mount before its option was read: no text is NULL. */
#define MOUNTS_DEFAULT(kind)                                                                       \
	{                                                                                          \
		.type = (kind), .source = "", .target = "", .propagation = "rprivate"              \
	}

/* Takes back what belongs to another type than the mount turned out to have. */
static inline void mounts_finish(struct config_mount *m)
{
	if (m->type != CONFIG_BIND)
		m->propagation = "";
}

/* A mode: octal digits, at most 07777. 0 or -EINVAL. */
int mounts_parse_mode_number(const char *text, uint32_t *ret);
