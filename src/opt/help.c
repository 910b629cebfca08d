/* SPDX-License-Identifier: Apache-2.0 */
#include "opt/opt.h"

#include "base/str.h"

#include <errno.h>

enum { HELP_COLUMN = 34 };

/* One line: "  -x, --name ARG" and the help behind it. */
static void add_option(const struct opt *o, struct buf *out)
{
	size_t start = out->len;

	if (!o->help)
		return;
	(void) buf_adds(out, "  ");
	if (o->letter)
		(void) buf_addf(out, "-%c, ", o->letter);
	else
		(void) buf_adds(out, "    ");
	(void) buf_addf(out, "--%s", o->name);
	if (o->arg)
		(void) buf_addf(out, " %s", o->arg);
	if (out->len - start >= HELP_COLUMN)
		(void) buf_addf(out, "\n%*s", HELP_COLUMN, "");
	else
		(void) buf_addf(out, "%*s", (int) (HELP_COLUMN - (out->len - start)), "");
	(void) buf_addf(out, "%s\n", o->help);
}

static void add_options(const char *title, const struct opt *options, size_t n, struct buf *out)
{
	bool taken = false; /* -h */

	(void) buf_addf(out, "\n%s:\n", title);
	for (size_t i = 0; i < n; i++)
		add_option(&options[i], out);
	for (size_t i = 0; i < n; i++)
		taken = taken || options[i].letter == 'h';
	(void) buf_addf(out, "  %s--help%*sshow this help\n", taken ? "    " : "-h, ",
	        HELP_COLUMN - 12, "");
}

void opt_program_help(const struct opt_program *p, struct buf *out)
{
	(void) buf_addf(out, "Usage: %s [OPTIONS] COMMAND [ARGUMENTS]\n\n%s\n\nCommands:\n",
	        p->name, p->help);
	for (size_t i = 0; i < p->n_commands; i++)
		if (p->commands[i]->help)
			(void) buf_addf(
			        out, "  %-16s %s\n", p->commands[i]->name, p->commands[i]->help);
	add_options("Options", p->options, p->n_options, out);
	(void) buf_addf(out, "\n'%s COMMAND --help' tells more about one command.\n", p->name);
}

void opt_command_help(const struct opt_program *p, const struct opt_command *c, struct buf *out)
{
	(void) buf_addf(out, "Usage: %s %s [OPTIONS]%s%s\n", p->name, c->name, *c->args ? " " : "",
	        c->args);
	if (c->help)
		(void) buf_addf(out, "\n%s\n", c->help);
	add_options("Options", c->options, c->n_options, out);
}

static void bash_words(const struct opt *options, size_t n, struct buf *out)
{
	for (size_t i = 0; i < n; i++)
		if (options[i].help)
			(void) buf_addf(out, " --%s", options[i].name);
	(void) buf_adds(out, " --help");
}

static const struct opt *previous_with_words(
        const struct opt_program *p, size_t command, size_t option, const char *name)
{
	for (size_t i = 0; i <= command; i++) {
		const struct opt_command *c = p->commands[i];

		for (size_t k = 0; k < (i == command ? option : c->n_options); k++)
			if (c->options[k].words && streq(c->options[k].name, name))
				return &c->options[k];
	}
	return NULL;
}

/* The values behind an option, whatever the command: one name means one thing everywhere. */
static void bash_values(const struct opt_program *p, struct buf *out)
{
	for (size_t i = 0; i < p->n_commands; i++) {
		const struct opt_command *c = p->commands[i];

		for (size_t k = 0; k < c->n_options; k++) {
			const struct opt *o = &c->options[k];

			if (o->words && !previous_with_words(p, i, k, o->name))
				(void) buf_addf(out,
				        "\t--%s) COMPREPLY=($(compgen -W \"%s\" -- \"$cur\")); return ;;\n",
				        o->name, o->words);
		}
	}
}

static void completion_bash(const struct opt_program *p, struct buf *out)
{
	_buf_done_ struct buf fn = BUF_INIT(256);

	for (const char *c = p->name; *c; c++)
		(void) buf_addc(&fn, *c == '-' ? '_' : *c);
	(void) buf_addf(out,
	        "_%s()\n{\n\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
	        "\tlocal words=\"${COMP_WORDS[*]:1:COMP_CWORD-1}\"\n\tcase \"$prev\" in\n",
	        buf_str(&fn));
	bash_values(p, out);
	(void) buf_adds(out, "\tesac\n\tcase \" $words \" in\n");
	for (size_t i = 0; i < p->n_commands; i++) {
		const struct opt_command *c = p->commands[i];

		if (!c->help)
			continue;
		(void) buf_addf(out, "\t*\" %s \"*) COMPREPLY=($(compgen -f -W \"", c->name);
		bash_words(c->options, c->n_options, out);
		(void) buf_adds(out, "\" -- \"$cur\")) ;;\n");
	}
	(void) buf_adds(out, "\t*) COMPREPLY=($(compgen -W \"");
	for (size_t i = 0; i < p->n_commands; i++)
		if (p->commands[i]->help)
			(void) buf_addf(out, "%s ", p->commands[i]->name);
	bash_words(p->options, p->n_options, out);
	(void) buf_addf(
	        out, "\" -- \"$cur\")) ;;\n\tesac\n}\ncomplete -F _%s %s\n", buf_str(&fn), p->name);
}

static void fish_option(
        const struct opt_program *p, const char *command, const struct opt *o, struct buf *out)
{
	if (!o->help)
		return;
	(void) buf_addf(out, "complete -c %s", p->name);
	if (command)
		(void) buf_addf(out, " -n '__fish_seen_subcommand_from %s'", command);
	if (o->letter)
		(void) buf_addf(out, " -s %c", o->letter);
	(void) buf_addf(out, " -l %s", o->name);
	if (o->words)
		(void) buf_addf(out, " -x -a '%s'", o->words);
	else if (o->arg)
		(void) buf_adds(out, " -r");
	(void) buf_adds(out, " -d '");
	for (const char *h = o->help; *h; h++) /* fish: \' inside '...' */
		(void) buf_addf(out, *h == '\'' ? "\\%c" : "%c", *h);
	(void) buf_adds(out, "'\n");
}

static void completion_fish(const struct opt_program *p, struct buf *out)
{
	for (size_t i = 0; i < p->n_options; i++)
		fish_option(p, NULL, &p->options[i], out);
	for (size_t i = 0; i < p->n_commands; i++) {
		const struct opt_command *c = p->commands[i];

		if (!c->help)
			continue;
		(void) buf_addf(out, "complete -c %s -n __fish_use_subcommand -a '%s' -d '%s'\n",
		        p->name, c->name, c->help);
		for (size_t k = 0; k < c->n_options; k++)
			fish_option(p, c->name, &c->options[k], out);
	}
}

int opt_completion(const struct opt_program *p, const char *shell, struct buf *out)
{
	if (streq(shell, "fish")) {
		completion_fish(p, out);
		return 0;
	}
	if (!streq(shell, "bash") && !streq(shell, "zsh"))
		return -EINVAL;
	if (streq(shell, "zsh"))
		(void) buf_adds(out, "autoload -U +X bashcompinit && bashcompinit\n");
	completion_bash(p, out);
	return 0;
}
