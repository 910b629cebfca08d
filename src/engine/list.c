/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/list.h"

#include "base/fd.h"
#include "base/str.h"
#include "store/store.h"

void list_done(struct list *list)
{
	for (size_t i = 0; i < list->n; i++)
		config_free(list->items[i].config);
	free(list->items);
	container_list_done(&list->containers);
	*list = (struct list){ .n = 0 };
}

const struct config *list_item_config(struct engine *e, struct list_item *item)
{
	if (!item->tried && container_look(e, item->c, NULL) == 0) {
		(void) container_config(e, item->c, &item->config, NULL);
		/* A list may be longer than the table of descriptors. */
		item->c->dir = fd_close(item->c->dir);
	}
	item->tried = true;
	return item->config;
}

static const char *value_of(const char *text, const char *key)
{
	size_t len = strlen(key);

	return str_has_prefix(text, key) && text[len] == '=' ? text + len + 1 : NULL;
}

/* --- filters about other containers and images ------------------------------------------------ */

/* What the filters mean, found out once. */
struct wanted {
	bool all, needs_config;
	bool has_before, has_since;
	int64_t before, since; /* when the named containers were made */
	struct store_image *ancestors;
	size_t n_ancestors;
	bool has_ancestor;
};

static void wanted_done(struct wanted *w)
{
	for (size_t i = 0; i < w->n_ancestors; i++)
		store_image_done(&w->ancestors[i]);
	free(w->ancestors);
}

static int find_time(struct engine *e, const char *text, int64_t *ret, struct err *err)
{
	_container_done_ struct container c = CONTAINER_INIT;
	int r = container_find(e, text, &c, err);

	if (r == 0)
		*ret = c.created;
	return r;
}

/* An image that is not there has no descendants; that is docker's answer too. */
static void add_ancestor(struct engine *e, const char *text, struct wanted *w)
{
	struct store_image image = { .size = 0 };

	w->has_ancestor = true;
	if (store_resolve(e->store, text, &image, NULL) < 0)
		return;
	w->ancestors = xrealloc_n(w->ancestors, w->n_ancestors + 1, sizeof(*w->ancestors));
	w->ancestors[w->n_ancestors++] = image;
}

static int understand(
        struct engine *e, const struct list_query *q, struct wanted *w, struct err *err)
{
	static const char *const with_config[] = { "expose", "label", "network", "volume" };
	int r = 0;

	w->all = q->all || q->last > 0;
	for (size_t n = 0; q->filters && q->filters[n] && r == 0; n++) {
		const char *text = q->filters[n], *value;

		w->all = w->all || value_of(text, "status");
		for (size_t i = 0; i < ARRAY_SIZE(with_config); i++)
			w->needs_config = w->needs_config || value_of(text, with_config[i]);
		if ((value = value_of(text, "ancestor"))) {
			add_ancestor(e, value, w);
		} else if ((value = value_of(text, "before"))) {
			w->has_before = true;
			r = find_time(e, value, &w->before, err);
		} else if ((value = value_of(text, "since"))) {
			w->has_since = true;
			r = find_time(e, value, &w->since, err);
		}
	}
	return r;
}

/* True when 'image' has the layers of 'ancestor' and more on top. Two images of the same layers are
 * siblings. Lists are top first. */
static bool descends(const struct store_image *image, const struct store_image *ancestor)
{
	size_t n = strv_len(image->layers), m = strv_len(ancestor->layers);

	if (m == 0 || m >= n)
		return false;
	for (size_t i = 0; i < m; i++)
		if (!streq(image->layers[n - m + i], ancestor->layers[i]))
			return false;
	return true;
}

static bool has_ancestor(struct engine *e, const struct container *c, const struct wanted *w)
{
	_store_image_done_ struct store_image image = { .size = 0 };

	if (!w->has_ancestor)
		return true;
	for (size_t i = 0; i < w->n_ancestors; i++)
		if (streq(c->image_id, w->ancestors[i].id))
			return true;
	if (w->n_ancestors == 0 || store_resolve(e->store, c->image_id, &image, NULL) < 0)
		return false;
	for (size_t i = 0; i < w->n_ancestors; i++)
		if (descends(&image, &w->ancestors[i]))
			return true;
	return false;
}

static bool is_wanted(struct engine *e, const struct list_query *q, const struct wanted *w,
        struct list_item *item)
{
	const struct container *c = item->c;

	if (!w->all && !container_is_running(c) && !streq(container_status(c), "restarting"))
		return false;
	if ((w->has_before && c->created >= w->before) || (w->has_since && c->created <= w->since))
		return false;
	return has_ancestor(e, c, w) &&
	       list_matches(q->filters, c, w->needs_config ? list_item_config(e, item) : NULL);
}

int list_containers(
        struct engine *e, const struct list_query *query, struct list *ret, struct err *err)
{
	_cleanup_(wanted_done) struct wanted wanted = { .all = false };
	_list_done_ struct list list = { .n = 0 };
	int r = list_check_filters(query->filters, err);

	if (r == 0)
		r = understand(e, query, &wanted, err);
	if (r == 0)
		r = container_list(e, &list.containers, err);
	if (r < 0)
		return r;
	list.items = xnew_n(struct list_item, list.containers.n + 1);
	for (size_t i = 0; i < list.containers.n; i++) {
		struct list_item *item = &list.items[list.n];

		if (query->last > 0 && list.n >= (size_t) query->last)
			break;
		*item = (struct list_item){ .c = &list.containers.items[i] };
		if (is_wanted(e, query, &wanted, item))
			list.n++;
		else
			config_free(item->config);
	}
	*ret = list;
	list = (struct list){ .n = 0 };
	return 0;
}
