/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plan of one more process in a container, from the container's own plan: one decision for each
 * kind of step, in one table. Pure as the rest.
 */
#include "compile/internal.h"

#include <sched.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

struct exec {
	const struct plan *container;
	const struct compile_exec *request;
	struct plan_writer *w;
	struct arena arena;
};

/* Writes the steps of one kind. */
typedef void (*exec_make)(struct exec *e, enum plan_kind kind);

static void copy(struct exec *e, enum plan_kind kind)
{
	const struct plan_step *s = NULL;

	while ((s = plan_next(e->container, kind, s)))
		plan_write(e->w, s);
}

static void drop(struct exec *e, enum plan_kind kind)
{
	(void) e;
	(void) kind;
}

static uint32_t host_id_of_root(const struct plan *plan, bool gid)
{
	const struct plan_step *s = NULL;

	while ((s = plan_next(plan, PLAN_IDMAP, s)))
		if ((s->idmap.gid != 0) == gid && s->idmap.container_id == 0)
			return s->idmap.host_id;
	return 0;
}

/* Every namespace of the init, so that the process is where the init is even if the caller has left
 * the namespaces that it shared with the container. A caller without privileges can join only what
 * belongs to the container, and nobody can join the user namespace that he is in, or a time
 * namespace where the kernel has none. */
static void make_enter(struct exec *e, enum plan_kind kind)
{
	const struct plan_step *join = plan_find(e->container, PLAN_CGROUP_JOIN);
	const struct plan_step *s = NULL;
	uint32_t flags = CLONE_NEWNS;

	if (!plan_find(e->container, PLAN_CONTAINER)->container.rootless)
		flags |= CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS |
		         CLONE_NEWCGROUP;
	while ((s = plan_next(e->container, PLAN_NAMESPACE, s)))
		flags |= s->ns.flag;
	if (join && join->cgroup_join.new_namespace)
		flags |= CLONE_NEWCGROUP;
	plan_write(e->w, &(struct plan_step){ .kind = kind,
	                         .enter = {
	                                 .namespaces = flags,
	                                 .host_uid = host_id_of_root(e->container, false),
	                                 .host_gid = host_id_of_root(e->container, true),
	                         } });
}

/* The cgroup namespace is joined with the others. */
static void make_cgroup_join(struct exec *e, enum plan_kind kind)
{
	if (plan_find(e->container, kind))
		plan_write(e->w, &(struct plan_step){ .kind = kind });
}

static void make_terminal(struct exec *e, enum plan_kind kind)
{
	if (e->request->has_terminal)
		plan_write(e->w, &(struct plan_step){ .kind = kind,
		                         .terminal = {
		                                 .rows = e->request->rows,
		                                 .cols = e->request->cols,
		                         } });
}

/* A rule only gives; one whose path the container has removed gives nothing. */
static void make_landlock_rule(struct exec *e, enum plan_kind kind)
{
	const struct plan_step *s = NULL;

	while ((s = plan_next(e->container, kind, s))) {
		struct plan_step rule = *s;

		rule.landlock_rule.optional = 1;
		plan_write(e->w, &rule);
	}
}

/* Another user keeps the mask and the groups that were asked for on top of the image's. */
static void make_user(struct exec *e, enum plan_kind kind)
{
	struct plan_step user = *plan_find(e->container, kind);
	const char *name = e->request->user;

	if (name && *name) {
		user.user.lookup = name;
		user.user.uid = user.user.gid = 0;
	}
	user.user.set_home = 1;
	plan_write(e->w, &user);
}

static void make_cwd(struct exec *e, enum plan_kind kind)
{
	const struct plan_step *own = plan_find(e->container, kind);
	const char *path = e->request->cwd;

	if (!path || !*path)
		path = own ? own->cwd.path : "/";
	plan_write(e->w, &(struct plan_step){ .kind = kind, .cwd = { .path = path } });
}

static void make_find(struct exec *e, enum plan_kind kind)
{
	const char **program = arena_new_n(&e->arena, const char *, 2);

	program[0] = e->request->args[0];
	plan_write(e->w, &(struct plan_step){ .kind = kind, .exec = { .args = program } });
}

static void make_ready(struct exec *e, enum plan_kind kind)
{
	plan_write(
	        e->w, &(struct plan_step){ .kind = kind, .ready = { .wait = e->request->wait } });
}

static void make_exec(struct exec *e, enum plan_kind kind)
{
	plan_write(e->w, &(struct plan_step){ .kind = kind,
	                         .exec = {
	                                 .args = e->request->args,
	                                 .env = compile_last_of_each(&e->arena, e->request->env),
	                         } });
}

static const exec_make makes[PLAN_KIND_COUNT] = {
	[PLAN_CONTAINER] = copy,
	[PLAN_ENTER] = make_enter,
	[PLAN_ROOT] = drop,
	[PLAN_ROOT_OVERLAY] = drop,
	[PLAN_CGROUP] = copy,
	[PLAN_CGROUP_SET] = drop,
	[PLAN_CGROUP_DEVICE] = drop,
	[PLAN_NAMESPACE] = drop,
	[PLAN_TIME_OFFSET] = drop,
	[PLAN_IDMAP] = drop,
	[PLAN_OOM_SCORE] = copy,
	[PLAN_CGROUP_JOIN] = make_cgroup_join,
	[PLAN_EARLY_SYSCTL] = drop,
	[PLAN_BECOME_ROOT] = copy,
	[PLAN_KEYRING] = copy,
	[PLAN_UTS] = drop,
	[PLAN_SYSCTL] = drop,
	[PLAN_LOOPBACK] = drop,
	[PLAN_MOUNT_NAMESPACE] = drop,
	[PLAN_MOUNT] = drop,
	[PLAN_DEVICE] = drop,
	[PLAN_DEV_LINKS] = drop,
	[PLAN_TERMINAL] = make_terminal,
	[PLAN_READONLY] = drop,
	[PLAN_PROC_ALLOW] = drop,
	[PLAN_MASK] = drop,
	[PLAN_PIVOT] = drop,
	[PLAN_ROOT_ATTR] = drop,
	[PLAN_LATE_SYSCTL] = drop,
	[PLAN_LANDLOCK] = copy,
	[PLAN_LANDLOCK_RULE] = make_landlock_rule,
	[PLAN_SECCOMP_EARLY] = copy,
	[PLAN_USER] = make_user,
	[PLAN_CAPS] = copy,
	[PLAN_CWD] = make_cwd,
	[PLAN_NO_NEW_PRIVS] = copy,
	[PLAN_LANDLOCK_ENTER] = copy,
	[PLAN_FIND] = make_find,
	[PLAN_RLIMIT] = copy,
	[PLAN_READY] = make_ready,
	[PLAN_SECCOMP] = copy,
	[PLAN_EXEC] = make_exec,
};

bool compile_exec_decides(enum plan_kind kind)
{
	return kind < PLAN_KIND_COUNT && makes[kind];
}

static int check_request(const struct compile_exec *x, struct err *err)
{
	_free_ char *cwd = str_escaped(x->cwd ? x->cwd : "");

	if (!x->args || !x->args[0] || !*x->args[0])
		return err_set(err, -EINVAL, "no program to run: name one");
	if (x->privileged)
		return err_set(err, -EOPNOTSUPP,
		        "a process cannot have more rights than its container in this version: "
		        "leave 'privileged' out");
	if (*cwd && x->cwd[0] != '/')
		return err_set(err, -EINVAL,
		        "the working folder '%s' is relative: use an absolute path", cwd);
	if (x->has_terminal && (x->rows > UINT16_MAX || x->cols > UINT16_MAX))
		return err_set(
		        err, -ERANGE, "a terminal cannot have %u rows of %u", x->rows, x->cols);
	return 0;
}

int compile_exec_plan(const struct plan *container, const struct compile_exec *exec,
        struct plan_writer *w, struct err *err)
{
	struct exec e = { .container = container, .request = exec, .w = w };
	int r = check_request(exec, err);

	if (r < 0)
		return r;
	if (plan_find(container, PLAN_ENTER) || !plan_find(container, PLAN_USER) ||
	        !plan_find(container, PLAN_CAPS))
		return err_set(err, -EINVAL, "this is not the plan of a container");
	for (size_t i = 0; i < plan_order_count; i++)
		makes[plan_order[i].kind](&e, plan_order[i].kind);
	arena_done(&e.arena);
	return plan_writer_finish(w, err);
}
