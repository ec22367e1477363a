/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * state - the parts of the world that change, as one block of bytes, and its hash.
 */
#ifndef TESTS_EXPLORE_STATE_H
#define TESTS_EXPLORE_STATE_H

#include "tests/explore/world.h"

struct state_hash {
	u64 a, b;
};

#define STATE_MAX (sizeof(struct world))

/* Takes the present world as the one from which states differ. */
void state_base(void);

/* Writes the present state to `out`; its size. */
size_t state_save(u8 *out);
void state_load(const u8 *in);

struct state_hash state_hash(const u8 *in, size_t size);

/* Has anything changed that states do not save? */
bool state_leaks(void);

#endif
