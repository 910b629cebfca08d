/* SPDX-License-Identifier: Apache-2.0 */
#include "bulkhead.h"
#include "confirm.h"
#include "prune.h"

#include "base/str.h"
#include "engine/volumes.h"

#define WARNING(which)                                                                             \
	"WARNING! This will remove " which                                                         \
	" local volumes not used by at least one container.\nAre you sure you want to continue?"

enum { OUTPUT_MAX = 64 << 20 };

struct values {
	bool all, force;
	char **filters;
};

#define AT(field) offsetof(struct values, field)
static const struct opt options[] = {
	{ "all", 'a', OPT_FLAG, NULL, "also volumes that have a name, not only anonymous ones",
	        AT(all), NULL },
	{ "filter", 0, OPT_LIST, "KEY=VALUE", "only what matches, e.g. label=KEY or label!=KEY",
	        AT(filters), NULL },
	{ "force", 'f', OPT_FLAG, NULL, "do not ask", AT(force), NULL },
};

/* The labels as volume_prune() takes them. */
static int read_filter(struct values *v, const char *filter, char ***labels, struct err *err)
{
	_free_ char *key = NULL, *not = NULL;
	const char *value = NULL;
	int r = prune_filter(filter, &key, &value, err);

	if (r < 0)
		return r;
	not = xprintf("!%s", value);
	if (streq(key, "label"))
		strv_add(labels, value);
	else if (streq(key, "label!"))
		strv_add(labels, not );
	else if (streq(key, "all") && (streq(value, "true") || streq(value, "1")))
		v->all = true;
	else if (!streq(key, "all") || !(streq(value, "false") || streq(value, "0")))
		return prune_unknown_filter(key, err);
	return 0;
}

static int prune(const struct global *global, struct values *v, char *const *labels,
        struct buf *out, struct err *err)
{
	_engine_done_ struct engine e = ENGINE_INIT;
	_cleanup_(strv_freep) char **names = NULL;
	uint64_t bytes = 0;
	int r = 0;

	if (v->force || confirm(v->all ? WARNING("all") : WARNING("anonymous"))) {
		r = engine_open(global->root, ENGINE_WRITE, &e, err);
		if (r == 0)
			r = volume_prune(&e, v->all, labels, &names, &bytes, err);
	}
	if (r < 0)
		return r;
	if (names)
		(void) buf_adds(out, "Deleted Volumes:\n");
	for (char **name = names; name && *name; name++)
		(void) buf_addf(out, "%s\n", *name);
	prune_total(out, bytes);
	return 0;
}

static int run(void *data, void *values, int argc, char **argv)
{
	_buf_done_ struct buf out = BUF_INIT(OUTPUT_MAX);
	_cleanup_(strv_freep) char **labels = NULL;
	struct values *v = values;
	struct err err;
	int r = 0;

	for (char **filter = v->filters; r == 0 && filter && *filter; filter++)
		r = read_filter(v, *filter, &labels, &err);
	v->filters = strv_free(v->filters);
	if (r == 0)
		r = prune(data, v, labels, &out, &err);
	return r < 0 ? fail(EXIT_ERROR, &err) : print_text(&out);
}

const struct opt_command command_volume_prune = {
	.name = "volume prune",
	.args = "",
	.help = "remove anonymous volumes that no container uses",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.values_size = sizeof(struct values),
	.run = run,
};
