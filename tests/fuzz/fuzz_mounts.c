/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes as -v, --mount, --tmpfs, --volumes-from (first byte v, m, t, f) or VOLUME of an image:
 * whatever is accepted is absolute, clean, and nothing that must not be mounted. */
#include "base/path.h"
#include "base/str.h"
#include "engine/mounts.h"
#include "engine/volumes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool truth)
{
	if (!truth)
		abort();
}

static void require_clean(const char *path)
{
	_free_ char *clean = path_clean(path);

	require(*path == '/' && streq(clean, path) && strlen(path) <= MOUNTS_PATH_MAX);
}

static void require_good(const struct config_mount *m)
{
	require_clean(m->target);
	require(!streq(m->target, "/") && m->source && m->propagation);
	require(!strstr(m->propagation, "shared"));
	require(m->tmpfs_mode <= 07777);
	if (m->type == CONFIG_BIND)
		require_clean(m->source);
	if (m->type == CONFIG_VOLUME)
		require(*m->source ? volume_name_is_valid(m->source) : m->anonymous);
	if (m->type == CONFIG_TMPFS)
		require(!*m->source && !m->create_source);
}

static int parse(struct arena *a, char kind, const char *text, struct config_mount *m)
{
	const char *container;
	bool read_only;
	struct err err;

	switch (kind) {
	case 'v':
		return mounts_parse_volume(a, text, "/cwd", m, &err);
	case 'm':
		return mounts_parse_mount(a, text, "/cwd", m, &err);
	case 't':
		return mounts_parse_tmpfs(a, text, m, &err);
	default:
		if (mounts_parse_from(a, text, &container, &read_only, &err) == 0)
			require(*container && !strchr(container, ':'));
		return -1;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_free_ char *text = size ? xstrndup((const char *) data + 1, size - 1) : xstrdup("");
	char other[] = "/x", *volumes[] = { text, other, NULL };
	const struct mounts_options o = { .volumes = volumes, .cwd = "/" };
	struct config_mount m = { 0 };
	struct config c = { 0 };
	struct err err;

	if (size && parse(&c.arena, (char) data[0], text, &m) == 0)
		require_good(&m);
	if (mounts_resolve(&c, &o, &err) == 0)
		for (size_t i = 0; i < c.n_mounts; i++)
			require_good(&c.mounts[i]);
	arena_done(&c.arena);
	return 0;
}
