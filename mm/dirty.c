/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dirty - which pages of a range has the guest written?
 *
 * A migration copies pages while the guest runs, round after round:
 *
 *      n = dirty_harvest(d, map, &g)      W or D is gone from the pages of `map`
 *      invalidate g                       a CPU may still write by what it has cached
 *      copy the pages of `map`            from here on a write shows again
 *
 *   [D1] a page whose bit is clear has no W, or no D, in its leaf, and no CPU has
 * cached more than that once the invalidation is done: so the next write is noticed.
 *   [D2] a page's bit and its W change under the lock of the EPT: no harvest comes
 *        between them.  A bit for D needs no lock: the page's D stays until its
 * harvest. [D3] what a CPU still writes between a harvest and the end of its
 * invalidation is in that harvest's copy, because the copy comes later.
 *
 * With the log (DIRTY_LOG) a page may be in a CPU's log and not yet in the map.  Its D
 * is set then, and stays so: a later harvest has it.  Nothing is lost, only late.
 */
#include "mm/dirty.h"
#include "mm/walk.h"

static bool inside(const struct dirty *d, u64 gpa)
{
	return gpa >= d->start && gpa < d->end;
}

void dirty_mark(struct dirty *d, gpa_t gpa)
{
	u64 page = (gpa.v - d->start) / PAGE_SIZE;

	if (inside(d, gpa.v))
		or_fence(&d->map[page / 64], BIT(page % 64));
}

void dirty_mark_range(struct dirty *d, gpa_t gpa, u64 len)
{
	u64 end = MIN(gpa.v + len, d->end);

	for (u64 at = MAX(gpa.v, d->start); at < end; at += PAGE_SIZE)
		dirty_mark(d, GPA(at));
}

/* The leaf without the right or the flag that would hide the next write.  D1 */
static u64 watched(const struct dirty *d, u64 raw)
{
	if (d->mode != DIRTY_FAULT)
		return raw & ~d->flag;
	return raw & EPTE_W ? raw ^ (EPTE_W | EPTE_HELD_W) : raw;
}

/*
 * The page is gathered even when its leaf says no more than that: somebody else may
 * have taken W or D from it, and have the flush before him.  D1
 */
static void watch(struct edit *x, epte_t *slot, u64 gpa)
{
	epte_t old, was, is;

	do {
		old = epte_load(slot);
		was = epte_final(old);
		is = (epte_t){ watched(x->ept->dirty, was.raw) };
		if (!epte_used(old))
			return;
		if (is.raw == was.raw)
			break;
		if (epte_parked(old))
			is = epte_park(x->ept->format, is, epte_tag(old));
	} while (!epte_cas(slot, old, is)); /* E1 */
	edit_changed(x, gpa, PAGE_SIZE);
}

/* All leaves of the run, or those whose bit is set in x->map. */
static enum err watch_leaves(struct edit *x, const struct run *r)
{
	u64 page = (r->gpa - x->gpa) / PAGE_SIZE;

	for (unsigned i = 0; i < r->n; i++, page++)
		if (!x->map || x->map[page / 64] & BIT(page % 64))
			watch(x, &r->slot[i], r->gpa + i * PAGE_SIZE);
	return E_OK;
}

static struct edit watching(const struct dirty *d, u64 *map, struct gather *g)
{
	static const struct edit_kind by_rights = { .why = WHY_RIGHTS,
						    .leaves = watch_leaves,
						    .splits = true };
	static const struct edit_kind by_flags = { .why = WHY_DIRTY,
						   .leaves = watch_leaves,
						   .splits = true };

	return (struct edit){ .kind = d->mode == DIRTY_FAULT ? &by_rights : &by_flags,
			      .ept = d->ept,
			      .g = g,
			      .gpa = d->start,
			      .map = map };
}

enum err dirty_start(struct dirty *d, struct ept *e, enum dirty_mode mode, gpa_t gpa,
		     u64 len, atomic64_t *map, struct gather *g)
{
	struct edit x;
	enum err err;

	if (!edit_range_ok(gpa, len))
		return fail(E_INVAL);
	if (mode != DIRTY_FAULT && !e->can.ad)
		return fail(E_NOTSUP);
	lock(&e->lock);
	if (e->dirty) {
		unlock(&e->lock);
		return fail(E_EXIST);
	}
	*d = (struct dirty){ e, mode, e->format->d, gpa.v, gpa.v + len, map };
	e->dirty = d;
	x = watching(d, NULL, g);
	err = edit_run_locked(&x, gpa, len);
	unlock(&e->lock);
	return err;
}

/* Takes the bits that were marked, a word at a time. */
static u64 take(struct dirty *d, u64 *map)
{
	u64 pages = (d->end - d->start) / PAGE_SIZE, n = 0;

	for (u64 i = 0; i * 64 < pages; i++) {
		if (load_relaxed(&d->map[i]))
			map[i] |= swap(&d->map[i], 0ull);
		for (u64 word = map[i]; word; word &= word - 1)
			n++;
	}
	return n;
}

/* With flags alone a page is written when D is set, in the whole range. */
static void flags_to_map(struct dirty *d, u64 *map, struct gather *g)
{
	enum err err =
		ept_clear(d->ept, GPA(d->start), d->end - d->start, EPTE_D, map, g);

	assert(!err);
}

u64 dirty_harvest(struct dirty *d, u64 *map, struct gather *g)
{
	struct edit x = watching(d, map, g);
	enum err err;
	u64 n;

	if (d->mode == DIRTY_FLAG) {
		flags_to_map(d, map, g);
		return take(d, map);
	}
	lock(&d->ept->lock); /* D2 */
	n = take(d, map);
	err = edit_run_locked(&x, GPA(d->start), d->end - d->start);
	unlock(&d->ept->lock);
	assert(!err);
	return n;
}

static enum err let_go(struct edit *x, const struct run *r)
{
	for (unsigned i = 0; i < r->n; i++) {
		epte_t old, is;

		do {
			old = epte_load(&r->slot[i]);
			is = epte_final(old);
			if (!(old.raw & EPTE_HELD_W))
				break;
			is.raw ^= EPTE_W | EPTE_HELD_W;
			if (epte_parked(old))
				is = epte_park(x->ept->format, is, epte_tag(old));
		} while (!epte_cas(&r->slot[i], old, is)); /* E1 */
	}
	return E_OK;
}

void dirty_stop(struct dirty *d)
{
	static const struct edit_kind kind = { .leaves = let_go };
	struct edit x = { .kind = &kind, .ept = d->ept };
	enum err err;

	lock(&d->ept->lock);
	d->ept->dirty = NULL;
	err = edit_run_locked(&x, GPA(d->start), d->end - d->start);
	unlock(&d->ept->lock);
	assert(!err);
}
