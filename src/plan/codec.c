/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plan's bytes: writing, and strict reading of hostile ones. What a step's fields are stands in
 * plan_fields.c; a reader is a cursor that never moves past its end and remembers its first error.
 */
#include "base/arena.h"
#include "base/fd.h"
#include "base/str.h"
#include "plan/order.h"
#include "plan/fields.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum { HEADER_SIZE = 16, STEP_HEADER_SIZE = 8 };

static const char magic[8] = { 'B', 'H', 'P', 'L', 'A', 'N', '\0', PLAN_VERSION };

/* --- little endian, whatever the machine --- */

static void put_le(struct buf *b, uint64_t value, size_t bytes)
{
	uint8_t out[8];

	for (size_t i = 0; i < bytes; i++)
		out[i] = (uint8_t) (value >> (8 * i));
	(void) buf_add(b, out, bytes);
}

static void patch_le32(char *at, uint32_t value)
{
	for (size_t i = 0; i < 4; i++)
		at[i] = (char) (uint8_t) (value >> (8 * i));
}

/* --- writing --- */

static const void *field_at(const struct plan_step *step, size_t offset)
{
	return (const char *) step + offset;
}

static void put_text(struct buf *b, const char *s)
{
	size_t len = s ? strlen(s) : 0;

	put_le(b, MIN(len, (size_t) UINT32_MAX), 4);
	(void) buf_add(b, s ? s : "", len + 1);
}

static void put_list(struct buf *b, const char *const *v)
{
	size_t n = 0;

	while (v && v[n])
		n++;
	if (n > PLAN_LIST_MAX)
		b->toobig = true;
	put_le(b, MIN(n, (size_t) UINT32_MAX), 4);
	for (size_t i = 0; i < n; i++)
		put_text(b, v[i]);
}

static void put_field(struct buf *b, const struct plan_step *step, const struct plan_field *f)
{
	const void *at = field_at(step, f->offset);

	switch (f->type) {
	case FIELD_U32:
		put_le(b, *(const uint32_t *) at, 4);
		break;
	case FIELD_U64:
		put_le(b, *(const uint64_t *) at, 8);
		break;
	case FIELD_I64:
		put_le(b, (uint64_t) * (const int64_t *) at, 8);
		break;
	case FIELD_STR:
		put_text(b, *(const char *const *) at);
		break;
	case FIELD_STRV:
		put_list(b, *(const char *const *const *) at);
		break;
	case FIELD_BYTES: {
		uint32_t size = *(const uint32_t *) field_at(step, f->size_offset);

		put_le(b, size, 4);
		(void) buf_add(b, *(const void *const *) at, size);
		break;
	}
	}
}

void plan_writer_init(struct plan_writer *w)
{
	*w = (struct plan_writer){ .bytes = BUF_INIT(PLAN_SIZE_MAX) };
	(void) buf_add(&w->bytes, magic, sizeof(magic));
	put_le(&w->bytes, 0, 8); /* size and number of steps, filled in by plan_writer_finish */
}

void plan_writer_done(struct plan_writer *w)
{
	buf_done(&w->bytes);
}

void plan_write(struct plan_writer *w, const struct plan_step *step)
{
	const struct plan_layout *layout = plan_layout_of(step->kind);
	size_t start = w->bytes.len;

	if (!layout)
		abort(); /* a step that no kind describes is an error of the caller's code */
	put_le(&w->bytes, step->kind, 2);
	put_le(&w->bytes, 0, 6);
	for (size_t i = 0; i < layout->n_fields; i++)
		put_field(&w->bytes, step, &layout->fields[i]);
	w->n_steps++;
	if (buf_ok(&w->bytes))
		patch_le32(w->bytes.data + start + 4,
		        (uint32_t) (w->bytes.len - start - STEP_HEADER_SIZE));
}

int plan_writer_finish(struct plan_writer *w, struct err *err)
{
	if (!buf_ok(&w->bytes) || w->n_steps > PLAN_STEPS_MAX)
		return err_set(err, -EMSGSIZE,
		        "the configuration is too big for a plan (%d MiB, %d steps at most)",
		        PLAN_SIZE_MAX >> 20, PLAN_STEPS_MAX);
	patch_le32(w->bytes.data + sizeof(magic), (uint32_t) w->bytes.len);
	patch_le32(w->bytes.data + sizeof(magic) + 4, w->n_steps);
	return 0;
}

int plan_writer_memfd(struct plan_writer *w, int *ret_fd, struct err *err)
{
	int r = plan_writer_finish(w, err);

	if (r < 0)
		return r;
	r = fd_sealed("bulkhead-plan", w->bytes.data, w->bytes.len, ret_fd);
	return r < 0 ? err_errno(err, r, "cannot make the memory file of the plan") : 0;
}

/* --- reading --- */

/* bad: what was wrong first; NULL while all is well. After that every get_* gives empty values. */
struct reader {
	const uint8_t *at, *end;
	struct arena *arena;
	const char *bad;
};

static const uint8_t *take(struct reader *r, size_t n)
{
	const uint8_t *p = r->at;

	if (!r->bad && n > (size_t) (r->end - r->at))
		r->bad = "is cut off";
	if (r->bad)
		return NULL;
	r->at += n;
	return p;
}

static uint64_t get_le(struct reader *r, size_t bytes)
{
	const uint8_t *p = take(r, bytes);
	uint64_t value = 0;

	for (size_t i = 0; p && i < bytes; i++)
		value |= (uint64_t) p[i] << (8 * i);
	return value;
}

static const char *get_text(struct reader *r)
{
	size_t len = get_le(r, 4);
	const uint8_t *p = take(r, len + 1);

	if (!p)
		return "";
	if (p[len] != '\0' || memchr(p, '\0', len)) {
		r->bad = "has a text that does not end where it says";
		return "";
	}
	return (const char *) p;
}

/* The smallest text takes five bytes, so a count that the rest cannot hold allocates nothing. */
static const char *const *get_list(struct reader *r)
{
	size_t n = get_le(r, 4);
	const char **v;

	if (!r->bad && (n > PLAN_LIST_MAX || n > (size_t) (r->end - r->at) / 5))
		r->bad = "has a list that is too long";
	if (r->bad)
		n = 0;
	v = arena_new_n(r->arena, const char *, n + 1);
	for (size_t i = 0; i < n; i++)
		v[i] = get_text(r);
	return v;
}

static void get_field(struct reader *r, struct plan_step *step, const struct plan_field *f)
{
	void *at = (char *) step + f->offset;

	switch (f->type) {
	case FIELD_U32:
		*(uint32_t *) at = (uint32_t) get_le(r, 4);
		break;
	case FIELD_U64:
		*(uint64_t *) at = get_le(r, 8);
		break;
	case FIELD_I64:
		*(int64_t *) at = (int64_t) get_le(r, 8);
		break;
	case FIELD_STR:
		*(const char **) at = get_text(r);
		break;
	case FIELD_STRV:
		*(const char *const **) at = get_list(r);
		break;
	case FIELD_BYTES: {
		uint32_t size = (uint32_t) get_le(r, 4);

		*(const void **) at = take(r, size);
		*(uint32_t *) ((char *) step + f->size_offset) = size;
		break;
	}
	}
}

/* Reads one step; 'previous' is the rank of the step before it. */
static int read_step(struct reader *all, struct plan_step *step, int *previous, struct err *err)
{
	unsigned int kind = (unsigned int) get_le(all, 2);
	unsigned int zero = (unsigned int) get_le(all, 2);
	size_t size = get_le(all, 4);
	const uint8_t *payload = take(all, size);
	const struct plan_layout *layout = plan_layout_of(kind);
	int rank;

	if (all->bad)
		return err_set(err, -EBADMSG, "it %s", all->bad);
	if (!layout || zero)
		return err_set(err, -EBADMSG, "kind %u is unknown", kind);
	rank = plan_rank((enum plan_kind) kind);
	if (rank < *previous || (rank == *previous && !layout->many))
		return err_set(err, -EBADMSG, "'%s' stands in the wrong place", layout->name);
	*previous = rank;
	step->kind = (enum plan_kind) kind;
	struct reader r = { .at = payload, .end = payload + size, .arena = all->arena };
	for (size_t i = 0; i < layout->n_fields; i++) {
		get_field(&r, step, &layout->fields[i]);
		if (r.bad)
			return err_set(err, -EBADMSG, "field '%s' of '%s' %s",
			        layout->fields[i].name, layout->name, r.bad);
	}
	if (r.at != r.end)
		return err_set(err, -EBADMSG, "'%s' has bytes left over", layout->name);
	return 0;
}

/* Checks the header and returns the number of steps. */
static int read_header(struct reader *r, size_t size, struct err *err)
{
	const uint8_t *p = take(r, sizeof(magic));
	size_t said = get_le(r, 4), n = get_le(r, 4);

	if (r->bad || memcmp(p, magic, sizeof(magic) - 1) != 0)
		return err_set(err, -EBADMSG, "this is not a plan");
	if (p[sizeof(magic) - 1] != PLAN_VERSION)
		return err_set(err, -EBADMSG, "the plan has version %u, this program reads %d",
		        p[sizeof(magic) - 1], PLAN_VERSION);
	if (said != size || size > PLAN_SIZE_MAX)
		return err_set(err, -EBADMSG, "the plan's size is not what its header says");
	if (n == 0 || n > PLAN_STEPS_MAX || n > (size - HEADER_SIZE) / STEP_HEADER_SIZE)
		return err_set(err, -EBADMSG, "the plan's number of steps cannot be right");
	return (int) n;
}

int plan_decode(const void *bytes, size_t size, struct plan **ret, struct err *err)
{
	_cleanup_(plan_freep) struct plan *plan = xnew(struct plan);
	struct reader all = { .at = bytes, .end = (const uint8_t *) bytes + size };
	int n, previous = -1;

	plan->arena = xnew(struct arena);
	all.arena = plan->arena;
	n = read_header(&all, size, err);
	if (n < 0)
		return n;
	plan->n_steps = (size_t) n;
	plan->steps = arena_new_n(plan->arena, struct plan_step, plan->n_steps);
	for (size_t i = 0; i < plan->n_steps; i++)
		if (read_step(&all, &plan->steps[i], &previous, err) < 0)
			return err_prefix(
			        err, -EBADMSG, "the plan is damaged: step %zu of %d", i + 1, n);
	if (all.at != all.end)
		return err_set(err, -EBADMSG, "the plan is damaged: bytes behind its last step");
	if (plan->steps[0].kind != PLAN_CONTAINER)
		return err_set(err, -EBADMSG, "the plan does not begin with 'container'");
	*ret = TAKE_PTR(plan);
	return 0;
}

int plan_open(int memfd, struct plan **ret, struct err *err)
{
	enum { SEALS = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK };
	int seals = fcntl(memfd, F_GET_SEALS);
	struct stat st;
	void *p;
	int r;

	if (seals < 0 || (seals & SEALS) != SEALS)
		return err_set(err, -EPERM, "the plan is not in a sealed memory file");
	if (fstat(memfd, &st) < 0)
		return err_errno(err, -errno, "cannot look at the plan");
	if (st.st_size < HEADER_SIZE || st.st_size > PLAN_SIZE_MAX)
		return err_set(err, -EBADMSG, "the plan's size cannot be right");
	p = mmap(NULL, (size_t) st.st_size, PROT_READ, MAP_SHARED, memfd, 0);
	if (p == MAP_FAILED)
		return err_errno(err, -errno, "cannot map the plan");
	r = plan_decode(p, (size_t) st.st_size, ret, err);
	if (r < 0) {
		(void) munmap(p, (size_t) st.st_size);
		return r;
	}
	(*ret)->memory = p;
	(*ret)->memory_size = (size_t) st.st_size;
	return 0;
}

struct plan *plan_free(struct plan *plan)
{
	if (!plan)
		return NULL;
	if (plan->arena)
		arena_done(plan->arena);
	free(plan->arena);
	if (plan->memory)
		(void) munmap(plan->memory, plan->memory_size);
	free(plan);
	return NULL;
}

void plan_freep(struct plan **plan)
{
	*plan = plan_free(*plan);
}

const struct plan_step *plan_find(const struct plan *plan, enum plan_kind kind)
{
	return plan_next(plan, kind, NULL);
}

const struct plan_step *plan_next(
        const struct plan *plan, enum plan_kind kind, const struct plan_step *after)
{
	size_t i = after ? (size_t) (after - plan->steps) + 1 : 0;

	for (; i < plan->n_steps; i++)
		if (plan->steps[i].kind == kind)
			return &plan->steps[i];
	return NULL;
}

const char *const *plan_exec_env(const struct plan *plan)
{
	static const char *const none[] = { NULL };
	const struct plan_step *s = plan_find(plan, PLAN_EXEC);

	return s ? s->exec.env : none;
}
