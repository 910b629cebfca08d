/* SPDX-License-Identifier: Apache-2.0 */
/* Filters of lists, by docker's rules: values of one key are alternatives (labels: all must be
 * there), keys narrow each other. */
#include "engine/list.h"

#include "base/str.h"

#include <regex.h>

/* --- one value -------------------------------------------------------------------------------- */

struct subject {
	const struct container *c;
	const struct config *config; /* NULL: not readable */
};

/* As docker: a regular expression that may match anywhere. One that is none matches nothing. */
static bool matches_pattern(const char *pattern, const char *text)
{
	regex_t regex;
	bool found;

	if (streq(pattern, text))
		return true;
	if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0)
		return false;
	found = regexec(&regex, text, 0, NULL, 0) == 0;
	regfree(&regex);
	return found;
}

static bool match_id(const struct subject *s, const char *value)
{
	return matches_pattern(value, s->c->id);
}

/* Docker's own names begin with a slash, and scripts write "^/web$". */
static bool match_name(const struct subject *s, const char *value)
{
	_free_ char *with_slash = xprintf("/%s", s->c->name);

	return matches_pattern(value, s->c->name) || matches_pattern(value, with_slash);
}

static bool match_status(const struct subject *s, const char *value)
{
	return streq(value, container_status(s->c));
}

static bool match_exited(const struct subject *s, const char *value)
{
	int64_t code;

	return num_parse_i64(value, &code) == 0 && streq(container_status(s->c), "exited") &&
	       s->c->record.started > 0 && s->c->record.exit_code == code;
}

static bool match_health(const struct subject *s, const char *value)
{
	return streq(value, record_health_name(s->c->record.health));
}

static bool match_task(const struct subject *s, const char *value)
{
	return streq(value, "false") || streq(value, "0"); /* there is no swarm */
}

bool list_has_label(const struct config *config, const char *filter)
{
	const char *equals = strchr(filter, '=');
	size_t len = equals ? (size_t) (equals - filter) : strlen(filter);

	for (size_t i = 0; config && i < config->n_labels; i++) {
		const struct oci_kv *l = &config->labels[i];

		if (strlen(l->key) == len && strncmp(l->key, filter, len) == 0 &&
		        (!equals || streq(l->value, equals + 1)))
			return true;
	}
	return false;
}

static bool match_label(const struct subject *s, const char *value)
{
	return list_has_label(s->config, value);
}

/* By the name of the volume or the source of a bind, or by the target. */
static bool match_volume(const struct subject *s, const char *value)
{
	for (size_t i = 0; s->config && i < s->config->n_mounts; i++) {
		const struct config_mount *m = &s->config->mounts[i];

		if (streq(m->target, value) || (*m->source && streq(m->source, value)))
			return true;
	}
	return false;
}

static bool match_network(const struct subject *s, const char *value)
{
	return s->config && streq(s->config->network_mode, value);
}

static bool match_isolation(const struct subject *s, const char *value)
{
	return matches_pattern(value, "default");
}

static bool match_publish(const struct subject *s, const char *value)
{
	return false; /* no port is published in this version */
}

struct ports {
	uint32_t first, last;
	const char *protocol;
};

/* "80", "80/tcp", "80-90/udp". */
static bool parse_ports(const char *text, struct ports *ret)
{
	_free_ char *copy = xstrdup(text);
	char *slash = strchr(copy, '/'), *dash;

	ret->protocol = strchr(text, '/') ? strchr(text, '/') + 1 : "tcp";
	if (slash)
		*slash = '\0';
	dash = strchr(copy, '-');
	if (dash)
		*dash = '\0';
	return num_parse_u32(copy, &ret->first) == 0 &&
	       num_parse_u32(dash ? dash + 1 : copy, &ret->last) == 0 && ret->first <= ret->last &&
	       ret->last <= UINT16_MAX &&
	       (streq(ret->protocol, "tcp") || streq(ret->protocol, "udp") ||
	               streq(ret->protocol, "sctp"));
}

static bool match_expose(const struct subject *s, const char *value)
{
	struct ports wanted, has;

	if (!s->config || !parse_ports(value, &wanted))
		return false;
	for (const char *const *p = s->config->exposed_ports; *p; p++)
		if (parse_ports(*p, &has) && streq(has.protocol, wanted.protocol) &&
		        has.first <= wanted.last && wanted.first <= has.last)
			return true;
	return false;
}

/* --- what a value may be ---------------------------------------------------------------------- */

static const char *const statuses[] = { "created", "restarting", "running", "removing", "paused",
	"exited", "dead", NULL };
static const char *const healths[] = { "none", "starting", "healthy", "unhealthy", NULL };
static const char *const booleans[] = { "true", "false", "1", "0", NULL };

static bool is_number(const char *value)
{
	int64_t n;

	return num_parse_i64(value, &n) == 0;
}

static bool is_ports(const char *value)
{
	struct ports p;

	return parse_ports(value, &p);
}

static const struct filter {
	const char *key;
	bool (*match)(const struct subject *s, const char *value); /* NULL: list.c's */
	const char *const *values;                                 /* NULL: any */
	bool (*is_valid)(const char *value);                       /* NULL: any */
	bool all;                                                  /* every value must match */
} known[] = {
	{ "ancestor", NULL, NULL, NULL, false },
	{ "before", NULL, NULL, NULL, false },
	{ "exited", match_exited, NULL, is_number, false },
	{ "expose", match_expose, NULL, is_ports, false },
	{ "health", match_health, healths, NULL, false },
	{ "id", match_id, NULL, NULL, false },
	{ "is-task", match_task, booleans, NULL, false },
	{ "isolation", match_isolation, NULL, NULL, false },
	{ "label", match_label, NULL, NULL, true },
	{ "name", match_name, NULL, NULL, false },
	{ "network", match_network, NULL, NULL, false },
	{ "publish", match_publish, NULL, is_ports, false },
	{ "since", NULL, NULL, NULL, false },
	{ "status", match_status, statuses, NULL, false },
	{ "volume", match_volume, NULL, NULL, false },
};

static const char *value_of(const char *text, const char *key)
{
	size_t len = strlen(key);

	return str_has_prefix(text, key) && text[len] == '=' ? text + len + 1 : NULL;
}

static const struct filter *find(const char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (value_of(text, known[i].key))
			return &known[i];
	return NULL;
}

static bool is_valid(const struct filter *f, const char *value)
{
	bool found = !f->values;

	for (size_t i = 0; f->values && f->values[i]; i++)
		found = found || streq(f->values[i], value);
	return found && (!f->is_valid || f->is_valid(value));
}

int list_check_filters(char *const *filters, struct err *err)
{
	for (size_t n = 0; filters && filters[n]; n++) {
		_free_ char *shown = str_escaped(filters[n]);
		const struct filter *f = find(filters[n]);

		if (n >= LIST_FILTERS_MAX)
			return err_set(err, -E2BIG, "more than %d filters", LIST_FILTERS_MAX);
		if (!strchr(filters[n], '='))
			return err_set(
			        err, -EINVAL, "'%s' is not a filter: KEY=VALUE is expected", shown);
		if (!f || !is_valid(f, value_of(filters[n], f->key)))
			return err_set(err, -EINVAL, "invalid filter '%s'", shown);
	}
	return 0;
}

static bool passes(const struct filter *f, char *const *filters, const struct subject *s)
{
	size_t asked = 0, matched = 0;

	for (size_t n = 0; filters && filters[n]; n++) {
		const char *value = value_of(filters[n], f->key);

		if (!value)
			continue;
		asked++;
		matched += f->match(s, value) ? 1 : 0;
	}
	return asked == 0 || (f->all ? matched == asked : matched > 0);
}

bool list_matches(char *const *filters, const struct container *c, const struct config *config)
{
	const struct subject s = { c, config };

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (known[i].match && !passes(&known[i], filters, &s))
			return false;
	return true;
}
