/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Internal to the plan's codec and printer: the table of fields of every kind of step.
 *
 * Each field names its place in struct plan_step, how it is encoded, and how it is shown. The codec
 * and the printer have no knowledge of kinds beyond this table.
 */
#include "plan/plan.h"

#include <stdbool.h>

enum field_type {
	FIELD_U32,
	FIELD_U64,
	FIELD_I64,
	FIELD_STR,
	FIELD_STRV,
	FIELD_BYTES, /* pointer at offset, uint32_t size at size_offset */
};

/* How the printer shows the value; a number is decimal by default. */
enum field_show {
	SHOW_PLAIN,
	SHOW_ALWAYS, /* decimal, also when it is zero */
	SHOW_OCTAL,
	SHOW_HEX,
	SHOW_CHAR,
	SHOW_CAPS,
	SHOW_MOUNT_ATTR,
	SHOW_PROPAGATION,
	SHOW_NAMESPACE,
	SHOW_RLIMIT,
	SHOW_ACCESS,
	SHOW_MOUNT_KIND,
	SHOW_LANDLOCK_FS,
	SHOW_FILTER,
};

struct plan_field {
	const char *name;
	enum field_type type;
	enum field_show show;
	uint16_t offset, size_offset;
};

struct plan_layout {
	const char *name;
	bool many; /* a plan may have more than one of this kind */
	uint8_t n_fields;
	const struct plan_field *fields;
};

/* NULL for a number that is no kind. */
const struct plan_layout *plan_layout_of(unsigned int kind);
