/* SPDX-License-Identifier: Apache-2.0 */
#include "look.h"

#include "base/str.h"
#include "engine/inspect.h"
#include "engine/protection.h"
#include "engine/volumes.h"
#include "format/table.h"
#include "format/template.h"
#include "json/build.h"
#include "json/json.h"

#include <json-c/json_tokener.h>
#include <stdio.h>
#include <unistd.h>

enum {
	OUTPUT_MAX = 256 << 20,
	EXIT_TEMPLATE = 64, /* docker's for a template that cannot be parsed */
};

struct values {
	const char *format, *type;
	bool size, security;
};

/* One kind of object: 0, -ENOENT (it is not of this kind), or another error. */
struct kind {
	const char *type, *word;
	int (*look)(struct engine *e, const char *text, const struct values *v,
	        struct json_object **ret, struct err *err);
};

static int look_at_container(struct engine *e, const char *text, const struct values *v,
        struct json_object **ret, struct err *err)
{
	_container_done_ struct container c = CONTAINER_INIT;
	int r = container_find(e, text, &c, err);

	return r < 0 ? r : inspect_container(e, &c, v->size ? INSPECT_SIZE : 0, ret, err);
}

static int look_at_image(struct engine *e, const char *text, const struct values *v,
        struct json_object **ret, struct err *err)
{
	_store_image_done_ struct store_image image = { .size = 0 };
	int r = store_resolve(e->store, text, &image, err);

	return r < 0 ? r : inspect_image(e, &image, ret, err);
}

static int look_at_volume(struct engine *e, const char *text, const struct values *v,
        struct json_object **ret, struct err *err)
{
	_volume_done_ struct volume volume = { .name = NULL };
	int r = volume_find(e, text, &volume, err);

	if (r == 0)
		*ret = inspect_volume(&volume);
	return r;
}

static const struct kind container_kind = { "container", "container", look_at_container };
static const struct kind image_kind = { "image", "image", look_at_image };
static const struct kind volume_kind = { "volume", "volume", look_at_volume };
static const struct kind kinds[] = {
	{ "container", "container", look_at_container },
	{ "image", "image", look_at_image },
	{ "volume", "volume", look_at_volume },
};
/* Docker has these; here nothing is of them. */
static const char *const foreign_types[] = { "config", "network", "node", "plugin", "secret",
	"service", "task" };

/* What is looked for: some kinds in their order, and how the missing is called. */
struct search {
	const struct kind *kinds;
	size_t n;
	const char *word;
};

static int choose(const char *type, struct search *ret, struct err *err)
{
	_free_ char *shown = str_escaped(type ? type : "");

	*ret = (struct search){ kinds, ARRAY_SIZE(kinds), "object" };
	if (!type || !*type)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (streq(type, kinds[i].type)) {
			*ret = (struct search){ &kinds[i], 1, kinds[i].word };
			return 0;
		}
	for (size_t i = 0; i < ARRAY_SIZE(foreign_types); i++)
		if (streq(type, foreign_types[i])) {
			*ret = (struct search){ NULL, 0, foreign_types[i] };
			return 0;
		}
	return err_set(err, -EINVAL,
	        "\"%s\" is not a valid value for --type: container, image or volume is expected",
	        shown);
}

/* Docker's words, which scripts look for. */
static int not_found(const struct search *s, const char *text, struct err *err)
{
	_free_ char *shown = str_escaped(text);

	return err_set(err, -ENOENT, "No such %s: %s", s->word, shown);
}

static int look(struct engine *e, const struct search *s, const struct values *v, const char *text,
        struct json_object **ret, struct err *err)
{
	for (size_t i = 0; e->store && i < s->n; i++) {
		int r = s->kinds[i].look(e, text, v, ret, err);

		/* What cannot be the name of such a thing is none. */
		if (r != -ENOENT && r != -EINVAL)
			return r;
	}
	return not_found(s, text, err);
}

/* --- output ----------------------------------------------------------------------------------- */

/*
 * Docker's templates look at its own structures first and at their JSON only then: they see "ID"
 * where the JSON says "Id", and members that the JSON leaves out when they say nothing. So a
 * template that wants a name which is not there gets a second chance with those.
 */
static const struct {
	const char *part; /* NULL: the object itself; of a list: each member */
	const char *key, *value;
} left_out[] = {
	{ NULL, "SizeRw", "null" },
	{ NULL, "SizeRootFs", "null" },
	{ "State", "Health", "null" },
	{ "Mounts", "Name", "\"\"" },
	{ "Mounts", "Driver", "\"\"" },
	{ "Config", "ArgsEscaped", "false" },
	{ "Config", "ExposedPorts", "{}" },
	{ "Config", "Healthcheck", "null" },
	{ "Config", "MacAddress", "\"\"" },
	{ "Config", "NetworkDisabled", "false" },
	{ "Config", "Shell", "[]" },
	{ "Config", "StopSignal", "\"\"" },
	{ "Config", "StopTimeout", "null" },
	{ "HostConfig", "Annotations", "{}" },
	{ "HostConfig", "Init", "null" },
	{ "HostConfig", "Mounts", "[]" },
	{ "HostConfig", "StorageOpt", "{}" },
	{ "HostConfig", "Sysctls", "{}" },
	{ "HostConfig", "Tmpfs", "{}" },
};

static void add_left_out(struct json_object *o, const char *key, const char *value)
{
	if (json_object_is_type(o, json_type_object) && !json_object_object_get_ex(o, key, NULL))
		json_add(o, key, json_tokener_parse(value));
}

static void complete(struct json_object *o)
{
	struct json_object *id;

	if (json_object_object_get_ex(o, "Id", &id))
		json_add(o, "ID", json_object_get(id));
	for (size_t i = 0; i < ARRAY_SIZE(left_out); i++) {
		struct json_object *part = o;

		if (left_out[i].part)
			part = json_object_object_get(o, left_out[i].part);
		if (!json_object_is_type(part, json_type_array)) {
			add_left_out(part, left_out[i].key, left_out[i].value);
			continue;
		}
		for (size_t k = 0; k < json_object_array_length(part); k++)
			add_left_out(json_object_array_get_idx(part, k), left_out[i].key,
			        left_out[i].value);
	}
}

static bool is_template(const char *format)
{
	return format && *format && !streq(format, "json");
}

/* The objects, or with a template that fails docker's empty line. */
static int print_objects(const struct values *v, struct json_object *objects, struct err *err)
{
	_buf_done_ struct buf out = BUF_INIT(OUTPUT_MAX);
	bool clean = isatty(1) != 0;
	int r = format_inspect(v->format, clean, objects, &out, err);

	if (r == -ENOENT) {
		for (size_t i = 0; i < json_object_array_length(objects); i++)
			complete(json_object_array_get_idx(objects, i));
		/* The first error is the one to tell. */
		if (format_inspect(v->format, clean, objects, &out, NULL) == 0)
			r = 0;
	}
	if (is_template(v->format) && out.len == 0)
		(void) buf_addc(&out, '\n');
	if (print_text(&out) != EXIT_OK && r == 0)
		r = err_set(err, -EPIPE, "cannot write to standard output");
	return r;
}

/* Prints what there is, also when something is missing; then says what. */
static int inspect_all(
        struct engine *e, const struct search *s, const struct values *v, int argc, char **argv)
{
	_json_put_ struct json_object *objects = json_object_new_array();
	_buf_done_ struct buf missing = BUF_INIT(1 << 20);
	struct err err;

	for (int i = 0; i < argc; i++) {
		struct json_object *o = NULL;

		if (look(e, s, v, argv[i], &o, &err) < 0)
			(void) buf_addf(&missing, "Error: %s\n", err.text);
		else
			(void) json_object_array_add(objects, o);
	}
	if (print_objects(v, objects, &err) < 0)
		(void) buf_addf(&missing, "Error: %s\n", err.text);
	(void) fputs(buf_str(&missing), stderr);
	return missing.len > 0 ? EXIT_ERROR : EXIT_OK;
}

static int print_security(struct engine *e, int argc, char **argv)
{
	int code = EXIT_OK;

	for (int i = 0; i < argc; i++) {
		_container_done_ struct container c = CONTAINER_INIT;
		_buf_done_ struct buf out = BUF_INIT(OUTPUT_MAX);
		struct search search = { &container_kind, 1, "container" };
		struct err err;
		int r = e->store ? container_find(e, argv[i], &c, &err)
		                 : not_found(&search, argv[i], &err);

		if (r == 0)
			r = protection_describe(e, &c, &out, &err);
		if (r < 0)
			look_error(err.text);
		if (r < 0 || print_text(&out) != EXIT_OK)
			code = EXIT_ERROR;
	}
	return code;
}

static int check_format(const struct values *v, struct err *err)
{
	_template_free_ struct template *t = NULL;
	int r = is_template(v->format) ? template_parse(v->format, 0, &t, err) : 0;

	return r < 0 ? err_prefix(err, r, "template parsing error") : 0;
}

static int inspect(const struct global *global, const struct search *s, const struct values *v,
        int argc, char **argv)
{
	_engine_done_ struct engine e = ENGINE_INIT;
	struct err err;
	int r = check_format(v, &err);

	if (r < 0)
		return fail(EXIT_TEMPLATE, &err);
	/* No store yet is a store with nothing in it. */
	r = engine_open(global->root, ENGINE_READ, &e, &err);

	if (r < 0 && r != -ENOENT)
		return fail(EXIT_ERROR, &err);
	if (v->security)
		return print_security(&e, argc, argv);
	return inspect_all(&e, s, v, argc, argv);
}

/* --- the commands ----------------------------------------------------------------------------- */

#define AT(field) offsetof(struct values, field)
static const struct opt format_option = { "format", 'f', OPT_TEXT, "FORMAT",
	"'json', or a Go template for each object", AT(format), NULL };
#define SIZE_OPTION                                                                                \
	{                                                                                          \
		"size", 's', OPT_FLAG, NULL, "also SizeRw and SizeRootFs of containers", AT(size), \
		        NULL                                                                       \
	}
#define SECURITY_OPTION                                                                            \
	{                                                                                          \
		"security", 0, OPT_FLAG, NULL, "say what protects the containers, in words",       \
		        AT(security), NULL                                                         \
	}
#define FORMAT_OPTION                                                                              \
	{                                                                                          \
		"format", 'f', OPT_TEXT, "FORMAT", "'json', or a Go template for each object",     \
		        AT(format), NULL                                                           \
	}

static const struct opt options[] = {
	FORMAT_OPTION,
	SECURITY_OPTION,
	SIZE_OPTION,
	{ "type", 0, OPT_TEXT, "TYPE", "look only for a container, image or volume", AT(type),
	        NULL },
};
static const struct opt container_options[] = { FORMAT_OPTION, SECURITY_OPTION, SIZE_OPTION };

static int run(void *data, void *values, int argc, char **argv)
{
	struct values *v = values;
	struct search search;
	struct err err;

	if (choose(v->type, &search, &err) < 0)
		return fail(EXIT_ERROR, &err);
	if (v->size && search.n == 1 && search.kinds->look != look_at_container)
		(void) fprintf(stderr, "WARNING: --size ignored for %ss\n", search.word);
	return inspect(data, &search, v, argc, argv);
}

static int run_container(void *data, void *values, int argc, char **argv)
{
	const struct search search = { &container_kind, 1, "container" };

	return inspect(data, &search, values, argc, argv);
}

static int run_image(void *data, void *values, int argc, char **argv)
{
	const struct search search = { &image_kind, 1, "image" };

	return inspect(data, &search, values, argc, argv);
}

static int run_volume(void *data, void *values, int argc, char **argv)
{
	const struct search search = { &volume_kind, 1, "volume" };

	return inspect(data, &search, values, argc, argv);
}

#define COMMAND(words, names, text, table, n, function)                                            \
	{                                                                                          \
		.name = (words), .args = names " [" names "...]", .help = (text),                  \
		.options = (table), .n_options = (n), .min_args = 1, .max_args = -1,               \
		.mixed = true, .values_size = sizeof(struct values), .run = (function),            \
	}
const struct opt_command command_inspect = COMMAND("inspect", "NAME|ID",
        "show all about containers, images and volumes", options, ARRAY_SIZE(options), run);
const struct opt_command command_container_inspect = COMMAND("container inspect", "CONTAINER", NULL,
        container_options, ARRAY_SIZE(container_options), run_container);
const struct opt_command command_image_inspect = COMMAND(
        "image inspect", "IMAGE", NULL, &format_option, 1, run_image);
const struct opt_command command_volume_inspect = COMMAND(
        "volume inspect", "VOLUME", "show all about volumes", &format_option, 1, run_volume);
