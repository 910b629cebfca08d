/* SPDX-License-Identifier: Apache-2.0 */
/* Writing events: see events.h; reading is events_read.c. */
#include "engine/events.h"

#include "base/buf.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "engine/containers.h"
#include "engine/events_read.h"
#include "shim/event_line.h"
#include "store/store.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* What every event of a container carries before its own attributes. */
enum { OWN_ATTRIBUTES = 2 };

static int copy_all(int from, int to)
{
	char piece[65536];
	off_t at = 0;

	for (;;) {
		ssize_t n = TEMP_FAILURE_RETRY(pread(from, piece, sizeof(piece), at));
		int r = n > 0 ? fd_write_all(to, piece, (size_t) n) : 0;

		if (n <= 0)
			return n < 0 ? -errno : 0;
		if (r < 0)
			return r;
		at += n;
	}
}

/*
 * Shims hold the file open for years, so it is not renamed but copied and emptied: with O_APPEND
 * they go on at its new beginning. An event that comes between the two is lost, which is no error.
 * A command that is killed between rename and ftruncate leaves the events twice; readers see that.
 */
static void turn_over(int dir)
{
	_close_ int file = path_open_in(dir, EVENTS_FILE, PATH_BENEATH_NO_LINKS, O_RDWR, 0);
	_close_ int copy = -EBADF;
	struct stat st;

	if (file < 0 || flock(file, LOCK_EX | LOCK_NB) < 0 || fstat(file, &st) < 0 ||
	        st.st_size < EVENTS_FILE_MAX)
		return; /* another command is at it, or was just before us */
	copy = path_open_in(
	        dir, EVENTS_FILE ".new", PATH_BENEATH_NO_LINKS, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (copy < 0 || copy_all(file, copy) < 0) {
		/* A full disk: the old events go, so that the file stays bounded. */
		(void) unlinkat(dir, EVENTS_FILE ".new", 0);
		(void) !ftruncate(file, 0);
		return;
	}
	if (renameat(dir, EVENTS_FILE ".new", dir, EVENTS_FILE_OLD) == 0)
		(void) !ftruncate(file, 0);
}

int events_open(struct engine *e, int *ret_fd, struct err *err)
{
	int dir = store_dir(e->store);
	_close_ int fd = path_open_in(
	        dir, EVENTS_FILE, PATH_BENEATH_NO_LINKS, O_WRONLY | O_APPEND | O_CREAT, 0600);
	struct stat st;

	if (fd < 0)
		return err_errno(
		        err, fd, "cannot open the file of events, '%s/" EVENTS_FILE "'", e->root);
	if (fstat(fd, &st) == 0 && st.st_size >= EVENTS_FILE_MAX)
		turn_over(dir);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static void write_line(struct engine *e, const struct event_line *line)
{
	_free_ char *text = xmalloc(EVENT_LINE_MAX);
	size_t len = event_line_format(line, text, EVENT_LINE_MAX);
	_close_ int fd = -EBADF;

	if (len > 0 && events_open(e, &fd, NULL) == 0)
		(void) TEMP_FAILURE_RETRY(write(fd, text, len));
}

void events_container(struct engine *e, const struct container *c, const char *action,
        const struct oci_kv *attributes, size_t n)
{
	_free_ struct oci_kv *all = xnew_n(struct oci_kv, n + OWN_ATTRIBUTES);
	struct event_line line = { .type = "container", .action = action, .id = c->id };

	all[line.n_attributes++] = (struct oci_kv){ "name", c->name ? c->name : "" };
	all[line.n_attributes++] = (struct oci_kv){ "image", c->image ? c->image : "" };
	/* A label may be called so too, and no key may be there twice. */
	for (size_t i = 0; i < n; i++)
		if (!streq(attributes[i].key, "name") && !streq(attributes[i].key, "image"))
			all[line.n_attributes++] = attributes[i];
	line.attributes = all;
	write_line(e, &line);
}

void events_volume(struct engine *e, const char *name, const char *action,
        const struct oci_kv *attributes, size_t n)
{
	const struct event_line line = {
		.type = "volume",
		.action = action,
		.id = name,
		.attributes = attributes,
		.n_attributes = n,
	};

	write_line(e, &line);
}
