/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * screen - the console on a monitor, for machines without a serial port
 *
 * Shows what the loader's frame buffer can show: pixels, or the characters of a VGA in
 * text mode.  A loader that tells of none may have left a VGA in text mode, so that is
 * written to if nothing else would show a word; an emulator has a serial port and pays
 * nothing.  Records for tools, lines that begin with '@', are left out: the last
 * screenful is what a person photographs.
 */
#include "arch/x86_64/screen.h"
#include "arch/x86_64/layout.h"
#include "arch/x86_64/paging.h"
#include "lib/console.h"
#include "lib/grid.h"
#include "lib/str.h"
#include "mm/mem.h"

#define VGA_LIGHT 0x07u /* attribute: light grey on black */

/* Mode 3 of a VGA: 80 by 25 characters, each with an attribute. */
static const struct framebuffer vga = { .addr = 0xb8000,
					.pitch = 160,
					.width = 80,
					.height = 25,
					.bpp = 16,
					.type = FB_TEXT };

static struct framebuffer fb;
static struct grid grid;
static u8 *base; /* where fb.addr is mapped; NULL: not yet */
static bool on;
static enum { LINE_START, LINE_SHOWN, LINE_HIDDEN } line;

static void draw(unsigned col, unsigned row, char c)
{
	if (!base)
		return;
	if (fb.type == FB_RGB)
		pixels_draw(&fb, base, col, row, c);
	else
		*(volatile u16 *)(base + (u64)row * fb.pitch + col * 2) =
			(u16)((u8)c | VGA_LIGHT << 8);
}

static void put(char c)
{
	if (line == LINE_START && c != '\n')
		line = c == '@' ? LINE_HIDDEN : LINE_SHOWN;
	if (on && line != LINE_HIDDEN)
		grid_put(&grid, c);
	if (c == '\n')
		line = LINE_START;
}

static bool in_direct_map(void)
{
	return fb.addr + framebuffer_len(&fb) <= DIRECT_SIZE;
}

static void use(const struct framebuffer *with)
{
	unsigned scale = pixels_scale(with);
	bool text = with->type == FB_TEXT;

	fb = *with;
	on = true;
	base = in_direct_map() ? mem_ptr(HPA(fb.addr)) : NULL;
	grid_init(&grid, text ? fb.width : fb.width / (CELL_W * scale),
		  text ? fb.height : fb.height / (CELL_H * scale), draw);
	grid_redraw(&grid);
}

void screen_init(const struct framebuffer *with, const char *wrong)
{
	if (!wrong)
		use(with);
	else if (!console_count())
		use(&vga);
	console_add(put);
	if (!wrong)
		print("# screen: %ux%u, %u columns, %u lines\n", fb.width, fb.height,
		      grid.cols, grid.rows);
	else if (with->width)
		print("# screen: not the loader's: %s\n", wrong);
}

void screen_map(void)
{
	u64 start = ALIGN_DOWN(fb.addr, PAGE_SIZE);

	if (!on || in_direct_map())
		return;
	/* UC-: a range that the MTRRs make write-combining stays so (SDM 3, 12.5.2.2).
	 */
	paging_map(SCREEN_BASE, HPA(start),
		   ALIGN_UP(fb.addr + framebuffer_len(&fb), PAGE_SIZE) - start,
		   PAGE_RW | PTE_PCD);
	base = (u8 *)SCREEN_BASE + (fb.addr - start);
	grid_redraw(&grid);
}

bool screen_choose(const char *how)
{
	if (!strcmp(how, "text"))
		use(&vga);
	else if (!strcmp(how, "off"))
		on = false;
	else
		return !strcmp(how, "auto");
	return true;
}
