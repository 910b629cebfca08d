/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One good configuration; each case changes one thing.
 */
#include "testkit.h"

#include "base/str.h"
#include "oci/spec.h"

#include <errno.h>
#include <json-c/json.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/resource.h>

static const char good[] =
        "{\"ociVersion\":\"1.3.0\","
        "\"process\":{\"user\":{\"uid\":1000,\"gid\":100,\"umask\":18,\"additionalGids\":[5,6]},"
        "\"args\":[\"sh\",\"-c\",\"id\"],\"env\":[\"PATH=/bin\",\"A=\"],\"cwd\":\"/tmp\","
        "\"capabilities\":{\"bounding\":[\"CAP_CHOWN\",\"CAP_KILL\"],"
        "\"permitted\":[\"CAP_KILL\"],\"effective\":[\"CAP_KILL\"]},"
        "\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"soft\":1024,\"hard\":18446744073709551615}],"
        "\"noNewPrivileges\":true,\"oomScoreAdj\":-5},"
        "\"root\":{\"path\":\"rootfs\",\"readonly\":true},"
        "\"hostname\":\"box\",\"domainname\":\"example.org\","
        "\"mounts\":[{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"},"
        "{\"destination\":\"data\",\"source\":\"/srv\",\"options\":[\"rbind\",\"ro\"]}],"
        "\"annotations\":{\"org.example.a\":\"1\",\"b\":\"\"},"
        "\"linux\":{\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"mount\"},{\"type\":\"uts\"},"
        "{\"type\":\"ipc\"},{\"type\":\"user\"},{\"type\":\"time\"},"
        "{\"type\":\"network\",\"path\":\"/run/netns/x\"}],"
        "\"uidMappings\":[{\"containerID\":0,\"hostID\":100000,\"size\":65536}],"
        "\"gidMappings\":[{\"containerID\":0,\"hostID\":100000,\"size\":65536}],"
        "\"timeOffsets\":{\"monotonic\":{\"secs\":-10,\"nanosecs\":5}},"
        "\"devices\":[{\"type\":\"c\",\"path\":\"/dev/fuse\",\"major\":10,\"minor\":229,"
        "\"fileMode\":8630,\"uid\":1,\"gid\":2}],"
        "\"cgroupsPath\":\"/a/b\","
        "\"resources\":{\"devices\":[{\"allow\":false,\"access\":\"rwm\"},"
        "{\"allow\":true,\"type\":\"c\",\"major\":0,\"minor\":-1,\"access\":\"rm\"}],"
        "\"memory\":{\"limit\":1048576,\"swap\":-1,\"swappiness\":10,\"kernel\":5,"
        "\"disableOOMKiller\":false},"
        "\"cpu\":{\"shares\":512,\"quota\":-1,\"period\":100000,\"idle\":0,\"cpus\":\"0-1,3\"},"
        "\"pids\":{\"limit\":100},\"unified\":{\"memory.high\":\"1000\"}},"
        "\"sysctl\":{\"net.ipv4.ip_forward\":\"1\"},"
        "\"rootfsPropagation\":\"rslave\","
        "\"maskedPaths\":[\"/proc/kcore\"],\"readonlyPaths\":[\"/proc/sys\"],"
        "\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":38,"
        "\"architectures\":[\"SCMP_ARCH_X86_64\"],\"flags\":[\"SECCOMP_FILTER_FLAG_LOG\"],"
        "\"syscalls\":[{\"names\":[\"read\",\"write\"],\"action\":\"SCMP_ACT_ALLOW\"},"
        "{\"names\":[\"personality\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":1,"
        "\"args\":[{\"index\":5,\"value\":18446744073709551615,\"valueTwo\":2,"
        "\"op\":\"SCMP_CMP_MASKED_EQ\"}]}]}}}";

struct reading {
	struct oci_spec *spec;
	struct err err;
	int code;
};

static void reading_done(struct reading *x)
{
	oci_spec_free(x->spec);
}
#define _reading_ _cleanup_(reading_done) struct reading

static struct reading read_bytes(const char *text)
{
	struct reading x = { 0 };

	x.code = oci_spec_parse(text, strlen(text), &x.spec, &x.err);
	return x;
}

/* Sets the value at a dotted path of the document; objects on the way are made; NULL removes. */
static void set_value(struct json_object *object, const char *path, const char *value)
{
	_free_ char *copy = xstrdup(path);
	char *rest = copy, *key;

	while ((key = strsep(&rest, ".")) && rest) {
		struct json_object *next = json_object_object_get(object, key);

		if (!next) {
			next = json_object_new_object();
			json_object_object_add(object, key, next);
		}
		object = next;
	}
	if (value)
		json_object_object_add(object, key, json_tokener_parse(value));
	else
		json_object_object_del(object, key);
}

static struct reading read_changed(const char *path, const char *value)
{
	struct json_object *object = json_tokener_parse(good);
	struct reading x;

	set_value(object, path, value);
	x = read_bytes(json_object_to_json_string(object));
	json_object_put(object);
	return x;
}

static void every_field_is_read(void **state)
{
	_reading_ x = read_bytes(good);
	const struct oci_process *p;

	if (x.code < 0)
		print_error("%s\n", x.err.text);
	assert_int_equal(x.code, 0);
	p = &x.spec->process;
	assert_string_equal(x.spec->version, "1.3.0");
	assert_true(x.spec->has_process && p->no_new_privileges && !p->terminal);
	assert_int_equal(p->uid, 1000);
	assert_int_equal(p->gid, 100);
	assert_true(p->has_umask);
	assert_int_equal(p->umask, 022);
	assert_int_equal(p->n_additional_gids, 2);
	assert_int_equal(p->additional_gids[1], 6);
	assert_string_equal(p->args[2], "id");
	assert_null(p->args[3]);
	assert_string_equal(p->env[1], "A=");
	assert_null(p->env[2]);
	assert_string_equal(p->cwd, "/tmp");
	assert_true(p->caps.has_caps);
	assert_int_equal(p->caps.bounding, 1u << CAP_CHOWN | 1u << CAP_KILL);
	assert_int_equal(p->caps.permitted, 1u << CAP_KILL);
	assert_int_equal(p->caps.ambient, 0);
	assert_int_equal(p->n_rlimits, 1);
	assert_int_equal(p->rlimits[0].resource, RLIMIT_NOFILE);
	assert_string_equal(p->rlimits[0].name, "RLIMIT_NOFILE");
	assert_true(p->rlimits[0].soft == 1024 && p->rlimits[0].hard == UINT64_MAX);
	assert_true(p->has_oom_score_adj && p->oom_score_adj == -5);
	assert_string_equal(x.spec->root_path, "rootfs");
	assert_true(x.spec->root_readonly);
	assert_string_equal(x.spec->hostname, "box");
	assert_string_equal(x.spec->domainname, "example.org");
	assert_int_equal(x.spec->n_annotations, 2);
	assert_string_equal(x.spec->annotations[0].key, "org.example.a");
	assert_string_equal(x.spec->annotations[0].value, "1");
	assert_null(x.spec->unknown[0]);
	assert_null(x.spec->unsupported[0]);
	assert_null(x.spec->notes[0]);
}

static void every_mount_and_linux_field_is_read(void **state)
{
	_reading_ x = read_bytes(good);
	const struct oci_linux *l;

	assert_int_equal(x.code, 0);
	l = &x.spec->linux_;
	assert_int_equal(x.spec->n_mounts, 2);
	assert_string_equal(x.spec->mounts[0].type, "proc");
	assert_null(x.spec->mounts[0].options[0]);
	assert_null(x.spec->mounts[1].type);
	assert_string_equal(x.spec->mounts[1].destination, "/data");
	assert_string_equal(x.spec->mounts[1].options[1], "ro");
	assert_int_equal(l->n_namespaces, 7);
	assert_int_equal(l->namespaces[1].clone_flag, CLONE_NEWNS);
	assert_null(l->namespaces[1].path);
	assert_string_equal(l->namespaces[6].path, "/run/netns/x");
	assert_int_equal(l->n_uid_mappings, 1);
	assert_int_equal(l->gid_mappings[0].host_id, 100000);
	assert_true(l->monotonic.has && l->monotonic.secs == -10 && l->monotonic.nanosecs == 5);
	assert_false(l->boottime.has);
	assert_int_equal(l->n_devices, 1);
	assert_int_equal(l->devices[0].type, 'c');
	assert_true(l->devices[0].has_mode);
	assert_int_equal(l->devices[0].mode, 0666);
	assert_int_equal(l->devices[0].minor, 229);
	assert_string_equal(l->cgroups_path, "/a/b");
	assert_string_equal(l->sysctl[0].key, "net.ipv4.ip_forward");
	assert_string_equal(l->rootfs_propagation, "rslave");
	assert_string_equal(l->masked_paths[0], "/proc/kcore");
	assert_string_equal(l->readonly_paths[0], "/proc/sys");
}

static void every_resource_is_read(void **state)
{
	_reading_ x = read_bytes(good);
	const struct oci_resources *res;

	assert_int_equal(x.code, 0);
	res = &x.spec->linux_.resources;
	assert_int_equal(res->n_devices, 2);
	assert_int_equal(res->devices[0].type, 'a');
	assert_int_equal(res->devices[0].major, -1);
	assert_int_equal(res->devices[0].minor, -1);
	assert_int_equal(res->devices[0].access, 7);
	assert_true(res->devices[1].allow);
	assert_int_equal(res->devices[1].major, 0);
	assert_int_equal(res->devices[1].minor, -1);
	assert_int_equal(res->devices[1].access, OCI_ACCESS_READ | OCI_ACCESS_MKNOD);
	assert_true(res->memory_limit.has && res->memory_limit.value == 1048576);
	assert_true(res->memory_swap.has && res->memory_swap.value == -1);
	assert_false(res->memory_reservation.has);
	assert_true(res->memory_swappiness.has && res->memory_swappiness.value == 10);
	assert_true(res->has_disable_oom_killer && !res->disable_oom_killer);
	assert_true(res->cpu_shares.has && res->cpu_shares.value == 512);
	assert_true(res->cpu_quota.has && res->cpu_quota.value == -1);
	assert_true(res->cpu_idle.has && res->cpu_idle.value == 0);
	assert_string_equal(res->cpuset_cpus, "0-1,3");
	assert_null(res->cpuset_mems);
	assert_true(res->pids_limit.has && res->pids_limit.value == 100);
	assert_int_equal(res->n_unified, 1);
	assert_string_equal(res->unified[0].value, "1000");
}

static void seccomp_is_read(void **state)
{
	_reading_ x = read_bytes(good);
	const struct oci_seccomp *s;

	assert_int_equal(x.code, 0);
	s = x.spec->linux_.seccomp;
	assert_non_null(s);
	assert_int_equal(s->default_action, OCI_ACT_ERRNO);
	assert_true(s->has_default_errno && s->default_errno == 38);
	assert_string_equal(s->architectures[0], "SCMP_ARCH_X86_64");
	assert_string_equal(s->flags[0], "SECCOMP_FILTER_FLAG_LOG");
	assert_int_equal(s->n_rules, 2);
	assert_string_equal(s->rules[0].names[1], "write");
	assert_int_equal(s->rules[0].action, OCI_ACT_ALLOW);
	assert_false(s->rules[0].has_errno);
	assert_true(s->rules[1].has_errno && s->rules[1].errno_ret == 1);
	assert_int_equal(s->rules[1].n_args, 1);
	assert_int_equal(s->rules[1].args[0].index, 5);
	assert_true(s->rules[1].args[0].value == UINT64_MAX && s->rules[1].args[0].value_two == 2);
	assert_int_equal(s->rules[1].args[0].op, OCI_OP_MASKED_EQ);
}

struct change {
	const char *path, *value, *why;
};

static void assert_refused(const struct change *c, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		_reading_ x = read_changed(c[i].path, c[i].value);

		if (x.code != -EINVAL)
			print_error("%s = %s is not refused\n", c[i].path, c[i].value);
		assert_int_equal(x.code, -EINVAL);
		assert_contains(x.err.text, "config.json: ");
		assert_contains(x.err.text, c[i].why);
	}
}

static void assert_accepted(const struct change *c, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		_reading_ x = read_changed(c[i].path, c[i].value);

		if (x.code < 0)
			print_error("%s = %s: %s\n", c[i].path, c[i].value, x.err.text);
		assert_int_equal(x.code, 0);
	}
}

static void bad_top_level_values_are_refused(void **state)
{
	static const struct change bad[] = {
		{ "ociVersion", NULL, "'ociVersion' is missing" },
		{ "ociVersion", "\"2.0.0\"", "unknown version specified" },
		{ "ociVersion", "\"1.4.0\"", "unknown version specified" },
		{ "ociVersion", "\"1.0\"", "unknown version specified" },
		{ "ociVersion", "\"\"", "unknown version specified" },
		{ "ociVersion", "\"unknown\"", "unknown version specified" },
		{ "ociVersion", "\"1.0.0x\"", "unknown version specified" },
		{ "ociVersion", "\"1.0.0-\"", "unknown version specified" },
		{ "ociVersion", "\"0.9.0\"", "unknown version specified" },
		{ "ociVersion", "1.0", "'ociVersion' must be a string" },
		{ "root", NULL, "'root' is missing" },
		{ "root", "null", "'root' is missing" },
		{ "root.path", NULL, "'root.path' is missing" },
		{ "root.path", "\"\"", "'root.path' must not be empty" },
		{ "root.readonly", "1", "'root.readonly' must be a boolean, not an integer" },
		{ "hostname", "\"a\\nb\"", "'hostname' has a control character" },
		{ "hostname",
		        "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"",
		        "'hostname' is longer than 64 bytes" },
		{ "annotations", "{\"a\":1}", "'annotations.a' must be a string" },
		{ "annotations", "{\"\":\"x\"}", "has an empty key" },
		{ "annotations", "[]", "'annotations' must be an object of strings" },
		{ "mounts", "{}", "'mounts' must be a list of objects" },
		{ "mounts", "[{}]", "'mounts[0].destination' is missing" },
		{ "mounts", "[{\"destination\":\"\"}]", "'mounts[0].destination' must not be" },
		{ "mounts", "[{\"destination\":\"/a\",\"options\":[1]}]",
		        "'mounts[0].options[0]' must be a string" },
		{ "mounts",
		        "[{\"destination\":\"/a\",\"uidMappings\":[{\"containerID\":0,"
		        "\"hostID\":1,\"size\":1}]}]",
		        "both uidMappings and gidMappings" },
		{ "linux.namespaces",
		        "[{\"type\":\"mount\"},{\"type\":\"user\"},{\"type\":\"time\"},"
		        "{\"type\":\"network\"}]",
		        "'hostname' needs a uts namespace" },
	};

	assert_refused(bad, ARRAY_SIZE(bad));
}

static void bad_process_values_are_refused(void **state)
{
	static const struct change bad[] = {
		{ "process.args", NULL, "'process.args' must not be empty" },
		{ "process.args", "[]", "'process.args' must not be empty" },
		{ "process.args", "[\"\"]", "'process.args[0]' must not be empty" },
		{ "process.args", "\"sh\"", "'process.args' must be a list of strings" },
		{ "process.cwd", NULL, "'process.cwd' is missing" },
		{ "process.cwd", "\"\"", "'process.cwd' must not be empty" },
		{ "process.cwd", "\"tmp\"", "'process.cwd' must be an absolute path" },
		{ "process.user.uid", "-1", "'process.user.uid' must be between 0 and 4294967294" },
		{ "process.user.uid", "4294967295", "'process.user.uid' must be between" },
		{ "process.user.gid", "\"0\"", "'process.user.gid' must be an integer" },
		{ "process.user.uid", "0.5", "'process.user.uid' must be an integer" },
		{ "process.user.umask", "512", "'process.user.umask' must be between 0 and 511" },
		{ "process.user.additionalGids", "[4294967295]", "additionalGids[0]" },
		{ "process.oomScoreAdj", "1001", "'process.oomScoreAdj' must be between -1000" },
		{ "process.capabilities", "[]", "'process.capabilities' must be an object" },
		{ "process.capabilities.bounding", "[1]", "bounding[0]' must be a string" },
		{ "process.rlimits", "[{\"type\":\"RLIMIT_X\",\"soft\":1,\"hard\":1}]",
		        "'process.rlimits[0].type' has the unknown value 'RLIMIT_X'" },
		{ "process.rlimits", "[{\"type\":\"RLIMIT_CPU\",\"soft\":1}]",
		        "'process.rlimits[0].hard' is missing" },
		{ "process.rlimits", "[{\"type\":\"RLIMIT_CPU\",\"soft\":2,\"hard\":1}]",
		        "soft limit above its hard limit" },
		{ "process.rlimits",
		        "[{\"type\":\"RLIMIT_CPU\",\"soft\":1,\"hard\":1},"
		        "{\"type\":\"RLIMIT_CPU\",\"soft\":2,\"hard\":2}]",
		        "'process.rlimits' has RLIMIT_CPU twice" },
		{ "process", "[]", "'process' must be an object" },
	};

	assert_refused(bad, ARRAY_SIZE(bad));
}

static void bad_linux_values_are_refused(void **state)
{
	static const struct change bad[] = {
		{ "linux.namespaces", "[{\"type\":\"pid\"},{\"type\":\"pid\"}]",
		        "'linux.namespaces' has 'pid' twice" },
		{ "linux.namespaces", "[{\"type\":\"net\"}]", "has the unknown value 'net'" },
		{ "linux.namespaces", "[{\"type\":\"pid\",\"path\":\"ns\"}]",
		        "'linux.namespaces[0].path' must be an absolute path" },
		{ "linux.namespaces",
		        "[{\"type\":\"mount\"},{\"type\":\"uts\"},{\"type\":\"time\"},"
		        "{\"type\":\"network\"}]",
		        "'linux.uidMappings' needs a user namespace" },
		{ "linux.namespaces",
		        "[{\"type\":\"mount\"},{\"type\":\"uts\"},{\"type\":\"user\"},"
		        "{\"type\":\"network\"}]",
		        "'linux.timeOffsets' needs a time namespace" },
		{ "linux.namespaces",
		        "[{\"type\":\"uts\"},{\"type\":\"user\"},{\"type\":\"time\"}]",
		        "'linux.maskedPaths' needs a mount namespace" },
		{ "linux.uidMappings", "[{\"containerID\":0,\"hostID\":1,\"size\":0}]",
		        "'linux.uidMappings[0].size' must be between 1" },
		{ "linux.uidMappings", "[{\"containerID\":0,\"hostID\":4294967295,\"size\":1}]",
		        "beyond the largest id" },
		{ "linux.uidMappings",
		        "[{\"containerID\":0,\"hostID\":10,\"size\":5},"
		        "{\"containerID\":4,\"hostID\":20,\"size\":5}]",
		        "overlapping members 0 and 1" },
		{ "linux.gidMappings",
		        "[{\"containerID\":0,\"hostID\":10,\"size\":5},"
		        "{\"containerID\":5,\"hostID\":14,\"size\":5}]",
		        "'linux.gidMappings' has the overlapping members" },
		{ "linux.timeOffsets.boottime", "{\"nanosecs\":1000000000}", "must be between" },
		{ "linux.devices", "[{\"type\":\"x\",\"path\":\"/dev/x\"}]", "unknown value 'x'" },
		{ "linux.devices", "[{\"type\":\"c\",\"path\":\"dev/x\"}]", "an absolute path" },
		{ "linux.devices", "[{\"type\":\"c\"}]", "'linux.devices[0].path' is missing" },
		{ "linux.devices", "[{\"type\":\"c\",\"path\":\"/x\",\"major\":4096}]", "major" },
		{ "linux.devices", "[{\"type\":\"c\",\"path\":\"/x\",\"minor\":-1}]", "minor" },
		{ "linux.cgroupsPath", "\"/a/../b\"", "'linux.cgroupsPath' must not contain '..'" },
		{ "linux.cgroupsPath", "\"..\"", "must not contain '..'" },
		{ "linux.cgroupsPath", "\"/a/..\"", "must not contain '..'" },
		{ "linux.cgroupsPath", "\"/a\\nb\"", "control character" },
		{ "linux.rootfsPropagation", "\"public\"", "'linux.rootfsPropagation' must be" },
		{ "linux.maskedPaths", "[\"proc/kcore\"]",
		        "'linux.maskedPaths[0]' must be an abs" },
		{ "linux.readonlyPaths", "[\"\"]", "'linux.readonlyPaths[0]' must be an absolute" },
	};

	assert_refused(bad, ARRAY_SIZE(bad));
}

static void bad_resources_are_refused(void **state)
{
	static const struct change bad[] = {
		{ "linux.resources.memory.limit", "\"1g\"",
		        "'linux.resources.memory.limit' must be an integer, not a string" },
		{ "linux.resources.memory.limit", "-2", "must be between -1" },
		{ "linux.resources.memory.limit", "18446744073709551615", "must be between -1" },
		{ "linux.resources.memory.swappiness", "101", "must be between 0 and 100" },
		{ "linux.resources.cpu.shares", "-1", "'linux.resources.cpu.shares' must be" },
		{ "linux.resources.cpu.idle", "2", "must be between 0 and 1" },
		{ "linux.resources.cpu.cpus", "\"0-1\\n\"", "must be a list such as" },
		{ "linux.resources.cpu.mems", "\"../x\"", "must be a list such as" },
		{ "linux.resources.pids.limit", "1.5", "'linux.resources.pids.limit' must be an" },
		{ "linux.resources.devices", "[{\"access\":\"rwm\"}]",
		        "devices[0].allow' is miss" },
		{ "linux.resources.devices", "[{\"allow\":true,\"access\":\"x\"}]",
		        "letters r, w" },
		{ "linux.resources.devices", "[{\"allow\":true,\"type\":\"u\"}]",
		        "'a', 'b' or 'c'" },
		{ "linux.resources.devices", "[{\"allow\":true,\"type\":\"cb\"}]", "'a', 'b' or" },
		{ "linux.resources.devices", "[{\"allow\":true,\"major\":-2}]", "between -1" },
		{ "linux.resources.unified", "{\"../x.y\":\"1\"}", "file names of a cgroup" },
		{ "linux.resources.unified", "{\"memory\":\"1\"}", "file names of a cgroup" },
		{ "linux.resources.unified", "{\"..\":\"1\"}", "file names of a cgroup" },
		{ "linux.resources.unified", "{\"memory.high\":1}", "must be a string" },
	};

	assert_refused(bad, ARRAY_SIZE(bad));
}

static void bad_seccomp_is_refused(void **state)
{
	static const struct change bad[] = {
		{ "linux.seccomp.defaultAction", NULL, "defaultAction' is missing" },
		{ "linux.seccomp.defaultAction", "\"ALLOW\"", "unknown value 'ALLOW'" },
		{ "linux.seccomp.defaultAction", "\"SCMP_ACT_NOTIFY\"",
		        "must not be SCMP_ACT_NOT" },
		{ "linux.seccomp.architectures", "[\"x86\"]", "unknown member 'x86'" },
		{ "linux.seccomp.flags", "[\"SECCOMP_FILTER_FLAG_X\"]", "unknown member" },
		{ "linux.seccomp.syscalls", "[{\"names\":[],\"action\":\"SCMP_ACT_LOG\"}]",
		        "'linux.seccomp.syscalls[0].names' must not be empty" },
		{ "linux.seccomp.syscalls", "[{\"names\":[\"a\"]}]", "action' is missing" },
		{ "linux.seccomp.syscalls", "[{\"names\":[\"a\"],\"action\":\"SCMP_ACT_NOTIFY\"}]",
		        "'linux.seccomp.listenerPath' is missing" },
		{ "linux.seccomp.syscalls",
		        "[{\"names\":[\"a\"],\"action\":\"SCMP_ACT_LOG\",\"args\":[{\"index\":6,"
		        "\"value\":0,\"op\":\"SCMP_CMP_EQ\"}]}]",
		        "syscalls[0].args[0].index' must be between 0 and 5" },
		{ "linux.seccomp.syscalls",
		        "[{\"names\":[\"a\"],\"action\":\"SCMP_ACT_LOG\",\"args\":[{\"index\":1,"
		        "\"value\":0,\"op\":\"SCMP_CMP_XX\"}]}]",
		        "unknown value 'SCMP_CMP_XX'" },
		{ "linux.seccomp.syscalls",
		        "[{\"names\":[\"a\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":65536}]",
		        "errnoRet' must be between" },
		{ "linux.seccomp.listenerMetadata", "\"x\"", "needs a listenerPath" },
		{ "linux.seccomp.listenerPath", "\"run/x\"", "an absolute path" },
	};

	assert_refused(bad, ARRAY_SIZE(bad));
}

static void unusual_good_values_are_accepted(void **state)
{
	static const struct change fine[] = {
		{ "ociVersion", "\"1.0.0\"", "" },
		{ "ociVersion", "\"1.0.2-dev\"", "" },
		{ "ociVersion", "\"1.2.1+dev\"", "" },
		{ "ociVersion", "\"1.0.0-rc5\"", "" },
		{ "ociVersion", "\"1.3.17\"", "" },
		{ "process", NULL, "" },
		{ "process", "null", "" },
		{ "process.env", "null", "" },
		{ "process.capabilities", NULL, "" },
		{ "linux.resources", "null", "" },
		{ "linux.seccomp", "null", "" },
		{ "linux.resources.unified", "{\"hugetlb.2MB.max\":\"1\"}", "" },
		{ "linux.cgroupsPath", "\"system.slice:x:../y\"", "" },
		{ "linux.cgroupsPath", "\"\"", "" },
		{ "linux.cgroupsPath", "\"a..b/...\"", "" },
		{ "linux.devices", "[{\"type\":\"p\",\"path\":\"/dev/fifo\"}]", "" },
		{ "mounts", "null", "" },
	};
	_reading_ x = read_bytes("{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"r\"}}");

	assert_accepted(fine, ARRAY_SIZE(fine));
	assert_int_equal(x.code, 0);
	assert_false(x.spec->has_process);
	assert_null(x.spec->process.args[0]);
	assert_null(x.spec->linux_.masked_paths[0]);
	assert_null(x.spec->linux_.seccomp);
}

static void only_sysctls_of_own_namespaces_are_accepted(void **state)
{
	static const struct change fine[] = {
		{ "linux.sysctl", "{\"kernel.shmmax\":\"1\",\"kernel.msgmax\":\"1\"}", "" },
		{ "linux.sysctl", "{\"kernel.sem\":\"1 2\\t3\",\"fs.mqueue.msg_max\":\"1\"}", "" },
		{ "linux.sysctl", "{\"net/ipv4/ip_forward\":\"1\"}", "" },
		{ "linux.sysctl", "{\"net.ipv4.conf.eth0/1.forwarding\":\"1\"}", "" },
		{ "linux.sysctl", "{\"user.max_user_namespaces\":\"0\"}", "" },
		{ "linux.sysctl", "{\"vm.memfd_noexec\":\"1\"}", "" },
	};
	static const struct change bad[] = {
		{ "linux.sysctl", "{\"kernel.core_pattern\":\"|/x\"}", "would change the host" },
		{ "linux.sysctl", "{\"kernel/core_pattern\":\"|/x\"}", "would change the host" },
		{ "linux.sysctl", "{\"vm.overcommit_memory\":\"1\"}", "would change the host" },
		{ "linux.sysctl", "{\"net\":\"1\"}", "would change the host" },
		{ "linux.sysctl", "{\"kernel.semx\":\"1\"}", "would change the host" },
		{ "linux.sysctl", "{\"kernel.shm_rmid_forced+kernel.core_pattern\":\"1\"}",
		        "is not the name of a sysctl" },
		{ "linux.sysctl", "{\"net/../kernel/core_pattern\":\"1\"}", "is not the name" },
		{ "linux.sysctl", "{\"net.//.kernel.core_pattern\":\"1\"}", "is not the name" },
		{ "linux.sysctl", "{\"net..x\":\"1\"}", "is not the name" },
		{ "linux.sysctl", "{\"/net/x\":\"1\"}", "is not the name" },
		{ "linux.sysctl", "{\"net.ipv4.x\":\"1\\nkernel.y=2\"}", "control character" },
		{ "linux.sysctl", "{\"net.ipv4.x y\":\"1\"}", "is not the name" },
		{ "linux.sysctl", "{\"kernel.hostname\":\"box\"}", "what 'hostname' sets" },
		{ "linux.sysctl", "{\"kernel.domainname\":\"other\"}", "something else than" },
		{ "linux.sysctl", "{\"net.ipv4.x\":1}", "'linux.sysctl.net.ipv4.x' must be a str" },
		{ "linux.namespaces",
		        "[{\"type\":\"mount\"},{\"type\":\"uts\"},{\"type\":\"time\"},"
		        "{\"type\":\"user\"}]",
		        "'linux.sysctl.net.ipv4.ip_forward' would change the host: it needs a network" },
	};

	assert_accepted(fine, ARRAY_SIZE(fine));
	assert_refused(bad, ARRAY_SIZE(bad));
}

static void sysctl_paths_follow_the_first_separator(void **state)
{
	static const struct {
		const char *key, *path;
	} cases[] = {
		{ "net.ipv4.ip_forward", "net/ipv4/ip_forward" },
		{ "net/ipv4/ip_forward", "net/ipv4/ip_forward" },
		{ "net.ipv4.conf.eth0/1.forwarding", "net/ipv4/conf/eth0.1/forwarding" },
		{ "net/ipv4/conf/eth0.1/forwarding", "net/ipv4/conf/eth0.1/forwarding" },
		{ "a", "a" },
		{ "", NULL },
		{ ".", NULL },
		{ "a.", NULL },
		{ "a/./b", NULL },
		{ "a//b", NULL },
		{ "a/../b", NULL },
		{ "a.//.b", NULL },
		{ "a./.b", NULL },
		{ "a b", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_free_ char *path = oci_sysctl_path(cases[i].key);

		if (cases[i].path) {
			assert_non_null(path);
			assert_string_equal(path, cases[i].path);
		} else {
			assert_null(path);
		}
	}
}

static void unsupported_keys_are_listed(void **state)
{
	static const struct change cases[] = {
		{ "hooks.prestart", "[{\"path\":\"/x\"}]", "hooks.prestart" },
		{ "hooks.poststop", "[{\"path\":\"/x\"}]", "hooks.poststop" },
		{ "linux.intelRdt", "{\"closID\":\"x\"}", "linux.intelRdt" },
		{ "linux.netDevices", "{\"eth0\":{\"name\":\"x\"}}", "linux.netDevices" },
		{ "linux.memoryPolicy", "{\"mode\":\"x\"}", "linux.memoryPolicy" },
		{ "linux.personality", "{\"domain\":\"LINUX32\"}", "linux.personality" },
		{ "linux.personality", "{\"domain\":\"LINUX\",\"flags\":[\"x\"]}",
		        "linux.personality" },
		{ "linux.resources.blockIO", "{\"weight\":5}", "linux.resources.blockIO.weight" },
		{ "linux.resources.blockIO", "{\"throttleReadBpsDevice\":[{\"major\":8}]}",
		        "linux.resources.blockIO.throttleReadBpsDevice" },
		{ "linux.resources.hugepageLimits", "[{\"pageSize\":\"2MB\"}]",
		        "linux.resources.hugepageLimits" },
		{ "linux.resources.network", "{\"classID\":1}", "linux.resources.network" },
		{ "linux.resources.rdma", "{\"m\":{\"hcaHandles\":3}}", "linux.resources.rdma" },
		{ "linux.seccomp.listenerPath", "\"/run/x\"", "linux.seccomp.listenerPath" },
		{ "process.scheduler", "{\"policy\":\"SCHED_IDLE\"}", "process.scheduler" },
		{ "process.ioPriority", "{\"class\":\"IOPRIO_CLASS_RT\"}", "process.ioPriority" },
		{ "process.execCPUAffinity", "{\"initial\":\"0\"}", "process.execCPUAffinity" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_reading_ x = read_changed(cases[i].path, cases[i].value);

		assert_int_equal(x.code, 0);
		assert_non_null(x.spec->unsupported[0]);
		assert_string_equal(x.spec->unsupported[0], cases[i].why);
		assert_null(x.spec->unsupported[1]);
	}
}

static void console_size_is_read(void **state)
{
	_reading_ x = read_changed("process.consoleSize", "{\"height\":24,\"width\":80}");
	static const char *const bad[] = { "{\"height\":24}", "{\"height\":65536,\"width\":1}",
		"{\"height\":-1,\"width\":1}", "[24,80]", "{\"height\":\"24\",\"width\":80}" };

	(void) state;
	assert_int_equal(x.code, 0);
	assert_int_equal(x.spec->process.console_rows, 24);
	assert_int_equal(x.spec->process.console_cols, 80);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_reading_ y = read_changed("process.consoleSize", bad[i]);

		assert_int_equal(y.code, -EINVAL);
		assert_contains(y.err.text, "process.consoleSize");
	}
}

static void empty_and_foreign_sections_say_nothing(void **state)
{
	static const struct change cases[] = {
		{ "hooks", "{}", "" },
		{ "hooks", "{\"prestart\":[],\"poststop\":null}", "" },
		{ "linux.resources.blockIO", "{\"weight\":null,\"throttleReadBpsDevice\":[]}", "" },
		{ "linux.resources.blockIO", "{\"weight\":0,\"leafWeight\":0}", "" },
		{ "linux.resources.hugepageLimits", "[]", "" },
		{ "linux.intelRdt", "{}", "" },
		{ "linux.personality", "{\"domain\":\"LINUX\"}", "" },
		{ "windows", "{\"layerFolders\":[\"x\"]}", "" },
		{ "solaris", "{\"milestone\":\"x\"}", "" },
		{ "vm", "{\"kernel\":{\"path\":\"x\"}}", "" },
		{ "zos", "{\"a\":1}", "" },
		{ "freebsd", "{\"a\":1}", "" },
		{ "process.consoleSize", "{\"height\":1,\"width\":2}", "" },
		{ "process.commandLine", "\"x\"", "" },
		{ "linux.resources.memory.useHierarchy", "true", "" },
		{ "linux.resources.memory.kernelTCP", "5", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_reading_ x = read_changed(cases[i].path, cases[i].value);

		assert_int_equal(x.code, 0);
		assert_null(x.spec->unsupported[0]);
		assert_null(x.spec->unknown[0]);
	}
}

static void unknown_keys_are_ignored_and_listed(void **state)
{
	_reading_ x = read_changed("linux.resources.memory.newThing", "[1,2]");
	_reading_ y = read_changed("future", "true");

	assert_int_equal(x.code, 0);
	assert_string_equal(x.spec->unknown[0], "linux.resources.memory.newThing");
	assert_null(x.spec->unknown[1]);
	assert_int_equal(y.code, 0);
	assert_string_equal(y.spec->unknown[0], "future");
}

static void unknown_capability_and_odd_env_are_noted(void **state)
{
	_reading_ x = read_changed("process.capabilities.bounding",
	        "[\"CAP_KILL\",\"CAP_NEWER\",\"KILL\",\"CAP_\\u001b[31m\"]");
	_reading_ y = read_changed("process.env", "[\"A=1\",\"HOME\",\"=x\",\"B=2\",\"\"]");

	assert_int_equal(x.code, 0);
	assert_int_equal(x.spec->process.caps.bounding, 1u << CAP_KILL);
	assert_contains(x.spec->notes[0], "'process.capabilities.bounding' has the unknown "
	                                  "capability 'CAP_NEWER'");
	assert_contains(x.spec->notes[2], "\\x1b[31m");
	assert_null(x.spec->notes[3]);
	assert_int_equal(y.code, 0);
	assert_string_equal(y.spec->process.env[0], "A=1");
	assert_string_equal(y.spec->process.env[1], "B=2");
	assert_null(y.spec->process.env[2]);
	assert_contains(y.spec->notes[0], "'process.env' has the entry 'HOME'");
	assert_non_null(y.spec->notes[2]);
}

static void duplicate_keys_are_refused_at_any_depth(void **state)
{
	static const char *const bad[] = {
		"{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"r\"},\"root\":{\"path\":\"/\"}}",
		"{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"r\",\"pat\\u0068\":\"/\"}}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_reading_ x = read_bytes(bad[i]);

		assert_int_equal(x.code, -EINVAL);
		assert_contains(x.err.text, "stands twice");
	}
}

static void bounds_hold(void **state)
{
	_buf_done_ struct buf b = BUF_INIT(8 << 20);
	_cleanup_(oci_spec_freep) struct oci_spec *spec = NULL;
	struct err err;

	assert_int_equal(buf_adds(&b, "{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"r\"},"
	                              "\"mounts\":["),
	        0);
	for (int i = 0; i <= OCI_LIST_MAX; i++)
		assert_int_equal(buf_addf(&b, "%s{\"destination\":\"/x\"}", i ? "," : ""), 0);
	assert_int_equal(buf_adds(&b, "]}"), 0);
	assert_int_equal(oci_spec_parse(b.data, b.len, &spec, &err), -EMSGSIZE);
	buf_clear(&b);
	for (int i = 0; i < OCI_CONFIG_MAX; i++)
		assert_int_equal(buf_addc(&b, ' '), 0);
	assert_int_equal(buf_adds(&b, "{}"), 0);
	assert_int_equal(oci_spec_parse(b.data, b.len, &spec, &err), -EMSGSIZE);
	assert_null(spec);
}

static void default_configs_parse_without_remarks(void **state)
{
	for (int rootless = 0; rootless < 2; rootless++) {
		_free_ char *text = oci_spec_default_json(rootless, 1000, 1001);
		_reading_ x = read_bytes(text);

		if (x.code < 0)
			print_error("%s\n", x.err.text);
		assert_int_equal(x.code, 0);
		assert_null(x.spec->unknown[0]);
		assert_null(x.spec->unsupported[0]);
		assert_null(x.spec->notes[0]);
		assert_string_equal(x.spec->process.args[0], "sh");
		assert_string_equal(x.spec->hostname, "bulkhead");
		assert_int_equal(x.spec->n_mounts, 7);
		assert_int_equal(x.spec->linux_.n_uid_mappings, rootless);
		if (rootless) {
			assert_int_equal(x.spec->linux_.uid_mappings[0].host_id, 1000);
			assert_int_equal(x.spec->linux_.gid_mappings[0].host_id, 1001);
		}
		assert_golden(rootless ? "spec-rootless.json" : "spec.json", text);
	}
}

static void ids_are_checked(void **state)
{
	static const char *const fine[] = { "a", "web-1", "_x", "+a", "-a", "A.b_c+d-e", "1" };
	static const char *const bad[] = { "", ".", "..", ".a", "a/b", "../x", "a b", "a\n",
		"a\xc3\xa4", "a:b", "a%b" };
	char text[OCI_ID_MAX + 2];

	for (size_t i = 0; i < ARRAY_SIZE(fine); i++)
		assert_true(oci_id_is_valid(fine[i]));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(oci_id_is_valid(bad[i]));
	memset(text, 'a', sizeof(text));
	text[OCI_ID_MAX] = '\0';
	assert_true(oci_id_is_valid(text));
	text[OCI_ID_MAX] = 'a';
	text[OCI_ID_MAX + 1] = '\0';
	assert_false(oci_id_is_valid(text));
}

static void namespace_names_and_flags_agree(void **state)
{
	static const char *const names[] = { "pid", "network", "mount", "ipc", "uts", "user",
		"cgroup", "time" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_string_equal(oci_namespace_name(oci_namespace_flag(names[i])), names[i]);
	assert_int_equal(oci_namespace_flag("net"), 0);
	assert_int_equal(oci_namespace_flag("mnt"), 0);
	assert_null(oci_namespace_name(0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testkit_case(every_field_is_read),
		testkit_case(every_mount_and_linux_field_is_read),
		testkit_case(every_resource_is_read),
		testkit_case(seccomp_is_read),
		testkit_case(bad_top_level_values_are_refused),
		testkit_case(bad_process_values_are_refused),
		testkit_case(bad_linux_values_are_refused),
		testkit_case(bad_resources_are_refused),
		testkit_case(bad_seccomp_is_refused),
		testkit_case(unusual_good_values_are_accepted),
		testkit_case(only_sysctls_of_own_namespaces_are_accepted),
		testkit_case(sysctl_paths_follow_the_first_separator),
		testkit_case(unsupported_keys_are_listed),
		testkit_case(console_size_is_read),
		testkit_case(empty_and_foreign_sections_say_nothing),
		testkit_case(unknown_keys_are_ignored_and_listed),
		testkit_case(unknown_capability_and_odd_env_are_noted),
		testkit_case(duplicate_keys_are_refused_at_any_depth),
		testkit_case(bounds_hold),
		testkit_case(default_configs_parse_without_remarks),
		testkit_case(ids_are_checked),
		testkit_case(namespace_names_and_flags_agree),
	};

	return testkit_run(tests);
}
