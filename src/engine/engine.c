/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/engine.h"

#include "base/fd.h"
#include "store/store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

struct engine_programs engine_programs;

void engine_done(struct engine *e)
{
	e->store = store_free(e->store);
	e->containers_fd = fd_close(e->containers_fd);
	e->locks_fd = fd_close(e->locks_fd);
}

static int open_folders(struct engine *e, enum engine_mode mode, struct err *err)
{
	int dir = store_dir(e->store);

	if (mode == ENGINE_WRITE && mkdirat(dir, "containers", 0700) < 0 && errno != EEXIST)
		return err_errno(
		        err, -errno, "cannot make the folder of containers in the state folder");
	e->containers_fd = openat(
	        dir, "containers", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (e->containers_fd < 0 && !(mode == ENGINE_READ && errno == ENOENT))
		return err_errno(
		        err, -errno, "cannot open the folder of containers in the state folder");
	/* Version 0.1 had it; a container of that version may still run. */
	e->locks_fd = openat(dir, "locks", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return 0;
}

int engine_open(const char *root, enum engine_mode mode, struct engine *ret, struct err *err)
{
	_engine_done_ struct engine e = ENGINE_INIT;
	int r = store_open(root, mode == ENGINE_WRITE ? STORE_WRITE : STORE_READ, &e.store, err);

	if (r < 0)
		return r;
	e.root = root;
	r = open_folders(&e, mode, err);
	if (r == 0 && mode == ENGINE_WRITE)
		r = engine_repair(&e, err);
	if (r < 0)
		return r;
	*ret = e;
	e = (struct engine) ENGINE_INIT;
	return 0;
}
