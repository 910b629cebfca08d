/* SPDX-License-Identifier: Apache-2.0 */
/* -v, --tmpfs, --volumes-from, and what is true for every mount. */
#include "engine/mounts.h"

#include "base/path.h"
#include "base/str.h"
#include "engine/flag.h"
#include "engine/mounts_option.h"
#include "engine/volumes.h"

#include <errno.h>

/* --- the check -------------------------------------------------------------------------------- */

static const char *const type_names[] = {
	[CONFIG_BIND] = "bind",
	[CONFIG_VOLUME] = "volume",
	[CONFIG_TMPFS] = "tmpfs",
};

static int bad_config(const struct config_mount *m, int code, struct err *err)
{
	return err_prefix(err, code, "invalid mount config for type \"%s\"", type_names[m->type]);
}

/* Cleans a path; what it says as text is what will be mounted. */
static int check_path(struct arena *arena, const char **path, struct err *err)
{
	_free_ char *shown = str_escaped(*path), *clean = NULL;

	if (**path != '/')
		return err_set(err, -EINVAL, "invalid mount path: '%s' mount path must be absolute",
		        shown);
	if (strlen(*path) > MOUNTS_PATH_MAX)
		return err_set(err, -ENAMETOOLONG, "the path '%s' has more than %d bytes", shown,
		        MOUNTS_PATH_MAX);
	clean = path_clean(*path);
	if (!streq(clean, *path))
		*path = arena_strdup(arena, clean);
	return 0;
}

static int check_target(struct arena *arena, struct config_mount *m, struct err *err)
{
	int r;

	if (!*m->target)
		return err_set(err, -EINVAL, "field Target must not be empty");
	r = check_path(arena, &m->target, err);
	if (r < 0)
		return r;
	return streq(m->target, "/")
	               ? err_set(err, -EINVAL, "invalid specification: destination can't be '/'")
	               : 0;
}

static int check_propagation(const struct config_mount *m, struct err *err)
{
	static const char *const known[] = { "rprivate", "private", "rslave", "slave" };
	_free_ char *shown = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (streq(m->propagation, known[i]))
			return 0;
	if (streq(m->propagation, "rshared") || streq(m->propagation, "shared"))
		return err_set(err, -EINVAL,
		        "propagation mode '%s' is refused, because what the container mounts "
		        "would appear on the host: use rslave or rprivate",
		        m->propagation);
	shown = str_escaped(m->propagation);
	return err_set(err, -EINVAL, "invalid propagation mode: %s", shown);
}

static int check_bind(struct arena *arena, struct config_mount *m, struct err *err)
{
	int r;

	if (!*m->source)
		return err_set(err, -EINVAL, "field Source must not be empty");
	r = check_path(arena, &m->source, err);
	return r < 0 ? r : check_propagation(m, err);
}

int mounts_check(struct arena *arena, struct config_mount *m, struct err *err)
{
	int r = check_target(arena, m, err);

	if (r == 0 && m->type == CONFIG_BIND)
		r = check_bind(arena, m, err);
	if (r == 0 && m->type == CONFIG_TMPFS && *m->source)
		r = err_set(err, -EINVAL, "field Source must not be specified");
	if (r < 0)
		return bad_config(m, r, err);
	if (m->type == CONFIG_VOLUME && *m->source)
		return volume_name_check(m->source, err);
	return 0;
}

/* --- words behind a colon --------------------------------------------------------------------- */

/* Words of one group exclude each other. */
enum group {
	GROUP_ACCESS = 1,
	GROUP_LABEL = 2,
	GROUP_PROPAGATION = 4,
	GROUP_COPY = 8,
	GROUP_CONSISTENCY = 16,
	GROUP_IDMAP = 32,
	GROUP_EXEC = 64,
	GROUP_SUID = 128,
	GROUP_DEV = 256,
	GROUP_IGNORED = 512, /* may stand more than once */
};

struct word {
	const char *name;
	enum group group;
	size_t offset; /* of a bool */
	bool value;
};

#define FIELD(name) offsetof(struct config_mount, name)
#define NOTHING     SIZE_MAX
#define EXEC_SUID_DEV                                                                              \
	{ "exec", GROUP_EXEC, FIELD(exec), true }, { "suid", GROUP_SUID, FIELD(suid), true },      \
	        { "nosuid", GROUP_SUID, FIELD(suid), false },                                      \
	        { "dev", GROUP_DEV, FIELD(dev), true },                                            \
	{                                                                                          \
		"nodev", GROUP_DEV, FIELD(dev), false                                              \
	}

/* -v. z and Z are labels of SELinux, the next three were for Docker Desktop. */
static const struct word volume_words[] = {
	{ "rw", GROUP_ACCESS, FIELD(read_only), false },
	{ "ro", GROUP_ACCESS, FIELD(read_only), true },
	{ "z", GROUP_LABEL, NOTHING, false },
	{ "Z", GROUP_LABEL, NOTHING, false },
	{ "rprivate", GROUP_PROPAGATION, NOTHING, false },
	{ "private", GROUP_PROPAGATION, NOTHING, false },
	{ "rslave", GROUP_PROPAGATION, NOTHING, false },
	{ "slave", GROUP_PROPAGATION, NOTHING, false },
	{ "rshared", GROUP_PROPAGATION, NOTHING, false },
	{ "shared", GROUP_PROPAGATION, NOTHING, false },
	{ "nocopy", GROUP_COPY, FIELD(no_copy), true },
	{ "consistent", GROUP_CONSISTENCY, NOTHING, false },
	{ "cached", GROUP_CONSISTENCY, NOTHING, false },
	{ "delegated", GROUP_CONSISTENCY, NOTHING, false },
	{ "no-idmap", GROUP_IDMAP, FIELD(no_idmap), true },
	EXEC_SUID_DEV,
};

/* --tmpfs. What changes nothing for files in memory is accepted. */
static const struct word tmpfs_words[] = {
	{ "rw", GROUP_ACCESS, FIELD(read_only), false },
	{ "ro", GROUP_ACCESS, FIELD(read_only), true },
	EXEC_SUID_DEV,
	{ "noexec", GROUP_EXEC, FIELD(exec), false },
	{ "sync", GROUP_IGNORED, NOTHING, false },
	{ "async", GROUP_IGNORED, NOTHING, false },
	{ "dirsync", GROUP_IGNORED, NOTHING, false },
	{ "atime", GROUP_IGNORED, NOTHING, false },
	{ "noatime", GROUP_IGNORED, NOTHING, false },
	{ "diratime", GROUP_IGNORED, NOTHING, false },
	{ "nodiratime", GROUP_IGNORED, NOTHING, false },
	{ "relatime", GROUP_IGNORED, NOTHING, false },
	{ "norelatime", GROUP_IGNORED, NOTHING, false },
	{ "strictatime", GROUP_IGNORED, NOTHING, false },
	{ "nostrictatime", GROUP_IGNORED, NOTHING, false },
};

static const struct word *find_word(const struct word *words, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (streq(words[i].name, name))
			return &words[i];
	return NULL;
}

/* Takes the next word of a comma-separated list; NULL at the end. */
static char *next_word(char **rest)
{
	return strsep(rest, ",");
}

/* Sets what one word says. false: its group was used already. */
static bool apply_word(const struct word *word, struct config_mount *m, unsigned int *groups)
{
	if (*groups & word->group && word->group != GROUP_IGNORED)
		return false;
	*groups |= word->group;
	if (word->offset != NOTHING)
		*(bool *) ((char *) m + word->offset) = word->value;
	if (word->group == GROUP_PROPAGATION)
		m->propagation = word->name;
	return true;
}

/* --- -v --------------------------------------------------------------------------------------- */

/* False: one of the words is not known, or two contradict each other. */
static bool parse_mode(const char *mode, struct config_mount *m, unsigned int *ret_groups)
{
	_free_ char *copy = xstrdup(mode);
	char *rest = copy;
	unsigned int groups = 0;

	for (char *name; *mode && (name = next_word(&rest));) {
		const struct word *word = find_word(volume_words, ARRAY_SIZE(volume_words), name);

		if (!word || !apply_word(word, m, &groups))
			return false;
	}
	*ret_groups = groups;
	return true;
}

/* Words that mean nothing for the type. */
static int check_groups(const struct config_mount *m, unsigned int groups, struct err *err)
{
	const char *field = NULL;

	if (m->type == CONFIG_BIND && groups & GROUP_COPY)
		field = "VolumeOptions";
	if (m->type == CONFIG_VOLUME &&
	        groups & (GROUP_PROPAGATION | GROUP_IDMAP | GROUP_EXEC | GROUP_SUID | GROUP_DEV))
		field = "BindOptions";
	if (!field)
		return 0;
	(void) err_set(err, -EINVAL, "field %s must not be specified", field);
	return bad_config(m, -EINVAL, err);
}

static int bad_volume(const char *text, const char *why, struct err *err)
{
	_free_ char *shown = str_escaped(text);

	if (!why)
		return err_set(err, -EINVAL, "invalid volume specification: '%s'", shown);
	return err_set(err, -EINVAL, "invalid spec: %s: %s", shown, why);
}

/* Cuts the text into at most three parts at its colons. */
static int split_volume(
        struct arena *arena, const char *text, char *parts[3], size_t *ret_n, struct err *err)
{
	char *rest = arena_strdup(arena, text);
	size_t n = 0;

	for (char *part; (part = strsep(&rest, ":"));) {
		if (!*part)
			return bad_volume(text, "empty section between colons", err);
		if (n == 3)
			return bad_volume(text, NULL, err);
		parts[n++] = part;
	}
	*ret_n = n;
	return 0;
}

static int fill_volume(struct arena *arena, const char *text, const char *cwd,
        struct config_mount *m, unsigned int *ret_groups, struct err *err)
{
	struct config_mount ignored = *m;
	char *parts[3] = { NULL };
	size_t n = 0;
	int r = split_volume(arena, text, parts, &n, err);

	if (r < 0)
		return r;
	/* A target and words, "/x:ro", is nothing that docker takes. */
	if (n == 2 && parse_mode(parts[1], &ignored, ret_groups))
		return bad_volume(text, NULL, err);
	*ret_groups = 0;
	if (n == 3 && !parse_mode(parts[2], m, ret_groups)) {
		_free_ char *shown = str_escaped(parts[2]);

		return err_set(err, -EINVAL, "invalid mode: %s", shown);
	}
	m->target = parts[n == 1 ? 0 : 1];
	m->anonymous = n == 1;
	if (n == 1)
		return 0;
	m->source = parts[0];
	if (*m->source == '.' && cwd)
		m->source = arena_printf(arena, "%s/%s", cwd, m->source);
	if (*m->source == '/') {
		m->type = CONFIG_BIND;
		m->create_source = true;
	}
	return 0;
}

int mounts_parse_volume(struct arena *arena, const char *text, const char *cwd,
        struct config_mount *ret, struct err *err)
{
	struct config_mount m = MOUNTS_DEFAULT(CONFIG_VOLUME);
	unsigned int groups = 0;
	struct err why = { 0 };
	int r;

	if (!*text)
		return err_set(err, -EINVAL, "invalid empty volume spec");
	if (strlen(text) > MOUNTS_TEXT_MAX)
		return err_set(err, -EINVAL, "a volume specification has more than %d bytes",
		        MOUNTS_TEXT_MAX);
	r = fill_volume(arena, text, cwd, &m, &groups, err);
	if (r < 0)
		return r;
	r = check_groups(&m, groups, &why);
	if (r == 0)
		r = mounts_check(arena, &m, &why);
	if (r < 0 && m.type == CONFIG_VOLUME && str_has_prefix(why.text, "create "))
		return err_set(err, r, "%s", why.text);
	if (r < 0) {
		_free_ char *shown = str_escaped(text);

		return err_set(err, r, "invalid volume specification: '%s': %s", shown, why.text);
	}
	mounts_finish(&m);
	*ret = m;
	return 0;
}

/* --- --tmpfs ---------------------------------------------------------------------------------- */

static int bad_tmpfs(const char *option, struct err *err)
{
	_free_ char *quoted = flag_quoted(option);

	return err_set(err, -EINVAL, "invalid tmpfs option %s", quoted);
}

/* 0 for size and mode means the default, as it does in docker. */
static int tmpfs_option(const char *option, struct config_mount *m, unsigned int *groups)
{
	const struct word *word = find_word(tmpfs_words, ARRAY_SIZE(tmpfs_words), option);

	if (word)
		return apply_word(word, m, groups) ? 0 : -EINVAL;
	if (str_has_prefix(option, "size="))
		return num_parse_size(option + strlen("size="), &m->tmpfs_size);
	if (str_has_prefix(option, "mode="))
		return mounts_parse_mode_number(option + strlen("mode="), &m->tmpfs_mode);
	return -EINVAL;
}

int mounts_parse_tmpfs(
        struct arena *arena, const char *text, struct config_mount *ret, struct err *err)
{
	struct config_mount m = MOUNTS_DEFAULT(CONFIG_TMPFS);
	char *rest = arena_strdup(arena, text);
	unsigned int groups = 0;
	int r;

	m.target = strsep(&rest, ":");
	r = mounts_check(arena, &m, err);
	if (r < 0)
		return r;
	if (rest && !*rest)
		rest = NULL;
	for (char *option; (option = next_word(&rest));)
		if (tmpfs_option(option, &m, &groups) < 0)
			return bad_tmpfs(option, err);
	mounts_finish(&m);
	*ret = m;
	return 0;
}

/* --- --volumes-from --------------------------------------------------------------------------- */

int mounts_parse_from(struct arena *arena, const char *text, const char **ret_container,
        bool *ret_read_only, struct err *err)
{
	struct config_mount m = MOUNTS_DEFAULT(CONFIG_BIND);
	const char *colon = strchr(text, ':');
	const char *mode = colon ? colon + 1 : "";
	unsigned int groups = 0;

	if (!*text || colon == text)
		return err_set(
		        err, -EINVAL, "volumes-from specification cannot be an empty string");
	if (!parse_mode(mode, &m, &groups) ||
	        groups & ~(unsigned int) (GROUP_ACCESS | GROUP_LABEL | GROUP_CONSISTENCY)) {
		_free_ char *shown = str_escaped(mode);

		return err_set(err, -EINVAL, "invalid mode: %s", shown);
	}
	*ret_container = colon ? arena_strndup(arena, text, (size_t) (colon - text))
	                       : arena_strdup(arena, text);
	*ret_read_only = m.read_only;
	return 0;
}
