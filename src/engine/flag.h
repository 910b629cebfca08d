/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Sentences about the values of options, in the words that docker's users and scripts know.
 *
 * Theory of operation: a function that reads the value of an option writes what is wrong with it,
 * and the outermost one puts 'invalid argument "VALUE" for "--NAME" flag: ' before it. Values are
 * quoted so that they cannot drive a terminal or forge a line.
 */
#include "base/err.h"

/* The text between double quotes: '"' and '\' with a '\' before them, control bytes and bytes above
 * 0x7e as \n, \t, \r or \xNN; of a long text the beginning, then "...". New memory. */
char *flag_quoted(const char *text);
/* Puts 'invalid argument "VALUE" for "--NAME" flag: ' before the text in err; returns code. */
int flag_invalid(const char *name, const char *value, int code, struct err *err);
