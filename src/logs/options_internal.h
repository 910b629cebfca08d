/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The parts of reading options: the options themselves (options.c), and what they add to each line
 * (extra.c). */
#include "base/arena.h"
#include "logs/options.h"

enum log_option {
	LOG_OPT_COMPRESS,
	LOG_OPT_ENV,
	LOG_OPT_ENV_REGEX,
	LOG_OPT_LABELS,
	LOG_OPT_LABELS_REGEX,
	LOG_OPT_MAX_BUFFER,
	LOG_OPT_MAX_BURST,
	LOG_OPT_MAX_FILE,
	LOG_OPT_MAX_RATE,
	LOG_OPT_MAX_SIZE,
	LOG_OPT_MODE,
	LOG_OPT_TAG,
	LOG_OPT_N,
};

struct log_options {
	const char *value[LOG_OPT_N]; /* NULL: not given */
	const struct log_subject *subject;
	struct arena *arena;
	struct log_config config;
	struct err *err;
};

/* Fills config.extra from labels, env and tag. */
int log_options_extra(struct log_options *o);
