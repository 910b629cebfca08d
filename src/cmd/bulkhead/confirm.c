/* SPDX-License-Identifier: Apache-2.0 */
#include "confirm.h"

#include "base/str.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

bool confirm(const char *question)
{
	char answer[4] = { 0 };
	size_t len = 0;
	char c;

	if (printf("%s [y/N] ", question) < 0 || fflush(stdout) != 0)
		return false;
	/* Byte by byte: what stands behind the line is the next reader's. */
	while (TEMP_FAILURE_RETRY(read(0, &c, 1)) == 1 && c != '\n')
		if (len < sizeof(answer) - 1)
			answer[len++] = c;
	if (len > 0 && answer[len - 1] == '\r')
		answer[len - 1] = '\0';
	return streq(answer, "y") || streq(answer, "Y");
}
