/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/ulimits.h"

#include "base/str.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/resource.h>

#define LIMIT(name, number)                                                                        \
	{                                                                                          \
		name, number, #number                                                              \
	}
static const struct {
	const char *name;
	int resource;
	const char *rlimit;
} limits[] = {
	LIMIT("core", RLIMIT_CORE),
	LIMIT("cpu", RLIMIT_CPU),
	LIMIT("data", RLIMIT_DATA),
	LIMIT("fsize", RLIMIT_FSIZE),
	LIMIT("locks", RLIMIT_LOCKS),
	LIMIT("memlock", RLIMIT_MEMLOCK),
	LIMIT("msgqueue", RLIMIT_MSGQUEUE),
	LIMIT("nice", RLIMIT_NICE),
	LIMIT("nofile", RLIMIT_NOFILE),
	LIMIT("nproc", RLIMIT_NPROC),
	LIMIT("rss", RLIMIT_RSS),
	LIMIT("rtprio", RLIMIT_RTPRIO),
	LIMIT("rttime", RLIMIT_RTTIME),
	LIMIT("sigpending", RLIMIT_SIGPENDING),
	LIMIT("stack", RLIMIT_STACK),
};

int ulimit_resource(const char *name, const char **ret_rlimit)
{
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		if (!streq(limits[i].name, name))
			continue;
		if (ret_rlimit)
			*ret_rlimit = limits[i].rlimit;
		return limits[i].resource;
	}
	return -ENOENT;
}

int ulimit_check(const struct config_ulimit *u, struct err *err)
{
	if (ulimit_resource(u->name, NULL) < 0) {
		_free_ char *shown = str_escaped(u->name);

		return err_set(err, -EINVAL, "invalid ulimit type: %s", shown);
	}
	if (u->soft < -1 || u->hard < -1)
		return err_set(err, -EINVAL, "ulimit %s: a limit is -1 (unlimited) or not negative",
		        u->name);
	if (u->hard != -1 && (u->soft == -1 || u->soft > u->hard))
		return err_set(err, -EINVAL,
		        "ulimit soft limit must be less than or equal to hard limit: %" PRId64
		        " > %" PRId64,
		        u->soft, u->hard);
	return 0;
}

int ulimit_parse(const char *text, struct config_ulimit *ret, struct err *err)
{
	_free_ char *name = xstrndup(text, strcspn(text, "=")), *shown = str_escaped(text);
	_free_ char *soft = NULL;
	const char *values = strchr(text, '='), *colon;
	struct config_ulimit u = { 0 };

	if (!values)
		return err_set(err, -EINVAL, "invalid ulimit argument: %s", shown);
	values++;
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		if (streq(limits[i].name, name))
			u.name = limits[i].name;
	if (!u.name) {
		_free_ char *shown_name = str_escaped(name);

		return err_set(err, -EINVAL, "invalid ulimit type: %s", shown_name);
	}
	colon = strchr(values, ':');
	if (colon && strchr(colon + 1, ':'))
		return err_set(err, -EINVAL,
		        "too many limit values - %s, can only have up to two, `soft[:hard]`",
		        shown);
	soft = xstrndup(values, colon ? (size_t) (colon - values) : strlen(values));
	if (num_parse_i64(soft, &u.soft) < 0 ||
	        num_parse_i64(colon ? colon + 1 : soft, &u.hard) < 0)
		return err_set(err, -EINVAL,
		        "invalid ulimit argument: %s: a limit is a number, or -1", shown);
	*ret = u;
	return ulimit_check(&u, err);
}
