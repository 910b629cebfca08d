/* SPDX-License-Identifier: Apache-2.0 */
#include "look.h"

#include "base/str.h"

#include <errno.h>
#include <stdio.h>

int look_container(const struct global *global, const char *text, struct engine *e,
        struct container *c, struct err *err)
{
	int r = engine_open(global->root, ENGINE_READ, e, err);

	if (r == -ENOENT) {
		_free_ char *shown = str_escaped(text);

		return err_set(err, -ENOENT, "No such container: %s", shown);
	}
	return r < 0 ? r : container_find(e, text, c, err);
}

int look_check_filters(char *const *filters, struct err *err)
{
	for (; filters && *filters; filters++) {
		_free_ char *shown = str_escaped(*filters);

		if (!strchr(*filters, '='))
			return err_set(err, -EINVAL,
			        "invalid argument \"%s\" for \"-f, --filter\" flag: bad format of filter (expected name=value)",
			        shown);
	}
	return 0;
}

void look_error(const char *text)
{
	(void) fprintf(stderr, "Error: %s\n", text);
}
