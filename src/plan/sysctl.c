/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/plan.h"

#include "base/str.h"

#include <sched.h>

static const struct {
	const char *path; /* below /proc/sys; ends in '/': everything below */
	int namespace_flag;
} namespaced[] = {
	{ "fs/mqueue/", CLONE_NEWIPC },
	{ "kernel/domainname", CLONE_NEWUTS },
	{ "kernel/hostname", CLONE_NEWUTS },
	{ "kernel/msgmax", CLONE_NEWIPC },
	{ "kernel/msgmnb", CLONE_NEWIPC },
	{ "kernel/msgmni", CLONE_NEWIPC },
	{ "kernel/sem", CLONE_NEWIPC },
	{ "kernel/shm_rmid_forced", CLONE_NEWIPC },
	{ "kernel/shmall", CLONE_NEWIPC },
	{ "kernel/shmmax", CLONE_NEWIPC },
	{ "kernel/shmmni", CLONE_NEWIPC },
	{ "net/", CLONE_NEWNET },
	{ "user/", CLONE_NEWUSER },
};

int plan_sysctl_namespace(const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(namespaced); i++) {
		bool below = str_has_suffix(namespaced[i].path, "/");
		if (below ? str_has_prefix(path, namespaced[i].path)
		          : streq(path, namespaced[i].path))
			return namespaced[i].namespace_flag;
	}
	return 0;
}
