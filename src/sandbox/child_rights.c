/* SPDX-License-Identifier: Apache-2.0 */
/* The child's steps that take rights away: user, capabilities, Landlock, limits, seccomp. */
#include "base/fd.h"
#include "base/str.h"
#include "caps/caps.h"
#include "kernel/sys.h"
#include "landlock/landlock.h"
#include "sandbox/child.h"
#include "userdb/userdb.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- Landlock --- */

int child_landlock(struct child *c, const struct plan_step *s)
{
	const struct plan_landlock *l = &s->landlock;

	return landlock_open(
	        l->handled_fs, l->handled_net, l->scoped, (int) l->abi, &c->ruleset, &c->err);
}

int child_landlock_rule(struct child *c, const struct plan_step *s)
{
	const struct plan_step *set = plan_find(c->a->plan, PLAN_LANDLOCK);
	unsigned int flags = s->landlock_rule.optional ? LANDLOCK_OPTIONAL : 0;

	/* The paths are the container's now: a link that it made must not widen the rule. */
	if (c->a->target >= 0)
		flags |= LANDLOCK_NO_LINKS;
	if (!set)
		return err_set(&c->err, -EINVAL, "the plan has a Landlock rule and no rule set");
	return landlock_add_path(c->ruleset, c->a->root, s->landlock_rule.path,
	        s->landlock_rule.access, set->landlock.handled_fs, flags, &c->err);
}

int child_landlock_enter(struct child *c, const struct plan_step *s)
{
	int r = landlock_enter(c->ruleset, &c->err);

	(void) s;
	c->ruleset = fd_close(c->ruleset);
	return r;
}

/* --- user --- */

static bool has_home(const char *const *env)
{
	for (; *env; env++)
		if (str_has_prefix(*env, "HOME=") && (*env)[strlen("HOME=")])
			return true;
	return false;
}

static const char *const *env_with_home(const char *const *env, const char *home)
{
	size_t n = strv_len((char *const *) (uintptr_t) env);
	const char **longer = xnew_n(const char *, n + 2);
	size_t k = 0;

	for (size_t i = 0; i < n; i++)
		if (!streq(env[i], "HOME="))
			longer[k++] = env[i];
	longer[k] = xprintf("HOME=%s", home);
	return longer;
}

/* Who the program runs as: the plan's numbers, or a name looked up in the image's files. */
static int find_user(struct child *c, const struct plan_user *u, struct userdb_user *ret)
{
	int r = 0;

	if (*u->lookup) {
		r = userdb_lookup(c->a->root, u->lookup, ret, &c->err);
		if (r < 0)
			return r;
	} else {
		ret->uid = u->uid;
		ret->gid = u->gid;
		if (u->set_home && !has_home(c->env))
			r = userdb_home(c->a->root, u->uid, ret->home, sizeof(ret->home), &c->err);
	}
	/* Groups of the plan come on top of those that the image gives. */
	for (size_t i = 0; u->groups[i] && r == 0; i++)
		r = userdb_add_group(c->a->root, u->groups[i], ret, &c->err);
	if (r == 0 && u->set_home && !has_home(c->env))
		c->env = env_with_home(c->env, ret->home);
	return r;
}

/* The sets of the plan, as they are for this user. */
static struct caps_sets caps_for(const struct plan_caps *p, uid_t uid)
{
	if (p->empty_unless_root && uid != 0)
		return (struct caps_sets){ 0 };
	return (struct caps_sets){
		.bounding = p->bounding,
		.effective = p->effective,
		.permitted = p->permitted,
		.inheritable = p->inheritable,
		.ambient = p->ambient,
	};
}

/* Groups cannot be changed in a user namespace that gave setgroups up; the plan knows. */
static int set_ids(struct child *c, const struct userdb_user *user)
{
	const struct plan_step *root = plan_find(c->a->plan, PLAN_BECOME_ROOT);
	bool can_setgroups = !root || root->become_root.setgroups;
	int r = 0;

	if (can_setgroups)
		r = sys_setgroups(user->n_groups, user->groups);
	else if (user->n_groups > 1 || (user->n_groups == 1 && user->groups[0] != user->gid))
		return err_set(&c->err, -EPERM,
		        "supplementary groups cannot be set without privileges on the host");
	if (r < 0)
		return err_errno(&c->err, r,
		        "cannot set the supplementary groups (are all of them mapped in the user "
		        "namespace?)");
	r = sys_setresgid(user->gid, user->gid, user->gid);
	if (r < 0)
		return err_errno(&c->err, r,
		        "cannot change to group %u (is it mapped in the user namespace?)",
		        user->gid);
	r = sys_setresuid(user->uid, user->uid, user->uid);
	if (r < 0)
		return err_errno(&c->err, r,
		        "cannot change to user %u (is it mapped in the user namespace?)",
		        user->uid);
	return 0;
}

/* A first try with root's rights, as runc does: a folder that root may enter is entered even if the
 * user could not. What fails for want of rights is tried again as the user (root_squash). */
static int enter_cwd_as_root(struct child *c)
{
	const struct plan_step *cwd = plan_find(c->a->plan, PLAN_CWD);
	int r;

	if (!cwd)
		return 0;
	r = mount_enter_cwd(cwd->cwd.path, cwd->cwd.create, &c->err);
	c->has_cwd = r == 0;
	return r == -EACCES || r == -EPERM ? 0 : r;
}

int child_prepare_user(struct child *c, const struct plan_user *u)
{
	const struct plan_step *caps = plan_find(c->a->plan, PLAN_CAPS);
	const struct plan_step *exec = plan_find(c->a->plan, PLAN_EXEC);
	static const char *const no_env[] = { NULL };
	int r;

	if (c->user)
		return 0;
	c->user = xnew(struct userdb_user);
	c->env = exec ? exec->exec.env : no_env;
	r = find_user(c, u, c->user);
	if (r == 0)
		r = enter_cwd_as_root(c);
	if (r == 0)
		r = child_take_stdio(c, c->user->uid);
	if (r < 0)
		return r;
	(void) umask(u->has_umask ? u->umask : 022);
	/* The bounding set needs CAP_SETPCAP, which the change of uid takes. */
	c->has_bounding = true;
	if (!caps)
		return 0;
	return caps_drop_bounding(caps_for(&caps->caps, c->user->uid).bounding, &c->err);
}

int child_user(struct child *c, const struct plan_step *s)
{
	int r = child_prepare_user(c, &s->user);

	if (r == 0)
		r = caps_keep(true, &c->err);
	if (r == 0)
		r = set_ids(c, c->user);
	if (r == 0)
		r = caps_keep(false, &c->err);
	/* A change of ids clears it. The report that follows fails when the parent died between. */
	if (r == 0 && c->a->io->die_with_parent)
		(void) prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* And sets this to what fs.suid_dumpable says, which may be 1. */
	(void) prctl(PR_SET_DUMPABLE, 0);
	return r;
}

int child_caps(struct child *c, const struct plan_step *s)
{
	const struct caps_sets sets = caps_for(&s->caps, getuid());
	uint64_t missing = 0;
	int r = 0;

	if (!c->has_bounding)
		r = caps_drop_bounding(sets.bounding, &c->err);
	if (r == 0)
		r = caps_apply(&sets, &missing, &c->err);
	(void) prctl(PR_SET_DUMPABLE, 0);
	if (r < 0 || missing == 0)
		return r;
	_buf_done_ struct buf names = BUF_INIT(4096);
	(void) caps_format(missing, " ", &names);
	return err_set(&c->err, -EPERM,
	        "cannot give the capabilities %s: the runtime itself does not have them",
	        buf_str(&names));
}

int child_cwd(struct child *c, const struct plan_step *s)
{
	if (c->has_cwd)
		return 0;
	return mount_enter_cwd(s->cwd.path, false, &c->err);
}

int child_no_new_privs(struct child *c, const struct plan_step *s)
{
	(void) s;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_errno(&c->err, -errno, "cannot set no_new_privs");
	return 0;
}

int child_rlimit(struct child *c, const struct plan_step *s)
{
	const struct rlimit limit = { .rlim_cur = s->rlimit.soft, .rlim_max = s->rlimit.hard };

	if (setrlimit((__rlimit_resource_t) s->rlimit.resource, &limit) < 0)
		return err_errno(&c->err, -errno, "cannot set the limit %s", s->rlimit.name);
	return 0;
}

int child_seccomp(struct child *c, const struct plan_step *s)
{
	const struct sock_fprog prog = {
		.len = (unsigned short) (s->seccomp.filter_size / sizeof(struct sock_filter)),
		.filter = (struct sock_filter *) (uintptr_t) s->seccomp.filter,
	};
	int r;

	if (s->seccomp.filter_size == 0 || s->seccomp.filter_size % sizeof(struct sock_filter) ||
	        s->seccomp.filter_size / sizeof(struct sock_filter) > BPF_MAXINSNS)
		return err_set(
		        &c->err, -EINVAL, "the seccomp filter has a size that cannot be right");
	if (s->seccomp.flags & SECCOMP_FILTER_FLAG_NEW_LISTENER)
		return err_set(&c->err, -EINVAL, "nobody would serve a seccomp listener");
	r = sys_seccomp_filter(s->seccomp.flags, &prog);
	return r < 0 ? err_errno(&c->err, r, "cannot load the seccomp filter") : 0;
}

int child_seccomp_early(struct child *c, const struct plan_step *s)
{
	const struct plan_step *user = plan_find(c->a->plan, PLAN_USER);
	int r = user ? child_prepare_user(c, &user->user) : 0;

	return r < 0 ? r : child_seccomp(c, s);
}
