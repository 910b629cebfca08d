/* SPDX-License-Identifier: Apache-2.0 */
/* The pure half of the control group module: facts from texts, paths, limits, device rules. */
#include "testkit.h"

#include "base/buf.h"
#include "base/str.h"
#include "cgroup/cgroup.h"
#include "cgroup/internal.h"

#include <errno.h>
#include <stdio.h>

/* --- machines --- */

static const struct cgroup_facts machine_v2 = { .mode = CGROUP_V2,
	.v2_controllers = "cpuset cpu io memory hugetlb pids",
	.v2_own = "/user.slice/session-1.scope",
	.swap_accounting = true };

#define V1_HIERARCHIES                                                                             \
	{                                                                                          \
		{ "pids", "pids", "/" }, { "memory", "memory", "/" }, { "cpuset", "cpuset", "/" }, \
		        { "cpu,cpuacct", "cpu,cpuacct", "/" }, { "systemd", "", "/" },             \
	}
static const struct cgroup_facts machine_v1 = {
	.mode = CGROUP_V1, .v1 = V1_HIERARCHIES, .n_v1 = 5, .swap_accounting = true
};
static const struct cgroup_facts machine_hybrid = { .mode = CGROUP_HYBRID,
	.v1 = V1_HIERARCHIES,
	.n_v1 = 5,
	.v2_controllers = "hugetlb",
	.v2_own = "/",
	.swap_accounting = false };

/* --- limits --- */

static int record(
        void *data, const char *hierarchy, const char *file, const char *value, bool optional)
{
	return buf_addf(data, "%s:%s=%s%s\n", hierarchy, file, value, optional ? "?" : "");
}

static struct err last_err;
static char last_notes[1024];

/* What cgroup_limits writes as lines "HIERARCHY:FILE=VALUE[?]", or "error". */
static const char *limits(const struct oci_resources *res, const struct cgroup_facts *facts)
{
	static char out[4096];
	_buf_done_ struct buf text = BUF_INIT(sizeof(out) - 1);
	char **notes = NULL;
	int r;

	last_err = (struct err){ 0 };
	r = cgroup_limits(res, facts, record, &text, &notes, &last_err);
	last_notes[0] = '\0';
	for (size_t i = 0; i < strv_len(notes); i++)
		(void) snprintf(last_notes + strlen(last_notes),
		        sizeof(last_notes) - strlen(last_notes), "%s\n", notes[i]);
	strv_free(notes);
	(void) snprintf(out, sizeof(out), "%s", r < 0 ? "error" : buf_str(&text));
	if (r < 0)
		assert_int_equal(r, last_err.code);
	return out;
}

#define I64(v)                                                                                     \
	{                                                                                          \
		.has = true, .value = (v)                                                          \
	}

struct limit_case {
	const char *name;
	struct oci_resources res;
	const char *v2, *v1; /* what is written; "error"; NULL: not looked at */
	const char *text;    /* part of an error's text */
};

static const struct oci_kv unified_good[] = { { "memory.high", "100" },
	{ "io.max", "8:0 rbps=1\n8:16 rbps=2" }, { "cgroup.max.depth", "3" } };
static const struct oci_kv unified_slash[] = { { "../x/memory.max", "1" } };
static const struct oci_kv unified_procs[] = { { "cgroup.procs", "1" } };
static const struct oci_kv unified_unknown[] = { { "quantum.max", "1" } };
static const struct oci_kv unified_hugetlb[] = { { "hugetlb.2MB.max", "0" } };

static const struct limit_case limit_cases[] = {
	{ "nothing", { .n_devices = 0 }, "", "", NULL },
	{ "memory limit", { .memory_limit = I64(1 << 20) }, ":memory.max=1048576\n",
	        "memory:memory.limit_in_bytes=1048576\n", NULL },
	{ "memory and swap: limit first", { .memory_limit = I64(100), .memory_swap = I64(150) },
	        ":memory.max=100\n:memory.swap.max=50\n",
	        "memory:memory.limit_in_bytes=100\nmemory:memory.memsw.limit_in_bytes=150\n",
	        NULL },
	{ "swap equal to memory", { .memory_limit = I64(100), .memory_swap = I64(100) },
	        ":memory.max=100\n:memory.swap.max=0\n", NULL, NULL },
	{ "unlimited swap", { .memory_limit = I64(100), .memory_swap = I64(-1) },
	        ":memory.max=100\n:memory.swap.max=max?\n",
	        "memory:memory.limit_in_bytes=100\nmemory:memory.memsw.limit_in_bytes=-1?\n",
	        NULL },
	{ "unlimited memory takes swap along, swap first", { .memory_limit = I64(-1) },
	        ":memory.swap.max=max?\n:memory.max=max?\n",
	        "memory:memory.memsw.limit_in_bytes=-1?\nmemory:memory.limit_in_bytes=-1?\n",
	        NULL },
	{ "zero is not set", { .memory_limit = I64(0), .memory_swap = I64(0), .cpu_quota = I64(0) },
	        "", "", NULL },
	{ "swap without memory", { .memory_swap = I64(100) }, "error", "error", "memory.limit" },
	{ "swap below memory", { .memory_limit = I64(100), .memory_swap = I64(99) }, "error",
	        "error", "less than" },
	{ "negative memory", { .memory_limit = I64(-2) }, "error", "error", "memory.limit" },
	{ "reservation", { .memory_reservation = I64(7) }, ":memory.low=7\n",
	        "memory:memory.soft_limit_in_bytes=7\n", NULL },
	{ "swappiness", { .memory_swappiness = I64(0) }, "error", "memory:memory.swappiness=0\n",
	        "cgroup v2 has no such setting" },
	{ "swappiness range", { .memory_swappiness = I64(101) }, "error", "error", "0 to 100" },
	{ "oom killer", { .has_disable_oom_killer = true, .disable_oom_killer = true }, "error",
	        "memory:memory.oom_control=1\n", "disableOOMKiller" },
	{ "oom killer stays", { .has_disable_oom_killer = true }, "", "", NULL },
	{ "shares", { .cpu_shares = I64(1024) }, ":cpu.weight=100\n",
	        "cpu,cpuacct:cpu.shares=1024\n", NULL },
	{ "period before quota", { .cpu_quota = I64(50000), .cpu_period = I64(100000) },
	        ":cpu.max=50000 100000\n",
	        "cpu,cpuacct:cpu.cfs_period_us=100000\ncpu,cpuacct:cpu.cfs_quota_us=50000\n",
	        NULL },
	{ "quota alone", { .cpu_quota = I64(20000) }, ":cpu.max=20000 100000\n",
	        "cpu,cpuacct:cpu.cfs_quota_us=20000\n", NULL },
	{ "period alone", { .cpu_period = I64(50000) }, ":cpu.max=max 50000\n",
	        "cpu,cpuacct:cpu.cfs_period_us=50000\n", NULL },
	{ "no quota", { .cpu_quota = I64(-1) }, ":cpu.max=max 100000?\n",
	        "cpu,cpuacct:cpu.cfs_quota_us=-1?\n", NULL },
	{ "burst", { .cpu_quota = I64(20000), .cpu_burst = I64(1000) },
	        ":cpu.max=20000 100000\n:cpu.max.burst=1000\n",
	        "cpu,cpuacct:cpu.cfs_quota_us=20000\ncpu,cpuacct:cpu.cfs_burst_us=1000\n", NULL },
	{ "period range", { .cpu_period = I64(999) }, "error", "error", "cpu.period" },
	{ "quota range", { .cpu_quota = I64(999) }, "error", "error", "cpu.quota" },
	{ "weight before idle", { .cpu_shares = I64(2), .cpu_idle = I64(1) },
	        ":cpu.weight=1\n:cpu.idle=1\n",
	        "cpu,cpuacct:cpu.shares=2\ncpu,cpuacct:cpu.idle=1\n", NULL },
	{ "idle range", { .cpu_idle = I64(2) }, "error", "error", "0 or 1" },
	{ "real time", { .cpu_rt_period = I64(1000000), .cpu_rt_runtime = I64(950000) }, "error",
	        "cpu,cpuacct:cpu.rt_period_us=1000000\ncpu,cpuacct:cpu.rt_runtime_us=950000\n",
	        "realtime" },
	{ "cpuset", { .cpuset_cpus = "0-1,3", .cpuset_mems = "0" },
	        ":cpuset.cpus=0-1,3\n:cpuset.mems=0\n",
	        "cpuset:cpuset.cpus=0-1,3\ncpuset:cpuset.mems=0\n", NULL },
	{ "empty cpuset", { .cpuset_cpus = "" }, "", "", NULL },
	{ "foreign bytes in a cpuset", { .cpuset_cpus = "0\n1" }, "error", "error", "0\\x0a1" },
	{ "pids", { .pids_limit = I64(20) }, ":pids.max=20\n", "pids:pids.max=20\n", NULL },
	{ "pids 0", { .pids_limit = I64(0) }, ":pids.max=max?\n", "pids:pids.max=max?\n", NULL },
	{ "pids -1", { .pids_limit = I64(-1) }, ":pids.max=max?\n", NULL, NULL },
	{ "pids huge", { .pids_limit = I64(INT64_MAX) }, ":pids.max=max?\n", NULL, NULL },
	{ "pids negative", { .pids_limit = I64(-2) }, "error", "error", "pids.limit" },
	{ "unified", { .unified = unified_good, .n_unified = 3 },
	        ":memory.high=100\n:io.max=8:0 rbps=1\n:io.max=8:16 rbps=2\n:cgroup.max.depth=3\n",
	        "error", "no cgroup v2" },
	{ "unified with a path", { .unified = unified_slash, .n_unified = 1 }, "error", "error",
	        "not the name of a file" },
	{ "unified that moves processes", { .unified = unified_procs, .n_unified = 1 }, "error",
	        "error", "is not a limit" },
	{ "unified of no controller", { .unified = unified_unknown, .n_unified = 1 }, "error",
	        "error", "no 'quantum' controller" },
};

static void limits_are_written_in_the_language_of_the_machine(void **state)
{
	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(limit_cases); i++) {
		const struct limit_case *c = &limit_cases[i];
		const char *got = limits(&c->res, &machine_v1);
		char texts[2 * ERR_TEXT_MAX];

		if (c->v1 && !streq(got, c->v1))
			fail_msg("%s on v1: got '%s' (%s)", c->name, got, last_err.text);
		(void) snprintf(texts, sizeof(texts), "%s\n", last_err.text);
		got = limits(&c->res, &machine_v2);
		if (!streq(got, c->v2))
			fail_msg("%s on v2: got '%s' (%s)", c->name, got, last_err.text);
		(void) snprintf(
		        texts + strlen(texts), sizeof(texts) - strlen(texts), "%s", last_err.text);
		if (c->text)
			assert_contains(texts, c->text);
	}
}

static void limits_without_their_controller_are_errors(void **state)
{
	static const struct cgroup_facts bare = { .mode = CGROUP_V2, .v2_controllers = "memory" };
	struct oci_resources pids = { .pids_limit = I64(20) };
	struct oci_resources none = { .pids_limit = I64(-1), .cpu_quota = I64(-1) };

	(void) state;
	assert_string_equal(limits(&pids, &bare), "error");
	assert_contains(last_err.text, "'pids'");
	assert_string_equal(limits(&none, &bare), "");
	assert_string_equal(limits(&pids, &(struct cgroup_facts){ .mode = CGROUP_NONE }), "error");
}

static void hybrid_uses_v1_controllers_and_what_v2_has(void **state)
{
	struct oci_resources res = {
		.pids_limit = I64(20), .unified = unified_hugetlb, .n_unified = 1
	};
	struct oci_resources memory = { .unified = unified_good, .n_unified = 1 };

	(void) state;
	assert_string_equal(
	        limits(&res, &machine_hybrid), "pids:pids.max=20\n:hugetlb.2MB.max=0\n");
	assert_string_equal(limits(&memory, &machine_hybrid), "error");
}

static void swap_without_accounting_is_an_error_unless_it_limits_nothing_more(void **state)
{
	struct oci_resources res = { .memory_limit = I64(100), .memory_swap = I64(150) };

	(void) state;
	assert_string_equal(limits(&res, &machine_hybrid), "error");
	assert_contains(last_err.text, "count swap");
	res.memory_swap.value = 100;
	assert_string_equal(limits(&res, &machine_hybrid), "memory:memory.limit_in_bytes=100\n");
	assert_contains(last_notes, "memory.swap is ignored");
	res.memory_swap.value = -1;
	assert_string_equal(limits(&res, &machine_hybrid), "memory:memory.limit_in_bytes=100\n");
	assert_string_equal(last_notes, "");
}

static void shares_become_weights_on_the_agreed_curve(void **state)
{
	struct oci_resources res = { .cpu_shares = I64(1) };

	(void) state;
	assert_int_equal(cgroup_weight_from_shares(0), 1);
	assert_int_equal(cgroup_weight_from_shares(2), 1);
	assert_int_equal(cgroup_weight_from_shares(3), 2);
	assert_int_equal(cgroup_weight_from_shares(100), 17);
	assert_int_equal(cgroup_weight_from_shares(512), 59);
	assert_int_equal(cgroup_weight_from_shares(1024), 100);
	assert_int_equal(cgroup_weight_from_shares(2048), 174);
	assert_int_equal(cgroup_weight_from_shares(262144), 10000);
	assert_int_equal(cgroup_weight_from_shares(UINT64_MAX), 10000);
	for (uint64_t s = 2; s < 262144; s += 61)
		assert_true(cgroup_weight_from_shares(s) <= cgroup_weight_from_shares(s + 61));
	assert_string_equal(limits(&res, &machine_v1), "cpu,cpuacct:cpu.shares=2\n");
	assert_contains(last_notes, "outside the kernel's range");
}

static void groups_that_cannot_be_made_matter_only_with_limits(void **state)
{
	struct cgroup_facts poor = machine_v2;
	struct oci_resources none = { .memory_limit = I64(0) }, some = { .pids_limit = I64(3) };
	struct err err = { 0 };
	char **notes = NULL;

	(void) state;
	assert_int_equal(cgroup_usable(&machine_v2, &some, false, &notes, &err), 1);
	assert_null(notes);
	poor.cannot_create = "read-only";
	assert_int_equal(cgroup_usable(&poor, &none, false, &notes, &err), 0);
	assert_contains(notes[0], "read-only");
	assert_int_equal(cgroup_usable(&poor, &some, false, &notes, &err), -EPERM);
	assert_contains(err.text, "read-only");
	assert_int_equal(cgroup_usable(&poor, &some, true, &notes, &err), 0);
	assert_contains(notes[1], "not applied");
	strv_free(notes);
	/* nobody has to listen */
	assert_int_equal(cgroup_usable(&poor, &some, true, NULL, NULL), 0);
}

/* --- paths --- */

static void paths_follow_the_rules(void **state)
{
	static const struct {
		const char *path, *want;
		const struct cgroup_facts *facts;
	} cases[] = {
		{ "/a/b", "/a/b", &machine_v2 },
		{ "//a/./b/", "/a/b", &machine_v2 },
		{ "a/b", "/user.slice/a/b", &machine_v2 },
		{ NULL, "/user.slice/id1", &machine_v2 },
		{ "", "/user.slice/id1", &machine_v2 },
		{ NULL, "/id1", &machine_v1 },
		{ "x", "/x", &machine_hybrid },
		{ "/a/b:c:d", "/a/b:c:d", &machine_v2 },
	};
	struct err err = { 0 };

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *got = NULL;

		assert_int_equal(
		        cgroup_path_for("id1", cases[i].path, cases[i].facts, &got, &err), 0);
		assert_string_equal(got, cases[i].want);
		free(got);
	}
}

static void relative_paths_go_below_our_own_group(void **state)
{
	struct cgroup_facts f = { .mode = CGROUP_V1,
		.v1 = { { "memory", "memory", "/outer" }, { "pids", "pids", "/outer" } },
		.n_v1 = 2 };
	char *got = NULL;

	(void) state;
	assert_int_equal(cgroup_path_for("id1", "x", &f, &got, NULL), 0);
	assert_string_equal(got, "/outer/x");
	free(got);
	f.v1[1].own = "/other";
	assert_int_equal(cgroup_path_for("id1", "x", &f, &got, NULL), 0);
	assert_string_equal(got, "/x");
	free(got);
}

static void paths_that_lead_elsewhere_are_refused(void **state)
{
	char deep[400], wide[400];
	const struct {
		const char *path, *text;
	} cases[] = {
		{ "/", "top group" },
		{ "/./", "top group" },
		{ "/a/../../b", "'..'" },
		{ "..", "'..'" },
		{ "/a\nb", "line break" },
		{ "system.slice:bulkhead:id1", "systemd driver" },
		{ wide, "255" },
		{ deep, "names" },
	};

	(void) state;
	memset(wide, 'a', sizeof(wide) - 1);
	wide[0] = '/';
	wide[sizeof(wide) - 1] = '\0';
	for (size_t i = 0; i < sizeof(deep) - 1; i++)
		deep[i] = i % 2 ? 'a' : '/';
	deep[sizeof(deep) - 1] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err = { 0 };
		char *got = NULL;

		assert_true(cgroup_path_for("id1", cases[i].path, &machine_v2, &got, &err) < 0);
		assert_null(got);
		assert_contains(err.text, cases[i].text);
	}
}

/* --- facts --- */

struct fake {
	const char *v1; /* " cpu memory ": folders that are v1 hierarchies */
	bool root_v2, unified, memsw;
	const char *controllers, *unwritable;
	char asked[256];
};

static enum cgroup_fs fake_fs(void *data, const char *folder)
{
	struct fake *f = data;

	if (!*folder)
		return f->root_v2 ? CGROUP_FS_V2 : CGROUP_FS_OTHER;
	if (streq(folder, "unified"))
		return f->unified ? CGROUP_FS_V2 : CGROUP_FS_OTHER;
	return cgroup_list_has(f->v1, ' ', folder) ? CGROUP_FS_V1 : CGROUP_FS_OTHER;
}

static bool fake_exists(void *data, const char *file)
{
	return ((struct fake *) data)->memsw && strstr(file, "memsw");
}

static char *fake_read(void *data, const char *file)
{
	(void) file;
	return xprintf("%s\n", ((struct fake *) data)->controllers);
}

static const char *fake_writable(void *data, const char *folder)
{
	struct fake *f = data;

	(void) snprintf(f->asked, sizeof(f->asked), "%s", folder);
	return f->unwritable;
}

static struct cgroup_facts facts_of(struct fake *f, const char *self)
{
	struct cgroup_probe probe = { fake_fs, fake_exists, fake_read, fake_writable, f };
	struct cgroup_facts facts;

	if (!f->v1)
		f->v1 = "";
	assert_int_equal(cgroup_facts_from(self, &probe, &facts, NULL), 0);
	return facts;
}

static void facts_of_pure_v2(void **state)
{
	struct fake f = { .root_v2 = true, .controllers = "cpu memory" };
	struct cgroup_facts facts = facts_of(&f, "0::/a/b\n");

	(void) state;
	assert_int_equal(facts.mode, CGROUP_V2);
	assert_string_equal(facts.v2_own, "/a/b");
	assert_string_equal(facts.v2_controllers, "cpu memory");
	assert_int_equal(facts.n_v1, 0);
	assert_null(facts.cannot_create);
	assert_string_equal(f.asked, "a");
	cgroup_facts_done(&facts);
}

static void facts_of_v1_find_folders_in_either_order(void **state)
{
	struct fake f = { .v1 = "cpuacct,cpu memory systemd net_prio", .memsw = true };
	struct cgroup_facts facts = facts_of(&f,
	        "5:net_cls,net_prio:/\n4:hugetlb:/\n3:memory:/m\n2:cpu,cpuacct:/\n"
	        "1:name=systemd:/s\n");

	(void) state;
	assert_int_equal(facts.mode, CGROUP_V1);
	assert_int_equal(facts.n_v1, 4);
	assert_string_equal(facts.v1[0].name, "net_prio");
	assert_string_equal(facts.v1[0].controllers, "net_cls,net_prio");
	assert_string_equal(facts.v1[1].own, "/m");
	assert_string_equal(facts.v1[2].name, "cpuacct,cpu");
	assert_string_equal(facts.v1[2].controllers, "cpu,cpuacct");
	assert_string_equal(facts.v1[3].name, "systemd");
	assert_string_equal(facts.v1[3].controllers, "");
	assert_true(facts.swap_accounting);
	assert_null(facts.v2_controllers);
	cgroup_facts_done(&facts);
}

static void facts_of_hybrid_and_of_nothing(void **state)
{
	struct fake f = { .v1 = "memory", .unified = true, .controllers = "" };
	struct cgroup_facts facts = facts_of(&f, "4:memory:/../x\n0::/\n");
	const char *names[CGROUP_HIERARCHIES_MAX + 1];

	(void) state;
	assert_int_equal(facts.mode, CGROUP_HYBRID);
	assert_string_equal(facts.v1[0].own, "/"); /* outside our namespace: no base for us */
	assert_string_equal(facts.v2_controllers, "");
	assert_false(facts.swap_accounting);
	cgroup_hierarchy_names(&facts, names);
	assert_string_equal(names[0], "memory");
	assert_null(names[1]);
	cgroup_facts_done(&facts);
	f = (struct fake){ .controllers = "" };
	facts = facts_of(&f, "4:memory:/\n0::/\n");
	assert_int_equal(facts.mode, CGROUP_NONE);
	assert_non_null(facts.cannot_create);
	cgroup_facts_done(&facts);
}

static void facts_refuse_what_is_not_a_cgroup_list(void **state)
{
	struct fake f = { .v1 = "", .controllers = "" };
	struct cgroup_probe probe = { fake_fs, fake_exists, fake_read, fake_writable, &f };
	struct cgroup_facts facts;
	struct err err = { 0 };

	(void) state;
	assert_int_equal(cgroup_facts_from("nonsense", &probe, &facts, &err), -EBADMSG);
	assert_contains(err.text, "/proc/self/cgroup");
}

static void mount_data_names_controllers_or_a_name(void **state)
{
	char out[32];

	(void) state;
	assert_int_equal(cgroup_mount_data("cpu,cpuacct", out, sizeof(out)), 0);
	assert_string_equal(out, "cpu,cpuacct");
	assert_int_equal(cgroup_mount_data("systemd", out, sizeof(out)), 0);
	assert_string_equal(out, "none,name=systemd");
	assert_int_equal(cgroup_mount_data("systemd", out, 17), -ENAMETOOLONG);
}

/* --- device rules --- */

enum { R = OCI_ACCESS_READ, W = OCI_ACCESS_WRITE, M = OCI_ACCESS_MKNOD };

/* Runs the program as the kernel would. */
static bool run_program(const struct bpf_insn *insns, size_t n, uint32_t access_type,
        uint32_t major, uint32_t minor)
{
	uint64_t reg[6] = { 0 };
	const uint32_t ctx[3] = { access_type, major, minor };

	for (size_t pc = 0, steps = 0; pc < n && steps < 100000; pc++, steps++) {
		const struct bpf_insn *i = &insns[pc];
		uint64_t imm = (uint64_t) (int64_t) i->imm;
		bool jump = false;

		switch (i->code) {
		case BPF_LDX | BPF_MEM | BPF_W:
			assert_true(i->off % 4 == 0 && i->off / 4 < 3);
			reg[i->dst_reg] = ctx[i->off / 4];
			break;
		case BPF_LD | BPF_DW | BPF_IMM:
			reg[i->dst_reg] = (uint32_t) i->imm | (uint64_t) (uint32_t) insns[++pc].imm
			                                              << 32;
			break;
		case BPF_ALU64 | BPF_LSH | BPF_K:
			reg[i->dst_reg] <<= imm;
			break;
		case BPF_ALU64 | BPF_OR | BPF_X:
			reg[i->dst_reg] |= reg[i->src_reg];
			break;
		case BPF_ALU | BPF_MOV | BPF_X:
			reg[i->dst_reg] = (uint32_t) reg[i->src_reg];
			break;
		case BPF_ALU64 | BPF_RSH | BPF_K:
			reg[i->dst_reg] >>= imm;
			break;
		case BPF_ALU64 | BPF_AND | BPF_K:
			reg[i->dst_reg] &= imm;
			break;
		case BPF_ALU64 | BPF_MOV | BPF_K:
			reg[i->dst_reg] = imm;
			break;
		case BPF_ALU64 | BPF_MOV | BPF_X:
			reg[i->dst_reg] = reg[i->src_reg];
			break;
		case BPF_JMP32 | BPF_JNE | BPF_K:
			jump = (uint32_t) reg[i->dst_reg] != (uint32_t) i->imm;
			break;
		case BPF_JMP32 | BPF_JEQ | BPF_K:
			jump = (uint32_t) reg[i->dst_reg] == (uint32_t) i->imm;
			break;
		case BPF_JMP | BPF_JEQ | BPF_X:
			jump = reg[i->dst_reg] == reg[i->src_reg];
			break;
		case BPF_JMP | BPF_JA:
			jump = true;
			break;
		case BPF_JMP | BPF_JNE | BPF_K:
			jump = reg[i->dst_reg] != imm;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			jump = reg[i->dst_reg] == imm;
			break;
		case BPF_JMP | BPF_EXIT:
			return reg[0] != 0;
		default:
			fail_msg("instruction 0x%x", i->code);
		}
		if (jump)
			pc += (size_t) i->off;
	}
	fail_msg("the program does not end");
	return false;
}

/* The rule in plain words: each bit is decided by the last rule that matches. */
static bool reference(const struct oci_device_rule *rules, size_t n, char type, int64_t major,
        int64_t minor, uint8_t access)
{
	for (uint8_t bit = 1; bit <= M; bit = (uint8_t) (bit << 1)) {
		bool allowed = false;

		for (size_t i = 0; i < n; i++)
			if ((rules[i].type == 'a' || rules[i].type == type) &&
			        (rules[i].major < 0 || rules[i].major == major) &&
			        (rules[i].minor < 0 || rules[i].minor == minor) &&
			        (rules[i].access & bit))
				allowed = rules[i].allow;
		if ((access & bit) && !allowed)
			return false;
	}
	return true;
}

static const struct oci_device_rule mixed_rules[] = {
	{ true, 'c', 1, 3, R | W | M },
	{ false, 'a', -1, -1, R | W | M },
	{ true, 'c', -1, -1, M },
	{ true, 'c', 1, 3, R },
	{ true, 'c', 1, 3, W },
	{ true, 'b', 8, -1, R },
	{ false, 'b', 8, 1, R | W | M },
	{ true, 'c', 136, -1, R | W },
	{ true, 'a', 7, -1, R },
	{ true, 'c', 4294967295, 4294967295, R },
	{ false, 'c', 1, 3, M },
	/* rules for all bits, which the program writes another way */
	{ true, 'c', 136, -1, R | W | M },
	{ false, 'c', 136, 0, R | W | M },
	{ true, 'b', -1, 8, R | W | M },
	{ true, 'b', 4294967295, 4294967295, R | W | M },
	{ true, 'a', 8, 3, R | W | M },
	{ false, 'c', 8, -1, R | W | M },
	{ true, 'b', -1, -1, R | W | M },
	{ false, 'b', 7, 7, R | W | M },
	{ false, 'c', -1, -1, R | W | M },
	{ true, 'c', 0, 0, R | W | M },
	{ true, 'a', -1, -1, R | W | M },
	{ false, 'b', 1, 3, W },
};

static void device_program_decides_each_bit_by_the_last_rule(void **state)
{
	static const int64_t numbers[] = { 0, 1, 3, 7, 8, 136, 4294967295 };
	struct bpf_insn insns[ARRAY_SIZE(mixed_rules) * CGROUP_DEVICE_INSNS + CGROUP_DEVICE_FRAME];

	(void) state;
	for (size_t n = 0; n <= ARRAY_SIZE(mixed_rules); n++) {
		int len = cgroup_device_program(mixed_rules, n, insns, ARRAY_SIZE(insns));

		assert_true(len > 0);
		for (size_t i = 0; i < ARRAY_SIZE(numbers) * ARRAY_SIZE(numbers) * 16; i++) {
			int64_t major = numbers[i / 16 % ARRAY_SIZE(numbers)];
			int64_t minor = numbers[i / 16 / ARRAY_SIZE(numbers)];
			uint8_t oci = i & 7;
			bool block = i & 8;
			uint32_t kernel = (oci & M ? BPF_DEVCG_ACC_MKNOD : 0U) |
			                  (oci & R ? BPF_DEVCG_ACC_READ : 0U) |
			                  (oci & W ? BPF_DEVCG_ACC_WRITE : 0U);
			bool want = reference(mixed_rules, n, block ? 'b' : 'c', major, minor, oci);

			if (oci)
				assert_int_equal(
				        run_program(insns, (size_t) len,
				                kernel << 16 | (block ? BPF_DEVCG_DEV_BLOCK
				                                      : BPF_DEVCG_DEV_CHAR),
				                (uint32_t) major, (uint32_t) minor),
				        want);
		}
	}
	assert_int_equal(cgroup_device_program(mixed_rules, 5, insns, 10), -E2BIG);
}

static void device_rules_reduce_to_exceptions(void **state)
{
	struct oci_device_rule out[2 * ARRAY_SIZE(mixed_rules)];
	bool allow = true;

	(void) state;
	/* deny all; c m; c 1:3 rw (merged); b 8 r: and then a part of it is taken back. */
	assert_int_equal(cgroup_device_reduce(mixed_rules, 6, &allow, out), 3);
	assert_false(allow);
	assert_int_equal(out[1].access, R | W);
	assert_int_equal(cgroup_device_reduce(mixed_rules, 7, &allow, out), -EOPNOTSUPP);
	/* 'a' with numbers is both types */
	assert_int_equal(cgroup_device_reduce(&mixed_rules[8], 1, &allow, out), 2);
	assert_int_equal(out[0].type, 'b');
	assert_int_equal(out[1].type, 'c');
	/* taking back exactly what was given leaves nothing */
	assert_int_equal(
	        cgroup_device_reduce((const struct oci_device_rule[]){ { true, 'c', 1, 3, R | W },
	                                     { false, 'c', -1, -1, R | W | M } },
	                2, &allow, out),
	        0);
	/* allow all, then deny one */
	assert_int_equal(cgroup_device_reduce(
	                         (const struct oci_device_rule[]){ { true, 'a', -1, -1, R | W | M },
	                                 { false, 'c', 1, 5, R } },
	                         2, &allow, out),
	        1);
	assert_true(allow);
}

static void device_rules_that_make_no_sense_are_refused(void **state)
{
	struct cgroup_handle none = CGROUP_HANDLE_INIT;
	const struct oci_device_rule bad[] = { { true, 'x', 1, 3, R } };
	struct err err = { 0 };

	(void) state;
	assert_int_equal(cgroup_devices(&none, bad, 1, &err), -EINVAL);
	assert_int_equal(cgroup_devices(&none, mixed_rules, 1, &err), -EOPNOTSUPP);
	assert_int_equal(cgroup_devices(&none, NULL, 0, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testkit_case(limits_are_written_in_the_language_of_the_machine),
		testkit_case(limits_without_their_controller_are_errors),
		testkit_case(hybrid_uses_v1_controllers_and_what_v2_has),
		testkit_case(swap_without_accounting_is_an_error_unless_it_limits_nothing_more),
		testkit_case(shares_become_weights_on_the_agreed_curve),
		testkit_case(groups_that_cannot_be_made_matter_only_with_limits),
		testkit_case(paths_follow_the_rules),
		testkit_case(relative_paths_go_below_our_own_group),
		testkit_case(paths_that_lead_elsewhere_are_refused),
		testkit_case(facts_of_pure_v2),
		testkit_case(facts_of_v1_find_folders_in_either_order),
		testkit_case(facts_of_hybrid_and_of_nothing),
		testkit_case(facts_refuse_what_is_not_a_cgroup_list),
		testkit_case(mount_data_names_controllers_or_a_name),
		testkit_case(device_program_decides_each_bit_by_the_last_rule),
		testkit_case(device_rules_reduce_to_exceptions),
		testkit_case(device_rules_that_make_no_sense_are_refused),
	};

	return testkit_run(tests);
}
