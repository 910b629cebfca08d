/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of this module share; nobody else includes it (tests of the device program do). */
#include "cgroup/cgroup.h"

#include <linux/bpf.h>

#define CGROUP_ROOT "/sys/fs/cgroup"

enum {
	CGROUP_FILE_MAX = 16 << 20, /* bytes of a cgroup.procs */
	CGROUP_SHORT_MAX = 64 << 10,
};

/* True if 'word' is one of the words of 'list' that stand between 'sep's. */
bool cgroup_list_has(const char *list, char sep, const char *word);
/* The folder of a v1 hierarchy by its name or by one of its controllers; NULL. */
const char *cgroup_v1_folder(const struct cgroup_handle *handle, const char *name);
/* Opens FOLDER/PATH/file ("": the group's folder itself) of a group below the root. */
int cgroup_open_file(
        const struct cgroup_handle *handle, const char *folder, const char *file, int flags);
/* Writes value with one write(2) to such a file. */
int cgroup_write(const struct cgroup_handle *handle, const char *folder, const char *file,
        const char *value);
/* 1: the folder's group has members (nested ones too), 0: empty, negative errno: unknown. */
int cgroup_populated(const struct cgroup_handle *handle, const char *folder);
/* Fills a handle without making or opening groups. */
int cgroup_handle_init(
        const struct cgroup_group *group, struct cgroup_handle *ret, struct err *err);
/* Removes the empty groups of a path in one hierarchy from the leaf up, down to 'keep' names. */
void cgroup_prune(
        const struct cgroup_handle *handle, const char *folder, size_t keep, bool leaf_is_gone);
/* Number of names in a clean path. */
size_t cgroup_path_depth(const char *path);

enum {
	CGROUP_DEVICE_INSNS = 12, /* instructions for one rule, at most */
	CGROUP_DEVICE_FRAME = 12, /* and around them */
};
/* The device program: at most max instructions into out. Returns their number, or -E2BIG. */
int cgroup_device_program(
        const struct oci_device_rule *rules, size_t n, struct bpf_insn *out, size_t max);
/* Loads it and attaches it to the group v2_fd. */
int cgroup_device_attach(int v2_fd, const struct oci_device_rule *rules, size_t n, struct err *err);
/* The rules as one default and its exceptions, which is what v1 can say. out has room for 2 * n.
 * Returns the number of exceptions, or -EOPNOTSUPP. */
int cgroup_device_reduce(const struct oci_device_rule *rules, size_t n, bool *ret_default_allow,
        struct oci_device_rule *out);
