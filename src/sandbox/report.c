/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/report.h"

#include "base/fd.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* Room for one descriptor, aligned as the kernel wants it. */
union passed {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int))];
};

int report_send(int fd, const struct report *r)
{
	ssize_t n;

	do
		n = send(fd, r, sizeof(*r), MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

int report_error(int fd, unsigned int kind, int exit_code, int code, const struct err *err)
{
	struct report r = {
		.type = REPORT_ERROR,
		.code = code,
		.exit_code = (uint32_t) exit_code,
		.kind = kind,
	};
	size_t len = strnlen(err->text, sizeof(r.text) - 1);

	memcpy(r.text, err->text, len);
	return report_send(fd, &r);
}

int report_terminal(int fd, int master)
{
	struct report r = { .type = REPORT_TERMINAL };
	struct iovec data = { .iov_base = &r, .iov_len = sizeof(r) };
	union passed control = { 0 };
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&message);
	ssize_t n;

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &master, sizeof(int));
	do
		n = sendmsg(fd, &message, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

/* The kernel closes what does not fit into the one place that there is. */
static int passed_fd(struct msghdr *message)
{
	const struct cmsghdr *c = CMSG_FIRSTHDR(message);
	int fd;

	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS ||
	        c->cmsg_len != CMSG_LEN(sizeof(int)))
		return -EBADF;
	memcpy(&fd, CMSG_DATA(c), sizeof(int));
	return fd;
}

static void clean(struct report *r)
{
	r->text[sizeof(r->text) - 1] = '\0';
	for (char *p = r->text; *p; p++)
		if (*p < 0x20 || *p > 0x7e)
			*p = '?';
	r->exit_code &= 0xff;
	if (r->code >= 0 || r->code < -4095)
		r->code = -EIO;
}

int report_receive(int fd, struct report *ret, int *ret_fd)
{
	struct report r;
	struct iovec data = { .iov_base = &r, .iov_len = sizeof(r) };
	union passed control = { 0 };
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = ret_fd ? control.bytes : NULL,
		.msg_controllen = ret_fd ? sizeof(control.bytes) : 0,
	};
	_close_ int passed = -EBADF;
	ssize_t n;

	do
		n = recvmsg(fd, &message, MSG_TRUNC | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (n == 0)
		return 0;
	if (ret_fd)
		passed = passed_fd(&message);
	if (n != (ssize_t) sizeof(r))
		return -EBADMSG;
	clean(&r);
	*ret = r;
	if (ret_fd)
		*ret_fd = TAKE_FD(passed);
	return 1;
}

int report_to_err(const struct report *r, int *ret_exit_code, struct err *err)
{
	if (ret_exit_code)
		*ret_exit_code = (int) r->exit_code;
	return err_set(
	        err, r->code, "%s", r->text[0] ? r->text : "the container could not be made");
}
