/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/internal.h"
#include "compile/compile.h"

#include "proc/proc.h"

#include <sys/file.h>

/* The end of a foreground container: what is left in its group goes, then the folder. The lock is
 * not held while the program runs, so that kill and delete from outside work. */
static int finish(struct making *m, struct err *err)
{
	struct folder f = FOLDER_INIT;
	struct err gone = { 0 };
	int r = folder_lock(m->rt, m->args->id, &f, &gone);
	if (r < 0)
		return 0; /* somebody else has deleted it */
	bool same = fd_same_file(f.fd, m->folder.fd);
	r = same ? sandbox_cleanup(m->plan, err) : 0;
	if (r >= 0 && same)
		r = folder_remove(m->rt, &f, err);
	folder_done(&f);
	return r;
}

int runtime_run(struct runtime *rt, const struct runtime_create *args, struct compile_notes *notes,
        int *ret_code, struct err *err)
{
	_making_done_ struct making m;
	sigset_t old;
	making_init(&m, rt, args);
	if (!args->detach)
		proc_block_signals(&old);
	int r = making_apply(&m, false, notes, err);
	if (r < 0)
		return r;
	r = sandbox_wait_exec(&m.child, NULL, err);
	if (r < 0) {
		making_undo(&m);
		return r;
	}
	(void) flock(m.folder.fd, LOCK_UN);
	*ret_code = 0;
	if (args->detach)
		return 0;
	int code = proc_wait_forwarding(m.child.pidfd);
	if (code < 0)
		return err_errno(err, code, "cannot wait for container '%s'", args->id);
	*ret_code = code;
	return args->keep ? 0 : finish(&m, err);
}
