/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Paths that a container or an image can influence are opened here and nowhere else.
 *
 * Callers pass the folder by descriptor and a relative or absolute name that is resolved inside it;
 * they act on the descriptor that comes back and check what they opened, not what they named (rule
 * R1; CVE-2019-19921, CVE-2021-30465, CVE-2025-31133). Resolution is the kernel's own (openat2), so
 * no race can change the meaning half-way. All functions retry EAGAIN a bounded number of times
 * (openat2 gives it when a rename ran beside ..).
 */
#include "base/base.h"

#include <sys/types.h>

enum path_policy {
	/* Symbolic links are followed as if 'rootfd' were "/"; magic links (proc) are refused. */
	PATH_IN_ROOT,
	/* As above, and any symbolic link in the path is refused (-ELOOP). */
	PATH_IN_ROOT_NO_LINKS,
	/* Stays below 'rootfd'; "..", absolute links and magic links that leave it are an error
	   (-EXDEV). */
	PATH_BENEATH,
	/* As PATH_BENEATH, and any symbolic link in the path is refused (-ELOOP). */
	PATH_BENEATH_NO_LINKS,
};

/* Opens 'path' inside rootfd with O_* flags. Returns the new fd or a negative errno. */
int path_open_in(int rootfd, const char *path, enum path_policy policy, int flags, mode_t mode);
/* Opens the folder 'path' inside rootfd (O_PATH), making missing folders with 'mode' on the way,
 * never through a magic link. Links that exist are followed inside the root, and what they name is
 * made too. Returns an O_PATH fd. */
int path_make_dirs_in(int rootfd, const char *path, mode_t mode);
/* Opens the file 'path' inside rootfd (O_PATH), making it empty with 'mode' when it is missing
 * (missing folders too). A link whose target is missing is followed inside the root, and the target
 * is made (/etc/resolv.conf of many images).
 */
int path_make_file_in(int rootfd, const char *path, mode_t mode);
/* Cleans a path as text: one leading '/', no '.', no empty part, '..' removed with its parent. New
 * memory. */
char *path_clean(const char *path);
/* True for a name that can be one folder entry: not empty, not "." or "..", no '/', at most 255
 * bytes. */
int path_is_name(const char *name);
