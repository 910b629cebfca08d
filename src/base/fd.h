/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * File descriptors. Every fd is close-on-exec from birth; -EBADF marks an empty variable; a
 * function borrows the fds it is given unless its name has _take.
 */
#include "base/base.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/types.h>

/* Closes fd when it is valid; keeps errno; returns -EBADF, for: fd = fd_close(fd). */
int fd_close(int fd);
/* Writes all of it, through EINTR and short writes. Returns 0 or a negative errno. */
int fd_write_all(int fd, const void *data, size_t len);
/* A copy of fd, close-on-exec, numbered 3 or more. */
int fd_dup(int fd);
/* Opens 'path' below dirfd for writing, writes s in one write(2), closes. For kernel files (procfs,
 * cgroupfs). */
int fd_write_file(int dirfd, const char *path, const char *s);
/* Creates or replaces the file 'name' in dirfd atomically (a temporary file and rename). sync:
 * fsync before the rename.
 */
int fd_replace_file(
        int dirfd, const char *name, const void *data, size_t len, mode_t mode, bool sync);
/* A memfd with the given content, sealed against any change (write, grow, shrink, seal). */
int fd_sealed(const char *name, const void *data, size_t len, int *ret_fd);
/* True if a and b are the same inode of the same device. */
bool fd_same_file(int a, int b);
