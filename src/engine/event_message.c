/* SPDX-License-Identifier: Apache-2.0 */
/* Events as docker's messages: from a line, past filters, to a terminal. Pure. */
#include "engine/events_read.h"

#include "base/buf.h"
#include "base/str.h"
#include "format/clean.h"
#include "json/build.h"
#include "json/json.h"
#include "oci/ref.h"
#include "shim/event_line.h"

#include <time.h>

/* --- a line to a message ---------------------------------------------------------------------- */

/* Every value a text; NULL when one is not. */
static struct json_object *texts_of(struct json_object *line)
{
	struct json_object *attributes = json_object_object_get(line, "attributes");

	if (!json_object_is_type(attributes, json_type_object))
		return NULL;
	json_object_object_foreach(attributes, key, value)
	{
		(void) key;
		if (!json_object_is_type(value, json_type_string))
			return NULL;
	}
	return json_object_get(attributes);
}

static struct json_object *message_of(struct json_object *line, struct json_object *attributes)
{
	int64_t time = json_object_get_int64(json_object_object_get(line, "time"));
	const char *type = json_text_of(line, "type"), *action = json_text_of(line, "action"),
	           *id = json_text_of(line, "id");
	struct json_object *message = json_object_new_object(), *actor = json_object_new_object();

	/* The three old keys are those of containers and images only. */
	if (streq(type, "container") || streq(type, "image")) {
		json_add_text(message, "status", action);
		json_add_text(message, "id", id);
	}
	if (streq(type, "container"))
		json_add_text(message, "from", json_text_of(attributes, "image"));
	json_add_text(message, "Type", type);
	json_add_text(message, "Action", action);
	json_add_text(actor, "ID", id);
	json_add(actor, "Attributes", attributes);
	json_add(message, "Actor", actor);
	json_add_text(message, "scope", "local");
	json_add_int(message, "time", time / 1000000000);
	json_add_int(message, "timeNano", time);
	return message;
}

int events_parse(const char *line, size_t len, struct json_object **ret)
{
	static const struct json_limits limits = {
		.max_bytes = EVENT_LINE_MAX,
		.max_depth = 2,
		.max_list = 8192,
		.max_string = EVENT_LINE_MAX,
	};
	_json_put_ struct json_object *object = NULL, *attributes = NULL;

	if (json_parse_bounded("events", line, len, &limits, &object, NULL) < 0 ||
	        !json_object_is_type(json_object_object_get(object, "time"), json_type_int) ||
	        !*json_text_of(object, "type") || !*json_text_of(object, "action"))
		return -EBADMSG;
	attributes = texts_of(object);
	if (!attributes)
		return -EBADMSG;
	*ret = message_of(object, TAKE_PTR(attributes));
	return 0;
}

/* --- filters ---------------------------------------------------------------------------------- */

struct message {
	const char *type, *action, *id, *name;
	struct json_object *attributes;
};

/* As docker: a whole id or name, or how it begins. */
static bool names_it(const struct message *m, const char *type, const char *value)
{
	return streq(m->type, type) &&
	       (str_has_prefix(m->id, value) || (*m->name && str_has_prefix(m->name, value)));
}

static bool match_container(const struct message *m, const char *value)
{
	return names_it(m, "container", value);
}

static bool match_volume(const struct message *m, const char *value)
{
	return names_it(m, "volume", value);
}

/* "exec_create: sh" is also found as "exec_create". */
static bool match_event(const struct message *m, const char *value)
{
	size_t len = strlen(value);

	return str_has_prefix(m->action, value) && (!m->action[len] || m->action[len] == ':');
}

static bool match_type(const struct message *m, const char *value)
{
	return streq(m->type, value);
}

static bool match_scope(const struct message *m, const char *value)
{
	return streq(value, "local");
}

/* "debian" means every tag of it. */
static bool match_image(const struct message *m, const char *value)
{
	const char *image = streq(m->type, "image") ? m->id : json_text_of(m->attributes, "image");
	_free_ char *wanted = NULL, *name = NULL;
	struct oci_ref ref;

	if (streq(image, value))
		return true;
	if (oci_ref_parse(image, &ref, NULL) < 0)
		return false;
	name = oci_ref_familiar(&ref);
	if (streq(name, value))
		return true;
	wanted = oci_ref_familiar_name(&ref);
	return streq(wanted, value);
}

static bool match_label(const struct message *m, const char *value)
{
	const char *equals = strchr(value, '=');
	_free_ char *key = equals ? xstrndup(value, (size_t) (equals - value)) : xstrdup(value);
	struct json_object *label;

	return json_object_object_get_ex(m->attributes, key, &label) &&
	       (!equals || streq(json_object_get_string(label), equals + 1));
}

static bool match_nothing(const struct message *m, const char *value)
{
	return false;
}

static const struct filter {
	const char *key;
	bool (*match)(const struct message *m, const char *value);
	bool all; /* every value must match, else one of them */
} filters_known[] = {
	{ "container", match_container, false },
	{ "event", match_event, false },
	{ "image", match_image, false },
	{ "label", match_label, true },
	{ "scope", match_scope, false },
	{ "type", match_type, false },
	{ "volume", match_volume, false },
	/* Kinds of things that do not exist here. */
	{ "config", match_nothing, false },
	{ "daemon", match_nothing, false },
	{ "network", match_nothing, false },
	{ "node", match_nothing, false },
	{ "plugin", match_nothing, false },
	{ "secret", match_nothing, false },
	{ "service", match_nothing, false },
};

static const char *value_of(const char *text, const char *key)
{
	size_t len = strlen(key);

	return str_has_prefix(text, key) && text[len] == '=' ? text + len + 1 : NULL;
}

int events_check_filters(char *const *filters, struct err *err)
{
	for (size_t n = 0; filters && filters[n]; n++) {
		_free_ char *shown = str_escaped(filters[n]);
		bool found = false;

		if (n >= EVENTS_FILTERS_MAX)
			return err_set(err, -E2BIG, "more than %d filters", EVENTS_FILTERS_MAX);
		if (!strchr(filters[n], '='))
			return err_set(
			        err, -EINVAL, "'%s' is not a filter: KEY=VALUE is expected", shown);
		for (size_t i = 0; i < ARRAY_SIZE(filters_known); i++)
			found = found || value_of(filters[n], filters_known[i].key);
		if (!found)
			return err_set(err, -EINVAL,
			        "invalid filter '%s': events have container, event, image, label, scope, "
			        "type and volume",
			        shown);
	}
	return 0;
}

static bool passes(const struct filter *f, char *const *filters, const struct message *m)
{
	size_t asked = 0, matched = 0;

	for (size_t n = 0; filters && filters[n]; n++) {
		const char *value = value_of(filters[n], f->key);

		if (!value)
			continue;
		asked++;
		matched += f->match(m, value) ? 1 : 0;
	}
	return asked == 0 || (f->all ? matched == asked : matched > 0);
}

bool events_match(char *const *filters, struct json_object *message)
{
	struct json_object *actor = json_object_object_get(message, "Actor");
	struct message m = {
		.type = json_text_of(message, "Type"),
		.action = json_text_of(message, "Action"),
		.id = json_text_of(actor, "ID"),
		.attributes = json_object_object_get(actor, "Attributes"),
	};

	m.name = json_text_of(m.attributes, "name");
	for (size_t i = 0; i < ARRAY_SIZE(filters_known); i++)
		if (!passes(&filters_known[i], filters, &m))
			return false;
	return true;
}

/* --- words ------------------------------------------------------------------------------------ */

static void print_time(int64_t ns, struct buf *out)
{
	time_t seconds = (time_t) (ns / 1000000000);
	char date[32] = "", zone[8] = "";
	struct tm tm;

	if (!localtime_r(&seconds, &tm) || strftime(date, sizeof(date), "%FT%T", &tm) == 0)
		return;
	(void) buf_addf(out, "%s.%09lld", date, (long long) (ns % 1000000000));
	if (tm.tm_gmtoff == 0)
		(void) buf_addc(out, 'Z');
	else if (strftime(zone, sizeof(zone), "%z", &tm) == 5) /* +0100 */
		(void) buf_addf(out, "%.3s:%s", zone, zone + 3);
}

static void add_clean(struct buf *out, const char *text)
{
	(void) format_clean(out, text, strlen(text));
}

void events_print(struct json_object *message, struct buf *out)
{
	struct json_object *actor = json_object_object_get(message, "Actor");
	struct json_object *attributes = json_object_object_get(actor, "Attributes");
	const char *before = " (";

	print_time(json_object_get_int64(json_object_object_get(message, "timeNano")), out);
	(void) buf_addc(out, ' ');
	add_clean(out, json_text_of(message, "Type"));
	(void) buf_addc(out, ' ');
	add_clean(out, json_text_of(message, "Action"));
	(void) buf_addc(out, ' ');
	add_clean(out, json_text_of(actor, "ID"));
	json_object_object_foreach(attributes, key, value)
	{
		(void) buf_adds(out, before);
		add_clean(out, key);
		(void) buf_addc(out, '=');
		add_clean(out, json_object_get_string(value));
		before = ", ";
	}
	(void) buf_adds(out, streq(before, ", ") ? ")\n" : "\n");
}
