/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/internal.h"

#include "base/path.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LIST_MAX = 65536 };

void runtime_init(struct runtime *rt)
{
	*rt = (struct runtime){ .root_fd = -EBADF };
}

void runtime_done(struct runtime *rt)
{
	rt->root_fd = fd_close(rt->root_fd);
	free(TAKE_PTR(rt->root));
}

char *runtime_default_root(struct err *err)
{
	if (geteuid() == 0)
		return xstrdup("/run/bulkhead-runtime");
	const char *dir = secure_getenv("XDG_RUNTIME_DIR");
	if (dir && dir[0] == '/')
		return xprintf("%s/bulkhead-runtime", dir);
	err_set(err, -EINVAL,
	        "no state folder: XDG_RUNTIME_DIR is not set to an absolute path; set it or give "
	        "--root");
	return NULL;
}

/* Makes the folder and the missing ones above it: all of them are the caller's own choice. */
static int make_root(const char *root)
{
	_free_ char *path = xstrdup(root);
	for (char *p = strchr(path + 1, '/'); p; p = strchr(p + 1, '/')) {
		*p = '\0';
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			return -errno;
		*p = '/';
	}
	return mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

static int open_root(struct runtime *rt, struct err *err)
{
	_free_ char *shown = str_escaped(rt->root);
	_close_ int fd = open(rt->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_uid != geteuid())
		return err_set(err, -EACCES,
		        "the state folder '%s' belongs to another user (uid %u): give another one "
		        "with --root",
		        shown, st.st_uid);
	if ((st.st_mode & 022) && fchmod(fd, st.st_mode & 0755) < 0)
		return err_errno(err, -errno, "cannot protect the state folder '%s'", shown);
	rt->root_fd = TAKE_FD(fd);
	return 0;
}

int runtime_open(struct runtime *rt, const char *root, bool make, struct err *err)
{
	_free_ char *cwd = NULL;
	_free_ char *joined = NULL;
	if (root[0] != '/') {
		cwd = getcwd(NULL, 0);
		joined = cwd ? xprintf("%s/%s", cwd, root) : NULL;
		if (!joined)
			return err_errno(err, -errno, "cannot tell the current folder");
	}
	rt->root = path_clean(joined ? joined : root);
	if (streq(rt->root, "/"))
		return err_set(err, -EINVAL, "the state folder must not be '/'");
	int r = open_root(rt, err);
	if (r == -ENOENT && !make)
		return 0;
	if (r == -ENOENT)
		r = make_root(rt->root);
	if (r >= 0 && rt->root_fd < 0)
		r = open_root(rt, err);
	if (r < 0 && (!err || err->code != r)) {
		_free_ char *shown = str_escaped(rt->root);
		return err_errno(err, r, "cannot open the state folder '%s'", shown);
	}
	return r;
}

static int compare_ids(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

static void dir_closep(DIR **dir)
{
	if (*dir)
		(void) closedir(*dir);
}

int runtime_list(const struct runtime *rt, char ***ret, struct err *err)
{
	char **ids = NULL;
	if (rt->root_fd < 0) {
		*ret = xnew_n(char *, 1);
		return 0;
	}
	_cleanup_(dir_closep) DIR *dir = NULL;
	_close_ int fd = openat(rt->root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || !(dir = fdopendir(fd)))
		return err_errno(err, -errno, "cannot read the state folder '%s'", rt->root);
	(void) TAKE_FD(fd);
	struct dirent *entry;
	for (size_t n = 0; n < LIST_MAX && (entry = readdir(dir)); n++)
		if (oci_id_is_valid(entry->d_name) && entry->d_type == DT_DIR)
			strv_add(&ids, entry->d_name);
	if (ids)
		qsort(ids, strv_len(ids), sizeof(*ids), compare_ids);
	*ret = ids ? ids : xnew_n(char *, 1);
	return 0;
}
