/* SPDX-License-Identifier: Apache-2.0 */
#include "format/table.h"

#include "format/clean.h"

#include <errno.h>
#include <string.h>

enum { CELL_MIN = 10, CELL_PADDING = 3 };

/* A cell that ends with a tab, or the rest of a line. */
struct cell {
	size_t start, len;
	size_t width; /* of its column in the end; 0: not padded */
};

struct line {
	size_t first; /* index of its first cell */
	size_t cells; /* that end with a tab; the rest of the line is one more */
};

struct grid {
	struct cell *cells;
	struct line *lines;
	size_t n_lines, columns;
};

/* Cuts the text into lines and cells. A last line without an end is a line too. */
static void cut(const char *text, size_t len, struct grid *g)
{
	size_t cell = 0, start = 0;

	for (size_t i = 0; i <= len; i++) {
		bool ends = i == len || text[i] == '\n';
		struct line *line = &g->lines[g->n_lines];

		if (!ends && text[i] != '\t')
			continue;
		g->cells[cell++] = (struct cell){ .start = start, .len = i - start };
		start = i + 1;
		if (!ends) {
			line->cells++;
			continue;
		}
		g->columns = MAX(g->columns, line->cells);
		g->n_lines++;
		g->lines[g->n_lines].first = cell;
	}
}

/* One column: each run of lines that have it gets the width of its widest cell. */
static void measure(struct grid *g, const char *text, size_t column)
{
	for (size_t i = 0, end; i < g->n_lines; i = end) {
		size_t width = CELL_MIN;

		for (end = i; end < g->n_lines && g->lines[end].cells > column; end++) {
			const struct cell *c = &g->cells[g->lines[end].first + column];

			width = MAX(width, utf8_count(text + c->start, c->len) + CELL_PADDING);
		}
		for (size_t k = i; k < end; k++)
			g->cells[g->lines[k].first + column].width = width;
		if (end == i)
			end++;
	}
}

static int add_cell(const char *text, const struct cell *c, struct buf *out)
{
	size_t width = utf8_count(text + c->start, c->len);
	int r = buf_add(out, text + c->start, c->len);

	for (; width < c->width && r == 0; width++)
		r = buf_addc(out, ' ');
	return r;
}

int table_align(const char *text, size_t len, struct buf *out)
{
	_free_ struct cell *cells = NULL;
	_free_ struct line *lines = NULL;
	struct grid g = { 0 };
	size_t n_cells = 1, n_lines = 1;
	int r = 0;

	if (len == 0)
		return 0;
	for (size_t i = 0; i < len; i++) {
		n_cells += text[i] == '\t' || text[i] == '\n';
		n_lines += text[i] == '\n';
	}
	g.cells = cells = xnew_n(struct cell, n_cells);
	g.lines = lines = xnew_n(struct line, n_lines + 1);
	cut(text, len, &g);
	for (size_t column = 0; column < g.columns; column++)
		measure(&g, text, column);
	for (size_t i = 0; i < g.n_lines && r == 0; i++) {
		for (size_t k = 0; k <= g.lines[i].cells && r == 0; k++)
			r = add_cell(text, &cells[g.lines[i].first + k], out);
		/* The text's own last new line is the end of the line before the last, empty one.
		 */
		if (r == 0 && i + 1 < g.n_lines)
			r = buf_addc(out, '\n');
	}
	return r;
}
