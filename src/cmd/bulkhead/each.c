/* SPDX-License-Identifier: Apache-2.0 */
#include "each.h"

#include "base/fd.h"
#include "base/str.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { AT_ONCE = 50 };

static int tell(const struct each *each, const char *name, int code, const struct err *err)
{
	_free_ char *shown = str_escaped(name);

	if (each->failed)
		(void) fprintf(stderr, "bulkhead: %s: %s: %s\n", each->failed, shown, err->text);
	else
		(void) fprintf(stderr, "bulkhead: %s\n", err->text);
	return code == -ENOENT && each->missing_is_ok ? EXIT_OK : EXIT_ERROR;
}

static int one(const struct each *each, const char *name, bool *ret_done)
{
	_engine_done_ struct engine engine = ENGINE_INIT;
	_container_done_ struct container c = CONTAINER_INIT;
	struct err err;
	int r = engine_open(each->global->root, ENGINE_WRITE, &engine, &err);

	if (r == 0)
		r = container_find(&engine, name, &c, &err);
	if (r == -ENOENT)
		return tell(each, name, r, &err);
	if (r == 0)
		r = each->act(&engine, &c, each->values, &err);
	if (r < 0)
		return tell(each, name, 0, &err);
	*ret_done = true;
	return EXIT_OK;
}

enum { CHILD_DONE = 64 }; /* beside the exit code: the argument is to be printed */

static pid_t start_child(const struct each *each, const char *name)
{
	pid_t pid = fork();

	if (pid == 0) {
		bool done = false;
		int code = one(each, name, &done);

		(void) fflush(NULL);
		_exit(code | (done ? CHILD_DONE : 0));
	}
	return pid;
}

static int finish_child(const struct each *each, pid_t pid, const char *name)
{
	int status = 0;

	if (pid < 0 || TEMP_FAILURE_RETRY(waitpid(pid, &status, 0)) < 0 || !WIFEXITED(status)) {
		(void) fprintf(stderr, "bulkhead: the process for an argument failed\n");
		return EXIT_ERROR;
	}
	if ((WEXITSTATUS(status) & CHILD_DONE) && !each->quiet)
		(void) printf("%s\n", name);
	return WEXITSTATUS(status) & ~CHILD_DONE;
}

static int several(const struct each *each, int argc, char **argv)
{
	pid_t pids[AT_ONCE];
	int code = EXIT_OK;

	for (int begin = 0; begin < argc; begin += AT_ONCE) {
		int n = MIN(argc - begin, (int) AT_ONCE);

		for (int i = 0; i < n; i++)
			pids[i] = start_child(each, argv[begin + i]);
		for (int i = 0; i < n; i++) {
			int k = finish_child(each, pids[i], argv[begin + i]);

			code = code == EXIT_OK ? k : code;
			(void) fflush(stdout);
		}
	}
	return code;
}

int each_container(const struct each *each, int argc, char **argv)
{
	bool done = false;
	int code;

	if (argc > 1)
		return several(each, argc, argv);
	code = one(each, argv[0], &done);
	if (done && !each->quiet)
		(void) printf("%s\n", argv[0]);
	return code;
}
