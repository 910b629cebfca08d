/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Landlock: rule sets that a process puts on itself and never loses.
 *
 * Theory of operation: a rule set 'handles' rights; a handled right is denied everywhere except
 * below the paths of its rules. The caller opens a set, adds paths inside the container's root, and
 * enters it after no_new_privs (or with CAP_SYS_ADMIN). The pure half knows which rights each ABI
 * has (Linux 6.1: ABI 2, 6.18: 7), so that a plan is cut to the kernel before it is made: the
 * kernel refuses unknown bits. Must not: silently handle less than it was told.
 */
#include "base/err.h"

#include <stdbool.h>

/* LANDLOCK_ACCESS_FS_* by bit, with the ABI that brought each. The kernel headers of Debian 12 know
 * ABI 2 only, so all names are ours. */
enum landlock_fs {
	LL_FS_EXECUTE = 1 << 0, /* ABI 1, Linux 5.13 */
	LL_FS_WRITE_FILE = 1 << 1,
	LL_FS_READ_FILE = 1 << 2,
	LL_FS_READ_DIR = 1 << 3,
	LL_FS_REMOVE_DIR = 1 << 4,
	LL_FS_REMOVE_FILE = 1 << 5,
	LL_FS_MAKE_CHAR = 1 << 6,
	LL_FS_MAKE_DIR = 1 << 7,
	LL_FS_MAKE_REG = 1 << 8,
	LL_FS_MAKE_SOCK = 1 << 9,
	LL_FS_MAKE_FIFO = 1 << 10,
	LL_FS_MAKE_BLOCK = 1 << 11,
	LL_FS_MAKE_SYM = 1 << 12,
	LL_FS_REFER = 1 << 13,     /* ABI 2, Linux 5.19 */
	LL_FS_TRUNCATE = 1 << 14,  /* ABI 3, Linux 6.2 */
	LL_FS_IOCTL_DEV = 1 << 15, /* ABI 5, Linux 6.10 */
};
enum landlock_net {
	LL_NET_BIND_TCP = 1 << 0, /* ABI 4, Linux 6.7 */
	LL_NET_CONNECT_TCP = 1 << 1,
};
enum landlock_scope {
	LL_SCOPE_ABSTRACT_UNIX_SOCKET = 1 << 0, /* ABI 6, Linux 6.12 */
	LL_SCOPE_SIGNAL = 1 << 1,
};

/* Everything that the ABI knows (0: nothing; a newer ABI than we know: what we know). */
uint64_t landlock_fs_rights(int abi);
uint64_t landlock_net_rights(int abi);
uint64_t landlock_scopes(int abi);
/* The rights that mean something for a file that is not a folder. */
uint64_t landlock_file_rights(void);
/* "EXECUTE", ...: the name of the right with this bit number; NULL when there is none. */
const char *landlock_fs_name(unsigned int bit);
const char *landlock_net_name(unsigned int bit);
const char *landlock_scope_name(unsigned int bit);
/* The mask of a name, 0 when it is not known. */
uint64_t landlock_fs_by_name(const char *name);

/* Makes a rule set. Masks beyond the kernel's ABI are refused with -EOPNOTSUPP. */
int landlock_open(uint64_t handled_fs, uint64_t handled_net, uint64_t scoped, int abi, int *ret_fd,
        struct err *err);
enum landlock_path {
	LANDLOCK_OPTIONAL = 1 << 0, /* a missing path is no error */
	/* A path with a link in it is treated as missing: for a root whose owner may have put links
	   there to be given rights elsewhere. */
	LANDLOCK_NO_LINKS = 1 << 1,
};
/* Allows 'access' (cut to 'handled', and for a file to what files have) below the path inside
 * rootfd. flags is a set of enum landlock_path. Without LANDLOCK_NO_LINKS links are followed inside
 * the root. */
int landlock_add_path(int ruleset, int rootfd, const char *path, uint64_t access, uint64_t handled,
        unsigned int flags, struct err *err);
/* Restricts the calling process for good. Needs no_new_privs or CAP_SYS_ADMIN. */
int landlock_enter(int ruleset, struct err *err);
