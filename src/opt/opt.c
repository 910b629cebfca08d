/* SPDX-License-Identifier: Apache-2.0 */
#include "opt/opt.h"

#include "base/fd.h"
#include "base/str.h"

#include <stdio.h>
#include <strings.h>

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
	return o->type == OPT_FLAG || o->type == OPT_FLAG_OFF || o->type == OPT_IGNORED_FLAG;
}

/* Puts 'invalid argument "VALUE" for "-x, --name" flag' before the text. */
static int refuse(const struct opt *o, const char *value, int code, struct err *err)
{
	_free_ char *shown = str_escaped(value);

	if (o->letter)
		return err_prefix(err, code, "invalid argument \"%s\" for \"-%c, --%s\" flag",
		        shown, o->letter, o->name);
	return err_prefix(err, code, "invalid argument \"%s\" for \"--%s\" flag", shown, o->name);
}

static int store_flag(const struct opt *o, void *field, const char *value, struct err *err)
{
	static const struct {
		const char *text;
		bool on;
	} words[] = {
		{ "1", true },
		{ "t", true },
		{ "true", true },
		{ "0", false },
		{ "f", false },
		{ "false", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (value && strcasecmp(words[i].text, value) != 0)
			continue;
		if (o->type != OPT_IGNORED_FLAG)
			*(bool *) field = (!value || words[i].on) == (o->type == OPT_FLAG);
		return 0;
	}
	(void) err_set(err, -EINVAL, "a flag is true or false");
	return refuse(o, value, -EINVAL, err);
}

static int store(const struct opt *o, void *values, const char *value, struct err *err)
{
	void *field = (char *) values + o->offset;
	int r = 0;

	if (is_flag(o))
		return store_flag(o, field, value, err);
	if (o->parse)
		r = o->parse(value, o->type == OPT_PARSE ? field : NULL, err);
	if (r < 0)
		return refuse(o, value, r, err);
	if (o->type == OPT_TEXT)
		*(const char **) field = value;
	else if (o->type == OPT_LIST)
		strv_add((char ***) field, value);
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
			return err_set(err, -EINVAL, "flag needs an argument: --%s", o->name);
		value = argv[1];
		used = 2;
	}
	r = store(o, values, value, err);
	return r < 0 ? r : used;
}

static int bad_letter(const char *at, const char *word, struct err *err)
{
	_buf_done_ struct buf letter = BUF_INIT(16);
	_free_ char *shown = str_escaped(word);

	(void) str_escape(&letter, at, 1, 1);
	return err_set(err, -EINVAL, "unknown shorthand flag: '%s' in %s", buf_str(&letter), shown);
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
		if (!o)
			return bad_letter(p, argv[0], err);
		if (!is_flag(o) && !*rest && argc < 2)
			return err_set(
			        err, -EINVAL, "flag needs an argument: '%c' in %s", *p, argv[0]);
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
		_free_ char *word = xstrndup(name, len), *shown = str_escaped(word);

		return err_set(err, -EINVAL, "unknown flag: --%s", shown);
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
	return p->usage_exit;
}

/* "prog run" requires at least 1 argument. */
static int wrong_number(const struct opt_program *p, const struct opt_command *c, int argc)
{
	bool few = argc < c->min_args;
	int want = few ? c->min_args : c->max_args;
	const char *how = c->min_args == c->max_args ? "exactly" : few ? "at least" : "at most";
	_free_ char *text = c->max_args == 0
	                            ? xprintf("\"%s %s\" accepts no arguments", p->name, c->name)
	                            : xprintf("\"%s %s\" requires %s %d argument%s: %s", p->name,
	                                      c->name, how, want, want == 1 ? "" : "s", c->args);
	int code = usage(p, c, text);

	return p->arguments_exit ? p->arguments_exit : code;
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
	if (argc < c->min_args || (c->max_args >= 0 && argc > c->max_args))
		return wrong_number(p, c, argc);
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

		int code = usage(p, NULL, text);

		return p->arguments_exit ? p->arguments_exit : code;
	}
	return run_command(p, c, global, argc - words, argv + words);
}
