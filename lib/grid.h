/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * grid - a screen of characters: what to write where, as text comes in.
 */
#ifndef LIB_GRID_H
#define LIB_GRID_H

#include "lib/types.h"

#define GRID_COLS 168
#define GRID_ROWS 112

struct grid {
	unsigned cols, rows;
	unsigned col, row; /* of the next character; col == cols: at the line's end */
	void (*draw)(unsigned col, unsigned row, char c);
	char text[GRID_ROWS][GRID_COLS];  /* what should be there */
	char shown[GRID_ROWS][GRID_COLS]; /* what was drawn; 0: nothing yet */
};

/* An empty screen, cut to GRID_COLS and GRID_ROWS; draw() is first called later. */
void grid_init(struct grid *g, unsigned cols, unsigned rows,
	       void (*draw)(unsigned col, unsigned row, char c));

/* One character; knows \n, \r, \b and TAB, and shows all others as they are. */
void grid_put(struct grid *g, char c);

/* Draws every cell anew. */
void grid_redraw(struct grid *g);

#endif
