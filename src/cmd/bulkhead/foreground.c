/* SPDX-License-Identifier: Apache-2.0 */
#include "foreground.h"

#include "engine/console.h"

#include <signal.h>
#include <stdio.h>

void foreground_warn(const char *text)
{
	(void) fprintf(stderr, "bulkhead: %s\n", text);
}

int foreground_result(int r, int code, const struct err *err)
{
	if (r < 0)
		return fail(EXIT_ERROR, err);
	if (r == CONSOLE_DETACHED)
		(void) fprintf(stderr, "bulkhead: read escape sequence\n");
	if (r == CONSOLE_BROKEN)
		return 128 + SIGPIPE;
	return r == CONSOLE_DETACHED ? EXIT_ERROR : code;
}
