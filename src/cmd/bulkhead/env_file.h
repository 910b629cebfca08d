/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Variables and labels from the command line and from files, in docker's syntax. */
#include "base/err.h"

enum {
	ENV_FILE_MAX = 4 << 20, /* bytes of one file */
	ENV_FILE_ENTRIES_MAX = 4096,
};

/* -e: KEY=VALUE as it is; KEY becomes KEY=VALUE with our own value, and stays KEY when we have
 * none. Appends to the strv *ret. -EINVAL: "=VALUE". */
int env_add(const char *text, char ***ret, struct err *err);
/* The check alone, for option tables. */
int env_check(const char *text, void *field, struct err *err);
/* --env-file: a variable a line, blanks in front, empty lines and lines with '#' are skipped; KEY
 * alone is taken from our environment, or left out. Appends to *ret. -EINVAL: a name with blanks,
 * or bytes that are not UTF-8; or why the file cannot be read. */
int env_file_read(const char *path, char ***ret, struct err *err);
/* --label-file: the same, and KEY alone is an empty label. */
int label_file_read(const char *path, char ***ret, struct err *err);
