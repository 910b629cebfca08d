/* SPDX-License-Identifier: Apache-2.0 */
#include "bulkhead.h"

#include "base/str.h"
#include "engine/volumes.h"
#include "format/table.h"
#include "json/build.h"
#include "json/json.h"

#include <errno.h>
#include <regex.h>
#include <unistd.h>

enum { OUTPUT_MAX = 64 << 20 };

struct values {
	bool quiet;
	const char *format;
	char **filters;
};

#define AT(field) offsetof(struct values, field)
static const struct opt options[] = {
	{ "filter", 'f', OPT_LIST, "KEY=VALUE", "show only what matches, e.g. dangling=true",
	        AT(filters), NULL },
	{ "format", 0, OPT_TEXT, "FORMAT", "'table', 'table TEMPLATE', 'json', or a Go template",
	        AT(format), NULL },
	{ "quiet", 'q', OPT_FLAG, NULL, "print names only", AT(quiet), NULL },
};

/* --- filters: values of one key are alternatives (labels: all must be there) ------------------ */

/* As docker: a regular expression that may match anywhere. One that is none matches nothing. */
static bool match_name(const struct volume *v, const char *value)
{
	regex_t regex;
	bool found;

	if (streq(value, v->name))
		return true;
	if (regcomp(&regex, value, REG_EXTENDED | REG_NOSUB) != 0)
		return false;
	found = regexec(&regex, v->name, 0, NULL, 0) == 0;
	regfree(&regex);
	return found;
}

static bool match_dangling(const struct volume *v, const char *value)
{
	bool dangling = streq(value, "true") || streq(value, "1");

	return (v->users == 0) == dangling;
}

static bool match_driver(const struct volume *v, const char *value)
{
	return streq(value, "local");
}

static const struct filter {
	const char *key;
	bool (*matches)(const struct volume *v, const char *value);
	bool all; /* every value must match */
} filters[] = {
	{ "dangling", match_dangling, true },
	{ "driver", match_driver, false },
	{ "label", volume_has_label, true },
	{ "name", match_name, false },
};

static const char *value_of(const char *text, const struct filter *f)
{
	size_t len = strlen(f->key);

	return strncmp(text, f->key, len) == 0 && text[len] == '=' ? text + len + 1 : NULL;
}

static int check_filter(const char *text, struct err *err)
{
	_free_ char *shown = str_escaped(text), *key = xstrndup(text, strcspn(text, "="));
	_free_ char *shown_key = str_escaped(key);
	const char *value = NULL;

	if (!strchr(text, '='))
		return err_set(err, -EINVAL,
		        "invalid argument \"%s\" for \"--filter\" flag: bad format of filter "
		        "(expected name=value)",
		        shown);
	for (size_t i = 0; i < ARRAY_SIZE(filters) && !value; i++)
		value = value_of(text, &filters[i]);
	if (!value)
		return err_set(err, -EINVAL, "Invalid filter '%s'", shown_key);
	if (streq(key, "dangling") && !streq(value, "true") && !streq(value, "1") &&
	        !streq(value, "false") && !streq(value, "0"))
		return err_set(err, -EINVAL, "Invalid filter '%s'", shown);
	return 0;
}

static bool matches(const struct volume *v, char *const *texts, const struct filter *f)
{
	bool given = false, any = false, all = true;

	for (; texts && *texts; texts++) {
		const char *value = value_of(*texts, f);
		bool found = value && f->matches(v, value);

		given |= value != NULL;
		any |= found;
		all &= !value || found;
	}
	return !given || (f->all ? all : any);
}

static bool is_wanted(const struct volume *v, char *const *texts)
{
	for (size_t i = 0; i < ARRAY_SIZE(filters); i++)
		if (!matches(v, texts, &filters[i]))
			return false;
	return true;
}

/* --- rows ------------------------------------------------------------------------------------- */

static const struct format_header headers[] = {
	{ "Driver", "DRIVER" },
	{ "Labels", "LABELS" },
	{ "Links", "LINKS" },
	{ "Mountpoint", "MOUNTPOINT" },
	{ "Name", "VOLUME NAME" },
	{ "Scope", "SCOPE" },
	{ "Size", "SIZE" },
	{ NULL, NULL },
};

static void add_row(const struct volume *v, struct json_object *rows, struct json_object *all)
{
	struct json_object *row = json_object_new_object(), *labels = json_object_new_object();
	_buf_done_ struct buf text = BUF_INIT(OUTPUT_MAX);

	for (char **label = v->labels; label && *label; label++) {
		_free_ char *key = xstrndup(*label, strcspn(*label, "="));

		(void) buf_addf(&text, "%s%s", text.len > 0 ? "," : "", *label);
		json_add_text(labels, key, *label + strlen(key) + 1);
	}
	json_add_text(row, "Driver", "local");
	json_add_text(row, "Labels", buf_str(&text));
	json_add_text(row, "Links", "N/A");
	json_add_text(row, "Mountpoint", v->path);
	json_add_text(row, "Name", v->name);
	json_add_text(row, "Scope", "local");
	json_add_text(row, "Size", "N/A");
	(void) json_object_array_add(rows, row);
	(void) json_object_array_add(all, labels);
}

/* vol2 before vol10. */
static int by_name(const void *a, const void *b)
{
	return strverscmp(((const struct volume *) a)->name, ((const struct volume *) b)->name);
}

static int print_volumes(struct volume_list *list, const struct values *v,
        struct format_list *format, struct err *err)
{
	_json_put_ struct json_object *rows = json_object_new_array();
	_json_put_ struct json_object *labels = json_object_new_array();
	_buf_done_ struct buf out = BUF_INIT(OUTPUT_MAX);
	int r;

	if (list->n > 0)
		qsort(list->items, list->n, sizeof(*list->items), by_name);
	for (size_t i = 0; i < list->n; i++)
		if (is_wanted(&list->items[i], v->filters))
			add_row(&list->items[i], rows, labels);
	format->labels = labels;
	r = format_list(format, rows, &out, err);
	return r < 0 ? r : print_text(&out);
}

static int list_volumes(const struct global *global, const struct values *v, struct err *err)
{
	_engine_done_ struct engine e = ENGINE_INIT;
	_volume_list_done_ struct volume_list list = { .n = 0 };
	struct format_list format = {
		.spec = v->format,
		.table = "{{.Driver}}\t{{.Name}}",
		.quiet = v->quiet ? "{{.Name}}" : NULL,
		.headers = headers,
		.clean = isatty(1) != 0,
	};
	int r = format_list_check(&format, err);

	for (char **filter = v->filters; r == 0 && filter && *filter; filter++)
		r = check_filter(*filter, err);
	if (r == 0)
		r = engine_open(global->root, ENGINE_READ, &e, err);
	if (r == 0)
		r = volume_list(&e, &list, err);
	/* No store yet is a store without volumes. */
	if (r < 0 && r != -ENOENT)
		return r;
	return print_volumes(&list, v, &format, err);
}

static int run(void *data, void *values, int argc, char **argv)
{
	struct values *v = values;
	struct err err;
	int r = list_volumes(data, v, &err);

	v->filters = strv_free(v->filters);
	return r < 0 ? fail(EXIT_ERROR, &err) : r;
}

#define LIST_COMMAND(words, text)                                                                  \
	{                                                                                          \
		.name = (words), .args = "", .help = (text), .options = options,                   \
		.n_options = ARRAY_SIZE(options), .values_size = sizeof(struct values),            \
		.run = run,                                                                        \
	}
const struct opt_command command_volume_ls = LIST_COMMAND("volume ls", "list volumes");
const struct opt_command command_volume_list = LIST_COMMAND("volume list", NULL);
