/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * 'inspect --security': what protects one container, in words.
 *
 * Theory of operation: of a container that runs, the shim gives the very plan that it executed; of
 * one that does not, the plan is compiled as the next start would do it. The table comes from that
 * plan (security.h), and below it stands what the configuration grants beyond the default.
 */
#include "base/buf.h"
#include "engine/containers.h"

/* Appends the words. The folder of c must be open. */
int protection_describe(struct engine *e, struct container *c, struct buf *out, struct err *err);
