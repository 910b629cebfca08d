/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * docker's --log-driver and --log-opt texts to a log configuration.
 *
 * Theory of operation: a pure function of its arguments. The options are those of docker, and so
 * are the words for unknown ones. What differs:
 *   max-size=SIZE    bytes of one file, factor 1024; default 16 MiB, not unlimited ("-1" is that)
 *   max-file=N       default 4, 1 to LOG_FILES_MAX
 *   max-rate=SIZE    ours: bytes a second that are kept, the rest is dropped and counted (writer.h)
 *   max-burst=SIZE   ours: bytes at once in spite of max-rate; default max-rate, 64 KiB at least
 *   compress         only false; mode: only blocking, which never waits here (writer.h)
 *   labels-regex, env-regex: refused; what a line tells is named one by one
 * labels and env choose what stands in each line; the values are an image's or a user's and are
 * escaped. For the journal their names become capital letters, digits and '_'; one that would take
 * the place of a field of ours is refused. tag is docker's template with ID, FullID, Name, ImageID,
 * ImageFullID, ImageName and DaemonName.
 */
#include "logs/config.h"

struct arena;

struct log_label {
	const char *key, *value;
};

/* The container that is to be logged. No member may be NULL but the lists. */
struct log_subject {
	const char *id;       /* 64 hexadecimal digits */
	const char *name;     /* without a '/' */
	const char *image;    /* as the user wrote it */
	const char *image_id; /* "sha256:..." */
	const struct log_label *labels;
	size_t n_labels;
	const char *const *env; /* KEY=VALUE, NULL-terminated, or NULL */
};

/* driver NULL or "": json-file. opts: KEY=VALUE, NULL-terminated, or NULL; of two equal keys the
 * last counts. ret->extra lives in the arena. Errors: -EINVAL, -EMSGSIZE (labels, variables and tag
 * beyond LOG_EXTRA_MAX). */
int log_options_parse(const char *driver, const char *const *opts,
        const struct log_subject *subject, struct arena *arena, struct log_config *ret,
        struct err *err);
