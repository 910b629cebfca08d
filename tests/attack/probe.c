/* SPDX-License-Identifier: Apache-2.0 */
#include "probe.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_MS = 10000, FIRST_FDS = 1024 };

static const char *word(int result)
{
	switch (result) {
	case 0:
		return "ok";
	case PROBE_NULL:
		return "null";
	case PROBE_EMPTY:
		return "empty";
	case PROBE_OTHER:
		return "other";
	case PROBE_NA:
		return "na";
	default:
		return strerrorname_np(result) ? strerrorname_np(result) : "strange";
	}
}

static void answer(int fd, int (*run)(const void *), const void *arg)
{
	int result = run(arg);

	_exit(write(fd, &result, sizeof(result)) != sizeof(result));
}

void probe_run(const char *name, int (*run)(const void *), const void *arg)
{
	struct pollfd p = { .events = POLLIN };
	int ends[2], result = 0, status = 0;
	bool hung;
	pid_t pid;

	(void) fflush(stdout);
	if (pipe2(ends, O_CLOEXEC) < 0) {
		(void) printf("%s broken\n", name);
		return;
	}
	pid = fork();
	if (pid == 0) {
		(void) close(ends[0]);
		answer(ends[1], run, arg);
	}
	(void) close(ends[1]);
	p.fd = ends[0];
	hung = pid < 0 || poll(&p, 1, PATIENCE_MS) == 0;
	if (hung && pid > 0)
		(void) kill(pid, SIGKILL);
	if (hung)
		(void) printf("%s hung\n", name);
	else if (read(ends[0], &result, sizeof(result)) == sizeof(result))
		(void) printf("%s %s\n", name, word(result));
	else
		(void) printf("%s died\n", name);
	(void) close(ends[0]);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
}

static int run_plain(const void *arg)
{
	const struct probe *p = arg;

	return p->run();
}

static void run_table(const struct probe *table, size_t n)
{
	for (size_t i = 0; i < n; i++)
		probe_run(table[i].name, run_plain, &table[i]);
}

/* The descriptors that the program was given; its first act, before it opens any. */
static void print_descriptors(void)
{
	(void) printf("descriptors");
	for (int fd = 0; fd < FIRST_FDS; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			(void) printf(" %d", fd);
	(void) printf("\n");
}

/* 'probe' tries everything, 'probe calls' only what is harmless anywhere; 'probe euid' is for the
 * tries that execute the program again. */
int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "all";

	if (strcmp(what, "euid") == 0)
		return geteuid() == 0 ? 0 : 1;
	print_descriptors();
	probe_calls();
	if (strcmp(what, "all") != 0)
		return 0;
	probe_files();
	run_table(probe_acts, probe_acts_count);
	run_table(probe_uses, probe_uses_count);
	(void) printf("end ok\n");
	return 0;
}
