/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/settings.h"

#include "base/buf.h"
#include "base/str.h"

#include <errno.h>

enum value_type { VALUE_TEXT, VALUE_FLAG, VALUE_U32, VALUE_U64 };

struct setting {
	const char *key;
	enum value_type type;
	size_t offset;
};

static const char heading[] = "bulkhead-settings 1";

#define AT(field) offsetof(struct shim_settings, field)
static const struct setting table[] = {
	{ "id", VALUE_TEXT, AT(id) },
	{ "name", VALUE_TEXT, AT(name) },
	{ "terminal", VALUE_FLAG, AT(terminal) },
	{ "open-stdin", VALUE_FLAG, AT(open_stdin) },
	{ "stdin-once", VALUE_FLAG, AT(stdin_once) },
	{ "await-attach", VALUE_FLAG, AT(await_attach) },
	{ "auto-remove", VALUE_FLAG, AT(auto_remove) },
	{ "restart", VALUE_U32, AT(restart) },
	{ "restart-max", VALUE_U32, AT(restart_max) },
	{ "restarts", VALUE_U32, AT(restarts) },
	{ "reaper", VALUE_TEXT, AT(reaper) },
	{ "root", VALUE_TEXT, AT(root) },
	{ "health", VALUE_FLAG, AT(health) },
	{ "health-interval", VALUE_U64, AT(health_interval) },
	{ "health-timeout", VALUE_U64, AT(health_timeout) },
	{ "health-start-period", VALUE_U64, AT(health_start_period) },
	{ "health-start-interval", VALUE_U64, AT(health_start_interval) },
	{ "health-retries", VALUE_U32, AT(health_retries) },
};

/* --- encode ----------------------------------------------------------------------------------- */

static void add_pair(struct buf *out, const char *key, const char *value)
{
	(void) buf_add(out, key, strlen(key) + 1);
	(void) buf_add(out, value, strlen(value) + 1);
}

static void add_number(struct buf *out, const char *key, uint64_t n)
{
	_free_ char *text = xprintf("%llu", (unsigned long long) n);

	if (n > 0)
		add_pair(out, key, text);
}

static void add_setting(struct buf *out, const struct setting *s, const void *field)
{
	switch (s->type) {
	case VALUE_TEXT:
		if (*(const char *const *) field)
			add_pair(out, s->key, *(const char *const *) field);
		break;
	case VALUE_FLAG:
		add_number(out, s->key, *(const bool *) field);
		break;
	case VALUE_U32:
		add_number(out, s->key, *(const uint32_t *) field);
		break;
	case VALUE_U64:
		add_number(out, s->key, *(const uint64_t *) field);
		break;
	}
}

int settings_encode(const struct shim_settings *s, struct buf *out, struct err *err)
{
	(void) buf_add(out, heading, sizeof(heading));
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		add_setting(out, &table[i], (const char *) s + table[i].offset);
	if (!buf_ok(out) || out->len > SETTINGS_SIZE_MAX)
		return err_set(err, -EMSGSIZE, "the log options are too long: at most %d bytes",
		        SETTINGS_SIZE_MAX);
	return 0;
}

/* --- decode ----------------------------------------------------------------------------------- */

static int set_value(const struct setting *s, const char *value, void *field)
{
	uint32_t u32;

	switch (s->type) {
	case VALUE_TEXT:
		*(const char **) field = value;
		return 0;
	case VALUE_FLAG:
		*(bool *) field = streq(value, "1");
		return 0;
	case VALUE_U32:
		if (num_parse_u32(value, &u32) < 0)
			return -EBADMSG;
		*(uint32_t *) field = u32;
		return 0;
	case VALUE_U64:
		return num_parse_u64(value, field) < 0 ? -EBADMSG : 0;
	}
	return -EBADMSG;
}

static const struct setting *find_setting(const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (streq(table[i].key, key))
			return &table[i];
	return NULL;
}

/* The text at *p and the step behind it; NULL when none ends before 'end'. */
static const char *next_text(const char **p, const char *end)
{
	const char *text = *p, *nul = text < end ? memchr(text, '\0', (size_t) (end - text)) : NULL;

	if (!nul)
		return NULL;
	*p = nul + 1;
	return text;
}

int settings_decode(const char *bytes, size_t len, struct shim_settings *ret, struct err *err)
{
	const char *p = bytes, *end = bytes + len, *first = next_text(&p, end);
	struct shim_settings s = { .id = "", .name = "", .reaper = "", .root = "" };

	if (len > SETTINGS_SIZE_MAX || !first || !streq(first, heading))
		return err_set(err, -EBADMSG, "the settings are not of this version");
	while (p < end) {
		const char *key = next_text(&p, end), *value = key ? next_text(&p, end) : NULL;
		const struct setting *found = value ? find_setting(key) : NULL;
		int r = found ? set_value(found, value, (char *) &s + found->offset) : -EBADMSG;

		if (r < 0)
			return err_set(err, r, "the settings hold what this version does not know");
	}
	*ret = s;
	return 0;
}
