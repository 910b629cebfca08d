/* SPDX-License-Identifier: Apache-2.0 */
#include "json/json.h"

#include <errno.h>
#include <json-c/json_tokener.h>
#include <limits.h>

void json_putp(struct json_object **object)
{
	json_object_put(*object);
	*object = NULL;
}

static void tokener_freep(struct json_tokener **t)
{
	if (*t)
		json_tokener_free(*t);
}

int json_parse_bounded(const char *document, const char *bytes, size_t len,
        const struct json_limits *limits, struct json_object **ret, struct err *err)
{
	_cleanup_(tokener_freep) struct json_tokener *tokener = NULL;
	_json_put_ struct json_object *object = NULL;
	enum json_tokener_error e;
	int r;

	r = json_check(document, bytes, len, limits, err);
	if (r < 0)
		return r;
	if (len > INT_MAX)
		return err_set(err, -EMSGSIZE, "%s: too many bytes", document);
	/* json-c counts the scalars inside the innermost object as a level of their own. */
	tokener = json_tokener_new_ex((int) limits->max_depth + 2);
	if (!tokener)
		abort();
	/* json_check() has looked at the UTF-8 already, and is stricter. */
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	object = json_tokener_parse_ex(tokener, bytes, (int) len);
	e = json_tokener_get_error(tokener);
	if (e != json_tokener_success)
		return err_set(err, -EINVAL, "%s: %s", document, json_tokener_error_desc(e));
	*ret = TAKE_PTR(object);
	return 0;
}
