/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pool - page frames in power-of-two blocks, with bookkeeping outside of the frames.
 *
 * A frame may still be walked by hardware while it waits to be freed, so nothing is
 * ever written into a frame to keep track of it: lists run through struct frame.
 * Every CPU may call these functions at any time, though not from interrupt handlers;
 * pool.c says why that needs a lock only now and then.
 */
#ifndef MM_POOL_H
#define MM_POOL_H

#include "lib/err.h"
#include "lib/lock.h"
#include "mm/cpulist.h"

#define POOL_ORDERS   10 /* blocks of 4 KiB << 0 .. 4 KiB << 9, which is 2 MiB */
#define POOL_ORDER_2M 9
#define POOL_POISON   0xdeadf4a3edeadf4aull /* first words of a freed frame (checked) */
#define POOL_NONE     UINT32_MAX

enum frame_state {
	FRAME_RESERVED, /* not ours, or inside a block */
	FRAME_FREE,     /* in the buddy lists          */
	FRAME_USED,
	FRAME_DEAD,   /* collected by a gather: unreachable, not yet reusable */
	FRAME_CACHED, /* free as well, in the list of the CPU that `next` names */
};

struct frame {
	u8 listed;      /* 1 + order of a block in the buddy lists, else 0 [F1] */
	u8 state;       /* of the block that begins here [F2] */
	u8 order;       /* of that block [F2] */
	bool poisoned;  /* this frame, wherever it lies in a block [F2] */
	u16 count;      /* the owner's; pool_count() [F2] */
	u32 next, prev; /* indices into pool.frame */
};

struct pool {
	struct lock lock;
	hpa_t base; /* of frame[0] */
	u32 frames;
	struct frame *frame;
	u32 free[POOL_ORDERS];           /* heads of the buddy lists [F1] */
	atomic32_t buddies;              /* frames in them; changes under the lock */
	struct cpulist cpulist[CPU_MAX]; /* [F3] */
};

/* A list of blocks that are unreachable but not yet reusable. */
struct frame_list {
	u32 head, count;
};

/*
 * Prepares a pool over [base, base + frames * 4 KiB), all reserved.  `frame` has
 * room for that many entries.  base is a multiple of 2 MiB.
 */
void pool_init(struct pool *p, hpa_t base, u32 frames, struct frame *frame);

/* Gives [start, end), page-aligned and inside the pool, to the free lists. */
void pool_add(struct pool *p, hpa_t start, hpa_t end);

/*
 * Takes a block of 4 KiB << order, aligned to its size, contents undefined.
 * E_NOMEM when none is left but for what other CPUs have in their lists, which is at
 * most CPULIST_LEN frames each.
 */
enum err must_check pool_alloc(struct pool *p, unsigned order, hpa_t *out);

/* Returns a block.  Panics when it is not an allocated block: double or wild free. */
void pool_free(struct pool *p, hpa_t pa);

/* Moves an allocated block to `list`; its contents stay untouched. */
void pool_retire(struct pool *p, struct frame_list *list, hpa_t pa);

/* Frees every block of the list and empties it. */
void pool_free_list(struct pool *p, struct frame_list *list);

/* Gives what the executing CPU's list holds back to the buddy lists. */
void pool_drain(struct pool *p);

/* Frames that are free, wherever: exact while nobody else allocates or frees. */
u32 pool_available(const struct pool *p);

/* For checked builds: panics when pa is no allocated block. */
void pool_check(struct pool *p, hpa_t pa);

/*
 * A number that belongs to the owner of the allocated block at pa, for whatever it is
 * good for; 0 after pool_alloc().  Checked builds panic when pa is no such block.
 */
static inline u16 *pool_count(struct pool *p, hpa_t pa)
{
	if (CHECKED)
		pool_check(p, pa);
	return &p->frame[(pa.v - p->base.v) / PAGE_SIZE].count;
}

/* The smallest order whose blocks have `size` bytes. */
static inline unsigned pool_order(u64 size)
{
	unsigned order = 0;

	while (PAGE_SIZE << order < size)
		order++;
	return order;
}

static inline struct frame_list frame_list_empty(void)
{
	return (struct frame_list){ POOL_NONE, 0 };
}

#endif
