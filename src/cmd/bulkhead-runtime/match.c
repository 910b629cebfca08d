/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd.h"

#include "base/str.h"

#include <regex.h>

int for_each_match(const struct global *g, const struct runtime *rt, const char *pattern,
        int (*act)(const char *id, void *userdata, struct err *err), void *userdata)
{
	_cleanup_(strv_freep) char **ids = NULL;
	struct err err = { 0 };
	int code = 0;
	regex_t re;
	if (regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB) != 0) {
		_free_ char *shown = str_escaped(pattern);
		err_set(&err, -EINVAL, "'%s' is no extended regular expression", shown);
		return fail(g, &err);
	}
	if (runtime_list(rt, &ids, &err) < 0)
		code = fail(g, &err);
	for (size_t i = 0; ids && ids[i]; i++) {
		if (regexec(&re, ids[i], 0, NULL, 0) != 0)
			continue;
		err = (struct err){ 0 };
		if (act(ids[i], userdata, &err) < 0)
			code = fail(g, &err);
	}
	regfree(&re);
	return code;
}
