/* SPDX-License-Identifier: Apache-2.0 */
#include "bulkhead.h"

#include "base/buf.h"
#include "engine/syscheck.h"

#include <errno.h>
#include <stdio.h>

enum { OUTPUT_MAX = 16 << 20 };

struct values {
	bool repair;
};

static const struct opt options[] = {
	{ "repair", 0, OPT_FLAG, NULL, "mend what can be mended; no data that is in use is deleted",
	        offsetof(struct values, repair), NULL },
};

static void print_found(void *data, const char *subject, const char *problem, const char *remedy)
{
	struct buf *out = data;

	(void) buf_addf(out, "%s %s", subject, problem);
	if (remedy)
		(void) buf_addf(out, "; --repair %s", remedy);
	(void) buf_addc(out, '\n');
}

static void say_nothing(void *data, const char *subject, const char *problem, const char *remedy)
{
}

static void print_done(void *data, const char *sentence)
{
	struct buf *out = data;

	(void) buf_addf(out, "  %s\n", sentence);
}

/* One pass over everything, which opens the engine anew. */
static int pass(const struct global *global, enum engine_mode mode, unsigned int flags,
        struct syscheck_report *report, struct err *err)
{
	_engine_done_ struct engine e = ENGINE_INIT;
	int r = engine_open(global->root, mode, &e, err);

	return r < 0 ? r : syscheck_engine(&e, flags, report, err);
}

/* Looks, saves, mends, looks again. */
static int check(const struct global *global, bool repair, struct buf *out, size_t *ret_left,
        struct err *err)
{
	struct syscheck_report first = { .found = print_found, .done = print_done, .data = out },
	                       second = { .found = say_nothing, .done = print_done, .data = out },
	                       last = { .found = print_found, .data = out };
	int r = pass(global, ENGINE_READ, repair ? SYSCHECK_SAVE : 0, &first, err);

	*ret_left = first.findings;
	if (r < 0 || !repair || first.findings == 0)
		return r;
	r = pass(global, ENGINE_WRITE, SYSCHECK_MEND, &second, err);
	if (r < 0)
		return r;
	(void) buf_adds(out, "After the repair:\n");
	r = pass(global, ENGINE_READ, 0, &last, err);
	*ret_left = last.findings;
	if (r == 0 && last.findings == 0)
		(void) buf_adds(out, "nothing is left to mend\n");
	return r;
}

static int run(void *data, void *values, int argc, char **argv)
{
	_buf_done_ struct buf out = BUF_INIT(OUTPUT_MAX);
	struct values *v = values;
	size_t left = 0;
	struct err err;
	int r = check(data, v->repair, &out, &left, &err);

	/* No store yet: nothing can be wrong with it. */
	if (r == -ENOENT && out.len == 0)
		return EXIT_OK;
	if (print_text(&out) != EXIT_OK)
		return EXIT_ERROR;
	if (r < 0)
		return fail(EXIT_ERROR, &err);
	return left > 0 ? EXIT_ERROR : EXIT_OK;
}

const struct opt_command command_system_check = {
	.name = "system check",
	.args = "",
	.help = "look whether everything is as it should be, and mend it",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.values_size = sizeof(struct values),
	.run = run,
};
