/* SPDX-License-Identifier: Apache-2.0 */
/* The table, and what can be said about one value alone. */
#include "create_options.h"

#include "base/str.h"
#include "create_parse.h"
#include "create_values.h"
#include "engine/ulimits.h"
#include "env_file.h"

#include <errno.h>
#include <strings.h>

/* --- numbers ---------------------------------------------------------------------------------- */

static int bad_value(struct err *err, const char *text, const char *what)
{
	_free_ char *shown = str_escaped(text);

	return err_set(err, -EINVAL, "%s: '%s'", what, shown);
}

int create_parse_size(const char *text, void *field, struct err *err)
{
	uint64_t n;

	if (num_parse_size(text, &n) < 0 || n > INT64_MAX)
		return bad_value(err, text, "invalid size");
	*(uint64_t *) field = n;
	return 0;
}

/* A size, or -1. */
int create_parse_swap(const char *text, void *field, struct err *err)
{
	uint64_t n = 0;

	if (!streq(text, "-1") && create_parse_size(text, &n, err) < 0)
		return -EINVAL;
	*(int64_t *) field = streq(text, "-1") ? -1 : (int64_t) n;
	return 0;
}

int create_parse_number(const char *text, void *field, struct err *err)
{
	return num_parse_i64(text, field) < 0 ? bad_value(err, text, "invalid number") : 0;
}

int create_parse_positive(const char *text, void *field, struct err *err)
{
	int64_t n;

	if (num_parse_i64(text, &n) < 0 || n < 0)
		return bad_value(err, text, "invalid number");
	*(int64_t *) field = n;
	return 0;
}

int create_parse_cpus(const char *text, void *field, struct err *err)
{
	_free_ char *shown = NULL;
	uint64_t n;

	if (num_parse_nano(text, &n) == 0 && n <= INT64_MAX) {
		*(uint64_t *) field = n;
		return 0;
	}
	shown = str_escaped(text);
	return err_set(err, -EINVAL, "failed to parse %s as a rational number", shown);
}

static int parse_duration(const char *text, void *field, struct err *err)
{
	int64_t n;

	if (num_parse_duration(text, &n) < 0)
		return bad_value(
		        err, text, "invalid duration, which is a number with its unit such as 30s");
	if (n < 0)
		return err_set(err, -EINVAL, "a duration cannot be negative");
	*(int64_t *) field = n;
	return 0;
}

/* --- the whole structure: an option that is there without a value is not one that is not ---------
 */

static int parse_entrypoint(const char *text, void *field, struct err *err)
{
	struct create_values *v = field;

	(void) err;
	v->entrypoint = text;
	v->has_entrypoint = true;
	return 0;
}

static int parse_oom_score(const char *text, void *field, struct err *err)
{
	struct create_values *v = field;

	v->has_oom_score_adj = true;
	return create_parse_number(text, &v->oom_score_adj, err);
}

static int parse_stop_timeout(const char *text, void *field, struct err *err)
{
	struct create_values *v = field;
	int r = create_parse_number(text, &v->stop_timeout, err);

	v->has_stop_timeout = true;
	v->stop_timeout = MAX(v->stop_timeout, INT64_C(-1));
	return r;
}

/* --- checks of texts -------------------------------------------------------------------------- */

static int check_stream(const char *text, void *field, struct err *err)
{
	static const char *const names[] = { "stdin", "stdout", "stderr" };

	(void) field;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcasecmp(text, names[i]) == 0)
			return 0;
	return err_set(err, -EINVAL, "valid streams are STDIN, STDOUT and STDERR");
}

static int check_label(const char *text, void *field, struct err *err)
{
	_free_ char *shown = NULL;

	(void) field;
	if (*text && *text != '=')
		return 0;
	shown = str_escaped(text);
	return err_set(err, -EINVAL, "invalid label '%s': empty name", shown);
}

static int check_sysctl(const char *text, void *field, struct err *err)
{
	(void) field;
	return strchr(text, '=') && *text != '='
	               ? 0
	               : bad_value(err, text, "a sysctl is KEY=VALUE, not");
}

static int check_ulimit(const char *text, void *field, struct err *err)
{
	struct config_ulimit unused;

	(void) field;
	return ulimit_parse(text, &unused, err);
}

static int check_pull(const char *text, void *field, struct err *err)
{
	(void) field;
	if (streq(text, "missing") || streq(text, "never"))
		return 0;
	if (streq(text, "always"))
		return err_set(err, -EOPNOTSUPP,
		        "registries are not part of this version: images come from 'bulkhead image import'");
	return bad_value(err, text, "must be one of \"always\", \"missing\" or \"never\", not");
}

/* --- docker's options that this version does not have --------------------------------------------
 */

static int refuse_namespace(const char *text, void *field, struct err *err)
{
	(void) field;
	if (!*text || streq(text, "private"))
		return 0;
	return err_set(err, -EOPNOTSUPP,
	        "each container has namespaces of its own: none is shared with the host or another container");
}

static int refuse_ports(const char *text, void *field, struct err *err)
{
	(void) text;
	(void) field;
	return err_set(err, -EOPNOTSUPP,
	        "ports cannot be published in this version: a container has a network of its own with "
	        "loopback alone; share a folder with a socket in it (-v) instead");
}

static int refuse_network(const char *text, void *field, struct err *err)
{
	(void) text;
	(void) field;
	return err_set(err, -EOPNOTSUPP,
	        "a container has a network of its own with loopback alone in this version");
}

static int refuse_devices(const char *text, void *field, struct err *err)
{
	(void) text;
	(void) field;
	return err_set(err, -EOPNOTSUPP,
	        "devices of the host are not given to containers in this version");
}

static int refuse_limit(const char *text, void *field, struct err *err)
{
	(void) field;
	if (streq(text, "0") || streq(text, "-1"))
		return 0;
	return err_set(
	        err, -EOPNOTSUPP, "this version does not set this limit: leave the option out");
}

static int refuse_other(const char *text, void *field, struct err *err)
{
	static const char *const harmless[] = { "", "default", "local", "bulkhead" };

	(void) field;
	for (size_t i = 0; i < ARRAY_SIZE(harmless); i++)
		if (streq(text, harmless[i]))
			return 0;
	return err_set(err, -EOPNOTSUPP, "this version does not have it: leave the option out");
}

/* --- the table -------------------------------------------------------------------------------- */

#define AT(field) offsetof(struct create_values, field)
#define FLAG(name, letter, field, help)                                                            \
	{                                                                                          \
		name, letter, OPT_FLAG, NULL, help, AT(field), NULL, NULL                          \
	}
#define TEXT(name, letter, arg, field, help, check)                                                \
	{                                                                                          \
		name, letter, OPT_TEXT, arg, help, AT(field), check, NULL                          \
	}
#define LIST(name, letter, arg, field, help, check)                                                \
	{                                                                                          \
		name, letter, OPT_LIST, arg, help, AT(field), check, NULL                          \
	}
#define PARSE(name, letter, arg, field, help, parse)                                               \
	{                                                                                          \
		name, letter, OPT_PARSE, arg, help, AT(field), parse, NULL                         \
	}
#define WHOLE(name, letter, arg, help, parse)                                                      \
	{                                                                                          \
		name, letter, OPT_PARSE, arg, help, 0, parse, NULL                                 \
	}
#define REFUSED(name, letter, parse)                                                               \
	{                                                                                          \
		name, letter, OPT_PARSE, "X", NULL, 0, parse, NULL                                 \
	}

const struct opt create_option_table_run[CREATE_OPTIONS_RUN] = {
	/* run alone; see CREATE_RUN_ONLY */
	FLAG("detach", 'd', detach, "run in the background and print the id"),
	TEXT("detach-keys", 0, "KEYS", detach_keys, "keys that detach (default ctrl-p,ctrl-q)",
	        NULL),
	FLAG("show-security", 0, show_security,
	        "print what protects the container before it starts"),
	{ "sig-proxy", 0, OPT_FLAG_OFF, NULL, "pass signals on to the container (default true)",
	        AT(no_sig_proxy), NULL, NULL },
	/* both */
	LIST("add-host", 0, "NAME:IP", add_hosts, "one more line for /etc/hosts", NULL),
	{ "attach", 'a', OPT_LIST, "STREAM", "attach to stdin, stdout or stderr alone", AT(attach),
	        check_stream, "stdin stdout stderr" },
	LIST("cap-add", 0, "CAPABILITY", cap_add, "give a capability, or ALL", NULL),
	LIST("cap-drop", 0, "CAPABILITY", cap_drop, "take a capability away, or ALL", NULL),
	TEXT("cgroup-parent", 0, "PATH", cgroup_parent,
	        "control group to put the container's group in (default /bulkhead)", NULL),
	TEXT("cidfile", 0, "FILE", cidfile, "write the id to a new file", NULL),
	PARSE("cpu-period", 0, "US", cpu_period, "period of the CPU quota in microseconds",
	        create_parse_positive),
	PARSE("cpu-quota", 0, "US", cpu_quota, "CPU time in each period; -1: no limit",
	        create_parse_number),
	PARSE("cpu-shares", 'c', "N", cpu_shares,
	        "share of the CPUs when they are busy (default 1024)", create_parse_positive),
	PARSE("cpus", 0, "N", nano_cpus, "CPUs that may be used, e.g. 1.5 (default all but one)",
	        create_parse_cpus),
	TEXT("cpuset-cpus", 0, "LIST", cpuset_cpus, "CPUs to run on, e.g. 0-2,5", NULL),
	TEXT("cpuset-mems", 0, "LIST", cpuset_mems, "memory nodes to use", NULL),
	LIST("dns", 0, "IP", dns, "name server for /etc/resolv.conf", NULL),
	LIST("dns-option", 0, "OPTION", dns_options, "option for /etc/resolv.conf", NULL),
	LIST("dns-search", 0, "DOMAIN", dns_search, "search domain for /etc/resolv.conf", NULL),
	TEXT("domainname", 0, "NAME", domainname, "NIS domain name inside", NULL),
	WHOLE("entrypoint", 0, "PROGRAM", "run this instead of the image's entry point",
	        parse_entrypoint),
	LIST("env", 'e', "KEY[=VALUE]", env, "set a variable; without a value, the caller's",
	        env_check),
	LIST("env-file", 0, "FILE", env_files, "read variables from a file", NULL),
	LIST("expose", 0, "PORT", expose, "note a port that the container uses", NULL),
	LIST("group-add", 0, "GROUP", groups,
	        "one more group for the user: a name of the image, or a number", NULL),
	TEXT("health-cmd", 0, "COMMAND", health_cmd, "command that checks the container's health",
	        NULL),
	PARSE("health-interval", 0, "TIME", health_interval,
	        "time between two checks (default 30s)", parse_duration),
	PARSE("health-retries", 0, "N", health_retries, "failures in a row that count (default 3)",
	        create_parse_positive),
	PARSE("health-start-interval", 0, "TIME", health_start_interval,
	        "time between two checks in the start period (default 5s)", parse_duration),
	PARSE("health-start-period", 0, "TIME", health_start_period,
	        "time at the start in which failures do not count", parse_duration),
	PARSE("health-timeout", 0, "TIME", health_timeout,
	        "longest time of one check (default 30s)", parse_duration),
	TEXT("hostname", 'h', "NAME", hostname, "host name inside (default the short id)", NULL),
	FLAG("init", 0, init, "run a small init that forwards signals and reaps processes"),
	FLAG("interactive", 'i', interactive, "keep stdin open"),
	LIST("label", 'l', "KEY[=VALUE]", labels, "set a label", check_label),
	LIST("label-file", 0, "FILE", label_files, "read labels from a file", NULL),
	{ "log-driver", 0, OPT_TEXT, "NAME", "where the output goes (default json-file)",
	        AT(log_driver), NULL, "json-file journald none" },
	LIST("log-opt", 0, "KEY=VALUE", log_opts, "option of the log driver", NULL),
	PARSE("memory", 'm', "SIZE", memory,
	        "memory limit, e.g. 512m (default half of the machine)", create_parse_size),
	PARSE("memory-reservation", 0, "SIZE", memory_reservation,
	        "memory that is left when others need some", create_parse_size),
	PARSE("memory-swap", 0, "SIZE", memory_swap,
	        "memory and swap together; -1: unlimited swap (default no swap)",
	        create_parse_swap),
	LIST("mount", 0, "SPEC", mounts, "mount something: type=bind,source=DIR,target=DIR,...",
	        NULL),
	TEXT("name", 0, "NAME", name, "name of the container", NULL),
	{ "network", 0, OPT_LIST, "NETWORK", "none: loopback alone (the default)", AT(networks),
	        NULL, "none" },
	{ "net", 0, OPT_LIST, "NETWORK", NULL, AT(networks), NULL, NULL },
	FLAG("no-healthcheck", 0, no_healthcheck, "no health check, whatever the image says"),
	FLAG("oom-kill-disable", 0, oom_kill_disable,
	        "let processes hang that run out of memory (cgroup v1 only)"),
	WHOLE("oom-score-adj", 0, "N",
	        "how early the kernel ends it when memory is short (default 500)", parse_oom_score),
	PARSE("pids-limit", 0, "N", pids_limit, "most tasks at once (default 512; -1: no limit)",
	        create_parse_number),
	TEXT("platform", 0, "OS/ARCH", platform, "platform that the image must be for", NULL),
	{ "pull", 0, OPT_TEXT, "WHEN", "missing or never: images are not fetched in this version",
	        AT(pull), check_pull, "missing never" },
	FLAG("quiet", 'q', quiet, "no progress of fetching"),
	FLAG("read-only", 0, read_only, "make the root file system read-only"),
	{ "restart", 0, OPT_TEXT, "POLICY",
	        "start it again when it ends: no, on-failure[:N], always, unless-stopped",
	        AT(restart), NULL, "no on-failure always unless-stopped" },
	FLAG("rm", 0, rm, "remove the container when it ends"),
	{ "security-opt", 0, OPT_LIST, "OPTION",
	        "seccomp=FILE|unconfined, systempaths=unconfined, no-new-privileges",
	        AT(security_opts), NULL,
	        "no-new-privileges seccomp=unconfined systempaths=unconfined" },
	PARSE("shm-size", 0, "SIZE", shm_size, "size of /dev/shm (default 64m)", create_parse_size),
	TEXT("stop-signal", 0, "SIGNAL", stop_signal, "signal that asks it to end (default TERM)",
	        NULL),
	WHOLE("stop-timeout", 0, "SECONDS",
	        "time between that signal and KILL (default 10; -1: for ever)", parse_stop_timeout),
	LIST("sysctl", 0, "KEY=VALUE", sysctls, "kernel setting of its own namespaces",
	        check_sysctl),
	LIST("tmpfs", 0, "DIR[:OPTIONS]", tmpfs, "mount an empty memory file system", NULL),
	FLAG("tty", 't', tty, "make a terminal"),
	LIST("ulimit", 0, "NAME=SOFT[:HARD]", ulimits, "resource limit, e.g. nofile=1024:2048",
	        check_ulimit),
	TEXT("user", 'u', "USER[:GROUP]", user, "user to run as: a name of the image, or a number",
	        NULL),
	LIST("volume", 'v', "[SOURCE:]DIR[:OPTIONS]", volumes,
	        "mount a volume or a folder of the host", NULL),
	LIST("volumes-from", 0, "CONTAINER", volumes_from,
	        "mount what another container has mounted", NULL),
	TEXT("workdir", 'w', "DIR", workdir, "working folder inside", NULL),
	/* known and refused, unless the value asks for what is so anyway */
	FLAG("privileged", 0, privileged, NULL),
	FLAG("publish-all", 'P', publish_all, NULL),
	REFUSED("annotation", 0, refuse_other),
	REFUSED("blkio-weight", 0, refuse_limit),
	REFUSED("blkio-weight-device", 0, refuse_limit),
	REFUSED("cgroupns", 0, refuse_namespace),
	REFUSED("cpu-rt-period", 0, refuse_limit),
	REFUSED("cpu-rt-runtime", 0, refuse_limit),
	REFUSED("device", 0, refuse_devices),
	REFUSED("device-cgroup-rule", 0, refuse_devices),
	REFUSED("device-read-bps", 0, refuse_limit),
	REFUSED("device-read-iops", 0, refuse_limit),
	REFUSED("device-write-bps", 0, refuse_limit),
	REFUSED("device-write-iops", 0, refuse_limit),
	{ "disable-content-trust", 0, OPT_IGNORED_FLAG, NULL, NULL, 0, NULL, NULL },
	{ "dns-opt", 0, OPT_LIST, "OPTION", NULL, AT(dns_options), NULL, NULL },
	REFUSED("gpus", 0, refuse_devices),
	REFUSED("ip", 0, refuse_network),
	REFUSED("ip6", 0, refuse_network),
	REFUSED("ipc", 0, refuse_namespace),
	REFUSED("isolation", 0, refuse_other),
	REFUSED("kernel-memory", 0, refuse_limit),
	REFUSED("link", 0, refuse_network),
	REFUSED("link-local-ip", 0, refuse_network),
	REFUSED("mac-address", 0, refuse_network),
	REFUSED("memory-swappiness", 0, refuse_limit),
	REFUSED("network-alias", 0, refuse_network),
	REFUSED("pid", 0, refuse_namespace),
	REFUSED("publish", 'p', refuse_ports),
	REFUSED("runtime", 0, refuse_other),
	REFUSED("storage-opt", 0, refuse_other),
	REFUSED("userns", 0, refuse_namespace),
	REFUSED("uts", 0, refuse_namespace),
	REFUSED("volume-driver", 0, refuse_other),
};
