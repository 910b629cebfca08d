/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Questions to a person, as docker asks them. */
#include <stdbool.h>

/* Prints the text and " [y/N] " to stdout and reads one line of stdin. True for "y" or "Y" alone;
 * anything else, and the end of stdin, is no. */
bool confirm(const char *question);
