/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * grid - a screen of characters: what to write where, as text comes in
 *
 * Pixels are slow to write and slower to read, so the text is kept in memory and a
 * cell is drawn only if its character changes.  When the last line is full the text
 * moves up by a quarter of the screen at once: by one line at a time each new line
 * would draw nearly all of it.
 */
#include "lib/grid.h"
#include "lib/str.h"

#define TAB 8u

void grid_init(struct grid *g, unsigned cols, unsigned rows,
	       void (*draw)(unsigned col, unsigned row, char c))
{
	g->cols = MIN(cols, (unsigned)GRID_COLS);
	g->rows = MIN(rows, (unsigned)GRID_ROWS);
	g->col = g->row = 0;
	g->draw = draw;
	memset(g->text, ' ', sizeof(g->text));
	memset(g->shown, 0, sizeof(g->shown));
}

static void draw_cell(struct grid *g, unsigned col, unsigned row)
{
	char c = g->text[row][col];

	if (g->shown[row][col] == c)
		return;
	g->shown[row][col] = c;
	g->draw(col, row, c);
}

static void draw_changed(struct grid *g)
{
	for (unsigned row = 0; row < g->rows; row++)
		for (unsigned col = 0; col < g->cols; col++)
			draw_cell(g, col, row);
}

void grid_redraw(struct grid *g)
{
	memset(g->shown, 0, sizeof(g->shown));
	draw_changed(g);
}

static void scroll(struct grid *g)
{
	unsigned gone = g->rows / 4 + 1, kept = g->rows - gone;

	memmove(g->text[0], g->text[gone], kept * sizeof(g->text[0]));
	memset(g->text[kept], ' ', gone * sizeof(g->text[0]));
	g->row = kept;
	draw_changed(g);
}

static void next_line(struct grid *g)
{
	g->col = 0;
	if (++g->row >= g->rows)
		scroll(g);
}

/* A line that is exactly full ends only with the next character. */
static void put_shown(struct grid *g, char c)
{
	if (g->col >= g->cols)
		next_line(g);
	g->text[g->row][g->col] = c;
	draw_cell(g, g->col, g->row);
	g->col++;
}

void grid_put(struct grid *g, char c)
{
	if (!g->cols || !g->rows)
		return;
	switch (c) {
	case '\n':
		next_line(g);
		break;
	case '\r':
		g->col = 0;
		break;
	case '\b':
		g->col -= g->col > 0;
		break;
	case '\t':
		do
			put_shown(g, ' ');
		while (g->col % TAB && g->col < g->cols);
		break;
	default:
		put_shown(g, c);
	}
}
