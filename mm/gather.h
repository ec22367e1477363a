/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gather - the duty that an edit leaves behind: what to flush, what may be freed after.
 *
 *      open --- inval_publish() ---> published --- inval_retire() ---> open, empty
 *
 * Edits fill an open gather.  Its blocks are unreachable for new walks, but a CPU may
 * hold translations through them until the invalidation is done; they stay intact and
 * go back to the pool at retirement alone.  Editing into a published gather panics.
 */
#ifndef MM_GATHER_H
#define MM_GATHER_H

#include "mm/pool.h"

#define GATHER_RANGES 8

enum gather_state { GATHER_OPEN, GATHER_PUBLISHED };

struct gather_range {
	gpa_t start;
	u64 len;
};

struct gather {
	enum gather_state state;
	unsigned n;
	bool all; /* more ranges than fit: flush the whole root */
	struct gather_range range[GATHER_RANGES];
	struct frame_list dead;
};

static inline struct gather gather_init(void)
{
	return (struct gather){ .dead = frame_list_empty() };
}

/* Does the edit oblige anybody to flush? */
static inline bool gather_needs_flush(const struct gather *g)
{
	return g->n || g->all || g->dead.count;
}

/* Adds [start, start + len) to what must be flushed; joins adjacent ranges. */
void gather_range(struct gather *g, gpa_t start, u64 len);

/* Adds a block that the edit has made unreachable. */
void gather_block(struct gather *g, struct pool *p, hpa_t pa);

#endif
