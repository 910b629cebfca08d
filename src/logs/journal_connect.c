/* SPDX-License-Identifier: Apache-2.0 */
#include "logs/writer.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "base/fd.h"

int log_journal_connect(const char *path, int *ret_fd, struct err *err)
{
	static const struct timeval wait = { .tv_usec = 100000 };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	_close_ int fd = -EBADF;

	if (!path)
		path = "/run/systemd/journal/socket";
	if (strlen(path) >= sizeof(address.sun_path))
		return err_set(err, -ENAMETOOLONG, "the path of the journal's socket is too long");
	memcpy(address.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) < 0)
		return err_errno(err, -errno, "cannot make a socket for the journal");
	if (connect(fd, (struct sockaddr *) &address, sizeof(address)) < 0)
		return err_errno(err, -errno,
		        "cannot reach the journal at '%s'; is systemd-journald running? "
		        "--log-driver json-file needs none",
		        path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}
