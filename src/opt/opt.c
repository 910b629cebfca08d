/* SPDX-License-Identifier: Apache-2.0 */
#include "opt/opt.h"

#include "base/fd.h"
#include "base/str.h"

#include <stdio.h>

static const struct opt *find_long(
        const struct opt *options, size_t n, const char *name, size_t len)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(options[i].name) == len && strncmp(options[i].name, name, len) == 0)
			return &options[i];
	return NULL;
}

static const struct opt *find_letter(const struct opt *options, size_t n, char letter)
{
	for (size_t i = 0; i < n; i++)
		if (options[i].letter == letter)
			return &options[i];
	return NULL;
}

static bool is_flag(const struct opt *o)
{
	return o->type == OPT_FLAG || o->type == OPT_IGNORED_FLAG;
}

static int store_flag(const struct opt *o, void *field, const char *value, struct err *err)
{
	bool on = !value || streq(value, "true") || streq(value, "1");

	if (!on && !streq(value, "false") && !streq(value, "0")) {
		_free_ char *shown = str_escaped(value);

		return err_set(err, -EINVAL,
		        "option '--%s' is a flag: '%s' is neither true nor false", o->name, shown);
	}
	if (o->type == OPT_FLAG)
		*(bool *) field = on;
	return 0;
}

static int store(const struct opt *o, void *values, const char *value, struct err *err)
{
	void *field = (char *) values + o->offset;
	int r = 0;

	switch (o->type) {
	case OPT_FLAG:
	case OPT_IGNORED_FLAG:
		return store_flag(o, field, value, err);
	case OPT_TEXT:
		*(const char **) field = value;
		break;
	case OPT_LIST:
		strv_add((char ***) field, value);
		break;
	case OPT_PARSE:
		r = o->parse(value, field, err);
		if (r < 0) {
			_free_ char *shown = str_escaped(value);

			return err_prefix(
			        err, r, "invalid value '%s' for option '--%s'", shown, o->name);
		}
		break;
	case OPT_IGNORED:
		break;
	}
	return 0;
}

/* One option whose value may stand in the same word (value) or in the next one. Returns the words
 * used, or an error. */
static int take(const struct opt *o, void *values, const char *value, int argc, char **argv,
        struct err *err)
{
	int used = 1, r;

	if (!is_flag(o) && !value) {
		if (argc < 2)
			return err_set(err, -EINVAL, "option '--%s' requires an argument", o->name);
		value = argv[1];
		used = 2;
	}
	r = store(o, values, value, err);
	return r < 0 ? r : used;
}

/* A word of letters: flags, and at the end perhaps one letter with a value. Returns the words used,
 * or an error. */
static int take_letters(const struct opt *options, size_t n, void *values, int argc, char **argv,
        bool *ret_help, struct err *err)
{
	for (const char *p = argv[0] + 1; *p; p++) {
		const struct opt *o = find_letter(options, n, *p);
		const char *rest = p[1] == '=' ? p + 2 : p + 1;
		int r;

		if (!o && *p == 'h') {
			*ret_help = true;
			return 1;
		}
		if (!o) {
			_free_ char *shown = str_escaped(argv[0]);

			return err_set(err, -EINVAL, "unknown option '%s'", shown);
		}
		if (!is_flag(o))
			return take(o, values, *rest ? rest : NULL, argc, argv, err);
		r = store_flag(o, (char *) values + o->offset, p[1] == '=' ? rest : NULL, err);
		if (r < 0 || p[1] == '=')
			return r < 0 ? r : 1;
	}
	return 1;
}

/* The option at argv[0]. Returns the words used, or an error. */
static int take_word(const struct opt *options, size_t n, void *values, int argc, char **argv,
        bool *ret_help, struct err *err)
{
	bool two_dashes = argv[0][1] == '-';
	const char *name = argv[0] + (two_dashes ? 2 : 1);
	const char *equals = strchr(name, '=');
	size_t len = equals ? (size_t) (equals - name) : strlen(name);
	const struct opt *o = len > 1 || two_dashes ? find_long(options, n, name, len) : NULL;

	if (o)
		return take(o, values, equals ? equals + 1 : NULL, argc, argv, err);
	if (len == 4 && strncmp(name, "help", 4) == 0) {
		*ret_help = true;
		return 1;
	}
	if (two_dashes) {
		_free_ char *shown = str_escaped(argv[0]);

		return err_set(err, -EINVAL, "unknown option '%s'", shown);
	}
	return take_letters(options, n, values, argc, argv, ret_help, err);
}

/* Moves the n words at 'at' in front of the 'kept' arguments that stand before them. */
static void move_words(char **at, int n, int kept)
{
	for (int k = 0; k < n && kept > 0; k++, at++) {
		char *word = *at;

		memmove(at - kept + 1, at - kept, (size_t) kept * sizeof(*at));
		at[-kept] = word;
	}
}

int opt_parse(const struct opt *options, size_t n, void *values, int argc, char **argv, bool mixed,
        int *ret_used, bool *ret_help, struct err *err)
{
	int i = 0, kept = 0;
	bool ended = false;

	*ret_help = false;
	while (i < argc && !*ret_help && !ended) {
		int r = 1;

		if (streq(argv[i], "--")) {
			ended = true;
		} else if (argv[i][0] == '-' && argv[i][1]) {
			r = take_word(options, n, values, argc - i, argv + i, ret_help, err);
		} else if (mixed) {
			kept++;
			i++;
			continue;
		} else {
			break;
		}
		if (r < 0)
			return r;
		move_words(argv + i, r, kept);
		i += r;
	}
	*ret_used = i - kept;
	return 0;
}

const struct opt_command *opt_find_command(
        const struct opt_program *program, int argc, char **argv, int *ret_words)
{
	for (size_t i = 0; i < program->n_commands; i++) {
		const char *name = program->commands[i]->name;
		const char *blank = strchr(name, ' ');
		size_t len = blank ? (size_t) (blank - name) : strlen(name);

		if (argc < (blank ? 2 : 1) || strlen(argv[0]) != len ||
		        strncmp(argv[0], name, len) != 0)
			continue;
		if (blank && !streq(argv[1], blank + 1))
			continue;
		*ret_words = blank ? 2 : 1;
		return program->commands[i];
	}
	return NULL;
}

static int usage(const struct opt_program *p, const struct opt_command *c, const char *text)
{
	(void) fprintf(stderr, "%s: %s\nSee '%s%s%s --help'.\n", p->name, text, p->name,
	        c ? " " : "", c ? c->name : "");
	return c && p->command_usage_exit ? p->command_usage_exit(c) : p->usage_exit;
}

static int print(struct buf *text)
{
	return fd_write_all(1, buf_str(text), text->len) < 0;
}

/* Options and number of arguments of one command; then runs it. */
static int run_command(const struct opt_program *p, const struct opt_command *c, void *global,
        int argc, char **argv)
{
	_free_ void *values = xcalloc(1, c->values_size);
	_buf_done_ struct buf help = BUF_INIT(65536);
	struct err err;
	bool want_help;
	int used;

	if (opt_parse(c->options, c->n_options, values, argc, argv, c->mixed, &used, &want_help,
	            &err) < 0)
		return usage(p, c, err.text);
	if (want_help) {
		opt_command_help(p, c, &help);
		return print(&help);
	}
	argc -= used;
	argv += used;
	if (argc < c->min_args || (c->max_args >= 0 && argc > c->max_args)) {
		_free_ char *text = xprintf("'%s' needs %s%d argument%s, got %d: %s", c->name,
		        c->min_args == c->max_args
		                ? ""
		                : (argc < c->min_args ? "at least " : "at most "),
		        argc < c->min_args ? c->min_args : c->max_args,
		        (argc < c->min_args ? c->min_args : c->max_args) == 1 ? "" : "s", argc,
		        c->args);

		return usage(p, c, text);
	}
	return c->run(global, values, argc, argv);
}

int opt_main(const struct opt_program *p, void *global, int argc, char **argv)
{
	_buf_done_ struct buf help = BUF_INIT(65536);
	const struct opt_command *c;
	struct err err;
	bool want_help;
	int used, words;

	argc--;
	argv++;
	if (opt_parse(p->options, p->n_options, global, argc, argv, false, &used, &want_help,
	            &err) < 0)
		return usage(p, NULL, err.text);
	argc -= used;
	argv += used;
	if (want_help || (argc > 0 && streq(argv[0], "help"))) {
		opt_program_help(p, &help);
		return print(&help);
	}
	if (argc == 0 && p->without_command) {
		int r = p->without_command(global);

		if (r >= 0)
			return r;
	}
	if (argc == 0)
		return usage(p, NULL, "a command is missing");
	c = opt_find_command(p, argc, argv, &words);
	if (!c) {
		_free_ char *shown = str_escaped(argv[0]);
		_free_ char *text = xprintf("unknown command '%s'", shown);

		return usage(p, NULL, text);
	}
	return run_command(p, c, global, argc - words, argv + words);
}
