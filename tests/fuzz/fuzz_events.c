/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever the texts of an event are, it becomes one line that is read back, and nothing of a line
 * that is accepted drives a terminal. The input is taken both as the texts and as a line.
 */
#include "base/buf.h"
#include "base/str.h"
#include "engine/events_read.h"
#include "json/json.h"
#include "shim/event_line.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void print(struct json_object *message)
{
	_buf_done_ struct buf out = BUF_INIT(16 << 20);

	events_print(message, &out);
	for (size_t i = 0; i + 1 < out.len; i++)
		if ((unsigned char) out.data[i] < ' ' || out.data[i] == 0x7f)
			abort();
}

static void as_texts(const char *text)
{
	static char line[EVENT_LINE_SMALL];
	const struct oci_kv attribute = { text, text };
	const struct event_line event = { 1, "container", text, text, &attribute, 1 };
	size_t len = event_line_format(&event, line, sizeof(line));
	_json_put_ struct json_object *message = NULL;

	if (len == 0 || memchr(line, '\n', len) != line + len - 1)
		abort();
	/* An event without an action is none. */
	if (events_parse(line, len - 1, &message) < 0) {
		if (*text)
			abort();
		return;
	}
	print(message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_free_ char *text = xstrndup((const char *) data, size);
	_json_put_ struct json_object *message = NULL;

	as_texts(text);
	if (events_parse((const char *) data, size, &message) == 0)
		print(message);
	return 0;
}
