/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/event_line.h"

#include "base/str.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Where the line grows. What does not fit sets 'full' and leaves 'len' to be taken back. */
struct out {
	char *data;
	size_t len, size;
	bool full;
};

static void add(struct out *o, const char *data, size_t len)
{
	if (o->full || len > o->size - o->len) {
		o->full = true;
		return;
	}
	memcpy(o->data + o->len, data, len);
	o->len += len;
}

static void add_text(struct out *o, const char *text)
{
	add(o, text, strlen(text));
}

static void add_number(struct out *o, int64_t n)
{
	char digits[24];
	size_t at = sizeof(digits);
	uint64_t rest = n < 0 ? 0 - (uint64_t) n : (uint64_t) n;

	do {
		digits[--at] = (char) ('0' + rest % 10);
		rest /= 10;
	} while (rest > 0);
	if (n < 0)
		digits[--at] = '-';
	add(o, digits + at, sizeof(digits) - at);
}

/* A JSON string of at most max bytes of the text. */
static void add_string(struct out *o, const char *text, size_t max)
{
	static const char hex[] = "0123456789abcdef";
	size_t len = strnlen(text, max);

	add(o, "\"", 1);
	for (size_t i = 0; i < len && !o->full;) {
		size_t n = str_utf8_length(text + i, len - i);
		unsigned char c = (unsigned char) text[i];
		char escape[] = { '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] };

		if (n == 0)
			add_text(o, "\xef\xbf\xbd"); /* U+FFFD */
		else if (n == 1 && (c < ' ' || c == 0x7f || c == '"' || c == '\\'))
			add(o, escape, sizeof(escape));
		else
			add(o, text + i, n);
		i += MAX(n, 1u);
	}
	add(o, "\"", 1);
}

static void add_attributes(struct out *o, const struct event_line *line)
{
	bool first = true;

	for (size_t i = 0; i < line->n_attributes; i++) {
		const struct oci_kv *a = &line->attributes[i];
		size_t before = o->len;

		if (!first)
			add(o, ",", 1);
		add_string(o, a->key, SIZE_MAX);
		add(o, ":", 1);
		add_string(o, a->value, SIZE_MAX);
		if (o->full) {
			o->len = before;
			o->full = false;
		} else {
			first = false;
		}
	}
}

size_t event_line_format(const struct event_line *line, char *out, size_t size)
{
	static const char end[] = "}}\n";
	struct out o = { .data = out, .size = size };
	struct timespec now = { .tv_sec = 0 };

	if (size < sizeof(end))
		return 0;
	o.size -= sizeof(end) - 1; /* kept for the end */
	if (line->time == 0)
		(void) clock_gettime(CLOCK_REALTIME, &now);
	add_text(&o, "{\"time\":");
	add_number(&o, line->time ? line->time : (int64_t) now.tv_sec * 1000000000 + now.tv_nsec);
	add_text(&o, ",\"type\":");
	add_string(&o, line->type, EVENT_TYPE_MAX);
	add_text(&o, ",\"action\":");
	add_string(&o, line->action, EVENT_ACTION_MAX);
	add_text(&o, ",\"id\":");
	add_string(&o, line->id, EVENT_ID_MAX);
	add_text(&o, ",\"attributes\":{");
	if (o.full)
		return 0;
	add_attributes(&o, line);
	o.size = size;
	add_text(&o, end);
	return o.len;
}

int event_line_write(int fd, const struct event_line *line)
{
	char text[EVENT_LINE_SMALL];
	size_t len = event_line_format(line, text, sizeof(text));
	ssize_t n = len > 0 ? TEMP_FAILURE_RETRY(write(fd, text, len)) : 0;

	return n < 0 ? -errno : 0;
}
