/* SPDX-License-Identifier: Apache-2.0 */
#include "compile/internal.h"

#include <sched.h>
#include <sys/mount.h>

int compile_container(struct compile *c)
{
	plan_write(c->w, &(struct plan_step){ .kind = PLAN_CONTAINER,
	                         .container = {
	                                 .id = c->id,
	                                 .oci_version = c->spec->version,
	                                 .rootless = !c->facts->privileged,
	                         } });
	return 0;
}

/* A configuration makes a container; compile_exec_plan() writes plans that enter one. */
int compile_enter(struct compile *c)
{
	(void) c;
	return 0;
}

static void write_offset(struct compile *c, const char *clock, const struct oci_time_offset *o)
{
	if (!o->has)
		return;
	plan_write(c->w, &(struct plan_step){ .kind = PLAN_TIME_OFFSET,
	                         .time_offset = {
	                                 .clock = clock,
	                                 .secs = o->secs,
	                                 .nanosecs = o->nanosecs,
	                         } });
}

int compile_time_offset(struct compile *c)
{
	write_offset(c, "monotonic", &c->spec->linux_.monotonic);
	write_offset(c, "boottime", &c->spec->linux_.boottime);
	return 0;
}

int compile_idmap(struct compile *c)
{
	const struct oci_linux *l = &c->spec->linux_;
	if (!(c->new_namespaces & CLONE_NEWUSER))
		return 0;
	for (int gid = 0; gid < 2; gid++) {
		const struct oci_idmap *map = gid ? l->gid_mappings : l->uid_mappings;
		size_t n = gid ? l->n_gid_mappings : l->n_uid_mappings;
		for (size_t i = 0; i < n; i++)
			plan_write(c->w, &(struct plan_step){ .kind = PLAN_IDMAP,
			                         .idmap = {
			                                 .gid = (uint32_t) gid,
			                                 .container_id = map[i].container_id,
			                                 .host_id = map[i].host_id,
			                                 .size = map[i].size,
			                         } });
	}
	return 0;
}

int compile_loopback(struct compile *c)
{
	if (c->new_namespaces & CLONE_NEWNET)
		plan_write(c->w, &(struct plan_step){ .kind = PLAN_LOOPBACK });
	return 0;
}

int compile_keyring(struct compile *c)
{
	if (!c->ext->no_new_keyring)
		plan_write(c->w, &(struct plan_step){ .kind = PLAN_KEYRING });
	return 0;
}

/* Without privileges on the host a user namespace may map gids only with setgroups denied. */
int compile_become_root(struct compile *c)
{
	if (c->user_namespace)
		plan_write(c->w, &(struct plan_step){ .kind = PLAN_BECOME_ROOT,
		                         .become_root = { .setgroups = c->facts->privileged } });
	return 0;
}

int compile_uts(struct compile *c)
{
	if (c->spec->hostname || c->spec->domainname)
		plan_write(c->w, &(struct plan_step){ .kind = PLAN_UTS,
		                         .uts = {
		                                 .hostname = c->spec->hostname,
		                                 .domainname = c->spec->domainname,
		                         } });
	return 0;
}

int compile_user(struct compile *c)
{
	const struct oci_process *p = &c->spec->process;
	bool lookup = c->ext->user && c->ext->user[0] != '\0';
	size_t n = p->n_additional_gids, named = 0;
	while (c->ext->groups && c->ext->groups[named])
		named++;
	const char **groups = arena_new_n(&c->arena, const char *, n + named + 1);
	for (size_t i = 0; i < n; i++)
		groups[i] = arena_printf(&c->arena, "%u", p->additional_gids[i]);
	for (size_t i = 0; i < named; i++)
		groups[n + i] = c->ext->groups[i];
	if (!c->facts->privileged && n + named > 0)
		return err_set(c->err, -EPERM,
		        "process.user.additionalGids cannot be set without root: remove it");
	plan_write(c->w, &(struct plan_step){ .kind = PLAN_USER,
	                         .user = {
	                                 .lookup = lookup ? c->ext->user : "",
	                                 .uid = p->uid,
	                                 .gid = p->gid,
	                                 .groups = groups,
	                                 .has_umask = p->has_umask,
	                                 .umask = p->umask,
	                                 .set_home = 1,
	                         } });
	return 0;
}

int compile_cwd(struct compile *c)
{
	const char *cwd = c->spec->process.cwd;
	plan_write(c->w, &(struct plan_step){ .kind = PLAN_CWD,
	                         .cwd = {
	                                 .path = cwd ? cwd : "/",
	                                 .create = c->ext->create_cwd,
	                         } });
	return 0;
}

int compile_no_new_privs(struct compile *c)
{
	if (c->spec->process.no_new_privileges)
		plan_write(c->w, &(struct plan_step){ .kind = PLAN_NO_NEW_PRIVS });
	return 0;
}

int compile_find(struct compile *c)
{
	const struct oci_process *p = &c->spec->process;
	plan_write(c->w, &(struct plan_step){ .kind = PLAN_FIND,
	                         .exec = {
	                                 .args = compile_list1(c, p->args[0]),
	                                 .env = p->env,
	                         } });
	return 0;
}

int compile_ready(struct compile *c)
{
	plan_write(c->w,
	        &(struct plan_step){ .kind = PLAN_READY, .ready = { .wait = c->wait_for_start } });
	return 0;
}

static bool same_variable(const char *a, const char *b)
{
	size_t n = strcspn(a, "=");
	return n == strcspn(b, "=") && memcmp(a, b, n) == 0;
}

const char *const *compile_last_of_each(struct arena *arena, const char *const *env)
{
	size_t n = 0, kept = 0;
	while (env && env[n])
		n++;
	const char **list = arena_new_n(arena, const char *, n + 1);
	for (size_t i = 0; i < n; i++) {
		size_t later = i + 1;
		while (later < n && !same_variable(env[i], env[later]))
			later++;
		if (later == n)
			list[kept++] = env[i];
	}
	list[kept] = NULL;
	return list;
}

int compile_exec(struct compile *c)
{
	const struct oci_process *p = &c->spec->process;
	plan_write(c->w,
	        &(struct plan_step){
	                .kind = PLAN_EXEC,
	                .exec = { .args = p->args, .env = compile_last_of_each(&c->arena, p->env) },
	        });
	return 0;
}
