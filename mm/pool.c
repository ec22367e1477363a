/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pool - page frames in power-of-two blocks, with bookkeeping outside of the frames.
 *
 * A binary buddy allocator: a block of order n is aligned to its size, and its buddy
 * differs from it in one address bit, so freeing merges upwards in at most
 * POOL_ORDERS steps.  Only the first frame of a block carries state and order.
 *
 * Single frames pass through a short list that each CPU has to itself; half a list at
 * a time goes to the buddy lists or comes from there, and only that takes the lock:
 *
 *      owner  --- free --->  this CPU's list  --- full: half --->  buddy lists
 *       USED  <-- alloc ---      CACHED       <-- empty: half ---  FREE, merging
 *         |                                                          ^   |
 *         '------------------- larger blocks, each ------------------'<--'
 *
 *   [F1] The buddy lists, and `listed` of every frame, are accessed under the lock.
 *        It is all that a merge reads of a frame that may not be free.
 *   [F2] The rest of a struct frame belongs to who has the block: its owner, the list
 *        of a CPU, the buddy lists.  So who frees or retires its block needs no lock,
 *        and a block that goes from CPU to CPU takes its struct frame along.
 *   [F3] A CPU's list is that CPU's alone: no interrupt handler comes here, and
 *        nothing takes a CPU away from what it does.
 *
 * A frame in a CPU's list does not merge, and other CPUs cannot have it: with n CPUs
 * up to 14 * (n - 1) free frames are out of reach, and so is each larger block that one
 * of them is a part of, until their CPU calls pool_drain() or frees some more.
 *
 * Freeing what is not allocated panics.  Should two CPUs free one frame at the same
 * time, both may find it USED, and it is in two lists: the list that it does not name
 * panics when the frame leaves it.
 *
 * Checked builds write POOL_POISON to the start of each frame that is freed, and verify
 * it when that frame is allocated again, however its block was merged and split in the
 * meantime: a write through a stale translation into a free frame is caught there.
 *
 * Checked by: tests/unit/pool.c and pool_model.c, tests/host/record/twice.c,
 * tests/host/frames.c (TSan) and its twists.
 */
#include "mm/pool.h"
#include "inval/hw.h"
#include "lib/str.h"
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

/* The first frame of a block in the state that its caller relies on. */
static struct frame *block(const struct pool *p, u32 i, enum frame_state want)
{
	struct frame *f = &p->frame[i];

	if (f->state != want)
		panic("pool: frame 0x%lx is in state %u, want %u: freed twice?",
		      address_of(p, i).v, f->state, want);
	return f;
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
	memset(p, 0, sizeof(*p));
	p->base = base;
	p->frames = frames;
	p->frame = frame;
	for (unsigned o = 0; o < POOL_ORDERS; o++)
		p->free[o] = POOL_NONE;
	for (u32 i = 0; i < frames; i++)
		frame[i] = (struct frame){ .next = POOL_NONE, .prev = POOL_NONE };
}

/* The buddy lists, as far as give(): the caller has the lock [F1]. */

static void unlink(struct pool *p, u32 i)
{
	struct frame *f = &p->frame[i];

	if (f->prev == POOL_NONE)
		p->free[f->order] = f->next;
	else
		p->frame[f->prev].next = f->next;
	if (f->next != POOL_NONE)
		p->frame[f->next].prev = f->prev;
	f->listed = 0;
}

static void link_free(struct pool *p, u32 i, unsigned order)
{
	struct frame *f = &p->frame[i];

	f->listed = (u8)(1 + order);
	f->state = FRAME_FREE;
	f->order = (u8)order;
	f->next = p->free[order];
	f->prev = POOL_NONE;
	if (f->next != POOL_NONE)
		p->frame[f->next].prev = i;
	p->free[order] = i;
}

static void count_buddies(struct pool *p, u32 more)
{
	store_relaxed(&p->buddies, load_relaxed(&p->buddies) + more);
}

/* Takes a block, splitting a larger one. */
static bool take(struct pool *p, unsigned order, u32 *out)
{
	unsigned o = order;
	u32 i;

	while (o < POOL_ORDERS && p->free[o] == POOL_NONE)
		o++;
	if (o >= POOL_ORDERS)
		return false;
	i = p->free[o];
	unlink(p, i);
	while (o > order) {
		o--;
		link_free(p, i + (1u << o), o);
	}
	count_buddies(p, -(1u << order));
	*out = i;
	return true;
}

/* Links the block at i, merged with its buddy while that is listed as well. */
static void give(struct pool *p, u32 i, unsigned order)
{
	count_buddies(p, 1u << order);
	while (order + 1 < POOL_ORDERS) {
		u32 buddy = i ^ 1u << order;

		if (buddy + (1u << order) > p->frames ||
		    p->frame[buddy].listed != 1 + order)
			break;
		unlink(p, buddy);
		p->frame[MAX(i, buddy)].state = FRAME_RESERVED;
		i = MIN(i, buddy);
		order++;
	}
	link_free(p, i, order);
}

void pool_add(struct pool *p, hpa_t start, hpa_t end)
{
	u32 i = index_of(p, start), stop = i + (u32)((end.v - start.v) >> PAGE_SHIFT);

	assert(stop <= p->frames);
	lock(&p->lock);
	while (i < stop) {
		unsigned order = POOL_ORDERS - 1;

		while (i & ((1u << order) - 1) || i + (1u << order) > stop)
			order--;
		give(p, i, order);
		i += 1u << order;
	}
	unlock(&p->lock);
}

/* The executing CPU's list [F3]. */
static struct cpulist *own_list(struct pool *p)
{
	return &p->cpulist[hw_self()];
}

/* Puts a frame that belongs to nobody else into the list. */
static void cache(struct pool *p, struct cpulist *l, u32 i)
{
	struct frame *f = &p->frame[i];

	f->state = FRAME_CACHED;
	f->next = (u32)(l - p->cpulist);
	cpulist_push(l, i);
}

/* A frame that leaves the list must be in no other. */
static u32 uncached(const struct pool *p, const struct cpulist *l, u32 i)
{
	if (block(p, i, FRAME_CACHED)->next != (u32)(l - p->cpulist))
		panic("pool: frame 0x%lx is in the lists of two CPUs: freed twice?",
		      address_of(p, i).v);
	return i;
}

static void refill(struct pool *p, struct cpulist *l)
{
	u32 i;

	lock(&p->lock);
	for (u32 n = 0; n < CPULIST_HALF && take(p, 0, &i); n++)
		cache(p, l, i);
	unlock(&p->lock);
}

/* Gives the n oldest frames of the list back to the buddy lists. */
static void drain(struct pool *p, struct cpulist *l, u32 n)
{
	lock(&p->lock);
	for (u32 i = 0; i < n; i++)
		give(p, uncached(p, l, l->frame[i]), 0);
	unlock(&p->lock);
	cpulist_drop(l, n);
}

void pool_drain(struct pool *p)
{
	struct cpulist *l = own_list(p);

	drain(p, l, cpulist_count(l));
}

static bool take_frame(struct pool *p, u32 *out)
{
	struct cpulist *l = own_list(p);

	if (!cpulist_count(l))
		refill(p, l);
	if (!cpulist_count(l))
		return false;
	*out = uncached(p, l, cpulist_pop(l));
	return true;
}

static bool take_block(struct pool *p, unsigned order, u32 *out)
{
	bool ok;

	lock(&p->lock);
	ok = take(p, order, out);
	unlock(&p->lock);
	return ok;
}

/* As take_block(), and what this CPU has at hand may complete a block. */
static bool take_block_drained(struct pool *p, unsigned order, u32 *out)
{
	if (take_block(p, order, out))
		return true;
	if (!cpulist_count(own_list(p)))
		return false;
	pool_drain(p);
	return take_block(p, order, out);
}

enum err pool_alloc(struct pool *p, unsigned order, hpa_t *out)
{
	struct frame *f;
	u32 i;

	if (!(order ? take_block_drained(p, order, &i) : take_frame(p, &i)))
		return fail(E_NOMEM);
	if (CHECKED)
		lift_poison(p, i, 1u << order);
	f = &p->frame[i]; /* but for `listed` the caller's, from here on [F2] */
	f->state = FRAME_USED;
	f->order = (u8)order;
	f->count = 0;
	*out = address_of(p, i);
	return E_OK;
}

static void give_frame(struct pool *p, u32 i)
{
	struct cpulist *l = own_list(p);

	if (cpulist_count(l) == CPULIST_LEN)
		drain(p, l, CPULIST_HALF);
	cache(p, l, i);
}

/* Frees the block at i, which its owner left in state `was`. */
static void release(struct pool *p, u32 i, enum frame_state was)
{
	unsigned order = block(p, i, was)->order;

	if (CHECKED)
		poison(p, i, 1u << order); /* F2: nobody else has it yet */
	if (!order) {
		give_frame(p, i);
		return;
	}
	lock(&p->lock);
	block(p, i, was); /* again: another CPU may free it too, by mistake */
	give(p, i, order);
	unlock(&p->lock);
}

void pool_free(struct pool *p, hpa_t pa)
{
	release(p, index_of(p, pa), FRAME_USED);
}

/* Without the lock: a merge that looks at this block reads `listed` alone [F1, F2]. */
void pool_retire(struct pool *p, struct frame_list *list, hpa_t pa)
{
	u32 i = index_of(p, pa);
	struct frame *f = block(p, i, FRAME_USED);

	f->state = FRAME_DEAD;
	f->next = list->head;
	list->head = i;
	list->count++;
}

void pool_free_list(struct pool *p, struct frame_list *list)
{
	while (list->head != POOL_NONE) {
		u32 i = list->head;

		list->head = p->frame[i].next;
		release(p, i, FRAME_DEAD);
	}
	list->count = 0;
}

u32 pool_available(const struct pool *p)
{
	u32 n = load_relaxed(&p->buddies);

	for (unsigned i = 0; i < CPU_MAX; i++)
		n += cpulist_count(&p->cpulist[i]);
	return n;
}

void pool_check(struct pool *p, hpa_t pa)
{
	(void)block(p, index_of(p, pa), FRAME_USED);
}
