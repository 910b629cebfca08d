/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes as a template over a fixed document: parsing and executing end, within their bounds; the
 * same template gives the same text again; clean output has no control characters but those that
 * the template itself writes.
 */
#include "base/str.h"
#include "format/clean.h"
#include "format/table.h"
#include "format/template.h"

#include <json-c/json.h>

enum { OUTPUT_MAX = 1 << 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char document_text[] =
        "{\"ID\":\"0123456789ab\",\"Names\":[\"web\",\"db\"],\"N\":null,\"M\":{\"b\":\"2\",\"a\":\"1\"},"
        "\"S\":{\"P\":42,\"R\":true,\"F\":1.5},\"E\":\"a\\u001b[31m\\n\\u009b\\u202e\",\"L\":[1,\"a\","
        "null,[2],{\"k\":\"v\"}],\"Ports\":{\"80/tcp\":[{\"HostPort\":\"8080\"}]},\"Z\":0}";

static void require(bool truth)
{
	if (!truth)
		abort();
}

/* Executes and returns the text, NULL on failure. */
static char *execute(const struct template *t, struct json_object *document, unsigned int flags)
{
	const struct template_options options = { .flags = flags, .labels = NULL };
	_buf_done_ struct buf out = BUF_INIT(OUTPUT_MAX);
	struct err err = { 0 };

	if (template_exec(t, document, &options, &out, &err) < 0) {
		require(err.code < 0 && str_has_prefix(err.text, "template: "));
		return NULL;
	}
	return buf_take(&out);
}

/* Nothing of the document's evil text comes through. */
static void require_clean(const char *template, const char *out)
{
	if (!strpbrk(template, "\x1b\xc2\xe2\\'%")) /* what could write it */
		require(!strchr(out, '\x1b') && !strstr(out, "\xc2\x9b") &&
		        !strstr(out, "\xe2\x80\xae"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_free_ char *text = xstrndup((const char *) data, size), *first = NULL, *again = NULL,
	            *clean = NULL, *header = NULL;
	_template_free_ struct template *t = NULL;
	_buf_done_ struct buf table = BUF_INIT(64 * OUTPUT_MAX);
	struct json_object *document;
	struct err err = { 0 };

	if (template_parse(text, size & 1, &t, &err) < 0) {
		require(err.code < 0 && *err.text);
		return 0;
	}
	document = json_tokener_parse(document_text);
	require(document);
	(void) template_uses(t, "ID");
	first = execute(t, document, 0);
	again = execute(t, document, TEMPLATE_NO_VALUE);
	require(!first || (again && streq(first, again)));
	clean = execute(t, document, TEMPLATE_CLEAN | TEMPLATE_LABELS | TEMPLATE_SORT);
	if (clean)
		require_clean(text, clean);
	header = execute(t, document, TEMPLATE_HEADER);
	if (first)
		(void) table_align(first, strlen(first), &table);
	(void) json_object_put(document);
	return 0;
}
