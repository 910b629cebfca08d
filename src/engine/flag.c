/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/flag.h"

#include "base/buf.h"

#include <string.h>

enum { SHOWN_MAX = 400, QUOTED_MAX = 4 * SHOWN_MAX + 8 };

static const struct {
	char byte, letter;
} letters[] = { { '\n', 'n' }, { '\t', 't' }, { '\r', 'r' }, { '"', '"' }, { '\\', '\\' } };

static void add_byte(struct buf *out, unsigned char byte)
{
	for (size_t i = 0; i < ARRAY_SIZE(letters); i++)
		if (letters[i].byte == (char) byte) {
			(void) buf_addf(out, "\\%c", letters[i].letter);
			return;
		}
	if (byte < ' ' || byte > 0x7e)
		(void) buf_addf(out, "\\x%02x", byte);
	else
		(void) buf_addc(out, (char) byte);
}

char *flag_quoted(const char *text)
{
	_buf_done_ struct buf out = BUF_INIT(QUOTED_MAX);
	size_t len = strlen(text);

	(void) buf_addc(&out, '"');
	for (size_t i = 0; i < MIN(len, (size_t) SHOWN_MAX); i++)
		add_byte(&out, (unsigned char) text[i]);
	(void) buf_adds(&out, len > SHOWN_MAX ? "...\"" : "\"");
	return buf_take(&out);
}

int flag_invalid(const char *name, const char *value, int code, struct err *err)
{
	_free_ char *quoted = flag_quoted(value);

	return err_prefix(err, code, "invalid argument %s for \"--%s\" flag", quoted, name);
}
