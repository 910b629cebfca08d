/* SPDX-License-Identifier: Apache-2.0 */
#include "landlock/landlock.h"

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "kernel/sys.h"

#include <fcntl.h>
#include <sys/stat.h>

/* The kernel's structures in the newest form that is used here; an older kernel takes a longer one
 * when the tail is zero (linux/landlock.h of Debian 12 stops at handled_access_fs). */
struct ruleset_attr {
	uint64_t handled_access_fs;
	uint64_t handled_access_net; /* ABI 4 */
	uint64_t scoped;             /* ABI 6 */
};
struct path_beneath_attr {
	uint64_t allowed_access;
	int32_t parent_fd;
} __attribute__((packed));
enum { RULE_PATH_BENEATH = 1 };

struct right {
	const char *name;
	int abi; /* the first that has it */
};

static const struct right fs_rights[] = {
	{ "EXECUTE", 1 },
	{ "WRITE_FILE", 1 },
	{ "READ_FILE", 1 },
	{ "READ_DIR", 1 },
	{ "REMOVE_DIR", 1 },
	{ "REMOVE_FILE", 1 },
	{ "MAKE_CHAR", 1 },
	{ "MAKE_DIR", 1 },
	{ "MAKE_REG", 1 },
	{ "MAKE_SOCK", 1 },
	{ "MAKE_FIFO", 1 },
	{ "MAKE_BLOCK", 1 },
	{ "MAKE_SYM", 1 },
	{ "REFER", 2 },
	{ "TRUNCATE", 3 },
	{ "IOCTL_DEV", 5 },
};
static const struct right net_rights[] = {
	{ "BIND_TCP", 4 },
	{ "CONNECT_TCP", 4 },
};
static const struct right scopes[] = {
	{ "ABSTRACT_UNIX_SOCKET", 6 },
	{ "SIGNAL", 6 },
};

static uint64_t known_to(const struct right *table, size_t n, int abi)
{
	uint64_t mask = 0;

	for (size_t i = 0; i < n; i++)
		if (table[i].abi <= abi)
			mask |= UINT64_C(1) << i;
	return mask;
}

uint64_t landlock_fs_rights(int abi)
{
	return known_to(fs_rights, ARRAY_SIZE(fs_rights), abi);
}

uint64_t landlock_net_rights(int abi)
{
	return known_to(net_rights, ARRAY_SIZE(net_rights), abi);
}

uint64_t landlock_scopes(int abi)
{
	return known_to(scopes, ARRAY_SIZE(scopes), abi);
}

uint64_t landlock_file_rights(void)
{
	return LL_FS_EXECUTE | LL_FS_WRITE_FILE | LL_FS_READ_FILE | LL_FS_TRUNCATE |
	       LL_FS_IOCTL_DEV;
}

const char *landlock_fs_name(unsigned int bit)
{
	return bit < ARRAY_SIZE(fs_rights) ? fs_rights[bit].name : NULL;
}

const char *landlock_net_name(unsigned int bit)
{
	return bit < ARRAY_SIZE(net_rights) ? net_rights[bit].name : NULL;
}

const char *landlock_scope_name(unsigned int bit)
{
	return bit < ARRAY_SIZE(scopes) ? scopes[bit].name : NULL;
}

uint64_t landlock_fs_by_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(fs_rights); i++)
		if (streq(fs_rights[i].name, name))
			return UINT64_C(1) << i;
	return 0;
}

int landlock_open(uint64_t handled_fs, uint64_t handled_net, uint64_t scoped, int abi, int *ret_fd,
        struct err *err)
{
	struct ruleset_attr attr = {
		.handled_access_fs = handled_fs,
		.handled_access_net = handled_net,
		.scoped = scoped,
	};
	int fd;

	if (handled_fs & ~landlock_fs_rights(abi) || handled_net & ~landlock_net_rights(abi) ||
	        scoped & ~landlock_scopes(abi))
		return err_set(err, -EOPNOTSUPP,
		        "cannot make the landlock rule set: ABI %d does not know all of its rights "
		        "(the plan was made for a newer kernel)",
		        abi);
	fd = sys_landlock_create_ruleset(&attr, sizeof(attr));
	if (fd < 0)
		return err_errno(err, fd, "cannot make the landlock rule set");
	*ret_fd = fd;
	return 0;
}

int landlock_add_path(int ruleset, int rootfd, const char *path, uint64_t access, uint64_t handled,
        unsigned int flags, struct err *err)
{
	struct path_beneath_attr rule = { .allowed_access = access & handled };
	bool no_links = flags & LANDLOCK_NO_LINKS;
	_close_ int fd = path_open_in(
	        rootfd, path, no_links ? PATH_IN_ROOT_NO_LINKS : PATH_IN_ROOT, O_PATH, 0);
	struct stat st;
	int r;

	if ((flags & LANDLOCK_OPTIONAL) &&
	        (fd == -ENOENT || (no_links && (fd == -ELOOP || fd == -ENOTDIR))))
		return 0;
	if (fd < 0) {
		_free_ char *shown = str_escaped(path);
		return err_errno(err, fd, "cannot open '%s' for a landlock rule", shown);
	}
	if (fstat(fd, &st) < 0)
		return err_errno(err, -errno, "cannot look at the path of a landlock rule");
	/* The kernel refuses rights of folders on anything else. */
	if (!S_ISDIR(st.st_mode))
		rule.allowed_access &= landlock_file_rights();
	/* An empty rule allows nothing; the kernel calls it an error, for us it is the default. */
	if (!rule.allowed_access)
		return 0;
	rule.parent_fd = fd;
	r = sys_landlock_add_rule(ruleset, RULE_PATH_BENEATH, &rule);
	if (r < 0) {
		_free_ char *shown = str_escaped(path);
		return err_errno(err, r, "cannot add the landlock rule for '%s'", shown);
	}
	return 0;
}

int landlock_enter(int ruleset, struct err *err)
{
	int r = sys_landlock_restrict_self(ruleset, 0);

	if (r == -EPERM)
		return err_errno(err, r,
		        "cannot enter the landlock rule set without no_new_privs or CAP_SYS_ADMIN");
	if (r < 0)
		return err_errno(err, r, "cannot enter the landlock rule set");
	return 0;
}
