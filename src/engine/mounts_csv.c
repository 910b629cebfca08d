/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/mounts_csv.h"

#include "base/buf.h"
#include "engine/mounts.h"

#include <errno.h>
#include <string.h>

struct csv {
	const char *at;
	const char *line_start;
	int line;
};

static int csv_error(const struct csv *csv, const char *where, const char *what, struct err *err)
{
	return err_set(err, -EINVAL, "parse error on line %d, column %d: %s", csv->line,
	        (int) (where - csv->line_start) + 1, what);
}

static size_t newline(const char *at)
{
	if (at[0] == '\r' && at[1] == '\n')
		return 2;
	return at[0] == '\n';
}

/* At the opening quote. Leaves csv->at behind the closing one. */
static int quoted_field(struct csv *csv, struct buf *out, struct err *err)
{
	static const char wrong[] = "extraneous or missing \" in quoted-field";

	for (csv->at++;; csv->at++) {
		const char *quote = csv->at;

		if (!*csv->at)
			return csv_error(csv, csv->at, wrong, err);
		if (*csv->at != '"') {
			/* A line ends as '\n' also inside. */
			if (newline(csv->at) != 2)
				(void) buf_addc(out, *csv->at);
			if (*csv->at == '\n') {
				csv->line++;
				csv->line_start = csv->at + 1;
			}
			continue;
		}
		csv->at++;
		if (*csv->at == '"') {
			(void) buf_addc(out, '"');
			continue;
		}
		if (*csv->at && *csv->at != ',' && !newline(csv->at))
			return csv_error(csv, quote, wrong, err);
		return 0;
	}
}

static int plain_field(struct csv *csv, struct buf *out, struct err *err)
{
	for (; *csv->at && *csv->at != ',' && !newline(csv->at); csv->at++) {
		if (*csv->at == '"')
			return csv_error(csv, csv->at, "bare \" in non-quoted-field", err);
		(void) buf_addc(out, *csv->at);
	}
	return 0;
}

int mounts_csv(const char *text, char ***ret_fields, struct err *err)
{
	_cleanup_(strv_freep) char **fields = NULL;
	struct csv csv = { .at = text, .line_start = text, .line = 1 };

	for (size_t n; (n = newline(csv.at)) > 0;) {
		csv.at += n;
		csv.line_start = csv.at;
		csv.line++;
	}
	if (!*csv.at)
		return err_set(err, -EINVAL, "EOF");
	for (;;) {
		_buf_done_ struct buf field = BUF_INIT(MOUNTS_TEXT_MAX);
		int r = *csv.at == '"' ? quoted_field(&csv, &field, err)
		                       : plain_field(&csv, &field, err);

		if (r < 0)
			return r;
		if (!buf_ok(&field))
			return err_set(
			        err, -EINVAL, "a field is longer than %d bytes", MOUNTS_TEXT_MAX);
		strv_add(&fields, buf_str(&field));
		if (*csv.at != ',')
			break;
		csv.at++;
	}
	*ret_fields = TAKE_PTR(fields);
	return 0;
}
