/* SPDX-License-Identifier: Apache-2.0 */
#include "enterkit.h"

#include "base/base.h"
#include "base/fd.h"
#include "kernel/sys.h"
#include "landlock/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

const char *const enter_sleeps[] = { "sleep", "600", NULL };
const char *const enter_env[] = { "PATH=/bin", NULL };

void inside_start(struct inside *in)
{
	in->child = (struct sandbox_child) SANDBOX_CHILD_INIT;
	box_start(&in->box, &in->plan, &in->writer, &in->child);
	assert_int_equal(sandbox_wait_exec(&in->child, NULL, NULL), 0);
}

void inside_stop(struct inside *in)
{
	box_stop(in->plan, &in->writer, &in->child);
}

/* The plan of a process in it; 'change' may add to the steps that the compiler wrote. */
struct plan *enter_plan(
        const struct inside *in, const struct compile_exec *x, struct plan_writer *w)
{
	struct plan *plan = NULL;
	struct err err = { 0 };

	plan_writer_init(w);
	if (compile_exec_plan(in->plan, x, w, &err) < 0 ||
	        plan_decode(w->bytes.data, w->bytes.len, &plan, &err) < 0)
		fail_msg("%s", err.text);
	return plan;
}

/* Runs it to its end, with stdin from 'input'. */
void enter_with(const struct inside *in, const struct compile_exec *x, int input, struct outcome *o)
{
	_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	_cleanup_(plan_freep) struct plan *plan = NULL;
	const struct sandbox_target target = { .pidfd = in->child.pidfd };
	struct sandbox_child child = SANDBOX_CHILD_INIT;
	struct sandbox_io io = { .gate_fd = -EBADF, .result_fd = -EBADF };
	struct plan_writer w;
	int out[2];

	*o = (struct outcome){ .status = -1 };
	plan = enter_plan(in, x, &w);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	io.stdin_fd = input >= 0 ? input : null;
	io.stdout_fd = io.stderr_fd = out[1];
	o->r = sandbox_enter(plan, &target, &io, &child, &o->exit_code, &o->err);
	fd_close(out[1]);
	if (o->r == 0) {
		o->r = sandbox_wait_exec(&child, &o->exit_code, &o->err);
		box_read_all(child.terminal_fd >= 0 ? child.terminal_fd : out[0], o->out,
		        sizeof(o->out));
		o->status = box_wait_status(child.pid);
	}
	fd_close(out[0]);
	sandbox_child_done(&child);
	plan_writer_done(&w);
}

void enter_must_run(const struct inside *in, const struct compile_exec *x, struct outcome *o)
{
	enter_with(in, x, -EBADF, o);
	if (o->r < 0)
		fail_msg("cannot enter: %s", o->err.text);
}

void enter_script(const struct inside *in, const char *script, struct outcome *o)
{
	enter_must_run(in, &(struct compile_exec){ .args = SHELL(script), .env = enter_env }, o);
}

/* Starts one that lives on. */
pid_t enter_sleeper(const struct inside *in, struct sandbox_child *child)
{
	_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	const struct compile_exec x = { .args = enter_sleeps, .env = enter_env };
	const struct sandbox_target target = { .pidfd = in->child.pidfd };
	const struct sandbox_io io = { null, null, null, .gate_fd = -EBADF, .result_fd = -EBADF };
	_cleanup_(plan_freep) struct plan *plan = NULL;
	struct plan_writer w;
	struct err err = { 0 };

	plan = enter_plan(in, &x, &w);
	if (sandbox_enter(plan, &target, &io, child, NULL, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(sandbox_wait_exec(child, NULL, NULL), 0);
	plan_writer_done(&w);
	return child->pid;
}

void enter_end(struct sandbox_child *child)
{
	assert_int_equal(sys_pidfd_send_signal(child->pidfd, SIGKILL), 0);
	assert_int_equal(box_wait_status(child->pid), 128 + SIGKILL);
	sandbox_child_done(child);
}

static const struct sock_filter filter[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sethostname, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EXDEV),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

/* Everything that an init can be restricted by. */
void inside_confine(struct box *b, bool early)
{
	enum plan_kind kind = early ? PLAN_SECCOMP_EARLY : PLAN_SECCOMP;

	box_add(b, STEP(RLIMIT, .rlimit = { .resource = RLIMIT_NOFILE,
	                                .name = "RLIMIT_NOFILE",
	                                .soft = 50,
	                                .hard = 60 }));
	box_add(b, STEP(RLIMIT, .rlimit = { .resource = RLIMIT_CORE, .name = "RLIMIT_CORE" }));
	box_add(b, STEP(OOM_SCORE, .oom_score = { .value = 123 }));
	box_add(b, STEP(KEYRING));
	box_add(b, &(struct plan_step){ .kind = kind,
	                   .seccomp = { .filter = filter, .filter_size = sizeof(filter) } });
	if (early)
		return;
	box_add(b, STEP(NO_NEW_PRIVS));
	if (box_facts.landlock_abi == 0)
		return;
	box_add(b, STEP(LANDLOCK, .landlock = { .handled_fs = landlock_fs_rights(1), .abi = 1 }));
	box_add(b, STEP(LANDLOCK_RULE,
	                   .landlock_rule = { .path = "/",
	                           .access = LL_FS_EXECUTE | LL_FS_READ_FILE | LL_FS_READ_DIR }));
	box_add(b, STEP(LANDLOCK_RULE,
	                   .landlock_rule = { .path = "/tmp", .access = landlock_fs_rights(1) }));
	box_add(b, STEP(LANDLOCK_ENTER));
}

/* 0: no user namespace; 1: one; 2: a time namespace, too. */
void inside_init(struct box *b, int kind)
{
	box_init(b, enter_sleeps);
	if (kind > 0)
		box_add_user_namespace(b);
	if (kind > 1) {
		box_add_namespace(b, CLONE_NEWTIME);
		box_add(b, STEP(TIME_OFFSET,
		                   .time_offset = { .clock = "boottime", .secs = 500000000 }));
	}
}

struct cgroup_group inside_group(const struct inside *in)
{
	const struct plan_cgroup *c = &plan_find(in->plan, PLAN_CGROUP)->cgroup;

	return (struct cgroup_group){
		.mode = (enum cgroup_mode) c->mode,
		.path = c->path,
		.hierarchies = c->hierarchies,
		.unified = c->unified,
	};
}
