/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as an encoded log configuration, and any texts as options. What is decoded is encoded
 * to the same bytes. What is parsed can be encoded and decoded, and makes lines that are read back.
 * Input: bytes of a configuration; or, when the first byte is 'o', texts that end in NUL: driver,
 * label, its value, variable, options.
 */
#include "logs/options.h"
#include "logs/record.h"

#include "base/arena.h"
#include "base/buf.h"

#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXTS_MAX = 16 };

static void require(bool truth)
{
	if (!truth)
		abort();
}

static void require_round_trip(const struct log_config *c)
{
	_buf_done_ struct buf bytes = BUF_INIT(LOG_CONFIG_MAX), again = BUF_INIT(LOG_CONFIG_MAX);
	struct log_config back;

	log_config_encode(c, &bytes);
	require(buf_ok(&bytes));
	require(log_config_decode(bytes.data, bytes.len, &back, NULL) == 0);
	log_config_encode(&back, &again);
	require(bytes.len == again.len && memcmp(bytes.data, again.data, bytes.len) == 0);
}

/* The attributes as they stand in a line. */
static void require_line(const struct log_config *c)
{
	_buf_done_ struct buf line = BUF_INIT(LOG_EXTRA_MAX + 1024), details = BUF_INIT(1 << 20);
	struct log_record record;

	if (c->driver != LOG_DRIVER_JSON_FILE || c->extra_len == 0)
		return;
	(void) buf_adds(&line, "{\"log\":\"x\\n\",\"stream\":\"stdout\",\"attrs\":");
	(void) buf_add(&line, c->extra, c->extra_len);
	(void) buf_adds(&line, ",\"time\":\"2026-01-31T12:00:00Z\"}");
	require(!memchr(line.data, '\n', line.len));
	require(log_record_scan(line.data, line.len, &record) == 0);
	require(record.attrs_len == c->extra_len);
	log_record_details(record.attrs, record.attrs_len, &details);
	require(buf_ok(&details));
}

static void parse_texts(const char *text, size_t size)
{
	_free_ char *texts = xmalloc(size + 1);
	const char *list[TEXTS_MAX + 1] = { NULL };
	_arena_done_ struct arena a = { 0 };
	struct log_config c;
	struct err err;
	size_t n = 0;

	memcpy(texts, text, size);
	texts[size] = '\0';
	for (size_t at = 0; at <= size && n < TEXTS_MAX; at += strlen(texts + at) + 1)
		list[n++] = texts + at;
	if (n < 4)
		return;
	const struct log_label label = { list[1], list[2] };
	const char *const env[] = { list[3], NULL };
	const struct log_subject subject = { .id = "0123456789abcdef",
		.name = list[1],
		.image = list[2],
		.image_id = list[3],
		.labels = &label,
		.n_labels = 1,
		.env = env };

	if (log_options_parse(list[0], list + 4, &subject, &a, &c, &err) < 0)
		return;
	require(log_config_check(&c) == 0);
	require_round_trip(&c);
	require_line(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct log_config c;
	struct err err;

	if (size > 0 && data[0] == 'o') {
		parse_texts((const char *) data + 1, size - 1);
		return 0;
	}
	if (log_config_decode(data, size, &c, &err) < 0)
		return 0;
	require_round_trip(&c);
	require_line(&c);
	return 0;
}
