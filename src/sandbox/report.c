/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/report.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

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

int report_receive(int fd, struct report *ret)
{
	struct report r;
	ssize_t n;

	do
		n = recv(fd, &r, sizeof(r), MSG_TRUNC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (n == 0)
		return 0;
	if (n != (ssize_t) sizeof(r))
		return -EBADMSG;
	r.text[sizeof(r.text) - 1] = '\0';
	for (char *p = r.text; *p; p++)
		if (*p < 0x20 || *p > 0x7e)
			*p = '?';
	r.exit_code &= 0xff;
	if (r.code >= 0 || r.code < -4095)
		r.code = -EIO;
	*ret = r;
	return 1;
}

int report_to_err(const struct report *r, int *ret_exit_code, struct err *err)
{
	if (ret_exit_code)
		*ret_exit_code = (int) r->exit_code;
	return err_set(
	        err, r->code, "%s", r->text[0] ? r->text : "the container could not be made");
}
