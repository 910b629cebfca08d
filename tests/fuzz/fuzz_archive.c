/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes are decompressed and extracted into a scratch folder, without the sandbox. Whatever they
 * are, the folder beside it must not change, and extraction must end within its limits.
 */
#include "archive/extract.h"
#include "archive/inflate.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/tree.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STREAM_MAX = 4 << 20 };

struct input {
	const uint8_t *data;
	size_t len;
};

struct pipe_end {
	struct inflate *z;
	size_t total;
};

static int fill_raw(void *userdata, const uint8_t **ret, size_t *ret_len, _unused_ struct err *err)
{
	struct input *in = userdata;

	*ret = in->data;
	*ret_len = in->len;
	in->len = 0;
	return 0;
}

static int fill_tar(void *userdata, const uint8_t **ret, size_t *ret_len, struct err *err)
{
	struct pipe_end *p = userdata;
	ssize_t n = inflate_read(p->z, ret, err);

	if (n < 0)
		return (int) n;
	p->total += (size_t) n;
	if (p->total > STREAM_MAX)
		return err_set(err, -EFBIG, "enough");
	*ret_len = (size_t) n;
	return 0;
}

/* top/layer is extracted into, top/guard/file must stay. */
static void extract(int top, int layer, const uint8_t *data, size_t size)
{
	const struct extract_limits limits = { .content_bytes = 1 << 20, .entries = 200 };
	_inflate_free_ struct inflate *z = NULL;
	struct input in = { data, size };
	struct extract_stats stats;
	struct pipe_end end = { 0 };
	struct err err = { 0 };
	struct stat st;

	if (inflate_new(fill_raw, &in, &z, &err) < 0)
		abort();
	end.z = z;
	if (extract_tar(layer, fill_tar, &end, &limits, &stats, &err) < 0 && !err.text[0])
		abort();
	if (fstatat(top, "guard/file", &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode) ||
	        st.st_size != 0 || st.st_nlink != 1 || (st.st_mode & 07777) != 0600)
		abort();
	if (fstatat(top, "guard", &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode) ||
	        st.st_nlink != 2)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[] = "/tmp/bulkhead-fuzz-XXXXXX";
	_close_ int tmp = -EBADF, top = -EBADF, layer = -EBADF, guard = -EBADF, back = -EBADF;

	(void) umask(0);
	if (!mkdtemp(path))
		abort();
	back = path_open_in(AT_FDCWD, ".", PATH_BENEATH, O_PATH | O_DIRECTORY, 0);
	tmp = open("/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC);
	top = path_open_in(tmp, strrchr(path, '/') + 1, PATH_BENEATH, O_PATH | O_DIRECTORY, 0);
	if (top < 0 || mkdirat(top, "layer", 0755) < 0 || mkdirat(top, "guard", 0755) < 0)
		abort();
	guard = path_open_in(top, "guard/file", PATH_BENEATH, O_CREAT | O_EXCL | O_WRONLY, 0600);
	layer = path_open_in(top, "layer", PATH_BENEATH, O_PATH | O_DIRECTORY, 0);
	if (guard < 0 || layer < 0)
		abort();
	extract(top, layer, data, size);
	/* Extraction changes the working folder (extended attributes of what has no descriptor). */
	if (fchdir(back) < 0 || tree_remove(tmp, strrchr(path, '/') + 1) < 0)
		abort();
	return 0;
}
