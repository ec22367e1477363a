/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pixels - tests of lib/pixels.c and lib/glyph.c: what is drawn, and what is refused
 *
 * The frame buffer is exactly as long as it says, so that ASan sees one byte more.
 */
#include <stdlib.h>

#include "lib/pixels.h"
#include "lib/str.h"
#include "tests/host/test.h"

#define W 31u
#define H 40u

static const struct framebuffer rgb32 = {
	.addr = 0x80000000,
	.pitch = W * 4,
	.width = W,
	.height = H,
	.bpp = 32,
	.type = FB_RGB,
	.red = { 16, 8 },
	.green = { 8, 8 },
	.blue = { 0, 8 },
};

static u32 pixel(const struct framebuffer *fb, const u8 *at, u32 x, u32 y)
{
	unsigned bytes = (fb->bpp + 7u) / 8;
	u32 v = 0;

	memcpy(&v, at + (u64)y * fb->pitch + x * bytes, bytes);
	return v;
}

/* Is what was drawn at the cell the glyph of c, in this ink, and nothing besides? */
static bool shows(const struct framebuffer *fb, const u8 *at, unsigned col,
		  unsigned row, char c, u32 ink)
{
	unsigned scale = pixels_scale(fb);
	bool good = true;

	for (u32 y = 0; y < fb->height; y++)
		for (u32 x = 0; x < fb->width; x++) {
			u32 cx = x / scale - col * CELL_W,
			    cy = y / scale - row * CELL_H;
			bool inside = cx < CELL_W && cy < CELL_H;
			bool set = cx < GLYPH_W && cy < GLYPH_H &&
				   glyph_rows(c)[cy] >> (GLYPH_W - 1 - cx) & 1;
			u32 old = 0x5a5a5a5a & (u32)BITS((fb->bpp + 7) / 8 * 8 - 1, 0);

			good &= pixel(fb, at, x, y) == (set ? ink : inside ? 0 : old);
		}
	return good;
}

static u8 *fresh(const struct framebuffer *fb)
{
	u8 *at = malloc(framebuffer_len(fb));

	memset(at, 0x5a, framebuffer_len(fb));
	return at;
}

static void draws(struct framebuffer fb, u32 ink)
{
	unsigned scale = pixels_scale(&fb), cols = fb.width / (CELL_W * scale),
		 rows = fb.height / (CELL_H * scale);

	EXPECT_STR(framebuffer_wrong(&fb), NULL);
	for (unsigned i = 0; i < cols * rows; i++) {
		u8 *at = fresh(&fb);
		char c = (char)(33 + i % 94);

		pixels_draw(&fb, at, i % cols, i / cols, c);
		EXPECT(shows(&fb, at, i % cols, i / cols, c, ink));
		free(at);
	}
}

TEST(pixels_of_each_depth)
{
	struct framebuffer fb = rgb32;

	draws(fb, 0xffffff);
	fb.pitch = W * 4 + 20;
	fb.red = (struct fb_colour){ 22, 10 };
	fb.green = (struct fb_colour){ 12, 10 };
	fb.blue = (struct fb_colour){ 2, 10 };
	draws(fb, 0xfffffffc);
	fb = rgb32;
	fb.bpp = 24;
	fb.pitch = W * 3;
	draws(fb, 0xffffff);
	fb.pitch = W * 3 + 1;
	fb.addr++;
	draws(fb, 0xffffff);
	fb.addr--;
	fb.bpp = 16;
	fb.pitch = W * 2;
	fb.red = (struct fb_colour){ 11, 5 };
	fb.green = (struct fb_colour){ 5, 6 };
	fb.blue = (struct fb_colour){ 0, 5 };
	draws(fb, 0xffff);
	fb.bpp = 15;
	fb.red = (struct fb_colour){ 10, 5 };
	fb.green = (struct fb_colour){ 5, 5 };
	draws(fb, 0x7fff);
}

TEST(pixels_are_larger_on_a_large_screen)
{
	struct framebuffer fb = rgb32;
	u8 *at;

	fb.width = 1920;
	fb.height = 61;
	fb.pitch = 1920 * 4;
	EXPECT_EQ(pixels_scale(&fb), 3);
	at = fresh(&fb);
	pixels_draw(&fb, at, 105, 1, '%');
	EXPECT(shows(&fb, at, 105, 1, '%', 0xffffff));
	free(at);
}

TEST(pixels_outside_are_not_drawn)
{
	static const u32 far[] = { 5, 4, 6, 1000, 0x2aaaaaab, 0x80000000, ~0u };
	u8 *at = fresh(&rgb32), *same = fresh(&rgb32);

	for (unsigned i = 0; i < ARRAY_LEN(far); i++) {
		if (far[i] >= W / CELL_W)
			pixels_draw(&rgb32, at, far[i], 0, 'x');
		pixels_draw(&rgb32, at, 0, far[i], 'x');
	}
	EXPECT(!memcmp(at, same, framebuffer_len(&rgb32)));
	free(at);
	free(same);
}

TEST(pixels_no_two_glyphs_are_the_same)
{
	for (unsigned a = 0; a < 256; a++)
		for (unsigned b = 0; b < a; b++)
			if ((a >= ' ' && a <= '~') || (b >= ' ' && b <= '~'))
				EXPECT(memcmp(glyph_rows((char)a), glyph_rows((char)b),
					      GLYPH_H));
	for (char c = ' '; c <= '~'; c++)
		for (unsigned i = 0; i < GLYPH_H; i++)
			EXPECT(glyph_rows(c)[i] < 1u << GLYPH_W);
}

static const char *wrong(u64 addr, u32 pitch, u32 width, u32 height, u8 bpp, u8 type)
{
	struct framebuffer fb = rgb32;

	fb.addr = addr;
	fb.pitch = pitch;
	fb.width = width;
	fb.height = height;
	fb.bpp = bpp;
	fb.type = type;
	return framebuffer_wrong(&fb);
}

TEST(framebuffers_that_lie)
{
	struct framebuffer none = { 0 };

	EXPECT(framebuffer_wrong(&none) != NULL);
	EXPECT_STR(wrong(0x1000, 400, 100, 10, 32, FB_RGB), NULL);
	EXPECT_STR(wrong(0xb8000, 160, 80, 25, 16, FB_TEXT), NULL);
	EXPECT(wrong(0xb8000, 160, 80, 25, 8, FB_TEXT) != NULL);
	EXPECT(wrong(0x1000, 400, 100, 10, 8, FB_INDEXED) != NULL);
	EXPECT(wrong(0x1000, 400, 100, 10, 32, 3) != NULL);
	for (unsigned bpp = 0; bpp < 256; bpp++)
		if (bpp != 24 && bpp != 32)
			EXPECT(wrong(0x1000, 400, 100, 10, (u8)bpp, FB_RGB) != NULL);
	EXPECT(wrong(0x1000, 396, 100, 10, 32, FB_RGB) != NULL);
	EXPECT(wrong(0x1000, 0, 100, 10, 32, FB_RGB) != NULL);
	EXPECT(wrong(0x1000, 0, 0x40000000, 10, 32, FB_RGB) != NULL);
	EXPECT(wrong(0x1000, 402, 100, 10, 32, FB_RGB) != NULL);
	EXPECT(wrong(0x1002, 400, 100, 10, 32, FB_RGB) != NULL);
	EXPECT(wrong(0x1000, 400, 0, 10, 32, FB_RGB) != NULL);
	EXPECT(wrong(0x1000, 400, 100, 0, 32, FB_RGB) != NULL);
	EXPECT(wrong(0, 400, 100, 10, 32, FB_RGB) != NULL);
	EXPECT(wrong(~0ull << 2, 400, 100, 10, 32, FB_RGB) != NULL);
	EXPECT(wrong(BIT(52) - 400, 400, 100, 10, 32, FB_RGB) != NULL);
	EXPECT_STR(wrong(BIT(52) - 4000, 400, 100, 10, 32, FB_RGB), NULL);
	EXPECT(wrong(0x1000, 400, 100, ~0u, 32, FB_RGB) != NULL);
	EXPECT(wrong(0x1000, 0xfffffffc, 100, ~0u, 32, FB_RGB) != NULL);
}

TEST(framebuffer_colours_that_lie)
{
	static const struct fb_colour bad[] = { { 0, 0 },  { 32, 1 },    { 25, 8 },
						{ 31, 2 }, { 255, 255 }, { 1, 255 } };

	for (unsigned i = 0; i < 3 * ARRAY_LEN(bad); i++) {
		struct framebuffer fb = rgb32;
		struct fb_colour *c[] = { &fb.red, &fb.green, &fb.blue };

		*c[i % 3] = bad[i / 3];
		EXPECT_STR(framebuffer_wrong(&fb),
			   "a colour lies outside of its pixels");
	}
}
