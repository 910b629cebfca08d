/* SPDX-License-Identifier: Apache-2.0 */
#include "logkit.h"

#include "base/buf.h"
#include "base/fd.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int64_t logkit_real, logkit_mono;
static struct log_writer writer;
static int dirfd_ = -EBADF;
static char dir_path[PATH_MAX];

static int64_t test_clock(clockid_t id)
{
	return id == CLOCK_REALTIME ? logkit_real : logkit_mono;
}

struct log_config logkit_config(void)
{
	return (struct log_config){ .driver = LOG_DRIVER_JSON_FILE, .max_files = 1 };
}

int logkit_dir(void)
{
	const char *path = testkit_scratch();

	if (dirfd_ < 0 || strcmp(path, dir_path) != 0) { /* a test that failed leaves it open */
		(void) fd_close(dirfd_);
		dirfd_ = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		(void) snprintf(dir_path, sizeof(dir_path), "%s", path);
	}
	assert_true(dirfd_ >= 0);
	return dirfd_;
}

struct log_writer *logkit_reopen(const struct log_config *config)
{
	struct err err;

	if (log_writer_open(&writer, config, logkit_dir(), -EBADF, &err) < 0)
		fail_msg("%s", err.text);
	writer.clock = test_clock;
	writer.tokens_at = logkit_mono;
	return &writer;
}

struct log_writer *logkit_open(const struct log_config *config)
{
	logkit_real = LOGKIT_START;
	logkit_mono = 1000 * 1000000000LL;
	return logkit_reopen(config);
}

void logkit_close(void)
{
	log_writer_close(&writer);
	dirfd_ = fd_close(dirfd_);
}

void logkit_write(enum log_stream stream, const char *text)
{
	log_writer_write(&writer, stream, text, strlen(text));
}

char *logkit_read(const char *name, size_t *ret_len)
{
	_buf_done_ struct buf b = BUF_INIT(64 << 20);

	if (buf_read_file(&b, logkit_dir(), name) < 0)
		return NULL;
	if (ret_len)
		*ret_len = b.len;
	return buf_take(&b);
}

void logkit_put(const char *name, const void *data, size_t len)
{
	_close_ int fd = openat(logkit_dir(), name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, data, len), 0);
}

void logkit_assert_file(const char *name, const char *text)
{
	_free_ char *got = logkit_read(name, NULL);

	if (!text && got)
		fail_msg("'%s' is there", name);
	else if (text && !got)
		fail_msg("'%s' is not there", name);
	else if (text)
		assert_string_equal(got, text);
}
