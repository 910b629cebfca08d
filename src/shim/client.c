/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/client.h"

#include "base/fd.h"
#include "kernel/sys.h"
#include "mount/mount.h"
#include "proc/proc.h"
#include "shim/settings.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* --- start ------------------------------------------------------------------------------------ */

/* Until it calls exec, the first process of a container runs the shim's binary: what it could reach
 * of it is on a mount that cannot be written (CVE-2019-5736). */
static int open_program(const char *path, int *ret_fd, struct err *err)
{
	struct mount_attr attr = {
		.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
	};
	_close_ int tree = -EBADF;
	int r = mount_open_bind(path, false, &tree, err);

	if (r < 0)
		return r;
	r = sys_mount_setattr(tree, "", AT_EMPTY_PATH, &attr);
	if (r < 0)
		return err_errno(err, r, "cannot protect the program '%s'", path);
	*ret_fd = TAKE_FD(tree);
	return 0;
}

int shim_start(const struct shim_start *start, int *ret_sock, struct err *err)
{
	static const char *const argv[] = { "bulkhead-shim", NULL };
	_close_ int program = -EBADF, null = -EBADF, pidfd = -EBADF, mine = -EBADF, its = -EBADF;
	struct proc_spawn spawn = {
		.argv = argv, .new_session = true, .by_fd = true, .group = start->group
	};
	int pair[2], r = open_program(start->program, &program, err);

	if (r < 0)
		return r;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0)
		return err_errno(err, -errno, "cannot open /dev/null");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_errno(err, -errno, "cannot make a socket pair");
	mine = pair[0];
	its = pair[1];
	{
		const struct proc_fd fds[] = {
			{ null, 0 },
			{ null, 1 },
			{ null, 2 },
			{ start->plan_fd, SHIM_FD_PLAN },
			{ start->settings_fd, SHIM_FD_SETTINGS },
			{ start->log_fd, SHIM_FD_LOG },
			{ start->dir_fd, SHIM_FD_DIR },
			{ start->logs_fd, SHIM_FD_LOGS },
			{ its, SHIM_FD_SOCK },
			{ start->events_fd, SHIM_FD_EVENTS },
			{ start->health_plan_fd, SHIM_FD_HEALTH },
		};

		spawn.fds = fds;
		spawn.n_fds = ARRAY_SIZE(fds) - (start->health_plan_fd < 0);
		spawn.program_fd = program;
		r = proc_spawn(&spawn, &pidfd);
	}
	if (r < 0)
		return err_errno(err, r, "cannot start '%s'", start->program);
	*ret_sock = TAKE_FD(mine);
	return 0;
}

int shim_await_start(int sock, pid_t *ret_pid, int *ret_exit_code, struct err *err)
{
	_shim_packet_done_ struct shim_packet p = SHIM_PACKET_INIT;
	int r;

	*ret_exit_code = 125;
	do { /* an attachment that went along is answered beside it */
		shim_packet_done(&p);
		r = shim_receive(sock, &p);
	} while (r == 1 && (p.m.type == SHIM_STATE || p.m.type == SHIM_REFUSED));
	if (r == 1 && p.m.type == SHIM_STARTED) {
		if (ret_pid)
			*ret_pid = p.m.a;
		*ret_exit_code = 0;
		return 0;
	}
	if (r == 1 && p.m.type == SHIM_FAILED) {
		*ret_exit_code = p.m.a & 255;
		return err_set(err, -ECANCELED, "%s", p.m.text);
	}
	if (r < 0)
		return err_errno(err, r, "cannot read the answer of the container's shim");
	return err_set(err, -EPIPE, "the shim of the container was killed while it started");
}

/* --- talk ------------------------------------------------------------------------------------- */

int shim_connect(int dir_fd, int *ret_sock)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	_close_ int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (sock < 0)
		return -errno;
	(void) snprintf(
	        name.sun_path, sizeof(name.sun_path), "/proc/self/fd/%d/" SHIM_SOCKET, dir_fd);
	while (connect(sock, (const struct sockaddr *) &name, sizeof(name)) < 0)
		if (errno != EINTR)
			return -errno;
	*ret_sock = TAKE_FD(sock);
	return 0;
}

int shim_request(
        int sock, const struct shim_message *request, struct shim_packet *ret, struct err *err)
{
	struct shim_packet p = SHIM_PACKET_INIT;
	int r = shim_send(sock, request, NULL, 0);

	if (r == 0)
		r = shim_receive(sock, &p);
	if (r == 0)
		r = -ECONNRESET;
	if (r < 0)
		return err_errno(err, r, "cannot talk to the shim of the container");
	if (p.m.type == SHIM_REFUSED) {
		r = err_set(err, p.m.a < 0 ? p.m.a : -EIO, "%s", p.m.text);
		shim_packet_done(&p);
		return r;
	}
	*ret = p;
	return 0;
}

static void give(struct shim_packet *p, size_t i, int *ret_fd)
{
	if (ret_fd)
		*ret_fd = TAKE_FD(p->fds[i]);
}

int shim_info(int sock, int *ret_pidfd, int *ret_plan_fd, int *ret_netns_fd, struct err *err)
{
	const struct shim_message request = { .type = SHIM_INFO };
	_shim_packet_done_ struct shim_packet p = SHIM_PACKET_INIT;
	int r = shim_request(sock, &request, &p, err);

	if (r < 0)
		return r;
	if (p.n_fds < 3)
		return err_set(err, -ESRCH, "the container is not running");
	give(&p, 0, ret_pidfd);
	give(&p, 1, ret_plan_fd);
	give(&p, 2, ret_netns_fd);
	return 0;
}
