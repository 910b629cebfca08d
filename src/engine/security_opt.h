/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* --security-opt, in docker's spelling. Of options that contradict each other the last counts. */
#include "base/err.h"

#include <stdbool.h>

struct security_opt {
	bool seccomp_off;    /* seccomp=unconfined */
	const char *profile; /* seccomp={...}: the JSON text, in the option; NULL: the default */
	bool system_paths;   /* systempaths=unconfined: /proc is neither covered nor read-only */
};

/* list may be NULL. -EINVAL, -EOPNOTSUPP with the sentence. */
int security_opt_parse(const char *const *list, struct security_opt *ret, struct err *err);

/* What the command line says to what a configuration keeps: the file of "seccomp=FILE" is read and
 * its JSON put in its place, as docker's client does. *ret is new memory. */
int security_opt_load(const char *option, char **ret, struct err *err);
