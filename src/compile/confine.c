/* SPDX-License-Identifier: Apache-2.0 */
/* Capabilities, Landlock and seccomp. */
#include "compile/internal.h"

#include "caps/caps.h"
#include "landlock/landlock.h"
#include "seccomp/seccomp.h"

/* Takes from *set what is not in 'allowed' and says so. */
static void cut_caps(
        struct compile *c, uint64_t *set, uint64_t allowed, const char *name, const char *why)
{
	uint64_t extra = *set & ~allowed;
	if (extra == 0)
		return;
	_buf_done_ struct buf text = BUF_INIT(ERR_TEXT_MAX);
	(void) caps_format(extra, " ", &text);
	compile_note(c, "process.capabilities%s%s: %s left out: %s", name ? "." : "",
	        name ? name : "", buf_str(&text), why);
	*set &= allowed;
}

/* One warning for all sets: they usually name the same capabilities. */
static void cut_all(struct compile *c, struct oci_caps *s, uint64_t allowed, const char *why)
{
	uint64_t all = s->bounding | s->permitted | s->effective | s->inheritable | s->ambient;
	cut_caps(c, &all, allowed, NULL, why);
	s->bounding &= allowed;
	s->permitted &= allowed;
	s->effective &= allowed;
	s->inheritable &= allowed;
	s->ambient &= allowed;
}

/* The kernel refuses sets that contradict each other; a capability less is the safe side. A new
 * user namespace gives every capability that the kernel has, else our own are the most. */
int compile_caps(struct compile *c)
{
	struct oci_caps s = c->spec->process.caps;
	if (!s.has_caps)
		s = (struct oci_caps){ .has_caps = false };
	uint64_t known = c->facts->last_cap >= 63 ? UINT64_MAX
	                                          : (UINT64_C(1) << (c->facts->last_cap + 1)) - 1;
	cut_all(c, &s, known, "this kernel does not have it");
	if (!c->user_namespace)
		cut_all(c, &s, c->facts->caps, "the runtime itself does not have it");
	cut_caps(c, &s.effective, s.permitted, "effective", "not in the permitted set");
	cut_caps(c, &s.ambient, s.permitted & s.inheritable, "ambient",
	        "not in both the permitted and the inheritable set");
	plan_write(c->w, &(struct plan_step){ .kind = PLAN_CAPS,
	                         .caps = {
	                                 .bounding = s.bounding,
	                                 .effective = s.effective,
	                                 .permitted = s.permitted,
	                                 .inheritable = s.inheritable,
	                                 .ambient = s.ambient,
	                                 .empty_unless_root = c->ext->caps_empty_unless_root,
	                         } });
	return 0;
}

bool compile_has_landlock(const struct compile *c)
{
	return c->ext->landlock && c->facts->landlock_abi > 0;
}

int compile_landlock(struct compile *c)
{
	if (c->ext->landlock && !compile_has_landlock(c))
		compile_note(c, "this kernel has no Landlock: the container runs without it");
	if (!compile_has_landlock(c))
		return 0;
	int abi = c->facts->landlock_abi;
	if (c->ext->landlock_scope && landlock_scopes(abi) == 0)
		compile_note(c,
		        "this kernel's Landlock (ABI %d) cannot scope signals and abstract "
		        "sockets (ABI 6, Linux 6.12)",
		        abi);
	plan_write(
	        c->w, &(struct plan_step){ .kind = PLAN_LANDLOCK,
	                      .landlock = {
	                              .handled_fs = landlock_fs_rights(abi),
	                              .scoped = c->ext->landlock_scope ? landlock_scopes(abi) : 0,
	                              .abi = (uint32_t) abi,
	                      } });
	return 0;
}

int compile_landlock_rule(struct compile *c)
{
	if (!compile_has_landlock(c))
		return 0;
	uint64_t handled = landlock_fs_rights(c->facts->landlock_abi);
	for (size_t i = 0; i < c->ext->n_landlock_rules; i++) {
		const struct compile_landlock_rule *rule = &c->ext->landlock_rules[i];
		if ((rule->access & handled) == 0)
			continue;
		plan_write(c->w, &(struct plan_step){ .kind = PLAN_LANDLOCK_RULE,
		                         .landlock_rule = {
		                                 .path = compile_clean(c, rule->path),
		                                 .access = rule->access & handled,
		                                 .optional = rule->optional,
		                         } });
	}
	return 0;
}

int compile_landlock_enter(struct compile *c)
{
	if (compile_has_landlock(c))
		plan_write(c->w, &(struct plan_step){ .kind = PLAN_LANDLOCK_ENTER });
	return 0;
}

static void seccomp_note(void *userdata, const char *text)
{
	struct compile *c = userdata;
	if (c->notes)
		strv_add(&c->notes->details, arena_printf(&c->arena, "linux.seccomp: %s", text));
}

static int write_filter(struct compile *c, enum plan_kind kind)
{
	const struct oci_seccomp *profile = c->spec->linux_.seccomp;
	if (c->ext->seccomp_filter) {
		plan_write(
		        c->w, &(struct plan_step){ .kind = kind,
		                      .seccomp = {
		                              .flags = c->ext->seccomp_flags,
		                              .filter = c->ext->seccomp_filter,
		                              .filter_size = (uint32_t) c->ext->seccomp_filter_size,
		                      } });
		return 0;
	}
	if (!profile)
		return 0;
	_buf_done_ struct buf filter = BUF_INIT(SECCOMP_FILTER_BYTES_MAX);
	struct seccomp_target target = seccomp_target_host();
	struct seccomp_report report = { .note = seccomp_note, .userdata = c };
	uint32_t flags = 0;
	int r = seccomp_compile(profile, &target, &filter, &flags, &report, c->err);
	if (r < 0)
		return err_prefix(c->err, r, "linux.seccomp");
	plan_write(c->w, &(struct plan_step){ .kind = kind,
	                         .seccomp = {
	                                 .flags = flags,
	                                 .filter = filter.data,
	                                 .filter_size = (uint32_t) filter.len,
	                         } });
	return 0;
}

/* Without no_new_privs the kernel takes a filter from CAP_SYS_ADMIN only, so it has to be loaded
 * before the capabilities go. */
int compile_seccomp_early(struct compile *c)
{
	return c->spec->process.no_new_privileges ? 0 : write_filter(c, PLAN_SECCOMP_EARLY);
}

int compile_seccomp(struct compile *c)
{
	return c->spec->process.no_new_privileges ? write_filter(c, PLAN_SECCOMP) : 0;
}
