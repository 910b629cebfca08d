/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/landlock.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Turns libc's -1 and errno into a negative errno. */
static int ret(long r)
{
	return r < 0 ? -errno : (int) r;
}

pid_t sys_clone3(struct clone_args *args, size_t size)
{
	return ret(syscall(SYS_clone3, args, size));
}

int sys_openat2(int dirfd, const char *path, uint64_t how_flags, uint64_t mode, uint64_t resolve)
{
	struct open_how how = { .flags = how_flags | O_CLOEXEC, .mode = mode, .resolve = resolve };

	return ret(syscall(SYS_openat2, dirfd, path, &how, sizeof(how)));
}

int sys_open_tree(int dirfd, const char *path, unsigned int flags)
{
	return ret(syscall(SYS_open_tree, dirfd, path, flags | OPEN_TREE_CLOEXEC));
}

int sys_move_mount(
        int from_dirfd, const char *from, int to_dirfd, const char *to, unsigned int flags)
{
	return ret(syscall(SYS_move_mount, from_dirfd, from, to_dirfd, to, flags));
}

int sys_move_mount_fd(int from, int to)
{
	return sys_move_mount(from, "", to, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

int sys_fsopen(const char *fstype)
{
	return ret(syscall(SYS_fsopen, fstype, FSOPEN_CLOEXEC));
}

int sys_fsconfig_string(int fsfd, const char *key, const char *value)
{
	return ret(syscall(SYS_fsconfig, fsfd, FSCONFIG_SET_STRING, key, value, 0));
}

int sys_fsconfig_flag(int fsfd, const char *key)
{
	return ret(syscall(SYS_fsconfig, fsfd, FSCONFIG_SET_FLAG, key, NULL, 0));
}

int sys_fsconfig_fd(int fsfd, const char *key, int fd)
{
	return ret(syscall(SYS_fsconfig, fsfd, FSCONFIG_SET_FD, key, NULL, fd));
}

int sys_fsconfig_create(int fsfd)
{
	return ret(syscall(SYS_fsconfig, fsfd, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
}

int sys_fsmount(int fsfd, unsigned int attrs)
{
	return ret(syscall(SYS_fsmount, fsfd, FSMOUNT_CLOEXEC, attrs));
}

int sys_mount_setattr(int dirfd, const char *path, unsigned int flags, struct mount_attr *attr)
{
	return ret(syscall(SYS_mount_setattr, dirfd, path, flags, attr, sizeof(*attr)));
}

int sys_pivot_root(const char *new_root, const char *put_old)
{
	return ret(syscall(SYS_pivot_root, new_root, put_old));
}

int sys_getcwd(char *path, size_t size)
{
	int r = ret(syscall(SYS_getcwd, path, size));

	return r < 0 ? r : 0;
}

int sys_pidfd_open(pid_t pid)
{
	return ret(syscall(SYS_pidfd_open, pid, 0));
}

int sys_pidfd_send_signal(int pidfd, int sig)
{
	return ret(syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0));
}

int sys_close_range(unsigned int first, unsigned int last, unsigned int flags)
{
	return ret(syscall(SYS_close_range, first, last, flags));
}

int sys_execveat(int dirfd, const char *path, char *const argv[], char *const envp[], int flags)
{
	return ret(syscall(SYS_execveat, dirfd, path, argv, envp, flags));
}

int sys_keyctl_join_session(const char *name)
{
	return ret(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name, 0, 0, 0));
}

int sys_setresuid(uid_t r, uid_t e, uid_t s)
{
	return ret(syscall(SYS_setresuid, r, e, s));
}

int sys_setresgid(gid_t r, gid_t e, gid_t s)
{
	return ret(syscall(SYS_setresgid, r, e, s));
}

int sys_setgroups(size_t n, const gid_t *groups)
{
	return ret(syscall(SYS_setgroups, n, groups));
}

int sys_capset(uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3, .pid = 0 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {
		{ (uint32_t) effective, (uint32_t) permitted, (uint32_t) inheritable },
		{ (uint32_t) (effective >> 32), (uint32_t) (permitted >> 32),
		        (uint32_t) (inheritable >> 32) },
	};

	return ret(syscall(SYS_capset, &head, data));
}

int sys_capget(uint64_t *ret_effective, uint64_t *ret_permitted, uint64_t *ret_inheritable)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3, .pid = 0 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };
	int r = ret(syscall(SYS_capget, &head, data));

	if (r < 0)
		return r;
	*ret_effective = data[0].effective | (uint64_t) data[1].effective << 32;
	*ret_permitted = data[0].permitted | (uint64_t) data[1].permitted << 32;
	*ret_inheritable = data[0].inheritable | (uint64_t) data[1].inheritable << 32;
	return 0;
}

int sys_seccomp_filter(unsigned int flags, const void *prog)
{
	return ret(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, prog));
}

int sys_landlock_abi(void)
{
	return ret(syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION));
}

int sys_landlock_create_ruleset(const void *attr, size_t size)
{
	return ret(syscall(SYS_landlock_create_ruleset, attr, size, 0));
}

int sys_landlock_add_rule(int ruleset, int type, const void *attr)
{
	return ret(syscall(SYS_landlock_add_rule, ruleset, type, attr, 0));
}

int sys_landlock_restrict_self(int ruleset, uint32_t flags)
{
	return ret(syscall(SYS_landlock_restrict_self, ruleset, flags));
}

int sys_bpf(int cmd, void *attr, size_t size)
{
	return ret(syscall(SYS_bpf, cmd, attr, size));
}

int sys_getrandom(void *data, size_t size)
{
	return ret(syscall(SYS_getrandom, data, size, 0));
}
