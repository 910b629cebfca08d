/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Private to the engine: the control groups of a container by their path. */
#include "cgroup/cgroup.h"

/* The absolute, clean path "PARENT/ID"; parent "" or NULL: the default, "/bulkhead". */
int groups_path(const char *parent, const char *id, char **ret, struct err *err);
/* Kills what is left in the groups and removes them. Those that are gone are no error. */
int groups_remove(const char *path, struct err *err);
/* Opens them. -ENOENT: there are none. */
int groups_open(const char *path, struct cgroup_handle *ret, struct err *err);
/* The group of the shims, "PARENT/shims" for a container "PARENT/ID", made when it is missing. A
 * shim that stayed in the group of its starter would end with it: systemd kills the whole group of
 * a unit or a session. *ret stays empty where groups cannot be made. facts: NULL, none are used. */
int groups_shims(const char *path, const struct cgroup_facts *facts, struct cgroup_handle *ret,
        struct err *err);
