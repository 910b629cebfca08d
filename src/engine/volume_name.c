/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/volumes.h"

#include "base/str.h"

enum { NAME_MIN = 2, NAME_LONGEST = 255 };

static bool is_name_byte(char c, bool first)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
		return true;
	return !first && c && strchr("_.-", c);
}

bool volume_name_is_valid(const char *name)
{
	size_t len = strlen(name);

	if (len < NAME_MIN || len > NAME_LONGEST)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_name_byte(name[i], i == 0))
			return false;
	return true;
}

int volume_name_check(const char *name, struct err *err)
{
	_free_ char *shown = str_escaped(name);
	size_t len = strlen(name);

	if (volume_name_is_valid(name))
		return 0;
	if (len < NAME_MIN)
		return err_set(err, -EINVAL,
		        "create %s: volume name is too short, names should be at least two "
		        "alphanumeric characters",
		        shown);
	if (len > NAME_LONGEST)
		return err_set(err, -EINVAL,
		        "create %s: the name of a volume has at most %d characters", shown,
		        NAME_LONGEST);
	return err_set(err, -EINVAL,
	        "create %s: \"%s\" includes invalid characters for a local volume name, only "
	        "\"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you intended to pass a host "
	        "directory, use absolute path",
	        shown, shown);
}
