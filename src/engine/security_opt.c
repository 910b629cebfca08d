/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/security_opt.h"

#include "base/str.h"
#include "json/json.h"
#include "oci/seccomp_profile.h"

#include <errno.h>
#include <fcntl.h>

static int set_seccomp(struct security_opt *s, const char *value, struct err *err)
{
	_free_ char *shown = NULL;

	s->seccomp_off = streq(value, "unconfined");
	s->profile = NULL;
	if (s->seccomp_off || streq(value, "builtin") || streq(value, "default"))
		return 0;
	s->profile = value;
	if (*value == '{')
		return 0;
	shown = str_escaped(value);
	return err_set(err, -EINVAL,
	        "invalid --security-opt: seccomp='%s' is neither 'default', 'unconfined' nor a profile",
	        shown);
}

static int set_system_paths(struct security_opt *s, const char *value, struct err *err)
{
	_free_ char *shown = str_escaped(value);

	s->system_paths = true;
	if (streq(value, "unconfined"))
		return 0;
	return err_set(err, -EINVAL,
	        "invalid --security-opt: systempaths='%s': only 'unconfined' is known", shown);
}

static int set_no_new_privileges(struct security_opt *s, const char *value, struct err *err)
{
	_free_ char *shown = NULL;

	(void) s;
	if (!*value || streq(value, "true") || streq(value, "1"))
		return 0;
	if (streq(value, "false") || streq(value, "0"))
		return err_set(err, -EOPNOTSUPP,
		        "no-new-privileges is always on: set-id programs give nothing in a container; "
		        "remove --security-opt no-new-privileges=false and run as the user that is needed (-u)");
	shown = str_escaped(value);
	return err_set(err, -EINVAL,
	        "invalid --security-opt: no-new-privileges='%s' is neither true nor false", shown);
}

/* Nothing of ours depends on these modules, so "off" is how it is. */
static int set_apparmor(struct security_opt *s, const char *value, struct err *err)
{
	_free_ char *shown = NULL;

	(void) s;
	if (streq(value, "unconfined"))
		return 0;
	shown = str_escaped(value);
	return err_set(err, -EOPNOTSUPP,
	        "AppArmor profiles ('%s') are not supported by this version: remove the option; "
	        "seccomp, Landlock and user namespaces confine every container",
	        shown);
}

static int set_label(struct security_opt *s, const char *value, struct err *err)
{
	_free_ char *shown = NULL;

	(void) s;
	if (streq(value, "disable"))
		return 0;
	shown = str_escaped(value);
	return err_set(err, -EOPNOTSUPP,
	        "SELinux labels ('%s') are not supported by this version: remove the option; "
	        "seccomp, Landlock and user namespaces confine every container",
	        shown);
}

static const struct {
	const char *name;
	bool value_is_optional;
	int (*set)(struct security_opt *s, const char *value, struct err *err);
} keys[] = {
	{ "apparmor", false, set_apparmor },
	{ "label", false, set_label },
	{ "no-new-privileges", true, set_no_new_privileges },
	{ "seccomp", false, set_seccomp },
	{ "systempaths", false, set_system_paths },
};

/* "key=value"; docker still takes the old "key:value" too. */
static int parse_one(struct security_opt *s, const char *option, struct err *err)
{
	size_t len = strcspn(option, "=");
	const char *value;
	_free_ char *shown = NULL;

	if (!option[len])
		len = strcspn(option, ":");
	value = option[len] ? option + len + 1 : "";
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (strlen(keys[i].name) != len || memcmp(keys[i].name, option, len) != 0)
			continue;
		if (*value || keys[i].value_is_optional)
			return keys[i].set(s, value, err);
	}
	shown = str_escaped(option);
	return err_set(err, -EINVAL, "invalid --security-opt: \"%s\"", shown);
}

int security_opt_parse(const char *const *list, struct security_opt *ret, struct err *err)
{
	struct security_opt s = { 0 };

	for (; list && *list; list++) {
		int r = parse_one(&s, *list, err);

		if (r < 0)
			return r;
	}
	*ret = s;
	return 0;
}

static int load_profile(const char *path, char **ret, struct err *err)
{
	static const struct json_limits limits = {
		.max_bytes = OCI_SECCOMP_PROFILE_MAX,
		.max_depth = 16,
		.max_list = OCI_LIST_MAX,
		.max_string = 4096,
	};
	_buf_done_ struct buf text = BUF_INIT(OCI_SECCOMP_PROFILE_MAX);
	_json_put_ struct json_object *object = NULL;
	_free_ char *shown = str_escaped(path);
	int r = buf_read_file(&text, AT_FDCWD, path);

	if (r < 0)
		return err_errno(
		        err, r, "opening seccomp profile (%s) failed: open %s", shown, shown);
	r = json_parse_bounded("seccomp profile", buf_str(&text), text.len, &limits, &object, err);
	if (r < 0)
		return r;
	*ret = xprintf(
	        "seccomp=%s", json_object_to_json_string_ext(object,
	                              JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	return 0;
}

int security_opt_load(const char *option, char **ret, struct err *err)
{
	static const char *const names[] = { "unconfined", "builtin", "default" };
	const char *value = NULL;

	if (str_has_prefix(option, "seccomp=") || str_has_prefix(option, "seccomp:"))
		value = option + strlen("seccomp=");
	for (size_t i = 0; value && i < ARRAY_SIZE(names); i++)
		if (streq(value, names[i]))
			value = NULL;
	if (value && *value)
		return load_profile(value, ret, err);
	*ret = xstrdup(option);
	return 0;
}
