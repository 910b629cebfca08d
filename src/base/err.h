/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Error texts that travel upwards.
 *
 * A function returns 0 or a positive result on success and a negative errno on failure; at the
 * border of a module it also takes 'struct err *err' as its last argument and writes a sentence
 * into it, only on failure. The object lives on the caller's stack and needs no cleanup; err may be
 * NULL where the caller does not want the text. Texts are lower case, without a full stop, name
 * what failed, on what (in single quotes), why, and what to do. Bytes that came from outside are
 * escaped before they are put in (str_escape).
 */
#include "base/base.h"

enum { ERR_TEXT_MAX = 1024 };

struct err {
	int code; /* negative errno, 0 when nothing was set */
	char text[ERR_TEXT_MAX];
};

/* Writes the text and returns code (a negative errno), for: return err_set(err, -EINVAL, "..."). */
int err_set(struct err *err, int code, const char *fmt, ...) _printf_(3, 4);
/* The same, followed by ": " and the text of the errno. */
int err_errno(struct err *err, int code, const char *fmt, ...) _printf_(3, 4);
/* Puts "prefix: " before a text that is already there; returns err->code (or code when err is
 * NULL). */
int err_prefix(struct err *err, int code, const char *fmt, ...) _printf_(3, 4);
