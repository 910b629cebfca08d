/* SPDX-License-Identifier: Apache-2.0 */
#include "archive/place.h"

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"

#include <fcntl.h>

void place_forget(struct place *p)
{
	free(p->parent);
	p->parent = NULL;
	p->parent_fd = fd_close(p->parent_fd);
}

void place_done(struct place *p)
{
	place_forget(p);
}

static int bad_name(struct err *err, int code, const char *name, const char *why)
{
	_free_ char *shown = str_escaped(name);

	return err_set(err, code, "entry '%s' %s", shown, why);
}

/* One part of the name; returns 0 to skip it, 1 to keep it, or a negative errno. */
static int check_part(const char *part, size_t n)
{
	if (n == 0 || (n == 1 && part[0] == '.'))
		return 0;
	if (n == 2 && part[0] == '.' && part[1] == '.')
		return -EPERM;
	return n > NAME_MAX ? -ENAMETOOLONG : 1;
}

int place_clean_name(char *name, struct err *err)
{
	_free_ char *whole = xstrdup(name);
	const char *from = whole;
	size_t len = 0;
	int depth = 0;

	if (strlen(whole) > PLACE_PATH_MAX)
		return bad_name(err, -ENAMETOOLONG, whole, "has a name longer than 4095 bytes");
	while (*from) {
		size_t n = strcspn(from, "/");
		int r = check_part(from, n);

		if (r == -EPERM)
			return bad_name(err, r, whole, "has a '..' in its name");
		if (r < 0)
			return bad_name(
			        err, r, whole, "has a part longer than 255 bytes in its name");
		if (r > 0) {
			if (++depth > PLACE_DEPTH_MAX)
				return bad_name(err, -ELOOP, whole, "lies deeper than 256 folders");
			if (len > 0)
				name[len++] = '/';
			memmove(name + len, from, n);
			len += n;
		}
		from += n + strspn(from + n, "/");
	}
	name[len] = '\0';
	return 0;
}

static uint64_t count_parts(const char *path)
{
	uint64_t n = 1;

	for (; *path; path++)
		n += *path == '/';
	return n;
}

static int open_parent(struct place *p, const char *parent, bool make)
{
	int fd;

	if (!*parent)
		return fd_dup(p->rootfd);
	fd = path_open_in(p->rootfd, parent, PATH_IN_ROOT, O_PATH | O_DIRECTORY, 0);
	if (fd != -ENOENT || !make)
		return fd;
	p->made += count_parts(parent);
	return path_make_dirs_in(p->rootfd, parent, 0755);
}

int place_parent(
        struct place *p, char *name, bool make, int *ret_fd, const char **ret_last, struct err *err)
{
	char *slash = strrchr(name, '/');
	_free_ char *parent = slash ? xstrndup(name, (size_t) (slash - name)) : xstrdup("");
	int fd;

	*ret_last = slash ? slash + 1 : name;
	if (p->parent && streq(p->parent, parent)) {
		*ret_fd = p->parent_fd;
		return 0;
	}
	fd = open_parent(p, parent, make);
	if (fd < 0) {
		_free_ char *shown = str_escaped(name);

		return err_errno(err, fd, "cannot reach the folder of '%s'", shown);
	}
	place_forget(p);
	p->parent = TAKE_PTR(parent);
	p->parent_fd = fd;
	*ret_fd = fd;
	return 0;
}
