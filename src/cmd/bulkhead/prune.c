/* SPDX-License-Identifier: Apache-2.0 */
#include "prune.h"

#include "base/str.h"
#include "format/units.h"

#include <errno.h>

int prune_filter(const char *filter, char **ret_key, const char **ret_value, struct err *err)
{
	const char *equals = strchr(filter, '=');

	if (!equals) {
		_free_ char *shown = str_escaped(filter);

		return err_set(err, -EINVAL,
		        "invalid argument \"%s\" for \"--filter\" flag: bad format of filter "
		        "(expected name=value)",
		        shown);
	}
	*ret_key = xstrndup(filter, (size_t) (equals - filter));
	*ret_value = equals + 1;
	return 0;
}

int prune_unknown_filter(const char *key, struct err *err)
{
	_free_ char *shown = str_escaped(key);

	return err_set(err, -EINVAL, "Invalid filter '%s'", shown);
}

void prune_total(struct buf *out, uint64_t bytes)
{
	char size[FORMAT_UNIT_SIZE];

	format_size(size, bytes, 4);
	(void) buf_addf(out, "%sTotal reclaimed space: %s\n", out->len ? "\n" : "", size);
}
