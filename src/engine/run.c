/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/engine.h"

#include "base/fd.h"
#include "base/str.h"
#include "engine/containers.h"
#include "engine/request.h"
#include "engine/security.h"
#include "engine/stdio.h"
#include "proc/proc.h"
#include "compile/compile.h"
#include "sandbox/sandbox.h"

#include <fcntl.h>
#include <unistd.h>

/* Everything that one run holds; released backwards by run_done. */
struct run {
	struct engine *engine;
	const struct engine_request *request;
	void (*warn)(const char *text);
	struct facts facts;
	struct container container;
	struct plan *plan;
	struct stdio io;
	struct sandbox_child child;
	int gate[2]; /* with show_security: the container waits until the table is printed */
};

static void run_done(struct run *r)
{
	stdio_done(&r->io);
	for (int i = 0; i < 2; i++)
		r->gate[i] = fd_close(r->gate[i]);
	sandbox_child_done(&r->child);
	r->plan = plan_free(r->plan);
	container_done(&r->container);
}

/* Image, configuration and profile to a plan in a sealed memfd, opened for reading. */
static int make_plan(struct run *r, const struct store_image *image, struct err *err)
{
	_cleanup_(oci_image_freep) struct oci_image *config = NULL;
	_cleanup_(oci_spec_freep) struct oci_spec *spec = oci_spec_new();
	_cleanup_(compile_notes_done) struct compile_notes notes = { 0 };
	_cleanup_(plan_writer_done) struct plan_writer writer = { 0 };
	_close_ int memfd = -EBADF;
	struct compile_ext ext = { 0 };
	struct profile_host host;
	struct request_place place = { .stored = image, .container = &r->container, .host = &host };
	int k = store_image_config(r->engine->store, image, &config, err);

	if (k < 0)
		return k;
	k = profile_host_probe(&r->facts, &host, err);
	if (k < 0)
		return k;
	place.fs_path = store_fs_path(r->engine->store);
	k = request_build(r->request, config, &place, spec, &ext, err);
	if (k < 0)
		return k;
	plan_writer_init(&writer);
	k = compile_plan(r->container.id, spec, &ext, &r->facts, r->request->show_security, &writer,
	        &notes, err);
	if (k < 0)
		return k;
	for (char **line = notes.lines; line && *line; line++)
		r->warn(*line);
	k = plan_writer_memfd(&writer, &memfd, err);
	if (k < 0)
		return k;
	return plan_open(memfd, &r->plan, err);
}

/* Prints what protects the container while it waits at its gate, then lets it go. */
static int show_and_release(struct run *r, struct err *err)
{
	_buf_done_ struct buf table = BUF_INIT(1 << 16);
	int k;

	security_table(r->plan, &r->facts, &table);
	(void) buf_addc(&table, '\n');
	k = fd_write_all(1, buf_str(&table), table.len);
	if (k == 0)
		k = fd_write_all(r->gate[1], "s", 1);
	return k < 0 ? err_errno(err, k, "cannot print the table of protections") : 0;
}

/* Starts the planned container. *ret_code is 126 or 127 when its program was the reason of a
 * failure, else 0. */
static int start(struct run *r, int *ret_code, struct err *err)
{
	struct sandbox_io io = { .gate_fd = -EBADF, .result_fd = -EBADF, .die_with_parent = true };
	int k = stdio_open(&r->io, err);

	if (k < 0)
		return k;
	if (r->request->show_security && pipe2(r->gate, O_CLOEXEC) < 0)
		return err_errno(err, -errno, "cannot make a pipe");
	io.stdin_fd = r->io.child[0];
	io.stdout_fd = r->io.child[1];
	io.stderr_fd = r->io.child[2];
	io.gate_fd = r->gate[0];
	k = sandbox_apply(r->plan, &io, &r->child, ret_code, err);
	if (k < 0)
		return k;
	stdio_close_child(&r->io);
	if (r->request->show_security)
		k = show_and_release(r, err);
	if (k == 0)
		k = sandbox_wait_exec(&r->child, ret_code, err);
	if (k < 0)
		(void) proc_wait(r->child.pidfd);
	return k;
}

static int run_reserved(
        struct run *r, const struct store_image *image, int *ret_code, struct err *err)
{
	sigset_t old;
	int code = 0, k = make_plan(r, image, err);

	if (k < 0)
		return k;
	proc_block_signals(&old);
	k = start(r, &code, err);
	if (k < 0 && code > 0) {
		r->warn(err->text);
		*ret_code = code;
		return 0;
	}
	if (k < 0)
		return k;
	k = stdio_wait(&r->io, r->child.pidfd);
	if (k < 0)
		return err_errno(err, k, "cannot wait for the container");
	*ret_code = k;
	return 0;
}

int engine_run(struct engine *e, const struct engine_request *request,
        void (*warn)(const char *text), int *ret_code, struct err *err)
{
	_cleanup_(run_done) struct run r = {
		.engine = e,
		.request = request,
		.warn = warn,
		.container = CONTAINER_INIT,
		.io = { .child = { -EBADF, -EBADF, -EBADF } },
		.child = SANDBOX_CHILD_INIT,
		.gate = { -EBADF, -EBADF },
	};
	_store_image_done_ struct store_image image = { 0 };
	struct err remove_err;
	int k = facts_probe(&r.facts, err);

	if (k < 0)
		return k;
	if (!r.facts.privileged)
		return err_set(err, -EPERM,
		        "'run' needs root in this version: user namespaces, mounts and "
		        "control groups are set up from the host");
	k = store_resolve(e->store, request->image, &image, err);
	if (k < 0)
		return k;
	k = container_reserve(e, &image, request->name, request->cgroup_parent, &r.container, err);
	if (k < 0)
		return k;
	k = run_reserved(&r, &image, ret_code, err);
	if (container_remove(e, &r.container, &remove_err) < 0)
		warn(remove_err.text);
	return k;
}
