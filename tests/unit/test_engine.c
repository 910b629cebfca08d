/* SPDX-License-Identifier: Apache-2.0 */
#include "testkit.h"
#include "compile/compile.h"

#include "base/fd.h"
#include "base/str.h"
#include "cgroup/cgroup.h"
#include "engine/containers.h"
#include "engine/locks.h"
#include "engine/names.h"
#include "engine/request.h"
#include "engine/security.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define TEXTS(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define ARGS(...)  ((char *const *) (uintptr_t) TEXTS(__VA_ARGS__))

static const struct cgroup_facts cgroups = {
	.mode = CGROUP_V2,
	.v2_controllers = "cpuset cpu io memory pids",
	.v2_own = "/",
	.swap_accounting = true,
};

static const struct facts facts = {
	.cgroup = &cgroups,
	.landlock_abi = 7,
	.privileged = true,
	.can_raise_rlimits = true,
	.last_cap = 40,
	.caps = UINT64_MAX,
	.has_memfd_noexec = true,
	.has_time_namespace = true,
};

/* Everything that request_build wants, with one thing to change in each test. */
struct fixture {
	struct oci_image *image;
	struct store_image stored;
	struct container container;
	struct profile_host host;
	struct request_place place;
	struct engine_request request;
	struct oci_spec *spec;
	struct compile_ext ext;
};

static const char *const serve[] = { "serve", "--all", NULL };

static void fixture_init(struct fixture *f)
{
	static char upper[] = "layers/aa", lower[] = "layers/bb";
	static char *layers[] = { upper, lower, NULL };

	*f = (struct fixture){
		.image = oci_image_new(),
		.stored = { .layers = layers },
		.container = { .id = "0123456789abcdef",
		        .host_id = PROFILE_IDS_FIRST,
		        .lock = -EBADF },
		.host = { .memory = UINT64_C(8) << 30,
		        .cpus = 4,
		        .boottime = 100,
		        .monotonic = 90,
		        .facts = &facts },
		.request = { .image = "x" },
		.spec = oci_spec_new(),
	};
	f->container.cgroup = xstrdup("/bulkhead/0123456789abcdef");
	f->container.upper = xstrdup("rw/0123456789abcdef/upper");
	f->container.work = xstrdup("rw/0123456789abcdef/work");
	f->place = (struct request_place){ &f->stored, &f->container, "/store/fs", &f->host };
	f->image->cmd = serve;
}

static void fixture_done(struct fixture *f)
{
	container_done(&f->container);
	oci_image_free(f->image);
	oci_spec_free(f->spec);
}

static int build(struct fixture *f, struct err *err)
{
	return request_build(&f->request, f->image, &f->place, f->spec, &f->ext, err);
}

static bool has(const char *const *v, const char *text)
{
	for (; v && *v; v++)
		if (streq(*v, text))
			return true;
	return false;
}

static void names_follow_dockers_rule(void **state)
{
	static const char *const bad[] = { "", ".", "..", "a/b", "-a", "_a", ".a", "a b", "a\n",
		"\xc3\xa4" };
	char *longest = xcalloc(1, CONTAINER_NAME_MAX + 2);

	assert_true(container_name_is_valid("web-1.a_b"));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(container_name_is_valid(bad[i]));
	memset(longest, 'a', CONTAINER_NAME_MAX);
	assert_true(container_name_is_valid(longest));
	longest[CONTAINER_NAME_MAX] = 'a';
	assert_false(container_name_is_valid(longest));
	free(longest);
	for (int i = 0; i < 50; i++) {
		_free_ char *name = name_made_up();

		assert_true(container_name_is_valid(name));
	}
}

static void entry_point_and_command_combine_as_dockers(void **state)
{
	struct fixture f;
	struct err err;

	fixture_init(&f);
	f.image->entrypoint = TEXTS("/entry", "-x");
	assert_int_equal(build(&f, &err), 0);
	assert_string_equal(f.spec->process.args[0], "/entry");
	assert_string_equal(f.spec->process.args[2], "serve");
	f.request.args = ARGS("mine");
	assert_int_equal(build(&f, &err), 0);
	assert_string_equal(f.spec->process.args[2], "mine");
	assert_null(f.spec->process.args[3]);
	f.request.args = NULL;
	f.request.has_entrypoint = true;
	f.request.entrypoint = "sh";
	assert_int_equal(build(&f, &err), 0);
	assert_string_equal(f.spec->process.args[0], "sh");
	assert_null(f.spec->process.args[1]);
	f.request.entrypoint = "";
	assert_int_equal(build(&f, &err), -EINVAL);
	assert_contains(err.text, "no command");
	fixture_done(&f);
}

static void environment_has_four_sources_in_order(void **state)
{
	struct fixture f;
	struct err err;

	fixture_init(&f);
	f.image->env = TEXTS("A=image", "PATH=/image");
	f.request.env = ARGS("A=user", "B=x=y", "FROM_US", "NOT_SET_ANYWHERE", "EMPTY=");
	assert_int_equal(setenv("FROM_US", "1", 1), 0);
	assert_int_equal(build(&f, &err), 0);
	assert_true(has(f.spec->process.env, "A=user"));
	assert_false(has(f.spec->process.env, "A=image"));
	assert_true(has(f.spec->process.env, "PATH=/image"));
	assert_true(has(f.spec->process.env, "B=x=y"));
	assert_true(has(f.spec->process.env, "FROM_US=1"));
	assert_true(has(f.spec->process.env, "EMPTY="));
	assert_true(has(f.spec->process.env, "HOSTNAME=0123456789ab"));
	f.request.env = ARGS("=x");
	assert_int_equal(build(&f, &err), -EINVAL);
	fixture_done(&f);
}

static void limits_are_on_without_being_asked(void **state)
{
	struct fixture f;
	struct err err;

	fixture_init(&f);
	assert_int_equal(build(&f, &err), 0);
	assert_true(f.spec->linux_.resources.memory_limit.value == INT64_C(4) << 30);
	assert_true(f.spec->linux_.resources.memory_swap.value == INT64_C(4) << 30);
	assert_int_equal(f.spec->linux_.resources.pids_limit.value, 512);
	assert_int_equal(f.spec->linux_.resources.cpu_quota.value, 300000);
	f.host.memory = UINT64_C(600) << 20;
	f.host.cpus = 1;
	assert_int_equal(build(&f, &err), 0);
	assert_true(f.spec->linux_.resources.memory_limit.value == INT64_C(512) << 20);
	assert_int_equal(f.spec->linux_.resources.cpu_quota.value, 100000);
	f.request.memory = 1024;
	assert_true(build(&f, &err) < 0);
	f.request.memory = 0;
	f.request.nano_cpus = UINT64_C(1500000000);
	assert_int_equal(build(&f, &err), -ERANGE);
	assert_contains(err.text, "this machine has 1");
	fixture_done(&f);
}

static void rlimits_are_cut_silently_to_what_we_have(void **state)
{
	struct facts poor = facts;
	struct fixture f;
	struct err err;

	poor.can_raise_rlimits = false;
	for (size_t i = 0; i < ARRAY_SIZE(poor.rlimit_hard); i++)
		poor.rlimit_hard[i] = 1000;
	fixture_init(&f);
	f.host.facts = &poor;
	assert_int_equal(build(&f, &err), 0);
	for (size_t i = 0; i < f.spec->process.n_rlimits; i++) {
		assert_true(f.spec->process.rlimits[i].hard <= 1000);
		assert_true(f.spec->process.rlimits[i].soft <= f.spec->process.rlimits[i].hard);
		/* Exactly 1: 0 would let the kernel start a core_pattern helper. */
		if (f.spec->process.rlimits[i].resource == RLIMIT_CORE)
			assert_int_equal(f.spec->process.rlimits[i].hard, 1);
	}
	fixture_done(&f);
}

static void bad_requests_are_refused_with_the_word(void **state)
{
	struct fixture f;
	struct err err;

	fixture_init(&f);
	f.request.workdir = "relative/path";
	assert_int_equal(build(&f, &err), -EINVAL);
	assert_contains(err.text, "relative/path");
	f.request.workdir = NULL;
	f.request.hostname = "";
	assert_int_equal(build(&f, &err), -EINVAL);
	assert_contains(err.text, "host name");
	fixture_done(&f);
}

/* The plan of the default profile, as it is executed: a change of it must be seen in a review. */
static void default_plan_is_golden(void **state)
{
	_cleanup_(plan_writer_done) struct plan_writer w = { 0 };
	_cleanup_(compile_notes_done) struct compile_notes notes = { 0 };
	_cleanup_(plan_freep) struct plan *plan = NULL;
	_buf_done_ struct buf text = BUF_INIT(1 << 20), table = BUF_INIT(1 << 16);
	struct fixture f;
	struct err err;

	fixture_init(&f);
	assert_int_equal(build(&f, &err), 0);
	plan_writer_init(&w);
	if (compile_plan(f.container.id, f.spec, &f.ext, &facts, false, &w, &notes, &err) < 0 ||
	        plan_writer_finish(&w, &err) < 0 ||
	        plan_decode(w.bytes.data, w.bytes.len, &plan, &err) < 0)
		fail_msg("%s", err.text);
	plan_print(plan, false, &text);
	assert_golden("plan-engine-default.txt", buf_str(&text));
	security_table(plan, &facts, &table);
	assert_golden("security-default.txt", buf_str(&table));
	fixture_done(&f);
}

static void missing_protections_are_shouted(void **state)
{
	_buf_done_ struct buf table = BUF_INIT(1 << 16);
	struct plan empty = { 0 };

	security_table(&empty, &facts, &table);
	assert_contains(buf_str(&table), "user ids           SHARED");
	assert_contains(buf_str(&table), "system calls       OPEN");
	assert_contains(buf_str(&table), "no_new_privs       OFF");
	assert_contains(buf_str(&table), "limits             NONE");
	assert_contains(buf_str(&table), "nested namespaces  ALLOWED");
}

static void a_held_lock_is_the_proof_of_life(void **state)
{
	_close_ int dir = open(testkit_scratch(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_close_ int lock = lock_make(dir, "abc");
	_close_ int other = -EBADF;
	int status;
	pid_t pid;

	assert_true(lock >= 0);
	pid = fork();
	if (pid == 0)
		_exit(lock_try(dir, "abc") == -EWOULDBLOCK ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	lock = fd_close(lock);
	other = lock_try(dir, "abc");
	assert_true(other >= 0);
	assert_int_equal(lock_remove(dir, "abc"), 0);
	assert_int_equal(lock_try(dir, "abc"), -ENOENT);
	assert_int_equal(lock_remove(dir, "abc"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testkit_case(names_follow_dockers_rule),
		testkit_case(entry_point_and_command_combine_as_dockers),
		testkit_case(environment_has_four_sources_in_order),
		testkit_case(limits_are_on_without_being_asked),
		testkit_case(rlimits_are_cut_silently_to_what_we_have),
		testkit_case(bad_requests_are_refused_with_the_word),
		testkit_case(default_plan_is_golden),
		testkit_case(missing_protections_are_shouted),
		testkit_case(a_held_lock_is_the_proof_of_life),
	};

	return testkit_run(tests);
}
