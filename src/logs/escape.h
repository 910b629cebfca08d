/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Bytes to the inside of a JSON string, exactly as docker's json-file driver writes it. What comes
 * out is always valid, whatever goes in. No memory, no state.
 */
#include "base/base.h"

enum { LOG_ESCAPE_MAX = 6 }; /* bytes that one byte can become */

/* Writes the escaped form of in[0..len) to out, as much as fits into 'room' (LOG_ESCAPE_MAX at
 * least); *ret_used says how many bytes of 'in' it was. Returns the bytes written. 'in' must not
 * end inside a character that goes on elsewhere: its bytes would be taken for invalid ones. */
size_t log_escape(const char *in, size_t len, size_t *ret_used, char *out, size_t room);
/* The length of the escaped form. */
size_t log_escaped_len(const char *in, size_t len);
/* The length of the UTF-8 character of two to four bytes at p, 0 when there is none: no overlong
 * form, no surrogate, nothing beyond U+10FFFF. */
size_t log_character_len(const char *p, size_t len);
/* How much of in[0..len) can be cut off without cutting a UTF-8 character: len, or up to three
 * less. */
size_t log_cut_len(const char *in, size_t len);
