/* SPDX-License-Identifier: Apache-2.0 */
#include "mount/internal.h"

#include "base/fd.h"
#include "base/str.h"
#include "kernel/sys.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

int mount_change(int fd, uint64_t set, uint64_t clear, uint64_t propagation, bool recursive)
{
	struct mount_attr attr = {
		.attr_set = set,
		.attr_clr = clear,
		.propagation = propagation,
	};

	if (!set && !clear && !propagation)
		return 0;
	if ((set | clear) & MOUNT_ATTR__ATIME)
		attr.attr_clr |= MOUNT_ATTR__ATIME;
	return sys_mount_setattr(fd, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr);
}

int mount_clone(int fd, bool recursive)
{
	return sys_open_tree(
	        fd, "", OPEN_TREE_CLONE | AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0));
}

bool mount_fd_is_procfs(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
}

bool mount_fd_is_dir(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
}

bool mount_is_pid_name(const char *name)
{
	return *name && name[strspn(name, "0123456789")] == '\0';
}

int mount_path_error(struct err *err, int code, const char *what, const char *path)
{
	_free_ char *shown = str_escaped(path);

	return err_errno(err, code, "%s '%s'", what, shown);
}

int mount_fs_error(int fsfd, int code, struct err *err, const char *what)
{
	enum { MESSAGES_MAX = 4, MESSAGE_SIZE = 256 };
	struct buf text = BUF_INIT((size_t) MESSAGES_MAX * (MESSAGE_SIZE + 2) * 4);
	int r;

	/* Each read gives one message: a letter for its level, a blank, the text. */
	for (int i = 0; i < MESSAGES_MAX; i++) {
		char message[MESSAGE_SIZE];
		ssize_t n = read(fsfd, message, sizeof(message));

		if (n <= 2)
			break;
		while (n > 2 && message[n - 1] == '\n')
			n--;
		(void) buf_adds(&text, "; ");
		(void) str_escape(&text, message + 2, (size_t) n - 2, MESSAGE_SIZE);
	}
	r = err_errno(err, code, "%s", what);
	if (err && text.len > 0) {
		size_t len = strlen(err->text);
		size_t room = sizeof(err->text) - len - 1;
		size_t n = MIN(room, text.len);

		memcpy(err->text + len, buf_str(&text), n);
		err->text[len + n] = '\0';
	}
	buf_done(&text);
	return r;
}

/* One "key" or "key=value". */
static int set_option(int fsfd, const char *option)
{
	_free_ char *copy = xstrdup(option);
	char *value = strchr(copy, '=');

	if (!value)
		return sys_fsconfig_flag(fsfd, copy);
	*value++ = '\0';
	return sys_fsconfig_string(fsfd, copy, value);
}

int mount_new_fs(const char *fstype, const char *source, const char *const *data,
        unsigned int attrs, int *ret_fd, struct err *err)
{
	_free_ char *shown = str_escaped(fstype);
	_free_ char *what = xprintf("cannot make a file system of type '%s'", shown);
	_close_ int fsfd = sys_fsopen(fstype);
	int fd, r;

	if (fsfd == -ENODEV)
		return err_set(err, -ENODEV, "this kernel has no file system of type '%s'", shown);
	if (fsfd < 0)
		return err_errno(err, fsfd, "%s", what);
	if (source && *source) {
		r = sys_fsconfig_string(fsfd, "source", source);
		if (r < 0)
			return mount_fs_error(fsfd, r, err, what);
	}
	for (size_t i = 0; data && data[i]; i++) {
		r = set_option(fsfd, data[i]);
		if (r < 0) {
			_free_ char *option = str_escaped(data[i]);
			_free_ char *longer = xprintf("%s with option '%s'", what, option);
			return mount_fs_error(fsfd, r, err, longer);
		}
	}
	r = sys_fsconfig_create(fsfd);
	if (r < 0)
		return mount_fs_error(fsfd, r, err, what);
	fd = sys_fsmount(fsfd, attrs);
	if (fd < 0)
		return mount_fs_error(fsfd, fd, err, what);
	*ret_fd = fd;
	return 0;
}
