/* SPDX-License-Identifier: Apache-2.0 */
/* The child's steps that need no file system: groups, ids, keys, names, sysctls, loopback. */
#include "base/fd.h"
#include "kernel/sys.h"
#include "sandbox/child.h"

#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

int child_cgroup_join(struct child *c, const struct plan_step *s)
{
	int r = cgroup_join_self(&c->a->cgroup);

	if (r < 0)
		return err_errno(&c->err, r, "cannot join the container's control groups");
	if (s->cgroup_join.new_namespace && unshare(CLONE_NEWCGROUP) < 0)
		return err_errno(&c->err, -errno, "cannot make a cgroup namespace");
	return 0;
}

int child_sysctl(struct child *c, const struct plan_step *s)
{
	int r = mount_write_sysctl(c->proc, s->sysctl.path, s->sysctl.value, &c->err);

	return r == -ENOENT && s->sysctl.optional ? 0 : r;
}

int child_become_root(struct child *c, const struct plan_step *s)
{
	int r = 0;

	if (s->become_root.setgroups)
		r = sys_setgroups(0, NULL);
	if (r == 0)
		r = sys_setresgid(0, 0, 0);
	if (r == 0)
		r = sys_setresuid(0, 0, 0);
	return r < 0 ? err_errno(&c->err, r, "cannot become root of the user namespace") : 0;
}

int child_keyring(struct child *c, const struct plan_step *s)
{
	int r = sys_keyctl_join_session(*s->keyring.name ? s->keyring.name : NULL);

	/* A kernel without keys has none to protect. */
	if (r >= 0 || r == -ENOSYS)
		return 0;
	if (r == -EDQUOT)
		return err_set(&c->err, r,
		        "cannot make a session keyring: the quota for keys is used up (see "
		        "kernel.keys.maxkeys, or use --no-new-keyring)");
	return err_errno(&c->err, r, "cannot make a session keyring");
}

int child_uts(struct child *c, const struct plan_step *s)
{
	const char *host = s->uts.hostname, *domain = s->uts.domainname;

	if (*host && sethostname(host, strlen(host)) < 0)
		return err_errno(&c->err, -errno, "cannot set the host name");
	if (*domain && setdomainname(domain, strlen(domain)) < 0)
		return err_errno(&c->err, -errno, "cannot set the domain name");
	return 0;
}

int child_loopback(struct child *c, const struct plan_step *s)
{
	_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq req = { .ifr_name = "lo" };

	(void) s;
	if (fd < 0)
		return err_errno(&c->err, -errno, "cannot make a socket for the loopback device");
	req.ifr_flags = IFF_UP | IFF_LOOPBACK | IFF_RUNNING;
	if (ioctl(fd, SIOCSIFFLAGS, &req) < 0)
		return err_errno(&c->err, -errno, "cannot bring the loopback device up");
	return 0;
}
