/* SPDX-License-Identifier: Apache-2.0 */
#include "testkit.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int fds_before;
static char scratch[PATH_MAX];

static int count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	if (!d)
		return -1;
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void) st;
	(void) kind;
	(void) ftw;
	(void) remove(path);
	return 0;
}

void testkit_select(void)
{
	const char *pattern = getenv("CASE");

	if (pattern && *pattern)
		cmocka_set_test_filter(pattern);
}

int testkit_setup(void **state)
{
	(void) state;
	fds_before = count_fds();
	return 0;
}

int testkit_teardown(void **state)
{
	(void) state;
	if (scratch[0])
		(void) nftw(scratch, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	scratch[0] = '\0';
	if (count_fds() != fds_before) {
		print_error(
		        "leaked file descriptors: %d before, %d after\n", fds_before, count_fds());
		return -1;
	}
	if (waitpid(-1, NULL, WNOHANG) != -1 || errno != ECHILD) {
		print_error("leaked a child process\n");
		return -1;
	}
	return 0;
}

void assert_contains(const char *text, const char *part)
{
	if (!text || !strstr(text, part))
		fail_msg("'%s' does not contain '%s'", text ? text : "(null)", part);
}

const char *testkit_source_dir(void)
{
	const char *dir = getenv("BULKHEAD_SRC");

	return dir ? dir : ".";
}

const char *testkit_scratch(void)
{
	if (!scratch[0]) {
		const char *tmp = getenv("TMPDIR");

		(void) snprintf(
		        scratch, sizeof(scratch), "%s/bulkhead-unit-XXXXXX", tmp ? tmp : "/tmp");
		if (!mkdtemp(scratch))
			fail_msg("cannot make a scratch folder: %s", strerror(errno));
	}
	return scratch;
}

static char *read_file(const char *path)
{
	FILE *f = fopen(path, "r");
	char *data = NULL;
	size_t size = 0;
	ssize_t n;

	if (!f)
		return NULL;
	n = getdelim(&data, &size, EOF, f);
	(void) fclose(f);
	if (n >= 0)
		return data;
	free(data);
	return strdup("");
}

void assert_golden(const char *name, const char *text)
{
	const char *update = getenv("UPDATE_GOLDEN");
	char path[PATH_MAX];
	char *want;

	(void) snprintf(path, sizeof(path), "%s/tests/unit/golden/%s", testkit_source_dir(), name);
	if (update && !strcmp(update, "1")) {
		FILE *f = fopen(path, "w");

		if (!f || fputs(text, f) < 0 || fclose(f))
			fail_msg("cannot write '%s'", path);
		return;
	}
	want = read_file(path);
	if (!want)
		fail_msg("no golden file '%s' (UPDATE_GOLDEN=1 makes it)", path);
	if (strcmp(want, text) != 0) {
		print_error("--- want %s\n%s\n--- got\n%s\n", name, want, text);
		free(want);
		fail_msg("differs from the golden file '%s'", path);
	}
	free(want);
}
