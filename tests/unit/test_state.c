/* SPDX-License-Identifier: Apache-2.0 */
/* The state of a container: file form, live status, folders of dead creators. */
#include "testkit.h"

#include "base/buf.h"
#include "base/str.h"
#include "proc/proc.h"
#include "runtime/internal.h"
#include "runtime/runtime.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct oci_kv annotations[] = { { "a.key", "1" },
	{ "quote\"", "line\nbreak / \xc3\xa9" } };
static const struct runtime_state sample = {
	.id = "box",
	.oci_version = "1.3.0",
	.bundle = "/srv/box",
	.rootfs = "/srv/box/rootfs",
	.created = "2026-01-31T12:00:00.123456789Z",
	.owner = "root",
	.boot_id = "01234567-89ab-cdef-0123-456789abcdef",
	.cgroup_path = "/box",
	.cgroup_mode = 3,
	.pid = 4242,
	.start_time = UINT64_MAX,
	.auto_remove = true,
	.annotations = annotations,
	.n_annotations = 2,
};

static void encode(const struct runtime_state *state, struct buf *out)
{
	assert_int_equal(runtime_state_encode(state, out), 0);
	assert_true(buf_ok(out));
}

static void state_survives_the_file(void **unused _unused_)
{
	_buf_done_ struct buf text = BUF_INIT(RUNTIME_STATE_MAX);
	_cleanup_(runtime_state_freep) struct runtime_state *state = NULL;
	struct err err = { 0 };
	encode(&sample, &text);
	if (runtime_state_decode(text.data, text.len, &state, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(state->id, sample.id);
	assert_string_equal(state->bundle, sample.bundle);
	assert_string_equal(state->boot_id, sample.boot_id);
	assert_int_equal(state->pid, 4242);
	assert_true(state->start_time == UINT64_MAX);
	assert_true(state->auto_remove);
	assert_int_equal(state->n_annotations, 2);
	assert_string_equal(state->annotations[1].key, "quote\"");
	assert_string_equal(state->annotations[1].value, annotations[1].value);
}

static void broken_state_is_refused(void **unused _unused_)
{
	static const struct {
		const char *from, *to;
	} edits[] = {
		{ "\"version\":1", "\"version\":2" },
		{ "\"pid\":4242", "\"pid\":-1" },
		{ "\"pid\":4242", "\"pid\":\"4242\"" },
		{ "\"id\":\"box\"", "\"other\":\"box\"" },
		{ "\"bundle\":\"/srv/box\"", "\"bundle\":7" },
		{ "\"quote", "\"a.key\":\"2\",\"quote" },
		{ "{\"version\"", "\"version\"" },
	};
	_buf_done_ struct buf text = BUF_INIT(RUNTIME_STATE_MAX);
	encode(&sample, &text);
	for (size_t i = 0; i < ARRAY_SIZE(edits); i++) {
		struct runtime_state *state = NULL;
		struct err err = { 0 };
		const char *at = strstr(buf_str(&text), edits[i].from);
		assert_non_null(at);
		_free_ char *changed = xprintf("%.*s%s%s", (int) (at - text.data), text.data,
		        edits[i].to, at + strlen(edits[i].from));
		if (runtime_state_decode(changed, strlen(changed), &state, &err) >= 0)
			fail_msg("accepted: %s", changed);
		assert_true(err.text[0] != '\0');
	}
}

static void truncated_state_is_refused(void **unused _unused_)
{
	_buf_done_ struct buf text = BUF_INIT(RUNTIME_STATE_MAX);
	encode(&sample, &text);
	for (size_t len = 0; len + 2 < text.len; len++) {
		_free_ char *part = xstrndup(text.data, len);
		struct runtime_state *state = NULL;
		assert_true(runtime_state_decode(part, len, &state, NULL) < 0);
	}
}

/* --- with a state folder ---------------------------------------------------------------------- */

static void open_scratch(struct runtime *rt)
{
	_free_ char *root = xprintf("%s/state/root", testkit_scratch());
	struct err err = { 0 };
	runtime_init(rt);
	if (runtime_open(rt, root, true, &err) < 0)
		fail_msg("%s", err.text);
}

/* Records a live process (our own) under an ID, with changes by the caller. */
static void record(const struct runtime *rt, const char *id, struct runtime_state state)
{
	struct err err = { 0 };
	struct folder f = FOLDER_INIT;
	state.id = id;
	if (folder_make(rt, id, &f, &err) < 0 || state_save_at(f.fd, &state, &err) < 0)
		fail_msg("%s", err.text);
	folder_done(&f);
}

static struct runtime_state live_state(char boot_id[37])
{
	struct runtime_state state = sample;
	assert_int_equal(proc_boot_id(boot_id), 0);
	assert_int_equal(proc_start_time(getpid(), &state.start_time), 0);
	state.pid = getpid();
	state.boot_id = boot_id;
	state.auto_remove = false;
	state.cgroup_path = "";
	return state;
}

static enum runtime_status status_of(const struct runtime *rt, const char *id)
{
	struct runtime_state *state = NULL;
	struct err err = { 0 };
	if (runtime_state_load(rt, id, &state, &err) < 0)
		fail_msg("%s", err.text);
	enum runtime_status status = runtime_state_status(rt, state, NULL);
	runtime_state_free(state);
	return status;
}

static void status_follows_the_live_process(void **unused _unused_)
{
	_cleanup_(runtime_done) struct runtime rt;
	char boot_id[37];
	open_scratch(&rt);
	struct runtime_state state = live_state(boot_id);
	record(&rt, "alive", state);
	state.start_time++;
	record(&rt, "reused-pid", state);
	state.start_time--;
	state.boot_id = sample.boot_id;
	record(&rt, "other-boot", state);
	assert_int_equal(status_of(&rt, "alive"), RUNTIME_RUNNING);
	assert_int_equal(status_of(&rt, "reused-pid"), RUNTIME_STOPPED);
	assert_int_equal(status_of(&rt, "other-boot"), RUNTIME_STOPPED);
}

static void zombie_is_stopped(void **unused _unused_)
{
	_cleanup_(runtime_done) struct runtime rt;
	char boot_id[37];
	open_scratch(&rt);
	struct runtime_state state = live_state(boot_id);
	state.pid = fork();
	if (state.pid == 0)
		_exit(0);
	siginfo_t info;
	assert_int_equal(proc_start_time(state.pid, &state.start_time), 0);
	assert_int_equal(waitid(P_PID, (id_t) state.pid, &info, WEXITED | WNOWAIT), 0);
	record(&rt, "dead", state);
	assert_int_equal(status_of(&rt, "dead"), RUNTIME_STOPPED);
	assert_int_equal(waitpid(state.pid, NULL, 0), state.pid);
}

static void waiting_reader_means_created(void **unused _unused_)
{
	_cleanup_(runtime_done) struct runtime rt;
	char boot_id[37];
	open_scratch(&rt);
	record(&rt, "box", live_state(boot_id));
	_close_ int folder = -EBADF;
	assert_int_equal(folder_open(&rt, "box", &folder, NULL), 0);
	assert_int_equal(mkfifoat(folder, START_FIFO, 0600), 0);
	assert_int_equal(status_of(&rt, "box"), RUNTIME_RUNNING);
	_close_ int reader = openat(folder, START_FIFO, O_RDWR | O_CLOEXEC);
	assert_true(reader >= 0);
	assert_int_equal(status_of(&rt, "box"), RUNTIME_CREATED);
}

static void running_container_keeps_its_id(void **unused _unused_)
{
	_cleanup_(runtime_done) struct runtime rt;
	struct folder f = FOLDER_INIT;
	char boot_id[37];
	struct err err = { 0 };
	open_scratch(&rt);
	struct runtime_state state = live_state(boot_id);
	state.auto_remove = true;
	record(&rt, "box", state);
	assert_int_equal(folder_make(&rt, "box", &f, &err), -EEXIST);
	assert_contains(err.text, "already exists");
	assert_int_equal(runtime_delete(&rt, "box", false, &err), -EBUSY);
	assert_contains(err.text, "cannot delete container 'box' that is not stopped");
}

static void stopped_container_keeps_its_id_until_delete(void **unused _unused_)
{
	_cleanup_(runtime_done) struct runtime rt;
	struct folder f = FOLDER_INIT;
	char boot_id[37];
	struct err err = { 0 };
	open_scratch(&rt);
	struct runtime_state state = live_state(boot_id);
	state.start_time++;
	record(&rt, "box", state);
	assert_int_equal(folder_make(&rt, "box", &f, &err), -EEXIST);
	assert_int_equal(runtime_delete(&rt, "box", false, &err), 0);
	assert_int_equal(folder_make(&rt, "box", &f, &err), 0);
	folder_done(&f);
}

static void dead_run_is_cleaned_by_the_next(void **unused _unused_)
{
	_cleanup_(runtime_done) struct runtime rt;
	struct folder f = FOLDER_INIT;
	char boot_id[37];
	struct err err = { 0 };
	open_scratch(&rt);
	struct runtime_state state = live_state(boot_id);
	state.start_time++;
	state.auto_remove = true;
	record(&rt, "box", state);
	assert_int_equal(folder_make(&rt, "box", &f, &err), 0);
	assert_int_equal(faccessat(f.fd, STATE_FILE, F_OK, 0), -1);
	folder_done(&f);
}

static void half_made_folder_is_cleaned_only_when_nobody_makes_it(void **unused _unused_)
{
	_cleanup_(runtime_done) struct runtime rt;
	struct folder maker = FOLDER_INIT, next = FOLDER_INIT;
	struct runtime_state *state = NULL;
	struct err err = { 0 };
	open_scratch(&rt);
	assert_int_equal(folder_make(&rt, "box", &maker, &err), 0);
	assert_int_equal(folder_make(&rt, "box", &next, &err), -EEXIST);
	assert_int_equal(runtime_state_load(&rt, "box", &state, &err), -EINPROGRESS);
	folder_done(&maker);
	assert_int_equal(runtime_state_load(&rt, "box", &state, &err), -EBADMSG);
	assert_int_equal(runtime_delete(&rt, "box", false, &err), -EBADMSG);
	assert_contains(err.text, "delete --force");
	assert_int_equal(folder_make(&rt, "box", &next, &err), 0);
	folder_done(&next);
	assert_int_equal(runtime_delete(&rt, "box", true, &err), 0);
}

static void broken_state_goes_by_force_only(void **unused _unused_)
{
	_cleanup_(runtime_done) struct runtime rt;
	struct folder f = FOLDER_INIT;
	struct err err = { 0 };
	open_scratch(&rt);
	assert_int_equal(folder_make(&rt, "box", &f, &err), 0);
	assert_int_equal(fd_replace_file(f.fd, STATE_FILE, "{}", 2, 0600, false), 0);
	folder_done(&f);
	assert_int_equal(runtime_delete(&rt, "box", false, &err), -EBADMSG);
	assert_int_equal(folder_make(&rt, "box", &f, &err), -EEXIST);
	assert_int_equal(runtime_delete(&rt, "box", true, &err), 0);
	assert_int_equal(runtime_delete(&rt, "box", true, &err), 0);
	assert_int_equal(runtime_delete(&rt, "box", false, &err), -ENOENT);
	assert_string_equal(err.text, "container 'box' does not exist");
}

static void bad_ids_are_refused(void **unused _unused_)
{
	static const char *const ids[] = { "", ".", "..", "a/b", "../a", ".hidden", "a b", "a\nb" };
	_cleanup_(runtime_done) struct runtime rt;
	open_scratch(&rt);
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		struct folder f = FOLDER_INIT;
		struct err err = { 0 };
		assert_int_equal(folder_make(&rt, ids[i], &f, &err), -EINVAL);
		assert_contains(err.text, "invalid container id");
		assert_int_equal(runtime_delete(&rt, ids[i], true, &err), -EINVAL);
	}
}

static void link_is_no_container(void **unused _unused_)
{
	_cleanup_(runtime_done) struct runtime rt;
	struct err err = { 0 };
	open_scratch(&rt);
	assert_int_equal(symlinkat("/tmp", rt.root_fd, "box"), 0);
	assert_true(runtime_delete(&rt, "box", true, &err) < 0);
	assert_int_equal(faccessat(AT_FDCWD, "/tmp", F_OK, 0), 0);
}

static void list_is_sorted(void **unused _unused_)
{
	_cleanup_(runtime_done) struct runtime rt;
	_cleanup_(strv_freep) char **ids = NULL;
	char boot_id[37];
	struct err err = { 0 };
	open_scratch(&rt);
	record(&rt, "b", live_state(boot_id));
	record(&rt, "a", live_state(boot_id));
	assert_int_equal(runtime_list(&rt, &ids, &err), 0);
	assert_int_equal(strv_len(ids), 2);
	assert_string_equal(ids[0], "a");
	assert_string_equal(ids[1], "b");
}

static void state_folder_is_private(void **unused _unused_)
{
	_cleanup_(runtime_done) struct runtime rt;
	struct err err = { 0 };
	struct stat st;
	open_scratch(&rt);
	assert_int_equal(fstat(rt.root_fd, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	struct runtime top;
	runtime_init(&top);
	assert_int_equal(runtime_open(&top, "/tmp/../", true, &err), -EINVAL);
	runtime_done(&top);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testkit_case(state_survives_the_file),
		testkit_case(broken_state_is_refused),
		testkit_case(truncated_state_is_refused),
		testkit_case(status_follows_the_live_process),
		testkit_case(zombie_is_stopped),
		testkit_case(waiting_reader_means_created),
		testkit_case(running_container_keeps_its_id),
		testkit_case(stopped_container_keeps_its_id_until_delete),
		testkit_case(dead_run_is_cleaned_by_the_next),
		testkit_case(half_made_folder_is_cleaned_only_when_nobody_makes_it),
		testkit_case(broken_state_goes_by_force_only),
		testkit_case(bad_ids_are_refused),
		testkit_case(link_is_no_container),
		testkit_case(list_is_sorted),
		testkit_case(state_folder_is_private),
	};
	return testkit_run(tests);
}
