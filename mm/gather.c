/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gather - the duty that an edit leaves behind: what to flush and why, what may be
 * freed, and what becomes present, after the flush.
 */
#include "mm/gather.h"

static void must_be_open(const struct gather *g)
{
	if (g->state != GATHER_OPEN)
		panic("gather: edited after it was published");
}

/* Is the new range part of the last one, or goes on where it ends? */
static bool join(struct gather_range *last, u64 start, u64 len, u32 why)
{
	u64 end = last->start.v + last->len;

	if (start >= last->start.v && start + len <= end) {
		last->why |= why;
		return true;
	}
	if (start != end || why != last->why)
		return false;
	last->len += len;
	return true;
}

void gather_range(struct gather *g, gpa_t start, u64 len, enum gather_why why)
{
	must_be_open(g);
	if (g->all || (g->n && join(&g->range[g->n - 1], start.v, len, why)))
		return;
	if (g->n < GATHER_RANGES)
		g->range[g->n++] = (struct gather_range){ start, len, why };
	else
		g->all = true;
}

void gather_block(struct gather *g, struct pool *p, hpa_t pa)
{
	must_be_open(g);
	pool_retire(p, &g->dead, pa);
}

void gather_parked(struct gather *g, u64 from, u64 to)
{
	must_be_open(g);
	if (g->parked_to == 0)
		g->parked_from = from;
	g->parked_from = MIN(g->parked_from, from);
	g->parked_to = MAX(g->parked_to, to);
}
