/* SPDX-License-Identifier: Apache-2.0 */
/* The object of a container. */
#include "engine/inspect.h"

#include "base/buf.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "engine/containers.h"
#include "format/units.h"
#include "json/build.h"
#include "json/json.h"

#include <fcntl.h>

static void add_time(struct json_object *o, const char *key, int64_t ns)
{
	char text[FORMAT_TIME_SIZE];

	format_time(text, ns);
	json_add_text(o, key, text);
}

static void add_path(struct json_object *o, const char *key,
        const struct inspect_container_parts *p, const char *file)
{
	_free_ char *path = xprintf("%s/containers/%s/%s", p->root, p->c->id, file);

	json_add_text(o, key, path);
}

/* --- State ------------------------------------------------------------------------------------ */

static void add_health(struct json_object *state, const struct inspect_container_parts *p)
{
	const struct record *r = &p->c->record;
	struct json_object *health;

	if (r->health == RECORD_HEALTH_NONE)
		return;
	health = json_object_new_object();
	json_add_text(health, "Status", record_health_name(r->health));
	json_add_int(health, "FailingStreak", r->failing);
	json_add(health, "Log", p->log ? json_object_get(p->log) : json_object_new_array());
	json_add(state, "Health", health);
}

static struct json_object *state_of(const struct inspect_container_parts *p)
{
	const struct record *r = &p->c->record;
	const char *status = container_status(p->c);
	bool restarting = streq(status, "restarting"), runs = container_is_running(p->c);
	struct json_object *o = json_object_new_object();

	json_add_text(o, "Status", status);
	json_add_bool(o, "Running", runs || restarting); /* docker says both of a restart */
	json_add_bool(o, "Paused", streq(status, "paused"));
	json_add_bool(o, "Restarting", restarting);
	json_add_bool(o, "OOMKilled", r->oom_killed);
	json_add_bool(o, "Dead", streq(status, "dead"));
	json_add_int(o, "Pid", runs ? r->pid : 0);
	json_add_int(o, "ExitCode", r->exit_code);
	json_add_text(o, "Error", r->error);
	add_time(o, "StartedAt", r->started);
	add_time(o, "FinishedAt", r->finished);
	add_health(o, p);
	return o;
}

/* --- Mounts ----------------------------------------------------------------------------------- */

static void add_mount(struct json_object *list, const struct config_mount *m, const char *root)
{
	static const char *const types[] = {
		[CONFIG_BIND] = "bind", [CONFIG_VOLUME] = "volume", [CONFIG_TMPFS] = "tmpfs"
	};
	_free_ char *data = xprintf("%s/volumes/%s/_data", root, m->source);
	struct json_object *o = json_object_new_object();
	bool is_volume = m->type == CONFIG_VOLUME;

	json_add_text(o, "Type", types[m->type]);
	if (is_volume)
		json_add_text(o, "Name", m->source);
	json_add_text(o, "Source", is_volume ? data : m->source);
	json_add_text(o, "Destination", m->target);
	if (is_volume)
		json_add_text(o, "Driver", "local");
	/* Docker's own word for a volume that a person named. */
	json_add_text(o, "Mode", m->read_only ? "ro" : is_volume && !m->anonymous ? "z" : "");
	json_add_bool(o, "RW", !m->read_only);
	json_add_text(o, "Propagation",
	        m->type != CONFIG_BIND              ? ""
	        : m->propagation && *m->propagation ? m->propagation
	                                            : "rprivate");
	(void) json_object_array_add(list, o);
}

struct json_object *inspect_mounts(const struct config *config, const char *root)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < config->n_mounts; i++)
		add_mount(list, &config->mounts[i], root);
	return list;
}

/* --- the rest --------------------------------------------------------------------------------- */

/* Path and Args: the entry point and the command in one list, its first member apart. */
static void add_program(struct json_object *o, const struct config *config)
{
	struct json_object *args = json_object_new_array();
	const char *const *const lists[] = { config->entrypoint, config->cmd };
	const char *program = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		for (const char *const *s = lists[i]; s && *s; s++) {
			if (program)
				(void) json_object_array_add(args, json_object_new_string(*s));
			else
				program = *s;
		}
	json_add_text(o, "Path", program ? program : "");
	json_add(o, "Args", args);
}

static struct json_object *graph_of(const struct inspect_container_parts *p)
{
	_buf_done_ struct buf lower = BUF_INIT(1 << 20);
	_free_ char *upper = xprintf("%s/fs/rw/%s/upper", p->root, p->c->id),
	            *work = xprintf("%s/fs/rw/%s/work", p->root, p->c->id);
	struct json_object *o = json_object_new_object(), *data = json_object_new_object();

	for (char *const *l = p->layers; l && *l; l++)
		(void) buf_addf(&lower, "%s%s/fs/%s", l == p->layers ? "" : ":", p->root, *l);
	json_add_text(data, "LowerDir", buf_str(&lower));
	json_add_text(data, "MergedDir", ""); /* mounted in the container's own namespace only */
	json_add_text(data, "UpperDir", upper);
	json_add_text(data, "WorkDir", work);
	json_add(o, "Data", data);
	json_add_text(o, "Name", "overlay2");
	return o;
}

/* A container has its loopback and nothing else. */
static struct json_object *network_of(void)
{
	static const char *const texts[] = { "Bridge", "SandboxID", "SandboxKey" },
	                         *const addresses[] = { "EndpointID", "Gateway",
		                         "GlobalIPv6Address", "IPAddress", "IPv6Gateway",
		                         "MacAddress" };
	struct json_object *o = json_object_new_object();

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		json_add_text(o, texts[i], "");
	json_add(o, "Ports", json_object_new_object());
	json_add_bool(o, "HairpinMode", false);
	json_add_text(o, "LinkLocalIPv6Address", "");
	json_add_int(o, "LinkLocalIPv6PrefixLen", 0);
	json_add(o, "SecondaryIPAddresses", NULL);
	json_add(o, "SecondaryIPv6Addresses", NULL);
	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++)
		json_add_text(o, addresses[i], "");
	json_add_int(o, "GlobalIPv6PrefixLen", 0);
	json_add_int(o, "IPPrefixLen", 0);
	json_add(o, "Networks", json_object_new_object());
	return o;
}

static void add_files(struct json_object *o, const struct inspect_container_parts *p)
{
	_free_ char *name = xprintf("/%s", p->c->name);

	/* They exist in the container's memory alone. */
	json_add_text(o, "ResolvConfPath", "");
	json_add_text(o, "HostnamePath", "");
	json_add_text(o, "HostsPath", "");
	if (streq(p->config->log_driver, "json-file"))
		add_path(o, "LogPath", p, "logs/log");
	else
		json_add_text(o, "LogPath", "");
	json_add_text(o, "Name", name);
}

static struct json_object *part_of(struct json_object *whole, const char *key)
{
	return json_object_get(json_object_object_get(whole, key));
}

struct json_object *inspect_container_object(const struct inspect_container_parts *p)
{
	_json_put_ struct json_object *config = config_to_json(p->config);
	_free_ char *image = xprintf("sha256:%s", p->c->image_id);
	struct json_object *o = json_object_new_object();

	json_add_text(o, "Id", p->c->id);
	add_time(o, "Created", p->c->created);
	add_program(o, p->config);
	json_add(o, "State", state_of(p));
	json_add_text(o, "Image", image);
	add_files(o, p);
	json_add_int(o, "RestartCount", p->c->record.restarts);
	json_add_text(o, "Driver", "overlay2");
	json_add_text(o, "Platform", "linux");
	json_add_text(o, "MountLabel", "");
	json_add_text(o, "ProcessLabel", "");
	json_add_text(o, "AppArmorProfile", "");
	json_add(o, "ExecIDs", NULL);
	json_add(o, "HostConfig", part_of(config, "HostConfig"));
	json_add(o, "GraphDriver", graph_of(p));
	if (p->has_size) {
		json_add_int(o, "SizeRw", (int64_t) p->size_rw);
		json_add_int(o, "SizeRootFs", (int64_t) (p->size_rw + p->size_image));
	}
	json_add(o, "Mounts", inspect_mounts(p->config, p->root));
	json_add(o, "Config", part_of(config, "Config"));
	json_add(o, "NetworkSettings", network_of());
	return o;
}

/* --- the log of health checks ----------------------------------------------------------------- */

static struct json_object *health_entry(const char *line, size_t len)
{
	static const struct json_limits limits = {
		.max_bytes = INSPECT_HEALTH_FILE_MAX,
		.max_depth = 1,
		.max_list = 4,
		.max_string = INSPECT_HEALTH_FILE_MAX,
	};
	static const struct {
		const char *key;
		enum json_type type;
	} keys[] = {
		{ "Start", json_type_string },
		{ "End", json_type_string },
		{ "ExitCode", json_type_int },
		{ "Output", json_type_string },
	};
	_json_put_ struct json_object *o = NULL;

	if (json_parse_bounded("health log", line, len, &limits, &o, NULL) < 0 ||
	        !json_object_is_type(o, json_type_object) ||
	        json_object_object_length(o) != (int) ARRAY_SIZE(keys))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (!json_object_is_type(json_object_object_get(o, keys[i].key), keys[i].type))
			return NULL;
	return TAKE_PTR(o);
}

struct json_object *inspect_health_log(const char *text, size_t len)
{
	struct json_object *list = json_object_new_array();

	while (len > 0) {
		const char *end = memchr(text, '\n', len);
		size_t n = end ? (size_t) (end - text) : len;
		struct json_object *entry = health_entry(text, n);

		if (entry)
			(void) json_object_array_add(list, entry);
		if (json_object_array_length(list) > INSPECT_HEALTH_LOG_MAX)
			(void) json_object_array_del_idx(list, 0, 1);
		n += end ? 1 : 0;
		text += n;
		len -= n;
	}
	return list;
}

static struct json_object *read_health_log(const struct container *c)
{
	_buf_done_ struct buf text = BUF_INIT(INSPECT_HEALTH_FILE_MAX);
	_close_ int fd = path_open_in(
	        c->dir, INSPECT_HEALTH_FILE, PATH_BENEATH_NO_LINKS, O_RDONLY | O_NONBLOCK, 0);

	if (fd < 0 || buf_read_fd(&text, fd) < 0)
		return json_object_new_array();
	return inspect_health_log(buf_str(&text), text.len);
}

int inspect_container(struct engine *e, const struct container *c, unsigned int flags,
        struct json_object **ret, struct err *err)
{
	_store_image_done_ struct store_image image = { .size = 0 };
	_config_free_ struct config *config = NULL;
	_json_put_ struct json_object *log = NULL;
	struct inspect_container_parts parts = { .c = c, .root = e->root };
	int r = container_config(e, c, &config, err);

	if (r < 0)
		return r;
	/* A foreign key keeps the image; only a damaged store has lost it, and then the rest is
	 * worth showing. */
	if (store_resolve(e->store, c->image_id, &image, NULL) == 0)
		parts.layers = image.layers;
	parts.config = config;
	if (c->record.health != RECORD_HEALTH_NONE)
		parts.log = log = read_health_log(c);
	if (flags & INSPECT_SIZE) {
		r = inspect_size(e, c, &parts.size_rw, err);
		if (r < 0)
			return r;
		parts.has_size = true;
		parts.size_image = image.size;
	}
	*ret = inspect_container_object(&parts);
	return 0;
}
