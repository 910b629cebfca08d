/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The folders of volumes. Internal to volumes.
 *
 *   volumes/NAME/_data    what containers mount; a flock on volumes/NAME is held by who fills it
 *   volumes/.fill-NAME    being copied from an image: worth nothing when its maker is gone
 *   volumes/.full-NAME    copied whole, and on its way to _data: whoever finds it moves on
 *   volumes/.gone-HEX     being removed
 */
#include "base/err.h"

#include <dirent.h>
#include <stdbool.h>

struct engine;

#define VOLUME_FILL ".fill-"
#define VOLUME_FULL ".full-"
#define VOLUME_GONE ".gone-"

/* The absolute path of the folder with all volumes; new memory. */
char *volume_folder_path(struct engine *e);
/* Opens the folder 'volumes' (made when 'make'). -ENOENT without a text: there is none. */
int volume_folder_open(struct engine *e, bool make, int *ret_fd, struct err *err);
/* Opens a folder, never through a link, to list it. */
int volume_folder_list(int dirfd, const char *name, DIR **ret);
void volume_folder_list_done(DIR **d);
#define _folder_list_ _cleanup_(volume_folder_list_done)
/* The next entry that is not "." or ".."; NULL with errno 0 at the end. */
struct dirent *volume_folder_next(DIR *d);
/* Opens volumes/NAME/_data for reading. */
int volume_folder_data(int volumes, const char *name);
/* Makes what is missing of the folder of a volume. fresh: whatever has its name is a leftover and
 * goes first. Inside a write transaction. */
int volume_folder_make(int volumes, const char *name, bool fresh, struct err *err);
/* Renames everything that has to do with the volume out of the way: from then on it is gone.
 * Appends to *gone (a strv) what is to be deleted after the commit. */
int volume_folder_retire(int volumes, const char *name, char ***gone, struct err *err);
/* Deletes what was retired. Failures are left to the next sweep: nobody refers to it any more. */
void volume_folder_delete(int volumes, char *const *gone);
/* 1: the folder has no entry, 0: it has, or a negative errno. */
int volume_folder_is_empty(int fd);
/* Bytes of the files in a volume. For people: what lies very deep is not counted. */
uint64_t volume_folder_bytes(int volumes, const char *name);
