/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/internal.h"

#include "json/json.h"
#include "kernel/sys.h"
#include "proc/proc.h"

#include <fcntl.h>
#include <json-c/json.h>
#include <poll.h>
#include <sys/file.h>
#include <unistd.h>

const char *runtime_status_name(enum runtime_status status)
{
	static const char *const names[] = {
		[RUNTIME_CREATED] = "created",
		[RUNTIME_RUNNING] = "running",
		[RUNTIME_STOPPED] = "stopped",
	};
	return names[status];
}

struct runtime_state *runtime_state_free(struct runtime_state *state)
{
	if (state)
		arena_done(&state->arena);
	free(state);
	return NULL;
}

void runtime_state_freep(struct runtime_state **state)
{
	*state = runtime_state_free(*state);
}

/* --- the file --------------------------------------------------------------------------------- */

static void add_text(struct json_object *object, const char *key, const char *text)
{
	json_object_object_add(object, key, json_object_new_string(text ? text : ""));
}

static void add_annotations(struct json_object *object, const struct runtime_state *state)
{
	if (state->n_annotations == 0)
		return;
	struct json_object *map = json_object_new_object();
	for (size_t i = 0; i < state->n_annotations; i++)
		add_text(map, state->annotations[i].key, state->annotations[i].value);
	json_object_object_add(object, "annotations", map);
}

/* json-c leaves DEL and the control characters U+0080 to U+009F as they are, which a terminal
 * obeys; they can stand inside of strings only. */
static int print_json(struct json_object *object, int flags, struct buf *out)
{
	const char *text = json_object_to_json_string_ext(
	        object, flags | JSON_C_TO_STRING_NOSLASHESCAPE);
	int r = text ? 0 : -ENOMEM;
	for (const unsigned char *p = (const unsigned char *) text; r == 0 && *p != '\0'; p++) {
		if (p[0] == 0x7f)
			r = buf_adds(out, "\\u007f");
		else if (p[0] == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f)
			r = buf_addf(out, "\\u%04x", *++p);
		else
			r = buf_addc(out, (char) *p);
	}
	return r;
}

int runtime_state_encode(const struct runtime_state *state, struct buf *out)
{
	_json_put_ struct json_object *o = json_object_new_object();
	json_object_object_add(o, "version", json_object_new_int(RUNTIME_STATE_VERSION));
	add_text(o, "id", state->id);
	add_text(o, "ociVersion", state->oci_version);
	add_text(o, "bundle", state->bundle);
	add_text(o, "rootfs", state->rootfs);
	add_text(o, "created", state->created);
	add_text(o, "owner", state->owner);
	add_text(o, "bootId", state->boot_id);
	json_object_object_add(o, "pid", json_object_new_int(state->pid));
	json_object_object_add(o, "startTime", json_object_new_uint64(state->start_time));
	json_object_object_add(o, "cgroupMode", json_object_new_int64(state->cgroup_mode));
	add_text(o, "cgroupPath", state->cgroup_path);
	json_object_object_add(o, "autoRemove", json_object_new_boolean(state->auto_remove));
	add_annotations(o, state);
	int r = print_json(o, JSON_C_TO_STRING_PLAIN, out);
	return r < 0 ? r : buf_addc(out, '\n');
}

/* The map of annotations: any key, text values. */
static int get_annotations(
        struct json_read *r, const struct json_field *field, struct json_object *value, void *base)
{
	struct runtime_state *state = base;
	if (!json_object_is_type(value, json_type_object))
		return json_fail_type(r, "an object", value);
	size_t n = (size_t) json_object_object_length(value);
	struct oci_kv *list = arena_new_n(r->arena, struct oci_kv, n + 1);
	size_t i = 0;
	json_object_object_foreach(value, key, member)
	{
		if (!json_object_is_type(member, json_type_string))
			return json_fail_type(r, "texts", member);
		list[i++] = (struct oci_kv){
			.key = arena_strdup(r->arena, key),
			.value = arena_strdup(r->arena, json_object_get_string(member)),
		};
	}
	state->annotations = list;
	state->n_annotations = i;
	return 0;
}

static const struct json_range pid_range = { 0, INT32_MAX };
static const struct json_range version_range = { RUNTIME_STATE_VERSION, RUNTIME_STATE_VERSION };

struct state_file {
	struct runtime_state state; /* first: get_annotations writes through base */
	uint32_t version, pid;
};

#define AT(member) offsetof(struct state_file, member)
#define TEXT(key, field)                                                                           \
	{                                                                                          \
		key, json_get_string, AT(state.field), 0, JSON_REQUIRED, NULL                      \
	}
static const struct json_field fields[] = {
	{ "version", json_get_u32, AT(version), 0, JSON_REQUIRED, &version_range },
	TEXT("id", id),
	TEXT("ociVersion", oci_version),
	TEXT("bundle", bundle),
	TEXT("rootfs", rootfs),
	TEXT("created", created),
	TEXT("owner", owner),
	TEXT("bootId", boot_id),
	{ "pid", json_get_u32, AT(pid), 0, JSON_REQUIRED, &pid_range },
	{ "startTime", json_get_u64, AT(state.start_time), 0, JSON_REQUIRED, NULL },
	{ "cgroupMode", json_get_u32, AT(state.cgroup_mode), 0, JSON_REQUIRED, NULL },
	TEXT("cgroupPath", cgroup_path),
	{ "autoRemove", json_get_bool, AT(state.auto_remove), 0, JSON_REQUIRED, NULL },
	{ "annotations", get_annotations, 0, 0, 0, NULL },
	{ NULL, NULL, 0, 0, 0, NULL },
};
static const struct json_table table = { .fields = fields, .size = sizeof(struct state_file) };

int runtime_state_decode(const char *json, size_t len, struct runtime_state **ret, struct err *err)
{
	static const struct json_limits limits = {
		.max_bytes = RUNTIME_STATE_MAX,
		.max_depth = 4,
		.max_list = OCI_LIST_MAX,
		.max_string = OCI_CONFIG_MAX,
	};
	_json_put_ struct json_object *object = NULL;
	int r = json_parse_bounded(STATE_FILE, json, len, &limits, &object, err);
	if (r < 0)
		return r;
	struct state_file file = { .version = 0 };
	struct json_read read = { .document = STATE_FILE, .arena = &file.state.arena, .err = err };
	r = json_read_object(&read, &table, object, &file);
	if (r < 0) {
		arena_done(&file.state.arena);
		return r;
	}
	file.state.pid = (pid_t) file.pid;
	*ret = xnew(struct runtime_state);
	**ret = file.state;
	return 0;
}

int state_save_at(int folder_fd, const struct runtime_state *state, struct err *err)
{
	_buf_done_ struct buf text = BUF_INIT(RUNTIME_STATE_MAX);
	int r = runtime_state_encode(state, &text);
	if (r >= 0)
		r = fd_replace_file(folder_fd, STATE_FILE, text.data, text.len, 0600, false);
	if (r < 0)
		return err_errno(err, r, "cannot write the state of container '%s'", state->id);
	return 0;
}

int state_load_at(int folder_fd, const char *id, struct runtime_state **ret, struct err *err)
{
	_buf_done_ struct buf text = BUF_INIT(RUNTIME_STATE_MAX);
	int r = buf_read_file(&text, folder_fd, STATE_FILE);
	if (r == -ENOENT)
		return err_set(err, r, "container '%s' has no state", id);
	if (r < 0)
		return err_errno(err, r, "cannot read the state of container '%s'", id);
	r = runtime_state_decode(buf_str(&text), text.len, ret, err);
	if (r < 0) {
		(void) err_prefix(err, r, "the state of container '%s' is broken", id);
		return -EBADMSG;
	}
	if (!streq((*ret)->id, id)) {
		*ret = runtime_state_free(*ret);
		return err_set(err, -EBADMSG, "the state of container '%s' is another's", id);
	}
	return 0;
}

int runtime_state_load(
        const struct runtime *rt, const char *id, struct runtime_state **ret, struct err *err)
{
	_close_ int fd = -EBADF;
	int r = folder_open(rt, id, &fd, err);
	if (r < 0)
		return r;
	r = state_load_at(fd, id, ret, err);
	if (r != -ENOENT)
		return r;
	if (flock(fd, LOCK_SH | LOCK_NB) < 0)
		return err_set(err, -EINPROGRESS, "container '%s' is being created", id);
	return err_set(err, -EBADMSG,
	        "container '%s' is half-made (its creation was interrupted): remove it with "
	        "delete --force",
	        id);
}

/* --- the live process ------------------------------------------------------------------------- */

/* The pidfd is opened first: what is compared afterwards belongs to that very process, or it has
 * ended meanwhile, which poll tells. */
int state_pidfd(const struct runtime_state *state)
{
	char boot_id[37];
	uint64_t start_time = 0;
	if (state->pid <= 0 || proc_boot_id(boot_id) < 0 || !streq(boot_id, state->boot_id))
		return -ESRCH;
	_close_ int pidfd = sys_pidfd_open(state->pid);
	if (pidfd < 0)
		return -ESRCH;
	if (proc_start_time(state->pid, &start_time) < 0 || start_time != state->start_time)
		return -ESRCH;
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	if (poll(&p, 1, 0) != 0)
		return -ESRCH; /* a zombie has ended, too */
	return TAKE_FD(pidfd);
}

bool state_is_waiting(int folder_fd)
{
	_close_ int fd = openat(
	        folder_fd, START_FIFO, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	return fd >= 0;
}

enum runtime_status runtime_state_status(
        const struct runtime *rt, const struct runtime_state *state, pid_t *ret_pid)
{
	_close_ int pidfd = state_pidfd(state);
	if (ret_pid)
		*ret_pid = pidfd >= 0 ? state->pid : 0;
	if (pidfd < 0)
		return RUNTIME_STOPPED;
	_close_ int folder = -EBADF;
	if (folder_open(rt, state->id, &folder, NULL) < 0)
		return RUNTIME_RUNNING;
	return state_is_waiting(folder) ? RUNTIME_CREATED : RUNTIME_RUNNING;
}

int runtime_state_print(
        const struct runtime *rt, const struct runtime_state *state, bool pretty, struct buf *out)
{
	pid_t pid = 0;
	enum runtime_status status = runtime_state_status(rt, state, &pid);
	_json_put_ struct json_object *o = json_object_new_object();
	add_text(o, "ociVersion", state->oci_version);
	add_text(o, "id", state->id);
	json_object_object_add(o, "pid", json_object_new_int(pid));
	add_text(o, "status", runtime_status_name(status));
	add_text(o, "bundle", state->bundle);
	add_text(o, "rootfs", state->rootfs);
	add_text(o, "created", state->created);
	add_annotations(o, state);
	add_text(o, "owner", state->owner);
	int r = print_json(o,
	        pretty ? JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED : JSON_C_TO_STRING_PLAIN,
	        out);
	return r < 0 || !pretty ? r : buf_addc(out, '\n');
}
