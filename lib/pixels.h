/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pixels - a frame buffer as a loader describes it, and characters drawn into it.
 */
#ifndef LIB_PIXELS_H
#define LIB_PIXELS_H

#include "lib/glyph.h"
#include "lib/types.h"

/* Multiboot2 2.0, 3.6.12, "framebuffer_type". */
#define FB_INDEXED 0
#define FB_RGB     1
#define FB_TEXT    2 /* 16 bits a character; width and height count characters */

/* A cell has a column and two rows of background, times the scale. */
#define CELL_W (GLYPH_W + 1u)
#define CELL_H (GLYPH_H + 2u)

struct fb_colour {
	u8 at, bits; /* lowest bit of the colour in a pixel, and how many */
};

struct framebuffer {
	u64 addr;
	u32 pitch; /* bytes from a line to the next */
	u32 width, height;
	u8 bpp, type;
	struct fb_colour red, green, blue;
};

/* Why it cannot be used, in a sentence; NULL if it can. */
must_check const char *framebuffer_wrong(const struct framebuffer *fb);

/* Bytes from fb->addr on that are used, if it can be. */
u64 framebuffer_len(const struct framebuffer *fb);

/* How many pixels a pixel of a glyph is wide and high: 1, more on a large screen. */
unsigned pixels_scale(const struct framebuffer *fb);

/* Draws c, which covers what was there.  base: where fb->addr is mapped. */
void pixels_draw(const struct framebuffer *fb, void *base, unsigned col, unsigned row,
		 char c);

#endif
