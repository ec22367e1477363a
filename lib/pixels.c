/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pixels - a frame buffer as a loader describes it, and characters drawn into it
 *
 * Light on dark, with all bits of all three colours set, so that their order is no
 * matter.  Nothing is read from the frame buffer, which is slow on real machines.
 */
#include "lib/pixels.h"

#define SCALE_STEP 500u /* pixels of width that make a scale: 83 to 166 columns */
#define LEN_MAX    (256ull << 20)
#define ADDR_END   BIT(52)

static bool colour_fits(struct fb_colour c, unsigned bpp)
{
	return c.bits && c.at < bpp && c.bits <= bpp - c.at;
}

static unsigned pixel_bytes(const struct framebuffer *fb)
{
	return (fb->bpp + 7u) / 8;
}

/* A pixel of 2 or 4 bytes is stored at once. */
static bool aligned(const struct framebuffer *fb)
{
	unsigned bytes = pixel_bytes(fb);

	return bytes == 3 || !((fb->addr | fb->pitch) % bytes);
}

static const char *rgb_wrong(const struct framebuffer *fb)
{
	static const u8 depth[] = { 15, 16, 24, 32 };
	bool known = false;

	for (unsigned i = 0; i < ARRAY_LEN(depth); i++)
		known |= fb->bpp == depth[i];
	if (!known)
		return "it has neither 15, 16, 24 nor 32 bits per pixel";
	if (!colour_fits(fb->red, fb->bpp) || !colour_fits(fb->green, fb->bpp) ||
	    !colour_fits(fb->blue, fb->bpp))
		return "a colour lies outside of its pixels";
	return NULL;
}

const char *framebuffer_wrong(const struct framebuffer *fb)
{
	const char *why = NULL;

	if (fb->type == FB_RGB)
		why = rgb_wrong(fb);
	else if (fb->type != FB_TEXT || fb->bpp != 16)
		why = "it is neither of RGB pixels nor of characters";
	if (why)
		return why;
	if (!fb->width || !fb->height)
		return "it is empty";
	if (fb->pitch / pixel_bytes(fb) < fb->width)
		return "its lines are longer than their distance";
	if (!aligned(fb))
		return "its pixels are not aligned";
	if (framebuffer_len(fb) > LEN_MAX)
		return "it is absurdly large";
	if (!fb->addr || fb->addr > ADDR_END - framebuffer_len(fb))
		return "it lies where nothing can be";
	return NULL;
}

u64 framebuffer_len(const struct framebuffer *fb)
{
	return (u64)fb->pitch * fb->height;
}

unsigned pixels_scale(const struct framebuffer *fb)
{
	return MAX(fb->width / SCALE_STEP, 1u);
}

static u32 ink(const struct framebuffer *fb)
{
	return (u32)(BITS(fb->red.at + fb->red.bits - 1, fb->red.at) |
		     BITS(fb->green.at + fb->green.bits - 1, fb->green.at) |
		     BITS(fb->blue.at + fb->blue.bits - 1, fb->blue.at));
}

static void set_pixel(volatile u8 *to, unsigned bytes, u32 value)
{
	if (bytes == 4)
		*(volatile u32 *)to = value;
	else if (bytes == 2)
		*(volatile u16 *)to = (u16)value;
	else
		for (unsigned i = 0; i < bytes; i++)
			to[i] = (u8)(value >> 8 * i);
}

/* One line of pixels of a cell: `bits` from left to right, CELL_W of them. */
static void draw_line(const struct framebuffer *fb, volatile u8 *to, unsigned bits,
		      unsigned scale)
{
	unsigned bytes = pixel_bytes(fb);
	u32 colour = ink(fb);

	for (unsigned x = 0; x < CELL_W * scale; x++, to += bytes)
		set_pixel(to, bytes, bits >> (CELL_W - 1 - x / scale) & 1 ? colour : 0);
}

void pixels_draw(const struct framebuffer *fb, void *base, unsigned col, unsigned row,
		 char c)
{
	unsigned scale = pixels_scale(fb), w = CELL_W * scale, h = CELL_H * scale;
	const u8 *rows = glyph_rows(c);
	volatile u8 *to = base;

	if (col >= fb->width / w || row >= fb->height / h)
		return;
	to += (u64)row * h * fb->pitch + (u64)col * w * pixel_bytes(fb);
	for (unsigned i = 0; i < h; i++, to += fb->pitch)
		draw_line(fb, to, i / scale < GLYPH_H ? rows[i / scale] << 1u : 0,
			  scale);
}
