/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Feeds files to a fuzz target without libFuzzer, so that each corpus is replayed in every build:
 *   fuzz_NAME_replay FOLDER|FILE...
 * Ends with 0 when every input came back; what goes wrong inside is the sanitizers' business.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 16 << 20 };

/* Replays one file from a buffer of exactly its size, so that a read beyond it is seen. */
static int replay_file(const char *path, off_t size)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = NULL;
	int ok = 0;

	if (f && size <= INPUT_MAX && (data = malloc(size ? (size_t) size : 1)))
		ok = fread(data, 1, (size_t) size, f) == (size_t) size;
	if (ok)
		(void) LLVMFuzzerTestOneInput(data, (size_t) size);
	else
		(void) fprintf(stderr, "cannot read '%s': %s\n", path, strerror(errno));
	free(data);
	if (f)
		(void) fclose(f);
	return ok ? 1 : -1;
}

/* Replays a file, or each file of a folder. Returns how many, negative on failure. */
static int replay(const char *path)
{
	char name[PATH_MAX];
	struct dirent *e;
	struct stat st;
	int n, total = 0;
	DIR *d;

	if (stat(path, &st) < 0) {
		(void) fprintf(stderr, "no '%s': %s\n", path, strerror(errno));
		return -1;
	}
	if (!S_ISDIR(st.st_mode))
		return replay_file(path, st.st_size);
	d = opendir(path);
	while (d && total >= 0 && (e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		(void) snprintf(name, sizeof(name), "%s/%s", path, e->d_name);
		n = replay(name);
		total = n < 0 ? n : total + n;
	}
	if (d)
		(void) closedir(d);
	return d ? total : -1;
}

int main(int argc, char **argv)
{
	int n, total = 0;

	for (int i = 1; i < argc; i++) {
		n = replay(argv[i]);
		if (n < 0)
			return 1;
		total += n;
	}
	(void) printf("%d inputs\n", total);
	return total > 0 ? 0 : 1; /* a corpus that is not there is no success */
}
