/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* --ulimit: docker's names of resource limits. */
#include "engine/config.h"

/* The RLIMIT_* number and name ("RLIMIT_NOFILE"; may be NULL) of "nofile"; -ENOENT. */
int ulimit_resource(const char *name, const char **ret_rlimit);
/* "nofile=1024:2048"; the name belongs to the table. -EINVAL in docker's words. */
int ulimit_parse(const char *text, struct config_ulimit *ret, struct err *err);
/* -EINVAL: an unknown name, or a soft limit above the hard one. */
int ulimit_check(const struct config_ulimit *u, struct err *err);
