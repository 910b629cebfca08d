/* SPDX-License-Identifier: Apache-2.0 */
/* Lists, inspect and top: what is pure of them. */
#include "testkit.h"

#include "base/buf.h"
#include "base/str.h"
#include "engine/inspect.h"
#include "engine/list.h"
#include "engine/processes.h"
#include "format/table.h"
#include "json/build.h"
#include "json/json.h"
#include "oci/image.h"

#define SECOND INT64_C(1000000000)
#define NOW    (1000 * SECOND)

#define FILTERS(...) ((char **) (uintptr_t) (const char *const[]){ __VA_ARGS__, NULL })
#define TEXTS(...)   ((const char *const[]){ __VA_ARGS__, NULL })

static struct container running(int64_t seconds)
{
	return (struct container){
		.id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
		.name = (char *) (uintptr_t) "web",
		.alive = true,
		.record = { .state = RECORD_RUNNING, .pid = 42, .started = NOW - seconds * SECOND },
	};
}

static struct container exited(int code, int64_t seconds)
{
	struct container c = running(seconds + 100);

	c.alive = false;
	c.record.state = RECORD_EXITED;
	c.record.pid = 0;
	c.record.exit_code = code;
	c.record.finished = NOW - seconds * SECOND;
	return c;
}

static void assert_status(const struct container *c, const char *expected)
{
	_free_ char *status = list_status(c, NOW / SECOND);

	assert_string_equal(status, expected);
}

static void status_is_in_dockers_words(void **state)
{
	struct container c = running(300);

	assert_status(&c, "Up 5 minutes");
	c.record.health = RECORD_HEALTH_STARTING;
	assert_status(&c, "Up 5 minutes (health: starting)");
	c.record.health = RECORD_HEALTH_HEALTHY;
	assert_status(&c, "Up 5 minutes (healthy)");
	c.record.health = RECORD_HEALTH_UNHEALTHY;
	assert_status(&c, "Up 5 minutes (unhealthy)");
	c.paused = c.record.started;
	assert_status(&c, "Up 5 minutes (Paused)");
	c = exited(3, 3);
	assert_status(&c, "Exited (3) 3 seconds ago");
	c.alive = true;
	c.record.state = RECORD_RESTARTING;
	assert_status(&c, "Restarting (3) 3 seconds ago");
	c = exited(127, 3);
	c.record.started = 0;
	c.record.state = RECORD_CREATED;
	assert_status(&c, "Created");
}

/* The pause of an earlier run is over. */
static void a_pause_belongs_to_one_run(void **state)
{
	struct container c = running(10);

	c.paused = c.record.started - 1;
	assert_status(&c, "Up 10 seconds");
}

static void assert_command(const char *command, const char *expected)
{
	_free_ char *cut = list_cut(command, 20);
	_free_ char *quoted = list_quoted(cut);

	assert_string_equal(quoted, expected);
}

static void commands_are_cut_and_quoted_as_dockers(void **state)
{
	assert_command("sleep 1000", "\"sleep 1000\"");
	assert_command("12345678901234567890", "\"12345678901234567890\"");
	assert_command("123456789012345678901", "\"1234567890123456789\xe2\x80\xa6\"");
	assert_command("docker-entrypoint.sh nginx", "\"docker-entrypoint.s\xe2\x80\xa6\"");
	assert_command("say \"hi\" \\", "\"say \\\"hi\\\" \\\\\"");
	assert_command("", "\"\"");
}

static void nothing_of_a_command_drives_the_terminal(void **state)
{
	assert_command("a\nb\tc\x1b[2J", "\"a\\nb\\tc\\x1b[2J\"");
	assert_command("\xff\x80", "\"\\xff\\x80\"");
	assert_command("\xc2\x9b"
	               "31m",
	        "\"\\u009b31m\""); /* C1 */
	assert_command("\xe2\x80\xae"
	               "gpj",
	        "\"\\u202egpj\""); /* turns the direction */
	assert_command("\xf3\xa0\x80\x81", "\"\\U000e0001\"");
	assert_command("caf\xc3\xa9", "\"caf\xc3\xa9\"");
}

static void wide_characters_take_two_columns(void **state)
{
	_free_ char *cut = list_cut("\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", 5);
	_free_ char *whole = list_cut("\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", 6);

	assert_string_equal(cut, "\xe6\x97\xa5\xe6\x9c\xac\xe2\x80\xa6");
	assert_string_equal(whole, "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e");
}

/* --- filters ---------------------------------------------------------------------------------- */

static void wrong_filters_are_refused(void **state)
{
	static const char *const bad[] = { "status", "status=up", "colour=red", "exited=x",
		"health=well", "expose=x/tcp", "publish=80/ipx", "expose=90-80", "is-task=maybe" };
	struct err err;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(list_check_filters(FILTERS(bad[i]), &err), -EINVAL);
		assert_contains(err.text, bad[i]);
	}
	assert_int_equal(list_check_filters(NULL, &err), 0);
	assert_int_equal(list_check_filters(FILTERS("name=^/web$", "label=a=b", "status=paused",
	                                            "expose=80-90/udp", "is-task=false"),
	                         &err),
	        0);
}

static bool passes(const struct container *c, const char *filter)
{
	return list_matches(FILTERS(filter), c, NULL);
}

static void names_and_ids_are_patterns(void **state)
{
	struct container c = running(1);

	assert_true(passes(&c, "name=web"));
	assert_true(passes(&c, "name=we"));
	assert_true(passes(&c, "name=^/web$"));
	assert_true(passes(&c, "name=^web$"));
	assert_false(passes(&c, "name=^we$"));
	assert_false(passes(&c, "name=("));
	assert_true(passes(&c, "id=0123456789ab"));
	assert_false(passes(&c, "id=fff0"));
}

static void states_and_codes_are_filters(void **state)
{
	struct container c = exited(3, 1);

	assert_true(passes(&c, "exited=3"));
	assert_false(passes(&c, "exited=0"));
	assert_true(passes(&c, "status=exited"));
	assert_true(passes(&c, "health=none"));
	assert_true(passes(&c, "is-task=false"));
	assert_false(passes(&c, "is-task=true"));
	c = running(1);
	assert_false(passes(&c, "exited=0"));
	assert_true(passes(&c, "status=running"));
	c.paused = c.record.started;
	assert_false(passes(&c, "status=running"));
	assert_true(passes(&c, "status=paused"));
}

static void values_of_a_key_are_alternatives_but_for_labels(void **state)
{
	static const struct oci_kv labels[] = { { "a", "1" }, { "b", "" } };
	_config_free_ struct config *config = config_new();
	struct container c = running(1);

	config->labels = labels;
	config->n_labels = 2;
	assert_true(list_matches(FILTERS("name=nobody", "name=web"), &c, config));
	assert_false(list_matches(FILTERS("name=web", "status=exited"), &c, config));
	assert_true(list_matches(FILTERS("label=a", "label=b="), &c, config));
	assert_true(list_matches(FILTERS("label=a=1"), &c, config));
	assert_false(list_matches(FILTERS("label=a=1", "label=c"), &c, config));
	assert_false(list_matches(FILTERS("label=a="), &c, config));
	assert_false(list_matches(FILTERS("label=a"), &c, NULL));
}

static void mounts_and_ports_are_filters(void **state)
{
	static const struct config_mount mounts[] = {
		{ .type = CONFIG_VOLUME, .source = "data", .target = "/var/lib" },
		{ .type = CONFIG_BIND, .source = "/srv", .target = "/www" },
		{ .type = CONFIG_TMPFS, .source = "", .target = "/tmp" },
	};
	_config_free_ struct config *config = config_new();
	struct container c = running(1);

	config->mounts = mounts;
	config->n_mounts = ARRAY_SIZE(mounts);
	config->exposed_ports = TEXTS("80/tcp", "53/udp");
	assert_true(list_matches(FILTERS("volume=data"), &c, config));
	assert_true(list_matches(FILTERS("volume=/srv"), &c, config));
	assert_true(list_matches(FILTERS("volume=/tmp"), &c, config));
	assert_false(list_matches(FILTERS("volume="), &c, config));
	assert_false(list_matches(FILTERS("volume=/var"), &c, config));
	assert_true(list_matches(FILTERS("expose=80"), &c, config));
	assert_true(list_matches(FILTERS("expose=50-60/udp"), &c, config));
	assert_false(list_matches(FILTERS("expose=53"), &c, config));
	assert_false(list_matches(FILTERS("publish=80"), &c, config));
}

/* --- inspect ---------------------------------------------------------------------------------- */

static const char *member(struct json_object *o, const char *path)
{
	_free_ char *copy = xstrdup(path);
	char *rest = copy;

	for (char *key; (key = strsep(&rest, "."));)
		o = json_object_object_get(o, key);
	return o ? json_object_get_string(o) : "(none)";
}

static struct json_object *inspect(struct container *c, struct json_object *log)
{
	static const struct config_mount mounts[] = {
		{ .type = CONFIG_VOLUME, .source = "data", .target = "/data", .read_only = true },
		{ .type = CONFIG_BIND, .source = "/srv", .target = "/srv" },
	};
	static char *layers[] = { (char *) (uintptr_t) "layers/bb",
		(char *) (uintptr_t) "layers/aa", NULL };
	_config_free_ struct config *config = config_new();
	const struct inspect_container_parts parts = {
		.c = c,
		.config = config,
		.root = "/state",
		.layers = layers,
		.log = log,
		.has_size = true,
		.size_rw = 10,
		.size_image = 1000,
	};

	config->entrypoint = TEXTS("sh", "-c");
	config->cmd = TEXTS("sleep 1\x1b");
	config->mounts = mounts;
	config->n_mounts = ARRAY_SIZE(mounts);
	config->log_driver = "json-file";
	return inspect_container_object(&parts);
}

static void inspect_has_dockers_keys(void **state)
{
	static const char *const keys[] = { "Id", "Created", "Path", "Args", "State", "Image",
		"ResolvConfPath", "HostnamePath", "HostsPath", "LogPath", "Name", "RestartCount",
		"Driver", "Platform", "MountLabel", "ProcessLabel", "AppArmorProfile", "ExecIDs",
		"HostConfig", "GraphDriver", "SizeRw", "SizeRootFs", "Mounts", "Config",
		"NetworkSettings" };
	struct container c = running(5);
	_json_put_ struct json_object *o = inspect(&c, NULL);
	size_t i = 0;

	json_object_object_foreach(o, key, value)
	{
		(void) value;
		assert_true(i < ARRAY_SIZE(keys));
		assert_string_equal(key, keys[i++]);
	}
	assert_int_equal(i, ARRAY_SIZE(keys));
	assert_string_equal(member(o, "State.Status"), "running");
	assert_string_equal(member(o, "State.Running"), "true");
	assert_string_equal(member(o, "State.Pid"), "42");
	assert_string_equal(member(o, "State.StartedAt"), "1970-01-01T00:16:35Z");
	assert_string_equal(member(o, "State.FinishedAt"), "0001-01-01T00:00:00Z");
	assert_string_equal(member(o, "State.Health"), "(none)");
	assert_string_equal(member(o, "Name"), "/web");
	assert_string_equal(member(o, "Path"), "sh");
	assert_contains(
	        member(o, "GraphDriver.Data.LowerDir"), "/state/fs/layers/bb:/state/fs/layers/aa");
	assert_string_equal(member(o, "SizeRootFs"), "1010");
	assert_contains(member(o, "Mounts"), "data\\/_data");
	assert_string_equal(member(o, "NetworkSettings.Ports"), "{ }");
}

static void inspect_escapes_what_a_container_says(void **state)
{
	_buf_done_ struct buf out = BUF_INIT(1 << 20);
	struct container c = exited(1, 5);
	_json_put_ struct json_object *o = inspect(&c, NULL);
	struct err err;

	assert_int_equal(format_json(o, true, &out, &err), 0);
	assert_contains(buf_str(&out), "sleep 1\\u001b");
	assert_null(strchr(buf_str(&out), '\x1b'));
}

static void a_restarting_container_runs_too(void **state)
{
	struct container c = exited(1, 5);

	c.alive = true;
	c.record.state = RECORD_RESTARTING;
	_json_put_ struct json_object *o = inspect(&c, NULL);

	assert_string_equal(member(o, "State.Running"), "true");
	assert_string_equal(member(o, "State.Restarting"), "true");
	assert_string_equal(member(o, "State.Pid"), "0");
}

static void the_health_log_is_read_strictly(void **state)
{
	static const char good[] =
	        "{\"Start\":\"a\",\"End\":\"b\",\"ExitCode\":1,\"Output\":\"x\"}\n";
	static const char *const bad[] = {
		"{\"Start\":\"a\",\"End\":\"b\",\"ExitCode\":\"1\",\"Output\":\"x\"}\n",
		"{\"Start\":\"a\",\"End\":\"b\",\"ExitCode\":1}\n",
		"{\"Start\":\"a\",\"End\":\"b\",\"ExitCode\":1,\"Output\":\"x\",\"More\":1}\n",
		"{\"Start\":{},\"End\":\"b\",\"ExitCode\":1,\"Output\":\"x\"}\n",
		"[]\n",
		"\n",
		"{\"Start\":\"a\",\"End\":\"b\",\"Exi",
	};
	_buf_done_ struct buf text = BUF_INIT(1 << 16);
	_json_put_ struct json_object *log = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_json_put_ struct json_object *none = inspect_health_log(bad[i], strlen(bad[i]));

		assert_int_equal(json_object_array_length(none), 0);
	}
	for (int i = 0; i < 9; i++)
		(void) buf_adds(&text, good);
	log = inspect_health_log(buf_str(&text), text.len);
	assert_int_equal(json_object_array_length(log), INSPECT_HEALTH_LOG_MAX);
}

static void health_is_shown_with_its_log(void **state)
{
	static const char line[] =
	        "{\"Start\":\"a\",\"End\":\"b\",\"ExitCode\":1,\"Output\":\"sick\"}\n";
	_json_put_ struct json_object *log = inspect_health_log(line, strlen(line));
	struct container c = running(5);

	c.record.health = RECORD_HEALTH_UNHEALTHY;
	c.record.failing = 4;
	_json_put_ struct json_object *o = inspect(&c, log);

	assert_string_equal(member(o, "State.Health.Status"), "unhealthy");
	assert_string_equal(member(o, "State.Health.FailingStreak"), "4");
	assert_contains(member(o, "State.Health.Log"), "sick");
}

static void an_image_has_dockers_keys(void **state)
{
	static char *names[] = { (char *) (uintptr_t) "docker.io/library/debian:12", NULL };
	static char *layers[] = { (char *) (uintptr_t) "layers/bb", NULL };
	const struct store_image image = {
		.id = "0123456789abcdef",
		.names = names,
		.layers = layers,
		.size = 77,
	};
	struct oci_image *config = oci_image_new();

	config->cmd = TEXTS("bash");
	_json_put_ struct json_object *o = inspect_image_object(&image, config, "/state");

	assert_string_equal(member(o, "Id"), "sha256:0123456789abcdef");
	assert_contains(member(o, "RepoTags"), "debian:12");
	assert_string_equal(member(o, "Size"), "77");
	assert_contains(member(o, "Config.Cmd"), "bash");
	assert_string_equal(member(o, "GraphDriver.Data.UpperDir"), "/state/fs/layers/bb");
	assert_string_equal(member(o, "RootFS.Type"), "layers");
	oci_image_free(config);
}

/* --- top -------------------------------------------------------------------------------------- */

static void top_keeps_the_members_of_ps(void **state)
{
	static const char ps[] = "UID    PID  PPID CMD\n"
	                         "root     1     0 /sbin/init\n"
	                         "root    17     1 sh -c   sleep\x1b 5\n"
	                         "root     -     - -\n"
	                         "root    19     1 evil\n"
	                         "root     -     - -\n";
	static const pid_t members[] = { 17 };
	_buf_done_ struct buf out = BUF_INIT(1 << 16);
	struct err err;

	assert_int_equal(processes_table(ps, members, 1, &out, &err), 0);
	assert_string_equal(buf_str(&out),
	        "UID                 PID                 PPID                CMD\n"
	        "root                17                  1                   sh -c sleep\\x1b 5\n"
	        "root                -                   -                   -\n");
}

static void top_needs_the_column_of_pids(void **state)
{
	_buf_done_ struct buf out = BUF_INIT(1 << 16);
	struct err err;

	assert_int_equal(processes_table("UID CMD\nroot sh\n", NULL, 0, &out, &err), -EINVAL);
	assert_contains(err.text, "Couldn't find PID field in ps output");
	assert_int_equal(processes_table("", NULL, 0, &out, &err), -EINVAL);
}

static void options_of_ps_cannot_lie_about_pids(void **state)
{
	char *const lie[] = { (char *) (uintptr_t) "-o", (char *) (uintptr_t) "user=PID,cmd" },
	            *const fine[] = { (char *) (uintptr_t) "-o",
		            (char *) (uintptr_t) "pid=PID,user" };
	struct err err;

	assert_int_equal(processes_check_options(lie, 2, &err), -EINVAL);
	assert_contains(err.text, "specifying \"user=PID\" is not allowed");
	assert_int_equal(processes_check_options(fine, 2, &err), 0);
	assert_int_equal(processes_check_options(NULL, 0, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testkit_case(status_is_in_dockers_words),
		testkit_case(a_pause_belongs_to_one_run),
		testkit_case(commands_are_cut_and_quoted_as_dockers),
		testkit_case(nothing_of_a_command_drives_the_terminal),
		testkit_case(wide_characters_take_two_columns),
		testkit_case(wrong_filters_are_refused),
		testkit_case(names_and_ids_are_patterns),
		testkit_case(states_and_codes_are_filters),
		testkit_case(values_of_a_key_are_alternatives_but_for_labels),
		testkit_case(mounts_and_ports_are_filters),
		testkit_case(inspect_has_dockers_keys),
		testkit_case(inspect_escapes_what_a_container_says),
		testkit_case(a_restarting_container_runs_too),
		testkit_case(the_health_log_is_read_strictly),
		testkit_case(health_is_shown_with_its_log),
		testkit_case(an_image_has_dockers_keys),
		testkit_case(top_keeps_the_members_of_ps),
		testkit_case(top_needs_the_column_of_pids),
		testkit_case(options_of_ps_cannot_lie_about_pids),
	};

	return testkit_run(tests);
}
