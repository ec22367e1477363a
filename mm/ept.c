/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ept - edits of nested page tables, each returning its duty to flush
 *
 * Hardware walks the tables while they are edited and may cache what it walks (SDM
 * vol. 3, 29.4; APM vol. 2, 5.5 and 15.16).  So:
 *
 *   [E1] every entry changes by one 64-bit store: a walk sees old or new.
 *   [E2] a table is complete before the entry that links it is stored.
 *   [E3] what an edit makes unreachable is gathered, never freed or written: a CPU may
 *        still walk through a cached pointer to it until the invalidation is done.
 *   [E4] what gets another frame or another size is not present in between: it is
 *        parked, and ept_settle() makes it present when the invalidation is done.
 *
 * Here: an address space's life, looking into it, mapping and unmapping.  change.c has
 * the edits that keep leaves, resize.c those that change their size.  walk.c is what
 * they have in common.
 */
#include "mm/walk.h"
#include "lib/str.h"

enum err ept_init(struct ept *e, struct pool *pool, struct ept_features can)
{
	const struct epte_format *f = &epte_formats[can.format];

	assert(can.max_leaf < EPT_LEVELS - 1);
	can.ad |= f->ad;
	can.exec_only &= f->exec_only;
	*e = (struct ept){ .pool = pool, .can = can, .format = f, .tags = 1 };
	return table_new(e, &e->root);
}

static bool find(const struct ept *e, gpa_t gpa, bool present, struct ept_leaf *out)
{
	hpa_t table = e->root;

	for (unsigned level = EPT_LEVELS; gpa.v < EPT_GPA_MAX && level-- > 0;) {
		epte_t entry = epte_load(&table_ptr(table)[ept_index(gpa.v, level)]);

		if (!epte_used(entry) || (present && !epte_present(e->format, entry)))
			return false;
		if (epte_is_leaf(entry, level)) {
			*out = (struct ept_leaf){
				entry, level, GPA(ALIGN_DOWN(gpa.v, ept_span(level)))
			};
			return true;
		}
		table = epte_addr(entry);
	}
	return false;
}

bool ept_lookup(const struct ept *e, gpa_t gpa, struct ept_leaf *out)
{
	return find(e, gpa, true, out);
}

bool ept_find(const struct ept *e, gpa_t gpa, struct ept_leaf *out)
{
	return find(e, gpa, false, out);
}

enum err ept_twin(struct ept *e, unsigned order)
{
	enum err err = pool_alloc(e->pool, order, &e->twin);

	assert(!e->twins && !*table_count(e, e->root));
	if (err)
		return err;
	e->twins = 1u << order;
	memset(mem_ptr(e->twin), 0, PAGE_SIZE << order);
	return E_OK;
}

/* Stores an entry that is no leaf; one of the root, to its twins as well.  E1 */
static void link(const struct ept *e, const struct run *r, epte_t entry)
{
	unsigned at = ept_index(r->gpa, r->level);

	epte_store(r->slot, entry);
	for (unsigned i = 0; r->level == EPT_LEVELS - 1 && i < e->twins; i++)
		epte_store(&table_ptr(HPA(e->twin.v + i * PAGE_SIZE))[at], entry);
}

/* Collects the tables below `table` and itself, children first.  E3 */
static void retire_tables(struct ept *e, hpa_t table, unsigned level, struct gather *g)
{
	const epte_t *t = table_ptr(table);

	for (unsigned i = 0, used = *table_count(e, table); level && used; i++) {
		epte_t c = epte_load(&t[i]);

		if (!epte_used(c))
			continue;
		used--;
		if (epte_is_leaf(c, level))
			table_release(e, table_spares(level));
		else
			retire_tables(e, epte_addr(c), level - 1, g);
	}
	table_retire(e, table, g);
}

void ept_destroy(struct ept *e, struct gather *g)
{
	if (e->tags != 1)
		panic("ept: destroyed while edits wait for their flush");
	gather_range(g, GPA(0), EPT_GPA_MAX, WHY_ROOT);
	retire_tables(e, e->root, EPT_LEVELS - 1, g);
	if (e->twins)
		gather_block(g, e->pool, e->twin);
	assert(!e->tables && !e->spares);
}

/* What was written to a page is known even when the page goes.  D1 */
static void clear(struct edit *x, epte_t *slot, u64 gpa)
{
	struct dirty *d = x->ept->dirty;

	if (!d)
		epte_store(slot, (epte_t){ 0 }); /* E1 */
	else if (epte_swap(slot, (epte_t){ 0 }).raw & x->ept->format->d &&
		 d->mode != DIRTY_FAULT)
		dirty_mark(d, GPA(gpa));
}

static enum err unmap_leaves(struct edit *x, const struct run *r)
{
	u64 span = ept_span(r->level), gpa = ALIGN_DOWN(r->gpa, span);
	unsigned cleared = 0;

	for (epte_t *slot = r->slot, *end = slot + r->n; slot < end;
	     slot++, gpa += span) {
		if (!epte_used(epte_load(slot)))
			continue;
		clear(x, slot, gpa);
		edit_changed(x, gpa, span);
		cleared++;
	}
	x->up = cleared && !(*run_used(x, r) -= (u16)cleared);
	if (r->level)
		table_release(x->ept, cleared * table_spares(r->level));
	return E_OK;
}

/* Takes the table away that the entry points to; the one above may be empty now. */
static void unlink(struct edit *x, const struct run *r)
{
	hpa_t table = run_table(r);

	link(x->ept, r, (epte_t){ 0 });
	x->up = !--*run_used(x, r);
	retire_tables(x->ept, table, r->level - 1, x->g);
}

static bool unmap_table(struct edit *x, const struct run *r, u64 stop)
{
	if (x->ept->dirty)
		return false;
	unlink(x, r);
	edit_changed(x, r->gpa, stop - r->gpa);
	return true;
}

static enum err unmap(struct ept *e, gpa_t gpa, u64 len, struct gather *g,
		      enum err (*run)(struct edit *, gpa_t, u64))
{
	static const struct edit_kind kind = { .why = WHY_UNMAP,
					       .leaves = unmap_leaves,
					       .before = unmap_table,
					       .after = unlink,
					       .splits = true };
	struct edit x = { .kind = &kind, .ept = e, .g = g, .grain = EPT_LEVELS };

	return run(&x, gpa, len);
}

enum err ept_unmap(struct ept *e, gpa_t gpa, u64 len, struct gather *g)
{
	return unmap(e, gpa, len, g, edit_run);
}

static epte_t map_leaf(const struct edit *x, unsigned level, u64 gpa)
{
	u64 rights = edit_grant(x->ept, x->attr & EPTE_RWX, level,
				edit_hold_w(x->ept, gpa, ept_span(level)));

	return epte_leaf(x->ept->format, HPA(x->hpa + (gpa - x->gpa)),
			 x->memory | rights, level);
}

/* Entries of level 0 in a row; above it there is a leaf in the way. */
static enum err map_leaves(struct edit *x, const struct run *r)
{
	bool tracked = edit_hold_w(x->ept, r->gpa, r->n * PAGE_SIZE);
	epte_t e = map_leaf(x, 0, r->gpa);
	unsigned i = 0;

	if (r->level)
		return fail(E_EXIST);
	for (; i < r->n && !epte_used(epte_load(&r->slot[i])); i++) {
		if (tracked)
			e = map_leaf(x, 0, r->gpa + i * PAGE_SIZE);
		epte_store(&r->slot[i], e); /* E1 */
		e.raw += PAGE_SIZE;
	}
	*run_used(x, r) += (u16)i;
	x->done = r->gpa + i * PAGE_SIZE;
	return i < r->n ? fail(E_EXIST) : E_OK;
}

/* A leaf where one fits, else a new table, linked when it is complete.  E2 */
static enum err map_hole(struct edit *x, const struct run *r, u64 stop)
{
	bool leaf = r->level <= x->grain && run_whole(r, stop);
	hpa_t table;
	enum err err = leaf ? table_reserve(x->ept, table_spares(r->level))
			    : table_new(x->ept, &table);

	if (err)
		return err;
	if (leaf) {
		epte_store(r->slot, map_leaf(x, r->level, r->gpa)); /* E1 */
		++*run_used(x, r);
		x->done = stop;
		return E_OK;
	}
	err = edit_walk(x, table, r->level - 1, r->gpa, stop);
	if (!*table_count(x->ept, table)) { /* an error, before the first leaf */
		table_drop(x->ept, table);
		return err;
	}
	/* On an error too: what was stored is undone as part of the range. */
	link(x->ept, r, epte_table(x->ept->format, table));
	++*run_used(x, r);
	return err;
}

enum err edit_map_locked(struct ept *e, gpa_t gpa, hpa_t hpa, u64 len, u64 attr,
			 struct gather *g)
{
	static const struct edit_kind kind = { .leaves = map_leaves, .hole = map_hole };
	struct edit x = { .kind = &kind,
			  .ept = e,
			  .g = g,
			  .grain = edit_grain(e, gpa.v, hpa.v),
			  .gpa = gpa.v,
			  .hpa = hpa.v,
			  .attr = attr,
			  .done = gpa.v };
	enum err err, undo;

	if (!edit_range_ok(gpa, len) || !edit_frames_ok(hpa, len) ||
	    !edit_rights_ok(e, attr & EPTE_RWX))
		return fail(E_INVAL);
	err = epte_memory(e->format, attr & ~EPTE_RWX, &x.memory);
	if (err)
		return err;
	err = edit_run_locked(&x, gpa, len);
	if (err && x.done > gpa.v) {
		undo = unmap(e, gpa, x.done - gpa.v, g, edit_run_locked);
		assert(!undo);
	} else if (!err && e->dirty) {
		dirty_mark_range(e->dirty, gpa, len);
	}
	return err;
}

enum err ept_map(struct ept *e, gpa_t gpa, hpa_t hpa, u64 len, u64 attr,
		 struct gather *g)
{
	enum err err;

	lock(&e->lock);
	err = edit_map_locked(e, gpa, hpa, len, attr, g);
	unlock(&e->lock);
	return err;
}
