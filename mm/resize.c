/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * resize - edits that change the size of leaves, and the second half of all edits that
 * must not be seen before the flush.
 */
#include "mm/walk.h"

enum err ept_split(struct ept *e, gpa_t gpa, u64 len, unsigned level, struct gather *g)
{
	static const struct edit_kind kind = { .why = WHY_SIZE, .splits = true };
	struct edit x = { .kind = &kind, .ept = e, .g = g, .grain = level };
	u64 span = ept_span(level), end = ALIGN_UP(gpa.v + len, span);

	if (level >= EPT_LEVELS - 1 || !edit_range_ok(gpa, len))
		return fail(E_INVAL);
	gpa.v = ALIGN_DOWN(gpa.v,
			   span); /* a leaf of that level may stay, in part too */
	return edit_run(&x, gpa, end - gpa.v);
}

/* The larger leaf that says what all entries of the table say, or an unused entry. */
static epte_t joined(const struct edit *x, hpa_t table, unsigned level)
{
	const epte_t *t = table_ptr(table);
	epte_t first = epte_final(epte_load(&t[0]));
	u64 span = ept_span(level - 1), flags = x->ept->format->a | x->ept->format->d;

	if (!epte_is_leaf(first, level - 1) ||
	    !IS_ALIGNED(epte_addr(first).v, ept_span(level)) ||
	    (epte_executes(x->ept->format, first) && !x->ept->can.large_exec))
		return (epte_t){ 0 };
	for (unsigned i = 0; i < EPT_ENTRIES; i++) {
		epte_t e = epte_load(&t[i]), f = epte_final(e);

		if (((f.raw ^ (first.raw + i * span)) & ~flags) ||
		    (epte_parked(e) && epte_tag(e) != x->g->tag))
			return (epte_t){ 0 };
	}
	first.raw |= EPTE_LEAF;
	return first;
}

/*
 * Until the flush is done a CPU may set D in the table that goes: the larger leaf
 * counts as accessed and dirty, which at worst is said too often.
 */
static bool promote_table(struct edit *x, const struct run *r, u64 stop)
{
	hpa_t table;
	epte_t leaf;

	if (r->level > x->ept->can.max_leaf || x->ept->dirty)
		return false;
	table = run_table(r);
	leaf = joined(x, table, r->level);
	if (!epte_used(leaf))
		return false;
	if (table_reserve(x->ept, 1)) {
		x->attr = true; /* out of memory: ept_promote() says so */
		return false;
	}
	if (x->ept->can.ad)
		leaf.raw |= x->ept->format->a | x->ept->format->d;
	epte_store(r->slot, edit_park(x, leaf)); /* E1 E4 */
	edit_changed(x, r->gpa, stop - r->gpa);
	table_retire(x->ept, table, x->g); /* E3 */
	return true;
}

enum err ept_promote(struct ept *e, gpa_t gpa, u64 len, struct gather *g)
{
	static const struct edit_kind kind = { .why = WHY_SIZE,
					       .before = promote_table,
					       .breaks = true };
	struct edit x = { .kind = &kind, .ept = e, .g = g };
	enum err err = edit_run(&x, gpa, len);

	return x.attr ? fail(E_NOMEM) : err;
}

static void settle(struct edit *x, epte_t *slot)
{
	epte_t e = epte_load(slot);

	if (epte_parked(e) && epte_tag(e) == x->g->tag)
		epte_store(slot, epte_final(e)); /* E1 */
}

static enum err settle_leaves(struct edit *x, const struct run *r)
{
	for (unsigned i = 0; i < r->n; i++)
		settle(x, &r->slot[i]);
	return E_OK;
}

/* The link after what is below it.  E2 */
static void settle_table(struct edit *x, const struct run *r)
{
	settle(x, r->slot);
}

void ept_settle(struct ept *e, struct gather *g)
{
	static const struct edit_kind kind = { .leaves = settle_leaves,
					       .after = settle_table };
	struct edit x = { .kind = &kind, .ept = e, .g = g, .up = true };
	u64 len = g->parked_to - g->parked_from;
	enum err err;

	if (!g->tag)
		return;
	if (g->state != GATHER_PUBLISHED)
		panic("ept: settled before the invalidation was published");
	lock(&e->lock);
	err = edit_run_locked(&x, GPA(g->parked_from), len);
	assert(!err);
	e->tags &= ~BIT(g->tag);
	g->tag = 0;
	unlock(&e->lock);
}
