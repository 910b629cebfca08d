/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/event_names.h"

#include "base/str.h"
#include "engine/containers.h"
#include "json/build.h"
#include "json/json.h"

void event_names_done(struct event_names *names)
{
	(void) json_object_put(names->by_id);
	names->by_id = NULL;
}

static bool contains(const char *line, size_t len, const char *text)
{
	return memmem(line, len, text, strlen(text)) != NULL;
}

bool event_names_teaches(const char *line, size_t len)
{
	return contains(line, len, "\"action\":\"create\"") ||
	       contains(line, len, "\"action\":\"rename\"");
}

static struct json_object *actor(struct json_object *message)
{
	return json_object_object_get(message, "Actor");
}

static struct json_object *attributes(struct json_object *message)
{
	return json_object_object_get(actor(message), "Attributes");
}

static struct json_object *known(const struct event_names *names, const char *id)
{
	return names->by_id ? json_object_object_get(names->by_id, id) : NULL;
}

static void remember(struct event_names *names, const char *id, struct json_object *what)
{
	if (!names->by_id)
		names->by_id = json_object_new_object();
	json_add(names->by_id, id, what);
}

static struct json_object *copy_of(struct json_object *object)
{
	struct json_object *copy = json_object_new_object();

	json_object_object_foreach(object, key, value)
	{
		json_add(copy, key, json_object_get(value));
	}
	return copy;
}

void event_names_learn(struct event_names *names, struct json_object *message)
{
	const char *id = json_text_of(actor(message), "ID");
	struct json_object *old = known(names, id);
	bool is_create = streq(json_text_of(message, "Action"), "create");

	if (!streq(json_text_of(message, "Type"), "container"))
		return;
	if (is_create)
		remember(names, id, copy_of(attributes(message)));
	else if (streq(json_text_of(message, "Action"), "rename") && old)
		json_add_text(old, "name", json_text_of(attributes(message), "name"));
}

/* From the row and the configuration; an empty object when it is gone. */
static struct json_object *ask(struct engine *e, const char *id)
{
	_container_done_ struct container c = CONTAINER_INIT;
	_config_free_ struct config *config = NULL;
	struct json_object *found = json_object_new_object();

	if (container_find(e, id, &c, NULL) < 0)
		return found;
	json_add_text(found, "name", c.name);
	json_add_text(found, "image", c.image ? c.image : "");
	if (container_config(e, &c, &config, NULL) < 0)
		return found;
	for (size_t i = 0; i < config->n_labels; i++)
		if (!json_object_object_get(found, config->labels[i].key))
			json_add_text(found, config->labels[i].key, config->labels[i].value);
	return found;
}

static int by_key(const void *a, const void *b)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static struct json_object *sorted(struct json_object *object)
{
	struct json_object *result = json_object_new_object();
	size_t n = (size_t) json_object_object_length(object), i = 0;
	_free_ const char **keys = xnew_n(const char *, n + 1);

	json_object_object_foreach(object, key, value)
	{
		(void) value;
		keys[i++] = key;
	}
	qsort(keys, n, sizeof(*keys), by_key);
	for (i = 0; i < n; i++)
		json_add(result, keys[i], json_object_get(json_object_object_get(object, keys[i])));
	return result;
}

static void complete_container(
        struct event_names *names, struct engine *e, struct json_object *message)
{
	const char *id = json_text_of(actor(message), "ID");
	struct json_object *own = attributes(message), *more = known(names, id);

	if (!more) {
		more = ask(e, id);
		remember(names, id, more);
	}
	json_object_object_foreach(more, key, value)
	{
		if (!json_object_object_get_ex(own, key, NULL))
			json_add(own, key, json_object_get(value));
	}
	json_add_text(message, "from", json_text_of(own, "image"));
	if (streq(json_text_of(message, "Action"), "destroy"))
		json_object_object_del(names->by_id, id);
}

void event_names_complete(struct event_names *names, struct engine *e, struct json_object *message)
{
	struct json_object *all;

	if (streq(json_text_of(message, "Type"), "container"))
		complete_container(names, e, message);
	all = sorted(attributes(message));
	json_add(actor(message), "Attributes", all);
}
