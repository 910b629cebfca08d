/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The parts of config_check() that have a file of their own. Private to check*.c and the builders,
 * which ask again for what they are about to use. */
#include "engine/config.h"

int check_mounts(const struct config *c, struct err *err);
int check_sysctls(const struct config *c, struct err *err);
int check_network(const struct config *c, struct err *err);

/* -EINVAL with the sentence; foreign bytes in it are escaped, wherever they stand. */
int check_refuse(struct err *err, const char *fmt, ...) _printf_(2, 3);
/* Printable ASCII without blanks. */
bool check_is_graphic(const char *text);
