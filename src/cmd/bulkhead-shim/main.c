/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bulkhead-shim: keeps one container. Started by the engine alone, with the descriptors of enum
 * shim_fd; it has no options. See shim/internal.h.
 */
#include "base/fd.h"
#include "sandbox/selfexec.h"
#include "shim/internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Nothing that it holds is for a program that it may start. */
static int close_on_exec(bool health)
{
	int last = health ? SHIM_FD_HEALTH : SHIM_FD_EVENTS;

	for (int fd = SHIM_FD_PLAN; fd <= last; fd++)
		if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
			return -errno;
	return 0;
}

/* Maps a memfd that can no longer change. */
static int map_sealed(int fd, size_t max, const char **ret, size_t *ret_len, struct err *err)
{
	int seals = fcntl(fd, F_GET_SEALS), want = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK;
	struct stat st;
	void *p;

	if (seals < 0 || (seals & want) != want)
		return err_set(err, -EPERM, "what the shim is told must be sealed");
	if (fstat(fd, &st) < 0)
		return err_errno(err, -errno, "cannot look at what the shim is told");
	if (st.st_size <= 0 || (size_t) st.st_size > max)
		return err_set(err, -EMSGSIZE, "what the shim is told has a wrong size");
	p = mmap(NULL, (size_t) st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return err_errno(err, -errno, "cannot map what the shim is told");
	*ret = p;
	*ret_len = (size_t) st.st_size;
	return 0;
}

static int read_settings(struct shim *s, struct err *err)
{
	const char *bytes = NULL;
	size_t len = 0;
	int r = map_sealed(SHIM_FD_SETTINGS, SETTINGS_SIZE_MAX, &bytes, &len, err);

	if (r == 0)
		r = settings_decode(bytes, len, &s->settings, err);
	if (r == 0)
		r = map_sealed(SHIM_FD_LOG, LOG_CONFIG_MAX, &bytes, &len, err);
	return r < 0 ? r : log_config_decode(bytes, len, &s->log, err);
}

/* What goes wrong before the keeper can say it. */
static int refuse(const struct err *err)
{
	struct shim_message m = { .type = SHIM_FAILED, .a = 125 };

	(void) snprintf(m.text, sizeof(m.text), "%.*s", SHIM_TEXT_MAX - 1, err->text);
	shim_send_last(SHIM_FD_SOCK, &m);
	return 125;
}

int main(int argc, char **argv)
{
	struct shim s = {
		.plan_fd = SHIM_FD_PLAN,
		.health_plan_fd = SHIM_FD_HEALTH,
		.dir_fd = SHIM_FD_DIR,
		.logs_fd = SHIM_FD_LOGS,
		.events_fd = SHIM_FD_EVENTS,
		.start_sock = SHIM_FD_SOCK,
		.listen_fd = -EBADF,
		.link = -EBADF,
	};
	struct err err = { 0 };

	(void) argc;
	if (fcntl(SHIM_FD_SETTINGS, F_GETFD) < 0) {
		(void) fprintf(stderr,
		        "bulkhead-shim: this program is started by bulkhead, not by hand\n");
		return 125;
	}
	if (sandbox_protect_self(argv, &err) < 0 || read_settings(&s, &err) < 0)
		return refuse(&err);
	/* A number that nobody gave may become another's. */
	if (!s.settings.health)
		s.health_plan_fd = -EBADF;
	if (close_on_exec(s.settings.health) < 0) {
		(void) err_set(&err, -EBADF, "the shim was started without its descriptors");
		return refuse(&err);
	}
	(void) fd_close(SHIM_FD_SETTINGS);
	(void) fd_close(SHIM_FD_LOG);
	/* It must not keep the caller's file system busy. */
	if (chdir("/") < 0) {
		(void) err_errno(&err, -errno, "cannot change to '/'");
		return refuse(&err);
	}
	(void) umask(077);
	(void) prctl(PR_SET_NAME, "bulkhead-shim", 0, 0, 0);
	return keeper_main(&s);
}
