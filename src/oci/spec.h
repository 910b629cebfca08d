/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The OCI runtime configuration (config.json, runtime-spec 1.3.0) as a C structure.
 *
 * Theory of operation: oci_spec_parse() turns bytes into this structure and checks everything that
 * can be checked without looking at the machine: types, ranges, required fields, duplicate keys,
 * bounds. It is pure: no file, no system call. Keys that the specification does not know are
 * ignored and noted. Keys that it knows and this version does not implement are listed in
 * 'unsupported', and the compiler (sandbox/compile) refuses a config that has one. The engine fills
 * the same structure without JSON. All memory belongs to the arena of the structure.
 */
#include "base/arena.h"
#include "base/err.h"
#include "oci/kv.h"

#include <stdbool.h>
#include <sys/types.h>

enum {
	OCI_CONFIG_MAX = 4 << 20, /* bytes of a config.json */
	OCI_LIST_MAX = 16384,     /* members of any one list */
	OCI_DEPTH_MAX = 32,       /* nesting */
	OCI_ID_MAX = 1024,        /* bytes of a container ID */
};

struct oci_rlimit {
	int resource; /* RLIMIT_* number */
	const char *name;
	uint64_t soft, hard; /* UINT64_MAX is RLIM_INFINITY */
};

/* Capability sets as masks; has_caps is false when the config has no "capabilities" object (then:
 * all empty). */
struct oci_caps {
	bool has_caps;
	uint64_t bounding, effective, inheritable, permitted, ambient;
};

struct oci_process {
	bool terminal;
	uint32_t console_rows, console_cols; /* of the terminal; 0: unknown */
	const char *const *args;             /* NULL-terminated */
	const char *const *env;              /* NULL-terminated */
	const char *cwd;                     /* absolute */
	uint32_t uid, gid;
	bool has_umask;
	uint32_t umask;
	const uint32_t *additional_gids;
	size_t n_additional_gids;
	struct oci_caps caps;
	const struct oci_rlimit *rlimits;
	size_t n_rlimits;
	bool no_new_privileges;
	bool has_oom_score_adj;
	int64_t oom_score_adj;
	const char *apparmor_profile; /* NULL or "" when absent */
	const char *selinux_label;
};

struct oci_idmap {
	uint32_t container_id, host_id, size;
};

struct oci_mount {
	const char *destination;
	const char *type;           /* NULL when absent */
	const char *source;         /* NULL when absent */
	const char *const *options; /* NULL-terminated, never NULL */
	const struct oci_idmap *uid_mappings, *gid_mappings;
	size_t n_uid_mappings, n_gid_mappings;
};

struct oci_namespace {
	int clone_flag;   /* CLONE_NEW* */
	const char *path; /* NULL: make a new one */
};

struct oci_device {
	char type; /* b, c, u or p */
	const char *path;
	int64_t major, minor;
	bool has_mode;
	uint32_t mode;
	uint32_t uid, gid;
};

struct oci_device_rule {
	bool allow;
	char type;            /* a, b or c */
	int64_t major, minor; /* -1: any */
	uint8_t access;       /* OCI_ACCESS_* */
};
enum { OCI_ACCESS_READ = 1, OCI_ACCESS_WRITE = 2, OCI_ACCESS_MKNOD = 4 };

/* An optional number: has is false when the key is absent. */
struct oci_opt_i64 {
	bool has;
	int64_t value;
};
struct oci_opt_u64 {
	bool has;
	uint64_t value;
};

struct oci_resources {
	const struct oci_device_rule *devices;
	size_t n_devices;
	/* memory, in bytes; -1 is unlimited */
	struct oci_opt_i64 memory_limit, memory_reservation, memory_swap;
	struct oci_opt_u64 memory_swappiness;
	bool has_disable_oom_killer, disable_oom_killer;
	bool memory_check_before_update;
	/* cpu */
	struct oci_opt_u64 cpu_shares, cpu_period, cpu_burst, cpu_rt_period;
	struct oci_opt_i64 cpu_quota, cpu_rt_runtime, cpu_idle;
	const char *cpuset_cpus, *cpuset_mems;
	struct oci_opt_i64 pids_limit; /* 0 and -1 are unlimited */
	const struct oci_kv *unified;
	size_t n_unified;
};

enum oci_seccomp_op {
	OCI_OP_NE,
	OCI_OP_LT,
	OCI_OP_LE,
	OCI_OP_EQ,
	OCI_OP_GE,
	OCI_OP_GT,
	OCI_OP_MASKED_EQ, /* (argument & value) == value_two */
};

struct oci_seccomp_arg {
	uint32_t index;
	uint64_t value, value_two;
	enum oci_seccomp_op op;
};

enum oci_seccomp_action {
	OCI_ACT_KILL_THREAD, /* SCMP_ACT_KILL, SCMP_ACT_KILL_THREAD */
	OCI_ACT_KILL_PROCESS,
	OCI_ACT_TRAP,
	OCI_ACT_ERRNO,
	OCI_ACT_TRACE,
	OCI_ACT_ALLOW,
	OCI_ACT_LOG,
	OCI_ACT_NOTIFY,
};

struct oci_seccomp_rule {
	const char *const *names; /* NULL-terminated */
	enum oci_seccomp_action action;
	bool has_errno;
	uint32_t errno_ret;
	const struct oci_seccomp_arg *args;
	size_t n_args;
};

struct oci_seccomp {
	enum oci_seccomp_action default_action;
	bool has_default_errno;
	uint32_t default_errno;
	const char *const *architectures; /* SCMP_ARCH_*; empty list: native only */
	const char *const *flags;         /* SECCOMP_FILTER_FLAG_* */
	const char *listener_path, *listener_metadata;
	const struct oci_seccomp_rule *rules;
	size_t n_rules;
};

struct oci_time_offset {
	bool has;
	int64_t secs;
	uint32_t nanosecs;
};

struct oci_linux {
	const struct oci_namespace *namespaces;
	size_t n_namespaces;
	const struct oci_idmap *uid_mappings, *gid_mappings;
	size_t n_uid_mappings, n_gid_mappings;
	struct oci_time_offset monotonic, boottime;
	const struct oci_device *devices;
	size_t n_devices;
	const char *cgroups_path; /* NULL when absent */
	struct oci_resources resources;
	const struct oci_kv *sysctl;
	size_t n_sysctl;
	const char *rootfs_propagation; /* NULL, private, slave, shared, unbindable (or rprivate,
	                                   ...) */
	const char *mount_label;
	const char *const *masked_paths;
	const char *const *readonly_paths;
	const struct oci_seccomp *seccomp; /* NULL when absent */
};

struct oci_spec {
	struct arena arena;
	const char *version;
	bool has_process; /* a config without "process" can be created, not started */
	struct oci_process process;
	const char *root_path;
	bool root_readonly;
	const char *hostname, *domainname; /* NULL when absent */
	const struct oci_mount *mounts;
	size_t n_mounts;
	const struct oci_kv *annotations;
	size_t n_annotations;
	struct oci_linux linux_;
	/* Dotted names of keys that were seen: unknown to the specification, and known but not
	 * implemented here. */
	const char *const *unknown;     /* NULL-terminated */
	const char *const *unsupported; /* NULL-terminated */
	/* Sentences about what was accepted and has no effect (a capability without a name here, an
	 * environment entry without '='): warnings for the caller to show. */
	const char *const *notes; /* NULL-terminated */
};

/* Parses len bytes of JSON. On success *ret is a new structure for oci_spec_free(). Errors: -EINVAL
 * (with the dotted name of the key in the text), -EMSGSIZE (a bound was passed). */
int oci_spec_parse(const char *json, size_t len, struct oci_spec **ret, struct err *err);
/* An empty structure with its arena, for callers that fill it themselves. */
struct oci_spec *oci_spec_new(void);
struct oci_spec *oci_spec_free(struct oci_spec *spec);
void oci_spec_freep(struct oci_spec **spec);

/* The path below /proc/sys of a sysctl key in either form ("net.ipv4.ip_forward",
 * "net/ipv4/ip_forward"): the first '.' or '/' is the separator and the other one stands for the
 * separator inside a name ("net.ipv4.conf.eth0/1.forwarding" -> "net/ipv4/conf/eth0.1/forwarding").
 * NULL for a key with other bytes than [A-Za-z0-9_./-], with an empty part, "." or ".."
 * (CVE-2022-0811). New memory. */
char *oci_sysctl_path(const char *key);

/* The default config.json that 'bulkhead-runtime spec' writes (rootless: with a user namespace that
 * maps uid/gid to 0). New memory. */
char *oci_spec_default_json(bool rootless, uid_t uid, gid_t gid);
/* True for a container ID: [A-Za-z0-9_+-][A-Za-z0-9_+.-]*, not "." or "..", at most OCI_ID_MAX
 * bytes. */
bool oci_id_is_valid(const char *id);
/* CLONE_NEW* of a namespace name of the specification ("pid", "network", ...), 0 when unknown; and
 * back (NULL). */
int oci_namespace_flag(const char *name);
const char *oci_namespace_name(int clone_flag);
