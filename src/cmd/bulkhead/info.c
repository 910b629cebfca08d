/* SPDX-License-Identifier: Apache-2.0 */
#include "bulkhead.h"

#include "engine/security.h"
#include "facts/facts.h"

static int run(void *data, void *values, int argc, char **argv)
{
	_buf_done_ struct buf text = BUF_INIT(1 << 16);
	struct global *global = data;
	struct facts facts;
	struct err err;

	if (facts_probe(&facts, &err) < 0)
		return fail(EXIT_ERROR, &err);
	(void) buf_addf(&text, "%-18s %-9s %s\n", "bulkhead", BULKHEAD_VERSION, "");
	(void) buf_addf(&text, "%-18s %-9s %s\n", "state folder", "", global->root);
	security_info(&facts, &text);
	return print_text(&text);
}

const struct opt_command command_info = {
	.name = "info",
	.args = "",
	.help = "say what this kernel gives to containers, and what is lost",
	.run = run,
};
