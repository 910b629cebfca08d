/* SPDX-License-Identifier: Apache-2.0 */
#include "caps/caps.h"

#include "kernel/sys.h"
#include "mountkit.h"

#include <linux/capability.h>

static struct err err;

static const uint64_t two = CAPS_BIT(CAP_CHOWN) | CAPS_BIT(CAP_KILL);

static void body_sets(void)
{
	const struct caps_sets want = { .bounding = two, .effective = two, .permitted = two };
	struct caps_sets now;
	uint64_t missing = 1;

	OK(caps_drop_bounding(want.bounding, &err));
	OK(caps_apply(&want, &missing, &err));
	OK(caps_read(&now, &err));
	CHECK(missing == 0);
	CHECK(now.bounding == two && now.effective == two && now.permitted == two);
	CHECK(now.inheritable == 0 && now.ambient == 0);
}
static void sets_are_exactly_what_was_asked(void **state)
{
	mountkit_run(body_sets);
}

static void body_inheritable(void)
{
	struct caps_sets now, want = { .effective = two, .permitted = two, .inheritable = two };
	uint64_t effective, permitted, inheritable;

	/* A caller with an inheritable set (a shell started by an old runtime) must not pass it on:
	 * CVE-2022-24769. */
	OK(caps_apply(&want, NULL, &err));
	CHECK(sys_capget(&effective, &permitted, &inheritable) == 0 && inheritable == two);
	want.inheritable = 0;
	OK(caps_apply(&want, NULL, &err));
	OK(caps_read(&now, &err));
	CHECK(now.inheritable == 0);
}
static void inheritable_is_empty_unless_asked(void **state)
{
	mountkit_run(body_inheritable);
}

static void body_user(void)
{
	const uint64_t kill = CAPS_BIT(CAP_KILL);
	const struct caps_sets want = { .bounding = two,
		.effective = two,
		.permitted = two,
		.inheritable = kill,
		.ambient = two }; /* chown is not inheritable: it cannot be ambient */
	struct caps_sets now;

	OK(caps_drop_bounding(two, &err));
	OK(caps_keep(true, &err));
	CHECK(sys_setresuid(1000, 1000, 1000) == 0);
	OK(caps_keep(false, &err));
	OK(caps_apply(&want, NULL, &err));
	OK(caps_read(&now, &err));
	CHECK(now.permitted == two && now.effective == two && now.inheritable == kill);
	CHECK(now.ambient == kill);
}
static void sets_survive_a_change_of_user(void **state)
{
	mountkit_run(body_user);
}

static void body_missing(void)
{
	struct caps_sets want = { .effective = two, .permitted = two }, now;
	uint64_t missing = 0;

	OK(caps_apply(&want, NULL, &err));
	want.permitted |= CAPS_BIT(CAP_SYS_ADMIN) | CAPS_BIT(63);
	want.effective = want.permitted;
	want.ambient = CAPS_BIT(CAP_SYS_ADMIN);
	OK(caps_apply(&want, &missing, &err));
	CHECK(missing == (CAPS_BIT(CAP_SYS_ADMIN) | CAPS_BIT(63)));
	OK(caps_read(&now, &err));
	CHECK(now.permitted == two && now.effective == two && now.ambient == 0);
	/* Without CAP_SETPCAP the bounding set cannot be narrowed: that must not pass silently. */
	REFUSED(EPERM, "bounding", caps_drop_bounding(0, &err));
}
static void what_is_not_held_is_left_out_and_told(void **state)
{
	mountkit_run(body_missing);
}

static void body_nothing(void)
{
	const struct caps_sets none = { 0 };
	struct caps_sets now;

	OK(caps_drop_bounding(0, &err));
	OK(caps_apply(&none, NULL, &err));
	OK(caps_read(&now, &err));
	CHECK(!now.bounding && !now.effective && !now.permitted && !now.inheritable &&
	        !now.ambient);
}
static void all_sets_can_be_empty(void **state)
{
	mountkit_run(body_nothing);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testkit_case(sets_are_exactly_what_was_asked),
		testkit_case(inheritable_is_empty_unless_asked),
		testkit_case(sets_survive_a_change_of_user),
		testkit_case(what_is_not_held_is_left_out_and_told),
		testkit_case(all_sets_can_be_empty),
	};

	return testkit_run(tests);
}
