/* SPDX-License-Identifier: Apache-2.0 */
/* Labels, variables and the tag, as they stand in each line. */
#include "logs/options_internal.h"

#include <errno.h>

#include "base/str.h"
#include "logs/escape.h"

enum { PAIRS_MAX = 256, TAG_MAX = 1024 };

struct pair {
	const char *key, *value;
};

struct pairs {
	struct pair list[PAIRS_MAX];
	size_t n;
};

static int too_long(struct log_options *o)
{
	return err_set(o->err, -EMSGSIZE,
	        "the labels, variables and tag of each log line are more than %d bytes; name fewer "
	        "by the log options 'labels' and 'env'",
	        LOG_EXTRA_MAX);
}

/* Sets key to value, in its place in the order of the keys. */
static int set_pair(struct log_options *o, struct pairs *pairs, const char *key, const char *value)
{
	size_t at = 0;

	while (at < pairs->n && strcmp(pairs->list[at].key, key) < 0)
		at++;
	if (at < pairs->n && streq(pairs->list[at].key, key)) {
		pairs->list[at].value = value;
		return 0;
	}
	if (pairs->n == PAIRS_MAX)
		return too_long(o);
	memmove(&pairs->list[at + 1], &pairs->list[at], (pairs->n - at) * sizeof(struct pair));
	pairs->list[at] = (struct pair){ key, value };
	pairs->n++;
	return 0;
}

/* The name of a journal field for a label: letters become capitals, anything else '_', and none
 * stands first. */
static int field_name(struct log_options *o, const char **key)
{
	static const char *const ours[] = { "CONTAINER_ID", "CONTAINER_ID_FULL", "CONTAINER_NAME",
		"CONTAINER_PARTIAL_MESSAGE", "CONTAINER_TAG", "IMAGE_NAME", "MESSAGE", "PRIORITY",
		"SYSLOG_IDENTIFIER" };
	char *name = arena_strdup(o->arena, *key), *out = name;
	_free_ char *shown = NULL;

	for (const char *p = name; *p; p++) {
		char c = *p >= 'a' && *p <= 'z' ? (char) (*p - 'a' + 'A') : *p;

		if (!(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9'))
			c = '_';
		if (out > name || c != '_')
			*out++ = c;
	}
	*out = '\0';
	shown = str_escaped(*key);
	if (!log_field_is_name(name, strlen(name)))
		return err_set(o->err, -EINVAL,
		        "'%s' cannot be the name of a journal field (a letter first, 64 at most)",
		        shown);
	for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
		if (streq(name, ours[i]))
			return err_set(o->err, -EINVAL,
			        "'%s' would take the place of the journal field '%s'", shown, name);
	*key = name;
	return 0;
}

/* The value of a label, or of a variable; NULL when there is none. */
static const char *find_label(const struct log_subject *s, const char *key)
{
	const char *found = NULL;

	for (size_t i = 0; i < s->n_labels; i++)
		if (streq(s->labels[i].key, key))
			found = s->labels[i].value;
	return found;
}

static const char *find_variable(const struct log_subject *s, const char *key)
{
	const char *found = NULL;
	size_t len = strlen(key);

	for (size_t i = 0; s->env && s->env[i]; i++)
		if (strncmp(s->env[i], key, len) == 0 && s->env[i][len] == '=')
			found = s->env[i] + len + 1;
	return found;
}

/* Adds those of a list "a,b,c" that exist. */
static int add_named(struct log_options *o, struct pairs *pairs, const char *names,
        const char *(*find)(const struct log_subject *s, const char *key))
{
	int r = 0;

	while (r == 0 && names && *names) {
		size_t len = strcspn(names, ",");
		const char *key = arena_strndup(o->arena, names, len), *value;

		value = len > 0 ? find(o->subject, key) : NULL;
		if (value && o->config.driver == LOG_DRIVER_JOURNALD)
			r = field_name(o, &key);
		if (value && r == 0)
			r = set_pair(o, pairs, key, value);
		names += len + (names[len] == ',');
	}
	return r;
}

/* --- the tag --- */

static const char *without_algorithm(const char *id)
{
	return str_has_prefix(id, "sha256:") ? id + 7 : id;
}

/* The value of ".Name" in a template; at most *ret_max bytes of it. */
static const char *template_value(
        const struct log_subject *s, const char *word, size_t len, size_t *ret_max)
{
	const struct {
		const char *word, *value;
		size_t max;
	} table[] = {
		{ ".DaemonName", "bulkhead", TAG_MAX },
		{ ".FullID", s->id, TAG_MAX },
		{ ".ID", s->id, 12 },
		{ ".ImageFullID", s->image_id, TAG_MAX },
		{ ".ImageID", without_algorithm(s->image_id), 12 },
		{ ".ImageName", s->image, TAG_MAX },
		{ ".Name", s->name, TAG_MAX },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (strlen(table[i].word) == len && strncmp(table[i].word, word, len) == 0) {
			*ret_max = table[i].max;
			return table[i].value;
		}
	return NULL;
}

/* Expands one "{{...}}" at p; returns what follows it, or NULL. */
static const char *expand_one(const struct log_subject *s, const char *p, struct buf *out)
{
	const char *word = p + 2, *end = strstr(word, "}}"), *value;
	size_t len, max;

	if (!end)
		return NULL;
	while (word < end && *word == ' ')
		word++;
	len = (size_t) (end - word);
	while (len > 0 && word[len - 1] == ' ')
		len--;
	value = template_value(s, word, len, &max);
	if (!value)
		return NULL;
	(void) buf_add(out, value, strnlen(value, max));
	return end + 2;
}

static int expand_tag(struct log_options *o, const char *template, struct buf *out)
{
	for (const char *p = template; *p;) {
		size_t len = 1;

		if (p[0] != '{' || p[1] != '{') {
			while (p[len] && p[len] != '{')
				len++;
			(void) buf_add(out, p, len);
			p += len;
			continue;
		}
		p = expand_one(o->subject, p, out);
		if (!p) {
			_free_ char *shown = str_escaped(template);

			return err_set(o->err, -EINVAL,
			        "the log tag '%s' has a template that is not known; there are "
			        "{{.ID}}, {{.FullID}}, {{.Name}}, {{.ImageID}}, {{.ImageFullID}}, "
			        "{{.ImageName}} and {{.DaemonName}}",
			        shown);
		}
	}
	if (!buf_ok(out))
		return err_set(o->err, -EMSGSIZE, "the log tag is longer than %d bytes", TAG_MAX);
	return 0;
}

/* --- as bytes --- */

static void put_json(struct buf *b, const char *s)
{
	size_t left = strlen(s);

	(void) buf_addc(b, '"');
	while (left > 0) {
		char part[512];
		size_t used, n = log_escape(s, left, &used, part, sizeof(part));

		(void) buf_add(b, part, n);
		s += used;
		left -= used;
	}
	(void) buf_addc(b, '"');
}

static void put_attrs(struct buf *b, const struct pairs *pairs)
{
	for (size_t i = 0; i < pairs->n; i++) {
		(void) buf_addc(b, i ? ',' : '{');
		put_json(b, pairs->list[i].key);
		(void) buf_addc(b, ':');
		put_json(b, pairs->list[i].value);
	}
	if (pairs->n > 0)
		(void) buf_addc(b, '}');
}

/* NAME=value, or with a length in front where the value has bytes that are no plain text. */
static void put_field(struct buf *b, const char *name, const char *value)
{
	size_t len = strlen(value);
	bool plain = true;

	for (const char *p = value; *p; p++)
		plain = plain && ((unsigned char) *p >= 0x20 || *p == '\t');
	(void) buf_adds(b, name);
	(void) buf_addc(b, plain ? '=' : '\n');
	for (size_t i = 0; !plain && i < 8; i++)
		(void) buf_addc(b, (char) (uint8_t) ((uint64_t) len >> (8 * i)));
	(void) buf_add(b, value, len);
	(void) buf_addc(b, '\n');
}

static void put_fields(
        struct buf *b, const struct log_subject *s, const char *tag, const struct pairs *pairs)
{
	_free_ char *id = xstrndup(s->id, 12);

	put_field(b, "CONTAINER_ID", id);
	put_field(b, "CONTAINER_ID_FULL", s->id);
	put_field(b, "CONTAINER_NAME", s->name);
	put_field(b, "CONTAINER_TAG", tag);
	put_field(b, "IMAGE_NAME", s->image);
	put_field(b, "SYSLOG_IDENTIFIER", tag);
	for (size_t i = 0; i < pairs->n; i++)
		put_field(b, pairs->list[i].key, pairs->list[i].value);
}

int log_options_extra(struct log_options *o)
{
	bool journal = o->config.driver == LOG_DRIVER_JOURNALD;
	const char *tag = o->value[LOG_OPT_TAG];
	_buf_done_ struct buf extra = BUF_INIT(LOG_EXTRA_MAX), text = BUF_INIT(TAG_MAX);
	struct pairs pairs = { .n = 0 };
	int r;

	if (o->config.driver == LOG_DRIVER_NONE)
		return 0;
	if (!tag || !*tag)
		tag = journal ? "{{.ID}}" : "";
	r = expand_tag(o, tag, &text);
	if (r == 0)
		r = add_named(o, &pairs, o->value[LOG_OPT_LABELS], find_label);
	if (r == 0)
		r = add_named(o, &pairs, o->value[LOG_OPT_ENV], find_variable);
	if (r == 0 && !journal && text.len > 0)
		r = set_pair(o, &pairs, "tag", buf_str(&text));
	if (r < 0)
		return r;
	if (journal)
		put_fields(&extra, o->subject, buf_str(&text), &pairs);
	else
		put_attrs(&extra, &pairs);
	if (!buf_ok(&extra))
		return too_long(o);
	o->config.extra_len = extra.len;
	if (extra.len > 0) { /* not a text: lengths in it have zeros */
		char *copy = arena_alloc(o->arena, extra.len);

		memcpy(copy, extra.data, extra.len);
		o->config.extra = copy;
	}
	return 0;
}
