/* SPDX-License-Identifier: Apache-2.0 */
#include "testkit.h"

#include "base/str.h"
#include "opt/opt.h"

#include <errno.h>
#include <unistd.h>

struct values {
	bool interactive, tty, rm, loud;
	const char *name;
	char **env, **labels;
	uint64_t memory;
};

static int parse_size(const char *text, void *field, struct err *err)
{
	int r = num_parse_size(text, field);

	return r < 0 ? err_set(err, r, "expected a size such as 512m") : 0;
}

static int check_label(const char *text, void *field, struct err *err)
{
	assert_null(field);
	return *text == '=' ? err_set(err, -EINVAL, "empty name") : 0;
}

static const struct opt options[] = {
	{ "interactive", 'i', OPT_FLAG, NULL, "keep stdin open",
	        offsetof(struct values, interactive), NULL },
	{ "tty", 't', OPT_FLAG, NULL, "make a terminal", offsetof(struct values, tty), NULL },
	{ "rm", 0, OPT_FLAG, NULL, "remove afterwards", offsetof(struct values, rm), NULL },
	{ "name", 'n', OPT_TEXT, "NAME", "the name", offsetof(struct values, name), NULL },
	{ "env", 'e', OPT_LIST, "KEY=VALUE", "a variable", offsetof(struct values, env), NULL },
	{ "memory", 'm', OPT_PARSE, "SIZE", "memory limit", offsetof(struct values, memory),
	        parse_size },
	{ "label", 0, OPT_LIST, "KEY", "a user's label", offsetof(struct values, labels),
	        check_label, "one two" },
	{ "quiet", 0, OPT_FLAG_OFF, NULL, "on unless =false", offsetof(struct values, loud), NULL },
	{ "old", 0, OPT_IGNORED, "X", NULL, 0, NULL },
};

static int parse(struct values *v, bool mixed, int *used, struct err *err, char **argv)
{
	bool help;

	*v = (struct values){ 0 };
	return opt_parse(options, ARRAY_SIZE(options), v, (int) strv_len(argv), argv, mixed, used,
	        &help, err);
}

#define ARGV(...) ((char **) (uintptr_t) (const char *const[]){ __VA_ARGS__, NULL })

static void every_form_of_an_option_is_taken(void **state)
{
	struct values v;
	struct err err;
	int used;

	assert_int_equal(parse(&v, false, &used, &err,
	                         ARGV("-it", "--name", "a", "-e", "A=1", "-eB=2", "--env=C=3",
	                                 "-m=1k", "--rm=false", "-old", "x", "img", "--name", "z")),
	        0);
	assert_int_equal(used, 11);
	assert_true(v.interactive && v.tty && !v.rm && !v.loud);
	assert_string_equal(v.name, "a");
	assert_int_equal(strv_len(v.env), 3);
	assert_string_equal(v.env[1], "B=2");
	assert_string_equal(v.env[2], "C=3");
	assert_true(v.memory == 1024);
	strv_free(v.env);
}

static void single_dash_long_names_are_taken(void **state)
{
	struct values v;
	struct err err;
	int used;

	assert_int_equal(parse(&v, false, &used, &err, ARGV("-name", "x", "-rm", "a")), 0);
	assert_int_equal(used, 3);
	assert_true(v.rm);
	assert_string_equal(v.name, "x");
}

static void a_flag_that_is_on_can_be_switched_off(void **state)
{
	struct values v;
	struct err err;
	int used;

	assert_int_equal(parse(&v, false, &used, &err, ARGV("--quiet=false")), 0);
	assert_true(v.loud);
	assert_int_equal(parse(&v, false, &used, &err, ARGV("--quiet=FALSE", "--quiet")), 0);
	assert_false(v.loud);
}

static void options_behind_arguments_only_when_mixed(void **state)
{
	char *argv[] = { (char[]){ "a" }, (char[]){ "--name" }, (char[]){ "x" }, (char[]){ "b" },
		(char[]){ "--rm" }, (char[]){ "--" }, (char[]){ "--rm" }, NULL };
	struct values v;
	struct err err;
	int used;

	assert_int_equal(parse(&v, true, &used, &err, argv), 0);
	assert_true(v.rm);
	assert_string_equal(v.name, "x");
	assert_string_equal(argv[used], "a");
	assert_string_equal(argv[used + 1], "b");
	assert_string_equal(argv[used + 2], "--rm");
}

static void bad_options_are_named(void **state)
{
	struct values v;
	struct err err;
	int used;

	assert_int_equal(parse(&v, false, &used, &err, ARGV("--nope")), -EINVAL);
	assert_contains(err.text, "unknown flag: --nope");
	assert_int_equal(parse(&v, false, &used, &err, ARGV("-iz")), -EINVAL);
	assert_contains(err.text, "unknown shorthand flag: 'z' in -iz");
	assert_int_equal(parse(&v, false, &used, &err, ARGV("--name")), -EINVAL);
	assert_string_equal(err.text, "flag needs an argument: --name");
	assert_int_equal(parse(&v, false, &used, &err, ARGV("-ie")), -EINVAL);
	assert_string_equal(err.text, "flag needs an argument: 'e' in -ie");
	assert_int_equal(parse(&v, false, &used, &err, ARGV("--nope=x")), -EINVAL);
	assert_string_equal(err.text, "unknown flag: --nope");
	assert_int_equal(parse(&v, false, &used, &err, ARGV("--rm=maybe")), -EINVAL);
	assert_string_equal(
	        err.text, "invalid argument \"maybe\" for \"--rm\" flag: a flag is true or false");
	assert_int_equal(parse(&v, false, &used, &err, ARGV("-m", "lots")), -EINVAL);
	assert_string_equal(err.text,
	        "invalid argument \"lots\" for \"-m, --memory\" flag: expected a size such as 512m");
	assert_int_equal(parse(&v, false, &used, &err, ARGV("--label", "=x")), -EINVAL);
	assert_string_equal(err.text, "invalid argument \"=x\" for \"--label\" flag: empty name");
	assert_null(v.labels);
	assert_int_equal(parse(&v, false, &used, &err, ARGV("--\033[2J")), -EINVAL);
	assert_null(strchr(err.text, '\033'));
}

static int ran;

static int run_it(void *global, void *values, int argc, char **argv)
{
	ran = argc;
	return 7;
}

static const struct opt_command run_command = { "run", "IMAGE [COMMAND...]", "run a thing", options,
	ARRAY_SIZE(options), 1, -1, false, sizeof(struct values), run_it };
static const struct opt_command import_command = { "image import", "FILE NAME", "import", NULL, 0,
	2, 2, true, 1, run_it };
static const struct opt_command *const commands[] = { &run_command, &import_command };

static int without_command(void *global)
{
	return *(char *) global ? 3 : -1;
}

static const struct opt_program program = { .name = "prog",
	.help = "does things",
	.commands = commands,
	.n_commands = ARRAY_SIZE(commands),
	.usage_exit = 125,
	.arguments_exit = 1,
	.without_command = without_command };

static void commands_of_one_and_two_words_run(void **state)
{
	char global = 0;

	assert_int_equal(opt_main(&program, &global, 4, ARGV("prog", "run", "img", "--x")), 7);
	assert_int_equal(ran, 2);
	assert_int_equal(
	        opt_main(&program, &global, 5, ARGV("prog", "image", "import", "f", "n")), 7);
	assert_int_equal(opt_main(&program, &global, 2, ARGV("prog", "image")), 1);
	assert_int_equal(opt_main(&program, &global, 2, ARGV("prog", "run")), 1);
	assert_int_equal(opt_main(&program, &global, 3, ARGV("prog", "run", "--no")), 125);
	assert_int_equal(opt_main(&program, &global, 1, ARGV("prog")), 125);
	global = 1;
	assert_int_equal(opt_main(&program, &global, 1, ARGV("prog")), 3);
}

/* docker's -h is the host name. */
static void a_letter_of_the_table_goes_before_help(void **state)
{
	static const struct opt host[] = {
		{ "hostname", 'h', OPT_TEXT, "NAME", "the name", 0, NULL },
	};
	static const struct opt_command c = { .name = "run",
		.args = "",
		.options = host,
		.n_options = 1,
		.values_size = sizeof(char *) };
	_buf_done_ struct buf help = BUF_INIT(65536);
	const char *name = NULL;
	struct err err;
	bool want_help;
	int used;

	assert_int_equal(
	        opt_parse(host, 1, &name, 2, ARGV("-h", "box"), false, &used, &want_help, &err), 0);
	assert_string_equal(name, "box");
	assert_false(want_help);
	assert_int_equal(
	        opt_parse(host, 1, &name, 1, ARGV("--help"), false, &used, &want_help, &err), 0);
	assert_true(want_help);
	opt_command_help(&program, &c, &help);
	assert_contains(buf_str(&help), "      --help ");
	assert_null(strstr(buf_str(&help), "-h, --help"));
}

static void help_and_completion_name_every_option(void **state)
{
	_buf_done_ struct buf help = BUF_INIT(65536), bash = BUF_INIT(65536),
	                      fish = BUF_INIT(65536);

	opt_command_help(&program, commands[0], &help);
	assert_int_equal(opt_completion(&program, "bash", &bash), 0);
	assert_int_equal(opt_completion(&program, "fish", &fish), 0);
	assert_int_equal(opt_completion(&program, "csh", &fish), -EINVAL);
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		_free_ char *word = xprintf("--%s", options[i].name);

		if (!options[i].help)
			continue;
		assert_contains(buf_str(&help), word);
		assert_contains(buf_str(&bash), word);
		assert_contains(buf_str(&fish), options[i].name);
	}
	assert_null(strstr(buf_str(&help), "--old"));
	/* Values where they are known; a quote in a text of help ends no quote of the script. */
	assert_contains(buf_str(&bash), "--label) COMPREPLY=($(compgen -W \"one two\"");
	assert_contains(buf_str(&fish), "-l label -x -a 'one two' -d 'a user\\'s label'");
	assert_contains(buf_str(&help), "  -h, --help ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testkit_case(every_form_of_an_option_is_taken),
		testkit_case(single_dash_long_names_are_taken),
		testkit_case(a_flag_that_is_on_can_be_switched_off),
		testkit_case(options_behind_arguments_only_when_mixed),
		testkit_case(bad_options_are_named),
		testkit_case(commands_of_one_and_two_words_run),
		testkit_case(a_letter_of_the_table_goes_before_help),
		testkit_case(help_and_completion_name_every_option),
	};

	return testkit_run(tests);
}
