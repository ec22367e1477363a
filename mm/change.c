/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * change - edits that keep the leaves and change what they say
 *
 * Each is a patch: bits that go and bits that come, the same for all leaves of a run.
 * Hardware may set A and D of an entry between our load and our store, so a present
 * entry changes by compare-and-swap and no flag is ever lost.  Which changes need a
 * flush is one rule for all of them (protocols.md, required action per edit): a right
 * that is gone, or any other bit that is different; more rights need none.  The rule
 * holds for what is not present as well: an entry that another gather has parked, or W
 * that a harvest has taken, may still be cached until that other flush is done.
 */
#include "mm/walk.h"

struct patch {
	u64 clear, set;
	u64 step;    /* added to `set` from leaf to leaf                            */
	bool hold_w; /* a W that a leaf did not have is held, where writes are tracked
		      */
	bool breaks; /* what was present is parked until the flush is done          */
	/* Of the format: bits that are no rights, those that are, and which mean none.
	 */
	u64 others, rights, inverted, present;
};

/* A difference counts in any other bit, and in a right that was there. */
static always_inline bool must_flush(const struct patch *p, epte_t was, epte_t is)
{
	u64 had = (was.raw ^ p->inverted) & p->rights;

	return (was.raw ^ is.raw) & (p->others | had);
}

static always_inline epte_t patched(const struct ept *e, const struct patch *p,
				    epte_t was, u64 set, u64 gpa)
{
	u64 raw = (was.raw & ~p->clear) | set;

	if (p->hold_w && raw & ~was.raw & EPTE_W && edit_hold_w(e, gpa, PAGE_SIZE))
		raw ^= EPTE_W | EPTE_HELD_W;
	return (epte_t){ raw };
}

/* Hardware may use the leaf.  True when it has changed in a way that needs a flush. */
static always_inline bool patch_leaf(struct edit *x, const struct patch *p,
				     epte_t *slot, epte_t old, u64 set, u64 gpa)
{
	for (;; old = epte_load(slot)) {
		epte_t is = patched(x->ept, p, old, set, gpa), last = is;

		if (is.raw == old.raw)
			return false;
		if (p->breaks)
			last = epte_park_by(p->present, is, edit_tag(x)); /* E4 */
		if (epte_cas(slot, old, last))                            /* E1 */
			return must_flush(p, old, is);
	}
}

/* The leaf waits for the flush of another gather, and goes on waiting. */
static always_inline bool patch_parked(struct edit *x, const struct patch *p,
				       epte_t *slot, epte_t old, u64 set, u64 gpa)
{
	epte_t was = epte_final(old), is = patched(x->ept, p, was, set, gpa);

	epte_store(slot, epte_park(x->ept->format, is, epte_tag(old))); /* E1 */
	return must_flush(p, was, is);
}

/* Sets the bits of the pages that a leaf translates. */
static void report(struct edit *x, u64 gpa, u64 span)
{
	u64 page = (gpa - x->gpa) / PAGE_SIZE;

	for (u64 end = page + span / PAGE_SIZE; page < end; page++)
		x->map[page / 64] |= BIT(page % 64);
}

static always_inline enum err patch(struct edit *x, const struct run *r, struct patch p)
{
	u64 span = ept_span(r->level), gpa = ALIGN_DOWN(r->gpa, span), set = p.set;
	epte_t *slot = r->slot, *end = slot + r->n;
	const struct epte_format *f = x->ept->format;
	bool reports = x->map;

	p.breaks &= !x->g->stopped;
	p.others = ~(f->rights | EPTE_HELD);
	p.rights = f->rights | EPTE_HELD_W;
	p.inverted = f->inverted;
	p.present = f->present;
	for (; slot < end; slot++, gpa += span, set += p.step) {
		epte_t old = epte_load(slot);

		if (!epte_used(old))
			continue;
		if (reports && old.raw & p.clear)
			report(x, gpa, span);
		if (epte_parked(old) ? patch_parked(x, &p, slot, old, set, gpa)
				     : patch_leaf(x, &p, slot, old, set, gpa))
			edit_changed(x, gpa, span);
	}
	return E_OK;
}

static enum err protect_leaves(struct edit *x, const struct run *r)
{
	u64 len = r->n * ept_span(r->level);

	return patch(
		x, r,
		(struct patch){ .clear = x->ept->format->rights | EPTE_HELD,
				.set = edit_grant(x->ept, x->attr, r->level, false),
				.hold_w = edit_hold_w(x->ept, r->gpa, len) });
}

enum err ept_protect(struct ept *e, gpa_t gpa, u64 len, u64 rwx, struct gather *g)
{
	static const struct edit_kind kind = { .why = WHY_RIGHTS,
					       .leaves = protect_leaves,
					       .splits = true };
	struct edit x = {
		.kind = &kind, .ept = e, .g = g, .grain = EPT_LEVELS, .attr = rwx
	};

	if (rwx & ~EPTE_RWX || !edit_rights_ok(e, rwx))
		return fail(E_INVAL);
	return edit_run(&x, gpa, len);
}

static enum err remap_leaves(struct edit *x, const struct run *r)
{
	return patch(x, r,
		     (struct patch){ .clear = EPTE_ADDR,
				     .set = x->hpa + (r->gpa - x->gpa),
				     .step = ept_span(r->level),
				     .breaks = true });
}

enum err ept_remap(struct ept *e, gpa_t gpa, hpa_t hpa, u64 len, struct gather *g)
{
	static const struct edit_kind kind = {
		.why = WHY_REMAP, .leaves = remap_leaves, .splits = true, .breaks = true
	};
	struct edit x = { .kind = &kind, .ept = e, .g = g, .gpa = gpa.v, .hpa = hpa.v };
	enum err err;

	if (!edit_range_ok(gpa, len) || !edit_frames_ok(hpa, len))
		return fail(E_INVAL);
	lock(&e->lock);
	x.grain = edit_grain(e, gpa.v, hpa.v);
	err = edit_run_locked(&x, gpa, len);
	if (e->dirty)
		dirty_mark_range(e->dirty, gpa, len);
	unlock(&e->lock);
	return err;
}

static enum err retype_leaves(struct edit *x, const struct run *r)
{
	return patch(
		x, r,
		(struct patch){ .clear = x->ept->format->memory, .set = x->memory });
}

enum err ept_retype(struct ept *e, gpa_t gpa, u64 len, u64 memory, struct gather *g)
{
	static const struct edit_kind kind = { .why = WHY_TYPE,
					       .leaves = retype_leaves,
					       .splits = true };
	struct edit x = { .kind = &kind, .ept = e, .g = g, .grain = EPT_LEVELS };
	enum err err = epte_memory(e->format, memory, &x.memory);

	return err ? err : edit_run(&x, gpa, len);
}

static enum err clear_leaves(struct edit *x, const struct run *r)
{
	return patch(x, r, (struct patch){ .clear = x->attr });
}

enum err ept_clear(struct ept *e, gpa_t gpa, u64 len, u64 flag, u64 *map,
		   struct gather *g)
{
	static const struct edit_kind accessed = { .why = WHY_ACCESSED,
						   .leaves = clear_leaves,
						   .splits = true };
	static const struct edit_kind dirtied = { .why = WHY_DIRTY,
						  .leaves = clear_leaves,
						  .splits = true };
	struct edit x = { .kind = flag == EPTE_A ? &accessed : &dirtied,
			  .ept = e,
			  .g = g,
			  .grain = EPT_LEVELS,
			  .gpa = gpa.v,
			  .attr = flag == EPTE_A ? e->format->a : e->format->d,
			  .map = map };

	if (flag != EPTE_A && flag != EPTE_D)
		return fail(E_INVAL);
	if (!e->can.ad)
		return fail(E_NOTSUP);
	return edit_run(&x, gpa, len);
}

void ept_enable_ad(struct ept *e, struct gather *g)
{
	lock(&e->lock);
	if (!e->can.ad)
		gather_range(g, GPA(0), EPT_GPA_MAX, WHY_AD);
	e->can.ad = true;
	unlock(&e->lock);
}
