/* SPDX-License-Identifier: Apache-2.0 */
/* Reading what a group counts. */
#include "cgroup/cgroup.h"

#include "base/buf.h"
#include "base/fd.h"
#include "base/str.h"
#include "cgroup/internal.h"

#include <fcntl.h>
#include <stdio.h>

enum { COUNTERS_MAX = 4096 };

/* The number behind "key " at the beginning of a line. */
static int find_counter(const char *text, const char *key, uint64_t *ret)
{
	size_t len = strlen(key);

	for (const char *line = text; line && *line; line = strchr(line, '\n')) {
		_free_ char *number = NULL;

		line += *line == '\n';
		if (strncmp(line, key, len) != 0 || line[len] != ' ')
			continue;
		number = xstrndup(line + len + 1, strcspn(line + len + 1, "\n"));
		return num_parse_u64(number, ret);
	}
	return -ENOENT;
}

int cgroup_oom_kills(const struct cgroup_handle *handle, uint64_t *ret)
{
	const char *v1 = cgroup_v1_folder(handle, "memory");
	_buf_done_ struct buf text = BUF_INIT(COUNTERS_MAX);
	_close_ int fd = v1 ? cgroup_open_file(handle, v1, "memory.oom_control", O_RDONLY)
	                    : cgroup_open_file(handle, handle->v2_name ? handle->v2_name : "",
	                              "memory.events", O_RDONLY);
	int r = fd < 0 ? fd : buf_read_fd(&text, fd);

	return r < 0 ? r : find_counter(buf_str(&text), "oom_kill", ret);
}
