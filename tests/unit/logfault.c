/* SPDX-License-Identifier: Apache-2.0 */
#include "logfault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

struct logfault logfault;

static bool fails(enum logfault_call call)
{
	if (!logfault.on)
		return false;
	logfault.calls++;
	if (logfault.calls == logfault.kill_at)
		(void) syscall(SYS_exit_group, 77);
	if (!logfault.fail_errno[call])
		return false;
	errno = logfault.fail_errno[call];
	return true;
}

ssize_t write(int fd, const void *data, size_t len)
{
	if (fails(FAULT_WRITE)) {
		if (!logfault.short_write)
			return -1;
		len = len < (size_t) logfault.short_write ? len : (size_t) logfault.short_write;
		logfault.short_write = 0;
	}
	if (logfault.on && logfault.calls == logfault.torn_at) {
		(void) syscall(SYS_write, fd, data, len - len / 3);
		(void) syscall(SYS_exit_group, 77);
	}
	return syscall(SYS_write, fd, data, len);
}

int ftruncate(int fd, off_t len)
{
	return fails(FAULT_TRUNCATE) ? -1 : (int) syscall(SYS_ftruncate, fd, len);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	return fails(FAULT_RENAME) ? -1 : (int) syscall(SYS_renameat, from_dir, from, to_dir, to);
}

int unlinkat(int dir, const char *name, int flags)
{
	return fails(FAULT_UNLINK) ? -1 : (int) syscall(SYS_unlinkat, dir, name, flags);
}

int openat(int dir, const char *name, int flags, ...)
{
	mode_t mode = 0;
	va_list ap;

	va_start(ap, flags);
	if (flags & O_CREAT)
		mode = va_arg(ap, mode_t);
	va_end(ap);
	return fails(FAULT_OPEN) ? -1 : (int) syscall(SYS_openat, dir, name, flags, mode);
}
