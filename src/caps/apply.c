/* SPDX-License-Identifier: Apache-2.0 */
#include "caps/caps.h"

#include "base/err.h"
#include "kernel/sys.h"

#include <errno.h>
#include <sys/prctl.h>

/* Capability numbers fit into the 64 bits of a set. */
enum { CAP_NUMBERS = 64 };

/* 1: in the bounding set, 0: not, -1: the kernel has no such capability. */
static int bounding_has(int cap)
{
	return prctl(PR_CAPBSET_READ, (unsigned long) cap, 0UL, 0UL, 0UL);
}

/* Asks only when a drop is refused: dropping what is gone already costs nothing, and a look before
 * each drop would double the system calls of every start. */
int caps_drop_bounding(uint64_t keep, struct err *err)
{
	for (int cap = 0; cap < CAP_NUMBERS; cap++) {
		int code;

		if (keep & CAPS_BIT(cap))
			continue;
		if (prctl(PR_CAPBSET_DROP, (unsigned long) cap, 0UL, 0UL, 0UL) == 0)
			continue;
		code = -errno;
		if (code == -EINVAL || bounding_has(cap) < 0)
			break; /* the kernel has no more of them */
		if (bounding_has(cap))
			return err_errno(err, code,
			        "cannot drop capability %d (%s) from the bounding set", cap,
			        caps_name(cap) ? caps_name(cap) : "unknown");
	}
	return 0;
}

int caps_keep(bool keep, struct err *err)
{
	if (prctl(PR_SET_KEEPCAPS, keep ? 1UL : 0UL, 0UL, 0UL, 0UL) < 0)
		return err_errno(err, -errno,
		        "cannot ask the kernel to keep capabilities over a change of user");
	return 0;
}

static int raise_ambient(uint64_t set, struct err *err)
{
	for (int cap = 0; cap < CAP_NUMBERS; cap++) {
		if (!(set & CAPS_BIT(cap)))
			continue;
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, (unsigned long) cap, 0UL, 0UL) < 0)
			return err_errno(err, -errno,
			        "cannot raise capability %d (%s) in the ambient set", cap,
			        caps_name(cap) ? caps_name(cap) : "unknown");
	}
	return 0;
}

int caps_apply(const struct caps_sets *want, uint64_t *ret_missing, struct err *err)
{
	uint64_t effective, permitted, inheritable, held_effective, held_inheritable, held;
	uint64_t asked = want->effective | want->permitted | want->inheritable | want->ambient;
	int r = sys_capget(&held_effective, &held, &held_inheritable);

	if (r < 0)
		return err_errno(err, r, "cannot read the capabilities of this process");
	permitted = want->permitted & held;
	effective = want->effective & permitted;
	/* Without CAP_SETPCAP the kernel takes only what is permitted or already inheritable. */
	inheritable = want->inheritable & held;

	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0UL, 0UL, 0UL) < 0)
		return err_errno(err, -errno, "cannot clear the ambient capabilities");
	r = sys_capset(effective, permitted, inheritable);
	if (r < 0)
		return err_errno(err, r, "cannot set the capabilities of the container's process");
	r = raise_ambient(want->ambient & permitted & inheritable, err);
	if (r < 0)
		return r;
	if (ret_missing)
		*ret_missing = asked & ~held;
	return 0;
}

int caps_read(struct caps_sets *ret, struct err *err)
{
	struct caps_sets now = { 0 };
	int r = sys_capget(&now.effective, &now.permitted, &now.inheritable);

	if (r < 0)
		return err_errno(err, r, "cannot read the capabilities of this process");
	for (int cap = 0; cap < CAP_NUMBERS; cap++) {
		int has = bounding_has(cap);

		if (has < 0)
			break;
		if (has)
			now.bounding |= CAPS_BIT(cap);
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, (unsigned long) cap, 0UL, 0UL) ==
		        1)
			now.ambient |= CAPS_BIT(cap);
	}
	*ret = now;
	return 0;
}
