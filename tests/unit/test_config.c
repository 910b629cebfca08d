/* SPDX-License-Identifier: Apache-2.0 */
#include "testkit.h"

#include "base/str.h"
#include "engine/config.h"

#include <errno.h>
#include <json-c/json_object.h>
#include <stdlib.h>

#define TEXTS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* A list in the arena of the configuration. */
static const char *const *texts(struct config *c, ...)
{
	const char **list = arena_new_n(&c->arena, const char *, 16);
	va_list ap;

	va_start(ap, c);
	for (size_t i = 0; i < 15 && (list[i] = va_arg(ap, const char *)); i++)
		;
	va_end(ap);
	return list;
}

/* Every member has a value of its own, so that two keys that name one member, or a member without a
 * key, are seen. */
static struct config *new_rich(void)
{
	static const struct oci_kv labels[] = { { "a", "1" }, { "b.c", "" }, { "e", "\033[2J" } };
	static const struct oci_kv sysctls[] = { { "net.ipv4.tcp_syncookies", "1" } };
	static const struct oci_kv log_opts[] = { { "max-size", "10m" } };
	static const struct config_ulimit ulimits[] = { { "nofile", 10, -1 } };
	static const char *const volume_labels[] = { "k=v", "x=", NULL };
	static const struct config_mount mounts[] = {
		{ .type = CONFIG_BIND,
		        .source = "/srv/data",
		        .target = "/data",
		        .read_only = true,
		        .read_only_shallow = true,
		        .non_recursive = true,
		        .create_source = true,
		        .no_idmap = true,
		        .propagation = "rslave",
		        .dev = true },
		{ .type = CONFIG_VOLUME,
		        .source = "db",
		        .target = "/var/lib/db",
		        .no_copy = true,
		        .anonymous = true,
		        .from_image = true,
		        .volume_labels = volume_labels },
		{ .type = CONFIG_TMPFS,
		        .source = "",
		        .target = "/run",
		        .tmpfs_size = 4096,
		        .tmpfs_mode = 01755,
		        .exec = true,
		        .suid = true },
	};
	struct config *c = config_new();

	c->image = "docker.io/library/debian:12";
	c->image_id = "0123";
	c->hostname = "host";
	c->domainname = "example.org";
	c->user = "www-data:adm";
	c->workdir = "/srv";
	c->entrypoint = texts(c, "/entry", "-x", NULL);
	c->cmd = texts(c, "serve", "a b", "", NULL);
	c->env = texts(c, "PATH=/bin", "UMLAUT=\xc3\xa4", "EMPTY=", NULL);
	c->labels = labels;
	c->n_labels = ARRAY_SIZE(labels);
	c->exposed_ports = texts(c, "80/tcp", "53/udp", NULL);
	c->image_volumes = texts(c, "/var/lib/db", NULL);
	c->tty = c->stdin_once = c->attach_stdout = true;
	c->stop_signal = "SIGQUIT";
	c->has_stop_timeout = true;
	c->stop_timeout = -1;
	c->health = (struct config_health){ texts(c, "CMD", "true", NULL), 1000000, 2, 3, 4, 5 };
	c->memory = UINT64_C(5) << 30;
	c->memory_reservation = 7;
	c->nano_cpus = 1500000000;
	c->cpu_shares = 9;
	c->memory_swap = -1;
	c->cpuset_cpus = "0-1";
	c->cpuset_mems = "0";
	c->cpu_quota = 11;
	c->cpu_period = 12;
	c->pids_limit = -1;
	c->shm_size = 13;
	c->cap_add = texts(c, "NET_ADMIN", NULL);
	c->cap_drop = texts(c, "ALL", NULL);
	c->security_opt = texts(c, "seccomp={\"defaultAction\":\"SCMP_ACT_ALLOW\"}", NULL);
	c->group_add = texts(c, "audio", "7", NULL);
	c->ulimits = ulimits;
	c->n_ulimits = 1;
	c->sysctls = sysctls;
	c->n_sysctls = 1;
	c->mounts = mounts;
	c->n_mounts = ARRAY_SIZE(mounts);
	c->binds = texts(c, "/srv/data:/data:ro", NULL);
	c->volumes_from = texts(c, "other", NULL);
	c->read_only = c->init = c->weakened = true;
	c->restart = "on-failure";
	c->restart_max = 3;
	c->log_driver = "local";
	c->log_opts = log_opts;
	c->n_log_opts = 1;
	c->cgroup_parent = "/x";
	c->id_file = "/tmp/id";
	c->has_oom_score_adj = true;
	c->oom_score_adj = -5;
	c->oom_kill_disable = true;
	c->network_mode = "none";
	c->extra_hosts = texts(c, "h:10.0.0.1", NULL);
	c->dns = texts(c, "10.0.0.2", NULL);
	c->dns_search = texts(c, "d", NULL);
	c->dns_options = texts(c, "ndots:2", NULL);
	return c;
}

static char *text_of(const struct config *c)
{
	struct err err;
	char *text = NULL;

	if (config_to_text(c, &text, &err) < 0)
		fail_msg("%s", err.text);
	return text;
}

static char *again(const char *text)
{
	_config_free_ struct config *c = NULL;
	struct err err;

	if (config_parse(text, strlen(text), &c, &err) < 0)
		fail_msg("%s", err.text);
	return text_of(c);
}

/* One line a member, so that a change is seen in a review. */
static void assert_golden_config(const char *name, const struct config *c)
{
	struct json_object *object = config_to_json(c);
	_free_ char *text = xprintf(
	        "%s\n", json_object_to_json_string_ext(
	                        object, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));

	assert_golden(name, text);
	json_object_put(object);
}

static void everything_is_written_and_read_back(void **state)
{
	_config_free_ struct config *rich = new_rich();
	_config_free_ struct config *plain = config_new();
	_free_ char *one = text_of(rich), *two = again(one);
	_free_ char *three = text_of(plain), *four = again(three);

	assert_string_equal(one, two);
	assert_string_equal(three, four);
	assert_golden_config("config-rich.json", rich);
	assert_golden_config("config-plain.json", plain);
}

static void what_was_read_is_what_was_meant(void **state)
{
	_config_free_ struct config *rich = new_rich();
	_config_free_ struct config *c = NULL;
	_free_ char *text = text_of(rich);
	struct err err;

	assert_int_equal(config_parse(text, strlen(text), &c, &err), 0);
	assert_string_equal(c->cmd[1], "a b");
	assert_string_equal(c->cmd[2], "");
	assert_null(c->cmd[3]);
	assert_string_equal(c->labels[2].value, "\033[2J");
	assert_int_equal(c->mounts[0].type, CONFIG_BIND);
	assert_true(c->mounts[0].read_only_shallow && !c->mounts[0].exec);
	assert_string_equal(c->mounts[1].volume_labels[1], "x=");
	assert_int_equal(c->mounts[2].tmpfs_mode, 01755);
	assert_true(c->ulimits[0].soft == 10 && c->ulimits[0].hard == -1);
	assert_true(c->memory == UINT64_C(5) << 30);
	assert_true(c->has_stop_timeout && c->stop_timeout == -1);
	assert_string_equal(c->health.test[1], "true");
}

/* Whoever can write config.json is root; what cannot have been meant is refused all the same. */
static void what_we_did_not_write_is_refused(void **state)
{
	static const struct {
		const char *from, *to, *part;
	} changes[] = {
		{ "\"Tty\":false", "\"Tty\":\"false\"", "Config.Tty" },
		{ "\"Tty\":false", "\"Tty\":false,\"Tty\":true", "twice" },
		{ "\"Privileged\":false", "\"Privileged\":true", "HostConfig.Privileged" },
		{ "\"PidMode\":\"\"", "\"PidMode\":\"host\"", "HostConfig.PidMode" },
		{ "\"Devices\":[]", "\"Devices\":[{}]", "HostConfig.Devices" },
		{ "\"Version\":1", "\"Version\":2", "Bulkhead.Version" },
		{ "\"Version\":1,", "", "Bulkhead.Version" },
		{ "\"Init\":false", "\"Init\":false,\"NewLock\":true", "HostConfig.NewLock" },
		{ "\"Memory\":0", "\"Memory\":-1", "HostConfig.Memory" },
		{ "\"Memory\":0", "\"Memory\":9223372036854775808", "HostConfig.Memory" },
		{ "\"Labels\":{}", "\"Labels\":{\"\":\"x\"}", "empty key" },
		{ "\"Labels\":{}", "\"Labels\":{\"a\":\"x\\u0000y\"}", "NUL" },
		{ "\"Env\":null", "\"Env\":[\"A=\\ud800\"]", "config.json" },
		{ "\"Mounts\":[]",
		        "\"Mounts\":[{\"Type\":\"x\",\"Source\":\"\",\"Target\":\"/a\"}]",
		        "Bulkhead.Mounts[0].Type" },
		{ "\"Mounts\":[]",
		        "\"Mounts\":[{\"Type\":\"tmpfs\",\"Source\":\"\",\"Target\":\"/a/../b\"}]",
		        "Bulkhead.Mounts[0].Target" },
		{ "\"Mounts\":[]",
		        "\"Mounts\":[{\"Type\":\"tmpfs\",\"Source\":\"\",\"Target\":\"a\"}]",
		        "Bulkhead.Mounts[0].Target" },
		{ "\"Mounts\":[]",
		        "\"Mounts\":[{\"Type\":\"bind\",\"Source\":\"a\",\"Target\":\"/a\"}]",
		        "Bulkhead.Mounts[0]" },
	};
	_config_free_ struct config *plain = config_new();
	_free_ char *text = text_of(plain);

	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		const char *at = strstr(text, changes[i].from);
		_config_free_ struct config *c = NULL;
		_free_ char *changed = NULL;
		struct err err;

		assert_non_null(at);
		changed = xprintf("%.*s%s%s", (int) (at - text), text, changes[i].to,
		        at + strlen(changes[i].from));
		if (config_parse(changed, strlen(changed), &c, &err) != -EINVAL)
			fail_msg("%s was accepted", changes[i].to);
		assert_contains(err.text, changes[i].part);
		assert_null(c);
	}
}

static void what_json_cannot_keep_is_named_at_create(void **state)
{
	static const struct oci_kv label[] = { { "k\xff", "v" } };
	_config_free_ struct config *c = config_new();
	struct err err;
	char *text = NULL;

	c->cmd = TEXTS("printf", "\xff\xfe");
	assert_int_equal(config_to_text(c, &text, &err), -EINVAL);
	assert_contains(err.text, "'\\xff\\xfe' in Config.Cmd is not UTF-8");
	c->cmd = TEXTS("true");
	c->labels = label;
	c->n_labels = 1;
	assert_int_equal(config_to_text(c, &text, &err), -EINVAL);
	assert_contains(err.text, "Config.Labels");
	assert_null(text);
}

static void huge_lists_and_texts_are_refused_at_create(void **state)
{
	_config_free_ struct config *c = config_new();
	const char **many = xnew_n(const char *, CONFIG_LIST_MAX + 2);
	char *large = xmalloc((2 << 20) + 1);
	struct err err;
	char *text = NULL;

	for (size_t i = 0; i <= CONFIG_LIST_MAX; i++)
		many[i] = "A=1";
	c->env = many;
	assert_int_equal(config_to_text(c, &text, &err), -EMSGSIZE);
	many[CONFIG_LIST_MAX] = NULL;
	assert_int_equal(config_to_text(c, &text, &err), 0);
	free(text);
	memset(large, 'x', 2 << 20);
	large[2 << 20] = '\0';
	many[0] = large;
	many[1] = NULL;
	text = NULL;
	assert_int_equal(config_to_text(c, &text, &err), -EMSGSIZE);
	assert_null(text);
	free(many);
	free(large);
}

static void command_is_shown_as_docker_does(void **state)
{
	_config_free_ struct config *c = config_new();
	_free_ char *none = config_command(c), *both = NULL;

	assert_string_equal(none, "");
	c->entrypoint = TEXTS("/entry");
	c->cmd = TEXTS("sh", "-c", "echo a");
	both = config_command(c);
	assert_string_equal(both, "/entry sh -c 'echo a'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testkit_case(everything_is_written_and_read_back),
		testkit_case(what_was_read_is_what_was_meant),
		testkit_case(what_we_did_not_write_is_refused),
		testkit_case(what_json_cannot_keep_is_named_at_create),
		testkit_case(huge_lists_and_texts_are_refused_at_create),
		testkit_case(command_is_shown_as_docker_does),
	};

	return testkit_run(tests);
}
