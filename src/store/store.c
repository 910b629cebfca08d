/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store.h"

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "kernel/sys.h"
#include "store/internal.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* In the order in which they are made. Modes count for root only: the top is 0700. */
static const char *const folders[] = { "blobs/sha256", "fs/layers", "fs/rw", "tmp" };

struct store *store_free(struct store *s)
{
	if (!s)
		return NULL;
	db_close(s);
	(void) fd_close(s->dir);
	free(s->path);
	free(s->fs_path);
	free(s);
	return NULL;
}

void store_freep(struct store **s)
{
	*s = store_free(*s);
}

struct sqlite3 *store_db(struct store *s)
{
	return s->db;
}

int store_dir(struct store *s)
{
	return s->dir;
}

const char *store_fs_path(struct store *s)
{
	return s->fs_path;
}

/* The folder belongs to who runs this and to nobody else: it holds setuid files of images. */
static int check_folder(const struct store *s, struct err *err)
{
	struct stat st;

	if (fstat(s->dir, &st) < 0)
		return err_errno(err, -errno, "cannot look at the store '%s'", s->path);
	if (st.st_uid != geteuid())
		return err_set(err, -EPERM,
		        "the store '%s' belongs to uid %u, not to uid %u who runs this; choose "
		        "another folder, or chown it",
		        s->path, st.st_uid, geteuid());
	if (st.st_mode & 077)
		return err_set(err, -EPERM,
		        "the store '%s' is open to other users (mode %04o): chmod 700 it", s->path,
		        st.st_mode & 07777);
	return 0;
}

static int open_dir(struct store *s, struct err *err)
{
	_close_ int root = sys_openat2(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0, 0);

	if (root < 0)
		return err_errno(err, root, "cannot open '/'");
	s->dir = path_open_in(root, s->path, PATH_IN_ROOT, O_PATH | O_DIRECTORY, 0);
	if (s->dir == -ENOENT && !s->writable)
		return err_set(err, -ENOENT, "there is no image store in '%s' yet", s->path);
	if (s->dir == -ENOENT)
		s->dir = path_make_dirs_in(root, s->path, 0700);
	if (s->dir == -ENOTDIR)
		return err_set(err, -ENOTDIR, "the store '%s' is not a folder", s->path);
	if (s->dir < 0)
		return err_errno(err, s->dir, "cannot open the store '%s'", s->path);
	return check_folder(s, err);
}

static int make_folders(struct store *s, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		_close_ int fd = path_make_dirs_in(s->dir, folders[i], 0755);

		if (fd < 0)
			return err_errno(
			        err, fd, "cannot make the folder '%s/%s'", s->path, folders[i]);
	}
	return 0;
}

/* The file is there from the first moment on, so a missing one means a new store. */
static int open_lock_file(struct store *s)
{
	return path_open_in(s->dir, "lock", PATH_BENEATH_NO_LINKS, O_RDWR | O_CREAT, 0600);
}

static int prepare(struct store *s, struct err *err)
{
	_close_ int lock = path_open_in(s->dir, "lock", PATH_BENEATH_NO_LINKS, O_PATH, 0);
	int r;

	if (lock >= 0 || !s->writable)
		return 0;
	r = make_folders(s, err);
	if (r < 0)
		return r;
	lock = open_lock_file(s);
	return lock < 0 ? err_errno(err, lock, "cannot write to the store '%s'", s->path) : 0;
}

static bool has_control_byte(const char *text)
{
	for (; *text; text++)
		if ((unsigned char) *text < ' ' || *text == 0x7f)
			return true;
	return false;
}

int store_open(const char *path, enum store_mode mode, struct store **ret, struct err *err)
{
	_store_free_ struct store *s = xnew(struct store);
	int r;

	s->dir = -EBADF;
	s->writable = mode == STORE_WRITE;
	if (*path != '/') {
		_free_ char *shown = str_escaped(path);

		return err_set(err, -EINVAL, "the store '%s' must be an absolute path", shown);
	}
	/* The path stands in messages and in what other programs print. */
	if (has_control_byte(path)) {
		_free_ char *shown = str_escaped(path);

		return err_set(
		        err, -EINVAL, "the path of the store '%s' holds control characters", shown);
	}
	s->path = path_clean(path);
	s->fs_path = xprintf("%s/fs", streq(s->path, "/") ? "" : s->path);
	r = open_dir(s, err);
	if (r == 0)
		r = prepare(s, err);
	if (r == 0)
		r = db_open(s, err);
	if (r == 0)
		*ret = TAKE_PTR(s);
	return r;
}

int store_open_folder(struct store *s, const char *name, int *ret_fd, struct err *err)
{
	int fd = path_open_in(s->dir, name, PATH_BENEATH_NO_LINKS, O_RDONLY | O_DIRECTORY, 0);

	if (fd < 0)
		return err_errno(err, fd, "cannot open '%s/%s'", s->path, name);
	*ret_fd = fd;
	return 0;
}

int store_lock(struct store *s, enum store_lock how, int *ret_fd, struct err *err)
{
	_close_ int fd = open_lock_file(s);
	int op = how == STORE_LOCK_ADD ? LOCK_SH : LOCK_EX | LOCK_NB;

	if (fd < 0)
		return err_errno(err, fd, "cannot write to the store '%s'", s->path);
	if (TEMP_FAILURE_RETRY(flock(fd, op)) < 0)
		return errno == EWOULDBLOCK
		               ? -EBUSY
		               : err_errno(err, -errno, "cannot lock the store '%s'", s->path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}
