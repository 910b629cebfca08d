/* SPDX-License-Identifier: Apache-2.0 */
/* The plan as text: one line a step, stable enough for golden tests and for reading a diff. */
#include "base/str.h"
#include "caps/caps.h"
#include "landlock/landlock.h"
#include "plan/fields.h"

#include <linux/filter.h>
#include <linux/mount.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>

enum { WORD_SHOWN_MAX = 4096 };

struct name_of {
	uint64_t value, mask; /* mask 0: value itself */
	const char *name;
};

/* MOUNT_ATTR__ATIME is a field of its own inside the mask; 0 in it is relatime. */
static const struct name_of mount_attrs[] = {
	{ MOUNT_ATTR_RDONLY, 0, "ro" },
	{ MOUNT_ATTR_NOSUID, 0, "nosuid" },
	{ MOUNT_ATTR_NODEV, 0, "nodev" },
	{ MOUNT_ATTR_NOEXEC, 0, "noexec" },
	{ MOUNT_ATTR__ATIME, MOUNT_ATTR__ATIME, "atime" },
	{ MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME, "noatime" },
	{ MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME, "strictatime" },
	{ MOUNT_ATTR_NODIRATIME, 0, "nodiratime" },
	{ MOUNT_ATTR_IDMAP, 0, "idmap" },
	{ MOUNT_ATTR_NOSYMFOLLOW, 0, "nosymfollow" },
};
static const struct name_of propagations[] = {
	{ MS_PRIVATE, 0, "private" },
	{ MS_SLAVE, 0, "slave" },
	{ MS_SHARED, 0, "shared" },
	{ MS_UNBINDABLE, 0, "unbindable" },
	{ MS_REC, 0, "recursive" },
};
static const struct name_of namespaces[] = {
	{ CLONE_NEWUSER, 0, "user" },
	{ CLONE_NEWNS, 0, "mount" },
	{ CLONE_NEWPID, 0, "pid" },
	{ CLONE_NEWNET, 0, "network" },
	{ CLONE_NEWIPC, 0, "ipc" },
	{ CLONE_NEWUTS, 0, "uts" },
	{ CLONE_NEWCGROUP, 0, "cgroup" },
	{ CLONE_NEWTIME, 0, "time" },
};
static const struct name_of accesses[] = { { 1, 0, "r" }, { 2, 0, "w" }, { 4, 0, "m" } };

/* Appends the names of what is set, with '+' between them, and what has no name as one number. */
static void put_names(struct buf *out, uint64_t value, const struct name_of *names, size_t n)
{
	const char *sep = "";

	for (size_t i = 0; i < n; i++) {
		uint64_t mask = names[i].mask ? names[i].mask : names[i].value;

		if ((value & mask) != names[i].value)
			continue;
		(void) buf_addf(out, "%s%s", sep, names[i].name);
		sep = "+";
		value &= ~mask;
	}
	if (value)
		(void) buf_addf(out, "%s0x%llx", sep, (unsigned long long) value);
}

static void put_landlock(struct buf *out, uint64_t value)
{
	const char *sep = "";

	for (unsigned int bit = 0; bit < 64; bit++) {
		const char *name = landlock_fs_name(bit);

		if (!(value >> bit & 1))
			continue;
		if (name)
			(void) buf_addf(out, "%s%s", sep, name);
		else
			(void) buf_addf(out, "%s0x%llx", sep, 1ULL << bit);
		sep = "+";
	}
}

static void put_number(struct buf *out, enum field_show show, uint64_t value)
{
	unsigned long long v = value;

	switch (show) {
	case SHOW_OCTAL:
		(void) buf_addf(out, "0%llo", v);
		break;
	case SHOW_HEX:
		(void) buf_addf(out, "0x%llx", v);
		break;
	case SHOW_CHAR:
		(void) buf_addf(out, v > 0x20 && v < 0x7f ? "%c" : "%d", (int) v);
		break;
	case SHOW_CAPS:
		(void) caps_format(value, "+", out);
		break;
	case SHOW_MOUNT_ATTR:
		put_names(out, value, mount_attrs, ARRAY_SIZE(mount_attrs));
		break;
	case SHOW_PROPAGATION:
		put_names(out, value, propagations, ARRAY_SIZE(propagations));
		break;
	case SHOW_NAMESPACE:
		put_names(out, value, namespaces, ARRAY_SIZE(namespaces));
		break;
	case SHOW_ACCESS:
		put_names(out, value, accesses, ARRAY_SIZE(accesses));
		break;
	case SHOW_LANDLOCK_FS:
		put_landlock(out, value);
		break;
	case SHOW_MOUNT_KIND:
		(void) buf_adds(out, v == PLAN_MOUNT_FS       ? "fs"
		                     : v == PLAN_MOUNT_BIND   ? "bind"
		                     : v == PLAN_MOUNT_CGROUP ? "cgroup"
		                     : v == PLAN_MOUNT_FILE   ? "file"
		                                              : "unknown");
		break;
	case SHOW_RLIMIT:
		if (v == (unsigned long long) RLIM_INFINITY) {
			(void) buf_adds(out, "unlimited");
			break;
		}
		__attribute__((fallthrough));
	default:
		(void) buf_addf(out, "%llu", v);
	}
}

/* A text as it is when it is plain, else in quotes, so that a blank or a bracket cannot look like
 * the printer's own. */
static void put_word(struct buf *out, const char *s)
{
	bool plain = *s && !strpbrk(s, " \"[],");

	if (!plain)
		(void) buf_addc(out, '"');
	for (const char *rest = s; rest && *rest;) {
		size_t n = strcspn(rest, "\"");

		(void) str_escape(out, rest, n, WORD_SHOWN_MAX);
		if (rest[n])
			(void) buf_adds(out, "\\x22");
		rest += n + (rest[n] != '\0');
	}
	if (!plain)
		(void) buf_addc(out, '"');
}

static void put_list(struct buf *out, const char *const *v)
{
	(void) buf_addc(out, '[');
	for (size_t i = 0; v[i]; i++) {
		if (i > 0)
			(void) buf_adds(out, ", ");
		put_word(out, v[i]);
	}
	(void) buf_addc(out, ']');
}

/* Limits and what always counts are shown when they are zero too. */
static bool is_hidden(const struct plan_field *f, uint64_t value)
{
	return value == 0 && f->show != SHOW_ALWAYS && f->show != SHOW_RLIMIT;
}

static void print_number(struct buf *out, const struct plan_field *f, uint64_t value)
{
	if (is_hidden(f, value))
		return;
	(void) buf_addf(out, " %s=", f->name);
	put_number(out, f->show, value);
}

static void print_field(struct buf *out, const struct plan_step *step, const struct plan_field *f)
{
	const void *at = (const char *) step + f->offset;

	switch (f->type) {
	case FIELD_U32:
		print_number(out, f, *(const uint32_t *) at);
		break;
	case FIELD_U64:
		print_number(out, f, *(const uint64_t *) at);
		break;
	case FIELD_I64:
		if (!is_hidden(f, (uint64_t) * (const int64_t *) at))
			(void) buf_addf(
			        out, " %s=%lld", f->name, (long long) *(const int64_t *) at);
		break;
	case FIELD_STR:
		if (**(const char *const *) at) {
			(void) buf_addf(out, " %s=", f->name);
			put_word(out, *(const char *const *) at);
		}
		break;
	case FIELD_STRV:
		if (**(const char *const *const *) at) {
			(void) buf_addf(out, " %s=", f->name);
			put_list(out, *(const char *const *const *) at);
		}
		break;
	case FIELD_BYTES: {
		uint32_t size = *(const uint32_t *) ((const char *) step + f->size_offset);

		(void) buf_addf(
		        out, " %s=%zu-instructions", f->name, size / sizeof(struct sock_filter));
		break;
	}
	}
}

static void print_filter(struct buf *out, const struct plan_step *step)
{
	size_t n = step->seccomp.filter_size / sizeof(struct sock_filter);

	for (size_t i = 0; i < n; i++) {
		struct sock_filter insn;

		memcpy(&insn, (const char *) step->seccomp.filter + i * sizeof(insn), sizeof(insn));
		(void) buf_addf(out, "\t%4zu: code=0x%02x jt=%u jf=%u k=0x%08x\n", i, insn.code,
		        insn.jt, insn.jf, insn.k);
	}
}

void plan_print(const struct plan *plan, bool verbose, struct buf *out)
{
	for (size_t i = 0; i < plan->n_steps; i++) {
		const struct plan_step *step = &plan->steps[i];
		const struct plan_layout *layout = plan_layout_of(step->kind);

		(void) buf_adds(out, layout->name);
		for (size_t j = 0; j < layout->n_fields; j++)
			print_field(out, step, &layout->fields[j]);
		(void) buf_addc(out, '\n');
		if (verbose && (step->kind == PLAN_SECCOMP || step->kind == PLAN_SECCOMP_EARLY))
			print_filter(out, step);
	}
}
