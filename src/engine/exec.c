/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/exec.h"

#include "base/fd.h"
#include "base/str.h"
#include "compile/compile.h"
#include "engine/console.h"
#include "engine/events.h"
#include "engine/life.h"
#include "kernel/sys.h"
#include "plan/plan.h"
#include "proc/proc.h"
#include "sandbox/sandbox.h"
#include "shim/client.h"
#include "shim/event_line.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

enum { ENV_MAX = 4096, CODE_CANNOT_RUN = 126 };

/* --- the plan --------------------------------------------------------------------------------- */

struct env {
	const char **items;
	size_t n;
};

static void env_set(struct env *env, const char *entry)
{
	size_t name = strcspn(entry, "=") + 1;

	for (size_t i = 0; i < env->n; i++)
		if (strncmp(env->items[i], entry, name) == 0) {
			env->items[i] = entry;
			return;
		}
	env->items[env->n++] = entry;
}

static int make_env(const struct plan *plan, const struct exec_options *o, struct arena *arena,
        const char *const **ret, struct err *err)
{
	const char *const *base = plan_exec_env(plan);
	size_t n = strv_len(o->env) + 2;
	struct env env = { .n = 0 };

	for (size_t i = 0; base && base[i]; i++)
		n++;
	if (n > ENV_MAX)
		return err_set(err, -E2BIG, "%zu environment variables are too many: at most %d", n,
		        ENV_MAX);
	env.items = arena_new_n(arena, const char *, n + 1);
	for (size_t i = 0; base && base[i]; i++)
		env_set(&env, base[i]);
	if (o->tty)
		env_set(&env, "TERM=xterm");
	for (char *const *e = o->env; e && *e; e++)
		if (strchr(*e, '=')) /* one without a value is a variable that we do not have */
			env_set(&env, *e);
	*ret = env.items;
	return 0;
}

int exec_plan(const struct plan *plan, const struct exec_options *o, int *ret_fd, struct err *err)
{
	_cleanup_(plan_writer_done) struct plan_writer writer = { 0 };
	_arena_done_ struct arena arena = { 0 };
	struct compile_exec request = {
		.args = o->args,
		.user = o->user ? o->user : "",
		.cwd = o->workdir ? o->workdir : "",
		.has_terminal = o->tty,
		.rows = o->rows,
		.cols = o->cols,
	};
	int r = make_env(plan, o, &arena, &request.env, err);

	if (r < 0)
		return r;
	plan_writer_init(&writer);
	r = compile_exec_plan(plan, &request, &writer, err);
	return r < 0 ? r : plan_writer_memfd(&writer, ret_fd, err);
}

/* --- running it ------------------------------------------------------------------------------- */

struct exec {
	struct plan *plan;
	struct sandbox_child child;
	struct sandbox_target target;
	struct console console;
	int inner[3];
	bool terminal;
};

static void exec_done(struct exec *x)
{
	x->plan = plan_free(x->plan);
	x->child.pidfd = fd_close(x->child.pidfd);
	x->child.sync = fd_close(x->child.sync);
	x->child.terminal_fd = fd_close(x->child.terminal_fd);
	x->target.pidfd = fd_close(x->target.pidfd);
	for (int i = 0; i < 3; i++)
		x->inner[i] = fd_close(x->inner[i]);
	console_done(&x->console);
}

/* Pipes of our own, and /dev/null for what is not wanted: see attach.h. */
static int make_stdio(struct exec *x, const struct exec_options *o, struct err *err)
{
	for (int i = 0; i < 3 && !o->tty; i++) {
		bool wanted = !o->detach && (i > 0 || o->interactive);
		int p[2] = { -EBADF, -EBADF };

		if (!wanted) {
			x->inner[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
			if (x->inner[i] < 0)
				return err_errno(err, -errno, "cannot open /dev/null");
			continue;
		}
		if (pipe2(p, O_CLOEXEC) < 0)
			return err_errno(err, -errno, "cannot make a pipe");
		x->inner[i] = p[i > 0];
		*(i == 0 ? &x->console.to_stdin : &x->console.from[i - 1]) = p[i == 0];
	}
	return 0;
}

static int on_end(void *data, int *ret_code)
{
	struct exec *x = data;

	*ret_code = proc_wait(x->child.pidfd);
	return *ret_code < 0 ? *ret_code : 1;
}

static void on_signal(void *data, int signal)
{
	struct exec *x = data;

	(void) sys_pidfd_send_signal(x->child.pidfd, signal); /* it may be gone */
}

static void on_resize(void *data, unsigned short rows, unsigned short cols)
{
	const struct winsize size = { .ws_row = rows, .ws_col = cols };
	struct exec *x = data;

	if (x->console.from[0] >= 0)
		(void) ioctl(x->console.from[0], TIOCSWINSZ, &size);
}

static bool on_broken(void *data, int stream)
{
	(void) data;
	(void) stream;
	return false; /* the program learns it by the pipe, as in a pipeline */
}

static int take_terminal(struct exec *x, struct err *err)
{
	x->console.to_stdin = fd_dup(x->child.terminal_fd);
	if (x->console.to_stdin < 0)
		return err_errno(err, x->console.to_stdin, "cannot keep the terminal");
	x->console.from[0] = TAKE_FD(x->child.terminal_fd);
	return 0;
}

static int enter(struct exec *x, int *ret_code, struct err *err)
{
	struct sandbox_io io = {
		.stdin_fd = x->inner[0],
		.stdout_fd = x->inner[1],
		.stderr_fd = x->inner[2],
		.gate_fd = -EBADF,
		.result_fd = -EBADF,
	};
	int r = sandbox_enter(x->plan, &x->target, &io, &x->child, ret_code, err);

	if (r == 0 && x->terminal)
		r = take_terminal(x, err);
	for (int i = 0; i < 3; i++)
		x->inner[i] = fd_close(x->inner[i]);
	return r < 0 ? r : sandbox_wait_exec(&x->child, ret_code, err);
}

static int serve(struct exec *x, const struct exec_options *o, int *ret_code, struct err *err)
{
	x->console.terminal = o->tty;
	x->console.read_stdin = o->interactive;
	x->console.leave_at_end = true;
	x->console.end_fd = x->child.pidfd;
	x->console.data = x;
	x->console.on_end = on_end;
	x->console.on_resize = on_resize;
	x->console.on_broken = on_broken;
	if (!o->tty)
		x->console.on_signal = on_signal;
	return console_run(&x->console, ret_code, err);
}

static int check(const struct container *c, struct err *err)
{
	if (streq(container_status(c), "paused"))
		return err_set(err, -EBUSY,
		        "Container %s is paused, unpause the container before exec", c->name);
	if (c->alive && c->record.state == RECORD_RESTARTING)
		return err_set(err, -EBUSY,
		        "Container %s is restarting, wait until the container is running", c->id);
	if (!container_is_running(c))
		return err_set(err, -ESRCH, "Container %s is not running", c->id);
	return 0;
}

/* Plan, target and stdio. */
static int prepare(struct engine *e, struct container *c, const struct exec_options *o,
        struct exec *x, struct err *err)
{
	_close_ int sock = -EBADF, container_plan = -EBADF, own_plan = -EBADF;
	_cleanup_(plan_freep) struct plan *plan = NULL;
	int r = check(c, err);

	if (r == 0)
		r = console_parse_keys(
		        o->detach_keys ? o->detach_keys : "ctrl-p,ctrl-q", &x->console, err);
	if (r == 0)
		r = life_connect(e, c, &sock, err);
	if (r == 0)
		r = shim_info(sock, &x->target.pidfd, &container_plan, NULL, err);
	if (r == 0)
		r = plan_open(container_plan, &plan, err);
	if (r == 0)
		r = exec_plan(plan, o, &own_plan, err);
	if (r == 0)
		r = plan_open(own_plan, &x->plan, err);
	if (r == 0)
		r = make_stdio(x, o, err);
	return r;
}

/* docker's actions carry the command line. */
static void event(struct engine *e, const struct container *c, const char *action,
        const struct exec_options *o)
{
	_buf_done_ struct buf text = BUF_INIT(EVENT_ACTION_MAX);

	(void) buf_addf(&text, "%s:", action);
	for (const char *const *arg = o->args; *arg && buf_addf(&text, " %s", *arg) == 0; arg++)
		;
	events_container(e, c, buf_str(&text), NULL, 0);
}

static void event_die(struct engine *e, const struct container *c, int code)
{
	_free_ char *text = xprintf("%d", code);
	const struct oci_kv attribute = { "exitCode", text };

	events_container(e, c, "exec_die", &attribute, 1);
}

int exec_run(struct engine *e, struct container *c, const struct exec_options *o, int *ret_code,
        struct err *err)
{
	_cleanup_(exec_done) struct exec x = {
		.child = SANDBOX_CHILD_INIT,
		.target = { .pidfd = -EBADF },
		.console = CONSOLE_INIT,
		.inner = { -EBADF, -EBADF, -EBADF },
		.terminal = o->tty,
	};
	int code = 0, r = prepare(e, c, o, &x, err);

	*ret_code = 0;
	if (r < 0)
		return r;
	event(e, c, "exec_create", o);
	r = enter(&x, &code, err);
	if (r < 0) {
		if (x.child.pidfd >= 0)
			(void) proc_wait(x.child.pidfd);
		*ret_code = code ? code : CODE_CANNOT_RUN;
		return r;
	}
	event(e, c, "exec_start", o);
	if (o->detach)
		return 0;
	r = serve(&x, o, ret_code, err);
	if (r == CONSOLE_ENDED)
		event_die(e, c, *ret_code);
	return r;
}
