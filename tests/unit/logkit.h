/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the tests of container logs share: a writer with a clock that the test owns, and files as
 * texts. */
#include "logs/writer.h"
#include "testkit.h"

/* 2026-01-31T12:00:00.123456789Z; the writer's clock starts there in each logkit_open. */
#define LOGKIT_START 1769860800123456789LL
extern int64_t logkit_real, logkit_mono;

/* A json-file configuration: no limit, one file. */
struct log_config logkit_config(void);
/* The scratch folder, opened once a test; logkit_close closes it. */
int logkit_dir(void);
/* The one writer of the tests, on the scratch folder. */
struct log_writer *logkit_open(const struct log_config *config);
/* As above, without touching the clock. */
struct log_writer *logkit_reopen(const struct log_config *config);
void logkit_close(void);

void logkit_write(enum log_stream stream, const char *text);
/* The content of a file in the scratch folder, or NULL; free() it. ret_len may be NULL. */
char *logkit_read(const char *name, size_t *ret_len);
void logkit_put(const char *name, const void *data, size_t len);
/* Asserts that a file of the folder is exactly this text (NULL: that it is not there). */
void logkit_assert_file(const char *name, const char *text);
