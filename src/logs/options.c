/* SPDX-License-Identifier: Apache-2.0 */
#include "logs/options.h"

#include <errno.h>

#include "base/str.h"
#include "logs/options_internal.h"

enum { ON_FILE = 1 << LOG_DRIVER_JSON_FILE, ON_JOURNAL = 1 << LOG_DRIVER_JOURNALD };
enum { BURST_MIN = 64 << 10 };

static const char *const driver_names[LOG_DRIVER_N] = {
	[LOG_DRIVER_NONE] = "none",
	[LOG_DRIVER_JSON_FILE] = "json-file",
	[LOG_DRIVER_JOURNALD] = "journald",
};

static int refuse(struct log_options *o, const char *option, const char *why)
{
	return err_set(o->err, -EINVAL, "the log option '%s' %s", option, why);
}

static int read_size(struct log_options *o, const char *option, const char *value, uint64_t *ret)
{
	_free_ char *shown = NULL;
	int r = num_parse_size(value, ret);

	if (r == 0 && *ret > 0 && *ret <= LOG_NUMBER_MAX)
		return 0;
	if (r == 0 && *ret == 0)
		return err_set(o->err, -EINVAL, "%s must be a positive number", option);
	shown = str_escaped(value);
	return err_set(o->err, -EINVAL, "the log option '%s' needs a size such as 10m, not '%s'",
	        option, shown);
}

static int set_max_size(struct log_options *o, const char *value)
{
	if (!streq(value, "-1"))
		return read_size(o, "max-size", value, &o->config.max_size);
	o->config.max_size = 0;
	return 0;
}

static int set_max_file(struct log_options *o, const char *value)
{
	uint32_t n = 0;
	int r = num_parse_u32(value, &n);

	if (r == 0 && n == 0)
		return err_set(o->err, -EINVAL, "max-file cannot be less than 1");
	if (r < 0 || n > LOG_FILES_MAX)
		return refuse(o, "max-file", "needs a number from 1 to 1000");
	o->config.max_files = n;
	return 0;
}

static int set_max_rate(struct log_options *o, const char *value)
{
	return read_size(o, "max-rate", value, &o->config.max_rate);
}

static int set_max_burst(struct log_options *o, const char *value)
{
	if (!o->value[LOG_OPT_MAX_RATE])
		return refuse(o, "max-burst", "is only supported with 'max-rate'");
	return read_size(o, "max-burst", value, &o->config.max_burst);
}

/* The words that Go takes for a truth. */
static int set_compress(struct log_options *o, const char *value)
{
	static const char *const yes[] = { "1", "t", "T", "TRUE", "true", "True" }, *const no[] = {
		"0", "f", "F", "FALSE", "false", "False"
	};

	for (size_t i = 0; i < ARRAY_SIZE(no); i++)
		if (streq(value, no[i]))
			return 0;
	for (size_t i = 0; i < ARRAY_SIZE(yes); i++)
		if (streq(value, yes[i]))
			return refuse(o, "compress",
			        "can only be false: rotated files are not compressed; "
			        "max-size and max-file bound them");
	return refuse(o, "compress", "must be true or false");
}

static int set_mode(struct log_options *o, const char *value)
{
	if (streq(value, "blocking"))
		return 0;
	if (streq(value, "non-blocking"))
		return refuse(o, "mode",
		        "can only be blocking: a container never waits for a full disk here, "
		        "so no buffer is needed");
	return refuse(o, "mode", "must be blocking");
}

static int set_max_buffer(struct log_options *o, const char *value)
{
	return refuse(o, "max-buffer-size",
	        "is only supported with 'mode=non-blocking', which does not exist here");
}

static int refuse_regex(struct log_options *o, const char *value)
{
	return err_set(o->err, -EINVAL,
	        "the log options 'labels-regex' and 'env-regex' are not supported: name what is "
	        "wanted by 'labels' and 'env'");
}

static const struct option {
	const char *name;
	unsigned drivers;
	int (*set)(struct log_options *o, const char *value); /* NULL: log_options_extra reads it */
} options[LOG_OPT_N] = {
	[LOG_OPT_COMPRESS] = { "compress", ON_FILE, set_compress },
	[LOG_OPT_ENV] = { "env", ON_FILE | ON_JOURNAL, NULL },
	[LOG_OPT_ENV_REGEX] = { "env-regex", ON_FILE | ON_JOURNAL, refuse_regex },
	[LOG_OPT_LABELS] = { "labels", ON_FILE | ON_JOURNAL, NULL },
	[LOG_OPT_LABELS_REGEX] = { "labels-regex", ON_FILE | ON_JOURNAL, refuse_regex },
	[LOG_OPT_MAX_BUFFER] = { "max-buffer-size", ON_FILE | ON_JOURNAL, set_max_buffer },
	[LOG_OPT_MAX_BURST] = { "max-burst", ON_FILE | ON_JOURNAL, set_max_burst },
	[LOG_OPT_MAX_FILE] = { "max-file", ON_FILE, set_max_file },
	[LOG_OPT_MAX_RATE] = { "max-rate", ON_FILE | ON_JOURNAL, set_max_rate },
	[LOG_OPT_MAX_SIZE] = { "max-size", ON_FILE, set_max_size },
	[LOG_OPT_MODE] = { "mode", ON_FILE | ON_JOURNAL, set_mode },
	[LOG_OPT_TAG] = { "tag", ON_FILE | ON_JOURNAL, NULL },
};

static int read_driver(struct log_options *o, const char *driver)
{
	_free_ char *shown = NULL;

	if (!driver || !*driver)
		driver = driver_names[LOG_DRIVER_JSON_FILE];
	for (size_t i = 0; i < LOG_DRIVER_N; i++)
		if (streq(driver, driver_names[i])) {
			o->config.driver = (enum log_driver) i;
			return 0;
		}
	shown = str_escaped(driver);
	return err_set(o->err, -EINVAL,
	        "no log driver named '%s' is registered; there are json-file, journald and none",
	        shown);
}

/* Notes the value of one KEY=VALUE. */
static int read_option(struct log_options *o, const char *text)
{
	size_t len = strcspn(text, "=");
	_free_ char *key = xstrndup(text, len), *shown = NULL;

	for (size_t i = 0; i < LOG_OPT_N; i++)
		if ((options[i].drivers & 1U << o->config.driver) && streq(key, options[i].name)) {
			if (!text[len])
				return refuse(o, key, "needs a value: KEY=VALUE");
			o->value[i] = text + len + 1;
			return 0;
		}
	shown = str_escaped(key);
	return err_set(o->err, -EINVAL, "unknown log opt '%s' for %s log driver", shown,
	        driver_names[o->config.driver]);
}

int log_options_parse(const char *driver, const char *const *opts,
        const struct log_subject *subject, struct arena *arena, struct log_config *ret,
        struct err *err)
{
	struct log_options o = { .subject = subject, .arena = arena, .err = err };
	int r = read_driver(&o, driver);

	if (r == 0 && o.config.driver == LOG_DRIVER_JSON_FILE) {
		o.config.max_size = LOG_SIZE_DEFAULT;
		o.config.max_files = LOG_FILES_DEFAULT;
	}
	for (size_t i = 0; r == 0 && opts && opts[i]; i++)
		r = read_option(&o, opts[i]);
	for (size_t i = 0; r == 0 && i < LOG_OPT_N; i++)
		if (o.value[i] && options[i].set)
			r = options[i].set(&o, o.value[i]);
	if (r == 0 && o.config.max_rate > 0 && o.config.max_burst == 0)
		o.config.max_burst = MAX(o.config.max_rate, (uint64_t) BURST_MIN);
	if (r == 0)
		r = log_options_extra(&o);
	if (r == 0)
		*ret = o.config;
	return r;
}
