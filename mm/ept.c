/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ept - edits of extended page tables, each returning its duty to flush
 *
 * Hardware walks the tables while they are edited and may cache what it walks (SDM
 * vol. 3, 29.4).  So:
 *
 *   [E1] every entry changes by one 64-bit store: a walk sees old or new.
 *   [E2] a table is complete before the entry that links it is stored.
 *   [E3] what an edit makes unreachable is gathered, never freed or written: a CPU may
 *        still walk through a cached pointer to it until the invalidation is done.
 *
 * An edit is a walk over the entries of a range.  At each entry its `at` function
 * decides: the entry lies in the range whole or in part, is a leaf, a table or empty.
 * What could fail is checked before the first store, or undone after it (map).
 */
#include "mm/ept.h"
#include "mm/mem.h"
#include "lib/str.h"

/* One edit in progress; at() treats the entry that covers [gpa, stop). */
struct edit {
	enum err (*at)(struct edit *, epte_t *slot, unsigned level, u64 gpa, u64 stop);
	struct ept *ept;
	struct gather *g;
	u64 gpa, hpa; /* hpa belongs to gpa */
	u64 attr;
	u64 done; /* map: how far leaves have been stored */
};

static epte_t *table_ptr(hpa_t pa)
{
	return mem_ptr(pa);
}

static enum err walk(struct edit *x, epte_t *table, unsigned level, u64 gpa, u64 end)
{
	while (gpa < end) {
		u64 stop = MIN(end, ALIGN_DOWN(gpa, ept_span(level)) + ept_span(level));
		enum err e = x->at(x, &table[ept_index(gpa, level)], level, gpa, stop);

		if (e)
			return e;
		gpa = stop;
	}
	return E_OK;
}

static enum err descend(struct edit *x, epte_t e, unsigned level, u64 gpa, u64 stop)
{
	return walk(x, table_ptr(epte_addr(e)), level - 1, gpa, stop);
}

static bool whole(unsigned level, u64 gpa, u64 stop)
{
	return stop - gpa == ept_span(level);
}

static bool range_ok(gpa_t gpa, u64 len)
{
	return len && IS_ALIGNED(gpa.v | len, PAGE_SIZE) && gpa.v < EPT_GPA_MAX &&
	       len <= EPT_GPA_MAX - gpa.v;
}

/* Can entries name every frame of [hpa, hpa + len)? */
static bool frames_ok(hpa_t hpa, u64 len)
{
	return !(hpa.v & ~EPTE_ADDR) && len <= EPTE_ADDR + PAGE_SIZE - hpa.v;
}

static enum err table_alloc(struct ept *e, hpa_t *out)
{
	enum err err = pool_alloc(e->pool, 0, out);

	if (err)
		return err;
	memset(mem_ptr(*out), 0, PAGE_SIZE);
	e->tables++;
	return E_OK;
}

enum err ept_init(struct ept *e, struct pool *pool, unsigned max_leaf)
{
	assert(max_leaf < EPT_LEVELS - 1);
	*e = (struct ept){ .pool = pool, .max_leaf = max_leaf };
	return table_alloc(e, &e->root);
}

bool ept_lookup(const struct ept *e, gpa_t gpa, struct ept_leaf *out)
{
	hpa_t table = e->root;

	for (unsigned level = EPT_LEVELS; gpa.v < EPT_GPA_MAX && level-- > 0;) {
		epte_t entry = epte_load(&table_ptr(table)[ept_index(gpa.v, level)]);

		if (!epte_present(entry))
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

/* Does no leaf reach over the boundary at gpa? */
static bool edge_ok(const struct ept *e, u64 gpa)
{
	struct ept_leaf l;

	return !ept_lookup(e, GPA(gpa), &l) || l.start.v == gpa;
}

static bool edges_ok(const struct ept *e, gpa_t gpa, u64 len)
{
	return edge_ok(e, gpa.v) && edge_ok(e, gpa.v + len);
}

/* Collects the tables below `table` and itself, children first. */
static void gather_tables(struct ept *e, hpa_t table, unsigned level, struct gather *g)
{
	const epte_t *t = table_ptr(table);

	for (unsigned i = 0; level && i < EPT_ENTRIES; i++) {
		epte_t c = epte_load(&t[i]);

		if (epte_present(c) && !epte_is_leaf(c, level))
			gather_tables(e, epte_addr(c), level - 1, g);
	}
	gather_block(g, e->pool, table); /* E3 */
	e->tables--;
}

void ept_destroy(struct ept *e, struct gather *g)
{
	gather_range(g, GPA(0), EPT_GPA_MAX);
	gather_tables(e, e->root, EPT_LEVELS - 1, g);
	assert(e->tables == 0);
}

static enum err unmap_at(struct edit *x, epte_t *slot, unsigned level, u64 gpa,
			 u64 stop)
{
	epte_t e = epte_load(slot);
	bool table = !epte_is_leaf(e, level);

	if (!epte_present(e))
		return E_OK;
	if (table && !whole(level, gpa, stop))
		return descend(x, e, level, gpa, stop);
	epte_store(slot, (epte_t){ 0 }); /* E1 */
	gather_range(x->g, GPA(gpa), stop - gpa);
	if (table)
		gather_tables(x->ept, epte_addr(e), level - 1, x->g);
	return E_OK;
}

enum err ept_unmap(struct ept *e, gpa_t gpa, u64 len, struct gather *g)
{
	struct edit x = { .at = unmap_at, .ept = e, .g = g };

	if (!range_ok(gpa, len))
		return fail(E_INVAL);
	if (!edges_ok(e, gpa, len))
		return fail(E_SPLIT);
	return walk(&x, table_ptr(e->root), EPT_LEVELS - 1, gpa.v, gpa.v + len);
}

static bool leaf_fits(const struct edit *x, unsigned level, u64 gpa, u64 stop)
{
	u64 hpa = x->hpa + (gpa - x->gpa);

	return level <= x->ept->max_leaf && whole(level, gpa, stop) &&
	       IS_ALIGNED(hpa, ept_span(level));
}

/* Fills a new table and links it when it is complete.  E2 */
static enum err map_table(struct edit *x, epte_t *slot, unsigned level, u64 gpa,
			  u64 stop)
{
	hpa_t table;
	enum err err = table_alloc(x->ept, &table);

	if (err)
		return err;
	err = walk(x, table_ptr(table), level - 1, gpa, stop);
	/* On an error too: what was stored is undone as part of the range. */
	epte_store(slot, epte_table(table));
	return err;
}

static enum err map_at(struct edit *x, epte_t *slot, unsigned level, u64 gpa, u64 stop)
{
	epte_t e = epte_load(slot);
	bool leaf = leaf_fits(x, level, gpa, stop);

	if (!epte_present(e) && !leaf)
		return map_table(x, slot, level, gpa, stop);
	if (epte_present(e) && !epte_is_leaf(e, level))
		return descend(x, e, level, gpa, stop);
	if (epte_present(e))
		return fail(E_EXIST);
	epte_store(slot,
		   epte_leaf(HPA(x->hpa + (gpa - x->gpa)), x->attr, level)); /* E1 */
	x->done = stop;
	return E_OK;
}

enum err ept_map(struct ept *e, gpa_t gpa, hpa_t hpa, u64 len, u64 attr,
		 struct gather *g)
{
	struct edit x = { .at = map_at,
			  .ept = e,
			  .g = g,
			  .gpa = gpa.v,
			  .hpa = hpa.v,
			  .attr = attr,
			  .done = gpa.v };
	enum err err, undo;

	if (!range_ok(gpa, len) || !frames_ok(hpa, len) || !(attr & EPTE_R))
		return fail(E_INVAL);
	err = walk(&x, table_ptr(e->root), EPT_LEVELS - 1, gpa.v, gpa.v + len);
	if (err && x.done > gpa.v) {
		undo = ept_unmap(e, gpa, x.done - gpa.v, g);
		assert(!undo);
	}
	return err;
}

static enum err protect_at(struct edit *x, epte_t *slot, unsigned level, u64 gpa,
			   u64 stop)
{
	epte_t e = epte_load(slot);

	if (!epte_present(e))
		return E_OK;
	if (!epte_is_leaf(e, level))
		return descend(x, e, level, gpa, stop);
	while (!epte_cas(slot, e, (epte_t){ (e.raw & ~EPTE_RWX) | x->attr })) /* E1 */
		e = epte_load(slot);
	if (e.raw & EPTE_RWX & ~x->attr)
		gather_range(x->g, GPA(gpa), stop - gpa);
	return E_OK;
}

enum err ept_protect(struct ept *e, gpa_t gpa, u64 len, u64 rwx, struct gather *g)
{
	struct edit x = { .at = protect_at, .ept = e, .g = g, .attr = rwx };

	if (!range_ok(gpa, len) || !(rwx & EPTE_R) || rwx & ~EPTE_RWX)
		return fail(E_INVAL);
	if (!edges_ok(e, gpa, len))
		return fail(E_SPLIT);
	return walk(&x, table_ptr(e->root), EPT_LEVELS - 1, gpa.v, gpa.v + len);
}

/* The dry half of a remap: is there a suitable leaf for every part? */
static enum err remap_check_at(struct edit *x, epte_t *slot, unsigned level, u64 gpa,
			       u64 stop)
{
	epte_t e = epte_load(slot);

	if (!epte_present(e))
		return fail(E_NOENT);
	if (!epte_is_leaf(e, level))
		return descend(x, e, level, gpa, stop);
	return IS_ALIGNED(x->hpa + (gpa - x->gpa), ept_span(level)) ? E_OK
								    : fail(E_INVAL);
}

static enum err remap_at(struct edit *x, epte_t *slot, unsigned level, u64 gpa,
			 u64 stop)
{
	epte_t e = epte_load(slot);
	u64 hpa = x->hpa + (gpa - x->gpa);

	if (!epte_is_leaf(e, level))
		return descend(x, e, level, gpa, stop);
	while (!epte_cas(slot, e, (epte_t){ (e.raw & ~EPTE_ADDR) | hpa })) /* E1 */
		e = epte_load(slot);
	gather_range(x->g, GPA(gpa), stop - gpa);
	return E_OK;
}

enum err ept_remap(struct ept *e, gpa_t gpa, hpa_t hpa, u64 len, struct gather *g)
{
	struct edit x = {
		.at = remap_check_at, .ept = e, .g = g, .gpa = gpa.v, .hpa = hpa.v
	};
	epte_t *root = table_ptr(e->root);
	enum err err;

	if (!range_ok(gpa, len) || !frames_ok(hpa, len))
		return fail(E_INVAL);
	if (!edges_ok(e, gpa, len))
		return fail(E_SPLIT);
	err = walk(&x, root, EPT_LEVELS - 1, gpa.v, gpa.v + len);
	if (err)
		return err;
	x.at = remap_at;
	return walk(&x, root, EPT_LEVELS - 1, gpa.v, gpa.v + len);
}
