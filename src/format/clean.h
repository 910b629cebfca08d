/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Foreign text on a terminal.
 *
 * A terminal obeys control bytes: escape sequences rewrite what is on the screen, some answer as if
 * the user had typed. And a tab or a new line in a cell forges a column or a row. So what comes
 * from a container is cleaned: control characters of ASCII and C1, DEL, bytes that are not UTF-8,
 * and the characters that turn the direction of text or begin a line (U+2028 to U+202E, U+2066 to
 * U+2069) are shown as \xNN; everything else stays as it is.
 */
#include "base/buf.h"

/* The character at the start of s: its length (1 to 4), 0 when the bytes are not UTF-8 (or len is
 * 0). */
size_t utf8_decode(const char *s, size_t len, uint32_t *ret);
/* Writes a character (at most U+10FFFF); returns the number of bytes, 1 to 4. */
size_t utf8_encode(uint32_t c, char out[4]);
/* The number of characters; a byte that is not UTF-8 counts as one. */
size_t utf8_count(const char *s, size_t len);
/* Appends s cleaned; returns 0 or -EMSGSIZE. */
int format_clean(struct buf *out, const char *s, size_t len);
