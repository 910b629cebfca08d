/* SPDX-License-Identifier: Apache-2.0 */
/* The plan of one more process, from the plan of its container. */
#include "testkit.h"

#include "base/buf.h"
#include "base/str.h"
#include "caps/caps.h"
#include "cgroup/cgroup.h"
#include "compile/internal.h"
#include "landlock/landlock.h"

#include <fcntl.h>
#include <sched.h>

#define LIST(...) ((const char *const[]){ __VA_ARGS__, NULL })

static const struct cgroup_facts cgroup = {
	.mode = CGROUP_HYBRID,
	.n_v1 = 4,
	.v1 = { { "cpu,cpuacct", "cpu,cpuacct", "/user" }, { "cpuset", "cpuset", "/" },
	        { "memory", "memory", "/user" }, { "pids", "pids", "/user" } },
	.v2_controllers = "",
	.v2_own = "/",
	.swap_accounting = true,
};

/* What the engine asks for, in short. */
static struct plan *container_plan(struct plan_writer *w, const char *config, bool landlock)
{
	static const struct compile_landlock_rule rules[] = {
		{ .path = "/", .access = LL_FS_EXECUTE | LL_FS_READ_FILE },
		{ .path = "/tmp", .access = UINT64_MAX },
	};
	static const struct oci_kv late[] = { { "user/max_user_namespaces", "0" } };
	const struct facts facts = {
		.cgroup = &cgroup,
		.landlock_abi = 7,
		.privileged = true,
		.can_raise_rlimits = true,
		.last_cap = 40,
		.caps = CAPS_ALL,
		.has_time_namespace = true,
	};
	const struct compile_ext ext = {
		.user = "www-data",
		.landlock = landlock,
		.landlock_rules = rules,
		.n_landlock_rules = ARRAY_SIZE(rules),
		.late_sysctl = late,
		.n_late_sysctl = 1,
		.caps_empty_unless_root = true,
		.create_cwd = true,
		.bundle_dir = "/bundle",
		.seccomp_filter = "\x06\0\0\0\0\0\xff\x7f",
		.seccomp_filter_size = 8,
	};
	_free_ char *path = xprintf("%s/tests/data/configs/%s", testkit_source_dir(), config);
	_buf_done_ struct buf json = BUF_INIT(OCI_CONFIG_MAX);
	_cleanup_(oci_spec_freep) struct oci_spec *spec = NULL;
	struct plan *plan = NULL;
	struct err err = { 0 };

	plan_writer_init(w);
	assert_int_equal(buf_read_file(&json, AT_FDCWD, path), 0);
	if (oci_spec_parse(buf_str(&json), json.len, &spec, &err) < 0 ||
	        compile_plan("box", spec, &ext, &facts, true, w, NULL, &err) < 0 ||
	        plan_decode(w->bytes.data, w->bytes.len, &plan, &err) < 0)
		fail_msg("%s", err.text);
	return plan;
}

/* One compilation of each kind. */
struct work {
	struct plan_writer from, to;
	struct plan *container, *exec;
	struct err err;
	int r;
};

static void work_done(struct work *w)
{
	plan_free(w->container);
	plan_free(w->exec);
	plan_writer_done(&w->from);
	plan_writer_done(&w->to);
}

static void compile(struct work *w, const char *config, bool landlock, const struct compile_exec *x)
{
	*w = (struct work){ .r = 0 };
	w->container = container_plan(&w->from, config, landlock);
	plan_writer_init(&w->to);
	w->r = compile_exec_plan(w->container, x, &w->to, &w->err);
	if (w->r == 0 && plan_decode(w->to.bytes.data, w->to.bytes.len, &w->exec, &w->err) < 0)
		fail_msg("the plan does not decode: %s", w->err.text);
}

static const struct compile_exec simple = {
	.args = (const char *const[]){ "id", "-u", NULL },
	.env = (const char *const[]){ "PATH=/bin", "A=1", "A=2", NULL },
};

static void golden_exec(void **state _unused_)
{
	_buf_done_ struct buf text = BUF_INIT(1 << 20);
	struct compile_exec x = simple;
	struct work w;

	x.user = "0:0";
	x.cwd = "/srv";
	x.has_terminal = true;
	x.rows = 24;
	x.cols = 80;
	compile(&w, "userns.json", true, &x);
	if (w.r < 0)
		fail_msg("%s", w.err.text);
	plan_print(w.exec, false, &text);
	assert_golden("plan-exec.txt", buf_str(&text));
	work_done(&w);
}

static void what_is_not_asked_for_is_the_containers(void **state _unused_)
{
	struct work w;

	compile(&w, "userns.json", false, &simple);
	assert_int_equal(w.r, 0);
	const struct plan_user *user = &plan_find(w.exec, PLAN_USER)->user;
	assert_string_equal(user->lookup, "www-data");
	assert_string_equal(
	        plan_find(w.exec, PLAN_CWD)->cwd.path, plan_find(w.container, PLAN_CWD)->cwd.path);
	assert_int_equal(plan_find(w.exec, PLAN_CWD)->cwd.create, 0);
	assert_null(plan_find(w.exec, PLAN_TERMINAL));
	assert_int_equal(plan_find(w.exec, PLAN_READY)->ready.wait, 0);
	work_done(&w);
}

static void environment_is_the_requests(void **state _unused_)
{
	const struct plan empty = { 0 };
	struct work w;

	compile(&w, "docker.json", false, &simple);
	const char *const *env = plan_exec_env(w.exec);
	assert_string_equal(env[0], "PATH=/bin");
	assert_string_equal(env[1], "A=2");
	assert_null(env[2]);
	assert_string_equal(
	        plan_exec_env(w.container)[0], plan_find(w.container, PLAN_EXEC)->exec.env[0]);
	assert_null(plan_exec_env(&empty)[0]);
	work_done(&w);
}

static bool same_steps(const struct work *w, enum plan_kind kind)
{
	const struct plan_step *a = plan_find(w->container, kind);
	const struct plan_step *b = plan_find(w->exec, kind);

	while (a && b) {
		struct plan_writer x, y;
		bool same;

		plan_writer_init(&x);
		plan_writer_init(&y);
		plan_write(&x, a);
		plan_write(&y, b);
		same = x.bytes.len == y.bytes.len &&
		       memcmp(x.bytes.data, y.bytes.data, x.bytes.len) == 0;
		plan_writer_done(&x);
		plan_writer_done(&y);
		if (!same)
			return false;
		a = plan_next(w->container, kind, a);
		b = plan_next(w->exec, kind, b);
	}
	return !a && !b;
}

static void whatever_restricts_is_copied(void **state _unused_)
{
	static const enum plan_kind kinds[] = { PLAN_CONTAINER, PLAN_CGROUP, PLAN_RLIMIT,
		PLAN_OOM_SCORE, PLAN_BECOME_ROOT, PLAN_KEYRING, PLAN_LANDLOCK, PLAN_SECCOMP,
		PLAN_SECCOMP_EARLY, PLAN_CAPS, PLAN_NO_NEW_PRIVS, PLAN_LANDLOCK_ENTER };
	struct work w;

	for (int landlock = 0; landlock < 2; landlock++) {
		compile(&w, landlock ? "userns.json" : "docker.json", landlock, &simple);
		assert_int_equal(w.r, 0);
		for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
			if (!same_steps(&w, kinds[i]))
				fail_msg("'%s' is not the container's", plan_kind_name(kinds[i]));
		work_done(&w);
	}
}

static void whatever_changes_the_container_is_left_out(void **state _unused_)
{
	static const enum plan_kind kinds[] = { PLAN_ROOT, PLAN_ROOT_OVERLAY, PLAN_CGROUP_SET,
		PLAN_CGROUP_DEVICE, PLAN_NAMESPACE, PLAN_TIME_OFFSET, PLAN_IDMAP, PLAN_EARLY_SYSCTL,
		PLAN_UTS, PLAN_SYSCTL, PLAN_LOOPBACK, PLAN_MOUNT_NAMESPACE, PLAN_MOUNT, PLAN_DEVICE,
		PLAN_DEV_LINKS, PLAN_READONLY, PLAN_PROC_ALLOW, PLAN_MASK, PLAN_PIVOT,
		PLAN_ROOT_ATTR, PLAN_LATE_SYSCTL };
	struct work w;

	compile(&w, "userns.json", true, &simple);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		assert_null(plan_find(w.exec, kinds[i]));
	for (const struct plan_step *s = NULL; (s = plan_next(w.exec, PLAN_LANDLOCK_RULE, s));)
		assert_int_equal(s->landlock_rule.optional, 1);
	assert_int_equal(plan_find(w.exec, PLAN_CGROUP_JOIN)->cgroup_join.new_namespace, 0);
	work_done(&w);
}

/* Without privileges only what is the container's own can be joined. */
static void namespaces_are_the_inits(void **state _unused_)
{
	static const uint32_t basic = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC |
	                              CLONE_NEWUTS | CLONE_NEWCGROUP;

	for (uint32_t rootless = 0; rootless < 2; rootless++) {
		struct plan_writer from, to;
		struct plan *container = NULL, *exec = NULL;

		plan_writer_init(&from);
		plan_writer_init(&to);
		plan_write(&from, &(struct plan_step){ .kind = PLAN_CONTAINER,
		                          .container = { .rootless = rootless } });
		plan_write(&from, &(struct plan_step){
		                          .kind = PLAN_NAMESPACE, .ns = { .flag = CLONE_NEWNS } });
		plan_write(&from, &(struct plan_step){ .kind = PLAN_NAMESPACE,
		                          .ns = { .flag = CLONE_NEWUSER, .path = "/x" } });
		plan_write(&from,
		        &(struct plan_step){ .kind = PLAN_IDMAP,
		                .idmap = { .container_id = 0, .host_id = 7000, .size = 10 } });
		plan_write(&from, &(struct plan_step){ .kind = PLAN_USER });
		plan_write(&from, &(struct plan_step){ .kind = PLAN_CAPS });
		assert_int_equal(plan_writer_finish(&from, NULL), 0);
		assert_int_equal(plan_decode(from.bytes.data, from.bytes.len, &container, NULL), 0);
		assert_int_equal(compile_exec_plan(container, &simple, &to, NULL), 0);
		assert_int_equal(plan_decode(to.bytes.data, to.bytes.len, &exec, NULL), 0);
		const struct plan_enter *enter = &plan_find(exec, PLAN_ENTER)->enter;
		assert_int_equal(
		        enter->namespaces, (rootless ? CLONE_NEWNS : basic) | CLONE_NEWUSER);
		assert_int_equal(enter->host_uid, 7000);
		assert_int_equal(enter->host_gid, 0);
		plan_free(container);
		plan_free(exec);
		plan_writer_done(&from);
		plan_writer_done(&to);
	}
}

static void requests_that_mean_nothing_are_refused(void **state _unused_)
{
	const struct {
		struct compile_exec x;
		const char *part;
	} cases[] = {
		{ { 0 }, "no program" },
		{ { .args = (const char *const[]){ NULL } }, "no program" },
		{ { .args = (const char *const[]){ "", NULL } }, "no program" },
		{ { .args = (const char *const[]){ "a", NULL }, .cwd = "b\x1b" },
		        "the working folder 'b\\x1b' is relative" },
		{ { .args = (const char *const[]){ "a", NULL }, .privileged = true },
		        "more rights than its container" },
		{ { .args = (const char *const[]){ "a", NULL },
		          .has_terminal = true,
		          .rows = 65536 },
		        "65536 rows" },
	};
	struct plan_writer to;
	struct err err = { 0 };
	struct work w;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		compile(&w, "userns.json", false, &cases[i].x);
		assert_true(w.r < 0);
		assert_contains(w.err.text, cases[i].part);
		work_done(&w);
	}
	/* The plan of a process is not the plan of a container. */
	compile(&w, "userns.json", false, &simple);
	plan_writer_init(&to);
	assert_int_equal(compile_exec_plan(w.exec, &simple, &to, &err), -EINVAL);
	assert_contains(err.text, "not the plan of a container");
	plan_writer_done(&to);
	work_done(&w);
}

static void every_kind_is_decided(void **state _unused_)
{
	for (unsigned int kind = 1; kind < PLAN_KIND_COUNT; kind++)
		if (!compile_exec_decides((enum plan_kind) kind))
			fail_msg("'%s' is neither copied nor left out",
			        plan_kind_name((enum plan_kind) kind));
	assert_false(compile_exec_decides((enum plan_kind) 0));
	assert_false(compile_exec_decides(PLAN_KIND_COUNT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testkit_case(golden_exec),
		testkit_case(what_is_not_asked_for_is_the_containers),
		testkit_case(environment_is_the_requests),
		testkit_case(whatever_restricts_is_copied),
		testkit_case(whatever_changes_the_container_is_left_out),
		testkit_case(namespaces_are_the_inits),
		testkit_case(requests_that_mean_nothing_are_refused),
		testkit_case(every_kind_is_decided),
	};
	return testkit_run(tests);
}
