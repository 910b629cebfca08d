/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/engine.h"

#include "base/fd.h"
#include "store/store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

void engine_done(struct engine *e)
{
	e->store = store_free(e->store);
	e->locks_fd = fd_close(e->locks_fd);
}

static int open_locks(struct engine *e, struct err *err)
{
	int dir = store_dir(e->store);

	if (mkdirat(dir, "locks", 0700) < 0 && errno != EEXIST)
		return err_errno(
		        err, -errno, "cannot make the folder of locks in the state folder");
	e->locks_fd = openat(dir, "locks", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return e->locks_fd < 0 ? err_errno(err, -errno,
	                                 "cannot open the folder of locks in the state folder")
	                       : 0;
}

int engine_open(const char *root, struct engine *ret, struct err *err)
{
	_engine_done_ struct engine e = ENGINE_INIT;
	int r = store_open(root, STORE_WRITE, &e.store, err);

	if (r < 0)
		return r;
	r = open_locks(&e, err);
	if (r < 0)
		return r;
	r = engine_repair(&e, err);
	if (r < 0)
		return r;
	*ret = e;
	e = (struct engine) ENGINE_INIT;
	return 0;
}
