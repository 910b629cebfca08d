/* SPDX-License-Identifier: Apache-2.0 */
/* The compiler: golden plans of whole configs, and one test for each thing that it refuses. */
#include "testkit.h"

#include "base/buf.h"
#include "base/str.h"
#include "caps/caps.h"
#include "cgroup/cgroup.h"
#include "landlock/landlock.h"
#include "compile/internal.h"
#include "compile/compile.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/mount.h>
#include <sys/resource.h>

static const struct cgroup_facts v2_cgroup = {
	.mode = CGROUP_V2,
	.v2_controllers = "cpuset cpu io memory hugetlb pids",
	.v2_own = "/user/session",
	.swap_accounting = true,
};
#define V1_HIERARCHIES                                                                             \
	.n_v1 = 6, .v1 = {                                                                         \
		{ "cpu,cpuacct", "cpu,cpuacct", "/user" },                                         \
		{ "cpuset", "cpuset", "/" },                                                       \
		{ "devices", "devices", "/user" },                                                 \
		{ "memory", "memory", "/user" },                                                   \
		{ "pids", "pids", "/user" },                                                       \
		{ "systemd", "", "/user" },                                                        \
	}
static const struct cgroup_facts v1_cgroup = {
	.mode = CGROUP_V1,
	V1_HIERARCHIES,
	.swap_accounting = true,
};
static const struct cgroup_facts hybrid_cgroup = {
	.mode = CGROUP_HYBRID,
	V1_HIERARCHIES,
	.v2_controllers = "hugetlb",
	.v2_own = "/",
	.swap_accounting = true,
};

static struct facts facts_for(const struct cgroup_facts *cgroup)
{
	struct facts facts = {
		.cgroup = cgroup,
		.landlock_abi = 7,
		.privileged = true,
		.can_raise_rlimits = true,
		.last_cap = 40,
		.caps = CAPS_ALL,
		.has_memfd_noexec = true,
		.has_time_namespace = true,
	};
	for (size_t i = 0; i < ARRAY_SIZE(facts.rlimit_hard); i++)
		facts.rlimit_hard[i] = 20000;
	return facts;
}

/* A plain user on a v2 host who may not make groups. */
static struct facts facts_of_user(void)
{
	static const struct cgroup_facts cgroup = {
		.mode = CGROUP_V2,
		.v2_controllers = "memory pids",
		.v2_own = "/user.slice",
		.cannot_create = "the folder is not writable",
	};
	struct facts facts = facts_for(&cgroup);
	facts.privileged = false;
	facts.can_raise_rlimits = false;
	facts.caps = 0;
	facts.euid = 1000;
	facts.egid = 1000;
	return facts;
}

/* One compilation. */
struct work {
	struct oci_spec *spec;
	struct plan_writer writer;
	struct plan *plan;
	struct compile_notes notes;
	struct err err;
	int result;
};

static void work_done(struct work *w)
{
	w->spec = oci_spec_free(w->spec);
	w->plan = plan_free(w->plan);
	plan_writer_done(&w->writer);
	compile_notes_done(&w->notes);
}

static void compile_json(struct work *w, const char *json, const struct compile_ext *ext,
        const struct facts *facts, bool wait)
{
	*w = (struct work){ .result = 0 };
	plan_writer_init(&w->writer);
	w->result = oci_spec_parse(json, strlen(json), &w->spec, &w->err);
	if (w->result < 0)
		return;
	w->result = compile_plan("box", w->spec, ext, facts, wait, &w->writer, &w->notes, &w->err);
	if (w->result < 0)
		return;
	int r = plan_decode(w->writer.bytes.data, w->writer.bytes.len, &w->plan, &w->err);
	if (r < 0)
		fail_msg("the plan does not decode: %s", w->err.text);
}

static void read_config(const char *name, struct buf *out)
{
	_free_ char *path = xprintf("%s/tests/data/configs/%s", testkit_source_dir(), name);
	assert_int_equal(buf_read_file(out, AT_FDCWD, path), 0);
}

static void check_golden(const char *golden, const char *json, const struct compile_ext *ext,
        const struct facts *facts, bool wait)
{
	_buf_done_ struct buf text = BUF_INIT(1 << 20);
	struct work w;
	compile_json(&w, json, ext, facts, wait);
	if (w.result < 0)
		fail_msg("%s: %s", golden, w.err.text);
	plan_print(w.plan, false, &text);
	for (size_t i = 0; w.notes.lines && w.notes.lines[i]; i++)
		(void) buf_addf(&text, "# %s\n", w.notes.lines[i]);
	assert_true(buf_ok(&text));
	assert_golden(golden, buf_str(&text));
	work_done(&w);
}

static void check_golden_file(const char *golden, const char *config, const struct compile_ext *ext,
        const struct facts *facts)
{
	_buf_done_ struct buf json = BUF_INIT(OCI_CONFIG_MAX);
	read_config(config, &json);
	check_golden(golden, buf_str(&json), ext, facts, true);
}

/* --- golden plans ----------------------------------------------------------------------------- */

static void golden_minimal(void **state _unused_)
{
	const struct facts facts = facts_for(&v2_cgroup);
	check_golden_file("plan-minimal.txt", "minimal.json", NULL, &facts);
}

static void golden_default_spec(void **state _unused_)
{
	const struct facts facts = facts_for(&hybrid_cgroup);
	const struct compile_ext ext = { .bundle_dir = "/bundle" };
	_free_ char *json = oci_spec_default_json(false, 0, 0);
	check_golden("plan-default.txt", json, &ext, &facts, false);
}

/* The same with a terminal. */
static void golden_terminal(void **state _unused_)
{
	const struct facts facts = facts_for(&hybrid_cgroup);
	const struct compile_ext ext = { .bundle_dir = "/bundle" };
	_free_ char *json = oci_spec_default_json(false, 0, 0);
	char *flag = strstr(json, "\"terminal\": false");
	assert_non_null(flag);
	_free_ char *with = xprintf("%.*s\"terminal\": true,\"consoleSize\":{\"height\":24,"
	                            "\"width\":80}%s",
	        (int) (flag - json), json, flag + strlen("\"terminal\": false"));
	check_golden("plan-terminal.txt", with, &ext, &facts, false);
}

static void golden_docker(void **state _unused_)
{
	const struct {
		const char *golden;
		const struct cgroup_facts *cgroup;
	} cases[] = {
		{ "plan-docker-v2.txt", &v2_cgroup },
		{ "plan-docker-v1.txt", &v1_cgroup },
		{ "plan-docker-hybrid.txt", &hybrid_cgroup },
	};
	const struct compile_ext ext = { .bundle_dir = "/bundle", .create_cwd = true };
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct facts facts = facts_for(cases[i].cgroup);
		check_golden_file(cases[i].golden, "docker.json", &ext, &facts);
	}
}

static void golden_user_namespace(void **state _unused_)
{
	const struct facts v2 = facts_for(&v2_cgroup);
	const struct facts hybrid = facts_for(&hybrid_cgroup);
	check_golden_file("plan-userns-v2.txt", "userns.json", NULL, &v2);
	check_golden_file("plan-userns-hybrid.txt", "userns.json", NULL, &hybrid);
	check_golden_file("plan-userns-shared-net.txt", "userns-shared-net.json", NULL, &v2);
}

static void golden_rootless(void **state _unused_)
{
	const struct facts facts = facts_of_user();
	const struct compile_ext ext = { .bundle_dir = "/home/me/bundle" };
	_free_ char *json = oci_spec_default_json(true, 1000, 1000);
	check_golden("plan-rootless.txt", json, &ext, &facts, false);
}

static const char *const layers[] = { "layers/top", "layers/bottom", NULL };
static const struct compile_overlay overlay = {
	.base = "/var/lib/engine/store",
	.layers = layers,
	.upper = "rw/1/upper",
	.work = "rw/1/work",
	.host_id = 1000000,
	.size = 65536,
};

static void golden_engine(void **state _unused_)
{
	static const char *const proc_allow[] = { "meminfo", "cpuinfo", NULL };
	static const struct compile_landlock_rule rules[] = {
		{ .path = "/", .access = LL_FS_EXECUTE | LL_FS_READ_FILE | LL_FS_READ_DIR },
		{ .path = "/tmp", .access = UINT64_MAX, .optional = true },
		{ .path = "/dev/full", .access = LL_FS_IOCTL_DEV },
	};
	static const struct oci_kv early[] = { { "vm/memfd_noexec", "2" } };
	static const struct oci_kv late[] = { { "user/max_user_namespaces", "0" } };
	const struct compile_ext ext = {
		.overlay = &overlay,
		.user = "www-data",
		.proc_allow = proc_allow,
		.landlock = true,
		.landlock_scope = true,
		.landlock_rules = rules,
		.n_landlock_rules = ARRAY_SIZE(rules),
		.early_sysctl = early,
		.n_early_sysctl = 1,
		.late_sysctl = late,
		.n_late_sysctl = 1,
		.caps_empty_unless_root = true,
		.create_cwd = true,
		.root_nodev = true,
		.root_nosuid = true,
		.seccomp_filter = "\x06\0\0\0\0\0\xff\x7f",
		.seccomp_filter_size = 8,
		.no_new_keyring = true,
	};
	struct facts facts = facts_for(&hybrid_cgroup);
	check_golden_file("plan-engine.txt", "userns.json", &ext, &facts);
	facts.landlock_abi = 2;
	facts.has_memfd_noexec = false;
	check_golden_file("plan-engine-6.1.txt", "userns.json", &ext, &facts);
}

/* --- parts ------------------------------------------------------------------------------------ */

#define HEAD    "{\"ociVersion\":\"1.3.0\",\"root\":{\"path\":\"r\"},"
#define PROCESS "\"process\":{\"args\":[\"/bin/true\"],\"cwd\":\"/\"}"
#define NS      "\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"pid\"}]"
#define LINUX   "\"linux\":{" NS "}"

/* A config that compiles, but for one mount. */
static void compile_mount_json(struct work *w, const char *mount, const struct facts *facts)
{
	_free_ char *json = xprintf("%s%s,%s,\"mounts\":[%s]}", HEAD, PROCESS, LINUX, mount);
	compile_json(w, json, NULL, facts, false);
}

static const struct plan_mount *mount_of(struct work *w)
{
	if (w->result < 0)
		fail_msg("%s", w->err.text);
	const struct plan_step *step = plan_find(w->plan, PLAN_MOUNT);
	assert_non_null(step);
	return &step->mount;
}

static void mount_options_are_sorted(void **state _unused_)
{
	for (size_t i = 0; compile_option_name(i + 1); i++)
		assert_true(strcmp(compile_option_name(i), compile_option_name(i + 1)) < 0);
}

static void last_mount_option_counts(void **state _unused_)
{
	const struct facts facts = facts_for(&v2_cgroup);
	struct work w;
	compile_mount_json(&w,
	        "{\"destination\":\"/a\",\"source\":\"/b\",\"options\":[\"bind\",\"ro\",\"rw\","
	        "\"suid\",\"nosuid\",\"strictatime\",\"noatime\"]}",
	        &facts);
	assert_int_equal(mount_of(&w)->attr_set, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOATIME);
	assert_int_equal(mount_of(&w)->attr_clear, MOUNT_ATTR_RDONLY | MOUNT_ATTR__ATIME);
	assert_int_equal(mount_of(&w)->propagation, MS_PRIVATE);
	work_done(&w);
}

static void bind_is_decided_by_option(void **state _unused_)
{
	const struct facts facts = facts_for(&v2_cgroup);
	struct work w;
	compile_mount_json(&w,
	        "{\"destination\":\"a/../b\",\"type\":\"tmpfs\",\"source\":\"/x\",\"options\":["
	        "\"rbind\"]}",
	        &facts);
	assert_int_equal(mount_of(&w)->kind, PLAN_MOUNT_BIND);
	assert_int_equal(mount_of(&w)->recursive, 1);
	assert_string_equal(mount_of(&w)->target, "/b");
	work_done(&w);
}

static void unknown_options_are_data(void **state _unused_)
{
	const struct facts facts = facts_for(&v2_cgroup);
	struct work w;
	compile_mount_json(&w,
	        "{\"destination\":\"/a\",\"type\":\"tmpfs\",\"options\":[\"tmpcopyup\",\"mode=1777\","
	        "\"size=5m\",\"sync\"]}",
	        &facts);
	assert_string_equal(mount_of(&w)->data[0], "mode=1777");
	assert_string_equal(mount_of(&w)->data[1], "size=5m");
	assert_string_equal(mount_of(&w)->data[2], "sync");
	assert_int_equal(mount_of(&w)->copy_up, 1);
	work_done(&w);
}

static const struct plan_step *only_rlimit(struct work *w)
{
	if (w->result < 0)
		fail_msg("%s", w->err.text);
	return plan_find(w->plan, PLAN_RLIMIT);
}

static const char rlimit_json[] = HEAD
        "\"process\":{\"args\":[\"/bin/true\"],\"cwd\":\"/\",\"rlimits\":[{\"type\":"
        "\"RLIMIT_NOFILE\",\"soft\":1048576,\"hard\":1048576}],\"oomScoreAdj\":-100}," LINUX "}";

static void rlimits_are_clamped_with_a_note(void **state _unused_)
{
	struct facts facts = facts_for(&v2_cgroup);
	struct work w;
	facts.can_raise_rlimits = false;
	facts.oom_score_adj = 7;
	compile_json(&w, rlimit_json, NULL, &facts, false);
	assert_int_equal(only_rlimit(&w)->rlimit.hard, 20000);
	assert_int_equal(only_rlimit(&w)->rlimit.soft, 20000);
	assert_string_equal(w.notes.lines[1],
	        "rlimit RLIMIT_NOFILE: hard limit 1048576 cannot be raised above 20000 here "
	        "(CAP_SYS_RESOURCE is missing); using 20000");
	assert_int_equal(plan_find(w.plan, PLAN_OOM_SCORE)->oom_score.value, 7);
	work_done(&w);
}

static void rlimits_are_kept_where_they_may_be_raised(void **state _unused_)
{
	const struct facts facts = facts_for(&v2_cgroup);
	struct work w;
	compile_json(&w, rlimit_json, NULL, &facts, false);
	assert_int_equal(only_rlimit(&w)->rlimit.hard, 1048576);
	assert_int_equal(plan_find(w.plan, PLAN_OOM_SCORE)->oom_score.value, -100);
	assert_null(w.notes.lines);
	work_done(&w);
}

static void caps_are_cut_to_our_own(void **state _unused_)
{
	struct facts facts = facts_for(&v2_cgroup);
	struct work w;
	facts.caps &= ~CAPS_BIT(24);
	compile_json(&w,
	        HEAD
	        "\"process\":{\"args\":[\"/bin/true\"],\"cwd\":\"/\",\"capabilities\":{"
	        "\"bounding\":[\"CAP_KILL\",\"CAP_SYS_RESOURCE\"],\"effective\":[\"CAP_KILL\","
	        "\"CAP_CHOWN\"],\"permitted\":[\"CAP_KILL\"],\"ambient\":[\"CAP_KILL\"]}}," LINUX
	        "}",
	        NULL, &facts, false);
	assert_int_equal(w.result, 0);
	const struct plan_caps *caps = &plan_find(w.plan, PLAN_CAPS)->caps;
	assert_int_equal(caps->bounding, CAPS_BIT(5));
	assert_int_equal(caps->effective, CAPS_BIT(5));
	assert_int_equal(caps->ambient, 0);
	assert_contains(w.notes.lines[0], "CAP_SYS_RESOURCE left out: the runtime itself");
	assert_contains(w.notes.lines[1], "effective: CAP_CHOWN left out");
	assert_contains(w.notes.lines[2], "ambient: CAP_KILL left out");
	work_done(&w);
}

static void no_caps_object_means_none(void **state _unused_)
{
	const struct facts facts = facts_for(&v2_cgroup);
	struct work w;
	compile_json(&w, HEAD PROCESS "," LINUX "}", NULL, &facts, false);
	const struct plan_caps *caps = &plan_find(w.plan, PLAN_CAPS)->caps;
	assert_int_equal(caps->bounding | caps->permitted | caps->effective, 0);
	work_done(&w);
}

static void host_dev_is_left_alone(void **state _unused_)
{
	const struct facts facts = facts_for(&v2_cgroup);
	struct work w;
	compile_mount_json(&w,
	        "{\"destination\":\"/dev/\",\"source\":\"/dev\",\"options\":[\"rbind\"]}", &facts);
	assert_int_equal(w.result, 0);
	assert_null(plan_find(w.plan, PLAN_DEVICE));
	assert_null(plan_find(w.plan, PLAN_DEV_LINKS));
	work_done(&w);
}

static void sysctl_keys_become_paths(void **state _unused_)
{
	const struct facts facts = facts_for(&v2_cgroup);
	struct work w;
	compile_json(&w,
	        HEAD PROCESS
	        ",\"linux\":{\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"network\"}],"
	        "\"sysctl\":{\"net.ipv4.conf.eth0/1.forwarding\":\"1\","
	        "\"net/ipv4/ping_group_range\":\"0 0\"}}}",
	        NULL, &facts, false);
	if (w.result < 0)
		fail_msg("%s", w.err.text);
	const struct plan_step *first = plan_find(w.plan, PLAN_SYSCTL);
	const struct plan_step *second = plan_next(w.plan, PLAN_SYSCTL, first);
	assert_string_equal(first->sysctl.path, "net/ipv4/conf/eth0.1/forwarding");
	assert_string_equal(second->sysctl.path, "net/ipv4/ping_group_range");
	work_done(&w);
}

static void disabled_cgroups_leave_no_trace(void **state _unused_)
{
	const struct facts facts = facts_for(NULL);
	struct work w;
	compile_mount_json(&w,
	        "{\"destination\":\"/sys/fs/cgroup\",\"type\":\"cgroup\",\"source\":\"cgroup\"}",
	        &facts);
	assert_int_equal(w.result, 0);
	assert_null(plan_find(w.plan, PLAN_CGROUP));
	assert_null(plan_find(w.plan, PLAN_MOUNT));
	work_done(&w);
}

/* --- refusals --------------------------------------------------------------------------------- */

static const struct refusal {
	const char *json;
	const char *part;
} refusals[] = {
	{ HEAD LINUX "}", "no 'process'" },
	{ HEAD "\"process\":{\"terminal\":true,\"args\":[\"a\"],\"cwd\":\"/\"}," LINUX "}",
	        "process.terminal needs a devpts of the container's own" },
	{ HEAD "\"process\":{\"terminal\":true,\"args\":[\"a\"],\"cwd\":\"/\"}," LINUX
	       ",\"mounts\":[{\"destination\":\"/dev/pts\",\"type\":\"devpts\",\"source\":"
	       "\"/dev/pts\",\"options\":[\"bind\"]}]}",
	        "process.terminal needs a devpts of the container's own" },
	{ HEAD "\"process\":{\"args\":[\"a\"],\"cwd\":\"/\",\"apparmorProfile\":\"x\"}," LINUX "}",
	        "process.apparmorProfile 'x'" },
	{ HEAD "\"process\":{\"args\":[\"a\"],\"cwd\":\"/\",\"selinuxLabel\":\"x\"}," LINUX "}",
	        "process.selinuxLabel 'x'" },
	{ HEAD PROCESS ",\"linux\":{" NS ",\"mountLabel\":\"x\"}}", "linux.mountLabel 'x'" },
	{ HEAD PROCESS ",\"linux\":{\"namespaces\":[{\"type\":\"pid\"}]}}",
	        "needs a mount namespace" },
	{ HEAD PROCESS ",\"linux\":{\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"user\"}]}}",
	        "needs linux.uidMappings and linux.gidMappings" },
	{ HEAD PROCESS ",\"linux\":{" NS
	               ",\"uidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":"
	               "1}]}}",
	        "user namespace" },
	{ HEAD PROCESS ",\"hostname\":\"h\"," LINUX "}", "uts namespace" },
	{ HEAD PROCESS ",\"linux\":{" NS ",\"timeOffsets\":{\"monotonic\":{\"secs\":1}}}}",
	        "time namespace" },
	{ HEAD PROCESS ",\"linux\":{" NS ",\"sysctl\":{\"kernel.core_pattern\":\"|x\"}}}",
	        "would change the host" },
	{ HEAD PROCESS ",\"linux\":{" NS ",\"sysctl\":{\"net/../kernel/core_pattern\":\"|x\"}}}",
	        "sysctl" },
	{ HEAD PROCESS ",\"linux\":{" NS ",\"sysctl\":{\"net.ipv4.ip_forward\":\"1\"}}}",
	        "needs a network namespace" },
	{ HEAD PROCESS ",\"linux\":{\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"network\"}],"
	               "\"sysctl\":{\"net.ipv4.ip_forward\":\"1\\nkernel\"}}}",
	        "in its value" },
	{ HEAD PROCESS "," LINUX
	               ",\"mounts\":[{\"destination\":\"/a\",\"type\":\"bind\",\"source\":"
	               "\"/b\"}]}",
	        "neither a file system type nor the option 'bind'" },
	{ HEAD PROCESS "," LINUX ",\"mounts\":[{\"destination\":\"/a\",\"options\":[\"bind\"]}]}",
	        "has no source" },
	{ HEAD PROCESS "," LINUX ",\"mounts\":[{\"destination\":\"/a/..\",\"type\":\"tmpfs\"}]}",
	        "the root itself" },
	{ HEAD PROCESS "," LINUX
	               ",\"mounts\":[{\"destination\":\"/a\",\"type\":\"tmpfs\",\"options\":"
	               "[\"remount\"]}]}",
	        "option 'remount' is not supported" },
	{ HEAD PROCESS "," LINUX
	               ",\"mounts\":[{\"destination\":\"/a\",\"source\":\"/b\",\"options\":"
	               "[\"bind\",\"idmap\"]}]}",
	        "idmapped mount" },
	{ HEAD PROCESS ",\"linux\":{" NS ",\"rootfsPropagation\":\"odd\"}}", "rootfsPropagation" },
	{ HEAD PROCESS ",\"linux\":{" NS ",\"cgroupsPath\":\"/a/../../b\"}}", "cgroupsPath" },
	{ HEAD PROCESS ",\"linux\":{" NS ",\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\","
	               "\"listenerPath\":\"/x\"}}}",
	        "listenerPath" },
	{ HEAD PROCESS ",\"linux\":{" NS ",\"intelRdt\":{\"closID\":\"x\"}}}", "linux.intelRdt" },
	{ HEAD PROCESS ",\"hooks\":{\"poststop\":[{\"path\":\"/bin/true\"}]}," LINUX "}", "hooks" },
};

static void refuses_what_it_cannot_do(void **state _unused_)
{
	const struct facts facts = facts_for(&v2_cgroup);
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		struct work w;
		compile_json(&w, refusals[i].json, NULL, &facts, false);
		if (w.result >= 0)
			fail_msg("not refused: %s", refusals[i].json);
		assert_contains(w.err.text, refusals[i].part);
		assert_null(strchr(w.err.text, '\n'));
		work_done(&w);
	}
}

static void plain_user_needs_a_user_namespace(void **state _unused_)
{
	const struct facts facts = facts_of_user();
	struct work w;
	compile_json(&w, HEAD PROCESS "," LINUX "}", NULL, &facts, false);
	assert_int_equal(w.result, -EPERM);
	assert_contains(w.err.text, "without root a container needs a user namespace");
	work_done(&w);
}

static void landlock_needs_no_new_privs(void **state _unused_)
{
	const struct facts facts = facts_for(&v2_cgroup);
	const struct compile_ext ext = { .landlock = true };
	struct work w;
	compile_json(&w, HEAD PROCESS "," LINUX "}", &ext, &facts, false);
	assert_int_equal(w.result, -EINVAL);
	assert_contains(w.err.text, "noNewPrivileges");
	work_done(&w);
}

static void every_kind_has_a_place_in_the_plan(void **state _unused_)
{
	for (int kind = 1; kind < PLAN_KIND_COUNT; kind++)
		if (plan_rank((enum plan_kind) kind) < 0)
			fail_msg("kind %d is not in the order table", kind);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testkit_case(golden_minimal),
		testkit_case(golden_default_spec),
		testkit_case(golden_terminal),
		testkit_case(golden_docker),
		testkit_case(golden_user_namespace),
		testkit_case(golden_rootless),
		testkit_case(golden_engine),
		testkit_case(mount_options_are_sorted),
		testkit_case(last_mount_option_counts),
		testkit_case(bind_is_decided_by_option),
		testkit_case(unknown_options_are_data),
		testkit_case(rlimits_are_clamped_with_a_note),
		testkit_case(rlimits_are_kept_where_they_may_be_raised),
		testkit_case(caps_are_cut_to_our_own),
		testkit_case(no_caps_object_means_none),
		testkit_case(host_dev_is_left_alone),
		testkit_case(sysctl_keys_become_paths),
		testkit_case(disabled_cgroups_leave_no_trace),
		testkit_case(refuses_what_it_cannot_do),
		testkit_case(plain_user_needs_a_user_namespace),
		testkit_case(landlock_needs_no_new_privs),
		testkit_case(every_kind_has_a_place_in_the_plan),
	};
	return testkit_run(tests);
}
