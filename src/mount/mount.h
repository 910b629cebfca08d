/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Mounts by file descriptor: the file system tree of a container.
 *
 * Theory of operation. The supervisor, in the host's namespaces, opens everything that comes from
 * the host as detached mounts (mount_open_*). The child, alone in its new mount namespace, attaches
 * the root first (the kernel of Debian 12 cannot mount onto a detached tree), then everything else
 * inside it, covers what must not be seen, and makes the root "/" (mount_pivot). The child resolves
 * every target inside the root by openat2 and mounts on the descriptor that came back; nobody else
 * can be inside that tree yet except through folders shared with other containers, and a
 * descriptor does not change its meaning (rules R1, R5; CVE-2019-19921, CVE-2021-30465,
 * CVE-2024-45310). Files of procfs are written through a private procfs only (R2, CVE-2025-52881).
 *
 * Common rules: functions return 0 or a negative errno with the sentence in err; fds in arguments
 * are borrowed; attributes are MOUNT_ATTR_*, propagation is MS_PRIVATE, MS_SLAVE, MS_SHARED or
 * MS_UNBINDABLE; child-side functions need CAP_SYS_ADMIN in the user namespace that owns the mount
 * namespace. Must not: follow a link out of the root, resolve a target twice, continue after a
 * failed step.
 */
#include "base/err.h"

#include <stdbool.h>
#include <sys/types.h>

/* --- supervisor: detached mounts of the host ------------------------------------------------- */

/* A recursive clone of the folder 'path' (links in it are followed: it is the host's) with
 * attr_set on its root mount; a slave of the host's mounts, so that nothing goes back there. */
int mount_open_root(const char *path, uint64_t attr_set, int *ret_fd, struct err *err);

/* A clone of the file or folder 'path' of the host, with the mounts below it when 'recursive'. */
int mount_open_bind(const char *path, bool recursive, int *ret_fd, struct err *err);

/* A clone of the device node 'path' after its type ('c' or 'b') and number were checked on the
 * descriptor; a symbolic link is refused (CVE-2025-31133). -ENXIO: it is another device. */
int mount_open_device(const char *path, char type, unsigned int major_no, unsigned int minor_no,
        int *ret_fd, struct err *err);

/* One extent of an id map. */
struct mount_id_extent {
	uint32_t inside, outside, count;
};
/* A user namespace that nobody is in, with the same map for uids and gids, for idmapped mounts. */
int mount_userns_new(
        const struct mount_id_extent *map, size_t n, int *ret_userns_fd, struct err *err);
/* The same with different maps. */
int mount_userns_new2(const struct mount_id_extent *uids, size_t n_uids,
        const struct mount_id_extent *gids, size_t n_gids, int *ret_userns_fd, struct err *err);
/* Idmaps a detached mount that nobody uses yet. Needs CAP_SYS_ADMIN on the host. Not every file
 * system can (NFS, FUSE; tmpfs before Linux 6.3): -EINVAL, said in the sentence. */
int mount_set_idmap(int tree, int userns_fd, bool recursive, const char *name, struct err *err);

enum mount_overlay_method {
	MOUNT_OVERLAY_AUTO,    /* by descriptor, and where the kernel is older than 6.13 by name */
	MOUNT_OVERLAY_BY_FD,   /* -EOPNOTSUPP or -EINVAL on older kernels */
	MOUNT_OVERLAY_BY_NAME, /* a short-lived helper with a mount namespace of its own */
};
/*
 * The root of a container from image layers. 'base' is one folder that holds layers and writable
 * folders with the ids on disk as in the image; it is cloned once and idmapped with "0 host_id
 * size" and "65536 0 1" (host root must be mapped, or the overlay cannot make its work folder and
 * silently is read-only); with size 0 it is not idmapped. upper NULL or "": read-only, any number
 * of layers. The container's mountinfo shows names below 'base' (by descriptor) or numbers (by
 * name), never the path of 'base'.
 */
struct mount_overlay {
	const char *base;
	const char *const *layers; /* top first, NULL-terminated, relative to base */
	const char *upper, *work;
	uint32_t host_id, size;
	uint64_t attr_set;          /* of the overlay mount; nodev is always added */
	const char *const *options; /* "volatile", "key=value"; NULL-terminated or NULL */
	enum mount_overlay_method method;
	/* When not NULL it receives the clone of 'base', which the overlay no longer needs: closing
	 * it waits for every CPU, so a caller may have a better moment for that. */
	int *ret_base;
};
int mount_open_overlay(const struct mount_overlay *o, int *ret_fd, struct err *err);

/* --- child: the mount namespace and its root ------------------------------------------------- */

/* Sets the propagation of every mount of the new mount namespace. */
int mount_set_propagation(uint64_t propagation, struct err *err);
/* Attaches the detached root in the child's mount namespace, out of the way of everything that is
 * there (the place is made private first, so that the host never sees it). root_fd is from then on
 * the 'rootfd' of all functions below. */
int mount_attach_root(int root_fd, struct err *err);
/* Before mount_pivot with no_pivot: takes the host's procfs and sysfs out of the mount namespace.
 * While they are in it, a user namespace made inside may mount one without covers. */
int mount_hide_host(struct err *err);
/* Makes the attached root "/" and lets go of the old one; cwd is "/" afterwards. no_pivot: by
 * MS_MOVE and chroot, for a host root that is an initramfs; weaker. */
int mount_pivot(int root_fd, bool no_pivot, struct err *err);
/* After mount_pivot: attributes (read-only, ...) and propagation (0: unchanged) of "/" itself; the
 * mounts below it have their own. */
int mount_set_root(uint64_t attr_set, uint64_t propagation, struct err *err);
/* Changes to 'path' inside "/" (made first when 'create') and checks that the kernel calls the
 * result reachable from our root (CVE-2024-21626). Magic links are not followed. */
int mount_enter_cwd(const char *path, bool create, struct err *err);
/* The check alone. */
int mount_verify_cwd(struct err *err);

/* --- child: mounts --------------------------------------------------------------------------- */

struct mount_spec {
	const char *source; /* file system: the text of the source; bind: for messages */
	const char *target; /* inside the root */
	const char *fstype;
	const char *const *data; /* "key" or "key=value"; NULL-terminated or NULL */
	uint64_t attr_set, attr_clear;
	uint64_t rec_attr_set, rec_attr_clear; /* also on every mount below */
	uint64_t propagation;                  /* 0: MS_PRIVATE */
	bool propagation_recursive;
	bool copy_up; /* tmpfs: fill it with what the target held */
};

/* Mounts a new file system on the target (made as a folder when missing). proc and sysfs: the
 * target and everything on the way must be real folders, never links (CVE-2023-27561,
 * CVE-2023-28642). The error names what the file system itself complained about. */
int mount_attach_fs(int rootfd, const struct mount_spec *m, struct err *err);
/* Attaches the detached tree of mount_open_bind on the target, which is made as an empty file or a
 * folder to fit. A target in /proc other than the few files that container tools replace (cpuinfo,
 * meminfo, uptime, ...) is refused (CVE-2019-16884). attr_clear and attr_set as asked. */
int mount_attach_bind(int rootfd, int tree, const struct mount_spec *m, struct err *err);

/* Mounts a plain file (0644, root's) with this content on the target. The file lies, without a
 * name, in the tmpfs on the root's /dev (-EINVAL when that is no tmpfs), whose size bounds what the
 * container may write into it. */
int mount_attach_file(int rootfd, const char *content, const struct mount_spec *m, struct err *err);

/* The cgroup view. hierarchies: v1 folder names ("cpu,cpuacct", "memory", "systemd"). In a cgroup
 * namespace trees is NULL and fresh cgroup file systems are mounted, which show the namespace's own
 * subtree. Without one, trees holds detached binds of the container's own groups, one for each
 * hierarchy and then unified (v2: trees[0]); these are always read-only (CVE-2023-25809). */
struct mount_cgroup_view {
	bool v2;
	const char *const *hierarchies;
	bool unified; /* hybrid: also 'unified' with the v2 hierarchy */
	const int *trees;
};
int mount_attach_cgroup(int rootfd, const struct mount_spec *m,
        const struct mount_cgroup_view *view, struct err *err);

/* --- child: devices -------------------------------------------------------------------------- */

struct mount_device {
	char type; /* 'c', 'b' or 'p' */
	const char *path;
	unsigned int major_no, minor_no;
	mode_t mode;
	uid_t uid;
	gid_t gid;
};
/* Makes the node with exactly this mode and owner. A node that is there already must have the same
 * type and number; anything else (a link, a file of the image) is refused, -EEXIST. */
int mount_make_device(int rootfd, const struct mount_device *dev, struct err *err);
/* Binds a tree of mount_open_device (checked again here) where nodes cannot be made. */
int mount_bind_device(int rootfd, const struct mount_device *dev, int tree, struct err *err);
/* /dev/fd, stdin, stdout, stderr and, when 'ptmx', ptmx -> pts/ptmx. /dev must be a real folder
 * (CVE-2026-41579, CVE-2026-47766). Nothing is ever removed: /dev may be the host's. A link that is
 * right already stays, and so does the character device 5:2 as ptmx; anything else of that name is
 * refused, -EEXIST. */
int mount_dev_links(int rootfd, bool ptmx, struct err *err);

/* --- child: the terminal ---------------------------------------------------------------------- */

/* The device of the caller's own devpts, 0 when there is none: what a container must not use. */
dev_t mount_host_devpts(void);
/* Makes a pty in the devpts that is mounted on the root's /dev/pts, which must be the container's
 * own: links, other file systems, other devices and the host's devpts are refused before anything
 * is opened that could do something. The slave comes from the master, never by its name. */
int mount_open_terminal(
        int rootfd, dev_t host_devpts, int *ret_master, int *ret_slave, struct err *err);
/* Binds the slave on /dev/console, a plain file that is made in the tmpfs on the root's /dev. */
int mount_bind_console(int rootfd, int slave, struct err *err);
/* Whether fd is the master of a pty, for who gets one from a process that is not to be trusted. */
bool mount_is_terminal_master(int fd);

/* --- child: covers --------------------------------------------------------------------------- */

/* What covers are made from: the null device for files, one empty read-only tmpfs for folders. */
struct mount_cover {
	int null_tree;  /* borrowed: mount_open_device("/dev/null", 'c', 1, 3) by the supervisor */
	int null_mount; /* -EBADF until the first file was covered */
	int empty_mount;
};
#define _mount_cover_done_ _cleanup_(mount_cover_done)
void mount_cover_init(struct mount_cover *c, int null_tree);
void mount_cover_done(struct mount_cover *c);
/* Covers a file or folder; a missing path is no error (the OCI's maskedPaths). */
int mount_cover_path(struct mount_cover *c, int rootfd, const char *path, struct err *err);
/* Covers every entry of the root's /proc, which must be a procfs, that is not a pid, self,
 * thread-self or listed: what a later kernel adds is covered too. */
int mount_cover_proc(struct mount_cover *c, int rootfd, const char *const *names, struct err *err);
/* Makes a path read-only where it is, keeping its other flags; a missing path is no error. */
int mount_read_only(int rootfd, const char *path, struct err *err);

/* --- child: procfs of the runtime itself ----------------------------------------------------- */

/* A detached procfs of the child's pid namespace that no other process can reach or mount over,
 * checked to be a procfs. -EPERM where the kernel refuses (the namespace's own /proc is partly
 * covered): use the supervisor's /proc, opened by mount_host_proc(). */
int mount_private_proc(int *ret_fd, struct err *err);
/* The host's /proc as an O_PATH fd, checked to be the root of a procfs. */
int mount_host_proc(int *ret_fd, struct err *err);
/* Opens 'path' below a procfs of ours with O_* flags and checks that what came back is procfs too
 * (nothing was mounted over it). */
int mount_proc_open(int procfd, const char *path, int flags);
/* Writes /proc/sys/'path' in one write. -ENOENT: this kernel does not have it. */
int mount_write_sysctl(int procfd, const char *path, const char *value, struct err *err);
