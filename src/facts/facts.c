/* SPDX-License-Identifier: Apache-2.0 */
/* What the machine offers to the compiler: about a dozen system calls. */
#include "facts/facts.h"

#include "base/buf.h"
#include "base/str.h"
#include "cgroup/cgroup.h"
#include "kernel/sys.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* The inode number of the initial user namespace is part of the kernel's ABI. */
enum { CAP_LAST_LIMIT = 63 };
static const ino_t initial_user_namespace = 0xeffffffd;

static uint64_t last_cap(void)
{
	uint64_t last = CAP_CHECKPOINT_RESTORE;

	while (last > 0 && prctl(PR_CAPBSET_READ, last, 0, 0, 0) < 0)
		last--;
	while (last < CAP_LAST_LIMIT && prctl(PR_CAPBSET_READ, last + 1, 0, 0, 0) >= 0)
		last++;
	return last;
}

static int read_oom_score(int64_t *ret)
{
	_buf_done_ struct buf text = BUF_INIT(64);
	int r = buf_read_file(&text, AT_FDCWD, "/proc/self/oom_score_adj");
	char *end;

	if (r < 0)
		return r;
	end = strchr(text.data, '\n');
	if (end)
		*end = '\0';
	return num_parse_i64(buf_str(&text), ret);
}

static int probe_rights(struct facts *f, struct err *err)
{
	uint64_t effective, permitted, inheritable;
	int r = sys_capget(&effective, &permitted, &inheritable);
	struct stat st;
	bool initial;

	if (r < 0)
		return err_errno(err, r, "cannot read our own capabilities");
	initial = stat("/proc/self/ns/user", &st) < 0 || st.st_ino == initial_user_namespace;
	f->caps = permitted;
	f->euid = geteuid();
	f->egid = getegid();
	f->privileged = initial && f->euid == 0 && (effective >> CAP_SYS_ADMIN & 1);
	f->can_raise_rlimits = initial && (effective >> CAP_SYS_RESOURCE & 1);
	return 0;
}

static int probe_limits(struct facts *f, struct err *err)
{
	for (int i = 0; i < (int) RLIM_NLIMITS && i < (int) ARRAY_SIZE(f->rlimit_hard); i++) {
		struct rlimit limit;

		if (getrlimit((__rlimit_resource_t) i, &limit) < 0)
			return err_errno(err, -errno, "cannot read our own limits");
		f->rlimit_hard[i] = limit.rlim_max;
	}
	return 0;
}

/* The control groups' facts are static so that callers need not own them; a later probe replaces
 * them, and the process has one thread. */
static int probe_cgroups(struct facts *f, struct err *err)
{
	static struct cgroup_facts cgroup;
	int r;

	cgroup_facts_done(&cgroup);
	cgroup = (struct cgroup_facts){ 0 };
	r = cgroup_facts_probe(&cgroup, err);
	if (r < 0)
		return r;
	f->cgroup = &cgroup;
	return 0;
}

/* What needs a look into /proc, which makes the kernel build entries for this process. */
static int probe_proc(struct facts *f, bool score, bool time, bool memfd, struct err *err)
{
	int r = score ? read_oom_score(&f->oom_score_adj) : 0;

	if (r < 0)
		return err_errno(err, r, "cannot read our own OOM score");
	f->has_memfd_noexec = memfd &&
	                      faccessat(AT_FDCWD, "/proc/sys/vm/memfd_noexec", F_OK, 0) == 0;
	f->has_time_namespace = time && faccessat(AT_FDCWD, "/proc/self/ns/time", F_OK, 0) == 0;
	return 0;
}

static int probe_usual(struct facts *f, bool limits, struct err *err)
{
	int r = probe_rights(f, err);

	if (r == 0 && limits)
		r = probe_limits(f, err);
	if (r == 0)
		r = probe_cgroups(f, err);
	if (r < 0)
		return r;
	f->landlock_abi = MAX(sys_landlock_abi(), 0);
	f->last_cap = last_cap();
	return 0;
}

int facts_probe(struct facts *ret, struct err *err)
{
	struct facts f = { 0 };
	int r = probe_usual(&f, true, err);

	if (r == 0)
		r = probe_proc(&f, true, true, true, err);
	if (r == 0)
		*ret = f;
	return r;
}

int facts_probe_for(const struct oci_spec *spec, struct facts *ret, struct err *err)
{
	struct facts f = { 0 };
	bool time = false;
	int r = probe_usual(&f, spec->process.n_rlimits > 0, err);

	for (size_t i = 0; i < spec->linux_.n_namespaces; i++)
		time |= spec->linux_.namespaces[i].clone_flag == CLONE_NEWTIME;
	if (r == 0)
		r = probe_proc(&f, spec->process.has_oom_score_adj, time, false, err);
	if (r == 0)
		*ret = f;
	return r;
}
