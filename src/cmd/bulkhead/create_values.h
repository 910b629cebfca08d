/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the table of create_options.h fills. Private to create_*.c. */
#include "create_options.h"

struct create_values {
	/* run only */
	bool detach, no_sig_proxy;
	const char *detach_keys;
	/* lists, as given */
	char **add_hosts, **attach, **cap_add, **cap_drop, **dns, **dns_options, **dns_search,
	        **env, **env_files, **expose, **groups, **labels, **label_files, **log_opts,
	        **mounts, **networks, **security_opts, **sysctls, **tmpfs, **ulimits, **volumes,
	        **volumes_from;
	/* texts; NULL: not given */
	const char *cgroup_parent, *cidfile, *cpuset_cpus, *cpuset_mems, *domainname, *entrypoint,
	        *health_cmd, *hostname, *log_driver, *name, *platform, *pull, *restart,
	        *stop_signal, *user, *workdir;
	bool has_entrypoint, init, interactive, no_healthcheck, oom_kill_disable, privileged,
	        publish_all, quiet, read_only, rm, show_security, tty;
	/* numbers; 0: not given */
	uint64_t memory, memory_reservation, nano_cpus, shm_size;
	int64_t memory_swap, cpu_period, cpu_quota, cpu_shares, pids_limit;
	int64_t health_interval, health_timeout, health_start_period, health_start_interval,
	        health_retries;
	bool has_oom_score_adj, has_stop_timeout;
	int64_t oom_score_adj, stop_timeout;
};
_Static_assert(
        sizeof(struct create_values) <= CREATE_VALUES_SIZE, "CREATE_VALUES_SIZE is too small");
