/* SPDX-License-Identifier: Apache-2.0 */
#include "engine_facts.h"
#include "testkit.h"

#include "base/str.h"
#include "caps/caps.h"
#include "engine/request.h"
#include "engine/security.h"
#include "seccomp/seccomp.h"
#include "store/store.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/mount.h>
#include <sys/mount.h>
#include <sys/resource.h>

#define TEXTS(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define ID         "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* Everything that config_resolve and request_build want, with one thing to change in each test. */
struct fixture {
	struct oci_image *image;
	struct store_image stored;
	struct profile_host host;
	struct request_place place;
	struct config *config;
	struct oci_spec *spec;
	struct compile_ext ext;
	struct err err;
};

static const char *const serve[] = { "serve", "--all", NULL };

static void fixture_init(struct fixture *f)
{
	static char upper[] = "layers/aa", lower[] = "layers/bb";
	static char *layers[] = { upper, lower, NULL };

	*f = (struct fixture){
		.image = oci_image_new(),
		.stored = { .layers = layers },
		.host = { .memory = UINT64_C(8) << 30,
		        .cpus = 4,
		        .cpu_list = "0-3",
		        .node_list = "0",
		        .kernel_major = 6,
		        .kernel_minor = 1,
		        .boottime = 100,
		        .monotonic = 90,
		        .facts = &facts },
		.config = config_new(),
		.spec = oci_spec_new(),
	};
	f->image->cmd = serve;
	f->place = (struct request_place){
		.stored = &f->stored,
		.id = ID,
		.cgroup = "/bulkhead/" ID,
		.upper = "rw/" ID "/upper",
		.work = "rw/" ID "/work",
		.host_id = PROFILE_IDS_FIRST,
		.fs_path = "/store/fs",
		.hosts = "127.0.0.1 localhost\n",
		.hostname = "box\n",
		.resolv_conf = "",
		.volumes_path = "/state/volumes",
		.init_program = "/usr/bin/catatonit",
		.host = &f->host,
	};
}

static void fixture_done(struct fixture *f)
{
	config_free(f->config);
	oci_image_free(f->image);
	oci_spec_free(f->spec);
}

#define _fixture_ _cleanup_(fixture_done)

static int resolve(struct fixture *f)
{
	return config_resolve(f->config, false, f->image, ID, &f->err);
}

static int build(struct fixture *f)
{
	int r = resolve(f);

	f->spec = oci_spec_free(f->spec);
	f->spec = oci_spec_new();
	f->ext = (struct compile_ext){ 0 };
	return r < 0 ? r : request_build(f->config, &f->place, f->spec, &f->ext, &f->err);
}

static void must(struct fixture *f, int r)
{
	if (r < 0)
		fail_msg("%s", f->err.text);
}

static bool has(const char *const *v, const char *text)
{
	for (; v && *v; v++)
		if (streq(*v, text))
			return true;
	return false;
}

static const struct oci_mount *mount_at(const struct fixture *f, const char *target)
{
	const struct oci_mount *found = NULL;

	for (size_t i = 0; i < f->spec->n_mounts; i++)
		if (streq(f->spec->mounts[i].destination, target)) {
			assert_null(found);
			found = &f->spec->mounts[i];
		}
	return found;
}

static const struct compile_file *file_at(const struct fixture *f, const char *target)
{
	for (size_t i = 0; i < f->ext.n_files; i++)
		if (streq(f->ext.files[i].target, target))
			return &f->ext.files[i];
	return NULL;
}

static void mount_one(struct fixture *f, const struct config_mount *m)
{
	f->config->mounts = m;
	f->config->n_mounts = 1;
}

/* --- options and image --- */

static void entry_point_and_command_combine_as_dockers(void **state)
{
	static const char *const entry[] = { "/entry", "-x", NULL };
	static const struct {
		bool given;
		const char *entrypoint[2], *cmd[2];
		const char *want[4]; /* whole command */
	} cases[] = {
		{ false, { NULL }, { NULL }, { "/entry", "-x", "serve", "--all" } },
		{ false, { NULL }, { "mine" }, { "/entry", "-x", "mine" } },
		{ true, { "sh" }, { NULL }, { "sh" } },
		{ true, { "sh" }, { "mine" }, { "sh", "mine" } },
		{ true, { "" }, { "mine" }, { "mine" } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_fixture_ struct fixture f;
		size_t n = 0;

		fixture_init(&f);
		f.image->entrypoint = entry;
		f.config->entrypoint = cases[i].entrypoint;
		f.config->cmd = cases[i].cmd;
		must(&f, config_resolve(f.config, cases[i].given, f.image, ID, &f.err));
		must(&f, request_build(f.config, &f.place, f.spec, &f.ext, &f.err));
		while (n < ARRAY_SIZE(cases[i].want) && cases[i].want[n]) {
			assert_string_equal(f.spec->process.args[n], cases[i].want[n]);
			n++;
		}
		assert_null(f.spec->process.args[n]);
	}
}

static void no_command_at_all_is_told_in_dockers_words(void **state)
{
	static const char *const cleared[] = { "", NULL };
	_fixture_ struct fixture f;

	fixture_init(&f);
	f.config->entrypoint = cleared;
	assert_int_equal(config_resolve(f.config, true, f.image, ID, &f.err), -EINVAL);
	assert_string_equal(f.err.text, "no command specified");
	f.image->cmd = TEXTS(NULL);
	f.config->entrypoint = TEXTS(NULL);
	assert_int_equal(resolve(&f), -EINVAL);
}

static void environment_has_its_sources_in_order(void **state)
{
	_fixture_ struct fixture f;
	const char *const *env;

	fixture_init(&f);
	f.image->env = TEXTS("A=image", "PATH=/image", "GONE=1", "LANG=C");
	f.config->env = TEXTS("A=user", "B=x=y", "EMPTY=", "GONE", "NOT_THERE", "A=last");
	f.config->tty = true;
	must(&f, resolve(&f));
	env = f.config->env;
	assert_string_equal(env[0], "PATH=/image");
	assert_string_equal(env[1], "HOSTNAME=0123456789ab");
	assert_string_equal(env[2], "TERM=xterm");
	assert_true(has(env, "A=last") && !has(env, "A=user") && !has(env, "A=image"));
	assert_true(has(env, "B=x=y") && has(env, "EMPTY=") && has(env, "LANG=C"));
	for (size_t i = 0; env[i]; i++)
		assert_true(strchr(env[i], '=') && !str_has_prefix(env[i], "GONE"));
}

static void labels_health_and_the_rest_are_merged(void **state)
{
	static const struct oci_kv of_image[] = { { "a", "image" }, { "b", "image" } };
	static const struct oci_kv of_user[] = { { "a", "first" }, { "c", "" }, { "a", "user" } };
	_fixture_ struct fixture f;

	fixture_init(&f);
	f.image->labels = of_image;
	f.image->n_labels = 2;
	f.image->user = "app";
	f.image->working_dir = "/srv";
	f.image->stop_signal = "SIGQUIT";
	f.image->exposed_ports = TEXTS("80/tcp", "81/tcp");
	f.image->healthcheck = "{\"Test\":[\"CMD\",\"/x\"],\"Interval\":30000000000,\"Retries\":4}";
	f.config->labels = of_user;
	f.config->n_labels = 3;
	f.config->exposed_ports = TEXTS("80/tcp");
	f.config->health.retries = 2;
	f.config->cap_add = TEXTS("net_admin", "all", "CAP_FOO");
	must(&f, resolve(&f));
	assert_int_equal(f.config->n_labels, 3);
	assert_string_equal(f.config->labels[0].key, "b");
	assert_string_equal(f.config->labels[2].value, "user");
	assert_string_equal(f.config->user, "app");
	assert_string_equal(f.config->workdir, "/srv");
	assert_string_equal(f.config->stop_signal, "SIGQUIT");
	assert_string_equal(f.config->exposed_ports[1], "81/tcp");
	assert_null(f.config->exposed_ports[2]);
	assert_string_equal(f.config->health.test[1], "/x");
	assert_true(f.config->health.interval == INT64_C(30000000000));
	assert_int_equal(f.config->health.retries, 2);
	assert_string_equal(f.config->cap_add[0], "CAP_NET_ADMIN");
	/* What was given goes before the image's. */
	f.config->user = "0";
	f.config->workdir = "/w";
	must(&f, resolve(&f));
	assert_string_equal(f.config->user, "0");
	assert_string_equal(f.config->workdir, "/w");
}

static void a_broken_health_check_of_an_image_is_named(void **state)
{
	static const char *const broken[] = { "{\"Test\":\"x\"}", "{\"Interval\":-1}",
		"{\"Retries\":1e3}" };

	for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
		_fixture_ struct fixture f;

		fixture_init(&f);
		f.image->healthcheck = broken[i];
		assert_int_equal(resolve(&f), -EINVAL);
		assert_contains(f.err.text, "Healthcheck");
	}
}

static void volumes_of_the_image_become_anonymous_mounts(void **state)
{
	static const struct config_mount mine = {
		.type = CONFIG_TMPFS, .source = "", .target = "/b"
	};
	_fixture_ struct fixture f;

	fixture_init(&f);
	f.image->volumes = TEXTS("/a", "/b/", "//a/../a");
	mount_one(&f, &mine);
	must(&f, resolve(&f));
	assert_int_equal(f.config->n_mounts, 2);
	assert_string_equal(f.config->mounts[1].target, "/a");
	assert_true(f.config->mounts[1].anonymous && f.config->mounts[1].from_image);
	assert_int_equal(f.config->mounts[1].type, CONFIG_VOLUME);
	/* Hostile images: what they ask for is checked as what a user asks for. */
	f.image->volumes = TEXTS("relative");
	assert_int_equal(resolve(&f), -EINVAL);
	f.image->volumes = TEXTS("/proc/../proc/sys");
	must(&f, resolve(&f));
	assert_int_equal(config_check(f.config, &f.err), -EINVAL);
	assert_contains(f.err.text, "cannot mount on '/proc/sys'");
	f.config->n_mounts = 0;
	f.image->volumes = TEXTS("/..");
	must(&f, resolve(&f));
	assert_int_equal(config_check(f.config, &f.err), -EINVAL);
	assert_contains(f.err.text, "destination can't be '/'");
}

static void the_configuration_outlives_the_image(void **state)
{
	_fixture_ struct fixture f;
	char name[] = "USER=x";

	fixture_init(&f);
	f.image->env = TEXTS(name);
	f.image->user = name;
	must(&f, resolve(&f));
	name[0] = '!';
	assert_string_equal(f.config->user, "USER=x");
	assert_true(has(f.config->env, "USER=x"));
}

/* --- what is refused at create --- */

struct refusal {
	void (*set)(struct config *c);
	const char *part;
};

#define REFUSE(name, part, ...)                                                                    \
	static void set_##name(struct config *c)                                                   \
	{                                                                                          \
		__VA_ARGS__;                                                                       \
	}                                                                                          \
	static const struct refusal refuse_##name = { set_##name, part };
#define LIST(...)                                                                                  \
	({                                                                                         \
		static const char *const list_[] = { __VA_ARGS__, NULL };                          \
		list_;                                                                             \
	})
#define ONE(type, ...)                                                                             \
	({                                                                                         \
		static const type one_ = { __VA_ARGS__ };                                          \
		&one_;                                                                             \
	})
#define SYSCTL(key, value)                                                                         \
	c->sysctls = ONE(struct oci_kv, key, value);                                               \
	c->n_sysctls = 1
#define MOUNT(...)                                                                                 \
	c->mounts = ONE(struct config_mount, __VA_ARGS__);                                         \
	c->n_mounts = 1
#define ULIMIT(...)                                                                                \
	c->ulimits = ONE(struct config_ulimit, __VA_ARGS__);                                       \
	c->n_ulimits = 1

REFUSE(env, "invalid environment variable: =x", c->env = LIST("=x"))
REFUSE(env_bare, "invalid environment variable: x\\x1b", c->env = LIST("x\033"))
REFUSE(hostname, "invalid hostname 'a\\x0ab'", c->hostname = "a\nb")
REFUSE(hostname_long, "invalid hostname",
        c->hostname = "0123456789012345678901234567890123456789012345678901234567890123456789")
REFUSE(domainname, "invalid domainname", c->domainname = "a b")
REFUSE(workdir, "the working directory 'a/b' is invalid", c->workdir = "a/b")
REFUSE(signal, "invalid signal: SIGFOO", c->stop_signal = "SIGFOO")
REFUSE(health_time, "Interval in Healthcheck cannot be less than 1ms", c->health.interval = 5)
REFUSE(health_kind, "Unknown type of probe 'RUN'", c->health.test = LIST("RUN", "x"))
REFUSE(health_empty, "has no command", c->health.test = LIST("CMD"))
REFUSE(health_retries, "Retries", c->health.retries = -1)
REFUSE(memory, "Minimum memory limit allowed is 6MB", c->memory = 4096)
REFUSE(memory_large, "too large", c->memory = UINT64_MAX)
REFUSE(swap, "Minimum memoryswap limit", c->memory = 8 << 20; c->memory_swap = 7 << 20)
REFUSE(swap_alone, "always set the Memory limit", c->memory_swap = 7 << 20)
REFUSE(reservation, "memory reservation limit", c->memory = 8 << 20;
        c->memory_reservation = 9 << 20)
REFUSE(cpus_and_quota, "Nano CPUs and CPU Quota", c->nano_cpus = 1; c->cpu_quota = 2000)
REFUSE(period, "CPU cfs period", c->cpu_period = 1)
REFUSE(quota, "CPU cfs quota", c->cpu_quota = 1)
REFUSE(cpuset, "Invalid value 0-x for cpuset cpus", c->cpuset_cpus = "0-x")
REFUSE(cpuset_huge, "Invalid value 0-99999999 for cpuset cpus", c->cpuset_cpus = "0-99999999")
REFUSE(cpuset_mems, "Invalid value 3-1 for cpuset mems", c->cpuset_mems = "3-1")
REFUSE(pids, "pids-limit", c->pids_limit = -2)
REFUSE(oom, "range for oom score adj", c->has_oom_score_adj = true; c->oom_score_adj = -1001)
REFUSE(ulimit, "invalid ulimit type: x", ULIMIT("x", 1, 1))
REFUSE(ulimit_order, "ulimit soft limit must be less", ULIMIT("nofile", 2, 1))
REFUSE(ulimit_infinite, "ulimit soft limit must be less", ULIMIT("nofile", -1, 1))
REFUSE(cap, "invalid CapAdd: unknown capability: \"CAP_FOO\"", c->cap_add = LIST("foo"))
REFUSE(cap_drop, "invalid CapDrop: unknown capability: \"CAP_\\X1B[2J\"",
        c->cap_drop = LIST("\033[2J"))
REFUSE(security, "invalid --security-opt: \"foo=bar\"", c->security_opt = LIST("foo=bar"))
REFUSE(security_bare, "invalid --security-opt: \"seccomp\"", c->security_opt = LIST("seccomp"))
REFUSE(nnp, "no-new-privileges is always on", c->security_opt = LIST("no-new-privileges=false"))
REFUSE(apparmor, "AppArmor profiles ('x')", c->security_opt = LIST("apparmor=x"))
REFUSE(label, "SELinux labels ('type:x')", c->security_opt = LIST("label=type:x"))
REFUSE(seccomp_file, "seccomp='/etc/x' is neither", c->security_opt = LIST("seccomp=/etc/x"))
REFUSE(seccomp_json, "seccomp profile", c->security_opt = LIST("seccomp={\"defaultAction\":1}"))
REFUSE(seccomp_key, "'syscall' is not a key",
        c->security_opt = LIST("seccomp={\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscall\":[]}"))
REFUSE(seccomp_notify, "SCMP_ACT_NOTIFY",
        c->security_opt = LIST("seccomp={\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":"
                               "[{\"names\":[\"mkdir\"],\"action\":\"SCMP_ACT_NOTIFY\"}]}"))
REFUSE(sysctl_host, "sysctl 'kernel.core_pattern' is not allowed: it does not belong",
        SYSCTL("kernel.core_pattern", "|/x"))
REFUSE(sysctl_vm, "sysctl 'vm.overcommit_memory' is not allowed",
        SYSCTL("vm.overcommit_memory", "1"))
REFUSE(sysctl_up, "is not the name of a sysctl", SYSCTL("net/../kernel/core_pattern", "|/x"))
REFUSE(sysctl_up_dots, "sysctl 'net.//.kernel.core_pattern'",
        SYSCTL("net.//.kernel.core_pattern", "|/x"))
REFUSE(sysctl_abs, "is not the name of a sysctl", SYSCTL("/proc/sys/kernel/x", "1"))
REFUSE(sysctl_prefix, "sysctl 'network.x' is not allowed", SYSCTL("network.x", "1"))
REFUSE(sysctl_bytes, "sysctl 'net.\\x1bx' is not the name", SYSCTL("net.\033x", "1"))
REFUSE(sysctl_lines, "line break in its value", SYSCTL("net.ipv4.tcp_syncookies", "1\n2"))
REFUSE(sysctl_user, "sysctl 'user.max_user_namespaces' is not allowed",
        SYSCTL("user.max_user_namespaces", "100"))
REFUSE(sysctl_name, "use --hostname", SYSCTL("kernel.hostname", "x"))
REFUSE(network, "network 'host' is not part of this version", c->network_mode = "host")
REFUSE(host_form, "bad format for add-host: \"x\"", c->extra_hosts = LIST("x"))
REFUSE(host_address, "invalid IP address in add-host: \"1.2.3\"", c->extra_hosts = LIST("x:1.2.3"))
REFUSE(host_line, "bad format for add-host: \"x:1.2.3.4\\x0ay 1.1.1.1\"",
        c->extra_hosts = LIST("x:1.2.3.4\ny 1.1.1.1"))
REFUSE(host_gateway, "host-gateway is not possible", c->extra_hosts = LIST("x:host-gateway"))
REFUSE(dns, "x is not an ip address", c->dns = LIST("x"))
REFUSE(dns_search, "is not a valid domain", c->dns_search = LIST("a\nnameserver 1.1.1.1"))
REFUSE(dns_option, "not an option", c->dns_options = LIST("a b"))
REFUSE(restart, "invalid restart policy: unknown policy 'x'", c->restart = "x")
REFUSE(restart_count, "maximum retry count can only be used", c->restart_max = 1)
REFUSE(restart_rm, "conflicting options: cannot specify both --restart and --rm",
        c->restart = "always";
        c->auto_remove = true)
REFUSE(parent, "the cgroup parent '/a/../..'", c->cgroup_parent = "/a/../..")
REFUSE(parent_root, "the cgroup parent '/'", c->cgroup_parent = "/")
REFUSE(target, "mount path must be absolute", MOUNT(CONFIG_TMPFS, "", "a"))
REFUSE(target_up, "'/a/../../etc'", MOUNT(CONFIG_TMPFS, "", "/a/../../etc"))
REFUSE(target_root, "destination can't be '/'", MOUNT(CONFIG_BIND, "/a", "/"))
REFUSE(target_proc, "cannot mount on '/proc/sys'", MOUNT(CONFIG_BIND, "/a", "/proc/sys"))
REFUSE(target_dev, "cannot mount on '/dev'", MOUNT(CONFIG_BIND, "/dev", "/dev"))
REFUSE(target_pts, "cannot mount on '/dev/pts'", MOUNT(CONFIG_BIND, "/a", "/dev/pts"))
REFUSE(source, "mount path must be absolute", MOUNT(CONFIG_BIND, "a", "/a"))
REFUSE(volume, "not the name of a volume", MOUNT(CONFIG_VOLUME, "../../etc", "/a"))
REFUSE(propagation, "propagation 'rshared' is not possible",
        MOUNT(.type = CONFIG_BIND, .source = "/a", .target = "/a", .propagation = "rshared"))
REFUSE(idmap, "no-idmap is for bind mounts",
        MOUNT(.type = CONFIG_TMPFS, .source = "", .target = "/a", .no_idmap = true))
REFUSE(group, "unable to find group 'a\\x0ab'", c->group_add = LIST("a\nb"))
REFUSE(utf8, "is not UTF-8", c->cmd = LIST("\xff"))
REFUSE(label_key, "empty name", c->labels = ONE(struct oci_kv, "", "x"); c->n_labels = 1)

static void twice(struct config *c)
{
	static const struct config_mount two[] = {
		{ .type = CONFIG_TMPFS, .source = "", .target = "/x" },
		{ .type = CONFIG_VOLUME, .source = "v", .target = "/x" },
	};

	c->mounts = two;
	c->n_mounts = 2;
}
static const struct refusal refuse_twice = { twice, "Duplicate mount point: /x" };

static const struct refusal *const refusals[] = { &refuse_env, &refuse_env_bare, &refuse_hostname,
	&refuse_hostname_long, &refuse_domainname, &refuse_workdir, &refuse_signal,
	&refuse_health_time, &refuse_health_kind, &refuse_health_empty, &refuse_health_retries,
	&refuse_memory, &refuse_memory_large, &refuse_swap, &refuse_swap_alone, &refuse_reservation,
	&refuse_cpus_and_quota, &refuse_period, &refuse_quota, &refuse_cpuset, &refuse_cpuset_huge,
	&refuse_cpuset_mems, &refuse_pids, &refuse_oom, &refuse_ulimit, &refuse_ulimit_order,
	&refuse_ulimit_infinite, &refuse_cap, &refuse_cap_drop, &refuse_security,
	&refuse_security_bare, &refuse_nnp, &refuse_apparmor, &refuse_label, &refuse_seccomp_file,
	&refuse_seccomp_json, &refuse_seccomp_key, &refuse_seccomp_notify, &refuse_sysctl_host,
	&refuse_sysctl_vm, &refuse_sysctl_up, &refuse_sysctl_up_dots, &refuse_sysctl_abs,
	&refuse_sysctl_prefix, &refuse_sysctl_bytes, &refuse_sysctl_lines, &refuse_sysctl_user,
	&refuse_sysctl_name, &refuse_network, &refuse_host_form, &refuse_host_address,
	&refuse_host_line, &refuse_host_gateway, &refuse_dns, &refuse_dns_search,
	&refuse_dns_option, &refuse_restart, &refuse_restart_count, &refuse_restart_rm,
	&refuse_parent, &refuse_parent_root, &refuse_target, &refuse_target_up, &refuse_target_root,
	&refuse_target_proc, &refuse_target_dev, &refuse_target_pts, &refuse_source, &refuse_volume,
	&refuse_propagation, &refuse_idmap, &refuse_group, &refuse_utf8, &refuse_label_key,
	&refuse_twice };

static void what_cannot_be_is_refused_at_create(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		_fixture_ struct fixture f;
		int r;

		fixture_init(&f);
		must(&f, resolve(&f));
		must(&f, config_check(f.config, &f.err)); /* nothing is wrong without it */
		refusals[i]->set(f.config);
		r = config_check(f.config, &f.err);
		if (r >= 0)
			fail_msg("case %zu was accepted: %s", i, refusals[i]->part);
		assert_contains(f.err.text, refusals[i]->part);
		assert_true(str_is_utf8(f.err.text, strlen(f.err.text)));
		for (const char *p = f.err.text; *p; p++)
			assert_true(*p >= ' ');
	}
}

/* A start does not rely on create: what it uses is checked again. */
static void a_start_refuses_what_create_would_have(void **state)
{
	static const struct refusal *const used[] = { &refuse_cap, &refuse_security, &refuse_nnp,
		&refuse_seccomp_json, &refuse_seccomp_notify, &refuse_ulimit, &refuse_sysctl_host,
		&refuse_sysctl_up, &refuse_sysctl_user, &refuse_target, &refuse_target_up,
		&refuse_target_proc, &refuse_target_root, &refuse_propagation, &refuse_source,
		&refuse_volume, &refuse_twice, &refuse_memory };

	for (size_t i = 0; i < ARRAY_SIZE(used); i++) {
		_fixture_ struct fixture f;

		fixture_init(&f);
		must(&f, resolve(&f));
		used[i]->set(f.config);
		if (request_build(f.config, &f.place, f.spec, &f.ext, &f.err) >= 0)
			fail_msg("%s", used[i]->part);
		assert_contains(f.err.text, used[i]->part);
	}
}

static void harmless_options_are_taken(void **state)
{
	static const struct oci_kv sysctls[] = {
		{ "net.ipv4.conf.eth0/1.forwarding", "1" },
		{ "kernel.shmmax", "65536" },
		{ "fs.mqueue.msg_max", "20" },
		{ "net/ipv4/ip_unprivileged_port_start", "1024" },
	};
	_fixture_ struct fixture f;

	fixture_init(&f);
	f.config->security_opt = TEXTS("no-new-privileges", "no-new-privileges=true",
	        "no-new-privileges:true", "apparmor=unconfined", "label=disable", "label:disable",
	        "seccomp=unconfined", "seccomp=default");
	f.config->sysctls = sysctls;
	f.config->n_sysctls = ARRAY_SIZE(sysctls);
	f.config->stop_signal = "9";
	f.config->health.test = TEXTS("NONE");
	f.config->extra_hosts = TEXTS("db:10.0.0.1", "db6:::1");
	f.config->dns_search = TEXTS(".");
	must(&f, build(&f));
	must(&f, config_check(f.config, &f.err));
	assert_int_equal(config_grants(f.config, NULL), 0);
	assert_false(f.config->weakened);
	/* The user's value takes the place of the profile's. */
	for (size_t i = 0; i < f.spec->linux_.n_sysctl; i++)
		assert_string_not_equal(
		        f.spec->linux_.sysctl[i].key, "net.ipv4.ip_unprivileged_port_start");
}

/* --- limits --- */

static void limits_are_on_without_being_asked(void **state)
{
	_fixture_ struct fixture f;

	fixture_init(&f);
	must(&f, build(&f));
	assert_true(f.spec->linux_.resources.memory_limit.value == INT64_C(4) << 30);
	assert_true(f.spec->linux_.resources.memory_swap.value == INT64_C(4) << 30);
	assert_int_equal(f.spec->linux_.resources.pids_limit.value, 512);
	assert_int_equal(f.spec->linux_.resources.cpu_quota.value, 300000);
	assert_false(f.spec->linux_.resources.memory_reservation.has);
	f.host.memory = UINT64_C(600) << 20;
	f.host.cpus = 1;
	must(&f, build(&f));
	assert_true(f.spec->linux_.resources.memory_limit.value == INT64_C(512) << 20);
	assert_int_equal(f.spec->linux_.resources.cpu_quota.value, 100000);
}

static void limits_are_those_that_were_asked_for(void **state)
{
	const struct oci_resources *r;
	_fixture_ struct fixture f;

	fixture_init(&f);
	f.config->memory = 64 << 20;
	f.config->memory_swap = 96 << 20;
	f.config->memory_reservation = 32 << 20;
	f.config->cpu_period = 50000;
	f.config->cpu_shares = 512;
	f.config->cpuset_cpus = "0,2-3";
	f.config->cpuset_mems = "0";
	f.config->pids_limit = -1;
	must(&f, build(&f));
	r = &f.spec->linux_.resources;
	assert_int_equal(r->memory_limit.value, 64 << 20);
	assert_int_equal(r->memory_swap.value, 96 << 20);
	assert_int_equal(r->memory_reservation.value, 32 << 20);
	assert_int_equal(r->cpu_period.value, 50000);
	assert_int_equal(r->cpu_quota.value, 150000); /* three CPUs of this period */
	assert_int_equal(r->cpu_shares.value, 512);
	assert_string_equal(r->cpuset_cpus, "0,2-3");
	assert_int_equal(r->pids_limit.value, -1);
	f.config->cpu_quota = -1;
	must(&f, build(&f));
	assert_int_equal(f.spec->linux_.resources.cpu_quota.value, -1);
}

static void what_this_machine_lacks_is_told_at_the_start(void **state)
{
	_fixture_ struct fixture f;

	fixture_init(&f);
	f.config->nano_cpus = UINT64_C(4500000000);
	assert_int_equal(build(&f), -ERANGE);
	assert_string_equal(f.err.text,
	        "Range of CPUs is from 0.01 to 4.00, as there are only 4 CPUs available");
	f.config->nano_cpus = 0;
	f.config->cpuset_cpus = "2-4";
	assert_int_equal(build(&f), -ERANGE);
	assert_string_equal(
	        f.err.text, "Requested CPUs are not available - requested 2-4, available: 0-3");
	f.config->cpuset_cpus = "";
	f.config->cpuset_mems = "1";
	assert_int_equal(build(&f), -ERANGE);
	assert_contains(f.err.text, "Requested memory nodes are not available");
}

static void rlimits_are_cut_silently_to_what_we_have(void **state)
{
	static const struct config_ulimit mine = { "nofile", 100, 200000 };
	struct facts poor = facts;
	_fixture_ struct fixture f;
	size_t seen = 0;

	poor.can_raise_rlimits = false;
	for (size_t i = 0; i < ARRAY_SIZE(poor.rlimit_hard); i++)
		poor.rlimit_hard[i] = 1000;
	fixture_init(&f);
	f.host.facts = &poor;
	f.config->ulimits = &mine;
	f.config->n_ulimits = 1;
	must(&f, build(&f));
	for (size_t i = 0; i < f.spec->process.n_rlimits; i++) {
		const struct oci_rlimit *l = &f.spec->process.rlimits[i];

		assert_true(l->soft <= l->hard);
		/* Exactly 1: 0 would let the kernel start a core_pattern helper. */
		if (l->resource == RLIMIT_CORE)
			assert_int_equal(l->hard, 1);
		/* What was asked for is left to the compiler, which warns when it cuts. */
		seen += l->resource == RLIMIT_NOFILE;
		assert_true(l->hard <= 1000 || l->resource == RLIMIT_NOFILE);
	}
	assert_int_equal(seen, 1);
}

static void oom_kill_disable_is_dropped_with_a_word_on_v2(void **state)
{
	struct cgroup_facts v1 = { .mode = CGROUP_V1 };
	struct facts old = facts;
	_fixture_ struct fixture f;
	char **warnings = NULL;

	old.cgroup = &v1;
	fixture_init(&f);
	f.config->oom_kill_disable = true;
	must(&f, build(&f));
	assert_false(f.spec->linux_.resources.has_disable_oom_killer);
	config_warnings(f.config, &facts, &warnings);
	assert_contains(warnings[0], "OomKillDisable discarded");
	warnings = strv_free(warnings);
	f.host.facts = &old;
	must(&f, build(&f));
	assert_true(f.spec->linux_.resources.disable_oom_killer);
	config_warnings(f.config, &old, &warnings);
	assert_null(warnings);
}

/* --- rights --- */

static void capabilities_are_added_and_dropped_in_dockers_order(void **state)
{
	const uint64_t defaults = profile_grants_default().caps;
	static const struct {
		const char *add[3], *drop[3];
		uint64_t set, cleared; /* of the defaults, what must be added and missing */
		bool all;
	} cases[] = {
		{ { NULL }, { NULL }, 0, 0, false },
		{ { "NET_ADMIN", "cap_net_raw" }, { NULL },
		        CAPS_BIT(CAP_NET_ADMIN) | CAPS_BIT(CAP_NET_RAW), 0, false },
		{ { NULL }, { "chown" }, 0, CAPS_BIT(CAP_CHOWN), false },
		{ { "CHOWN" }, { "chown" }, 0, 0, false },
		{ { "KILL" }, { "ALL" }, 0, CAPS_ALL & ~CAPS_BIT(CAP_KILL), false },
		{ { NULL }, { "all" }, 0, CAPS_ALL, false },
		{ { "ALL" }, { "SYS_ADMIN" }, CAPS_ALL & ~CAPS_BIT(CAP_SYS_ADMIN),
		        CAPS_BIT(CAP_SYS_ADMIN), false },
		{ { "ALL" }, { "ALL" }, CAPS_ALL, 0, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_fixture_ struct fixture f;

		fixture_init(&f);
		f.config->cap_add = cases[i].add;
		f.config->cap_drop = cases[i].drop;
		must(&f, build(&f));
		assert_true(f.spec->process.caps.bounding ==
		            ((defaults | cases[i].set) & ~cases[i].cleared));
		assert_true(f.spec->process.caps.inheritable == 0);
		assert_true(f.spec->process.caps.ambient == 0);
	}
}

static void seccomp_is_default_off_or_a_profile(void **state)
{
	_fixture_ struct fixture f;

	fixture_init(&f);
	must(&f, build(&f));
	assert_non_null(f.ext.seccomp_filter);
	f.config->security_opt = TEXTS("seccomp=unconfined");
	must(&f, build(&f));
	assert_null(f.ext.seccomp_filter);
	assert_null(f.spec->linux_.seccomp);
	f.config->security_opt = TEXTS("seccomp=unconfined", "seccomp=builtin");
	must(&f, build(&f));
	assert_non_null(f.ext.seccomp_filter);
	f.config->security_opt = TEXTS(
	        "seccomp={\"linux\":{\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ERRNO\"}}}");
	must(&f, build(&f));
	assert_null(f.ext.seccomp_filter);
	assert_int_equal(f.spec->linux_.seccomp->default_action, OCI_ACT_ERRNO);
}

/* docker's own form: what is left depends on the capabilities and the kernel. */
static void conditions_of_a_profile_are_decided_at_the_start(void **state)
{
	static const char profile[] =
	        "seccomp={\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":1,"
	        "\"archMap\":[{\"architecture\":\"SCMP_ARCH_X86_64\",\"subArchitectures\":[\"SCMP_ARCH_X86\"]},"
	        "{\"architecture\":\"SCMP_ARCH_AARCH64\",\"subArchitectures\":null}],"
	        "\"syscalls\":["
	        "{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":null,\"comment\":\"\",\"includes\":{},\"excludes\":{}},"
	        "{\"names\":[\"mount\"],\"action\":\"SCMP_ACT_ALLOW\",\"includes\":{\"caps\":[\"CAP_SYS_ADMIN\"]}},"
	        "{\"names\":[\"clone\"],\"action\":\"SCMP_ACT_ALLOW\",\"excludes\":{\"caps\":[\"CAP_SYS_ADMIN\"]}},"
	        "{\"names\":[\"ptrace\"],\"action\":\"SCMP_ACT_ALLOW\",\"includes\":{\"minKernel\":\"4.8\"}},"
	        "{\"names\":[\"bpf\"],\"action\":\"SCMP_ACT_ALLOW\",\"includes\":{\"minKernel\":\"6.2\"}},"
	        "{\"names\":[\"sync\"],\"action\":\"SCMP_ACT_ALLOW\",\"excludes\":{\"minKernel\":\"6.1\"}},"
	        "{\"names\":[\"s390_pci_mmio_read\"],\"action\":\"SCMP_ACT_ALLOW\",\"includes\":{\"arches\":[\"s390x\"]}},"
	        "{\"name\":\"write\",\"action\":\"SCMP_ACT_ALLOW\",\"includes\":{\"arches\":[\"amd64\",\"arm64\"]}}]}";
	static const char *const plain[] = { "read", "clone", "ptrace", "write" };
	static const char *const strong[] = { "read", "mount", "ptrace", "write" };
	const struct oci_seccomp *s;
	_fixture_ struct fixture f;

	fixture_init(&f);
	f.config->security_opt = TEXTS(profile);
	must(&f, build(&f));
	must(&f, config_check(f.config, &f.err));
	s = f.spec->linux_.seccomp;
	assert_int_equal(s->n_rules, ARRAY_SIZE(plain));
	for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
		assert_string_equal(s->rules[i].names[0], plain[i]);
	assert_true(str_has_prefix(s->architectures[0], "SCMP_ARCH_"));
	f.config->cap_add = TEXTS("SYS_ADMIN");
	must(&f, build(&f));
	s = f.spec->linux_.seccomp;
	assert_int_equal(s->n_rules, ARRAY_SIZE(strong));
	for (size_t i = 0; i < ARRAY_SIZE(strong); i++)
		assert_string_equal(s->rules[i].names[0], strong[i]);
}

static void system_paths_can_be_given_back(void **state)
{
	_fixture_ struct fixture f;

	fixture_init(&f);
	must(&f, build(&f));
	assert_non_null(f.ext.proc_allow);
	assert_string_equal(f.spec->linux_.readonly_paths[0], "/proc/sys");
	f.config->security_opt = TEXTS("systempaths=unconfined");
	must(&f, build(&f));
	assert_null(f.ext.proc_allow);
	assert_null(f.spec->linux_.readonly_paths[0]);
	assert_true(f.config->weakened);
}

/* --- mounts --- */

static void binds_are_idmapped_nosuid_and_nodev(void **state)
{
	static const struct config_mount bind = {
		.type = CONFIG_BIND, .source = "/srv", .target = "/a"
	};
	const struct oci_mount *m;
	struct config_mount changed;
	_fixture_ struct fixture f;

	fixture_init(&f);
	mount_one(&f, &bind);
	must(&f, build(&f));
	m = mount_at(&f, "/a");
	assert_string_equal(m->source, "/srv");
	assert_true(has(m->options, "rbind") && has(m->options, "rprivate"));
	assert_true(has(m->options, "rnosuid") && has(m->options, "rnodev"));
	assert_true(has(m->options, "ridmap") && !has(m->options, "rro") && !has(m->options, "ro"));
	changed = bind;
	changed.read_only = true;
	mount_one(&f, &changed);
	must(&f, build(&f));
	assert_true(has(mount_at(&f, "/a")->options, "rro"));
	changed.read_only_shallow = true;
	mount_one(&f, &changed);
	must(&f, build(&f));
	assert_true(has(mount_at(&f, "/a")->options, "ro"));
	assert_false(has(mount_at(&f, "/a")->options, "rro"));
	changed = bind;
	changed.non_recursive = changed.no_idmap = changed.dev = changed.suid = true;
	changed.propagation = "slave";
	mount_one(&f, &changed);
	must(&f, build(&f));
	m = mount_at(&f, "/a");
	assert_true(has(m->options, "bind") && has(m->options, "slave"));
	assert_false(has(m->options, "idmap") || has(m->options, "ridmap"));
	assert_false(has(m->options, "nosuid") || has(m->options, "nodev"));
}

static void tmpfs_is_bounded_by_the_memory_limit(void **state)
{
	static const struct config_mount plain = {
		.type = CONFIG_TMPFS, .source = "", .target = "/t"
	};
	static const struct config_mount given = { .type = CONFIG_TMPFS,
		.source = "",
		.target = "/t",
		.tmpfs_size = 4096,
		.tmpfs_mode = 0700,
		.exec = true,
		.read_only = true };
	const struct oci_mount *m;
	_fixture_ struct fixture f;

	fixture_init(&f);
	mount_one(&f, &plain);
	f.config->memory = 64 << 20;
	must(&f, build(&f));
	m = mount_at(&f, "/t");
	assert_true(has(m->options, "size=33554432") && has(m->options, "mode=1777"));
	assert_true(
	        has(m->options, "noexec") && has(m->options, "nosuid") && has(m->options, "nodev"));
	f.config->memory = 0;
	must(&f, build(&f));
	assert_true(has(mount_at(&f, "/t")->options, "size=2147483648"));
	mount_one(&f, &given);
	must(&f, build(&f));
	m = mount_at(&f, "/t");
	assert_true(has(m->options, "size=4096") && has(m->options, "mode=700"));
	assert_true(has(m->options, "ro") && !has(m->options, "noexec"));
}

static void volumes_lie_in_their_folder(void **state)
{
	static const struct config_mount named = {
		.type = CONFIG_VOLUME, .source = "db", .target = "/db"
	};
	static const struct config_mount nameless = {
		.type = CONFIG_VOLUME, .source = "", .target = "/db"
	};
	_fixture_ struct fixture f;

	fixture_init(&f);
	mount_one(&f, &named);
	must(&f, build(&f));
	assert_string_equal(mount_at(&f, "/db")->source, "/state/volumes/db/_data");
	assert_true(has(mount_at(&f, "/db")->options, "idmap"));
	assert_true(has(mount_at(&f, "/db")->options, "nosuid"));
	mount_one(&f, &nameless);
	assert_int_equal(build(&f), -EINVAL);
	assert_contains(f.err.text, "anonymous volume");
}

static void parents_are_mounted_before_children(void **state)
{
	static const struct config_mount mounts[] = {
		{ .type = CONFIG_TMPFS, .source = "", .target = "/a/b/c" },
		{ .type = CONFIG_VOLUME, .source = "v", .target = "/a/b" },
		{ .type = CONFIG_BIND, .source = "/srv", .target = "/a" },
		{ .type = CONFIG_TMPFS, .source = "", .target = "/dev/shm" },
	};
	_fixture_ struct fixture f;
	const struct oci_mount *list;
	size_t at = 0;

	fixture_init(&f);
	f.config->mounts = mounts;
	f.config->n_mounts = ARRAY_SIZE(mounts);
	must(&f, build(&f));
	list = f.spec->mounts;
	while (!streq(list[at].destination, "/a"))
		at++;
	assert_true(at >= 4); /* behind /proc and /dev */
	assert_string_equal(list[at + 1].destination, "/a/b");
	assert_string_equal(list[at + 2].destination, "/dev/shm");
	assert_string_equal(list[at + 3].destination, "/a/b/c");
	assert_true(has(mount_at(&f, "/dev/shm")->options, "size=2147483648"));
}

static void files_of_the_container_give_way_to_mounts(void **state)
{
	static const struct config_mount hosts = {
		.type = CONFIG_BIND, .source = "/srv/h", .target = "/etc/hosts"
	};
	static const struct config_mount etc = {
		.type = CONFIG_BIND, .source = "/srv/etc", .target = "/etc"
	};
	static const struct config_mount volume = {
		.type = CONFIG_VOLUME, .source = "etc", .target = "/etc"
	};
	static const struct config_mount tmpfs = {
		.type = CONFIG_TMPFS, .source = "", .target = "/etc"
	};
	_fixture_ struct fixture f;

	fixture_init(&f);
	must(&f, build(&f));
	assert_string_equal(file_at(&f, "/etc/hosts")->content, f.place.hosts);
	assert_false(file_at(&f, "/etc/hosts")->read_only);
	assert_non_null(file_at(&f, "/etc/hostname"));
	assert_non_null(file_at(&f, "/etc/resolv.conf"));
	mount_one(&f, &hosts);
	must(&f, build(&f));
	assert_null(file_at(&f, "/etc/hosts"));
	assert_non_null(file_at(&f, "/etc/hostname"));
	/* No mount points are made in a folder that is not the container's own. */
	mount_one(&f, &etc);
	must(&f, build(&f));
	assert_null(file_at(&f, "/etc/hosts"));
	assert_null(file_at(&f, "/etc/resolv.conf"));
	mount_one(&f, &volume);
	must(&f, build(&f));
	assert_non_null(file_at(&f, "/etc/hosts"));
	mount_one(&f, &tmpfs);
	f.config->read_only = true;
	must(&f, build(&f));
	assert_true(file_at(&f, "/etc/hosts")->read_only);
}

static void init_runs_the_command_behind_it(void **state)
{
	static const struct config_mount sbin = {
		.type = CONFIG_BIND, .source = "/srv", .target = "/sbin"
	};
	_fixture_ struct fixture f;

	fixture_init(&f);
	f.config->init = true;
	must(&f, build(&f));
	assert_string_equal(f.spec->process.args[0], "/sbin/docker-init");
	assert_string_equal(f.spec->process.args[1], "--");
	assert_string_equal(f.spec->process.args[2], "serve");
	assert_true(has(mount_at(&f, "/sbin/docker-init")->options, "ro"));
	mount_one(&f, &sbin);
	assert_int_equal(build(&f), -EINVAL);
	f.config->n_mounts = 0;
	f.place.init_program = NULL;
	assert_int_equal(build(&f), -ENOENT);
	assert_contains(f.err.text, "install catatonit");
}

/* --- texts --- */

static void every_grant_is_said(void **state)
{
	static const struct config_mount mounts[] = {
		{ .type = CONFIG_BIND,
		        .source = "/srv/data",
		        .target = "/data",
		        .read_only = true },
		{ .type = CONFIG_BIND, .source = "/run/x.sock", .target = "/x", .no_idmap = true },
		{ .type = CONFIG_BIND,
		        .source = "/",
		        .target = "/host\033",
		        .suid = true,
		        .dev = true },
	};
	static const struct config_ulimit core = { "core", 0, -1 };
	_buf_done_ struct buf text = BUF_INIT(1 << 16);
	_fixture_ struct fixture f;
	char **list = NULL;

	fixture_init(&f);
	f.config->cap_add = TEXTS("ALL");
	f.config->security_opt = TEXTS("systempaths=unconfined", "seccomp=unconfined");
	f.config->memory = 64 << 20;
	f.config->memory_swap = -1;
	f.config->pids_limit = f.config->cpu_quota = -1;
	f.config->has_oom_score_adj = f.config->oom_kill_disable = true;
	f.config->oom_score_adj = -100;
	f.config->ulimits = &core;
	f.config->n_ulimits = 1;
	f.config->mounts = mounts;
	f.config->n_mounts = ARRAY_SIZE(mounts);
	must(&f, resolve(&f));
	assert_true(f.config->weakened);
	assert_true(config_grants(f.config, &list) == strv_len(list));
	for (size_t i = 0; list[i]; i++)
		(void) buf_addf(&text, "%s\n", list[i]);
	assert_golden("grants-all.txt", buf_str(&text));
	strv_free(list);
}

/* --- whole plans --- */

static void assert_golden_plan(struct fixture *f, const char *name, const char *table_name)
{
	_cleanup_(plan_writer_done) struct plan_writer w = { 0 };
	_cleanup_(compile_notes_done) struct compile_notes notes = { 0 };
	_cleanup_(plan_freep) struct plan *plan = NULL;
	_buf_done_ struct buf text = BUF_INIT(1 << 20), table = BUF_INIT(1 << 16);

	must(f, build(f));
	plan_writer_init(&w);
	must(f, compile_plan(ID, f->spec, &f->ext, f->host.facts, false, &w, &notes, &f->err));
	must(f, plan_writer_finish(&w, &f->err));
	must(f, plan_decode(w.bytes.data, w.bytes.len, &plan, &f->err));
	plan_print(plan, false, &text);
	for (size_t i = 0; notes.lines && notes.lines[i]; i++)
		(void) buf_addf(&text, "note: %s\n", notes.lines[i]);
	assert_golden(name, buf_str(&text));
	security_table(plan, f->host.facts, &table);
	assert_golden(table_name, buf_str(&table));
}

/* The plan of the default profile, as it is executed: a change of it must be seen in a review. */
static void default_plan_is_golden(void **state)
{
	_fixture_ struct fixture f;

	fixture_init(&f);
	assert_golden_plan(&f, "plan-engine-default.txt", "security-default.txt");
}

static void rich_plan_is_golden(void **state)
{
	static const struct config_mount mounts[] = {
		{ .type = CONFIG_BIND,
		        .source = "/srv/data",
		        .target = "/data",
		        .read_only = true },
		{ .type = CONFIG_BIND,
		        .source = "/srv/raw",
		        .target = "/raw",
		        .no_idmap = true,
		        .non_recursive = true,
		        .propagation = "rslave" },
		{ .type = CONFIG_VOLUME, .source = "db", .target = "/var/lib/db" },
		{ .type = CONFIG_TMPFS,
		        .source = "",
		        .target = "/run",
		        .tmpfs_size = 65536,
		        .read_only = true },
	};
	static const struct oci_kv sysctl = { "net.ipv4.ip_unprivileged_port_start", "1024" };
	static const struct config_ulimit ulimits[] = { { "nofile", 1000, 2000 },
		{ "core", 0, -1 } };
	_fixture_ struct fixture f;
	struct facts poor = facts;

	poor.can_raise_rlimits = false;
	for (size_t i = 0; i < ARRAY_SIZE(poor.rlimit_hard); i++)
		poor.rlimit_hard[i] = 1024;
	fixture_init(&f);
	f.host.facts = &poor;
	f.config->mounts = mounts;
	f.config->n_mounts = ARRAY_SIZE(mounts);
	f.config->sysctls = &sysctl;
	f.config->n_sysctls = 1;
	f.config->ulimits = ulimits;
	f.config->n_ulimits = 2;
	f.config->memory = 64 << 20;
	f.config->memory_swap = -1;
	f.config->memory_reservation = 32 << 20;
	f.config->nano_cpus = 1500000000;
	f.config->cpuset_cpus = "1";
	f.config->pids_limit = 100;
	f.config->shm_size = 1 << 20;
	f.config->read_only = f.config->init = true;
	f.config->cap_drop = TEXTS("ALL");
	f.config->cap_add = TEXTS("NET_ADMIN", "chown");
	f.config->security_opt = TEXTS("systempaths=unconfined", "seccomp=unconfined");
	f.config->group_add = TEXTS("audio", "29");
	f.config->user = "app";
	f.config->hostname = "web";
	f.config->domainname = "example.org";
	f.config->workdir = "/srv";
	assert_golden_plan(&f, "plan-engine-rich.txt", "security-rich.txt");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testkit_case(entry_point_and_command_combine_as_dockers),
		testkit_case(no_command_at_all_is_told_in_dockers_words),
		testkit_case(environment_has_its_sources_in_order),
		testkit_case(labels_health_and_the_rest_are_merged),
		testkit_case(a_broken_health_check_of_an_image_is_named),
		testkit_case(volumes_of_the_image_become_anonymous_mounts),
		testkit_case(the_configuration_outlives_the_image),
		testkit_case(what_cannot_be_is_refused_at_create),
		testkit_case(a_start_refuses_what_create_would_have),
		testkit_case(harmless_options_are_taken),
		testkit_case(limits_are_on_without_being_asked),
		testkit_case(limits_are_those_that_were_asked_for),
		testkit_case(what_this_machine_lacks_is_told_at_the_start),
		testkit_case(rlimits_are_cut_silently_to_what_we_have),
		testkit_case(oom_kill_disable_is_dropped_with_a_word_on_v2),
		testkit_case(capabilities_are_added_and_dropped_in_dockers_order),
		testkit_case(seccomp_is_default_off_or_a_profile),
		testkit_case(conditions_of_a_profile_are_decided_at_the_start),
		testkit_case(system_paths_can_be_given_back),
		testkit_case(binds_are_idmapped_nosuid_and_nodev),
		testkit_case(tmpfs_is_bounded_by_the_memory_limit),
		testkit_case(volumes_lie_in_their_folder),
		testkit_case(parents_are_mounted_before_children),
		testkit_case(files_of_the_container_give_way_to_mounts),
		testkit_case(init_runs_the_command_behind_it),
		testkit_case(every_grant_is_said),
		testkit_case(default_plan_is_golden),
		testkit_case(rich_plan_is_golden),
	};

	return testkit_run(tests);
}
