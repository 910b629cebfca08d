/* SPDX-License-Identifier: Apache-2.0 */
#include "archive/extract.h"
#include "archive/inflate.h"
#include "archive/place.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "base/tree.h"
#include "testkit.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

/* --- names ------------------------------------------------------------------------------------ */

static void names_are_cleaned(void **state)
{
	static const char *const cases[][2] = {
		{ "a", "a" },
		{ "/a", "a" },
		{ "./a/", "a" },
		{ "//a//./b/.", "a/b" },
		{ ".", "" },
		{ "./", "" },
		{ "/", "" },
		{ "...", "..." },
		{ "a..", "a.." },
		{ "..a/b", "..a/b" },
	};

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_free_ char *name = xstrdup(cases[i][0]);

		assert_int_equal(place_clean_name(name, NULL), 0);
		assert_string_equal(name, cases[i][1]);
	}
}

static void names_with_dotdot_are_refused(void **state)
{
	static const char *const cases[] = { "..", "../a", "a/..", "a/../b", "/..", "./../a",
		"a/.." };

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_free_ char *name = xstrdup(cases[i]);
		struct err err = { 0 };

		assert_int_equal(place_clean_name(name, &err), -EPERM);
		assert_contains(err.text, cases[i]);
	}
}

static void names_have_bounds(void **state)
{
	char part[300] = "", deep[2 * PLACE_DEPTH_MAX + 3] = "";
	_free_ char *longest = NULL;

	(void) state;
	memset(part, 'n', NAME_MAX);
	assert_int_equal(place_clean_name(part, NULL), 0);
	part[NAME_MAX] = 'n';
	assert_int_equal(place_clean_name(part, NULL), -ENAMETOOLONG);
	for (size_t i = 0; i < PLACE_DEPTH_MAX; i++)
		memcpy(deep + 2 * i, "d/", 3);
	assert_int_equal(place_clean_name(deep, NULL), 0);
	memcpy(deep + strlen(deep), "/d", 3);
	assert_int_equal(place_clean_name(deep, NULL), -ELOOP);
	longest = xmalloc(PLACE_PATH_MAX + 2);
	memset(longest, '/', PLACE_PATH_MAX + 1);
	longest[PLACE_PATH_MAX + 1] = '\0';
	assert_int_equal(place_clean_name(longest, NULL), -ENAMETOOLONG);
}

/* --- decompression ---------------------------------------------------------------------------- */

struct source {
	const uint8_t *data;
	size_t len, step; /* step: bytes at once */
};

static int fill(void *userdata, const uint8_t **ret, size_t *ret_len, struct err *err)
{
	struct source *s = userdata;

	(void) err;
	*ret = s->data;
	*ret_len = MIN(s->len, s->step);
	s->data += *ret_len;
	s->len -= *ret_len;
	return 0;
}

/* The whole of it, or the error. */
static ssize_t inflate_all(
        const void *data, size_t len, size_t step, struct buf *out, struct err *err)
{
	struct source s = { data, len, step };
	_inflate_free_ struct inflate *z = NULL;
	ssize_t n;

	assert_int_equal(inflate_new(fill, &s, &z, err), 0);
	do {
		const uint8_t *block = NULL;

		n = inflate_read(z, &block, err);
		if (n > 0)
			(void) buf_add(out, block, (size_t) n);
	} while (n > 0);
	return n;
}

static size_t gzip(const char *text, uint8_t *out, size_t size)
{
	z_stream z = { .next_in = (Bytef *) (uintptr_t) text,
		.avail_in = (uInt) strlen(text),
		.next_out = out,
		.avail_out = (uInt) size };

	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, 0), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	(void) deflateEnd(&z);
	return size - z.avail_out;
}

static void streams_may_come_byte_by_byte(void **state)
{
	uint8_t packed[200];
	size_t n = gzip("hello, hello, hello", packed, sizeof(packed));

	(void) state;
	for (size_t step = 1; step < n + 1; step++) {
		_buf_done_ struct buf out = BUF_INIT(1000);
		_buf_done_ struct buf plain = BUF_INIT(1000);

		assert_int_equal(inflate_all(packed, n, step, &out, NULL), 0);
		assert_string_equal(buf_str(&out), "hello, hello, hello");
		assert_int_equal(
		        inflate_all("plain text of more than eight", 29, step, &plain, NULL), 0);
		assert_string_equal(buf_str(&plain), "plain text of more than eight");
	}
}

static void every_truncation_of_gzip_is_noticed(void **state)
{
	uint8_t packed[200];
	size_t n = gzip("some text", packed, sizeof(packed));

	(void) state;
	for (size_t len = 3; len < n; len++) {
		_buf_done_ struct buf out = BUF_INIT(1000);
		struct err err = { 0 };

		assert_int_equal(inflate_all(packed, len, 4096, &out, &err), -EBADMSG);
		assert_contains(err.text, "truncated");
	}
}

static void wrong_checksum_of_gzip_is_noticed(void **state)
{
	_buf_done_ struct buf out = BUF_INIT(1000);
	uint8_t packed[200];
	size_t n = gzip("some text", packed, sizeof(packed));

	(void) state;
	packed[n - 7] ^= 1;
	assert_int_equal(inflate_all(packed, n, 4096, &out, NULL), -EBADMSG);
}

static void nothing_at_all_is_refused(void **state)
{
	_buf_done_ struct buf out = BUF_INIT(1000);
	struct err err = { 0 };

	(void) state;
	assert_int_equal(inflate_all("", 0, 4096, &out, &err), -EBADMSG);
	assert_contains(err.text, "empty");
}

/* --- removal of trees ------------------------------------------------------------------------- */

static int scratch_fd(void)
{
	int fd = open(testkit_scratch(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void deep_and_wide_trees_are_removed(void **state)
{
	_close_ int top = scratch_fd();
	_close_ int at = fd_dup(top);

	(void) state;
	for (int i = 0; i < 600; i++) {
		char name[32];
		int next;

		assert_true(mkdirat(at, "d", 0700) == 0);
		/* Names that the removal would like to use itself. */
		(void) snprintf(name, sizeof(name), "%d", i % 5);
		assert_true(mkdirat(at, name, 0500) == 0);
		assert_true(symlinkat("/", at, "link") == 0);
		next = openat(at, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		fd_close(at);
		at = next;
	}
	assert_int_equal(tree_empty(top), 0);
	assert_int_equal(tree_remove(top, "d"), 0);
	assert_int_equal(faccessat(top, "d", F_OK, AT_SYMLINK_NOFOLLOW), -1);
}

static void removal_does_not_follow_links(void **state)
{
	_close_ int top = scratch_fd();

	(void) state;
	assert_true(mkdirat(top, "keep", 0700) == 0 && mkdirat(top, "keep/x", 0700) == 0);
	assert_true(mkdirat(top, "gone", 0700) == 0);
	assert_true(symlinkat("../keep", top, "gone/l") == 0 && symlinkat("keep", top, "l") == 0);
	assert_int_equal(tree_remove(top, "gone"), 0);
	assert_int_equal(tree_remove(top, "l"), 0);
	assert_int_equal(tree_remove(top, "never was"), 0);
	assert_int_equal(faccessat(top, "keep/x", F_OK, 0), 0);
	assert_int_equal(tree_remove(top, "keep"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testkit_case(names_are_cleaned),
		testkit_case(names_with_dotdot_are_refused),
		testkit_case(names_have_bounds),
		testkit_case(streams_may_come_byte_by_byte),
		testkit_case(every_truncation_of_gzip_is_noticed),
		testkit_case(wrong_checksum_of_gzip_is_noticed),
		testkit_case(nothing_at_all_is_refused),
		testkit_case(deep_and_wide_trees_are_removed),
		testkit_case(removal_does_not_follow_links),
	};

	return testkit_run(tests);
}
