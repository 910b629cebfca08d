/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/config_fields.h"

/* The longest text is a seccomp profile in SecurityOpt, escaped. */
const struct json_limits config_limits = {
	.max_bytes = CONFIG_SIZE_MAX,
	.max_depth = 8,
	.max_list = CONFIG_LIST_MAX,
	.max_string = 1 << 20,
};

static const struct json_range not_negative = { 0, INT64_MAX };
static const struct json_range minus_one_up = { -1, INT64_MAX };

#define AT(member) offsetof(struct config_health, member)
#define TIME(key, field)                                                                           \
	{                                                                                          \
		key, json_get_i64, AT(field), .flags = CONFIG_OMIT_EMPTY, .arg = &not_negative     \
	}
static const struct json_field health_fields[] = {
	{ "Test", json_get_strv, AT(test), .flags = CONFIG_OMIT_EMPTY },
	TIME("Interval", interval),
	TIME("Timeout", timeout),
	TIME("StartPeriod", start_period),
	TIME("StartInterval", start_interval),
	TIME("Retries", retries),
	{ NULL },
};
#undef TIME
#undef AT
const struct json_table config_health_table = {
	health_fields,
	sizeof(struct config_health),
	NULL,
};

#define AT(member) offsetof(struct config, member)
static const struct json_field config_fields[] = {
	{ "Hostname", json_get_string, AT(hostname) },
	{ "Domainname", json_get_string, AT(domainname) },
	{ "User", json_get_string, AT(user) },
	{ "AttachStdin", json_get_bool, AT(attach_stdin) },
	{ "AttachStdout", json_get_bool, AT(attach_stdout) },
	{ "AttachStderr", json_get_bool, AT(attach_stderr) },
	{ "ExposedPorts", config_get_set, AT(exposed_ports), .flags = CONFIG_OMIT_EMPTY },
	{ "Tty", json_get_bool, AT(tty) },
	{ "OpenStdin", json_get_bool, AT(open_stdin) },
	{ "StdinOnce", json_get_bool, AT(stdin_once) },
	{ "Env", json_get_strv, AT(env) },
	{ "Cmd", json_get_strv, AT(cmd) },
	{ "Healthcheck", json_get_object, AT(health), .flags = CONFIG_OMIT_EMPTY,
	        .arg = &config_health_table },
	{ "Image", json_get_string, AT(image) },
	{ "Volumes", config_get_set, AT(image_volumes) },
	{ "WorkingDir", json_get_string, AT(workdir) },
	{ "Entrypoint", json_get_strv, AT(entrypoint) },
	{ "OnBuild", config_get_constant, .arg = "null" },
	{ "Labels", oci_get_map, AT(labels), AT(n_labels) },
	{ "StopSignal", json_get_string, AT(stop_signal), .flags = CONFIG_OMIT_EMPTY },
	{ "StopTimeout", json_get_i64, AT(stop_timeout), AT(has_stop_timeout), JSON_HAS,
	        &minus_one_up },
	{ NULL },
};
static const struct json_table inner_table = { config_fields, 0, NULL };

static const struct json_field log_fields[] = {
	{ "Type", json_get_string, AT(log_driver) },
	{ "Config", oci_get_map, AT(log_opts), AT(n_log_opts) },
	{ NULL },
};
static const struct json_table log_table = { log_fields, 0, NULL };

static const struct json_field restart_fields[] = {
	{ "Name", json_get_string, AT(restart) },
	{ "MaximumRetryCount", json_get_u32, AT(restart_max) },
	{ NULL },
};
static const struct json_table restart_table = { restart_fields, 0, NULL };

static const struct json_field ulimit_fields[] = {
	{ "Name", json_get_string, offsetof(struct config_ulimit, name), .flags = JSON_REQUIRED },
	{ "Hard", json_get_i64, offsetof(struct config_ulimit, hard), .flags = JSON_REQUIRED,
	        .arg = &minus_one_up },
	{ "Soft", json_get_i64, offsetof(struct config_ulimit, soft), .flags = JSON_REQUIRED,
	        .arg = &minus_one_up },
	{ NULL },
};
const struct json_table config_ulimit_table = {
	ulimit_fields,
	sizeof(struct config_ulimit),
	NULL,
};

#define CONSTANT(key, json)                                                                        \
	{                                                                                          \
		key, config_get_constant, .arg = json                                              \
	}
static const struct json_field host_fields[] = {
	{ "Binds", json_get_strv, AT(binds) },
	{ "ContainerIDFile", json_get_string, AT(id_file) },
	{ "LogConfig", json_get_object, .arg = &log_table },
	{ "NetworkMode", json_get_string, AT(network_mode) },
	CONSTANT("PortBindings", "{}"),
	{ "RestartPolicy", json_get_object, .arg = &restart_table },
	{ "AutoRemove", json_get_bool, AT(auto_remove) },
	CONSTANT("VolumeDriver", "\"\""),
	{ "VolumesFrom", json_get_strv, AT(volumes_from) },
	{ "CapAdd", json_get_strv, AT(cap_add) },
	{ "CapDrop", json_get_strv, AT(cap_drop) },
	CONSTANT("CgroupnsMode", "\"private\""),
	{ "Dns", json_get_strv, AT(dns) },
	{ "DnsOptions", json_get_strv, AT(dns_options) },
	{ "DnsSearch", json_get_strv, AT(dns_search) },
	{ "ExtraHosts", json_get_strv, AT(extra_hosts) },
	{ "GroupAdd", json_get_strv, AT(group_add) },
	CONSTANT("IpcMode", "\"private\""),
	CONSTANT("Cgroup", "\"\""),
	CONSTANT("Links", "null"),
	{ "OomScoreAdj", json_get_i64, AT(oom_score_adj), AT(has_oom_score_adj), JSON_HAS },
	CONSTANT("PidMode", "\"\""),
	CONSTANT("Privileged", "false"),
	CONSTANT("PublishAllPorts", "false"),
	{ "ReadonlyRootfs", json_get_bool, AT(read_only) },
	{ "SecurityOpt", json_get_strv, AT(security_opt) },
	{ "Tmpfs", config_get_tmpfs, .flags = CONFIG_OMIT_EMPTY },
	CONSTANT("UTSMode", "\"\""),
	CONSTANT("UsernsMode", "\"\""),
	{ "ShmSize", json_get_u64, AT(shm_size), .arg = &not_negative },
	{ "Sysctls", oci_get_map, AT(sysctls), AT(n_sysctls), CONFIG_OMIT_EMPTY },
	CONSTANT("Runtime", "\"bulkhead\""),
	CONSTANT("Isolation", "\"\""),
	{ "CpuShares", json_get_u64, AT(cpu_shares), .arg = &not_negative },
	{ "Memory", json_get_u64, AT(memory), .arg = &not_negative },
	{ "NanoCpus", json_get_u64, AT(nano_cpus), .arg = &not_negative },
	{ "CgroupParent", json_get_string, AT(cgroup_parent) },
	CONSTANT("BlkioWeight", "0"),
	{ "CpuPeriod", json_get_i64, AT(cpu_period) },
	{ "CpuQuota", json_get_i64, AT(cpu_quota) },
	{ "CpusetCpus", json_get_string, AT(cpuset_cpus) },
	{ "CpusetMems", json_get_string, AT(cpuset_mems) },
	CONSTANT("Devices", "[]"),
	CONSTANT("DeviceCgroupRules", "null"),
	CONSTANT("DeviceRequests", "null"),
	{ "MemoryReservation", json_get_u64, AT(memory_reservation), .arg = &not_negative },
	{ "MemorySwap", json_get_i64, AT(memory_swap), .arg = &minus_one_up },
	CONSTANT("MemorySwappiness", "null"),
	{ "OomKillDisable", json_get_bool, AT(oom_kill_disable) },
	{ "Init", json_get_bool, AT(init) },
	{ "PidsLimit", json_get_i64, AT(pids_limit), .arg = &minus_one_up },
	{ "Ulimits", json_get_list, AT(ulimits), AT(n_ulimits), .arg = &config_ulimit_table },
	{ NULL },
};
#undef CONSTANT
static const struct json_table host_table = { host_fields, 0, NULL };

static const struct json_enum mount_types[] = {
	{ "bind", CONFIG_BIND },
	{ "volume", CONFIG_VOLUME },
	{ "tmpfs", CONFIG_TMPFS },
	{ NULL },
};

static const struct json_range modes = { 0, 07777 };

static int check_mount(struct json_read *r, void *object)
{
	const struct config_mount *m = object;

	if (m->type == CONFIG_BIND && m->source[0] != '/')
		return json_fail(r, "is a bind and has no absolute 'Source'");
	return 0;
}

#undef AT
#define AT(member) offsetof(struct config_mount, member)
#define SWITCH(key, name)                                                                          \
	{                                                                                          \
		key, json_get_bool, AT(name), .flags = CONFIG_OMIT_EMPTY                           \
	}
static const struct json_field mount_fields[] = {
	{ "Type", json_get_enum, AT(type), .flags = JSON_REQUIRED, .arg = mount_types },
	{ "Source", json_get_string, AT(source), .flags = JSON_REQUIRED },
	{ "Target", config_get_path, AT(target), .flags = JSON_REQUIRED },
	SWITCH("ReadOnly", read_only),
	SWITCH("ReadOnlyNonRecursive", read_only_shallow),
	SWITCH("NonRecursive", non_recursive),
	SWITCH("CreateMountpoint", create_source),
	SWITCH("NoCopy", no_copy),
	SWITCH("Anonymous", anonymous),
	SWITCH("FromImage", from_image),
	SWITCH("NoIdmap", no_idmap),
	{ "Propagation", json_get_string, AT(propagation), .flags = CONFIG_OMIT_EMPTY },
	{ "SizeBytes", json_get_u64, AT(tmpfs_size), .flags = CONFIG_OMIT_EMPTY,
	        .arg = &not_negative },
	{ "Mode", json_get_u32, AT(tmpfs_mode), .flags = CONFIG_OMIT_EMPTY, .arg = &modes },
	SWITCH("Exec", exec),
	SWITCH("Dev", dev),
	SWITCH("Suid", suid),
	{ "VolumeLabels", json_get_strv, AT(volume_labels), .flags = CONFIG_OMIT_EMPTY },
	{ NULL },
};
#undef SWITCH
#undef AT
const struct json_table config_mount_table = {
	mount_fields,
	sizeof(struct config_mount),
	check_mount,
};

#define AT(member) offsetof(struct config, member)
static const struct json_field own_fields[] = {
	{ "Version", config_get_constant, .flags = JSON_REQUIRED, .arg = "1" },
	{ "ImageID", json_get_string, AT(image_id), .flags = JSON_REQUIRED },
	{ "Weakened", json_get_bool, AT(weakened), .flags = JSON_REQUIRED },
	{ "Mounts", json_get_list, AT(mounts), AT(n_mounts), JSON_REQUIRED, &config_mount_table },
	{ NULL },
};
static const struct json_table own_table = { own_fields, 0, NULL };

static const struct json_field all_fields[] = {
	{ "Config", json_get_object, .flags = JSON_REQUIRED, .arg = &inner_table },
	{ "HostConfig", json_get_object, .flags = JSON_REQUIRED, .arg = &host_table },
	{ "Bulkhead", json_get_object, .flags = JSON_REQUIRED, .arg = &own_table },
	{ NULL },
};
#undef AT
const struct json_table config_table = { all_fields, sizeof(struct config), NULL };
