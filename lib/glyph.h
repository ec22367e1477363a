/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * glyph - the shapes of the printable ASCII characters, as bits.
 */
#ifndef LIB_GLYPH_H
#define LIB_GLYPH_H

#include "lib/types.h"

#define GLYPH_W 5 /* bit 4 of a row is its leftmost pixel */
#define GLYPH_H 8 /* rows, from the top; the last two are below the line */

/* The rows of c, 0x20 to 0x7e; of any other character a full block. */
const u8 *glyph_rows(char c);

#endif
