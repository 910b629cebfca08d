/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of this module share. Not for callers. */
#include "mount/mount.h"

#include <sys/mount.h>

#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000 /* Linux 5.14 */
#endif

/* mount_setattr on the mount behind fd. Changing the atime mode needs the whole field in 'clear',
 * which is added here. propagation 0: unchanged. Nothing to do is no system call. */
int mount_change(int fd, uint64_t set, uint64_t clear, uint64_t propagation, bool recursive);
/* A detached clone of what fd refers to. */
int mount_clone(int fd, bool recursive);
/* fsopen, options, fsmount: a new detached mount. The error text holds what the file system said.
 */
int mount_new_fs(const char *fstype, const char *source, const char *const *data,
        unsigned int attrs, int *ret_fd, struct err *err);
/* Appends the complaints in a file system context's log to err, after the errno's own text. */
int mount_fs_error(int fsfd, int code, struct err *err, const char *what);
bool mount_fd_is_procfs(int fd);
bool mount_fd_is_dir(int fd);
/* True for names that are a process of procfs. */
bool mount_is_pid_name(const char *name);
/* err_errno with a text that came from outside as its subject. */
int mount_path_error(struct err *err, int code, const char *what, const char *path);

/* Opens the target of a file system mount, made when missing; refuses "/" and most of /proc. */
int mount_open_target(
        int rootfd, const char *target, bool as_dir, bool no_links, int *ret_fd, struct err *err);
/* Fills the detached, empty file system 'to' with what the folder 'from' holds. */
int mount_copy_up(int from, int to, struct err *err);
