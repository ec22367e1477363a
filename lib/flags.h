/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flags - the bits of a word by their names, for people.
 */
#ifndef LIB_FLAGS_H
#define LIB_FLAGS_H

#include "lib/types.h"

struct flag {
	u64 bit;
	const char *name; /* a word: no blank in it */
};

/*
 * The names of the bits that are set in `word`, in the table's order and a blank
 * between, then what has no name as one hexadecimal number.  Always NUL-terminated;
 * what does not fit `size` is left out, whole names only.
 */
void flags_text(char *buf, size_t size, const struct flag *flags, unsigned n, u64 word);

#endif
