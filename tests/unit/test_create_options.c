/* SPDX-License-Identifier: Apache-2.0 */
#include "testkit.h"

#include "base/fd.h"
#include "base/str.h"
#include "cmd/bulkhead/create_options.h"
#include "cmd/bulkhead/env_file.h"
#include "engine/request.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json_object.h>
#include <stdio.h>
#include <unistd.h>

#define ARGV(...) ((char **) (uintptr_t) (const char *const[]){ __VA_ARGS__, NULL })

/* As opt_main does it. */
static int read_options(
        char **argv, enum create_for which, struct create_options *ret, struct err *err)
{
	static const struct {
		const struct opt *table;
		size_t n;
	} tables[] = {
		[CREATE_FOR_RUN] = { create_option_table_run, CREATE_OPTIONS_RUN },
		[CREATE_FOR_CREATE] = { create_option_table_create, CREATE_OPTIONS_CREATE },
	};
	_free_ void *values = xcalloc(1, CREATE_VALUES_SIZE);
	int argc = (int) strv_len(argv), used = 0;
	bool help;
	int r = opt_parse(
	        tables[which].table, tables[which].n, values, argc, argv, false, &used, &help, err);

	*ret = (struct create_options){ 0 };
	if (r == 0)
		return create_options_read(values, which, argc - used, argv + used, ret, err);
	/* What was read before the error is the program's that ends now; a test may not leak. */
	for (size_t i = 0; i < tables[which].n; i++)
		if (tables[which].table[i].type == OPT_LIST)
			strv_free(*(char ***) (void *) ((char *) values +
			                                tables[which].table[i].offset));
	return r;
}

static void must(int r, const struct err *err)
{
	if (r < 0)
		fail_msg("%s", err->text);
}

/* --- the table -------------------------------------------------------------------------------- */

static void names_and_letters_are_there_once(void **state)
{
	for (size_t i = 0; i < CREATE_OPTIONS_RUN; i++) {
		const struct opt *o = &create_option_table_run[i];

		assert_non_null(o->name);
		for (size_t k = 0; k < i; k++) {
			assert_string_not_equal(o->name, create_option_table_run[k].name);
			assert_true(!o->letter || o->letter != create_option_table_run[k].letter);
		}
		assert_true(o->type == OPT_PARSE ? o->parse != NULL : true);
	}
}

/* What people have in their scripts: taken, or refused by name, and never "unknown flag". */
static void every_flag_of_docker_is_known(void **state)
{
	static const char *const flags[] = { "add-host", "annotation", "attach", "blkio-weight",
		"blkio-weight-device", "cap-add", "cap-drop", "cgroup-parent", "cgroupns",
		"cidfile", "cpu-period", "cpu-quota", "cpu-rt-period", "cpu-rt-runtime",
		"cpu-shares", "cpus", "cpuset-cpus", "cpuset-mems", "detach", "detach-keys",
		"device", "device-cgroup-rule", "device-read-bps", "device-read-iops",
		"device-write-bps", "device-write-iops", "disable-content-trust", "dns",
		"dns-option", "dns-opt", "dns-search", "domainname", "entrypoint", "env",
		"env-file", "expose", "gpus", "group-add", "health-cmd", "health-interval",
		"health-retries", "health-start-interval", "health-start-period", "health-timeout",
		"hostname", "init", "interactive", "ip", "ip6", "ipc", "isolation", "kernel-memory",
		"label", "label-file", "link", "link-local-ip", "log-driver", "log-opt",
		"mac-address", "memory", "memory-reservation", "memory-swap", "memory-swappiness",
		"mount", "name", "net", "network", "network-alias", "no-healthcheck",
		"oom-kill-disable", "oom-score-adj", "pid", "pids-limit", "platform", "privileged",
		"publish", "publish-all", "pull", "quiet", "read-only", "restart", "rm", "runtime",
		"security-opt", "shm-size", "sig-proxy", "stop-signal", "stop-timeout",
		"storage-opt", "sysctl", "tmpfs", "tty", "ulimit", "user", "userns", "uts",
		"volume", "volume-driver", "volumes-from", "workdir" };
	static const char letters[] = "aceh"
	                              "ilm"
	                              "pP"
	                              "qtuvwd";

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		size_t k = 0;

		while (k < CREATE_OPTIONS_RUN && !streq(create_option_table_run[k].name, flags[i]))
			k++;
		if (k == CREATE_OPTIONS_RUN)
			fail_msg("--%s is not known", flags[i]);
	}
	for (const char *l = letters; *l; l++) {
		size_t k = 0;

		while (k < CREATE_OPTIONS_RUN && create_option_table_run[k].letter != *l)
			k++;
		assert_true(k < CREATE_OPTIONS_RUN);
	}
}

static void create_has_no_options_of_run(void **state)
{
	static const char *const run_only[] = { "--detach", "--detach-keys=a", "--sig-proxy",
		"--show-security" };

	assert_int_equal(ARRAY_SIZE(run_only), CREATE_RUN_ONLY);
	for (size_t i = 0; i < ARRAY_SIZE(run_only); i++) {
		struct create_options o;
		struct err err;

		assert_int_equal(
		        read_options(ARGV(run_only[i], "img"), CREATE_FOR_CREATE, &o, &err),
		        -EINVAL);
		assert_contains(err.text, "unknown flag: --");
		must(read_options(ARGV(run_only[i], "img"), CREATE_FOR_RUN, &o, &err), &err);
		create_options_done(&o);
	}
}

/* --- what they become ------------------------------------------------------------------------- */

static void plain_command_is_all_defaults(void **state)
{
	_create_options_done_ struct create_options o;
	_config_free_ struct config *plain = config_new();
	_free_ char *want = NULL, *got = NULL;
	struct err err;

	must(read_options(ARGV("img", "sh", "-c", "x"), CREATE_FOR_CREATE, &o, &err), &err);
	assert_string_equal(o.config->image, "img");
	assert_string_equal(o.config->cmd[2], "x");
	assert_null(o.config->cmd[3]);
	plain->image = "img";
	plain->cmd = o.config->cmd;
	plain->attach_stdout = plain->attach_stderr = true;
	must(config_to_text(plain, &want, &err), &err);
	must(config_to_text(o.config, &got, &err), &err);
	assert_string_equal(got, want);
}

static void every_option_has_its_place(void **state)
{
	_create_options_done_ struct create_options o;
	struct json_object *json;
	_free_ char *text = NULL;
	struct err err;

	must(read_options(
	             ARGV("-it", "--rm", "--name", "box", "-e", "A=1", "-eB=2", "-w", "/srv", "-u",
	                     "app:adm", "--entrypoint", "/entry", "-h", "web", "--domainname",
	                     "example.org", "-v", "vol:/data", "-v", "/srv:/srv:ro", "--mount",
	                     "type=tmpfs,target=/t", "--tmpfs", "/run:size=1m", "--read-only",
	                     "--volumes-from", "other:ro", "-m", "64m", "--memory-swap", "-1",
	                     "--memory-reservation", "32m", "--cpus", "1.5", "-c", "512",
	                     "--cpu-quota", "20000", "--cpu-period", "50000", "--cpuset-cpus", "0",
	                     "--cpuset-mems", "0", "--pids-limit", "100", "--cap-add", "NET_ADMIN",
	                     "--cap-drop=ALL", "--security-opt", "no-new-privileges", "--ulimit",
	                     "nofile=10:20", "--ulimit", "core=-1", "--ulimit", "nofile=30", "-l",
	                     "a=1", "-l", "b", "--label=a=2", "--init", "--stop-signal", "QUIT",
	                     "--stop-timeout", "-7", "--cidfile", "/tmp/id", "--group-add", "audio",
	                     "--shm-size", "1m", "--sysctl", "net.ipv4.ip_forward=1",
	                     "--log-driver", "local", "--log-opt", "max-size=1m", "--health-cmd",
	                     "true", "--health-interval", "1m30s", "--health-timeout=2s",
	                     "--health-retries", "4", "--health-start-period", "5s",
	                     "--health-start-interval", "1s", "--add-host", "a:10.0.0.1",
	                     "--add-host", "b=[::1]", "--dns", "10.0.0.2", "--dns-search", "d",
	                     "--dns-option", "ndots:2", "--network", "none", "--oom-score-adj", "0",
	                     "--oom-kill-disable", "--expose", "80", "--expose", "53-54/udp",
	                     "--pull", "never", "--platform", "linux", "-q", "--cgroup-parent",
	                     "/mine", "--sig-proxy=false", "--detach-keys", "ctrl-a",
	                     "--show-security", "img", "serve", "--all"),
	             CREATE_FOR_RUN, &o, &err),
	        &err);
	assert_string_equal(o.name, "box");
	assert_string_equal(o.detach_keys, "ctrl-a");
	assert_true(o.has_entrypoint && o.no_sig_proxy && o.show_security && !o.detach);
	assert_string_equal(o.volumes[1], "/srv:/srv:ro");
	assert_string_equal(o.mounts[0], "type=tmpfs,target=/t");
	assert_string_equal(o.tmpfs[0], "/run:size=1m");
	assert_string_equal(o.volumes_from[0], "other:ro");
	json = config_to_json(o.config);
	text = xprintf("%s\n", json_object_to_json_string_ext(json,
	                               JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(json);
	assert_golden("config-options.json", text);
}

static void streams_follow_dockers_rules(void **state)
{
	static const struct {
		const char *words[4];
		bool in, out, err, once;
	} cases[] = {
		{ { "--rm" }, false, true, true, false },
		{ { "-i" }, true, true, true, true },
		{ { "-a", "stdout" }, false, true, false, false },
		{ { "-a", "STDERR", "-i" }, true, false, true, true },
		{ { "-d", "-i" }, false, false, false, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_create_options_done_ struct create_options o;
		char *argv[6] = { NULL };
		struct err err;
		size_t n = 0;

		while (n < 4 && cases[i].words[n]) {
			argv[n] = (char *) (uintptr_t) cases[i].words[n];
			n++;
		}
		argv[n] = (char *) (uintptr_t) "img";
		must(read_options(argv, CREATE_FOR_RUN, &o, &err), &err);
		assert_true(o.config->attach_stdin == cases[i].in);
		assert_true(o.config->attach_stdout == cases[i].out);
		assert_true(o.config->attach_stderr == cases[i].err);
		assert_true(o.config->stdin_once == cases[i].once);
	}
}

static void restart_policies_are_read(void **state)
{
	_create_options_done_ struct create_options o;
	struct err err;

	must(read_options(ARGV("--restart", "on-failure:3", "img"), CREATE_FOR_RUN, &o, &err),
	        &err);
	assert_string_equal(o.config->restart, "on-failure");
	assert_int_equal(o.config->restart_max, 3);
}

static void no_healthcheck_is_none(void **state)
{
	_create_options_done_ struct create_options o;
	struct err err;

	must(read_options(ARGV("--no-healthcheck", "img"), CREATE_FOR_RUN, &o, &err), &err);
	assert_string_equal(o.config->health.test[0], "NONE");
	assert_null(o.config->health.test[1]);
}

/* --- what is refused -------------------------------------------------------------------------- */

static void wrong_values_are_told_in_dockers_words(void **state)
{
	static const struct {
		const char *words[4];
		const char *part;
	} cases[] = {
		{ { "-m", "lots" },
		        "invalid argument \"lots\" for \"-m, --memory\" flag: invalid size: 'lots'" },
		{ { "-m", "-5" }, "invalid size: '-5'" },
		{ { "-m", "99999999999g" }, "invalid size" },
		{ { "--memory-swap", "-2" }, "invalid size: '-2'" },
		{ { "--cpus", "none" },
		        "invalid argument \"none\" for \"--cpus\" flag: failed to parse none as a rational number" },
		{ { "--cpus", "-1" }, "failed to parse -1" },
		{ { "--pids-limit", "x" }, "invalid argument \"x\" for \"--pids-limit\" flag" },
		{ { "-c", "-1" }, "invalid argument \"-1\" for \"-c, --cpu-shares\" flag" },
		{ { "--ulimit", "nofile" },
		        "invalid argument \"nofile\" for \"--ulimit\" flag: invalid ulimit argument: nofile" },
		{ { "--ulimit", "x=1" }, "invalid ulimit type: x" },
		{ { "--ulimit", "nofile=2:1" },
		        "ulimit soft limit must be less than or equal to hard limit: 2 > 1" },
		{ { "--ulimit", "nofile=1:2:3" }, "too many limit values" },
		{ { "--ulimit", "nofile=1:x" }, "invalid ulimit argument" },
		{ { "-e", "=x" },
		        "invalid argument \"=x\" for \"-e, --env\" flag: invalid environment variable: =x" },
		{ { "-e", "" }, "invalid environment variable" },
		{ { "-l", "=x" }, "invalid label '=x': empty name" },
		{ { "-a", "x" }, "valid streams are STDIN, STDOUT and STDERR" },
		{ { "--health-interval", "5" },
		        "invalid argument \"5\" for \"--health-interval\" flag" },
		{ { "--health-timeout", "-5s" }, "cannot be negative" },
		{ { "--health-retries", "-1" }, "--health-retries" },
		{ { "--no-healthcheck", "--health-cmd", "x" }, "--no-healthcheck conflicts" },
		{ { "--sysctl", "nonsense" },
		        "invalid argument \"nonsense\" for \"--sysctl\" flag" },
		{ { "--restart", "on-failure:x" }, "maximum retry count must be an integer" },
		{ { "--restart", ":3" }, "no policy provided before colon" },
		{ { "--expose", "0" }, "invalid range format for --expose" },
		{ { "--expose", "9-8" }, "invalid range format for --expose" },
		{ { "--expose", "80/x" }, "invalid range format for --expose" },
		{ { "--expose", "1-65535" }, "more than 4096 ports" },
		{ { "-d", "-a", "stdin" }, "conflicting options: -a and -d" },
		{ { "--log-driver=none", "--log-opt", "a=b" },
		        "invalid logging opts for driver none" },
		{ { "--env-file", "/nonexistent" }, "open /nonexistent: No such file" },
		{ { "--security-opt", "seccomp=/nonexistent" },
		        "opening seccomp profile (/nonexistent) failed" },
		{ { "--pull", "always" }, "registries are not part of this version" },
		{ { "--pull", "x" }, "must be one of" },
		{ { "--platform", "linux/mips" }, "platform 'linux/mips' cannot run here" },
		{ { "--stop-timeout", "x" }, "--stop-timeout" },
		{ { "--oom-score-adj", "" }, "--oom-score-adj" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct create_options o;
		char *argv[6] = { NULL };
		struct err err;
		size_t n = 0;

		while (n < 4 && cases[i].words[n]) {
			argv[n] = (char *) (uintptr_t) cases[i].words[n];
			n++;
		}
		argv[n] = (char *) (uintptr_t) "img";
		if (read_options(argv, CREATE_FOR_RUN, &o, &err) >= 0)
			fail_msg("accepted: %s", cases[i].part);
		assert_contains(err.text, cases[i].part);
	}
}

static void what_this_version_lacks_is_refused_by_name(void **state)
{
	static const struct {
		const char *word, *part;
	} cases[] = {
		{ "--privileged", "grant what is needed: --cap-add" },
		{ "-p=80:80", "ports cannot be published" },
		{ "-P", "ports cannot be published" },
		{ "--pid=host", "namespaces of its own" },
		{ "--ipc=host", "namespaces of its own" },
		{ "--userns=host", "namespaces of its own" },
		{ "--uts=host", "namespaces of its own" },
		{ "--cgroupns=host", "namespaces of its own" },
		{ "--device=/dev/kvm", "devices of the host" },
		{ "--gpus=all", "devices of the host" },
		{ "--link=x", "loopback alone" },
		{ "--ip=10.0.0.1", "loopback alone" },
		{ "--runtime=runc", "leave the option out" },
		{ "--blkio-weight=10", "does not set this limit" },
	};
	static const char *const harmless[] = { "--privileged=false", "--pid=", "--ipc=private",
		"--cgroupns=private", "--runtime=bulkhead", "--blkio-weight=0",
		"--memory-swappiness=-1", "--disable-content-trust", "--publish-all=false" };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct create_options o;
		struct err err;

		if (read_options(ARGV(cases[i].word, "img"), CREATE_FOR_RUN, &o, &err) >= 0)
			fail_msg("accepted: %s", cases[i].word);
		assert_contains(err.text, cases[i].part);
	}
	for (size_t i = 0; i < ARRAY_SIZE(harmless); i++) {
		_create_options_done_ struct create_options o;
		struct err err;

		must(read_options(ARGV(harmless[i], "img"), CREATE_FOR_RUN, &o, &err), &err);
	}
}

/* --- files ------------------------------------------------------------------------------------ */

static const char *put(const char *name, const char *text, size_t len)
{
	static char path[256];
	_close_ int dir = open(testkit_scratch(), O_PATH | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(fd_replace_file(dir, name, text, len, 0600, false), 0);
	(void) snprintf(path, sizeof(path), "%s/%s", testkit_scratch(), name);
	return path;
}

#define PUT(name, text) put(name, text, sizeof(text) - 1)

static void variables_come_from_files_and_us(void **state)
{
	_create_options_done_ struct create_options o;
	const char *path = PUT("env", "\xef\xbb\xbf# comment\n\nA=file\n  B=2\nFROM_US\nNOT_THERE\n"
	                              "C=with space \r\nD=a=b # no comment\nE=");
	struct err err;

	assert_int_equal(setenv("FROM_US", "from the host", 1), 0);
	(void) unsetenv("NOT_THERE");
	must(read_options(ARGV("--env-file", path, "-e", "A=flag", "-e", "FROM_US", "-e",
	                          "NOT_THERE", "img"),
	             CREATE_FOR_RUN, &o, &err),
	        &err);
	static const char *const want[] = { "A=file", "B=2", "FROM_US=from the host",
		"C=with space ", "D=a=b # no comment", "E=", "A=flag", "FROM_US=from the host",
		"NOT_THERE" };

	for (size_t i = 0; i < ARRAY_SIZE(want); i++)
		assert_string_equal(o.config->env[i], want[i]);
	assert_null(o.config->env[ARRAY_SIZE(want)]);
}

static void labels_of_files_need_no_value(void **state)
{
	_create_options_done_ struct create_options o;
	const char *path = PUT("labels", "a=1\n# no\nb=x y\nempty\n");
	struct err err;

	must(read_options(ARGV("--label-file", path, "-l", "a=2", "img"), CREATE_FOR_RUN, &o, &err),
	        &err);
	assert_int_equal(o.config->n_labels, 3);
	assert_string_equal(o.config->labels[0].value, "2");
	assert_string_equal(o.config->labels[1].value, "x y");
	assert_string_equal(o.config->labels[2].value, "");
}

static void hostile_files_are_refused(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		const char *part;
	} cases[] = {
		{ "bad name=1\n", 11, "variable 'bad name' contains whitespaces" },
		{ "A=1\n=x\n", 7, "no variable name on line '=x'" },
		{ "A=1\0B=2\n", 8, "is not a text file" },
		{ "A=\xff\n", 4, "invalid utf8 bytes at line 1" },
		{ "\033[2J x=1\n", 9, "variable '\\x1b[2J x' contains whitespaces" },
	};
	_free_ char *many = xmalloc((size_t) 2 * ENV_FILE_ENTRIES_MAX + 4);
	char **list = NULL;
	struct err err;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *path = put("env", cases[i].text, cases[i].len);

		assert_int_equal(env_file_read(path, &list, &err), -EINVAL);
		assert_contains(err.text, cases[i].part);
		list = strv_free(list);
	}
	memset(many, '\n', (size_t) 2 * ENV_FILE_ENTRIES_MAX);
	assert_int_equal(
	        env_file_read(put("env", many, (size_t) 2 * ENV_FILE_ENTRIES_MAX), &list, &err),
	        -E2BIG);
	assert_int_equal(env_file_read("/dev/zero", &list, &err), -EMSGSIZE);
	assert_int_equal(env_file_read(testkit_scratch(), &list, &err), -EISDIR);
	assert_null(list);
}

static void seccomp_profiles_are_taken_along(void **state)
{
	_create_options_done_ struct create_options o;
	struct create_options bad;
	_free_ char *option = xprintf("seccomp=%s",
	        PUT("profile.json", "{ \"defaultAction\" :\n\t\"SCMP_ACT_ALLOW\" }\n"));
	struct err err;

	must(read_options(
	             ARGV("--security-opt", option, "--security-opt", "seccomp=unconfined", "img"),
	             CREATE_FOR_RUN, &o, &err),
	        &err);
	assert_string_equal(
	        o.config->security_opt[0], "seccomp={\"defaultAction\":\"SCMP_ACT_ALLOW\"}");
	assert_string_equal(o.config->security_opt[1], "seccomp=unconfined");
	assert_int_equal(read_options(ARGV("--security-opt", "seccomp=/dev/zero", "img"),
	                         CREATE_FOR_RUN, &bad, &err),
	        -EMSGSIZE);
	(void) PUT("profile.json", "{ \"a\": 1, \"a\": 2 }");
	assert_int_equal(
	        read_options(ARGV("--security-opt", option, "img"), CREATE_FOR_RUN, &bad, &err),
	        -EINVAL);
	assert_contains(err.text, "seccomp profile");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testkit_case(names_and_letters_are_there_once),
		testkit_case(every_flag_of_docker_is_known),
		testkit_case(create_has_no_options_of_run),
		testkit_case(plain_command_is_all_defaults),
		testkit_case(every_option_has_its_place),
		testkit_case(streams_follow_dockers_rules),
		testkit_case(restart_policies_are_read),
		testkit_case(no_healthcheck_is_none),
		testkit_case(wrong_values_are_told_in_dockers_words),
		testkit_case(what_this_version_lacks_is_refused_by_name),
		testkit_case(variables_come_from_files_and_us),
		testkit_case(labels_of_files_need_no_value),
		testkit_case(hostile_files_are_refused),
		testkit_case(seccomp_profiles_are_taken_along),
	};

	return testkit_run(tests);
}
