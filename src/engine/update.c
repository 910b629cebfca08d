/* SPDX-License-Identifier: Apache-2.0 */
/* New limits and a new policy for a container, running or not. */
#include "base/buf.h"
#include "base/fd.h"
#include "engine/events.h"
#include "engine/groups.h"
#include "engine/request.h"
#include "engine/start.h"
#include "shim/settings.h"

#include <unistd.h>

/* The limits of the plan, written to the living group. Of two that bound each other (memory, and
 * memory with swap) one has to be first, and which one depends on what was there: what is refused
 * is tried once more behind the others. */
static int write_limits(const struct plan *plan, struct cgroup_handle *group, struct err *err)
{
	const struct plan_step *s = NULL;
	struct err first;
	bool again = false;

	while ((s = plan_next(plan, PLAN_CGROUP_SET, s)))
		if (cgroup_set(group, s->cgroup_set.hierarchy, s->cgroup_set.file,
		            s->cgroup_set.value, s->cgroup_set.optional, &first) < 0)
			again = true;
	while (again && (s = plan_next(plan, PLAN_CGROUP_SET, s))) {
		int r = cgroup_set(group, s->cgroup_set.hierarchy, s->cgroup_set.file,
		        s->cgroup_set.value, s->cgroup_set.optional, err);

		if (r < 0)
			return r;
	}
	return 0;
}

static int replace(const struct container *c, const char *name, int fd, struct err *err)
{
	_buf_done_ struct buf bytes = BUF_INIT(PLAN_SIZE_MAX);
	int r = lseek(fd, 0, SEEK_SET) < 0 ? -errno : buf_read_fd(&bytes, fd);

	if (r == 0)
		r = fd_replace_file(c->dir, name, bytes.data, bytes.len, 0600, false);
	return r < 0 ? err_errno(err, r, "cannot write the change of container '%.12s'", c->id) : 0;
}

/* Now for what runs, and later for what the shim starts again. */
static int update_running(struct start *s, struct err *err)
{
	_cleanup_(cgroup_handle_done) struct cgroup_handle group = CGROUP_HANDLE_INIT;
	int r = groups_open(s->container->cgroup, &group, err);

	if (r == 0)
		r = write_limits(s->plan, &group, err);
	if (r == 0)
		r = start_write_settings(s, err);
	if (r == 0)
		r = replace(s->container, SHIM_NEXT_PLAN, s->plan_fd, err);
	if (r == 0)
		r = replace(s->container, SHIM_NEXT_SETTINGS, s->settings_fd, err);
	return r;
}

static void no_warning(const char *text)
{
	(void) text; /* it was said when the container was made */
}

int life_update(struct engine *e, struct container *c, struct config *config_taken, struct err *err)
{
	static const struct life_start how = { .attach = 0 };
	_start_done_ struct start s = START_INIT(e, c, &how, no_warning);
	int r;

	s.config = config_taken;
	r = config_check(s.config, err);
	if (r == 0)
		r = facts_probe(&s.facts, err);
	if (r == 0)
		r = start_make_plan(&s, err);
	if (r == 0 && container_is_running(c))
		r = update_running(&s, err);
	if (r == 0)
		r = container_write_config(c, s.config, err);
	if (r == 0)
		events_container(e, c, "update", NULL, 0);
	return r;
}
