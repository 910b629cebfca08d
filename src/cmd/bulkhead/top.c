/* SPDX-License-Identifier: Apache-2.0 */
#include "look.h"

#include "engine/processes.h"

enum { PS_OUTPUT_MAX = 64 << 20 };

/* The members are asked for after ps has run: a number that was free when ps looked and has been
 * taken by the container since then is not in its output. One that left the container in between is
 * not a member any more. */
static int run(void *data, void *values, int argc, char **argv)
{
	_buf_done_ struct buf ps = BUF_INIT(PS_OUTPUT_MAX), out = BUF_INIT(PS_OUTPUT_MAX);
	_container_done_ struct container c = CONTAINER_INIT;
	_engine_done_ struct engine e = ENGINE_INIT;
	_free_ pid_t *members = NULL;
	size_t n_options = (size_t) argc - 1, n = 0;
	struct err err;
	int r = look_container(data, argv[0], &e, &c, &err);

	if (r == 0)
		r = processes_check_options(argv + 1, n_options, &err);
	if (r == 0)
		r = processes_list(&c, &members, &n, &err);
	if (r == 0)
		r = processes_run_ps(argv + 1, n_options, members, n, &ps, &err);
	if (r == 0) {
		free(members);
		members = NULL;
		r = processes_list(&c, &members, &n, &err);
	}
	if (r == 0)
		r = processes_table(buf_str(&ps), members, n, &out, &err);
	return r < 0 ? fail(EXIT_ERROR, &err) : print_text(&out);
}

#define TOP_COMMAND(words, text)                                                                   \
	{                                                                                          \
		.name = (words), .args = "CONTAINER [PS OPTION...]", .help = (text),               \
		.min_args = 1, .max_args = -1, .run = run,                                         \
	}
const struct opt_command command_top = TOP_COMMAND("top", "show the processes of a container");
const struct opt_command command_container_top = TOP_COMMAND("container top", NULL);
