/* SPDX-License-Identifier: Apache-2.0 */
#include "cgroup/cgroup.h"

#include "base/buf.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "cgroup/internal.h"
#include "kernel/sys.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAKE_TRIES = 16 };

/* What engines expect to be counted in every v2 group; others are switched on by their first limit.
 */
static const char *const usual_controllers[] = { "cpu", "cpuset", "io", "memory", "pids" };

/* --- handles --- */

void cgroup_handle_done(struct cgroup_handle *handle)
{
	for (size_t i = 0; i < handle->n_tasks; i++)
		fd_close(handle->tasks_fds[i]);
	for (size_t i = 0; i < handle->n_v1; i++)
		free(handle->v1_names[i]);
	fd_close(handle->v2_fd);
	fd_close(handle->root_fd);
	free(handle->path);
	*handle = (struct cgroup_handle) CGROUP_HANDLE_INIT;
}

size_t cgroup_path_depth(const char *path)
{
	size_t n = 0;

	for (const char *p = path; *p; p++)
		n += p[0] == '/' && p[1] && p[1] != '/';
	return n;
}

/* The path comes from a plan: it is looked at again, since killing the top group kills the host. */
static int check_path(const char *path, struct err *err)
{
	_free_ char *shown = str_escaped(path);
	_free_ char *clean = path_clean(path);

	if (path[0] != '/' || !streq(path, clean) || streq(path, "/") ||
	        cgroup_path_depth(path) > CGROUP_DEPTH_MAX ||
	        strlen(path) > (size_t) 2 * CGROUP_PATH_MAX)
		return err_set(err, -EINVAL, "'%s' cannot be the path of a control group", shown);
	return 0;
}

int cgroup_handle_init(const struct cgroup_group *group, struct cgroup_handle *ret, struct err *err)
{
	const char *root = group->root ? group->root : CGROUP_ROOT;
	_cleanup_(cgroup_handle_done) struct cgroup_handle h = CGROUP_HANDLE_INIT;
	int r = check_path(group->path, err);

	if (r < 0)
		return r;
	h.root_fd = sys_openat2(AT_FDCWD, root, O_PATH | O_DIRECTORY, 0, 0);
	if (h.root_fd < 0)
		return err_errno(err, h.root_fd, "cannot open '%s'", root);
	h.path = xstrdup(group->path);
	h.shared = group->shared;
	for (size_t i = 0; group->hierarchies && group->hierarchies[i]; i++) {
		_free_ char *shown = str_escaped(group->hierarchies[i]);

		if (h.n_v1 >= CGROUP_HIERARCHIES_MAX || !path_is_name(group->hierarchies[i]))
			return err_set(
			        err, -EINVAL, "'%s' cannot be a control group hierarchy", shown);
		h.v1_names[h.n_v1++] = xstrdup(group->hierarchies[i]);
	}
	if (group->mode == CGROUP_V2)
		h.v2_name = ".";
	else if (group->mode == CGROUP_HYBRID && group->unified)
		h.v2_name = "unified";
	if (!h.v2_name && h.n_v1 == 0)
		return err_set(err, -EINVAL, "control group '%s' is in no hierarchy (mode %s)",
		        group->path, cgroup_mode_name(group->mode));
	*ret = h;
	h = (struct cgroup_handle) CGROUP_HANDLE_INIT;
	return 0;
}

const char *cgroup_v1_folder(const struct cgroup_handle *handle, const char *name)
{
	for (size_t i = 0; i < handle->n_v1; i++)
		if (streq(handle->v1_names[i], name) ||
		        cgroup_list_has(handle->v1_names[i], ',', name))
			return handle->v1_names[i];
	return NULL;
}

int cgroup_open_file(
        const struct cgroup_handle *handle, const char *folder, const char *file, int flags)
{
	_free_ char *path = xprintf("%s%s%s%s", folder, handle->path, *file ? "/" : "", file);

	return path_open_in(handle->root_fd, path, PATH_BENEATH, flags, 0);
}

int cgroup_write(
        const struct cgroup_handle *handle, const char *folder, const char *file, const char *value)
{
	_close_ int fd = cgroup_open_file(handle, folder, file, O_WRONLY | O_NOCTTY);
	size_t len = strlen(value);
	ssize_t n;

	if (fd < 0)
		return TAKE_FD(fd);
	do
		n = write(fd, value, len);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return (size_t) n == len ? 0 : -EIO;
}

/* --- making --- */

/* mkdir -p of the group in one hierarchy. Another container's end may remove the parents that we
 * share between two steps of ours, hence the tries. */
static int make_in(const struct cgroup_handle *h, const char *folder, size_t *ret_existed)
{
	_free_ char *full = xprintf("%s%s", folder, h->path);
	size_t depth = cgroup_path_depth(h->path), existed = depth;

	for (int i = 0; i < MAKE_TRIES; i++) {
		size_t level = 0;

		if (mkdirat(h->root_fd, full, 0755) == 0) {
			*ret_existed = MIN(existed, depth - 1);
			return 0;
		}
		if (errno == EEXIST) {
			*ret_existed = existed;
			return 0;
		}
		if (errno != ENOENT)
			return -errno;
		for (char *p = full + strlen(folder) + 1; (p = strchr(p, '/')); p++, level++) {
			int r;

			*p = '\0';
			r = mkdirat(h->root_fd, full, 0755) < 0 ? -errno : 0;
			*p = '/';
			if (r == 0)
				existed = MIN(existed, level);
			else if (r == -ENOENT)
				break;
			else if (r != -EEXIST)
				return r;
		}
	}
	return -ENOENT;
}

static int make_error(const struct cgroup_handle *h, const char *folder, int code, struct err *err)
{
	_free_ char *path = str_escaped(h->path);
	const char *hint = "";

	if (code == -EROFS)
		hint = " (make " CGROUP_ROOT " writable, or run without limits)";
	else if (code == -EACCES || code == -EPERM)
		hint = " (run as root, or have a group delegated to this user)";
	else if (code == -ENOENT)
		hint = " (is the hierarchy mounted?)";
	return err_errno(err, code, "cannot make control group '%s' in '%s'%s", path,
	        streq(folder, ".") ? CGROUP_ROOT : folder, hint);
}

/*
 * cpuset, v1: a group without cpus and mems lets nobody in. Gives each group on the way that has
 * none its parent's. value receives what 'full' (a path that is cut and mended) has in the end.
 */
static int inherit_cpuset(
        int root_fd, char *full, size_t top_len, const char *file, struct buf *value)
{
	_free_ char *path = xprintf("%s/%s", full, file);
	char *slash = strrchr(full, '/');
	int r;

	buf_clear(value);
	r = buf_read_file(value, root_fd, path);
	if (r < 0 || (value->len > 0 && value->data[0] != '\n') || strlen(full) <= top_len)
		return r;
	*slash = '\0';
	r = inherit_cpuset(root_fd, full, top_len, file, value);
	*slash = '/';
	return r < 0 ? r : fd_write_file(root_fd, path, buf_str(value));
}

/* Lets the kernel do the same for the next group in the parents that we made: it saves a tenth of a
 * millisecond each. */
static void clone_cpusets(const struct cgroup_handle *h, const char *folder, size_t existed)
{
	_free_ char *full = xprintf("%s%s", folder, h->path);

	for (size_t depth = cgroup_path_depth(h->path) - 1; depth > existed; depth--) {
		_free_ char *file = NULL;

		*strrchr(full, '/') = '\0';
		file = xprintf("%s/cgroup.clone_children", full);
		(void) fd_write_file(h->root_fd, file, "1");
	}
}

static int fill_cpuset(
        const struct cgroup_handle *h, const char *folder, size_t existed, struct err *err)
{
	_free_ char *full = xprintf("%s%s", folder, h->path);
	_buf_done_ struct buf value = BUF_INIT(CGROUP_SHORT_MAX);
	int r = inherit_cpuset(h->root_fd, full, strlen(folder), "cpuset.cpus", &value);

	if (r == 0)
		r = inherit_cpuset(h->root_fd, full, strlen(folder), "cpuset.mems", &value);
	if (r < 0)
		return err_errno(err, r, "cannot give control group '%s' its parent's cpus", full);
	clone_cpusets(h, folder, existed);
	return 0;
}

/* A process that joins a frozen group stops there, and not even SIGKILL ends it on v1. */
static bool is_frozen(const struct cgroup_handle *h, const char *folder)
{
	static const char *const files[] = { "freezer.state", "cgroup.freeze" };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		_free_ char *path = xprintf("%s%s/%s", folder, h->path, files[i]);
		_buf_done_ struct buf text = BUF_INIT(CGROUP_SHORT_MAX);

		if (buf_read_file(&text, h->root_fd, path) == 0 &&
		        (str_has_prefix(buf_str(&text), "FR") ||
		                str_has_prefix(buf_str(&text), "1")))
			return true;
	}
	return false;
}

/* A group that was there may be a leftover (fine) or somebody's (never). */
static int refuse_members(const struct cgroup_handle *h, const char *folder, struct err *err)
{
	_free_ char *path = str_escaped(h->path);
	int r = cgroup_populated(h, folder);

	if (r > 0)
		return err_set(err, -EBUSY,
		        "container's cgroup is not empty: '%s' in '%s' has processes already; choose another "
		        "linux.cgroupsPath",
		        path, streq(folder, ".") ? CGROUP_ROOT : folder);
	if (r < 0)
		return err_errno(err, r, "cannot look into control group '%s'", path);
	if (is_frozen(h, folder))
		return err_set(err, -EBUSY,
		        "container's cgroup unexpectedly frozen: '%s' in '%s'; thaw it, or choose "
		        "another linux.cgroupsPath",
		        path, streq(folder, ".") ? CGROUP_ROOT : folder);
	return 0;
}

/* --- v2 controllers --- */

/* Calls f for each parent group from the top to the leaf's parent, with its folder's path. */
static int for_each_parent(const struct cgroup_handle *h,
        int (*f)(const struct cgroup_handle *h, const char *folder, void *data), void *data)
{
	_free_ char *full = xprintf("%s%s", h->v2_name, h->path);

	for (char *p = full + strlen(h->v2_name); p; p = strchr(p + 1, '/')) {
		int r;

		*p = '\0';
		r = f(h, full, data);
		*p = '/';
		if (r != 0)
			return r;
	}
	return 0;
}

static char *read_words(const struct cgroup_handle *h, const char *folder, const char *file)
{
	_free_ char *path = xprintf("%s/%s", folder, file);
	struct buf text = BUF_INIT(CGROUP_SHORT_MAX);

	(void) buf_read_file(&text, h->root_fd, path);
	if (text.data)
		text.data[strcspn(text.data, "\n")] = '\0';
	return buf_take(&text);
}

/* One level of the usual controllers: what it has and does not hand out yet, in one write, and each
 * alone when that fails (cpu does while a real-time task runs below). Not in a group with processes
 * (EBUSY): it would take some alone, and turn the groups below into invalid ones. A limit that
 * misses its controller says so later. */
static int hand_out_usual(const struct cgroup_handle *h, const char *folder, void *data)
{
	_free_ char *has = read_words(h, folder, "cgroup.controllers");
	_free_ char *gives = read_words(h, folder, "cgroup.subtree_control");
	_free_ char *path = xprintf("%s/cgroup.subtree_control", folder);
	_buf_done_ struct buf words = BUF_INIT(CGROUP_SHORT_MAX);
	char *rest;
	int r;

	(void) data;
	for (size_t i = 0; i < ARRAY_SIZE(usual_controllers); i++)
		if (cgroup_list_has(has, ' ', usual_controllers[i]) &&
		        !cgroup_list_has(gives, ' ', usual_controllers[i]))
			(void) buf_addf(
			        &words, "%s+%s", words.len ? " " : "", usual_controllers[i]);
	if (words.len == 0)
		return 0;
	r = fd_write_file(h->root_fd, path, words.data);
	if (r == 0 || r == -EBUSY)
		return 0;
	rest = words.data;
	for (char *one; (one = strsep(&rest, " "));)
		(void) fd_write_file(h->root_fd, path, one);
	return 0;
}

struct enabling {
	const char *controller;
	struct err *err;
};

static int hand_out_one(const struct cgroup_handle *h, const char *folder, void *data)
{
	const struct enabling *e = data;
	_free_ char *has = read_words(h, folder, "cgroup.controllers");
	_free_ char *gives = read_words(h, folder, "cgroup.subtree_control");
	_free_ char *path = xprintf("%s/cgroup.subtree_control", folder);
	_free_ char *word = xprintf("+%s", e->controller);
	_free_ char *shown = str_escaped(
	        *(folder + strlen(h->v2_name)) ? folder + strlen(h->v2_name) : "/");
	int r;

	if (cgroup_list_has(gives, ' ', e->controller))
		return 0;
	if (!cgroup_list_has(has, ' ', e->controller))
		return err_set(e->err, -EOPNOTSUPP,
		        "control group '%s' has no '%s' controller to hand out; it must be "
		        "delegated to it",
		        shown, e->controller);
	r = fd_write_file(h->root_fd, path, word);
	if (r == -EBUSY)
		return err_set(e->err, r,
		        "control group '%s' has processes of its own and so cannot hand out the "
		        "'%s' controller (cgroup v2 allows processes in leaves only); choose a "
		        "linux.cgroupsPath below a group without processes",
		        shown, e->controller);
	if (r < 0)
		return err_errno(e->err, r,
		        "control group '%s' cannot hand out the '%s' controller", shown,
		        e->controller);
	return 0;
}

/* --- create, open --- */

static int create_v1(struct cgroup_handle *h, size_t i, size_t *ret_existed, struct err *err)
{
	const char *folder = h->v1_names[i];
	int fd, r = make_in(h, folder, ret_existed);

	if (r < 0)
		return make_error(h, folder, r, err);
	if (!h->shared && *ret_existed == cgroup_path_depth(h->path))
		r = refuse_members(h, folder, err);
	if (r == 0 && cgroup_list_has(folder, ',', "cpuset"))
		r = fill_cpuset(h, folder, *ret_existed, err);
	if (r < 0)
		return r;
	fd = cgroup_open_file(h, folder, "tasks", O_WRONLY | O_NOCTTY);
	if (fd < 0)
		return make_error(h, folder, fd, err);
	h->tasks_fds[h->n_tasks++] = fd;
	return 0;
}

static int create_v2(struct cgroup_handle *h, size_t *ret_existed, struct err *err)
{
	int r = make_in(h, h->v2_name, ret_existed);

	if (r < 0)
		return make_error(h, h->v2_name, r, err);
	if (!h->shared && *ret_existed == cgroup_path_depth(h->path))
		r = refuse_members(h, h->v2_name, err);
	if (r == 0 && streq(h->v2_name, "."))
		r = for_each_parent(h, hand_out_usual, NULL);
	if (r < 0)
		return r;
	h->v2_fd = cgroup_open_file(h, h->v2_name, "", O_PATH | O_DIRECTORY);
	return h->v2_fd < 0 ? make_error(h, h->v2_name, h->v2_fd, err) : 0;
}

int cgroup_create(const struct cgroup_group *group, struct cgroup_handle *ret, struct err *err)
{
	_cleanup_(cgroup_handle_done) struct cgroup_handle h = CGROUP_HANDLE_INIT;
	size_t existed[CGROUP_HIERARCHIES_MAX + 1], n = 0;
	int r = cgroup_handle_init(group, &h, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(existed); i++)
		existed[i] = SIZE_MAX;
	for (; r == 0 && n < h.n_v1; n++)
		r = create_v1(&h, n, &existed[n], err);
	if (r == 0 && h.v2_name)
		r = create_v2(&h, &existed[h.n_v1], err);
	for (size_t i = 0; r < 0 && i <= h.n_v1; i++)
		if ((i < h.n_v1 || h.v2_name) && existed[i] != SIZE_MAX)
			cgroup_prune(&h, i < h.n_v1 ? h.v1_names[i] : h.v2_name, existed[i], false);
	if (r < 0)
		return r;
	for (size_t i = 0; i <= h.n_v1; i++)
		if (existed[i] != SIZE_MAX)
			h.n_existed = MAX(h.n_existed, existed[i]);
	*ret = h;
	h = (struct cgroup_handle) CGROUP_HANDLE_INIT;
	return 0;
}

/* Adds 'tasks' of one hierarchy, or only looks whether the group is there. 1: found. */
static int open_v1(struct cgroup_handle *h, const char *folder, bool with_tasks)
{
	_close_ int fd = cgroup_open_file(h, folder, with_tasks ? "tasks" : "",
	        with_tasks ? O_WRONLY | O_NOCTTY : O_PATH | O_DIRECTORY);

	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return TAKE_FD(fd);
	if (with_tasks)
		h->tasks_fds[h->n_tasks++] = TAKE_FD(fd);
	return 1;
}

int cgroup_open(const struct cgroup_group *group, bool with_tasks, struct cgroup_handle *ret,
        struct err *err)
{
	_cleanup_(cgroup_handle_done) struct cgroup_handle h = CGROUP_HANDLE_INIT;
	_free_ char *shown = str_escaped(group->path);
	int found = 0, r = cgroup_handle_init(group, &h, err);

	if (r < 0)
		return r;
	if (h.v2_name) {
		h.v2_fd = cgroup_open_file(&h, h.v2_name, "", O_PATH | O_DIRECTORY);
		if (h.v2_fd < 0 && h.v2_fd != -ENOENT)
			return err_errno(err, h.v2_fd, "cannot open control group '%s'", shown);
		found = h.v2_fd >= 0;
	}
	/* One hierarchy that has it is enough when nobody wants to join. */
	for (size_t i = 0; i < h.n_v1 && (with_tasks || !found); i++) {
		r = open_v1(&h, h.v1_names[i], with_tasks);
		if (r < 0)
			return err_errno(err, r, "cannot open control group '%s' in '%s'", shown,
			        h.v1_names[i]);
		found |= r;
	}
	if (!found)
		return err_set(err, -ENOENT, "control group '%s' does not exist", shown);
	*ret = h;
	h = (struct cgroup_handle) CGROUP_HANDLE_INIT;
	return 0;
}

/* --- use --- */

static int set_error(const struct cgroup_handle *h, const char *file, const char *value, int code,
        struct err *err)
{
	_free_ char *shown = str_escaped(value);
	_free_ char *path = str_escaped(h->path);
	const char *hint = "";

	if (code == -ENOENT)
		hint = " (this kernel has no such setting)";
	else if (code == -EINVAL || code == -ERANGE)
		hint = " (the kernel refuses this value here)";
	else if (code == -EBUSY)
		hint = " (more than that is in use)";
	return err_errno(err, code, "cannot set '%s' to '%s' in control group '%s'%s", file, shown,
	        path, hint);
}

int cgroup_set(struct cgroup_handle *handle, const char *hierarchy, const char *file,
        const char *value, bool optional, struct err *err)
{
	const char *folder = *hierarchy ? cgroup_v1_folder(handle, hierarchy) : handle->v2_name;
	struct enabling e = { NULL, err };
	_free_ char *controller = xstrndup(file, strcspn(file, "."));
	int r;

	if (!path_is_name(file))
		return err_set(err, -EINVAL, "the name of a control group setting has a '/'");
	if (!folder && optional)
		return 0;
	if (!folder)
		return err_set(err, -EOPNOTSUPP,
		        "cannot set '%s': the group is not in the '%s' hierarchy", file,
		        *hierarchy ? hierarchy : "cgroup v2");
	r = cgroup_write(handle, folder, file, value);
	if (r == -ENOENT && optional)
		return 0;
	if (r == -ENOENT && !*hierarchy && !streq(controller, "cgroup")) {
		e.controller = controller;
		r = for_each_parent(handle, hand_out_one, &e);
		if (r < 0)
			return err_prefix(err, r, "cannot set '%s'", file);
		r = cgroup_write(handle, folder, file, value);
	}
	return r < 0 ? set_error(handle, file, value, r, err) : 0;
}

int cgroup_join_self(const struct cgroup_handle *handle)
{
	for (size_t i = 0; i < handle->n_tasks; i++) {
		ssize_t n = write(handle->tasks_fds[i], "0", 1);

		if (n != 1)
			return n < 0 ? -errno : -EIO;
	}
	return 0;
}
