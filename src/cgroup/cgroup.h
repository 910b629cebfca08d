/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Control groups: version 2, version 1 and the hybrid of both, behind one interface (cgroupfs
 * driver).
 *
 * Theory of operation. cgroup_facts_probe() learns in a dozen system calls what is mounted below
 * /sys/fs/cgroup. Two pure functions turn an OCI configuration into a plan: cgroup_path_for()
 * (where the group goes) and cgroup_limits() (which file gets which value). The executor then makes
 * the group in every hierarchy with cgroup_create(), writes with cgroup_set() and cgroup_devices(),
 * and lets the child in: by clone3(CLONE_INTO_CGROUP) with v2_fd, and by cgroup_join_self() in the
 * child for the v1 hierarchies. Nobody ever writes a pid to cgroup.procs: that waits 7-15 ms for an
 * RCU grace period, while a single-threaded task that writes "0" to 'tasks' does not wait. Later,
 * and in other programs, cgroup_open() opens the same group again to kill, freeze, list or remove.
 *
 * A group is one path that is the same below the mount of every hierarchy. On a hybrid machine it
 * also gets a group in the v2 tree (folder "unified"), for cgroup.kill, cgroup.freeze, pressure
 * files and BPF. A hierarchy is named by its folder below /sys/fs/cgroup ("memory", "cpu,cpuacct",
 * "systemd"); "" names the v2 tree, on pure v2 and on hybrid machines alike.
 *
 * Limits fail closed: one that was asked for and cannot be applied is an error. Only a value that
 * limits nothing, or that is met without being written, is left out, with a note.
 */
#include "base/arena.h"
#include "base/err.h"
#include "oci/spec.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/types.h>

enum cgroup_mode {
	CGROUP_NONE,   /* nothing usable is mounted */
	CGROUP_V2,     /* cgroup2 on /sys/fs/cgroup */
	CGROUP_V1,     /* v1 hierarchies only */
	CGROUP_HYBRID, /* v1 hierarchies, and cgroup2 on /sys/fs/cgroup/unified */
};

enum {
	CGROUP_HIERARCHIES_MAX = 24, /* v1 hierarchies that are looked at */
	CGROUP_PATH_MAX = 3072,      /* bytes of a group's path */
	CGROUP_PIDS_MAX = 1 << 20,   /* members that cgroup_pids lists */
	CGROUP_DEPTH_MAX = 64,       /* names in a path; nesting of groups inside a container */
	CGROUP_DEVICES_MAX = 4096,   /* device rules of one group */
};

/* --- facts ------------------------------------------------------------------------------------ */

struct cgroup_hierarchy {
	const char *name;        /* folder below the root: "memory", "cpu,cpuacct", "systemd" */
	const char *controllers; /* "cpu,cpuacct"; "" for a named hierarchy (systemd) */
	const char *own;         /* group of the calling process, "/a/b" */
};

/* Tests may fill this by hand with constant texts; an all-zero structure is CGROUP_NONE. */
struct cgroup_facts {
	enum cgroup_mode mode;
	struct cgroup_hierarchy v1[CGROUP_HIERARCHIES_MAX];
	size_t n_v1;
	const char *v2_controllers; /* "cpuset cpu io memory pids" of the v2 tree's top; NULL: no
	                               v2 tree */
	const char *v2_own;         /* group of the calling process in the v2 tree */
	bool swap_accounting;       /* swap limits exist (v1: memory.memsw.*) */
	const char *cannot_create;  /* NULL: groups can be made; else why not, in words */
	struct arena arena;         /* owns the texts that a probe found */
};

/* What the probe asks about a folder below the cgroup root ("" is the root itself). */
enum cgroup_fs { CGROUP_FS_OTHER, CGROUP_FS_V1, CGROUP_FS_V2 };
struct cgroup_probe {
	enum cgroup_fs (*fs)(void *data, const char *folder);
	bool (*exists)(void *data, const char *file); /* below the root */
	/* The text of a file below the root, or "" (new memory). */
	char *(*read)(void *data, const char *file);
	/* NULL when groups can be made in this folder below the root, else why not. */
	const char *(*writable)(void *data, const char *folder);
	void *data;
};

/* Looks at /sys/fs/cgroup and /proc/self/cgroup; reads no mount table. Finding nothing is not an
 * error (CGROUP_NONE). Errors: /proc/self/cgroup unreadable or not understood. */
int cgroup_facts_probe(struct cgroup_facts *ret, struct err *err);
/* The same from the text of a /proc/self/cgroup and answers of the caller's. */
int cgroup_facts_from(const char *self_cgroup, const struct cgroup_probe *probe,
        struct cgroup_facts *ret, struct err *err);
void cgroup_facts_done(struct cgroup_facts *facts);
/* "none", "v2", "v1", "hybrid". */
const char *cgroup_mode_name(enum cgroup_mode mode);
/* The names of all v1 hierarchies, NULL-terminated, pointing into facts: what PLAN_CGROUP lists. A
 * container joins them all, so that its /proc/self/cgroup reads "/" everywhere in a cgroup
 * namespace. */
void cgroup_hierarchy_names(
        const struct cgroup_facts *facts, const char *ret[CGROUP_HIERARCHIES_MAX + 1]);
/* The data text that mounts a v1 hierarchy by its folder's name: "cpu,cpuacct" for controllers,
 * "none,name=systemd" for a named one. Returns 0 or -ENAMETOOLONG. No allocation. */
int cgroup_mount_data(const char *hierarchy, char *out, size_t size);

/* --- compile (pure) --------------------------------------------------------------------------- */

/* The group's path for linux.cgroupsPath (NULL or "": absent), clean and absolute, new memory.
 *  - absolute: below the mount of each hierarchy (runtime-spec, "Cgroups Path");
 *  - relative, or absent (then the container's ID): below our own group, as runc's cgroupfs driver
 *    does; on pure v2 beside our own group, because a group with processes cannot hand out
 *    controllers (the "no internal processes" rule). Where our own group is not the same in every
 *    hierarchy, there is no one path for it: then below the top.
 * Refused: "..", the top itself, names the kernel refuses, and the systemd driver's
 * "slice:prefix:name". */
int cgroup_path_for(const char *id, const char *cgroups_path, const struct cgroup_facts *facts,
        char **ret, struct err *err);

/* Whether to use control groups: 1 yes; 0 no (groups cannot be made and nothing needs them; a note
 * says so); negative: limits were asked for and cannot be applied. ignore_limits turns that error
 * into a note. notes is a list for strv_add, or NULL. */
int cgroup_usable(const struct cgroup_facts *facts, const struct oci_resources *resources,
        bool ignore_limits, char ***notes, struct err *err);

/* Called once a limit, in the order to write them; the texts are the callee's for the call only.
 * optional: a file that does not exist is no error. A non-zero return ends cgroup_limits with it.
 */
typedef int (*cgroup_emit)(
        void *data, const char *hierarchy, const char *file, const char *value, bool optional);
/* Translates memory, cpu, cpuset, pids and unified for a new group (device rules are passed on as
 * they are). Ranges are checked; texts of errors name the key of the configuration. Zero means "not
 * set" for memory and cpu numbers, as in runc; pids 0 and -1 are unlimited. */
int cgroup_limits(const struct oci_resources *resources, const struct cgroup_facts *facts,
        cgroup_emit emit, void *data, char ***notes, struct err *err);
/* cpu.weight (1..10000) for cpu.shares (2..262144): 1024 is 100, both ends meet. */
uint64_t cgroup_weight_from_shares(uint64_t shares);

/* The devices every container may use (runtime-spec, "Default Devices", pts and mknod of anything,
 * which alone opens nothing): to be put behind the rules of the configuration. */
extern const struct oci_device_rule cgroup_default_devices[];
extern const size_t cgroup_default_devices_count;

/* --- apply ------------------------------------------------------------------------------------ */

/* What names a group: the fields of PLAN_CGROUP. */
struct cgroup_group {
	const char *root; /* NULL: /sys/fs/cgroup (tests have their own) */
	enum cgroup_mode mode;
	const char *path;               /* absolute, at least one name */
	const char *const *hierarchies; /* v1 folders, NULL-terminated; NULL: none */
	bool unified;                   /* hybrid: also in the v2 tree */
	bool shared; /* several programs live in it: cgroup_create may find members */
};

/* An open group. Everything in it is owned and ends with cgroup_handle_done(); the child may use
 * v2_fd and tasks_fds as they are inherited by clone. */
struct cgroup_handle {
	int v2_fd; /* the folder in the v2 tree, for clone_args.cgroup; -EBADF: none */
	int tasks_fds[CGROUP_HIERARCHIES_MAX]; /* 'tasks' of each v1 hierarchy, to write to */
	size_t n_tasks;
	/* private */
	int root_fd; /* /sys/fs/cgroup */
	size_t n_v1;
	char *v1_names[CGROUP_HIERARCHIES_MAX];
	char *path;
	const char *v2_name; /* folder of the v2 tree below root_fd; NULL: none */
	bool shared;
	size_t n_existed; /* leading names of path that were there before cgroup_create */
};
#define CGROUP_HANDLE_INIT                                                                         \
	{                                                                                          \
		.v2_fd = -EBADF, .root_fd = -EBADF                                                 \
	}
void cgroup_handle_done(struct cgroup_handle *handle);

/* Makes the group in every hierarchy and opens it. On v2 the parents hand out cpu, cpuset, io,
 * memory and pids where they can; v1 cpusets start with their parent's cpus and mems. On failure
 * everything that was made is removed. Errors: -EBUSY (the group has processes already and is not
 * 'shared': it belongs to another container), -EROFS, -EACCES, -EPERM (text says what to do). */
int cgroup_create(const struct cgroup_group *group, struct cgroup_handle *ret, struct err *err);
/* Opens a group that exists (exec, kill, pause). with_tasks: also tasks_fds. Hierarchies in which
 * it is gone are left out; -ENOENT when it is gone everywhere. */
int cgroup_open(const struct cgroup_group *group, bool with_tasks, struct cgroup_handle *ret,
        struct err *err);
/* Writes one limit. On v2 a controller that is not among the usual five is switched on when its
 * first limit comes. optional: a missing file is no error. */
int cgroup_set(struct cgroup_handle *handle, const char *hierarchy, const char *file,
        const char *value, bool optional, struct err *err);
/* Applies the device rules in their order, starting from "nothing is allowed" (each access bit is
 * decided by the last rule that matches it). v1 and hybrid: the devices controller; v2: a BPF
 * program that stays with the group. Needs privileges in the initial user namespace (-EPERM). No
 * rule: nothing is done. Errors: -EOPNOTSUPP (v1 cannot say it: an exception to an exception, or
 * there is no devices controller). */
int cgroup_devices(struct cgroup_handle *handle, const struct oci_device_rule *rules, size_t n,
        struct err *err);
/* For the single-threaded child: joins the v1 hierarchies. Async-signal-safe; works from inside a
 * new user namespace, because the kernel looks at who opened the files. Before
 * unshare(CLONE_NEWCGROUP). Returns 0 or a negative errno. */
int cgroup_join_self(const struct cgroup_handle *handle);

/* --- life cycle: groups that are gone are never an error -------------------------------------- */

/* The pids of all members, nested groups included, sorted, without doubles, in our pid namespace;
 * new memory. */
int cgroup_pids(struct cgroup_handle *handle, pid_t **ret, size_t *ret_n, struct err *err);
/* Kills every member and waits until they are gone, at most timeout_ms (-ETIMEDOUT): by
 * cgroup.kill; v1: freeze, SIGKILL by pidfd, thaw, again until empty. Never call it for a group
 * that the caller is a member of (-EDEADLK where that is seen). */
int cgroup_kill_all(struct cgroup_handle *handle, int timeout_ms, struct err *err);
/* Stops and continues all members: cgroup.freeze, else the v1 freezer; waits until it is so. */
int cgroup_freeze(struct cgroup_handle *handle, bool frozen, struct err *err);
/* 1 frozen, 0 not, or a negative errno. */
int cgroup_is_frozen(struct cgroup_handle *handle);
/* How many processes of the group the kernel ended for want of memory (v1: Linux 4.13). -ENOENT:
 * the group or its memory controller is not there. */
int cgroup_oom_kills(const struct cgroup_handle *handle, uint64_t *ret);
/* Removes the group in every hierarchy, and nested groups first. Members that are left are killed
 * when 'kill' is set (else -EBUSY). keep: how many leading names of the path stay; parents behind
 * those are removed when empty; SIZE_MAX: all parents stay. handle.n_existed says what create found
 * there. */
int cgroup_remove(const struct cgroup_group *group, bool kill, size_t keep, struct err *err);
