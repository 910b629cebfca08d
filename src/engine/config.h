/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The configuration of a container: what was asked for, with the image's defaults filled in.
 *
 * Theory of operation. 'create' makes this structure once from the image's configuration and the
 * options (config_resolve), writes it as containers/ID/config.json and never changes it but by
 * 'update' and 'rename'. Each start compiles it anew to a plan, with the facts of the machine as it
 * is then. The JSON is docker's: {"Config": {...}, "HostConfig": {...}, ...} with docker's keys, so
 * that 'inspect' shows it as it is and the API can take it; an object "Bulkhead" of our own says
 * what docker's keys cannot. One table a kind of object (config_fields.c) reads and writes, so a
 * member cannot be written and not read. It is read back as strictly as a foreign document, and a
 * key that is not known is an error: a newer version may have meant a restriction by it. All texts
 * belong to the arena or outlive the structure.
 */
#include "base/arena.h"
#include "base/err.h"
#include "oci/kv.h"

#include <stdbool.h>

struct json_object;
struct oci_image;

enum {
	CONFIG_SIZE_MAX = 4 << 20,
	CONFIG_LIST_MAX = 4096, /* members of any one list */
};

enum config_mount_type { CONFIG_BIND = 1, CONFIG_VOLUME, CONFIG_TMPFS };

struct config_mount {
	enum config_mount_type type;
	const char *source; /* bind: absolute host path; volume: its name; tmpfs: "" */
	const char *target; /* absolute, clean */
	bool read_only;
	bool read_only_shallow; /* mounts below a read-only bind stay writable
	                           (bind-recursive=writable) */
	bool non_recursive;     /* bind-recursive=disabled: mounts below the source are left out */
	bool create_source;     /* -v makes a missing folder, --mount does not */
	bool no_copy;           /* volume: not filled with what the image has at the target */
	bool anonymous; /* volume: without a name given by a person; goes with the container (rm -v)
	                 */
	bool from_image;         /* volume: the image asked for it (VOLUME) */
	bool no_idmap;           /* bind: ids as they are on the host (shown as nobody inside) */
	const char *propagation; /* bind: "rprivate" (default), "private", "rslave", "slave"; shared
	                            ones are refused */
	uint64_t tmpfs_size;     /* 0: half of the container's memory limit */
	uint32_t tmpfs_mode;     /* 0: 01777 */
	bool exec, dev, suid;    /* tmpfs and binds: given back by options; default noexec (tmpfs),
	                            nodev, nosuid */
	const char *const
	        *volume_labels; /* --mount volume-label=k=v; NULL-terminated "k=v" or NULL */
};

struct config_ulimit {
	const char *name;   /* "nofile" */
	int64_t soft, hard; /* -1: unlimited */
};

struct config_health {
	const char *const
	        *test; /* NULL: none; docker's {"CMD", ...}, {"CMD-SHELL", TEXT}, {"NONE"} */
	int64_t interval, timeout, start_period, start_interval; /* nanoseconds; 0: default */
	int64_t retries;                                         /* 0: default */
};

struct config {
	struct arena arena;
	/* Config: what runs */
	const char *image;    /* as the user named it */
	const char *image_id; /* 64 digits */
	const char *hostname, *domainname;
	const char *user, *workdir;                 /* "" defaults */
	const char *const *entrypoint, *const *cmd; /* never NULL */
	/* KEY=VALUE, complete but HOME. As an option, before config_resolve: also KEY alone, which
	 * takes the image's variable away. */
	const char *const *env;
	const struct oci_kv *labels;
	size_t n_labels;
	const char *const *exposed_ports; /* "80/tcp" */
	const char *const *image_volumes;
	bool tty, open_stdin, stdin_once, attach_stdin, attach_stdout, attach_stderr;
	const char *stop_signal; /* "" means SIGTERM */
	bool has_stop_timeout;
	int64_t stop_timeout; /* seconds; -1: for ever */
	struct config_health health;
	/* HostConfig: what it may */
	uint64_t memory, memory_reservation, nano_cpus, cpu_shares; /* 0: default */
	int64_t memory_swap;                          /* 0: as memory; -1: unlimited */
	const char *cpuset_cpus, *cpuset_mems;        /* "" */
	int64_t cpu_quota, cpu_period;                /* 0: from nano_cpus */
	int64_t pids_limit;                           /* 0: default; -1: unlimited */
	uint64_t shm_size;                            /* 0: 64 MiB */
	const char *const *cap_add, *const *cap_drop; /* as given: "NET_ADMIN", "ALL" */
	/* As given, but with the profile itself behind "seccomp=" (as docker's client does), so
	 * that a start needs no file. */
	const char *const *security_opt;
	const char *const *group_add;
	const struct config_ulimit *ulimits;
	size_t n_ulimits;
	const struct oci_kv *sysctls;
	size_t n_sysctls;
	const struct config_mount
	        *mounts; /* -v, --mount, --tmpfs, --volumes-from, VOLUME: all of them, resolved */
	size_t n_mounts;
	const char *const *binds, *const *volumes_from; /* as given, for inspect */
	bool read_only, init, auto_remove;
	const char *restart; /* "no", "on-failure", "always", "unless-stopped" */
	uint32_t restart_max;
	const char *log_driver; /* "json-file" */
	const struct oci_kv *log_opts;
	size_t n_log_opts;
	const char *cgroup_parent; /* "" default */
	const char *id_file;       /* --cidfile; "" */
	bool has_oom_score_adj;
	int64_t oom_score_adj;
	bool oom_kill_disable;
	const char *network_mode; /* "isolated" in this version: loopback alone */
	const char *const *extra_hosts, *const *dns, *const *dns_search, *const *dns_options;
	bool weakened; /* something above grants more than the default profile (security.h tells) */
};

/* With empty texts and lists (never NULL, but health.test and volume_labels). */
struct config *config_new(void);
struct config *config_free(struct config *c);
void config_freep(struct config **c);
#define _config_free_ _cleanup_(config_freep)

/* {"Config", "HostConfig", "Bulkhead"} with docker's keys; a new reference. HostConfig.Tmpfs is
 * there for people only. */
struct json_object *config_to_json(const struct config *c);
/* The same as the text of config.json, ended by a line break; new memory. -EINVAL: a text is not
 * UTF-8, so JSON could not keep it (named in the error); -EMSGSIZE: larger than CONFIG_SIZE_MAX or
 * a list with more than CONFIG_LIST_MAX members. What it writes, config_parse reads. */
int config_to_text(const struct config *c, char **ret, struct err *err);
/* Reads what config_to_json wrote. -EINVAL with the dotted name. */
int config_parse(const char *json, size_t len, struct config **ret, struct err *err);
/* The command as 'ps' shows it: entry point and arguments joined by blanks, arguments with blanks
 * in single quotes; new memory. */
char *config_command(const struct config *c);
