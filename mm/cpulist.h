/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cpulist - the few free frames that one CPU keeps at hand
 *
 * A stack of frame numbers: what was freed last, and may still be in this CPU's cache,
 * is taken first.  Only the CPU that it belongs to calls these functions, and none of
 * its interrupt handlers does.  So nothing is locked, and no access needs an order.
 * Other CPUs may ask for the count, the one word that is atomic; they get some recent
 * value.
 */
#ifndef MM_CPULIST_H
#define MM_CPULIST_H

#include "lib/atomic.h"
#include "lib/err.h"

#define CPULIST_LEN  14 /* fills up the line */
#define CPULIST_HALF (CPULIST_LEN / 2)

struct cpulist {
	_Alignas(CACHE_LINE) atomic32_t count;
	u32 frame[CPULIST_LEN]; /* the oldest first */
};
_Static_assert(sizeof(struct cpulist) == CACHE_LINE, "no CPU shares its list's line");

static inline u32 cpulist_count(const struct cpulist *l)
{
	return load_relaxed(&l->count);
}

static inline void cpulist_push(struct cpulist *l, u32 frame)
{
	u32 n = cpulist_count(l);

	assert(n < CPULIST_LEN);
	l->frame[n] = frame;
	store_relaxed(&l->count, n + 1);
}

static inline u32 cpulist_pop(struct cpulist *l)
{
	u32 n = cpulist_count(l);

	assert(n > 0);
	store_relaxed(&l->count, n - 1);
	return l->frame[n - 1];
}

/* Forgets the n oldest. */
static inline void cpulist_drop(struct cpulist *l, u32 n)
{
	u32 left = cpulist_count(l) - n;

	for (u32 i = 0; i < left; i++)
		l->frame[i] = l->frame[i + n];
	store_relaxed(&l->count, left);
}

#endif
