/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Values that 'update' reads as 'run' does; for the tables of options. Docker's words for wrong
 * ones. */
#include "base/err.h"

struct config;

/* uint64_t: a size in bytes. */
int create_parse_size(const char *text, void *field, struct err *err);
/* int64_t: a size, or -1. */
int create_parse_swap(const char *text, void *field, struct err *err);
/* int64_t */
int create_parse_number(const char *text, void *field, struct err *err);
/* int64_t, not negative */
int create_parse_positive(const char *text, void *field, struct err *err);
/* uint64_t: 1.5 CPUs in thousandths of a millionth */
int create_parse_cpus(const char *text, void *field, struct err *err);
/* --restart into the configuration; config_check knows the names. */
int create_restart(struct config *c, const char *text, struct err *err);
