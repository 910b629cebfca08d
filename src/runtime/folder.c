/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/internal.h"

#include "base/path.h"
#include "base/tree.h"
#include "cgroup/cgroup.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOCK_TRIES = 100, LOCK_WAIT_MS = 1000, LOCK_STEP_MS = 10 };

void folder_done(struct folder *f)
{
	f->fd = fd_close(f->fd);
}

int folder_check_id(const char *id, struct err *err)
{
	if (oci_id_is_valid(id))
		return 0;
	_free_ char *shown = str_escaped(id);
	return err_set(err, -EINVAL,
	        "invalid container id '%s': empty, too long, or an invalid character in the "
	        "container ID: it takes letters, digits, '_', '+', '-' and, not in front, '.'",
	        shown);
}

static int open_folder(const struct runtime *rt, const char *id)
{
	if (rt->root_fd < 0)
		return -ENOENT;
	return path_open_in(
	        rt->root_fd, id, PATH_BENEATH_NO_LINKS, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
}

int folder_open(const struct runtime *rt, const char *id, int *ret_fd, struct err *err)
{
	int r = folder_check_id(id, err);
	if (r < 0)
		return r;
	r = open_folder(rt, id);
	if (r == -ENOENT)
		return err_set(err, r, "container '%s' does not exist", id);
	if (r < 0)
		return err_errno(err, r, "cannot open the state of container '%s'", id);
	*ret_fd = r;
	return 0;
}

/* True when the folder is still the one that the ID names. */
static bool is_current(const struct runtime *rt, const char *id, int fd)
{
	_close_ int now = open_folder(rt, id);
	return now >= 0 && fd_same_file(now, fd);
}

int folder_lock(const struct runtime *rt, const char *id, struct folder *ret, struct err *err)
{
	for (int i = 0; i < LOCK_TRIES; i++) {
		_close_ int fd = -EBADF;
		int r = folder_open(rt, id, &fd, err);
		if (r < 0)
			return r;
		while (flock(fd, LOCK_EX) < 0)
			if (errno != EINTR)
				return err_errno(err, -errno, "cannot lock container '%s'", id);
		if (!is_current(rt, id, fd))
			continue;
		*ret = (struct folder){ .id = id, .fd = TAKE_FD(fd) };
		return 0;
	}
	return err_set(err, -EBUSY, "container '%s' is changing too fast: try again", id);
}

static int read_plan(int folder_fd, struct buf *bytes, struct plan **ret, struct err *err)
{
	int r = buf_read_file(bytes, folder_fd, PLAN_FILE);
	return r < 0 ? r : plan_decode(bytes->data, bytes->len, ret, err);
}

/* What the state still knows when the plan is missing or of another version. */
static int undo_by_state(const struct runtime_state *state, struct err *err)
{
	if (!state || state->cgroup_path[0] == '\0')
		return 0;
	struct cgroup_facts facts = { .mode = CGROUP_NONE };
	int r = cgroup_facts_probe(&facts, err);
	if (r < 0)
		return r;
	const char *names[CGROUP_HIERARCHIES_MAX + 1] = { NULL };
	cgroup_hierarchy_names(&facts, names);
	struct cgroup_group group = {
		.mode = facts.mode,
		.path = state->cgroup_path,
		.hierarchies = names,
		.unified = facts.mode == CGROUP_HYBRID,
	};
	r = cgroup_remove(&group, true, SIZE_MAX, err);
	cgroup_facts_done(&facts);
	return r;
}

/* A half-made container may have been killed just before it was refused the groups of another one,
 * which must not be killed for it. */
static bool is_anothers_group(const struct runtime *rt, const char *id, const struct plan *plan)
{
	const struct plan_step *cgroup = plan_find(plan, PLAN_CGROUP);
	_cleanup_(strv_freep) char **ids = NULL;
	if (!cgroup || runtime_list(rt, &ids, NULL) < 0)
		return false;
	for (size_t i = 0; ids[i]; i++) {
		_cleanup_(runtime_state_freep) struct runtime_state *state = NULL;
		if (!streq(ids[i], id) && runtime_state_load(rt, ids[i], &state, NULL) >= 0 &&
		        streq(state->cgroup_path, cgroup->cgroup.path))
			return true;
	}
	return false;
}

int folder_undo_plan(const struct runtime *rt, const struct folder *f,
        const struct runtime_state *state, struct err *err)
{
	_buf_done_ struct buf bytes = BUF_INIT(PLAN_SIZE_MAX);
	_cleanup_(plan_freep) struct plan *plan = NULL;
	struct err ignored = { 0 };
	if (read_plan(f->fd, &bytes, &plan, &ignored) < 0)
		return undo_by_state(state, err);
	if (!state && is_anothers_group(rt, f->id, plan))
		return 0;
	return sandbox_cleanup(plan, err);
}

/* A creator that was killed leaves the lock to its child for the moment that the child needs to
 * notice: a lock is waited for, but not for long. flock(2) itself has no time limit. */
static bool lock_soon(int fd)
{
	for (int waited = 0; waited < LOCK_WAIT_MS; waited += LOCK_STEP_MS) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return true;
		(void) poll(NULL, 0, LOCK_STEP_MS);
	}
	return false;
}

/* The one who makes a container holds the lock. So a folder with a free lock is a finished
 * container, or a dead one: half-made, or of a 'run' that was killed before it could clean. */
static int clean_dead(const struct runtime *rt, const char *id, struct err *err)
{
	_close_ int fd = open_folder(rt, id);
	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return err_errno(err, fd, "cannot open the state of container '%s'", id);
	struct folder f = { .id = id, .fd = fd };
	_cleanup_(runtime_state_freep) struct runtime_state *state = NULL;
	struct err why = { 0 };
	if (!lock_soon(fd))
		return err_set(err, -EEXIST, "container with id '%s' already exists", id);
	if (!is_current(rt, id, fd))
		return 0;
	int r = state_load_at(fd, id, &state, &why);
	if (r < 0 && r != -ENOENT)
		return err_set(err, -EEXIST,
		        "container with id '%s' already exists, and its state is broken: remove it "
		        "with delete --force",
		        id);
	if (state &&
	        !(state->auto_remove && runtime_state_status(rt, state, NULL) == RUNTIME_STOPPED))
		return err_set(err, -EEXIST, "container with id '%s' already exists", id);
	r = folder_undo_plan(rt, &f, state, err);
	return r < 0 ? r : folder_remove(rt, &f, err);
}

int folder_make(const struct runtime *rt, const char *id, struct folder *ret, struct err *err)
{
	int r = folder_check_id(id, err);
	for (int i = 0; r >= 0 && i < LOCK_TRIES; i++) {
		if (mkdirat(rt->root_fd, id, 0700) < 0) {
			if (errno != EEXIST)
				return err_errno(err, -errno,
				        "cannot make the state folder of container '%s'", id);
			r = clean_dead(rt, id, err);
			continue;
		}
		_close_ int fd = open_folder(rt, id);
		if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 || !is_current(rt, id, fd))
			continue; /* somebody took the new folder for a half-made one */
		*ret = (struct folder){ .id = id, .fd = TAKE_FD(fd) };
		return 0;
	}
	return r < 0 ? r
	             : err_set(err, -EBUSY, "container '%s' is changing too fast: try again", id);
}

/* state.json goes first: without it the folder is half-made and anybody may clean it. */
int folder_remove(const struct runtime *rt, const struct folder *f, struct err *err)
{
	static const char *const usual[] = { STATE_FILE, PLAN_FILE };
	for (size_t i = 0; i < ARRAY_SIZE(usual); i++)
		(void) unlinkat(f->fd, usual[i], 0);
	if (unlinkat(rt->root_fd, f->id, AT_REMOVEDIR) == 0)
		return 0;
	int r = tree_remove(rt->root_fd, f->id);
	return r < 0 ? err_errno(err, r, "cannot remove the state of container '%s'", f->id) : 0;
}
