/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Lists of CPUs and of memory nodes: "0-2,5". */
#include "base/base.h"

#include <sched.h>
#include <stdbool.h>

/* Whether the text is such a list. */
bool cpulist_is_valid(const char *list);
/* Whether all members of 'wanted' are in 'all'. NULL and "" are in every list; a text that is no
 * list is in none. */
bool cpulist_has(const char *all, const char *wanted);
/* The set as a list; one that does not fit is cut behind a whole member. */
void cpulist_format(const cpu_set_t *set, char *out, size_t size);
/* The memory nodes of this machine; "0" when the kernel does not tell. */
void cpulist_nodes(char *out, size_t size);
