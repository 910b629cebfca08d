/* SPDX-License-Identifier: Apache-2.0 */
/* The parser of the journal's export format gives the same in one piece and in many. */
#include "base/buf.h"
#include "base/str.h"
#include "logs/journal_read.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int take(void *arg, enum log_stream stream, const char *data, size_t len)
{
	struct buf *out = arg;

	(void) buf_addc(out, stream == LOG_STDOUT ? '1' : '2');
	return buf_add(out, data, len);
}

static int parse(const char *data, size_t size, size_t piece, struct buf *out)
{
	struct log_read_options options = LOG_READ_ALL;
	const struct log_sink sink = { take, out };
	_cleanup_(journal_parser_done) struct journal_parser p;
	int r = 0;

	options.timestamps = options.details = true;
	journal_parser_init(&p, &options, &sink);
	for (size_t at = 0; r == 0 && at < size; at += piece)
		r = journal_parser_take(&p, data + at, MIN(piece, size - at));
	return r < 0 ? r : journal_parser_end(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_buf_done_ struct buf one = BUF_INIT(64 << 20), many = BUF_INIT(64 << 20);
	int r = parse((const char *) data, size, size + 1, &one),
	    k = parse((const char *) data, size, 7, &many);

	if (r != k || !streq(buf_str(&one), buf_str(&many)))
		abort();
	return 0;
}
