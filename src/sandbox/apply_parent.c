/* SPDX-License-Identifier: Apache-2.0 */
/* What only the host may do to the child, while the child waits. */
#include "base/fd.h"
#include "base/str.h"
#include "kernel/sys.h"
#include "sandbox/apply.h"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <linux/sched.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { PIPEFS_TYPE = 0x50495045, MAP_TEXT_MAX = 4095 };

bool apply_is_pipe(int fd)
{
	struct stat st;
	struct statfs fs;

	return fd >= 0 && fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode) && fstatfs(fd, &fs) == 0 &&
	       fs.f_type == PIPEFS_TYPE;
}

int64_t apply_host_id(const struct plan *plan, bool gid, uint32_t id)
{
	const struct plan_step *s = NULL;

	while ((s = plan_next(plan, PLAN_IDMAP, s)))
		if ((s->idmap.gid != 0) == gid && id >= s->idmap.container_id &&
		        id - s->idmap.container_id < s->idmap.size)
			return (int64_t) s->idmap.host_id + (id - s->idmap.container_id);
	return -ERANGE;
}

/* The text of one map; the kernel takes it in one write of less than a page. */
static int map_text(const struct plan *plan, bool gid, struct buf *out, struct err *err)
{
	const struct plan_step *s = NULL;

	while ((s = plan_next(plan, PLAN_IDMAP, s)))
		if ((s->idmap.gid != 0) == gid)
			(void) buf_addf(out, "%u %u %u\n", s->idmap.container_id, s->idmap.host_id,
			        s->idmap.size);
	if (!buf_ok(out))
		return err_set(err, -EINVAL, "the %cid map has too many extents", gid ? 'g' : 'u');
	return 0;
}

static int write_map(const struct apply *a, int proc, bool gid, struct err *err)
{
	_buf_done_ struct buf text = BUF_INIT(MAP_TEXT_MAX);
	bool rootless = plan_find(a->plan, PLAN_CONTAINER)->container.rootless;
	int r = map_text(a->plan, gid, &text, err);

	if (r < 0 || text.len == 0)
		return r;
	/* Without privileges the kernel wants setgroups given up before a gid map (CVE-2014-8989).
	 */
	if (gid && rootless)
		(void) fd_write_file(proc, "setgroups", "deny");
	r = fd_write_file(proc, gid ? "gid_map" : "uid_map", buf_str(&text));
	if (r == -EPERM && rootless)
		return err_set(err, r,
		        "cannot map %cids: without privileges one container id can be mapped, to "
		        "your own (%u); ranges need root",
		        gid ? 'g' : 'u', gid ? (unsigned int) getegid() : (unsigned int) geteuid());
	return r < 0 ? err_errno(err, r, "cannot write the %cid map", gid ? 'g' : 'u') : 0;
}

/* Binds that ask for it show their files with the container's ids. */
static int idmap_binds(const struct apply *a, int proc, struct err *err)
{
	_close_ int userns = -EBADF;

	for (size_t i = 0; i < a->plan->n_steps; i++) {
		const struct plan_step *s = &a->plan->steps[i];
		int r;

		if (s->kind != PLAN_MOUNT || !s->mount.idmap || a->fds[i] < 0)
			continue;
		if (userns < 0)
			userns = openat(proc, "ns/user", O_RDONLY | O_CLOEXEC);
		if (userns < 0)
			return err_errno(err, -errno, "cannot open the container's user namespace");
		r = mount_set_idmap(a->fds[i], userns, s->mount.idmap > 1, s->mount.source, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* A limit that cannot be read is met again, and told, by raise_limits(). */
bool apply_raises_limits(const struct apply *a)
{
	const struct plan_step *s = NULL;
	struct rlimit now;

	while ((s = plan_next(a->plan, PLAN_RLIMIT, s)))
		if (getrlimit((__rlimit_resource_t) s->rlimit.resource, &now) < 0 ||
		        s->rlimit.hard > now.rlim_max)
			return true;
	return false;
}

/* Hard limits above our own need the host's CAP_SYS_RESOURCE; the child lowers them later. */
static int raise_limits(const struct apply *a, struct err *err)
{
	const struct plan_step *s = NULL;

	while ((s = plan_next(a->plan, PLAN_RLIMIT, s))) {
		struct rlimit now, want;

		if (getrlimit((__rlimit_resource_t) s->rlimit.resource, &now) < 0)
			return err_errno(err, -errno, "cannot read the limit %s", s->rlimit.name);
		if (s->rlimit.hard <= now.rlim_max)
			continue;
		want = (struct rlimit){ .rlim_cur = now.rlim_cur, .rlim_max = s->rlimit.hard };
		if (prlimit(a->pid, (__rlimit_resource_t) s->rlimit.resource, &want, NULL) < 0)
			return err_errno(err, -errno,
			        "cannot raise the limit %s to %llu (ours is %llu)", s->rlimit.name,
			        (unsigned long long) s->rlimit.hard,
			        (unsigned long long) now.rlim_max);
	}
	return 0;
}

static int set_oom_score(const struct apply *a, int proc, struct err *err)
{
	const struct plan_step *s = plan_find(a->plan, PLAN_OOM_SCORE);
	char text[32];
	int r;

	if (!s)
		return 0;
	(void) snprintf(text, sizeof(text), "%lld", (long long) s->oom_score.value);
	r = fd_write_file(proc, "oom_score_adj", text);
	if (r == -EACCES)
		return err_set(err, r,
		        "cannot lower the OOM score to %s: that needs CAP_SYS_RESOURCE", text);
	return r < 0 ? err_errno(err, r, "cannot set the OOM score to %s", text) : 0;
}

/* A pipe for stdio is given to the container's root, so that it can be opened again by
 * /dev/stderr; the child passes it on to the final user. Only anonymous pipes: a terminal, a
 * socket or a file belongs to somebody else. */
void apply_give_pipes(const struct sandbox_io *io, int64_t uid, int64_t gid)
{
	const int fds[] = { io->stdin_fd, io->stdout_fd, io->stderr_fd };

	for (size_t i = 0; i < ARRAY_SIZE(fds) && uid >= 0 && gid >= 0; i++)
		if (apply_is_pipe(fds[i]) && fchown(fds[i], (uid_t) uid, (gid_t) gid) < 0)
			continue; /* writing to it works all the same */
}

int apply_to_self(const struct apply *a, struct err *err)
{
	_close_ int host = -EBADF, proc = -EBADF;
	int r;

	if (plan_find(a->plan, PLAN_OOM_SCORE)) {
		r = mount_host_proc(&host, err);
		if (r < 0)
			return r;
		proc = openat(host, "self", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (proc < 0)
			return err_errno(err, -errno, "cannot look at our own process");
	}
	r = set_oom_score(a, proc, err);
	return r < 0 ? r : raise_limits(a, err);
}

/* /proc/PID of the child, checked to be in procfs; our child is not yet waited for, so the number
 * is still its own. */
static int open_proc_pid(const struct apply *a, struct err *err)
{
	_close_ int host = -EBADF;
	char name[16];
	int fd, r;

	r = mount_host_proc(&host, err);
	if (r < 0)
		return r;
	(void) snprintf(name, sizeof(name), "%d", (int) a->pid);
	fd = openat(host, name, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? err_errno(err, -errno, "cannot look at the container's process") : fd;
}

static int proc_steps(const struct apply *a, struct err *err)
{
	bool maps = a->new_namespaces & CLONE_NEWUSER;
	_close_ int proc = -EBADF;
	int r = 0;

	if (!maps && !plan_find(a->plan, PLAN_OOM_SCORE))
		return 0;
	proc = open_proc_pid(a, err);
	if (proc < 0)
		return proc;
	if (maps)
		r = write_map(a, proc, false, err);
	if (maps && r == 0)
		r = write_map(a, proc, true, err);
	if (maps && r == 0)
		r = idmap_binds(a, proc, err);
	if (r == 0)
		r = set_oom_score(a, proc, err);
	return r;
}

int apply_parent(struct apply *a, struct err *err)
{
	int r;

	if (!a->barrier)
		return 0;
	r = proc_steps(a, err);
	if (r == 0)
		r = raise_limits(a, err);
	if (r < 0)
		return r;
	if (a->new_namespaces & CLONE_NEWUSER)
		apply_give_pipes(
		        a->io, apply_host_id(a->plan, false, 0), apply_host_id(a->plan, true, 0));
	/* A child that is gone already has said why in its report. */
	(void) send(a->sync, "", 1, MSG_NOSIGNAL);
	return 0;
}
