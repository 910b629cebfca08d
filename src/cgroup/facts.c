/* SPDX-License-Identifier: Apache-2.0 */
#include "cgroup/cgroup.h"

#include "base/buf.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "cgroup/internal.h"
#include "kernel/sys.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { SELF_CGROUP_MAX = 256 << 10 };

static const char *const mode_names[] = {
	[CGROUP_NONE] = "none",
	[CGROUP_V2] = "v2",
	[CGROUP_V1] = "v1",
	[CGROUP_HYBRID] = "hybrid",
};

const char *cgroup_mode_name(enum cgroup_mode mode)
{
	return (size_t) mode < ARRAY_SIZE(mode_names) ? mode_names[mode] : "unknown";
}

bool cgroup_list_has(const char *list, char sep, const char *word)
{
	size_t len = strlen(word);

	while (*list) {
		const char *end = strchrnul(list, sep);

		if ((size_t) (end - list) == len && strncmp(list, word, len) == 0)
			return true;
		list = *end ? end + 1 : end;
	}
	return false;
}

/* A group of our own that can be used as a base: one outside our cgroup namespace reads "/../x". */
static const char *own_or_top(struct arena *a, const char *path)
{
	if (path[0] != '/' || strstr(path, "/..") || strlen(path) > CGROUP_PATH_MAX)
		return "/";
	return arena_strdup(a, path);
}

/*
 * The folder of a v1 hierarchy: its controllers as the kernel lists them; two of them in the other
 * order (the mount's order is the distribution's choice); else a single controller's name, which
 * may be a symbolic link.
 */
static const char *find_folder(
        const struct cgroup_probe *probe, struct arena *a, const char *controllers)
{
	const char *comma = strchr(controllers, ',');
	_free_ char *copy = xstrdup(controllers);
	char *rest = copy;

	if (probe->fs(probe->data, controllers) == CGROUP_FS_V1)
		return arena_strdup(a, controllers);
	if (comma && !strchr(comma + 1, ',')) {
		const char *other = arena_printf(
		        a, "%s,%.*s", comma + 1, (int) (comma - controllers), controllers);

		if (probe->fs(probe->data, other) == CGROUP_FS_V1)
			return other;
	}
	for (char *one; (one = strsep(&rest, ","));)
		if (probe->fs(probe->data, one) == CGROUP_FS_V1)
			return arena_strdup(a, one);
	return NULL;
}

/* One line of /proc/self/cgroup, "ID:CONTROLLERS:PATH"; v1 hierarchies that are not mounted are
 * left out. */
static int add_line(struct cgroup_facts *f, const struct cgroup_probe *probe, char *line)
{
	char *controllers = strchr(line, ':');
	char *path = controllers ? strchr(controllers + 1, ':') : NULL;
	struct cgroup_hierarchy *h = &f->v1[f->n_v1];
	bool named;

	if (!path)
		return -EBADMSG;
	controllers++;
	*path++ = '\0';
	if (!*controllers) {
		f->v2_own = own_or_top(&f->arena, path);
		return 0;
	}
	if (f->mode == CGROUP_V2)
		return 0;
	named = str_has_prefix(controllers, "name=");
	h->name = find_folder(probe, &f->arena, named ? controllers + 5 : controllers);
	if (!h->name || !path_is_name(h->name))
		return 0;
	if (f->n_v1 + 1 >= CGROUP_HIERARCHIES_MAX)
		return -E2BIG;
	h->controllers = named ? "" : arena_strdup(&f->arena, controllers);
	h->own = own_or_top(&f->arena, path);
	f->n_v1++;
	return 0;
}

/* Our own group's folder below the cgroup root, where a group without a path is made. */
static const char *creation_folder(struct cgroup_facts *f)
{
	if (f->mode == CGROUP_V2) {
		const char *slash = strrchr(f->v2_own, '/');

		return arena_strndup(&f->arena, f->v2_own + 1,
		        slash > f->v2_own ? (size_t) (slash - f->v2_own - 1) : 0);
	}
	if (f->n_v1 == 0)
		return "unified";
	return arena_printf(&f->arena, "%s%s", f->v1[0].name, f->v1[0].own);
}

static void finish(struct cgroup_facts *f, const struct cgroup_probe *probe)
{
	const char *why;

	if (f->v2_controllers) {
		_free_ char *text = probe->read(probe->data,
		        f->mode == CGROUP_V2 ? "cgroup.controllers" : "unified/cgroup.controllers");

		text[strcspn(text, "\n")] = '\0';
		f->v2_controllers = arena_strdup(&f->arena, text);
		if (!f->v2_own)
			f->v2_own = "/";
	}
	f->swap_accounting = f->mode == CGROUP_V2;
	for (size_t i = 0; i < f->n_v1; i++) {
		if (!cgroup_list_has(f->v1[i].controllers, ',', "memory"))
			continue;
		f->swap_accounting = probe->exists(probe->data,
		        arena_printf(&f->arena, "%s/memory.memsw.limit_in_bytes", f->v1[i].name));
	}
	why = probe->writable(probe->data, creation_folder(f));
	f->cannot_create = why ? arena_strdup(&f->arena, why) : NULL;
}

int cgroup_facts_from(const char *self_cgroup, const struct cgroup_probe *probe,
        struct cgroup_facts *ret, struct err *err)
{
	struct cgroup_facts f = { .mode = CGROUP_NONE };
	_free_ char *copy = xstrdup(self_cgroup);
	char *rest = copy;
	bool unified = false;

	if (probe->fs(probe->data, "") == CGROUP_FS_V2)
		f.mode = CGROUP_V2;
	else
		unified = probe->fs(probe->data, "unified") == CGROUP_FS_V2;
	for (char *line; (line = strsep(&rest, "\n"));) {
		int r = *line ? add_line(&f, probe, line) : 0;

		if (r < 0) {
			arena_done(&f.arena);
			return err_errno(err, r, "cannot understand '/proc/self/cgroup'");
		}
	}
	if (f.mode == CGROUP_NONE && unified)
		f.mode = CGROUP_HYBRID;
	else if (f.mode == CGROUP_NONE && f.n_v1 > 0)
		f.mode = CGROUP_V1;
	if (f.mode == CGROUP_NONE) {
		arena_done(&f.arena);
		*ret = (struct cgroup_facts){
			.cannot_create = "no control groups are mounted on " CGROUP_ROOT
		};
		return 0;
	}
	f.v2_controllers = f.mode == CGROUP_V1 ? NULL : "";
	finish(&f, probe);
	*ret = f;
	return 0;
}

/* --- the answers of the real machine: data points to a descriptor of CGROUP_ROOT --- */

static enum cgroup_fs probe_fs(void *data, const char *folder)
{
	_free_ char *path = xprintf("%s/%s", CGROUP_ROOT, folder);
	struct statfs st;

	(void) data;
	if (statfs(path, &st) < 0)
		return CGROUP_FS_OTHER;
	if (st.f_type == CGROUP2_SUPER_MAGIC)
		return CGROUP_FS_V2;
	return st.f_type == CGROUP_SUPER_MAGIC ? CGROUP_FS_V1 : CGROUP_FS_OTHER;
}

static bool probe_exists(void *data, const char *file)
{
	_close_ int fd = path_open_in(*(int *) data, file, PATH_BENEATH, O_PATH, 0);

	return fd >= 0;
}

static char *probe_read(void *data, const char *file)
{
	struct buf text = BUF_INIT(CGROUP_SHORT_MAX);

	(void) buf_read_file(&text, *(int *) data, file);
	return buf_take(&text);
}

static const char *probe_writable(void *data, const char *folder)
{
	if (faccessat(*(int *) data, *folder ? folder : ".", W_OK, AT_EACCESS) == 0)
		return NULL;
	if (errno == EROFS)
		return CGROUP_ROOT " is mounted read-only";
	if (errno == EACCES || errno == EPERM)
		return "this user may not make control groups (no delegation)";
	return "the control group of this process is not visible below " CGROUP_ROOT;
}

int cgroup_facts_probe(struct cgroup_facts *ret, struct err *err)
{
	_close_ int root = sys_openat2(AT_FDCWD, CGROUP_ROOT, O_PATH | O_DIRECTORY, 0, 0);
	_buf_done_ struct buf self = BUF_INIT(SELF_CGROUP_MAX);
	struct cgroup_probe probe = { probe_fs, probe_exists, probe_read, probe_writable, &root };
	int r;

	if (root < 0) {
		*ret = (struct cgroup_facts){ .cannot_create = CGROUP_ROOT " does not exist" };
		return 0;
	}
	r = buf_read_file(&self, AT_FDCWD, "/proc/self/cgroup");
	if (r < 0)
		return err_errno(err, r, "cannot read '/proc/self/cgroup'");
	return cgroup_facts_from(buf_str(&self), &probe, ret, err);
}

void cgroup_facts_done(struct cgroup_facts *facts)
{
	arena_done(&facts->arena);
	*facts = (struct cgroup_facts){ .mode = CGROUP_NONE };
}

void cgroup_hierarchy_names(
        const struct cgroup_facts *facts, const char *ret[CGROUP_HIERARCHIES_MAX + 1])
{
	for (size_t i = 0; i < facts->n_v1; i++)
		ret[i] = facts->v1[i].name;
	ret[facts->n_v1] = NULL;
}

/* Every v1 controller that a kernel has had. */
static const char *const v1_controllers[] = { "blkio", "cpu", "cpuacct", "cpuset", "debug",
	"devices", "freezer", "hugetlb", "memory", "misc", "net_cls", "net_prio", "perf_event",
	"pids", "rdma" };

static bool is_controller(const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(v1_controllers); i++)
		if (strlen(v1_controllers[i]) == len && strncmp(v1_controllers[i], name, len) == 0)
			return true;
	return false;
}

int cgroup_mount_data(const char *hierarchy, char *out, size_t size)
{
	const char *prefix = is_controller(hierarchy, strcspn(hierarchy, ",")) ? "" : "none,name=";
	size_t a = strlen(prefix), b = strlen(hierarchy);

	if (a + b + 1 > size)
		return -ENAMETOOLONG;
	memcpy(out, prefix, a);
	memcpy(out + a, hierarchy, b + 1);
	return 0;
}

/* --- where the group goes --- */

/* The folder that relative paths start from. */
static char *relative_base(const struct cgroup_facts *f)
{
	const char *own = f->mode == CGROUP_V2 ? f->v2_own : f->n_v1 > 0 ? f->v1[0].own : NULL;

	if (!own)
		return xstrdup("");
	if (f->mode == CGROUP_V2)
		return xstrndup(own, (size_t) (strrchr(own, '/') - own));
	for (size_t i = 1; i < f->n_v1; i++)
		if (!streq(own, f->v1[i].own))
			return xstrdup("");
	if (f->mode == CGROUP_HYBRID && f->v2_own && !streq(own, f->v2_own))
		return xstrdup("");
	return xstrdup(streq(own, "/") ? "" : own);
}

static bool is_systemd_form(const char *path)
{
	const char *colon = strchr(path, ':');

	return path[0] != '/' && colon && strchr(colon + 1, ':') && !strchr(path, '/');
}

static int check_names(const char *path, struct err *err)
{
	_free_ char *copy = xstrdup(path);
	_free_ char *shown = str_escaped(path);
	char *rest = copy;
	size_t n = 0;

	for (char *name; (name = strsep(&rest, "/"));) {
		if (!*name || streq(name, "."))
			continue;
		if (streq(name, ".."))
			return err_set(err, -EINVAL,
			        "linux.cgroupsPath '%s' contains '..'; name the group without it",
			        shown);
		if (!path_is_name(name))
			return err_set(err, -ENAMETOOLONG,
			        "linux.cgroupsPath '%s' has a name of more than 255 bytes", shown);
		if (strchr(name, '\n'))
			return err_set(err, -EINVAL,
			        "linux.cgroupsPath '%s' has a line break in a name", shown);
		n++;
	}
	if (n > CGROUP_DEPTH_MAX / 2)
		return err_set(err, -ENAMETOOLONG, "linux.cgroupsPath '%s' has more than %d names",
		        shown, CGROUP_DEPTH_MAX / 2);
	if (n == 0)
		return err_set(err, -EINVAL,
		        "linux.cgroupsPath '%s' is the top group, which a container cannot have",
		        shown);
	return 0;
}

int cgroup_path_for(const char *id, const char *cgroups_path, const struct cgroup_facts *facts,
        char **ret, struct err *err)
{
	const char *wanted = cgroups_path && *cgroups_path ? cgroups_path : id;
	_free_ char *shown = str_escaped(wanted);
	_free_ char *base = NULL, *whole = NULL;
	int r;

	if (is_systemd_form(wanted))
		return err_set(err, -EOPNOTSUPP,
		        "linux.cgroupsPath '%s' is for the systemd driver, which this version "
		        "does not have; use the cgroupfs driver, with a path such as "
		        "'/bulkhead/ID'",
		        shown);
	r = check_names(wanted, err);
	if (r < 0)
		return r;
	base = wanted[0] == '/' ? xstrdup("") : relative_base(facts);
	whole = xprintf("%s/%s", base, wanted);
	if (strlen(whole) > CGROUP_PATH_MAX)
		return err_set(err, -ENAMETOOLONG, "linux.cgroupsPath '%s' is longer than %d bytes",
		        shown, CGROUP_PATH_MAX);
	*ret = path_clean(whole);
	return 0;
}
