/* SPDX-License-Identifier: Apache-2.0 */
#include "compile/internal.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

static const struct {
	enum plan_kind kind;
	int (*emit)(struct compile *c);
} emitters[] = {
	{ PLAN_CONTAINER, compile_container },
	{ PLAN_CGROUP, compile_cgroup },
	{ PLAN_CGROUP_SET, compile_cgroup_set },
	{ PLAN_CGROUP_DEVICE, compile_cgroup_device },
	{ PLAN_TIME_OFFSET, compile_time_offset },
	{ PLAN_ROOT, compile_root },
	{ PLAN_ROOT_OVERLAY, compile_root_overlay },
	{ PLAN_NAMESPACE, compile_namespace },
	{ PLAN_IDMAP, compile_idmap },
	{ PLAN_RLIMIT, compile_rlimit },
	{ PLAN_OOM_SCORE, compile_oom_score },
	{ PLAN_CGROUP_JOIN, compile_cgroup_join },
	{ PLAN_EARLY_SYSCTL, compile_early_sysctl },
	{ PLAN_KEYRING, compile_keyring },
	{ PLAN_BECOME_ROOT, compile_become_root },
	{ PLAN_UTS, compile_uts },
	{ PLAN_MOUNT_NAMESPACE, compile_mount_namespace },
	{ PLAN_MOUNT, compile_mount },
	{ PLAN_DEVICE, compile_device },
	{ PLAN_DEV_LINKS, compile_dev_links },
	{ PLAN_SYSCTL, compile_sysctl },
	{ PLAN_PROC_ALLOW, compile_proc_allow },
	{ PLAN_MASK, compile_mask },
	{ PLAN_READONLY, compile_readonly },
	{ PLAN_PIVOT, compile_pivot },
	{ PLAN_ROOT_ATTR, compile_root_attr },
	{ PLAN_LATE_SYSCTL, compile_late_sysctl },
	{ PLAN_LANDLOCK, compile_landlock },
	{ PLAN_LANDLOCK_RULE, compile_landlock_rule },
	{ PLAN_SECCOMP_EARLY, compile_seccomp_early },
	{ PLAN_USER, compile_user },
	{ PLAN_CAPS, compile_caps },
	{ PLAN_CWD, compile_cwd },
	{ PLAN_NO_NEW_PRIVS, compile_no_new_privs },
	{ PLAN_LANDLOCK_ENTER, compile_landlock_enter },
	{ PLAN_FIND, compile_find },
	{ PLAN_READY, compile_ready },
	{ PLAN_SECCOMP, compile_seccomp },
	{ PLAN_EXEC, compile_exec },
	{ PLAN_LOOPBACK, compile_loopback },
	{ PLAN_TERMINAL, compile_terminal },
	{ PLAN_ENTER, compile_enter },
};

void compile_notes_done(struct compile_notes *notes)
{
	notes->lines = strv_free(notes->lines);
	notes->details = strv_free(notes->details);
}

void compile_note(struct compile *c, const char *fmt, ...)
{
	if (!c->notes)
		return;
	char text[ERR_TEXT_MAX];
	va_list ap;
	va_start(ap, fmt);
	(void) vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	strv_add(&c->notes->lines, text);
}

const char *compile_shown(struct compile *c, const char *s)
{
	_free_ char *escaped = str_escaped(s);
	return arena_strdup(&c->arena, escaped);
}

const char *const *compile_list1(struct compile *c, const char *s)
{
	const char **list = arena_new_n(&c->arena, const char *, 2);
	list[0] = s;
	return list;
}

const char *compile_clean(struct compile *c, const char *path)
{
	_free_ char *clean = path_clean(path);
	return arena_strdup(&c->arena, clean);
}

const char *compile_host_path(struct compile *c, const char *path)
{
	if (path[0] == '/')
		return path;
	const char *bundle = c->ext->bundle_dir ? c->ext->bundle_dir : "";
	return arena_printf(&c->arena, "%s/%s", bundle, path);
}

static int emit_kind(struct compile *c, enum plan_kind kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(emitters); i++)
		if (emitters[i].kind == kind)
			return emitters[i].emit(c);
	assert(false); /* a kind of step that the compiler does not know would be left out */
	return -EINVAL;
}

static int emit_all(struct compile *c)
{
	for (size_t i = 0; i < plan_order_count; i++) {
		int r = emit_kind(c, plan_order[i].kind);
		if (r < 0)
			return r;
	}
	return plan_writer_finish(c->w, c->err);
}

int compile_plan(const char *id, const struct oci_spec *spec, const struct compile_ext *ext,
        const struct facts *facts, bool wait_for_start, struct plan_writer *w,
        struct compile_notes *notes, struct err *err)
{
	static const struct compile_ext no_ext;
	struct compile c = {
		.id = id,
		.spec = spec,
		.ext = ext ? ext : &no_ext,
		.facts = facts,
		.wait_for_start = wait_for_start,
		.w = w,
		.notes = notes,
		.err = err,
	};
	int r = compile_check(&c);
	if (r >= 0)
		r = emit_all(&c);
	arena_done(&c.arena);
	return r;
}
