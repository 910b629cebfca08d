/* SPDX-License-Identifier: Apache-2.0 */
#include "bulkhead.h"
#include "confirm.h"
#include "prune.h"

#include "base/str.h"
#include "engine/inspect.h"
#include "engine/list.h"
#include "format/units.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#define WARNING                                                                                    \
	"WARNING! This will remove all stopped containers.\nAre you sure you want to continue?"

enum { OUTPUT_MAX = 64 << 20 };

struct values {
	bool force;
	char **filters;
};

/* What the filters leave. */
struct wanted {
	char **with, **without; /* strv: KEY or KEY=VALUE */
	int64_t until;          /* made before; nanoseconds since 1970 */
};

#define AT(field) offsetof(struct values, field)
static const struct opt options[] = {
	{ "filter", 0, OPT_LIST, "KEY=VALUE",
	        "only what matches: until=TIME, label=KEY, label!=KEY, label=KEY=VALUE",
	        AT(filters), NULL },
	{ "force", 'f', OPT_FLAG, NULL, "do not ask", AT(force), NULL },
};

static void wanted_done(struct wanted *w)
{
	w->with = strv_free(w->with);
	w->without = strv_free(w->without);
}

/* --- filters ---------------------------------------------------------------------------------- */

static int64_t now_ns(void)
{
	struct timespec t;

	(void) clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static int read_filter(const char *filter, struct wanted *w, struct err *err)
{
	_free_ char *key = NULL;
	const char *value = NULL;
	int r = prune_filter(filter, &key, &value, err);

	if (r < 0)
		return r;
	if (streq(key, "until"))
		return format_parse_time(value, now_ns(), &w->until, err);
	if (!streq(key, "label") && !streq(key, "label!"))
		return prune_unknown_filter(key, err);
	strv_add(streq(key, "label") ? &w->with : &w->without, value);
	return 0;
}

static bool is_wanted(struct engine *e, const struct wanted *w, struct list_item *item)
{
	const struct container *c = item->c;
	const struct config *config = w->with || w->without ? list_item_config(e, item) : NULL;

	/* Whoever holds the record starts it, or is about to remove it. */
	if (c->alive || c->created >= w->until)
		return false;
	for (char **label = w->with; label && *label; label++)
		if (!list_has_label(config, *label))
			return false;
	for (char **label = w->without; label && *label; label++)
		if (list_has_label(config, *label))
			return false;
	return true;
}

/* --- the command ------------------------------------------------------------------------------ */

static int prune(
        const struct global *global, const struct wanted *w, struct buf *out, struct err *err)
{
	static const struct list_query query = { .all = true };
	_engine_done_ struct engine e = ENGINE_INIT;
	_list_done_ struct list list = { .n = 0 };
	uint64_t bytes = 0, size = 0;
	int r = engine_open(global->root, ENGINE_WRITE, &e, err);
	struct err why;

	if (r == 0)
		r = list_containers(&e, &query, &list, err);
	for (size_t i = 0; r == 0 && i < list.n; i++) {
		struct container *c = list.items[i].c;

		if (!is_wanted(&e, w, &list.items[i]) || container_look(&e, c, &why) < 0)
			continue;
		if (inspect_size(&e, c, &size, &why) < 0)
			size = 0; /* what cannot be counted can still be removed */
		if (container_remove(&e, c, 0, &why) < 0) {
			/* Started meanwhile, or something to tell; the others go all the same. */
			if (why.code != -EBUSY)
				(void) fprintf(stderr, "bulkhead: %s\n", why.text);
			continue;
		}
		(void) buf_addf(out, "%s%s\n", out->len ? "" : "Deleted Containers:\n", c->id);
		bytes += size;
	}
	if (r < 0)
		return r;
	prune_total(out, bytes);
	return 0;
}

static int run(void *data, void *values, int argc, char **argv)
{
	_cleanup_(wanted_done) struct wanted w = { .until = INT64_MAX };
	_buf_done_ struct buf out = BUF_INIT(OUTPUT_MAX);
	struct values *v = values;
	struct err err;
	int r = 0;

	for (char **filter = v->filters; r == 0 && filter && *filter; filter++)
		r = read_filter(*filter, &w, &err);
	v->filters = strv_free(v->filters);
	if (r == 0 && !v->force && !confirm(WARNING))
		return printf("Total reclaimed space: 0B\n") < 0 ? EXIT_ERROR : EXIT_OK;
	if (r == 0)
		r = prune(data, &w, &out, &err);
	return r < 0 ? fail(EXIT_ERROR, &err) : print_text(&out);
}

const struct opt_command command_container_prune = {
	.name = "container prune",
	.args = "",
	.help = "remove all containers that do not run",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.values_size = sizeof(struct values),
	.run = run,
};
