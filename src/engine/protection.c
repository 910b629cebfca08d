/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/protection.h"

#include "base/fd.h"
#include "base/str.h"
#include "engine/request.h"
#include "engine/security.h"
#include "engine/start.h"
#include "facts/facts.h"
#include "format/clean.h"
#include "plan/plan.h"
#include "shim/client.h"

/* -ESRCH: it does not run, or not any more. */
static int running_plan(const struct container *c, struct plan **ret, struct err *err)
{
	_close_ int sock = -EBADF, fd = -EBADF;
	int r = container_is_running(c) ? shim_connect(c->dir, &sock) : -ESRCH;

	if (r == -ENOENT || r == -ECONNREFUSED || r == -ESRCH)
		return -ESRCH;
	if (r < 0)
		return err_errno(err, r, "cannot connect to the shim of container '%.12s'", c->id);
	r = shim_info(sock, NULL, &fd, NULL, err);
	return r < 0 ? r : plan_open(fd, ret, err);
}

static void say_nothing(const char *text)
{
}

/* What a start would execute now. Nothing is changed. */
static int plan_of_start(struct engine *e, struct container *c, struct plan **ret, struct err *err)
{
	static const struct life_start how = { .rows = 0 };
	_start_done_ struct start s = START_INIT(e, c, &how, say_nothing);
	int r = container_config(e, c, &s.config, err);

	if (r == 0)
		r = facts_probe(&s.facts, err);
	if (r == 0)
		r = start_make_plan(&s, err);
	if (r == 0)
		*ret = TAKE_PTR(s.plan);
	return r;
}

/* What was asked for on top of the default, one sentence a line. Values of options are in it. */
static void add_grants(const struct config *config, struct buf *out)
{
	_cleanup_(strv_freep) char **grants = NULL;
	size_t n = config_grants(config, &grants);

	(void) buf_adds(out, n > 0 ? "\nGranted beyond the default:\n"
	                           : "\nNothing is granted beyond the default.\n");
	for (size_t i = 0; i < n; i++) {
		(void) buf_adds(out, "  ");
		(void) format_clean(out, grants[i], strlen(grants[i]));
		(void) buf_addc(out, '\n');
	}
}

int protection_describe(struct engine *e, struct container *c, struct buf *out, struct err *err)
{
	_cleanup_(plan_freep) struct plan *plan = NULL;
	_config_free_ struct config *config = NULL;
	struct facts facts;
	int r = container_config(e, c, &config, err);
	bool runs;

	if (r == 0)
		r = facts_probe(&facts, err);
	if (r < 0)
		return r;
	r = running_plan(c, &plan, err);
	runs = r == 0;
	if (r == -ESRCH)
		r = plan_of_start(e, c, &plan, err);
	if (r < 0)
		return r;
	(void) buf_addf(out, "Container %s (%.12s), %s:\n", c->name, c->id,
	        runs ? "as it runs" : "as it would be started now");
	security_table(plan, &facts, out);
	add_grants(config, out);
	return buf_ok(out) ? 0 : err_set(err, -EMSGSIZE, "the description is too long");
}
