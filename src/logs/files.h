/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The files of a log while somebody rotates them.
 *
 * Theory of operation: names move, inodes stay. A listing is a snapshot that may be wrong by the
 * time it is used, so whatever is opened by its name is compared with the listing, and the file at
 * hand must still have the name that the listing gave it; else all is done again.
 */
#include "base/base.h"

#include <stdbool.h>
#include <sys/types.h>

struct log_file {
	int fd; /* owned; -EBADF when empty */
	dev_t dev;
	ino_t ino;
};

/* Each opens a file for reading and returns 1, 0 when there is none, or a negative errno. */
int log_file_newest(int dirfd, struct log_file *ret);
int log_file_oldest(int dirfd, struct log_file *ret);
/* The file after 'file' in time; the oldest there is, when 'file' itself is gone. */
int log_file_next(int dirfd, const struct log_file *file, struct log_file *ret);
/* The file before; 0 also when 'file' itself is gone. */
int log_file_previous(int dirfd, const struct log_file *file, struct log_file *ret);
/* True when the file is 'log' itself: the cheap question before log_file_next. */
bool log_file_is_newest(int dirfd, const struct log_file *file);
/* Closes the old file and takes the new one. */
void log_file_replace(struct log_file *file, struct log_file *with);
