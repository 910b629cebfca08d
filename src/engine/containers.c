/* SPDX-License-Identifier: Apache-2.0 */
/* Finding containers, and what their rows and records say. */
#include "engine/containers.h"

#include "base/fd.h"
#include "base/str.h"
#include "engine/rows.h"
#include "json/json.h"

#include <fcntl.h>
#include <json-c/json_tokener.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

void container_done(struct container *c)
{
	free(c->name);
	free(c->image);
	free(c->command);
	free(c->cgroup);
	fd_close(c->dir);
	*c = (struct container) CONTAINER_INIT;
}

void container_list_done(struct container_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		container_done(&list->items[i]);
	free(list->items);
	*list = (struct container_list){ .n = 0 };
}

bool container_name_is_valid(const char *name)
{
	size_t len = strlen(name);

	if (len < 2 || len > CONTAINER_NAME_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = name[i];
		bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		            (c >= '0' && c <= '9');

		if (!word && (i == 0 || !strchr("_.-", c)))
			return false;
	}
	return true;
}

/* --- records ---------------------------------------------------------------------------------- */

/* What a record without an owner really says. Nothing is written: see engine_repair. */
static void settle(struct container *c)
{
	struct record *r = &c->record;

	c->lost = false;
	if (c->alive || r->state == RECORD_CREATED || r->state == RECORD_EXITED ||
	        r->state == RECORD_REMOVING)
		return;
	if (r->state == RECORD_STARTING && r->started == 0) {
		r->state = RECORD_CREATED;
		return;
	}
	c->lost = true;
	r->state = RECORD_EXITED;
	r->exit_code = CONTAINER_CODE_LOST;
	r->pid = 0;
	r->finished = time(NULL) * INT64_C(1000000000); /* some time before now */
}

static void read_record(struct container *c, int dirfd, const char *path)
{
	int r = record_read_at(dirfd, path, &c->record, &c->alive);

	if (r < 0) {
		c->record = (struct record){ .state = RECORD_EXITED, .exit_code = 255 };
		c->alive = false;
		(void) snprintf(c->record.error, sizeof(c->record.error),
		        "its record cannot be read (%s): 'bulkhead system check --repair' mends it",
		        r == -ENOENT ? "it is missing" : "it is damaged");
	}
	settle(c);
}

int container_look(struct engine *e, struct container *c, struct err *err)
{
	if (c->dir < 0)
		c->dir = openat(
		        e->containers_fd, c->id, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (c->dir < 0)
		return err_errno(err, -errno,
		        "the folder of container '%.12s' cannot be opened; 'bulkhead system check --repair' mends it",
		        c->id);
	read_record(c, c->dir, RECORD_FILE);
	return 0;
}

bool container_is_running(const struct container *c)
{
	return c->alive && c->record.state == RECORD_RUNNING;
}

const char *container_status(const struct container *c)
{
	if (container_is_running(c) && c->paused && c->paused == c->record.started)
		return "paused";
	return record_state_name(c->record.state);
}

/* --- finding ---------------------------------------------------------------------------------- */

static int found(struct engine *e, struct container *c, struct container *ret, struct err *err)
{
	int r = container_look(e, c, err);

	if (r < 0) {
		container_done(c);
		return r;
	}
	*ret = *c;
	*c = (struct container) CONTAINER_INIT;
	return 0;
}

int container_find(struct engine *e, const char *text, struct container *ret, struct err *err)
{
	_container_done_ struct container c = CONTAINER_INIT;
	/* inspect prints names with a slash, and takes them back. */
	const char *name = *text == '/' ? text + 1 : text;
	int r = rows_find(e, name, &c, err);

	if (r == -ENOTUNIQ) {
		_free_ char *shown = str_escaped(text);

		return err_set(err, r, "Multiple IDs found with provided prefix: %s", shown);
	}
	if (r == 0) {
		_free_ char *shown = str_escaped(text);

		return err_set(err, -ENOENT, "No such container: %s", shown);
	}
	return r < 0 ? r : found(e, &c, ret, err);
}

int container_list(struct engine *e, struct container_list *ret, struct err *err)
{
	_container_list_done_ struct container_list list = { .n = 0 };
	int r = rows_list(e, &list, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < list.n; i++) {
		_free_ char *path = xprintf("%s/" RECORD_FILE, list.items[i].id);

		read_record(&list.items[i], e->containers_fd, path);
	}
	*ret = list;
	list = (struct container_list){ .n = 0 };
	return 0;
}

/* --- configuration ---------------------------------------------------------------------------- */

static const char config_file[] = "config.json";

int container_config(
        struct engine *e, const struct container *c, struct config **ret, struct err *err)
{
	_buf_done_ struct buf text = BUF_INIT(CONFIG_SIZE_MAX);
	int r = buf_read_file(&text, c->dir, config_file);

	(void) e;
	if (r == 0)
		r = config_parse(buf_str(&text), text.len, ret, err);
	else
		(void) err_errno(err, r, "cannot read it");
	return r < 0 ? err_prefix(err, r, "the configuration of container '%.12s'", c->id) : 0;
}

int container_write_config(const struct container *c, const struct config *config, struct err *err)
{
	_json_put_ struct json_object *json = config_to_json(config);
	const char *text = json_object_to_json_string_ext(
	        json, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
	size_t len = strlen(text);
	int r;

	if (len > CONFIG_SIZE_MAX)
		return err_set(err, -E2BIG,
		        "the configuration of the container is too long: at most %d bytes",
		        CONFIG_SIZE_MAX);
	r = fd_replace_file(c->dir, config_file, text, len, 0600, false);
	return r < 0 ? err_errno(err, r, "cannot write the configuration of the container") : 0;
}
