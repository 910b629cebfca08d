/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/caps_opt.h"

#include "base/str.h"
#include "caps/caps.h"

#include <ctype.h>
#include <errno.h>
#include <strings.h>

static bool is_all(const char *name)
{
	return strcasecmp(name, "ALL") == 0 || strcasecmp(name, "CAP_ALL") == 0;
}

static int parse(const char *what, const char *const *list, uint64_t *ret_set, bool *ret_all,
        struct err *err)
{
	*ret_set = 0;
	*ret_all = false;
	for (; list && *list; list++) {
		int cap = caps_number(*list);

		if (is_all(*list)) {
			*ret_all = true;
		} else if (cap >= 0) {
			*ret_set |= CAPS_BIT(cap);
		} else {
			_free_ char *shown = str_escaped(*list);
			const char *prefix = strncasecmp(shown, "CAP_", 4) == 0 ? "" : "CAP_";

			for (char *p = shown; *p; p++)
				*p = (char) toupper((unsigned char) *p);
			return err_set(err, -EINVAL, "invalid %s: unknown capability: \"%s%s\"",
			        what, prefix, shown);
		}
	}
	return 0;
}

int caps_opt_apply(uint64_t defaults, const char *const *add, const char *const *drop,
        uint64_t *ret, struct err *err)
{
	uint64_t added = 0, dropped = 0;
	bool add_all = false, drop_all = false;
	int r = parse("CapAdd", add, &added, &add_all, err);

	if (r == 0)
		r = parse("CapDrop", drop, &dropped, &drop_all, err);
	if (r < 0)
		return r;
	if (add_all)
		*ret = CAPS_ALL & ~dropped;
	else if (drop_all)
		*ret = added;
	else
		*ret = (defaults & ~dropped) | added;
	return 0;
}
