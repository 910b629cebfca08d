/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Command lines from tables.
 *
 * Theory of operation: a program is one struct opt_program: global options and commands; a command
 * is a name, a line of help, a table of options and a function. From the same tables come parsing,
 * --help and the shell completions, and a test compares them with the man page, so they cannot
 * drift apart.
 *
 * What is accepted: --name value, --name=value, -x value, -xvalue, -x=value, clusters of flags
 * (-it), a long name behind one dash (-bundle: go-runc sends -no-subreaper), -- as the end of
 * options. Options end at the first word that is not one, unless the command says 'mixed'. A flag
 * takes =true or =false. Values are stored by offset into the command's own structure; nothing is
 * copied, texts point into argv. What is wrong is told in docker's words ("unknown flag: --x",
 * 'invalid argument "x" for "-m, --memory" flag: ...'): people and scripts know them.
 */
#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>

enum opt_type {
	OPT_FLAG = 1, /* bool */
	OPT_FLAG_OFF, /* bool that stores the opposite: a flag that is on unless it is =false */
	OPT_TEXT,     /* const char *; the last one wins */
	OPT_LIST,     /* char **: strv, each use appends; free with strv_free */
	OPT_PARSE,    /* any field, by the function 'parse' */
	OPT_IGNORED,  /* takes a value and does nothing (compatibility) */
	OPT_IGNORED_FLAG,
};

struct opt {
	const char *name; /* long name without dashes */
	char letter;      /* 0: none */
	enum opt_type type;
	const char *arg;  /* how the value is called in --help, e.g. "PATH"; NULL for flags */
	const char *help; /* NULL: accepted and not shown */
	size_t offset;
	/* OPT_PARSE: checks the text and fills the field; the error text names what is expected.
	 * OPT_TEXT, OPT_LIST: NULL, or checks the text before it is taken (field is NULL). */
	int (*parse)(const char *text, void *field, struct err *err);
	const char *words; /* for completion: possible values, divided by blanks; NULL: files */
};

struct opt_command {
	const char *name; /* "run", or two words: "image import" */
	const char *args; /* "IMAGE [COMMAND [ARG...]]"; "" for none */
	const char *help; /* one line; NULL: hidden (an alias) */
	const struct opt *options;
	size_t n_options;
	int min_args, max_args; /* max -1: any number */
	bool mixed;             /* options may stand behind arguments */
	size_t values_size;     /* size of the structure that the options fill */
	/* Runs the command: global and values as filled, the arguments behind the options. Returns
	 * the exit code. */
	int (*run)(void *global, void *values, int argc, char **argv);
};

struct opt_program {
	const char *name;
	const char *help; /* one line */
	const struct opt *options;
	size_t n_options;
	const struct opt_command *const *commands; /* each is defined beside its function */
	size_t n_commands;
	int usage_exit;     /* exit code of a wrong command line */
	int arguments_exit; /* of an unknown command, a wrong number of arguments; 0: the same */
	/* Called when there are global options and no command (--version); negative: that is an
	 * error after all. */
	int (*without_command)(void *global);
};

/* Parses the words argv[0..argc) with one table into values. *ret_used is the number of words that
 * were options. *ret_help is set, and parsing stops, at --help or -h (unless the table has that
 * letter itself). Errors: -EINVAL with the sentence. */
int opt_parse(const struct opt *options, size_t n, void *values, int argc, char **argv, bool mixed,
        int *ret_used, bool *ret_help, struct err *err);

/* The whole of main(): global options, command, its options, number of arguments, --help; then the
 * command's run(). Errors are printed to stderr as "NAME: TEXT" and a pointer to --help. */
int opt_main(const struct opt_program *program, void *global, int argc, char **argv);

/* The texts of --help. */
void opt_program_help(const struct opt_program *program, struct buf *out);
void opt_command_help(
        const struct opt_program *program, const struct opt_command *command, struct buf *out);
/* The completion script for "bash", "zsh" or "fish". Returns -EINVAL for another shell. */
int opt_completion(const struct opt_program *program, const char *shell, struct buf *out);
/* The command that the words name; *ret_words is 1 or 2. NULL when there is none. */
const struct opt_command *opt_find_command(
        const struct opt_program *program, int argc, char **argv, int *ret_words);
