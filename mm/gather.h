/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gather - the duty that an edit leaves behind: what to flush and why, what may be
 * freed, and what becomes present, after the flush.
 *
 *      open --- inval_publish() ---> published --- inval_retire() ---> open, empty
 *
 * Edits fill an open gather.  Its blocks are unreachable for new walks, but a CPU may
 * hold translations through them until the invalidation is done; they stay intact and
 * go back to the pool at retirement alone.  Entries that the edits parked become
 * present by ept_settle(), between the end of the invalidation and retirement.
 * Editing into a published gather panics.  A gather is for edits of one EPT.
 */
#ifndef MM_GATHER_H
#define MM_GATHER_H

#include "mm/pool.h"

#define GATHER_RANGES 8

enum gather_state { GATHER_OPEN, GATHER_PUBLISHED };

/* Why translations must go: what the edit did (docs/protocols.md, the EPT's edits). */
enum gather_why {
	WHY_UNMAP = BIT(0),    /* no translation any more              */
	WHY_RIGHTS = BIT(1),   /* fewer rights                         */
	WHY_SIZE = BIT(2),     /* leaves of another size               */
	WHY_REMAP = BIT(3),    /* other frames                         */
	WHY_TYPE = BIT(4),     /* another memory type, or IPAT, or #VE */
	WHY_ACCESSED = BIT(5), /* accessed flags cleared               */
	WHY_DIRTY = BIT(6),    /* dirty flags cleared                  */
	WHY_AD = BIT(7),       /* accessed and dirty flags switched on */
	WHY_ROOT = BIT(8),     /* the whole address space ends         */
};

struct gather_range {
	gpa_t start;
	u64 len;
	u32 why; /* WHY_*, one or more */
};

struct gather {
	enum gather_state state;
	unsigned n;
	bool all;     /* more ranges than fit: flush the whole root */
	bool stopped; /* no CPU is in the guest: edits park nothing, inval/door.h */
	u8 tag; /* of the entries that wait for ept_settle(), 0 when there are none */
	struct gather_range range[GATHER_RANGES];
	u64 parked_from, parked_to; /* they lie in between */
	u64 name;                   /* of its invalidation, for the trace alone */
	u64 edit; /* its number while its invalidation is to be judged: inval/ghost.c */
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

/*
 * Adds [start, start + len) to what must be flushed because of `why`.  Joins a range
 * that is adjacent to the last one and has the same reason; one that lies in the last
 * one adds its reason.
 */
void gather_range(struct gather *g, gpa_t start, u64 len, enum gather_why why);

/* Adds a block that the edit has made unreachable. */
void gather_block(struct gather *g, struct pool *p, hpa_t pa);

/* Notes that entries in [from, to) are parked with g->tag. */
void gather_parked(struct gather *g, u64 from, u64 to);

#endif
