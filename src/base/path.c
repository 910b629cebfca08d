/* SPDX-License-Identifier: Apache-2.0 */
#include "base/path.h"

#include "base/fd.h"
#include "base/str.h"
#include "kernel/sys.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EAGAIN_TRIES = 128, LINK_DEPTH_MAX = 40 };

static const uint64_t policies[] = {
	[PATH_IN_ROOT] = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	[PATH_IN_ROOT_NO_LINKS] = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS,
	[PATH_BENEATH] = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	[PATH_BENEATH_NO_LINKS] = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS,
};

int path_open_in(int rootfd, const char *path, enum path_policy policy, int flags, mode_t mode)
{
	int r = -EAGAIN;

	for (int i = 0; i < EAGAIN_TRIES && r == -EAGAIN; i++)
		r = sys_openat2(rootfd, *path ? path : ".", (uint64_t) (unsigned int) flags, mode,
		        policies[policy]);
	return r;
}

/*
 * The text of the symbolic link 'name' in dirfd, joined with the rest of the path; relative targets
 * are put behind the folder 'done' that was walked so far. Returns new memory, or NULL when it is
 * not a link or too long.
 */
static char *follow(int dirfd, const char *done, const char *name, const char *rest)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(dirfd, name, target, sizeof(target) - 1);

	if (n <= 0 || (size_t) n >= sizeof(target) - 1)
		return NULL;
	target[n] = '\0';
	if (target[0] == '/')
		return xprintf("%s/%s", target, rest);
	return xprintf("%s/%s/%s", done, target, rest);
}

/* One component: opens the folder 'name' in dirfd, making it when it is missing. */
static int enter_or_make(int dirfd, const char *name, mode_t mode)
{
	int fd = path_open_in(dirfd, name, PATH_BENEATH_NO_LINKS, O_PATH | O_DIRECTORY, 0);

	if (fd != -ENOENT)
		return fd;
	if (mkdirat(dirfd, name, mode) < 0 && errno != EEXIST)
		return -errno;
	return path_open_in(dirfd, name, PATH_BENEATH_NO_LINKS, O_PATH | O_DIRECTORY, 0);
}

/* Walks 'path' (cleaned) component by component; *ret_follow is set when a link must be followed
 * first. */
static int walk(int rootfd, const char *path, mode_t mode, char **ret_follow)
{
	_close_ int at = fd_dup(rootfd);
	_free_ char *copy = xstrdup(path);
	_free_ char *done = xstrdup("");
	char *rest = copy;

	if (at < 0)
		return TAKE_FD(at);
	for (char *name; (name = strsep(&rest, "/"));) {
		_close_ int next = -EBADF;

		if (!*name)
			continue;
		next = enter_or_make(at, name, mode);
		if (next == -ELOOP || next == -ENOTDIR) {
			*ret_follow = follow(at, done, name, rest ? rest : "");
			return *ret_follow ? -ELOOP : -ENOTDIR;
		}
		if (next < 0)
			return TAKE_FD(next);
		fd_close(at);
		at = TAKE_FD(next);
		char *longer = xprintf("%s/%s", done, name);
		free(done);
		done = longer;
	}
	return TAKE_FD(at);
}

/* The usual case: all but the last component is there. -ENOENT: it is not, or a link is in the way.
 */
static int make_last(int rootfd, const char *path, mode_t mode)
{
	_free_ char *folder = xstrdup(path);
	char *name = strrchr(folder, '/');
	_close_ int parent = -EBADF;

	*name++ = '\0';
	parent = path_open_in(rootfd, folder, PATH_IN_ROOT, O_PATH | O_DIRECTORY, 0);
	if (parent < 0)
		return TAKE_FD(parent);
	/* EEXIST: a link whose target is missing, or somebody was faster. */
	if (mkdirat(parent, name, mode) < 0)
		return errno == EEXIST ? -ENOENT : -errno;
	return path_open_in(parent, name, PATH_BENEATH_NO_LINKS, O_PATH | O_DIRECTORY, 0);
}

int path_make_dirs_in(int rootfd, const char *path, mode_t mode)
{
	_free_ char *now = path_clean(path);
	int fd = path_open_in(rootfd, now, PATH_IN_ROOT, O_PATH | O_DIRECTORY, 0);

	if (fd == -ENOENT)
		fd = make_last(rootfd, now, mode);
	if (fd != -ENOENT)
		return fd;
	for (int i = 0; i < LINK_DEPTH_MAX; i++) {
		_free_ char *longer = NULL;

		fd = walk(rootfd, now, mode, &longer);
		if (fd != -ELOOP || !longer)
			return fd;
		free(now);
		now = path_clean(longer);
	}
	return -ELOOP;
}

/* Opens or makes the file 'path' (cleaned); *ret_follow is set when its name is a link whose target
 * is missing. */
static int open_or_make_file(int rootfd, const char *path, mode_t mode, char **ret_follow)
{
	_free_ char *folder = xstrdup(path);
	_close_ int parent = -EBADF, made = -EBADF;
	char *name = strrchr(folder, '/');
	int fd = path_open_in(rootfd, path, PATH_IN_ROOT, O_PATH, 0);

	if (fd != -ENOENT)
		return fd;
	*name++ = '\0';
	parent = path_make_dirs_in(rootfd, folder, 0755);
	if (parent < 0)
		return TAKE_FD(parent);
	made = openat(parent, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, mode);
	if (made < 0 && errno != EEXIST)
		return -errno;
	fd = path_open_in(parent, name, PATH_BENEATH_NO_LINKS, O_PATH, 0);
	if (fd == -ELOOP) {
		_free_ char *target = follow(parent, folder, name, "");

		*ret_follow = target ? path_clean(target) : NULL;
	}
	return fd;
}

int path_make_file_in(int rootfd, const char *path, mode_t mode)
{
	_free_ char *clean = path_clean(path);
	_free_ char *now = xstrdup(clean);

	for (int i = 0; i < LINK_DEPTH_MAX; i++) {
		_free_ char *next = NULL;
		int fd = open_or_make_file(rootfd, now, mode, &next);

		if (fd != -ELOOP || !next) {
			if (fd < 0 || i == 0)
				return fd;
			/* Links were followed as text: only the kernel's word counts in the end. */
			fd_close(fd);
			return path_open_in(rootfd, clean, PATH_IN_ROOT, O_PATH, 0);
		}
		free(now);
		now = TAKE_PTR(next);
	}
	return -ELOOP;
}

char *path_clean(const char *path)
{
	char *out = xmalloc(strlen(path) + 2);
	size_t len = 0;

	while (*path) {
		size_t n = strcspn(path, "/");

		if (n == 2 && path[0] == '.' && path[1] == '.') {
			while (len > 0 && out[--len] != '/')
				;
		} else if (n > 0 && !(n == 1 && path[0] == '.')) {
			out[len++] = '/';
			memcpy(out + len, path, n);
			len += n;
		}
		path += n;
		while (*path == '/')
			path++;
	}
	if (len == 0)
		out[len++] = '/';
	out[len] = '\0';
	return out;
}

int path_is_name(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len <= NAME_MAX && !streq(name, ".") && !streq(name, "..") &&
	       !strchr(name, '/');
}
