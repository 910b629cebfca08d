/* SPDX-License-Identifier: Apache-2.0 */
/* What 'update' changed while the container ran, for its next run. */
#include "base/buf.h"
#include "base/fd.h"
#include "plan/plan.h"
#include "shim/internal.h"

#include <unistd.h>

static void take_plan(struct shim *s)
{
	_buf_done_ struct buf bytes = BUF_INIT(PLAN_SIZE_MAX);
	_cleanup_(plan_freep) struct plan *plan = NULL;
	_close_ int fd = -EBADF;
	struct err ignored;

	if (buf_read_file(&bytes, s->dir_fd, SHIM_NEXT_PLAN) < 0 ||
	        fd_sealed("bulkhead-plan", bytes.data, bytes.len, &fd) < 0 ||
	        plan_open(fd, &plan, &ignored) < 0)
		return;
	(void) fd_close(s->plan_fd);
	s->plan_fd = TAKE_FD(fd);
	(void) unlinkat(s->dir_fd, SHIM_NEXT_PLAN, 0);
}

/* The policy alone: everything else of a container is fixed at its start. */
static void take_settings(struct shim *s)
{
	_buf_done_ struct buf bytes = BUF_INIT(SETTINGS_SIZE_MAX);
	struct shim_settings settings;
	struct err ignored;

	if (buf_read_file(&bytes, s->dir_fd, SHIM_NEXT_SETTINGS) < 0 ||
	        settings_decode(bytes.data, bytes.len, &settings, &ignored) < 0)
		return;
	s->settings.restart = settings.restart;
	s->settings.restart_max = settings.restart_max;
	(void) unlinkat(s->dir_fd, SHIM_NEXT_SETTINGS, 0);
}

void shim_take_changes(struct shim *s)
{
	take_plan(s);
	take_settings(s);
}
