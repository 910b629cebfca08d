/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/groups.h"

#include "base/path.h"
#include "base/str.h"

#define DEFAULT_PARENT "/bulkhead"
#define SHIMS          "shims"

int groups_path(const char *parent, const char *id, char **ret, struct err *err)
{
	_free_ char *clean = NULL, *shown = NULL;

	if (!parent || !*parent)
		parent = DEFAULT_PARENT;
	clean = path_clean(parent);
	shown = str_escaped(parent);
	if (*parent != '/' || streq(clean, "/") || strstr(parent, ".."))
		return err_set(err, -EINVAL,
		        "the cgroup parent '%s' must be an absolute path below the top, without '..'",
		        shown);
	*ret = xprintf("%s/%s", clean, id);
	return 0;
}

/* names lives as long as the group is used. */
static struct cgroup_group group_of(const char *path, const struct cgroup_facts *facts,
        const char *names[CGROUP_HIERARCHIES_MAX + 1])
{
	cgroup_hierarchy_names(facts, names);
	return (struct cgroup_group){
		.mode = facts->mode,
		.path = path,
		.hierarchies = names,
		.unified = facts->mode == CGROUP_HYBRID,
	};
}

/* What names the group on this machine. */
static int describe(const char *path, struct cgroup_facts *facts,
        const char *names[CGROUP_HIERARCHIES_MAX + 1], struct cgroup_group *ret, struct err *err)
{
	int r = cgroup_facts_probe(facts, err);

	if (r < 0)
		return r;
	*ret = group_of(path, facts, names);
	return facts->mode == CGROUP_NONE ? -ENOENT : 0;
}

int groups_remove(const char *path, struct err *err)
{
	_cleanup_(cgroup_facts_done) struct cgroup_facts facts = { 0 };
	const char *names[CGROUP_HIERARCHIES_MAX + 1];
	struct cgroup_group group;
	int r = describe(path, &facts, names, &group, err);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	return cgroup_remove(&group, true, SIZE_MAX, err);
}

int groups_open(const char *path, struct cgroup_handle *ret, struct err *err)
{
	_cleanup_(cgroup_facts_done) struct cgroup_facts facts = { 0 };
	const char *names[CGROUP_HIERARCHIES_MAX + 1];
	struct cgroup_group group;
	int r = describe(path, &facts, names, &group, err);

	if (r == -ENOENT)
		return err_set(err, r, "this machine has no control groups");
	return r < 0 ? r : cgroup_open(&group, false, ret, err);
}

/* Every hierarchy has it. */
static bool is_whole(const struct cgroup_handle *h)
{
	return h->n_tasks == h->n_v1 && (!h->v2_name || h->v2_fd >= 0);
}

int groups_shims(const char *path, const struct cgroup_facts *facts, struct cgroup_handle *ret,
        struct err *err)
{
	_cleanup_(cgroup_handle_done) struct cgroup_handle h = CGROUP_HANDLE_INIT;
	_free_ char *own = xprintf("%.*s/" SHIMS, (int) (strrchr(path, '/') - path), path);
	const char *names[CGROUP_HIERARCHIES_MAX + 1];
	struct cgroup_group group;
	int r;

	if (!facts || facts->mode == CGROUP_NONE || facts->cannot_create)
		return 0;
	group = group_of(own, facts, names);
	group.shared = true;
	r = cgroup_open(&group, true, &h, err);
	if (r < 0 && r != -ENOENT)
		return r;
	if (r < 0 || !is_whole(&h)) {
		cgroup_handle_done(&h);
		h = (struct cgroup_handle) CGROUP_HANDLE_INIT;
		r = cgroup_create(&group, &h, err);
	}
	if (r < 0)
		return r;
	*ret = h;
	h = (struct cgroup_handle) CGROUP_HANDLE_INIT;
	return 0;
}
