/* SPDX-License-Identifier: Apache-2.0 */
/* The plan's bytes: what is written is read back and printed, and nothing else is accepted. */
#include "testkit.h"

#include "base/base.h"
#include "base/fd.h"
#include "plan/order.h"
#include "plan/fields.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/mount.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#define LIST(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define WRITE(w, kind_, ...)                                                                       \
	plan_write((w), &(struct plan_step){ .kind = PLAN_##kind_, __VA_ARGS__ })

/* Every field of every kind gets a value of its own that is not zero. */
static void fill(struct plan_step *step, unsigned int kind)
{
	static const char *const list[] = { "one", "", "with blank", "\x1b[31m", NULL };
	static const uint8_t bytes[16] = { 6, 0, 0, 0, 0, 0, 255, 127, 6 };
	const struct plan_layout *layout = plan_layout_of(kind);

	*step = (struct plan_step){ .kind = (enum plan_kind) kind };
	for (size_t i = 0; i < layout->n_fields; i++) {
		const struct plan_field *f = &layout->fields[i];
		void *at = (char *) step + f->offset;

		switch (f->type) {
		case FIELD_U32:
			*(uint32_t *) at = 0x01020304 + (uint32_t) i;
			break;
		case FIELD_U64:
			*(uint64_t *) at = 0x8102030405060708 + i;
			break;
		case FIELD_I64:
			*(int64_t *) at = -2 - (int64_t) i;
			break;
		case FIELD_STR:
			*(const char **) at = f->name;
			break;
		case FIELD_STRV:
			*(const char *const **) at = list;
			break;
		case FIELD_BYTES:
			*(const void **) at = bytes;
			*(uint32_t *) ((char *) step + f->size_offset) = sizeof(bytes);
			break;
		}
	}
}

static void write_every_kind(struct plan_writer *w)
{
	plan_writer_init(w);
	for (size_t i = 0; i < plan_order_count; i++) {
		struct plan_step step;

		fill(&step, plan_order[i].kind);
		plan_write(w, &step);
		if (plan_layout_of(step.kind)->many)
			plan_write(w, &step);
	}
	assert_int_equal(plan_writer_finish(w, NULL), 0);
}

static void written_plan_is_read_back_the_same(void **state)
{
	struct plan_writer w, again;
	struct plan *plan;
	struct err err = { 0 };

	(void) state;
	write_every_kind(&w);
	assert_int_equal(plan_decode(w.bytes.data, w.bytes.len, &plan, &err), 0);
	plan_writer_init(&again);
	for (size_t i = 0; i < plan->n_steps; i++)
		plan_write(&again, &plan->steps[i]);
	assert_int_equal(plan_writer_finish(&again, &err), 0);
	assert_int_equal(again.bytes.len, w.bytes.len);
	assert_memory_equal(again.bytes.data, w.bytes.data, w.bytes.len);
	plan_free(plan);
	plan_writer_done(&again);
	plan_writer_done(&w);
}

static void missing_texts_and_lists_are_empty(void **state)
{
	struct plan_writer w;
	struct plan *plan;

	(void) state;
	plan_writer_init(&w);
	WRITE(&w, CONTAINER);
	WRITE(&w, EXEC);
	assert_int_equal(plan_writer_finish(&w, NULL), 0);
	assert_int_equal(plan_decode(w.bytes.data, w.bytes.len, &plan, NULL), 0);
	assert_string_equal(plan->steps[0].container.id, "");
	assert_null(plan->steps[1].exec.args[0]);
	plan_free(plan);
	plan_writer_done(&w);
}

/* Decodes a copy of exactly size bytes, so that the sanitizer sees a read beyond them. */
static int decode_copy(const void *data, size_t size, struct err *err)
{
	_cleanup_(plan_freep) struct plan *plan = NULL;
	void *copy = xmalloc(size ? size : 1);
	int r;

	memcpy(copy, data, size);
	r = plan_decode(copy, size, &plan, err);
	if (r == 0) {
		_buf_done_ struct buf out = BUF_INIT(1 << 20);

		plan_print(plan, true, &out);
	}
	free(copy);
	return r;
}

static void every_truncation_is_refused(void **state)
{
	struct plan_writer w;

	(void) state;
	write_every_kind(&w);
	for (size_t size = 0; size < w.bytes.len; size++) {
		struct err err = { 0 };

		assert_int_equal(decode_copy(w.bytes.data, size, &err), -EBADMSG);
		assert_true(err.text[0] != '\0');
		if (size < 16)
			continue;
		/* The same with a header that admits it. */
		char *copy = xmalloc(size);
		uint32_t said = (uint32_t) size;
		memcpy(copy, w.bytes.data, size);
		memcpy(copy + 8, &said, 4);
		assert_int_equal(decode_copy(copy, size, &err), -EBADMSG);
		free(copy);
	}
	plan_writer_done(&w);
}

static void every_changed_byte_is_survived(void **state)
{
	struct plan_writer w;

	(void) state;
	write_every_kind(&w);
	for (size_t i = 0; i < w.bytes.len; i++) {
		static const char values[] = { 0, 1, '\x7f', '\xff' };

		for (size_t v = 0; v < sizeof(values); v++) {
			char old = w.bytes.data[i];

			w.bytes.data[i] = values[v];
			(void) decode_copy(w.bytes.data, w.bytes.len, NULL);
			w.bytes.data[i] = old;
		}
	}
	plan_writer_done(&w);
}

static void refused(struct plan_writer *w, const char *because)
{
	struct err err = { 0 };

	assert_int_equal(plan_writer_finish(w, NULL), 0);
	assert_int_equal(decode_copy(w->bytes.data, w->bytes.len, &err), -EBADMSG);
	assert_contains(err.text, because);
	plan_writer_done(w);
}

static void wrong_order_is_refused(void **state)
{
	struct plan_writer w;

	(void) state;
	plan_writer_init(&w);
	WRITE(&w, CONTAINER);
	WRITE(&w, SECCOMP);
	WRITE(&w, CAPS);
	refused(&w, "step 3 of 3: 'caps' stands in the wrong place");
}

static void second_step_of_a_single_kind_is_refused(void **state)
{
	struct plan_writer w;

	(void) state;
	plan_writer_init(&w);
	WRITE(&w, CONTAINER);
	WRITE(&w, USER);
	WRITE(&w, USER);
	refused(&w, "'user' stands in the wrong place");
}

static void plan_without_container_is_refused(void **state)
{
	struct plan_writer w;

	(void) state;
	plan_writer_init(&w);
	WRITE(&w, EXEC);
	refused(&w, "does not begin with 'container'");
}

static void other_version_is_refused(void **state)
{
	struct plan_writer w;

	(void) state;
	plan_writer_init(&w);
	WRITE(&w, CONTAINER);
	w.bytes.data[7]++;
	refused(&w, "the plan has version 2, this program reads 1");
}

static void text_with_nul_inside_is_refused(void **state)
{
	struct plan_writer w;
	char *at;

	(void) state;
	plan_writer_init(&w);
	WRITE(&w, CONTAINER, .container = { .id = "abcdef" });
	at = memmem(w.bytes.data, w.bytes.len, "abcdef", 6);
	at[2] = '\0';
	refused(&w, "field 'id' of 'container' has a text that does not end where it says");
}

static void list_with_a_huge_count_allocates_nothing(void **state)
{
	static const uint8_t huge[4] = { 0xff, 0xff, 0, 0 };
	struct plan_writer w;

	(void) state;
	plan_writer_init(&w);
	WRITE(&w, CONTAINER);
	WRITE(&w, EXEC);
	memcpy(w.bytes.data + w.bytes.len - 8, huge, sizeof(huge));
	refused(&w, "field 'args' of 'exec' has a list that is too long");
}

static void too_big_a_plan_is_refused(void **state)
{
	struct plan_writer w;
	struct err err = { 0 };
	char *big = xmalloc(PLAN_SIZE_MAX + 1);

	(void) state;
	memset(big, 'x', PLAN_SIZE_MAX);
	big[PLAN_SIZE_MAX] = '\0';
	plan_writer_init(&w);
	WRITE(&w, CONTAINER, .container = { .id = big });
	assert_int_equal(plan_writer_finish(&w, &err), -EMSGSIZE);
	assert_contains(err.text, "too big for a plan");
	plan_writer_done(&w);
	free(big);
	plan_writer_init(&w);
	WRITE(&w, CONTAINER);
	for (int i = 0; i < PLAN_STEPS_MAX; i++)
		WRITE(&w, MASK, .path = { .path = "/x" });
	assert_int_equal(plan_writer_finish(&w, NULL), -EMSGSIZE);
	plan_writer_done(&w);
}

static void sealed_memfd_is_opened(void **state)
{
	struct plan_writer w;
	struct plan *plan = NULL;
	struct err err = { 0 };
	int fd = -EBADF;

	(void) state;
	write_every_kind(&w);
	assert_int_equal(plan_writer_memfd(&w, &fd, &err), 0);
	assert_int_equal(plan_open(fd, &plan, &err), 0);
	fd_close(fd);
	assert_string_equal(plan_find(plan, PLAN_CONTAINER)->container.id, "id");
	plan_free(plan);
	plan_writer_done(&w);
}

static void unsealed_memfd_is_refused(void **state)
{
	struct plan_writer w;
	struct plan *plan = NULL;
	struct err err = { 0 };
	int fd;

	(void) state;
	write_every_kind(&w);
	fd = memfd_create("plan", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_int_equal(fd_write_all(fd, w.bytes.data, w.bytes.len), 0);
	assert_int_equal(plan_open(fd, &plan, &err), -EPERM);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK), 0);
	assert_int_equal(plan_open(fd, &plan, &err), -EPERM);
	assert_contains(err.text, "not in a sealed memory file");
	fd_close(fd);
	plan_writer_done(&w);
}

static void steps_are_found_by_kind(void **state)
{
	struct plan_writer w;
	struct plan *plan;
	const struct plan_step *s;

	(void) state;
	plan_writer_init(&w);
	WRITE(&w, CONTAINER);
	WRITE(&w, MASK, .path = { .path = "/a" });
	WRITE(&w, MASK, .path = { .path = "/b" });
	assert_int_equal(plan_writer_finish(&w, NULL), 0);
	assert_int_equal(plan_decode(w.bytes.data, w.bytes.len, &plan, NULL), 0);
	s = plan_find(plan, PLAN_MASK);
	assert_string_equal(s->path.path, "/a");
	s = plan_next(plan, PLAN_MASK, s);
	assert_string_equal(s->path.path, "/b");
	assert_null(plan_next(plan, PLAN_MASK, s));
	assert_null(plan_find(plan, PLAN_EXEC));
	plan_free(plan);
	plan_writer_done(&w);
}

static void write_sample(struct plan_writer *w)
{
	static const struct sock_filter filter[] = { { 0x20, 0, 0, 4 },
		{ 0x06, 0, 0, 0x7fff0000 } };

	plan_writer_init(w);
	WRITE(w, CONTAINER, .container = { .id = "web", .oci_version = "1.2.0" });
	WRITE(w, ROOT, .root = { .path = "/srv/my root", .attr_set = MOUNT_ATTR_NODEV });
	WRITE(w, CGROUP_DEVICE,
	        .cgroup_device = { .type = 'a', .major = -1, .minor = -1, .access = 7 });
	WRITE(w, NAMESPACE, .ns = { .flag = CLONE_NEWNET, .path = "/run/netns/x" });
	WRITE(w, IDMAP, .idmap = { .container_id = 0, .host_id = 100000, .size = 65536 });
	WRITE(w, OOM_SCORE, .oom_score = { .value = -5 });
	WRITE(w, MOUNT_NAMESPACE, .mount_namespace = { .propagation = MS_SLAVE });
	WRITE(w, MOUNT,
	        .mount = { .kind = PLAN_MOUNT_FS,
	                .source = "tmpfs",
	                .target = "/dev",
	                .fstype = "tmpfs",
	                .data = LIST("mode=755", "size=64k"),
	                .attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_STRICTATIME,
	                .rec_attr_clear = MOUNT_ATTR__ATIME });
	WRITE(w, DEVICE,
	        .device = {
	                .type = 'c', .path = "/dev/null", .major = 1, .minor = 3, .mode = 0666 });
	WRITE(w, LANDLOCK, .landlock = { .handled_fs = 7, .handled_net = 3, .abi = 4 });
	WRITE(w, USER, .user = { .groups = LIST("10", "20"), .has_umask = 1, .umask = 027 });
	WRITE(w, CAPS, .caps = { .bounding = 1 << 0 | 1 << 5, .effective = 1ULL << 60 });
	WRITE(w, NO_NEW_PRIVS);
	WRITE(w, RLIMIT,
	        .rlimit = {
	                .resource = RLIMIT_CORE, .name = "RLIMIT_CORE", .hard = RLIM_INFINITY });
	WRITE(w, SECCOMP,
	        .seccomp = { .flags = 4, .filter = filter, .filter_size = sizeof(filter) });
	WRITE(w, EXEC,
	        .exec = { .args = LIST("sh", "-c", "echo \"a, b\"", "\n"), .env = LIST("A=b") });
	assert_int_equal(plan_writer_finish(w, NULL), 0);
}

static void plan_is_printed_readably(void **state)
{
	_buf_done_ struct buf out = BUF_INIT(1 << 16);
	struct plan_writer w;
	struct plan *plan;

	(void) state;
	write_sample(&w);
	assert_int_equal(plan_decode(w.bytes.data, w.bytes.len, &plan, NULL), 0);
	plan_print(plan, true, &out);
	assert_golden("plan-print.txt", buf_str(&out));
	plan_free(plan);
	plan_writer_done(&w);
}

static void every_field_is_printed(void **state)
{
	_buf_done_ struct buf out = BUF_INIT(1 << 16);
	struct plan_writer w;
	struct plan *plan;

	(void) state;
	write_every_kind(&w);
	assert_int_equal(plan_decode(w.bytes.data, w.bytes.len, &plan, NULL), 0);
	plan_print(plan, false, &out);
	for (unsigned int kind = 1; kind < PLAN_KIND_COUNT; kind++) {
		const struct plan_layout *layout = plan_layout_of(kind);

		assert_contains(buf_str(&out), layout->name);
		for (size_t i = 0; i < layout->n_fields; i++) {
			_free_ char *shown = xprintf(" %s=", layout->fields[i].name);

			assert_contains(buf_str(&out), shown);
		}
	}
	assert_null(strchr(buf_str(&out), '\x1b'));
	plan_free(plan);
	plan_writer_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testkit_case(written_plan_is_read_back_the_same),
		testkit_case(missing_texts_and_lists_are_empty),
		testkit_case(every_truncation_is_refused),
		testkit_case(every_changed_byte_is_survived),
		testkit_case(wrong_order_is_refused),
		testkit_case(second_step_of_a_single_kind_is_refused),
		testkit_case(plan_without_container_is_refused),
		testkit_case(other_version_is_refused),
		testkit_case(text_with_nul_inside_is_refused),
		testkit_case(list_with_a_huge_count_allocates_nothing),
		testkit_case(too_big_a_plan_is_refused),
		testkit_case(sealed_memfd_is_opened),
		testkit_case(unsealed_memfd_is_refused),
		testkit_case(steps_are_found_by_kind),
		testkit_case(plan_is_printed_readably),
		testkit_case(every_field_is_printed),
	};

	return testkit_run(tests);
}
