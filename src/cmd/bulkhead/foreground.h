/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What commands in the foreground share. */
#include "bulkhead.h"

#include "base/err.h"

/* The exit code for what console_run and attach_serve returned, with its words. */
int foreground_result(int result, int code, const struct err *err);
/* A warning of the engine. */
void foreground_warn(const char *text);
