/* SPDX-License-Identifier: Apache-2.0 */
/* The child's terminal: a pty of the container's own devpts. */
#include "base/fd.h"
#include "base/str.h"
#include "sandbox/child.h"

#include <sys/ioctl.h>
#include <unistd.h>

/* True when the plan itself mounts a tmpfs on /dev: what a configuration binds there, or an image
 * has there, gets no file from us. */
static bool has_own_dev(const struct plan *plan)
{
	const struct plan_step *s = NULL;
	bool own = false;

	while ((s = plan_next(plan, PLAN_MOUNT, s)))
		if (streq(s->mount.target, "/dev"))
			own = s->mount.kind == PLAN_MOUNT_FS && streq(s->mount.fstype, "tmpfs");
	return own;
}

static int set_size(int master, const struct plan_terminal *t)
{
	const struct winsize size = {
		.ws_row = (unsigned short) t->rows,
		.ws_col = (unsigned short) t->cols,
	};

	if (t->rows > UINT16_MAX || t->cols > UINT16_MAX)
		return -ERANGE;
	return ioctl(master, TIOCSWINSZ, &size) < 0 ? -errno : 0;
}

int child_terminal(struct child *c, const struct plan_step *s)
{
	const struct plan_terminal *t = &s->terminal;
	_close_ int master = -EBADF, slave = -EBADF;
	int r;

	if (t->console && !has_own_dev(c->a->plan))
		return err_set(&c->err, -EINVAL,
		        "the plan wants '/dev/console' and mounts no tmpfs on '/dev'");
	r = mount_open_terminal(c->a->root, c->a->host_devpts, &master, &slave, &c->err);
	if (r < 0)
		return r;
	r = set_size(master, t);
	if (r < 0)
		return err_errno(&c->err, r, "cannot set the size of the terminal to %u rows of %u",
		        t->rows, t->cols);
	if (t->console) {
		r = mount_bind_console(c->a->root, slave, &c->err);
		if (r < 0)
			return r;
	}
	r = report_terminal(c->sync, master);
	if (r < 0)
		return err_errno(&c->err, r, "cannot hand the terminal over");
	c->terminal = TAKE_FD(slave);
	return 0;
}

int child_control_terminal(struct child *c)
{
	if (ioctl(STDIN_FILENO, TIOCSCTTY, 0) < 0)
		return err_errno(&c->err, -errno,
		        "cannot make the terminal the program's controlling terminal");
	return 0;
}
