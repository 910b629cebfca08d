/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What chroot alone leaves behind. The host's mounts stay in the container's mount namespace, and a
 * procfs or sysfs there that nothing covers is the kernel's proof that a user namespace made inside
 * may mount a new one, without our covers. So the host's are taken away, or covered where they
 * cannot be (a mount that came from a more privileged namespace is locked).
 */
#include "mount/mount.h"

#include "base/buf.h"
#include "base/path.h"
#include "base/str.h"
#include "kernel/sys.h"
#include "mount/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { MOUNTINFO_MAX = 16 << 20 };

/* proc(5): space, tab, newline and backslash are written as \ooo. In place. */
static void unescape(char *s)
{
	char *out = s;

	while (*s) {
		if (s[0] == '\\' && s[1] && s[2] && s[3]) {
			*out++ = (char) ((s[1] - '0') * 64 + (s[2] - '0') * 8 + (s[3] - '0'));
			s += 4;
		} else {
			*out++ = *s++;
		}
	}
	*out = '\0';
}

/* Line of mountinfo to the mount point, or NULL when it is no procfs and no sysfs. */
static char *mount_point(char *line)
{
	const char *type = strstr(line, " - ");
	char *path = line;

	if (!type || !(str_has_prefix(type + 3, "proc ") || str_has_prefix(type + 3, "sysfs ")))
		return NULL;
	for (int field = 1; field < 5; field++) {
		path = strchr(path, ' ');
		if (!path)
			return NULL;
		path++;
	}
	path[strcspn(path, " ")] = '\0';
	unescape(path);
	return path;
}

/* The list has the container's own mounts too, with the path that they will have; by our "/", that
 * of the host, such a path leads to something else. */
static bool is_info_fs(int fd)
{
	struct statfs st;

	return fstatfs(fd, &st) == 0 && (st.f_type == PROC_SUPER_MAGIC || st.f_type == SYSFS_MAGIC);
}

static int hide(const char *path, struct err *err)
{
	static const char *const options[] = { "mode=555", "size=4k", "nr_inodes=1", NULL };
	_close_ int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	_close_ int tree = -EBADF;
	int r;

	if (fd < 0 || !is_info_fs(fd) || !mount_fd_is_dir(fd))
		return 0;
	if (fchdir(fd) == 0 && umount2(".", MNT_DETACH) == 0)
		return 0;
	r = mount_new_fs("tmpfs", "none", options,
	        MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, &tree,
	        err);
	if (r == 0)
		r = sys_move_mount_fd(tree, fd);
	return r < 0 ? mount_path_error(err, r, "cannot hide the host's", path) : 0;
}

int mount_hide_host(struct err *err)
{
	_buf_done_ struct buf text = BUF_INIT(MOUNTINFO_MAX);
	int r = buf_read_file(&text, AT_FDCWD, "/proc/self/mountinfo");
	_free_ char *lines = r < 0 ? NULL : xstrdup(buf_str(&text));
	char *line, *rest = lines;

	if (r < 0)
		return err_errno(err, r, "cannot read the host's list of mounts (--no-pivot)");
	while (r == 0 && (line = strsep(&rest, "\n")) && *line) {
		const char *path = mount_point(line);

		if (path)
			r = hide(path, err);
	}
	return r;
}
