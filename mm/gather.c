/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gather - the duty that an edit leaves behind: what to flush, what may be freed after.
 */
#include "mm/gather.h"

static void must_be_open(const struct gather *g)
{
	if (g->state != GATHER_OPEN)
		panic("gather: edited after it was published");
}

void gather_range(struct gather *g, gpa_t start, u64 len)
{
	struct gather_range *last = g->n ? &g->range[g->n - 1] : NULL;

	must_be_open(g);
	if (g->all)
		return;
	if (last && last->start.v + last->len == start.v) {
		last->len += len;
	} else if (g->n < GATHER_RANGES) {
		g->range[g->n++] = (struct gather_range){ start, len };
	} else {
		g->all = true;
	}
}

void gather_block(struct gather *g, struct pool *p, hpa_t pa)
{
	must_be_open(g);
	pool_retire(p, &g->dead, pa);
}
