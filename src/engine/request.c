/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/request.h"
#include "compile/compile.h"

#include "base/path.h"
#include "base/str.h"

#include <errno.h>

#define DEFAULT_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

enum { ENV_MAX = 4096, ARGS_MAX = 65536, HOSTNAME_DIGITS = 12, HOSTNAME_MAX = 64 };

/* A list under construction in an arena; the maximum is checked by the caller. */
struct list {
	const char **items;
	size_t n, max;
};

static void list_init(struct list *l, struct arena *a, size_t max)
{
	*l = (struct list){ .items = arena_new_n(a, const char *, max + 1), .max = max };
}

static void list_add(struct list *l, const char *item)
{
	if (l->n < l->max)
		l->items[l->n++] = item;
}

static size_t texts_len(const char *const *v)
{
	size_t n = 0;

	while (v && v[n])
		n++;
	return n;
}

/* Sets NAME=VALUE, replacing a variable of the same name. */
static void env_set(struct list *l, const char *entry)
{
	size_t name = strcspn(entry, "=") + 1;

	for (size_t i = 0; i < l->n; i++)
		if (strncmp(l->items[i], entry, name) == 0) {
			l->items[i] = entry;
			return;
		}
	list_add(l, entry);
}

/* One -e: KEY=VALUE, or KEY for our own value (left out when we have none). */
static int env_option(struct list *l, struct arena *a, const char *option, struct err *err)
{
	const char *value;

	if (*option == '=' || !*option) {
		_free_ char *shown = str_escaped(option);

		return err_set(
		        err, -EINVAL, "'%s' does not name a variable: use KEY=VALUE or KEY", shown);
	}
	if (strchr(option, '=')) {
		env_set(l, option);
		return 0;
	}
	value = getenv(option);
	if (value)
		env_set(l, arena_printf(a, "%s=%s", option, value));
	return 0;
}

/* PATH, HOSTNAME, then the image's, then the user's; HOME comes from the image's passwd, inside the
 * sandbox. */
static int set_env(const struct engine_request *request, const struct oci_image *image,
        struct oci_spec *spec, struct err *err)
{
	size_t n = texts_len(image->env) + strv_len(request->env) + 2;
	struct list l;

	if (n > ENV_MAX)
		return err_set(err, -E2BIG, "%zu environment variables are too many: at most %d", n,
		        ENV_MAX);
	list_init(&l, &spec->arena, n);
	list_add(&l, DEFAULT_PATH);
	list_add(&l, arena_printf(&spec->arena, "HOSTNAME=%s", spec->hostname));
	for (size_t i = 0; image->env[i]; i++)
		env_set(&l, image->env[i]);
	for (char *const *e = request->env; e && *e; e++) {
		int r = env_option(&l, &spec->arena, *e, err);

		if (r < 0)
			return r;
	}
	spec->process.env = l.items;
	return 0;
}

/* Entry point and command as docker combines them: --entrypoint drops the image's CMD. */
static int set_args(const struct engine_request *request, const struct oci_image *image,
        struct oci_spec *spec, struct err *err)
{
	const char *const *cmd = request->has_entrypoint ? NULL : image->cmd;
	size_t n = texts_len(image->entrypoint) + texts_len(cmd) + strv_len(request->args) + 1;
	struct list l;

	if (n > ARGS_MAX)
		return err_set(err, -E2BIG, "%zu arguments are too many: at most %d", n, ARGS_MAX);
	list_init(&l, &spec->arena, n);
	if (request->has_entrypoint) {
		if (*request->entrypoint)
			list_add(&l, request->entrypoint);
	} else {
		for (size_t i = 0; image->entrypoint[i]; i++)
			list_add(&l, image->entrypoint[i]);
	}
	if (strv_len(request->args) > 0) {
		for (char *const *arg = request->args; *arg; arg++)
			list_add(&l, *arg);
	} else {
		for (size_t i = 0; cmd && cmd[i]; i++)
			list_add(&l, cmd[i]);
	}
	if (l.n == 0)
		return err_set(err, -EINVAL,
		        "no command: the image has none of its own, so name one behind the image");
	spec->process.args = l.items;
	return 0;
}

static int set_cwd(const struct engine_request *request, const struct oci_image *image,
        struct oci_spec *spec, struct err *err)
{
	const char *dir = request->workdir ? request->workdir : image->working_dir;
	_free_ char *shown = NULL;

	if (!dir || !*dir)
		dir = "/";
	shown = str_escaped(dir);
	if (*dir != '/')
		return err_set(err, -EINVAL,
		        "the working folder '%s' is relative: use an absolute path", shown);
	spec->process.cwd = dir;
	return 0;
}

static int set_hostname(const struct engine_request *request, const char *id, struct oci_spec *spec,
        struct err *err)
{
	if (request->hostname &&
	        (!*request->hostname || strlen(request->hostname) > HOSTNAME_MAX)) {
		_free_ char *shown = str_escaped(request->hostname);

		return err_set(err, -EINVAL, "the host name '%s' must have 1 to %d bytes", shown,
		        HOSTNAME_MAX);
	}
	spec->hostname = request->hostname ? request->hostname
	                                   : arena_strndup(&spec->arena, id, HOSTNAME_DIGITS);
	return 0;
}

static void set_root(
        const struct request_place *place, struct oci_spec *spec, struct compile_ext *ext)
{
	struct compile_overlay *o = arena_new(&spec->arena, struct compile_overlay);

	*o = (struct compile_overlay){
		.base = place->fs_path,
		.layers = (const char *const *) place->stored->layers,
		.upper = place->container->upper,
		.work = place->container->work,
		.host_id = place->container->host_id,
		.size = PROFILE_IDS_SIZE,
	};
	ext->overlay = o;
	spec->root_path = "/";
}

int request_build(const struct engine_request *request, const struct oci_image *image,
        const struct request_place *place, struct oci_spec *spec, struct compile_ext *ext,
        struct err *err)
{
	const struct profile_limits limits = {
		.memory = request->memory,
		.nano_cpus = request->nano_cpus,
		.pids = request->pids_limit,
	};
	const char *user = request->user ? request->user : image->user;
	int r = profile_apply(spec, ext, place->host, &limits, place->container->host_id, err);

	if (r < 0)
		return r;
	spec->version = "1.3.0";
	spec->has_process = true;
	spec->root_readonly = request->read_only;
	spec->linux_.cgroups_path = place->container->cgroup;
	ext->user = user && *user ? user : "0";
	ext->create_cwd = true;
	set_root(place, spec, ext);
	r = set_hostname(request, place->container->id, spec, err);
	if (r == 0)
		r = set_env(request, image, spec, err);
	if (r == 0)
		r = set_args(request, image, spec, err);
	if (r == 0)
		r = set_cwd(request, image, spec, err);
	return r;
}
