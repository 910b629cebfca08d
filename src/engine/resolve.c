/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the image fills in, by docker's rules. Everything of the image is hostile text: here it is
 * combined only, and config_check() judges the whole.
 */
#include "engine/request.h"

#include "base/path.h"
#include "base/str.h"
#include "caps/caps.h"
#include "engine/config_fields.h"
#include "engine/texts.h"

#include <errno.h>

#define DEFAULT_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

enum { HOSTNAME_DIGITS = 12 };

static bool is_given(const char *text)
{
	return text && *text;
}

/* --entrypoint drops the image's CMD, and so does a command of the user. */
static int resolve_command(
        struct config *c, bool has_entrypoint, const struct oci_image *image, struct err *err)
{
	bool cleared = has_entrypoint && c->entrypoint[0] && !*c->entrypoint[0] &&
	               !c->entrypoint[1];

	if (!has_entrypoint) {
		if (!c->cmd[0])
			c->cmd = image->cmd;
		c->entrypoint = image->entrypoint;
	}
	if (cleared)
		c->entrypoint = config_no_texts;
	if (c->entrypoint[0] || c->cmd[0])
		return 0;
	return err_set(err, -EINVAL, "no command specified");
}

/* PATH, HOSTNAME, TERM, then the image's, then the user's; HOME comes from the image's passwd,
 * inside the sandbox. */
static void resolve_env(struct config *c, const struct oci_image *image)
{
	struct texts env;

	texts_init(&env, &c->arena);
	texts_add(&env, DEFAULT_PATH);
	texts_add(&env, arena_printf(&c->arena, "HOSTNAME=%s", c->hostname));
	if (c->tty)
		texts_add(&env, "TERM=xterm");
	for (size_t i = 0; image->env[i]; i++)
		texts_set_env(&env, image->env[i]);
	for (size_t i = 0; c->env[i]; i++) {
		if (strchr(c->env[i], '='))
			texts_set_env(&env, c->env[i]);
		else
			texts_unset_env(&env, c->env[i]);
	}
	c->env = env.items;
}

static const char *find_label(const struct oci_kv *list, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (streq(list[i].key, key))
			return list[i].value;
	return NULL;
}

/* The user's go before the image's, and a later one before an earlier one. */
static void resolve_labels(struct config *c, const struct oci_image *image)
{
	struct oci_kv *all = arena_new_n(
	        &c->arena, struct oci_kv, c->n_labels + image->n_labels + 1);
	size_t n = 0;

	for (size_t i = 0; i < image->n_labels; i++)
		if (!find_label(c->labels, c->n_labels, image->labels[i].key))
			all[n++] = image->labels[i];
	for (size_t i = 0; i < c->n_labels; i++)
		if (!find_label(c->labels + i + 1, c->n_labels - i - 1, c->labels[i].key))
			all[n++] = c->labels[i];
	c->labels = all;
	c->n_labels = n;
}

static void resolve_ports(struct config *c, const struct oci_image *image)
{
	struct texts ports;

	texts_init(&ports, &c->arena);
	texts_add_all(&ports, c->exposed_ports);
	for (size_t i = 0; image->exposed_ports[i]; i++)
		if (!texts_have(ports.items, image->exposed_ports[i]))
			texts_add(&ports, image->exposed_ports[i]);
	c->exposed_ports = ports.items;
}

/* Each field that the user left open is the image's. */
static int resolve_health(struct config *c, const struct oci_image *image, struct err *err)
{
	static const struct json_limits limits = {
		.max_bytes = OCI_IMAGE_DOC_MAX,
		.max_depth = 4,
		.max_list = CONFIG_LIST_MAX,
		.max_string = 1 << 20,
	};
	struct config_health *h = &c->health, of_image = { 0 };
	_json_put_ struct json_object *object = NULL;
	struct json_read r = {
		.document = "image config: Healthcheck", .arena = &c->arena, .err = err
	};
	int code;

	if (!image->healthcheck)
		return 0;
	code = json_parse_bounded(
	        r.document, image->healthcheck, strlen(image->healthcheck), &limits, &object, err);
	if (code == 0)
		code = json_read_object(&r, &config_health_table, object, &of_image);
	if (code < 0)
		return code;
	if (!h->test || !h->test[0])
		h->test = of_image.test;
	h->interval = h->interval ? h->interval : of_image.interval;
	h->timeout = h->timeout ? h->timeout : of_image.timeout;
	h->start_period = h->start_period ? h->start_period : of_image.start_period;
	h->start_interval = h->start_interval ? h->start_interval : of_image.start_interval;
	h->retries = h->retries ? h->retries : of_image.retries;
	return 0;
}

static bool is_mounted(const struct config *c, const char *target)
{
	for (size_t i = 0; i < c->n_mounts; i++)
		if (streq(c->mounts[i].target, target))
			return true;
	return false;
}

/* VOLUME of the image: an anonymous volume, unless something else is mounted there. */
static int resolve_volumes(struct config *c, const struct oci_image *image, struct err *err)
{
	size_t n = texts_len(image->volumes);
	struct config_mount *all = arena_new_n(&c->arena, struct config_mount, c->n_mounts + n + 1);

	if (n > CONFIG_LIST_MAX)
		return err_set(err, -E2BIG, "the image has %zu volumes: at most %d are possible", n,
		        CONFIG_LIST_MAX);
	if (c->n_mounts > 0)
		memcpy(all, c->mounts, c->n_mounts * sizeof(*all));
	c->mounts = all;
	for (size_t i = 0; i < n; i++) {
		_free_ char *clean = path_clean(image->volumes[i]);

		if (*image->volumes[i] != '/') {
			_free_ char *shown = str_escaped(image->volumes[i]);

			return err_set(err, -EINVAL,
			        "the image's volume '%s' is not an absolute path", shown);
		}
		if (is_mounted(c, clean))
			continue;
		all[c->n_mounts++] = (struct config_mount){
			.type = CONFIG_VOLUME,
			.source = "",
			.target = arena_strdup(&c->arena, clean),
			.anonymous = true,
			.from_image = true,
		};
	}
	c->image_volumes = image->volumes;
	return 0;
}

/* "net_admin" -> "CAP_NET_ADMIN", as docker shows it; names that are not known stay for
 * config_check(). */
static const char *const *normal_caps(struct config *c, const char *const *list)
{
	struct texts out;

	texts_init(&out, &c->arena);
	for (; *list; list++) {
		int cap = caps_number(*list);

		texts_add(&out, cap >= 0 ? caps_name(cap) : *list);
	}
	return out.items;
}

static const char *own_text(struct config *c, const char *given, const char *of_image)
{
	if (is_given(given))
		return given;
	return is_given(of_image) ? arena_strdup(&c->arena, of_image) : "";
}

static const char *const *own_texts(struct config *c, const char *const *list)
{
	struct texts out;

	texts_init(&out, &c->arena);
	for (; *list; list++)
		texts_add(&out, arena_strdup(&c->arena, *list));
	return out.items;
}

/* The image's memory ends before the configuration's: its texts are copied. */
static void own_all(struct config *c)
{
	struct oci_kv *labels = arena_new_n(&c->arena, struct oci_kv, c->n_labels + 1);

	c->entrypoint = own_texts(c, c->entrypoint);
	c->cmd = own_texts(c, c->cmd);
	c->env = own_texts(c, c->env);
	c->exposed_ports = own_texts(c, c->exposed_ports);
	c->image_volumes = own_texts(c, c->image_volumes);
	for (size_t i = 0; i < c->n_labels; i++)
		labels[i] = (struct oci_kv){
			arena_strdup(&c->arena, c->labels[i].key),
			arena_strdup(&c->arena, c->labels[i].value),
		};
	c->labels = labels;
}

int config_resolve(struct config *config, bool has_entrypoint, const struct oci_image *image,
        const char *id, struct err *err)
{
	int r = resolve_command(config, has_entrypoint, image, err);

	if (r == 0)
		r = resolve_health(config, image, err);
	if (r == 0)
		r = resolve_volumes(config, image, err);
	if (r < 0)
		return r;
	if (!is_given(config->hostname))
		config->hostname = arena_strndup(&config->arena, id, HOSTNAME_DIGITS);
	config->user = own_text(config, config->user, image->user);
	config->workdir = own_text(config, config->workdir, image->working_dir);
	config->stop_signal = own_text(config, config->stop_signal, image->stop_signal);
	if (!config->has_stop_timeout && image->has_stop_timeout) {
		config->has_stop_timeout = true;
		config->stop_timeout = MAX(image->stop_timeout, INT64_C(-1));
	}
	resolve_env(config, image);
	resolve_labels(config, image);
	resolve_ports(config, image);
	config->cap_add = normal_caps(config, config->cap_add);
	config->cap_drop = normal_caps(config, config->cap_drop);
	own_all(config);
	config->weakened = config_grants(config, NULL) > 0;
	return 0;
}
