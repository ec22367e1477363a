/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pool - page frames in power-of-two blocks, with bookkeeping outside of the frames.
 *
 * A binary buddy allocator: a block of order n is aligned to its size, and its buddy
 * differs from it in one address bit, so freeing merges upwards in at most
 * POOL_ORDERS steps.  Only the first frame of a block carries state and order.
 *
 * Checked builds write POOL_POISON to the start of each frame that is freed, and verify
 * it when that frame is allocated again, however its block was merged and split in the
 * meantime: a write through a stale translation into a free frame is caught there.
 */
#include "mm/pool.h"
#include "mm/mem.h"

#define POISON_WORDS 8

static u32 index_of(const struct pool *p, hpa_t pa)
{
	u64 i = (pa.v - p->base.v) >> PAGE_SHIFT;

	if (pa.v < p->base.v || i >= p->frames || !IS_ALIGNED(pa.v, PAGE_SIZE))
		panic("pool: 0x%lx is no frame of the pool", pa.v);
	return (u32)i;
}

static hpa_t address_of(const struct pool *p, u32 i)
{
	return HPA(p->base.v + ((u64)i << PAGE_SHIFT));
}

static void unlink(struct pool *p, u32 i)
{
	struct frame *f = &p->frame[i];

	if (f->prev == POOL_NONE)
		p->free[f->order] = f->next;
	else
		p->frame[f->prev].next = f->next;
	if (f->next != POOL_NONE)
		p->frame[f->next].prev = f->prev;
}

static void link_free(struct pool *p, u32 i, unsigned order)
{
	struct frame *f = &p->frame[i];

	f->state = FRAME_FREE;
	f->order = (u8)order;
	f->next = p->free[order];
	f->prev = POOL_NONE;
	if (f->next != POOL_NONE)
		p->frame[f->next].prev = i;
	p->free[order] = i;
}

static void poison(const struct pool *p, u32 i, u32 frames)
{
	for (u32 end = i + frames; i < end; i++) {
		u64 *w = mem_ptr(address_of(p, i));

		for (unsigned n = 0; n < POISON_WORDS; n++)
			w[n] = POOL_POISON;
		p->frame[i].poisoned = true;
	}
}

static void check_poison(const struct pool *p, u32 i)
{
	const u64 *w = mem_ptr(address_of(p, i));

	for (unsigned n = 0; n < POISON_WORDS; n++)
		if (w[n] != POOL_POISON)
			panic("pool: free frame 0x%lx was written: word %u is 0x%lx",
			      address_of(p, i).v, n, w[n]);
}

/* Verifies those frames of a block that are poisoned; its owner may write to them. */
static void lift_poison(const struct pool *p, u32 i, u32 frames)
{
	for (u32 end = i + frames; i < end; i++) {
		if (p->frame[i].poisoned)
			check_poison(p, i);
		p->frame[i].poisoned = false;
	}
}

void pool_init(struct pool *p, hpa_t base, u32 frames, struct frame *frame)
{
	assert(IS_ALIGNED(base.v, SIZE_2M));
	*p = (struct pool){ .base = base, .frames = frames, .frame = frame };
	for (unsigned o = 0; o < POOL_ORDERS; o++)
		p->free[o] = POOL_NONE;
	for (u32 i = 0; i < frames; i++)
		frame[i] = (struct frame){ .next = POOL_NONE, .prev = POOL_NONE };
}

/* Links the block at i, merged with its buddy while that is free as well. */
static void add_block(struct pool *p, u32 i, unsigned order)
{
	p->free_frames += 1u << order;
	while (order + 1 < POOL_ORDERS) {
		u32 buddy = i ^ 1u << order;
		const struct frame *b = &p->frame[buddy];

		if (buddy + (1u << order) > p->frames || b->state != FRAME_FREE ||
		    b->order != order)
			break;
		unlink(p, buddy);
		p->frame[MAX(i, buddy)].state = FRAME_RESERVED;
		i = MIN(i, buddy);
		order++;
	}
	link_free(p, i, order);
}

static void free_block(struct pool *p, u32 i, unsigned order)
{
	if (CHECKED)
		poison(p, i, 1u << order);
	add_block(p, i, order);
}

void pool_add(struct pool *p, hpa_t start, hpa_t end)
{
	u32 i = index_of(p, start), stop = i + (u32)((end.v - start.v) >> PAGE_SHIFT);

	assert(stop <= p->frames);
	while (i < stop) {
		unsigned order = POOL_ORDERS - 1;

		while (i & ((1u << order) - 1) || i + (1u << order) > stop)
			order--;
		add_block(p, i, order);
		i += 1u << order;
	}
}

enum err pool_alloc(struct pool *p, unsigned order, hpa_t *out)
{
	unsigned o = order;
	u32 i;

	lock(&p->lock);
	while (o < POOL_ORDERS && p->free[o] == POOL_NONE)
		o++;
	if (o >= POOL_ORDERS) {
		unlock(&p->lock);
		return fail(E_NOMEM);
	}
	i = p->free[o];
	unlink(p, i);
	while (o > order) {
		o--;
		link_free(p, i + (1u << o), o);
	}
	if (CHECKED)
		lift_poison(p, i, 1u << order);
	p->frame[i] = (struct frame){ .state = FRAME_USED, .order = (u8)order };
	p->free_frames -= 1u << order;
	unlock(&p->lock);
	*out = address_of(p, i);
	return E_OK;
}

/* The frame of an allocated block in the state that its caller relies on. */
static struct frame *block(struct pool *p, u32 i, enum frame_state want)
{
	struct frame *f = &p->frame[i];

	if (f->state != want)
		panic("pool: frame 0x%lx is in state %u, want %u: freed twice?",
		      address_of(p, i).v, f->state, want);
	return f;
}

void pool_free(struct pool *p, hpa_t pa)
{
	u32 i = index_of(p, pa);

	lock(&p->lock);
	free_block(p, i, block(p, i, FRAME_USED)->order);
	unlock(&p->lock);
}

void pool_retire(struct pool *p, struct frame_list *list, hpa_t pa)
{
	u32 i = index_of(p, pa);
	struct frame *f;

	lock(&p->lock);
	f = block(p, i, FRAME_USED);
	f->state = FRAME_DEAD;
	f->next = list->head;
	list->head = i;
	list->count++;
	unlock(&p->lock);
}

void pool_free_list(struct pool *p, struct frame_list *list)
{
	lock(&p->lock);
	while (list->head != POOL_NONE) {
		u32 i = list->head;
		struct frame *f = block(p, i, FRAME_DEAD);

		list->head = f->next;
		free_block(p, i, f->order);
	}
	list->count = 0;
	unlock(&p->lock);
}
