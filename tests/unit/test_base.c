/* SPDX-License-Identifier: Apache-2.0 */
#include "testkit.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static void buf_refuses_more_than_its_maximum(void **state)
{
	_buf_done_ struct buf b = BUF_INIT(4);

	assert_int_equal(buf_adds(&b, "abcd"), 0);
	assert_int_equal(buf_addc(&b, 'e'), -EMSGSIZE);
	assert_false(buf_ok(&b));
	assert_string_equal(buf_str(&b), "abcd");
}

static void err_texts_are_prefixed(void **state)
{
	struct err err;

	assert_int_equal(err_errno(&err, -ENOENT, "cannot open '%s'", "x"), -ENOENT);
	assert_int_equal(err_prefix(&err, -ENOENT, "layer %d", 3), -ENOENT);
	assert_string_equal(err.text, "layer 3: cannot open 'x': No such file or directory");
	assert_int_equal(err_set(NULL, -EPERM, "x"), -EPERM);
}

static void numbers_are_strict(void **state)
{
	uint64_t u;
	int64_t i;
	uint32_t w;

	assert_int_equal(num_parse_u64("18446744073709551615", &u), 0);
	assert_true(u == UINT64_MAX);
	assert_int_equal(num_parse_u64("18446744073709551616", &u), -ERANGE);
	assert_int_equal(num_parse_u64("", &u), -EINVAL);
	assert_int_equal(num_parse_u64(" 1", &u), -EINVAL);
	assert_int_equal(num_parse_u64("1x", &u), -EINVAL);
	assert_int_equal(num_parse_u64("-1", &u), -EINVAL);
	assert_int_equal(num_parse_i64("-9223372036854775808", &i), 0);
	assert_true(i == INT64_MIN);
	assert_int_equal(num_parse_i64("9223372036854775808", &i), -ERANGE);
	assert_int_equal(num_parse_u32("4294967296", &w), -ERANGE);
}

static void sizes_take_docker_suffixes(void **state)
{
	static const struct {
		const char *text;
		uint64_t want;
	} good[] = {
		{ "0", 0 },
		{ "10", 10 },
		{ "1k", 1024 },
		{ "1.5m", 1572864 },
		{ "2g", 2147483648 },
		{ "3GiB", 3221225472 },
		{ "4kB", 4096 },
		{ "7b", 7 },
	};
	static const char *const bad[] = { "", "m", "1.5", "1.m", "1q", "1kk", "-1",
		"99999999999999t", "1 k" };
	uint64_t n;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(num_parse_size(good[i].text, &n), 0);
		assert_true(n == good[i].want);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_true(num_parse_size(bad[i], &n) < 0);
	assert_int_equal(num_parse_nano("1.25", &n), 0);
	assert_true(n == 1250000000);
}

static void escaped_text_cannot_drive_a_terminal(void **state)
{
	_free_ char *s = str_escaped("a\033[31m\nb\\c\xff");

	assert_string_equal(s, "a\\x1b[31m\\x0ab\\x5cc\\xff");
}

static void sealed_memfd_cannot_change(void **state)
{
	_close_ int fd = -EBADF;

	assert_int_equal(fd_sealed("t", "abc", 3, &fd), 0);
	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_true(fcntl(fd, F_GET_SEALS) & F_SEAL_SEAL);
}

static void replaced_file_has_the_new_content(void **state)
{
	_close_ int dir = open(testkit_scratch(), O_PATH | O_DIRECTORY | O_CLOEXEC);
	_buf_done_ struct buf b = BUF_INIT(100);

	assert_int_equal(fd_replace_file(dir, "f", "old", 3, 0600, false), 0);
	assert_int_equal(fd_replace_file(dir, "f", "new!", 4, 0600, false), 0);
	assert_int_equal(buf_read_file(&b, dir, "f"), 0);
	assert_string_equal(buf_str(&b), "new!");
}

static void file_is_read_up_to_its_limit_and_not_beyond(void **state)
{
	_close_ int dir = open(testkit_scratch(), O_PATH | O_DIRECTORY | O_CLOEXEC);
	static const size_t sizes[] = { 0, 1, 255, 256, 4095, 4096, 4097, 20000 };
	_free_ char *data = xmalloc(20001);

	memset(data, 'x', 20001);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		_buf_done_ struct buf whole = BUF_INIT(sizes[i]);
		_buf_done_ struct buf small = BUF_INIT(sizes[i] ? sizes[i] - 1 : 0);

		assert_int_equal(fd_replace_file(dir, "f", data, sizes[i], 0600, false), 0);
		assert_int_equal(buf_read_file(&whole, dir, "f"), 0);
		assert_int_equal(whole.len, sizes[i]);
		assert_int_equal(whole.data[whole.len], '\0');
		if (sizes[i] > 0)
			assert_int_equal(buf_read_file(&small, dir, "f"), -EMSGSIZE);
		assert_int_equal(buf_ok(&small), sizes[i] == 0);
	}
}

static void durations_are_as_go_writes_them(void **state)
{
	static const struct {
		const char *text;
		int64_t ns;
	} good[] = {
		{ "0", 0 },
		{ "30s", 30000000000 },
		{ "1m30s", 90000000000 },
		{ "1.5h", 5400000000000 },
		{ "1h0m1ms", 3600001000000 },
		{ "7us", 7000 },
		{ "7\xc2\xb5s", 7000 },
		{ "8ns", 8 },
		{ "-2ms", -2000000 },
	};
	static const char *const bad[] = { "", "-", "1", "s", "1x", "1 s", "1s ", "1.s", ".5s",
		"1mm", "--1s", "9999999999999h", "99999999999999999999s" };
	int64_t n;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(num_parse_duration(good[i].text, &n), 0);
		assert_true(n == good[i].ns);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (num_parse_duration(bad[i], &n) >= 0)
			fail_msg("'%s' was accepted", bad[i]);
}

static void utf8_is_told_from_other_bytes(void **state)
{
	static const char *const good[] = { "", "a", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x9a\xa2",
		"\x1b[2J" };
	static const char *const bad[] = { "\x80", "\xc3", "\xc0\xaf", "\xed\xa0\x80",
		"\xf4\x90\x80\x80", "\xff", "a\xe2\x82" };

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(str_is_utf8(good[i], strlen(good[i])));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(str_is_utf8(bad[i], strlen(bad[i])));
}

static void time_is_that_of_the_c_library(void **state)
{
	char before[64], after[64], text[64];
	time_t now = time(NULL);
	struct tm tm;

	(void) strftime(before, sizeof(before), "%Y-%m-%dT%H:%M:%S.", gmtime_r(&now, &tm));
	time_rfc3339(text, sizeof(text));
	now = time(NULL);
	(void) strftime(after, sizeof(after), "%Y-%m-%dT%H:%M:%S.", gmtime_r(&now, &tm));
	assert_true(strncmp(text, before, strlen(before)) >= 0);
	assert_true(strncmp(text, after, strlen(after)) <= 0);
	assert_int_equal(text[strlen(text) - 1], 'Z');
}

static void folder_is_made_below_links_of_the_root_alone(void **state)
{
	_close_ int dir = open(testkit_scratch(), O_PATH | O_DIRECTORY | O_CLOEXEC);
	_close_ int plain = -EBADF, linked = -EBADF, dangling = -EBADF;
	struct stat st;

	assert_int_equal(mkdirat(dir, "real", 0755), 0);
	assert_int_equal(symlinkat("/real", dir, "link"), 0);
	assert_int_equal(symlinkat("/real/made-by-link", dir, "dangling"), 0);
	plain = path_make_dirs_in(dir, "/real/one", 0755);
	linked = path_make_dirs_in(dir, "/link/two", 0755);
	dangling = path_make_dirs_in(dir, "/dangling", 0755);
	assert_true(plain >= 0 && linked >= 0 && dangling >= 0);
	assert_int_equal(fstatat(dir, "real/one", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(fstatat(dir, "real/two", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(fstatat(dir, "real/made-by-link", &st, AT_SYMLINK_NOFOLLOW), 0);
}

static void path_never_leaves_the_root(void **state)
{
	_close_ int dir = open(testkit_scratch(), O_PATH | O_DIRECTORY | O_CLOEXEC);
	_close_ int a = -EBADF, made = -EBADF, inside = -EBADF;

	assert_int_equal(mkdirat(dir, "root", 0755), 0);
	a = openat(dir, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(symlinkat("/../../etc", a, "abs"), 0);
	assert_int_equal(symlinkat("/proc/self/root", a, "magic"), 0);
	assert_int_equal(path_open_in(a, "abs/passwd", PATH_IN_ROOT, O_RDONLY, 0), -ENOENT);
	assert_int_equal(path_open_in(a, "../../etc/passwd", PATH_IN_ROOT, O_RDONLY, 0), -ENOENT);
	assert_int_equal(path_open_in(a, "../x", PATH_BENEATH, O_RDONLY, 0), -EXDEV);
	assert_int_equal(path_open_in(a, "abs", PATH_IN_ROOT_NO_LINKS, O_RDONLY, 0), -ELOOP);
	/* Missing folders are made behind a link, inside the root. */
	made = path_make_dirs_in(a, "abs/deep/er", 0755);
	assert_true(made >= 0);
	inside = path_open_in(a, "etc/deep/er", PATH_BENEATH_NO_LINKS, O_PATH, 0);
	assert_true(fd_same_file(made, inside));
	made = fd_close(made);
	made = path_make_file_in(a, "abs/deep/file", 0600);
	assert_true(made >= 0);
	assert_int_equal(faccessat(a, "etc/deep/file", F_OK, 0), 0);
}

static void path_that_loops_is_refused(void **state)
{
	_close_ int dir = open(testkit_scratch(), O_PATH | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(symlinkat("b", dir, "a"), 0);
	assert_int_equal(symlinkat("a", dir, "b"), 0);
	assert_int_equal(path_make_dirs_in(dir, "a/x", 0755), -ELOOP);
}

static void paths_are_cleaned_as_text(void **state)
{
	static const char *const cases[][2] = {
		{ "", "/" },
		{ "/", "/" },
		{ "a//b/./c/", "/a/b/c" },
		{ "../../x", "/x" },
		{ "/a/../..", "/" },
		{ "a/b/..", "/a" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_free_ char *got = path_clean(cases[i][0]);

		assert_string_equal(got, cases[i][1]);
	}
	assert_true(path_is_name("a.b"));
	assert_false(path_is_name(".."));
	assert_false(path_is_name("a/b"));
	assert_false(path_is_name(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testkit_case(buf_refuses_more_than_its_maximum),
		testkit_case(err_texts_are_prefixed),
		testkit_case(numbers_are_strict),
		testkit_case(sizes_take_docker_suffixes),
		testkit_case(escaped_text_cannot_drive_a_terminal),
		testkit_case(sealed_memfd_cannot_change),
		testkit_case(replaced_file_has_the_new_content),
		testkit_case(folder_is_made_below_links_of_the_root_alone),
		testkit_case(durations_are_as_go_writes_them),
		testkit_case(utf8_is_told_from_other_bytes),
		testkit_case(time_is_that_of_the_c_library),
		testkit_case(file_is_read_up_to_its_limit_and_not_beyond),
		testkit_case(path_never_leaves_the_root),
		testkit_case(path_that_loops_is_refused),
		testkit_case(paths_are_cleaned_as_text),
	};

	return testkit_run(tests);
}
