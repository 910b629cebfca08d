/* SPDX-License-Identifier: Apache-2.0 */
/* Handing a container's terminal to the caller's socket (--console-socket). */
#include "runtime/internal.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int console_connect(const char *path, int *ret_fd, struct err *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	_free_ char *shown = str_escaped(path);
	_close_ int fd = -EBADF;
	size_t len = strlen(path);
	if (len == 0 || len >= sizeof(address.sun_path))
		return err_set(err, -ENAMETOOLONG,
		        "the path of the console socket '%s' must have 1 to %zu bytes", shown,
		        sizeof(address.sun_path) - 1);
	memcpy(address.sun_path, path, len);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_errno(err, -errno, "cannot make a socket");
	if (connect(fd, (const struct sockaddr *) &address, sizeof(address)) < 0)
		return err_errno(err, -errno, "cannot connect to the console socket '%s'", shown);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int console_send(int socket, int terminal, struct err *err)
{
	unsigned int number = 0;
	char name[32];
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	if (ioctl(terminal, TIOCGPTN, &number) < 0)
		return err_errno(err, -errno, "cannot tell the name of the container's terminal");
	int len = snprintf(name, sizeof(name), "/dev/pts/%u", number);
	struct iovec data = { .iov_base = name, .iov_len = (size_t) len };
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&message);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &terminal, sizeof(int));
	ssize_t n;
	do
		n = sendmsg(socket, &message, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? err_errno(err, -errno,
	                       "cannot send the container's terminal to the console socket")
	             : 0;
}
