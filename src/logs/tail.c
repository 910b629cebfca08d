/* SPDX-License-Identifier: Apache-2.0 */
#include "logs/reader_internal.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

/* Looks backwards from the end of a file for the newline before its last *lines lines. Returns 1
 * and the offset behind it, or 0 with *lines less by those that the file has. */
static int count_back(int fd, uint64_t *lines, char *scratch, uint64_t *ret_offset)
{
	struct stat st;
	uint64_t end;

	if (fstat(fd, &st) < 0)
		return -errno;
	end = (uint64_t) st.st_size;
	while (end > 0) {
		size_t n = MIN(end, (uint64_t) LOG_READ_SIZE);
		ssize_t got = pread(fd, scratch, n, (off_t) (end - n));
		const char *newline;

		if (got < 0)
			return -errno;
		/* less than asked for: the file was cut meanwhile */
		while ((newline = memrchr(scratch, '\n', (size_t) got))) {
			got = newline - scratch;
			if ((*lines)-- == 0) {
				*ret_offset = end - n + (uint64_t) got + 1;
				return 1;
			}
		}
		end -= n;
	}
	return 0;
}

int log_tail_find(
        int dirfd, struct log_file *file, uint64_t lines, char *scratch, uint64_t *ret_offset)
{
	for (;;) {
		struct log_file older = { .fd = -EBADF };
		int r = count_back(file->fd, &lines, scratch, ret_offset);

		if (r != 0)
			return MIN(r, 0);
		*ret_offset = 0;
		if (lines == 0)
			return 0;
		r = log_file_previous(dirfd, file, &older);
		if (r <= 0)
			return r;
		log_file_replace(file, &older);
	}
}
