/* SPDX-License-Identifier: Apache-2.0 */
#include "look.h"

#include "base/str.h"
#include "engine/inspect.h"
#include "engine/list.h"
#include "format/table.h"
#include "format/units.h"
#include "json/build.h"
#include "json/json.h"

#include <time.h>
#include <unistd.h>

enum {
	SECOND = 1000000000,
	OUTPUT_MAX = 64 << 20,
	COMMAND_COLUMNS = 20,
	MOUNT_COLUMNS = 15,
};

struct values {
	bool all, quiet, latest, size, no_trunc;
	const char *format;
	char **filters;
	int64_t last;
};

static int parse_last(const char *text, void *field, struct err *err)
{
	if (num_parse_i64(text, field) < 0)
		return err_set(err, -EINVAL, "expected a number of containers");
	return 0;
}

#define AT(field) offsetof(struct values, field)
static const struct opt options[] = {
	{ "all", 'a', OPT_FLAG, NULL, "show all containers, not only those that run", AT(all),
	        NULL },
	{ "filter", 'f', OPT_LIST, "KEY=VALUE", "show only what matches, e.g. status=exited",
	        AT(filters), NULL },
	{ "format", 0, OPT_TEXT, "FORMAT", "'table', 'table TEMPLATE', 'json', or a Go template",
	        AT(format), NULL },
	{ "last", 'n', OPT_PARSE, "N", "show the N containers made last, whatever they do",
	        AT(last), parse_last },
	{ "latest", 'l', OPT_FLAG, NULL, "show the container made last, whatever it does",
	        AT(latest), NULL },
	{ "no-trunc", 0, OPT_FLAG, NULL, "cut nothing", AT(no_trunc), NULL },
	{ "quiet", 'q', OPT_FLAG, NULL, "print ids only", AT(quiet), NULL },
	{ "size", 's', OPT_FLAG, NULL, "show how much each container has written", AT(size), NULL },
};

/* The images that names mean now: few, for many containers. */
struct image_cache {
	struct {
		char *name;
		char id[STORE_ID_SIZE]; /* "": none */
		uint64_t size;
	} * items;
	size_t n;
};

enum { FIELDS = 15 };

/* What goes into the rows. */
struct page {
	struct engine *e;
	const struct values *v;
	int64_t now;
	bool size; /* sizes are asked for */
	struct image_cache images;
	struct list *list;
	bool wanted[FIELDS]; /* by the output */
};

static void page_done(struct page *p)
{
	for (size_t i = 0; i < p->images.n; i++)
		free(p->images.items[i].name);
	free(p->images.items);
}

static size_t find_image(struct page *p, const char *name)
{
	_store_image_done_ struct store_image image = { .size = 0 };
	struct image_cache *cache = &p->images;

	for (size_t i = 0; i < cache->n; i++)
		if (streq(cache->items[i].name, name))
			return i;
	(void) store_resolve(p->e->store, name, &image, NULL);
	cache->items = xrealloc_n(cache->items, cache->n + 1, sizeof(*cache->items));
	cache->items[cache->n].name = xstrdup(name);
	memcpy(cache->items[cache->n].id, image.id, sizeof(image.id));
	cache->items[cache->n].size = image.size;
	return cache->n++;
}

/* --- cells ------------------------------------------------------------------------------------ */

static char *cut(const struct page *p, const char *text, size_t columns)
{
	return p->v->no_trunc ? xstrdup(text) : list_cut(text, columns);
}

static char *short_id(const struct page *p, const char *id)
{
	return xstrndup(id, p->v->no_trunc ? strlen(id) : CONTAINER_SHORT_ID);
}

static char *id_cell(struct page *p, struct list_item *item)
{
	return short_id(p, item->c->id);
}

static char *name_cell(struct page *p, struct list_item *item)
{
	return xstrdup(item->c->name);
}

/* As the user named it, while that still means the image the container was made of. */
static char *image_cell(struct page *p, struct list_item *item)
{
	const struct container *c = item->c;
	const char *name = c->image && *c->image ? c->image : c->image_id;
	size_t i = find_image(p, name); /* may move the items */
	bool is_same = streq(p->images.items[i].id, c->image_id);

	if (is_same && !str_has_prefix(name, "sha256:") && !streq(name, c->image_id))
		return xstrdup(name);
	return p->v->no_trunc ? xprintf("sha256:%s", c->image_id) : short_id(p, c->image_id);
}

static char *command_cell(struct page *p, struct list_item *item)
{
	_free_ char *shown = cut(p, item->c->command ? item->c->command : "", COMMAND_COLUMNS);

	return list_quoted(shown);
}

static char *created_cell(struct page *p, struct list_item *item)
{
	char text[FORMAT_TIME_SIZE];

	format_time_local(text, item->c->created / SECOND);
	return xstrdup(text);
}

static char *running_for_cell(struct page *p, struct list_item *item)
{
	return format_ago(p->now, item->c->created / SECOND);
}

static char *state_cell(struct page *p, struct list_item *item)
{
	return xstrdup(container_status(item->c));
}

static char *status_cell(struct page *p, struct list_item *item)
{
	return list_status(item->c, p->now);
}

/* Nothing is published in this version. */
static char *ports_cell(struct page *p, struct list_item *item)
{
	return xstrdup("");
}

/* Docker knows it of images that are not its own machine's. */
static char *platform_cell(struct page *p, struct list_item *item)
{
	return NULL;
}

static char *labels_cell(struct page *p, struct list_item *item)
{
	const struct config *config = list_item_config(p->e, item);
	struct buf out = BUF_INIT(CONFIG_SIZE_MAX);

	for (size_t i = 0; config && i < config->n_labels; i++)
		(void) buf_addf(&out, "%s%s=%s", i > 0 ? "," : "", config->labels[i].key,
		        config->labels[i].value);
	return buf_take(&out);
}

static char *mounts_cell(struct page *p, struct list_item *item)
{
	const struct config *config = list_item_config(p->e, item);
	struct buf out = BUF_INIT(CONFIG_SIZE_MAX);
	bool first = true;

	for (size_t i = 0; config && i < config->n_mounts; i++) {
		_free_ char *name = cut(p, config->mounts[i].source, MOUNT_COLUMNS);

		if (!*name) /* a tmpfs */
			continue;
		(void) buf_addf(&out, "%s%s", first ? "" : ",", name);
		first = false;
	}
	return buf_take(&out);
}

static char *volumes_cell(struct page *p, struct list_item *item)
{
	const struct config *config = list_item_config(p->e, item);
	size_t n = 0;

	for (size_t i = 0; config && i < config->n_mounts; i++)
		n += config->mounts[i].type == CONFIG_VOLUME ? 1 : 0;
	return xprintf("%zu", n);
}

static char *networks_cell(struct page *p, struct list_item *item)
{
	const struct config *config = list_item_config(p->e, item);

	return xstrdup(config ? config->network_mode : "");
}

static char *size_cell(struct page *p, struct list_item *item)
{
	char written[FORMAT_UNIT_SIZE], whole[FORMAT_UNIT_SIZE];
	uint64_t bytes = 0;
	size_t i;

	if (!p->size || inspect_size(p->e, item->c, &bytes, NULL) < 0)
		return xstrdup("0B");
	i = find_image(p, item->c->image_id);
	format_size(written, bytes, 3);
	format_size(whole, bytes + p->images.items[i].size, 3);
	return xprintf("%s (virtual %s)", written, whole);
}

/* --- columns ---------------------------------------------------------------------------------- */

static const struct format_header headers[] = {
	{ "Command", "COMMAND" },
	{ "CreatedAt", "CREATED AT" },
	{ "ID", "CONTAINER ID" },
	{ "Image", "IMAGE" },
	{ "Labels", "LABELS" },
	{ "LocalVolumes", "LOCAL VOLUMES" },
	{ "Mounts", "MOUNTS" },
	{ "Names", "NAMES" },
	{ "Networks", "NETWORKS" },
	{ "Platform", "PLATFORM" },
	{ "Ports", "PORTS" },
	{ "RunningFor", "CREATED" },
	{ "Size", "SIZE" },
	{ "State", "STATE" },
	{ "Status", "STATUS" },
	{ NULL, NULL },
};
/* In the same order. Only what the output contains is found out. */
static char *(*const cells[])(struct page *p, struct list_item *item) = {
	command_cell,
	created_cell,
	id_cell,
	image_cell,
	labels_cell,
	volumes_cell,
	mounts_cell,
	name_cell,
	networks_cell,
	platform_cell,
	ports_cell,
	running_for_cell,
	size_cell,
	state_cell,
	status_cell,
};
_Static_assert(ARRAY_SIZE(headers) == ARRAY_SIZE(cells) + 1, "a header for each cell");
_Static_assert(ARRAY_SIZE(cells) == FIELDS, "struct page has a switch for each");

#define COLUMNS                                                                                    \
	"{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}"

/* What {{.Label "key"}} reads. */
static void add_labels(const struct page *p, struct list_item *item, struct json_object *labels)
{
	const struct config *config = list_item_config(p->e, item);

	for (size_t i = 0; config && i < config->n_labels; i++)
		json_add_text(labels, config->labels[i].key, config->labels[i].value);
}

static void make_row(void *data, size_t n, struct json_object *row, struct json_object *labels)
{
	struct page *p = data;
	struct list_item *item = &p->list->items[n];

	for (size_t i = 0; i < ARRAY_SIZE(cells); i++) {
		_free_ char *text = p->wanted[i] ? cells[i](p, item) : NULL;

		if (p->wanted[i])
			json_add_text(row, headers[i].field, text);
	}
	if (labels)
		add_labels(p, item, labels);
}

/* --- the command ------------------------------------------------------------------------------ */

/* A template with a wrong name is one also when there is no row that it could fail with. */
static int check_names(const struct format_list *format, struct err *err)
{
	_json_put_ struct json_object *rows = json_object_new_array();
	_buf_done_ struct buf ignored = BUF_INIT(OUTPUT_MAX);
	struct json_object *row = json_object_new_object();
	int r;

	for (const struct format_header *h = headers; h->field; h++)
		json_add_text(row, h->field, "");
	(void) json_object_array_add(rows, row);
	r = format_list(format, rows, &ignored, err);
	return r == -ENOENT ? r : 0;
}

/* No store yet is a store without containers. */
static bool has_lost(const struct list *list)
{
	for (size_t i = 0; i < list->containers.n; i++)
		if (list->containers.items[i].lost)
			return true;
	return false;
}

static int find_containers(struct global *global, const struct list_query *query, struct engine *e,
        struct list *ret, struct err *err)
{
	int r = list_check_filters(query->filters, err);

	if (r == 0)
		r = engine_open(global->root, ENGINE_READ, e, err);
	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = list_containers(e, query, ret, err);
	if (r < 0 || !has_lost(ret))
		return r;
	/* A shim was killed: what it left is put in order first, as any command does. */
	list_done(ret);
	*ret = (struct list){ .n = 0 };
	engine_done(e);
	r = engine_open(global->root, ENGINE_WRITE, e, err);
	return r < 0 ? r : list_containers(e, query, ret, err);
}

static int print_list(struct engine *e, const struct values *v, struct list *list, struct err *err)
{
	_buf_done_ struct buf out = BUF_INIT(OUTPUT_MAX);
	struct format_list format = {
		.spec = v->format,
		.table = v->size ? COLUMNS "\t{{.Size}}" : COLUMNS,
		.quiet = v->quiet ? "{{.ID}}" : NULL,
		.headers = headers,
		.clean = isatty(1) != 0,
	};
	_cleanup_(page_done) struct page p = {
		.e = e,
		.v = v,
		.now = time(NULL),
		/* "json" alone does not ask for what is slow to find out. */
		.size = v->size || (v->format && !streq(v->format, "json")),
		.list = list,
	};
	const struct format_rows rows = {
		.n = list->n,
		.make = make_row,
		.data = &p,
		.labels = format_list_uses(&format, "Label"),
	};
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(cells); i++)
		p.wanted[i] = format_list_uses(&format, headers[i].field);
	r = list->n == 0 ? check_names(&format, err) : 0;
	if (r == 0)
		r = format_list_rows(&format, &rows, &out, err);
	return r < 0 ? r : print_text(&out);
}

static int run_values(struct global *global, const struct values *v)
{
	_engine_done_ struct engine e = ENGINE_INIT;
	_list_done_ struct list list = { .n = 0 };
	const struct list_query query = {
		.all = v->all,
		.last = v->latest ? 1 : v->last,
		.filters = v->filters,
	};
	const struct format_list check = {
		.spec = v->format, .table = COLUMNS, .headers = headers
	};
	struct err err;
	int r;

	if (look_check_filters(v->filters, &err) < 0)
		return fail(EXIT_ENGINE, &err);
	r = format_list_check(&check, &err);
	if (r == 0)
		r = find_containers(global, &query, &e, &list, &err);
	if (r == 0)
		r = print_list(&e, v, &list, &err);
	return r < 0 ? fail(EXIT_ERROR, &err) : r;
}

static int run(void *data, void *values, int argc, char **argv)
{
	struct values *v = values;
	int code = run_values(data, v);

	v->filters = strv_free(v->filters);
	return code;
}

#define PS_COMMAND(words, text)                                                                    \
	{                                                                                          \
		.name = (words), .args = "", .help = (text), .options = options,                   \
		.n_options = ARRAY_SIZE(options), .values_size = sizeof(struct values),            \
		.run = run,                                                                        \
	}
const struct opt_command command_ps = PS_COMMAND("ps", "list containers");
const struct opt_command command_container_ls = PS_COMMAND("container ls", NULL);
const struct opt_command command_container_ps = PS_COMMAND("container ps", NULL);
const struct opt_command command_container_list = PS_COMMAND("container list", NULL);
