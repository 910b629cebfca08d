/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Private to the executor (apply*.c, child*.c): what the supervisor prepares and the child
 * inherits.
 *
 * Theory of operation. The supervisor opens everything that comes from the host before there is a
 * child (apply_open, apply_cgroup), makes the child in one clone3 (apply_clone), does what only the
 * host may do to it while it waits (apply_parent), and lets it go. The child is a copy of the
 * supervisor, so it finds all descriptors in the same structure; it walks the plan through one
 * table (child.c) and its first error ends it. Supervisor and child talk over one SEQPACKET pair in
 * messages of one fixed size (report.h).
 *
 * Namespaces that are joined come before new ones. Without a user namespace the child joins them
 * itself. With one, or when a pid namespace is joined, a short-lived process between does: it joins
 * what belongs to the host first, the user namespace last (a namespace of the host cannot be joined
 * from inside it), and makes the child with CLONE_PARENT, so that the supervisor stays its parent
 * and none of its own namespaces change.
 *
 * Entering a container (enter.c, child_enter.c) uses the same child and the same steps. The process
 * between is made in the container's groups, joins the namespaces, and does the child's steps while
 * it cannot be seen from inside, because its own pid namespace is still the host's; at the last
 * moment it makes the process that is seen, with CLONE_PARENT as above. The kernel writes that
 * one's pid into a page that the supervisor shares, before it runs: there is no moment in which a
 * child of ours is unknown.
 *
 * Must not: resolve a path of the plan twice, use malloc'ed state of the caller in the child, leave
 * anything on the host when it fails.
 */
#include "base/err.h"
#include "cgroup/cgroup.h"
#include "mount/mount.h"
#include "plan/order.h"
#include "sandbox/report.h"
#include "sandbox/sandbox.h"

struct apply {
	const struct plan *plan;
	const struct sandbox_io *io;
	int *fds; /* one for each step: the opened bind, device or namespace; -EBADF: none */
	int root; /* the detached root */
	int overlay_base;     /* what the overlay was made from; kept until the child is ready */
	int null_tree;        /* a clone of /dev/null, for covers */
	int host_proc;        /* the host's /proc, for kernels that refuse a private one */
	int sync, child_sync; /* the two ends */
	struct cgroup_handle cgroup;
	bool cgroup_made;
	int *cgroup_trees; /* detached binds of the container's groups, where it has no namespace */
	size_t n_cgroup_trees;
	struct mount_cgroup_view cgroup_view;
	struct cgroup_facts cgroup_facts; /* for a cgroup mount of a container without groups */
	const char *cgroup_names[CGROUP_HIERARCHIES_MAX + 1];
	uint64_t new_namespaces, joined_namespaces; /* CLONE_NEW* */
	uint64_t clone_flags;                       /* for clone3 */
	bool between;      /* a process between joined the namespaces already */
	bool barrier;      /* the child waits until the parent has done its steps */
	dev_t host_devpts; /* the supervisor's own, for a plan with a terminal */
	int target;        /* the init of the container that is entered; -EBADF: one is made */
	volatile pid_t *entered; /* shared page: the pid of the process inside, 0: none yet */
	pid_t pid;
	int pidfd;
	int terminal; /* received: the master */
};

/* apply.c: what sandbox_apply and sandbox_enter share. fill has room for 3 + n_keep_fds numbers. */
void apply_init(struct apply *a, const struct plan *plan, const struct sandbox_io *io, int target);
void apply_done(struct apply *a);
int apply_reserve_numbers(const struct sandbox_io *io, int *fill, struct err *err);
void apply_release_numbers(const struct sandbox_io *io, const int *fill);
int apply_make_sync(struct apply *a, struct err *err);
/* Kills and reaps one child of ours. */
void apply_reap(pid_t pid, bool kill_first);
/* Waits for READY or the child's error; takes its terminal. */
int apply_wait_ready(struct apply *a, int *ret_exit_code, struct err *err);
/* apply_open.c: opens what the host gives. Cloning mounts needs privileges over their namespace: a
 * supervisor without them leaves that to the child, which has them in its own copy of the mount
 * namespace and calls apply_open_trees itself. */
int apply_open(struct apply *a, struct err *err);
int apply_open_trees(struct apply *a, struct err *err);
/* apply_cgroup.c: makes the groups and writes the limits; undoes it. */
int apply_cgroup(struct apply *a, struct err *err);
/* The same group, which must exist in every hierarchy of the plan; -ESRCH: it does not. */
int apply_cgroup_open(struct apply *a, struct err *err);
int apply_cgroup_view(struct apply *a, struct err *err);
void apply_cgroup_undo(struct apply *a);
/* apply_clone.c: makes the child; returns in the supervisor only. */
int apply_clone(struct apply *a, struct err *err);
/* In the child (or the process between): joins the plan's namespaces. */
int apply_join_namespaces(const struct apply *a, struct err *err);
/* True when a hard limit of the plan is above our own, which only the host may give. */
bool apply_raises_limits(const struct apply *a);
/* apply_parent.c: maps, score, limits; then lets the child go. */
int apply_parent(struct apply *a, struct err *err);
/* Score and limits of the calling process itself, while it has the host's rights. */
int apply_to_self(const struct apply *a, struct err *err);
/* Gives pipes for stdio to these ids of the host. */
void apply_give_pipes(const struct sandbox_io *io, int64_t uid, int64_t gid);
/* The id of the host that 'id' of the container is; -ERANGE when the plan does not map it. */
int64_t apply_host_id(const struct plan *plan, bool gid, uint32_t id);
/* Whether fd is an anonymous pipe: the only kind of stdio whose owner is ours to change. */
bool apply_is_pipe(int fd);

/* child.c: the child's whole life. */
_noreturn_ void child_main(struct apply *a);
