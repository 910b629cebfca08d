/* SPDX-License-Identifier: Apache-2.0 */
/* --mount: fields by a table. */
#include "engine/mounts.h"

#include "base/str.h"
#include "engine/flag.h"
#include "engine/mounts_csv.h"
#include "engine/mounts_option.h"

#include <errno.h>

enum {
	LABELS_MAX = 256,
	MODE_MAX = 07777,
};

/* Options that belong to one type; FILES: to a bind or a tmpfs. */
enum family { FAMILY_BIND = 1, FAMILY_VOLUME = 2, FAMILY_TMPFS = 4, FAMILY_FILES = 8 };

struct reader {
	struct arena *arena;
	const char *cwd;
	struct config_mount m;
	const char *type;
	unsigned int families; /* that were used */
	const char **labels;
	size_t n_labels;
	bool has_propagation;
	bool recursive_read_only; /* bind-recursive=readonly */
	struct err *err;
};

struct key {
	const char *name;
	bool flag; /* may stand without a value */
	unsigned int family;
	int (*set)(struct reader *r, const struct key *key, const char *value);
	size_t offset; /* of the bool of a flag */
};

int mounts_parse_mode_number(const char *text, uint32_t *ret)
{
	uint32_t mode = 0;

	if (!*text)
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '7')
			return -EINVAL;
		mode = mode * 8 + (uint32_t) (*text - '0');
		if (mode > MODE_MAX)
			return -EINVAL;
	}
	*ret = mode;
	return 0;
}

static int bad_value(struct reader *r, const char *name, const char *value)
{
	_free_ char *shown = str_escaped(value);

	return err_set(r->err, -EINVAL, "invalid value for %s: %s", name, shown);
}

/* What strconv.ParseBool of Go takes. */
static int parse_bool(const char *text, bool *ret)
{
	static const char *const yes[] = { "1", "t", "T", "TRUE", "true", "True" };
	static const char *const no[] = { "0", "f", "F", "FALSE", "false", "False" };

	for (size_t i = 0; i < ARRAY_SIZE(yes); i++)
		if (streq(text, yes[i]) || streq(text, no[i])) {
			*ret = streq(text, yes[i]);
			return 0;
		}
	return -EINVAL;
}

static char *lower(struct arena *arena, const char *text)
{
	char *copy = arena_strdup(arena, text);

	for (char *c = copy; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char) (*c - 'A' + 'a');
	return copy;
}

/* --- setters ---------------------------------------------------------------------------------- */

static int set_type(struct reader *r, const struct key *key, const char *value)
{
	r->type = lower(r->arena, value);
	return 0;
}

static int set_source(struct reader *r, const struct key *key, const char *value)
{
	bool relative = streq(value, ".") || str_has_prefix(value, "./");

	r->m.source = relative && r->cwd ? arena_printf(r->arena, "%s/%s", r->cwd, value)
	                                 : arena_strdup(r->arena, value);
	return 0;
}

static int set_target(struct reader *r, const struct key *key, const char *value)
{
	r->m.target = arena_strdup(r->arena, value);
	return 0;
}

static int set_flag(struct reader *r, const struct key *key, const char *value)
{
	bool on = true;

	if (value && parse_bool(value, &on) < 0)
		return bad_value(r, key->name, value);
	*(bool *) ((char *) &r->m + key->offset) = on;
	return 0;
}

static int set_nothing(struct reader *r, const struct key *key, const char *value)
{
	return 0;
}

static int set_propagation(struct reader *r, const struct key *key, const char *value)
{
	r->has_propagation = true;
	r->m.propagation = *value ? lower(r->arena, value) : "rprivate";
	return 0;
}

static int set_recursive(struct reader *r, const struct key *key, const char *value)
{
	_free_ char *shown = str_escaped(value);

	if (!streq(value, "enabled") && !streq(value, "disabled") && !streq(value, "writable") &&
	        !streq(value, "readonly"))
		return err_set(r->err, -EINVAL,
		        "invalid value for %s: %s (must be \"enabled\", \"disabled\", "
		        "\"writable\", or \"readonly\")",
		        key->name, shown);
	r->m.non_recursive = streq(value, "disabled");
	r->m.read_only_shallow = streq(value, "writable");
	r->recursive_read_only = streq(value, "readonly");
	return 0;
}

static int set_label(struct reader *r, const struct key *key, const char *value)
{
	if (!*value || *value == '=')
		return 0; /* as docker: no key, no label */
	if (r->n_labels == LABELS_MAX)
		return err_set(r->err, -EINVAL, "a volume has at most %d labels", LABELS_MAX);
	if (!r->labels)
		r->labels = arena_new_n(r->arena, const char *, LABELS_MAX + 1);
	r->labels[r->n_labels++] = strchr(value, '=') ? arena_strdup(r->arena, value)
	                                              : arena_printf(r->arena, "%s=", value);
	return 0;
}

static int set_driver(struct reader *r, const struct key *key, const char *value)
{
	_free_ char *shown = str_escaped(value);

	if (!*value || streq(value, "local"))
		return 0;
	return err_set(r->err, -EINVAL,
	        "error looking up volume plugin %s: plugin \"%s\" not found", shown, shown);
}

static int set_driver_option(struct reader *r, const struct key *key, const char *value)
{
	_free_ char *shown = str_escaped(value);

	return err_set(r->err, -EINVAL,
	        "volume option '%s' is refused: volumes are folders without options; mount it on "
	        "the host and bind it",
	        shown);
}

static int set_size(struct reader *r, const struct key *key, const char *value)
{
	return num_parse_size(value, &r->m.tmpfs_size) < 0 ? bad_value(r, key->name, value) : 0;
}

static int set_mode(struct reader *r, const struct key *key, const char *value)
{
	return mounts_parse_mode_number(value, &r->m.tmpfs_mode) < 0
	               ? bad_value(r, key->name, value)
	               : 0;
}

#define FLAG(name, family, field)                                                                  \
	{                                                                                          \
		name, true, family, set_flag, offsetof(struct config_mount, field)                 \
	}
static const struct key keys[] = {
	FLAG("bind-nonrecursive", FAMILY_BIND, non_recursive),
	{ "bind-propagation", false, FAMILY_BIND, set_propagation, 0 },
	{ "bind-recursive", false, FAMILY_BIND, set_recursive, 0 },
	{ "consistency", false, 0, set_nothing, 0 },
	{ "destination", false, 0, set_target, 0 },
	FLAG("dev", FAMILY_FILES, dev),
	{ "dst", false, 0, set_target, 0 },
	FLAG("exec", FAMILY_FILES, exec),
	FLAG("no-idmap", FAMILY_BIND, no_idmap),
	FLAG("readonly", 0, read_only),
	FLAG("ro", 0, read_only),
	{ "source", false, 0, set_source, 0 },
	{ "src", false, 0, set_source, 0 },
	FLAG("suid", FAMILY_FILES, suid),
	{ "target", false, 0, set_target, 0 },
	{ "tmpfs-mode", false, FAMILY_TMPFS, set_mode, 0 },
	{ "tmpfs-size", false, FAMILY_TMPFS, set_size, 0 },
	{ "type", false, 0, set_type, 0 },
	{ "volume-driver", false, FAMILY_VOLUME, set_driver, 0 },
	{ "volume-label", false, FAMILY_VOLUME, set_label, 0 },
	FLAG("volume-nocopy", FAMILY_VOLUME, no_copy),
	{ "volume-opt", false, FAMILY_VOLUME, set_driver_option, 0 },
};

/* --- fields ----------------------------------------------------------------------------------- */

static const struct key *find_key(const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (strlen(keys[i].name) == len && strncasecmp(keys[i].name, name, len) == 0)
			return &keys[i];
	return NULL;
}

static int read_field(struct reader *r, const char *field)
{
	size_t len = strcspn(field, "=");
	const char *value = field[len] ? field + len + 1 : NULL;
	const struct key *key = find_key(field, len);
	_free_ char *name = xstrndup(field, len), *shown_name = str_escaped(name);
	_free_ char *shown = str_escaped(field);

	if (!value && (!key || !key->flag))
		return err_set(
		        r->err, -EINVAL, "invalid field '%s' must be a key=value pair", shown);
	if (!key)
		return err_set(r->err, -EINVAL, "unexpected key '%s' in '%s'", shown_name, shown);
	r->families |= key->family;
	return key->set(r, key, value);
}

static int read_type(struct reader *r)
{
	static const struct {
		const char *name;
		enum config_mount_type type;
	} types[] = {
		{ "bind", CONFIG_BIND },
		{ "volume", CONFIG_VOLUME },
		{ "tmpfs", CONFIG_TMPFS },
	};
	_free_ char *shown = str_escaped(r->type);

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (streq(types[i].name, r->type)) {
			r->m.type = types[i].type;
			return 0;
		}
	return err_set(
	        r->err, -EINVAL, "invalid mount config for type \"%s\": mount type unknown", shown);
}

static int check_families(struct reader *r)
{
	static const struct {
		enum family family;
		enum config_mount_type other; /* a second type that may have it; 0: none */
		enum config_mount_type type;
		const char *name;
	} families[] = {
		{ FAMILY_VOLUME, 0, CONFIG_VOLUME, "volume" },
		{ FAMILY_BIND, 0, CONFIG_BIND, "bind" },
		{ FAMILY_TMPFS, 0, CONFIG_TMPFS, "tmpfs" },
		{ FAMILY_FILES, CONFIG_TMPFS, CONFIG_BIND, "bind" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		if (r->families & families[i].family && r->m.type != families[i].type &&
		        r->m.type != families[i].other)
			return err_set(r->err, -EINVAL,
			        "cannot mix '%s-*' options with mount type '%s'", families[i].name,
			        r->type);
	return 0;
}

/* What docker's client checks before it asks the engine. */
static int check_client(struct reader *r)
{
	static const char sentence[] =
	        "option 'bind-recursive=readonly' requires '%s' to be specified in conjunction";

	if (!*r->type)
		return err_set(r->err, -EINVAL, "type is required");
	if (!*r->m.target)
		return err_set(r->err, -EINVAL, "target is required");
	if (r->recursive_read_only && !r->m.read_only)
		return err_set(r->err, -EINVAL, sentence, "readonly");
	if (r->recursive_read_only && (!r->has_propagation || !streq(r->m.propagation, "rprivate")))
		return err_set(r->err, -EINVAL, sentence, "bind-propagation=rprivate");
	return 0;
}

static int read_fields(struct reader *r, const char *text)
{
	_cleanup_(strv_freep) char **fields = NULL;
	int result = mounts_csv(text, &fields, r->err);

	for (char **field = fields; result == 0 && field && *field; field++)
		result = read_field(r, *field);
	return result < 0 ? result : check_client(r);
}

int mounts_parse_mount(struct arena *arena, const char *text, const char *cwd,
        struct config_mount *ret, struct err *err)
{
	struct reader r = {
		.arena = arena,
		.cwd = cwd,
		.m = MOUNTS_DEFAULT(CONFIG_VOLUME),
		.type = "volume",
		.err = err,
	};
	int result;

	if (strlen(text) > MOUNTS_TEXT_MAX)
		return err_set(err, -EINVAL, "the value of --mount has more than %d bytes",
		        MOUNTS_TEXT_MAX);
	result = read_fields(&r, text);
	if (result < 0)
		return flag_invalid("mount", text, result, err);
	result = read_type(&r);
	if (result < 0)
		return result;
	result = check_families(&r);
	if (result < 0)
		return flag_invalid("mount", text, result, err);
	r.m.anonymous = r.m.type == CONFIG_VOLUME && !*r.m.source;
	if (r.m.anonymous && r.m.read_only)
		return err_set(err, -EINVAL,
		        "invalid mount config for type \"volume\": must not set ReadOnly mode "
		        "when using anonymous volumes");
	result = mounts_check(arena, &r.m, err);
	if (result < 0)
		return result;
	r.m.volume_labels = r.labels;
	mounts_finish(&r.m);
	*ret = r.m;
	return 0;
}
