/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and checking the encoded configuration; linked into the shim. */
#include "logs/config.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "logs/config_layout.h"
#include "logs/escape.h"

static uint64_t get_le(const uint8_t *at, size_t bytes)
{
	uint64_t value = 0;

	for (size_t i = 0; i < bytes; i++)
		value |= (uint64_t) at[i] << (8 * i);
	return value;
}

/* The bytes of one character of a JSON string at p, escaped or not; 0 when it is not valid. */
static size_t character(const char *p, size_t left)
{
	uint8_t c = (uint8_t) *p;

	if (c >= 0x80)
		return log_character_len(p, left);
	if (c != '\\')
		return c >= 0x20;
	if (left < 2 || !memchr("\"\\/bfnrtu", p[1], 9))
		return 0;
	if (p[1] != 'u')
		return 2;
	for (size_t i = 2; i < 6; i++)
		if (i >= left || !memchr("0123456789abcdef", p[i], 16))
			return 0;
	/* no surrogates: what needs a pair of them stands as it is */
	return p[2] == 'd' && p[3] >= '8' ? 0 : 6;
}

/* Moves behind a JSON string; NULL when there is none. */
static const char *skip_string(const char *p, const char *end)
{
	size_t n;

	if (p == end || *p++ != '"')
		return NULL;
	for (; p < end && *p != '"'; p += n) {
		n = character(p, (size_t) (end - p));
		if (n == 0)
			return NULL;
	}
	return p < end ? p + 1 : NULL;
}

/* {"key":"value",...} without blanks. */
static bool attrs_are_valid(const char *p, size_t len)
{
	const char *end = p + len;

	if (len < 2 || *p != '{')
		return false;
	do {
		p = skip_string(p + 1, end);
		if (!p || p == end || *p != ':')
			return false;
		p = skip_string(p + 1, end);
	} while (p && p < end && *p == ',');
	return p && end - p == 1 && *p == '}';
}

int log_field_is_name(const char *name, size_t len)
{
	if (len < 1 || len > 64 || (name[0] >= '0' && name[0] <= '9') || name[0] == '_')
		return 0;
	for (size_t i = 0; i < len; i++)
		if (!((name[i] >= 'A' && name[i] <= 'Z') || (name[i] >= '0' && name[i] <= '9') ||
		            name[i] == '_'))
			return 0;
	return 1;
}

/* Fields that the writer itself adds to a message. */
static bool is_own_field(const char *name, size_t len)
{
	static const char *const own[] = { "MESSAGE", "PRIORITY", "CONTAINER_PARTIAL_MESSAGE" };

	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		if (strlen(own[i]) == len && memcmp(own[i], name, len) == 0)
			return true;
	return false;
}

/* NAME=value\n or NAME\n, 64 bits of length, value, \n; again and again. */
static bool fields_are_valid(const char *p, size_t len)
{
	const char *end = p + len;

	while (p < end) {
		size_t left = (size_t) (end - p), name = 0;
		const char *newline;
		uint64_t size;

		while (name < left && p[name] != '=' && p[name] != '\n')
			name++;
		if (name == left || !log_field_is_name(p, name) || is_own_field(p, name))
			return false;
		if (p[name] == '=') {
			newline = memchr(p, '\n', left);
		} else {
			if (left - name < 10)
				return false;
			size = get_le((const uint8_t *) p + name + 1, 8);
			if (size > left - name - 10)
				return false;
			newline = p + name + 9 + size;
		}
		if (!newline || *newline != '\n')
			return false;
		p = newline + 1;
	}
	return true;
}

int log_config_check(const struct log_config *c)
{
	bool file = c->driver == LOG_DRIVER_JSON_FILE, journal = c->driver == LOG_DRIVER_JOURNALD;

	if ((unsigned) c->driver >= LOG_DRIVER_N || c->max_size > LOG_NUMBER_MAX ||
	        c->max_rate > LOG_NUMBER_MAX || c->max_burst > LOG_NUMBER_MAX ||
	        c->extra_len > LOG_EXTRA_MAX)
		return -EINVAL;
	if ((c->max_rate == 0) != (c->max_burst == 0))
		return -EINVAL;
	if (file ? c->max_files < 1 || c->max_files > LOG_FILES_MAX : c->max_files || c->max_size)
		return -EINVAL;
	if (c->driver == LOG_DRIVER_NONE)
		return c->max_rate || c->extra_len ? -EINVAL : 0;
	if (file && c->extra_len > 0 && !attrs_are_valid(c->extra, c->extra_len))
		return -EINVAL;
	return journal && !fields_are_valid(c->extra, c->extra_len) ? -EINVAL : 0;
}

int log_config_decode(const void *data, size_t len, struct log_config *ret, struct err *err)
{
	const uint8_t *d = data;
	struct log_config c = { 0 };

	if (len < LOG_CONFIG_HEADER || memcmp(d, LOG_CONFIG_MAGIC, 8) != 0)
		return err_set(err, -EINVAL, "the log configuration is of another version");
	if (get_le(d + LOG_AT_LEN, 4) != len - LOG_CONFIG_HEADER)
		return err_set(err, -EINVAL, "the log configuration has the wrong length");
	c.driver = (enum log_driver) get_le(d + LOG_AT_DRIVER, 4);
	c.max_files = (uint32_t) get_le(d + LOG_AT_FILES, 4);
	c.max_size = get_le(d + LOG_AT_SIZE, 8);
	c.max_rate = get_le(d + LOG_AT_RATE, 8);
	c.max_burst = get_le(d + LOG_AT_BURST, 8);
	c.extra_len = len - LOG_CONFIG_HEADER;
	c.extra = (const char *) d + LOG_CONFIG_HEADER;
	if (get_le(d + LOG_AT_ZERO, 4) != 0 || log_config_check(&c) < 0)
		return err_set(err, -EINVAL, "the log configuration has a value out of its range");
	*ret = c;
	return 0;
}
