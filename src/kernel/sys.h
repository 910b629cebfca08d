/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Thin wrappers of the newer Linux system calls.
 *
 * Theory of operation: this is the only module that may call syscall(2). Each function does exactly
 * one system call and returns its result, or a negative errno. No function allocates, logs or keeps
 * state, so all of them are safe between clone and exec. File descriptors that these functions
 * return are close-on-exec. Bulkhead needs Linux 6.1; what came later says so here, and callers
 * probe by trying (-ENOSYS, -EINVAL).
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct clone_args; /* linux/sched.h */
struct mount_attr; /* linux/mount.h */

/* clone3(2). Returns the child's pid, 0 in the child. Raw: the child shares no libc bookkeeping
 * with pthread code, which is why no program here has threads. */
pid_t sys_clone3(struct clone_args *args, size_t size);

/* openat2(2). how_flags are O_* flags (O_CLOEXEC is added), resolve are RESOLVE_* flags. Returns a
 * new fd. */
int sys_openat2(int dirfd, const char *path, uint64_t how_flags, uint64_t mode, uint64_t resolve);

/* open_tree(2): flags are OPEN_TREE_CLONE, AT_RECURSIVE, AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW.
 * Returns a new fd. */
int sys_open_tree(int dirfd, const char *path, unsigned int flags);
int sys_move_mount(
        int from_dirfd, const char *from, int to_dirfd, const char *to, unsigned int flags);
/* Attaches the detached mount 'from' on the file or folder 'to', both by descriptor (empty paths).
 */
int sys_move_mount_fd(int from, int to);
int sys_fsopen(const char *fstype);
int sys_fsconfig_string(int fsfd, const char *key, const char *value);
int sys_fsconfig_flag(int fsfd, const char *key);
/* FSCONFIG_SET_FD: for overlayfs lowerdir+, upperdir, workdir by descriptor (Linux 6.13). */
int sys_fsconfig_fd(int fsfd, const char *key, int fd);
int sys_fsconfig_create(int fsfd);
/* attrs are MOUNT_ATTR_* of the new mount. Returns a detached mount. */
int sys_fsmount(int fsfd, unsigned int attrs);
/* mount_setattr(2): flags as AT_EMPTY_PATH | AT_RECURSIVE. */
int sys_mount_setattr(int dirfd, const char *path, unsigned int flags, struct mount_attr *attr);
int sys_pivot_root(const char *new_root, const char *put_old);

/* getcwd(2) itself: 0, and the path as the kernel says it, "(unreachable)..." outside of the root.
 * The C library would walk the folders itself then. */
int sys_getcwd(char *path, size_t size);

int sys_pidfd_open(pid_t pid);
int sys_pidfd_send_signal(int pidfd, int sig);
int sys_close_range(unsigned int first, unsigned int last, unsigned int flags);
int sys_execveat(int dirfd, const char *path, char *const argv[], char *const envp[], int flags);

/* Joins a new, empty session keyring (KEYCTL_JOIN_SESSION_KEYRING); name may be NULL. Returns its
 * serial. */
int sys_keyctl_join_session(const char *name);

/* Raw credential calls: glibc's broadcast to all threads, these change the calling thread only. */
int sys_setresuid(uid_t r, uid_t e, uid_t s);
int sys_setresgid(gid_t r, gid_t e, gid_t s);
int sys_setgroups(size_t n, const gid_t *groups);
/* capset(2)/capget(2), version 3, of the calling thread; each set is a 64-bit mask. */
int sys_capset(uint64_t effective, uint64_t permitted, uint64_t inheritable);
int sys_capget(uint64_t *ret_effective, uint64_t *ret_permitted, uint64_t *ret_inheritable);

/* seccomp(2). prog points to a struct sock_fprog. Returns 0, or an fd with
 * SECCOMP_FILTER_FLAG_NEW_LISTENER. */
int sys_seccomp_filter(unsigned int flags, const void *prog);

/* Landlock. sys_landlock_abi: the ABI version (1 or more), or a negative errno if there is none. */
int sys_landlock_abi(void);
int sys_landlock_create_ruleset(const void *attr, size_t size);
int sys_landlock_add_rule(int ruleset, int type, const void *attr);
int sys_landlock_restrict_self(int ruleset, uint32_t flags);

/* bpf(2); attr is a union bpf_attr. */
int sys_bpf(int cmd, void *attr, size_t size);
int sys_getrandom(void *data, size_t size);
