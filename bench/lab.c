/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times commands against each other: lab [-n ROUNDS] [-w WARM-UP-ROUNDS] [-v] FILE
 *
 * Each line of FILE is LABEL<tab>COMMAND; words of COMMAND are separated by blanks, and %N in a
 * word becomes a number that no other run has. The commands run in turn, round after round, each
 * round beginning with another one, so that whatever else the machine does meets all of them alike.
 * A round starts when the machine is idle, or after two seconds of waiting; on a machine that never
 * is, the waiting ends for good after half a minute in all, and so does the run. What is timed is
 * the whole life, from spawn to reaped.
 *
 * Prints a line for each command: label, median, 10th and 90th percentile, minimum (ms of wall
 * time), median CPU time (ms, the command and its waited-for children), largest resident set (KiB),
 * failures; separated by tabs. A last line, "#busy", has the number of rounds that began on a
 * machine that was not idle.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum {
	COMMANDS_MAX = 64,
	WORDS_MAX = 96,
	ROUNDS_MAX = 100000,
	IDLE_TRIES = 20,
	IDLE_STEP_MS = 100,
	IDLE_TOTAL_MS = 30000,
};

struct command {
	char *label;
	char *words[WORDS_MAX + 1];
	double *wall;
	double *cpu;
	long rss;
	int failures;
};

struct lab {
	struct command commands[COMMANDS_MAX];
	int count;
	int rounds;
	int warm;
	int verbose;
	int busy;
	double waited; /* ms in all */
	long serial;
};

static void fail(const char *what, const char *why)
{
	(void) fprintf(stderr, "lab: %s: %s\n", what, why);
	exit(1);
}

static double milliseconds(long seconds, long nanoseconds)
{
	return (double) seconds * 1e3 + (double) nanoseconds / 1e6;
}

static double now(void)
{
	struct timespec t;

	(void) clock_gettime(CLOCK_MONOTONIC, &t);
	return milliseconds(t.tv_sec, t.tv_nsec);
}

static void pause_ms(long ms)
{
	(void) nanosleep(
	        &(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 }, NULL);
}

/* Jiffies since boot: all of them, and those without work. */
static int read_cpu(unsigned long long *ret_all, unsigned long long *ret_idle)
{
	unsigned long long v[8] = { 0 };
	FILE *f = fopen("/proc/stat", "r");
	int n = f ? fscanf(f, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", v, v + 1, v + 2, v + 3,
	                    v + 4, v + 5, v + 6, v + 7)
	          : 0;

	if (f)
		(void) fclose(f);
	*ret_all = 0;
	for (int i = 0; i < 8; i++)
		*ret_all += v[i];
	*ret_idle = v[3] + v[4];
	return n == 8;
}

/* Waits until four fifths of the machine are idle, within the limits of the head of this file. */
static void wait_for_idle(struct lab *lab)
{
	unsigned long long all, idle, all_before, idle_before;

	for (int i = 0; i < IDLE_TRIES && lab->waited < IDLE_TOTAL_MS; i++) {
		if (!read_cpu(&all_before, &idle_before))
			return;
		pause_ms(IDLE_STEP_MS);
		lab->waited += i > 0 ? IDLE_STEP_MS : 0; /* the first look is no waiting */
		if (!read_cpu(&all, &idle) || (idle - idle_before) * 5 >= (all - all_before) * 4)
			return;
	}
	lab->busy++;
}

/* The word with its %N replaced, in new memory. */
static char *expand(const char *word, long serial)
{
	const char *mark = strstr(word, "%N");
	char *out = NULL;

	if (!mark)
		out = strdup(word);
	else if (asprintf(&out, "%.*s%d-%ld%s", (int) (mark - word), word, (int) getpid(), serial,
	                 mark + 2) < 0)
		out = NULL;
	if (!out)
		fail(word, strerror(ENOMEM));
	return out;
}

static int spawn(const struct lab *lab, char **argv, pid_t *ret_pid)
{
	posix_spawn_file_actions_t actions;
	int r;

	(void) posix_spawn_file_actions_init(&actions);
	(void) posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	if (!lab->verbose) {
		(void) posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
		(void) posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	}
	r = posix_spawnp(ret_pid, argv[0], &actions, NULL, argv, environ);
	(void) posix_spawn_file_actions_destroy(&actions);
	return r;
}

/* Runs a command once; sample < 0 is a warm-up run. */
static void run_once(struct lab *lab, struct command *c, int sample)
{
	char *argv[WORDS_MAX + 1] = { NULL };
	struct rusage u = { 0 };
	int status = -1;
	double start;
	pid_t pid;

	lab->serial++;
	for (int i = 0; c->words[i]; i++)
		argv[i] = expand(c->words[i], lab->serial);
	start = now();
	if (spawn(lab, argv, &pid) == 0 && wait4(pid, &status, 0, &u) == pid && sample >= 0) {
		c->wall[sample] = now() - start;
		c->cpu[sample] = milliseconds(u.ru_utime.tv_sec + u.ru_stime.tv_sec,
		        (u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1000);
		c->rss = u.ru_maxrss > c->rss ? u.ru_maxrss : c->rss;
	}
	c->failures += status != 0;
	for (int i = 0; argv[i]; i++)
		free(argv[i]);
}

static void add_command(struct lab *lab, char *line)
{
	struct command *c = &lab->commands[lab->count];
	char *command = strchr(line, '\t'), *word, *rest;
	int n = 0;

	if (!command)
		fail(line, "no tab behind the label");
	if (lab->count == COMMANDS_MAX)
		fail(line, "too many commands");
	*command++ = '\0';
	c->label = line;
	for (word = strtok_r(command, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		if (n == WORDS_MAX)
			fail(c->label, "too many words");
		c->words[n++] = word;
	}
	if (n == 0)
		fail(c->label, "no command");
	c->wall = calloc((size_t) lab->rounds, sizeof(double));
	c->cpu = calloc((size_t) lab->rounds, sizeof(double));
	if (!c->wall || !c->cpu)
		fail(c->label, strerror(ENOMEM));
	lab->count++;
}

static void read_commands(struct lab *lab, const char *path)
{
	FILE *f = fopen(path, "r");
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	if (!f)
		fail(path, strerror(errno));
	while ((n = getline(&line, &size, f)) > 0) {
		if (line[n - 1] == '\n')
			line[n - 1] = '\0';
		if (line[0] && line[0] != '#') {
			add_command(lab, line);
			line = NULL; /* the command keeps it */
			size = 0;
		}
	}
	free(line);
	(void) fclose(f);
}

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void print_results(struct lab *lab)
{
	int n = lab->rounds;

	for (struct command *c = lab->commands; c < lab->commands + lab->count; c++) {
		qsort(c->wall, (size_t) n, sizeof(double), compare);
		qsort(c->cpu, (size_t) n, sizeof(double), compare);
		(void) printf("%s\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%ld\t%d\n", c->label,
		        c->wall[n / 2], c->wall[n / 10], c->wall[n * 9 / 10], c->wall[0],
		        c->cpu[n / 2], c->rss, c->failures);
	}
	(void) printf("#busy\t%d\n", lab->busy);
}

int main(int argc, char **argv)
{
	static struct lab lab = { .rounds = 41, .warm = 3 };
	int opt;

	while ((opt = getopt(argc, argv, "n:w:v")) != -1) {
		if (opt == 'n')
			lab.rounds = (int) strtol(optarg, NULL, 10);
		else if (opt == 'w')
			lab.warm = (int) strtol(optarg, NULL, 10);
		else if (opt == 'v')
			lab.verbose = 1;
		else
			return 2;
	}
	if (optind + 1 != argc || lab.rounds < 1 || lab.rounds > ROUNDS_MAX)
		fail("usage", "lab [-n ROUNDS] [-w WARM-UP-ROUNDS] [-v] FILE");
	read_commands(&lab, argv[optind]);
	for (int round = -lab.warm; round < lab.rounds; round++) {
		if (round >= 0)
			wait_for_idle(&lab);
		for (int i = 0; i < lab.count; i++) {
			pause_ms(3);
			run_once(&lab, &lab.commands[(i + round + lab.warm) % lab.count], round);
		}
	}
	print_results(&lab);
	return 0;
}
