/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/internal.h"

#include "cgroup/cgroup.h"
#include "kernel/sys.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

int kill_and_wait(int pidfd, struct err *err)
{
	int r = sys_pidfd_send_signal(pidfd, SIGKILL);
	if (r == -ESRCH)
		return 0;
	if (r < 0)
		return err_errno(err, r, "cannot kill the container's process");
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	do
		r = poll(&p, 1, RUNTIME_KILL_WAIT_MS);
	while (r < 0 && errno == EINTR);
	if (r == 0)
		return err_set(err, -ETIMEDOUT,
		        "the container's process is still there %d seconds after SIGKILL",
		        RUNTIME_KILL_WAIT_MS / 1000);
	return r < 0 ? err_errno(err, -errno, "cannot wait for the container's process") : 0;
}

/* Every process in the container's groups; those that end meanwhile are no error. */
static int signal_group(const struct folder *f, int sig, size_t *ret_n, struct err *err)
{
	_buf_done_ struct buf bytes = BUF_INIT(PLAN_SIZE_MAX);
	_cleanup_(plan_freep) struct plan *plan = NULL;
	*ret_n = 0;
	int r = buf_read_file(&bytes, f->fd, PLAN_FILE);
	if (r < 0)
		return err_errno(err, r, "cannot read the plan of container '%s'", f->id);
	r = plan_decode(bytes.data, bytes.len, &plan, err);
	const struct plan_step *step = r < 0 ? NULL : plan_find(plan, PLAN_CGROUP);
	if (!step)
		return r;
	const struct cgroup_group group = {
		.mode = step->cgroup.mode,
		.path = step->cgroup.path,
		.hierarchies = step->cgroup.hierarchies,
		.unified = step->cgroup.unified,
	};
	_cleanup_(cgroup_handle_done) struct cgroup_handle handle = CGROUP_HANDLE_INIT;
	_free_ pid_t *pids = NULL;
	r = cgroup_open(&group, false, &handle, err);
	if (r == -ENOENT)
		return 0;
	if (r >= 0)
		r = cgroup_pids(&handle, &pids, ret_n, err);
	for (size_t i = 0; r >= 0 && i < *ret_n; i++) {
		_close_ int pidfd = sys_pidfd_open(pids[i]);
		if (pidfd >= 0)
			(void) sys_pidfd_send_signal(pidfd, sig);
	}
	return r;
}

int runtime_kill(struct runtime *rt, const char *id, int sig, bool all, struct err *err)
{
	_cleanup_(runtime_state_freep) struct runtime_state *state = NULL;
	int r = runtime_state_load(rt, id, &state, err);
	if (r < 0)
		return r;
	size_t reached = 0;
	if (all) {
		_folder_done_ struct folder f = { .id = id, .fd = -EBADF };
		r = folder_open(rt, id, &f.fd, err);
		if (r >= 0)
			r = signal_group(&f, sig, &reached, err);
		if (r < 0 || reached > 0)
			return r;
	}
	_close_ int pidfd = state_pidfd(state);
	r = pidfd < 0 ? -ESRCH : sys_pidfd_send_signal(pidfd, sig);
	if (r == -ESRCH && all)
		return 0;
	if (r == -ESRCH)
		return err_set(err, r, "container not running");
	return r < 0 ? err_errno(err, r, "cannot signal container '%s'", id) : 0;
}

/* Ends what is there, in an order that a kill of ourselves in between leaves repeatable. */
static int destroy(struct runtime *rt, const struct folder *f, const struct runtime_state *state,
        int pidfd, struct err *err)
{
	int r = pidfd >= 0 ? kill_and_wait(pidfd, err) : 0;
	if (r >= 0)
		r = folder_undo_plan(rt, f, state, err);
	return r < 0 ? r : folder_remove(rt, f, err);
}

int runtime_delete(struct runtime *rt, const char *id, bool force, struct err *err)
{
	_folder_done_ struct folder f = FOLDER_INIT;
	_cleanup_(runtime_state_freep) struct runtime_state *state = NULL;
	int r = folder_lock(rt, id, &f, err);
	if (r == -ENOENT && force)
		return 0;
	if (r < 0)
		return r;
	r = state_load_at(f.fd, id, &state, err);
	if (r == -ENOENT && !force)
		return err_set(err, -EBADMSG,
		        "container '%s' is half-made (its creation was interrupted): remove it with "
		        "delete --force",
		        id);
	if (r < 0 && !force)
		return r;
	_close_ int pidfd = state ? state_pidfd(state) : -EBADF;
	if (pidfd >= 0 && !force && !state_is_waiting(f.fd))
		return err_set(err, -EBUSY,
		        "cannot delete container '%s' that is not stopped: it is running (kill it "
		        "first, or use --force)",
		        id);
	return destroy(rt, &f, state, pidfd, err);
}
