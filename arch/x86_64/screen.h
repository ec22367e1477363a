/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * screen - the console on a monitor, for machines without a serial port.
 */
#ifndef ARCH_SCREEN_H
#define ARCH_SCREEN_H

#include "lib/pixels.h"

/*
 * Shows from now on what is printed.  `wrong` is why fb cannot be used, or NULL; then,
 * and if there is no other console at all, VGA's text screen is tried.
 */
void screen_init(const struct framebuffer *fb, const char *wrong);

/* Maps a frame buffer that boot's page tables did not reach.  After paging_init(). */
void screen_map(void);

/* screen=auto, off or text; false for anything else. */
bool screen_choose(const char *how);

#endif
