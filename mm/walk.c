/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * walk - the one walk that every edit of an EPT is
 *
 * It visits the entries of a range from low to high, each table once, and tells the
 * edit what it meets: neighbouring leaves of one table at once, holes, tables on the
 * way down and on the way up.  A large leaf that is in the range only in part, or that
 * is larger than the edit wants, becomes a table first:
 *
 *      2 MiB leaf ---> not present: [link, parked] ---> table of 512 leaves
 *                 edit                             ept_settle()
 *
 * In between no CPU can walk there, and when it is settled no CPU holds the large
 * translation any more: nobody ever sees two sizes at once (SDM vol. 3, 29.4.3.1 has no
 * promise for that, and on some CPUs a fetch then raises a machine check).
 */
#include "mm/walk.h"
#include "inval/hw.h"
#include "lib/trace.h"

bool edit_range_ok(gpa_t gpa, u64 len)
{
	return len && IS_ALIGNED(gpa.v | len, PAGE_SIZE) && gpa.v < EPT_GPA_MAX &&
	       len <= EPT_GPA_MAX - gpa.v;
}

unsigned edit_grain(const struct ept *e, u64 gpa, u64 hpa)
{
	unsigned level = e->dirty ? 0 : e->can.max_leaf;

	while (level && !IS_ALIGNED(gpa ^ hpa, ept_span(level)))
		level--;
	return level;
}

void edit_gather(struct edit *x)
{
	gather_range(x->g, GPA(x->from), x->to - x->from, x->kind->why);
	if (x->kind->breaks)
		gather_parked(x->g, x->from, x->to);
	x->from = x->to = 0;
}

/* At most 63 gathers have parked entries at one time. */
unsigned edit_new_tag(struct edit *x)
{
	struct ept *e = x->ept;

	if (!~e->tags)
		panic("ept: too many edits wait for their flush");
	x->g->tag = (u8)__builtin_ctzll(~e->tags);
	e->tags |= BIT(x->g->tag);
	return x->g->tag;
}

/* Fills a table with the leaves of `level` that mean what the larger leaf means. */
static void fill(const struct ept *e, hpa_t table, unsigned level, epte_t leaf)
{
	u64 span = ept_span(level);
	epte_t child = epte_final(leaf), *t = table_ptr(table);

	child.raw &= ~(e->format->rights | EPTE_HELD | EPTE_LEAF);
	child.raw |= edit_grant(e, epte_rights(e->format, leaf), level,
				leaf.raw & EPTE_HELD_W);
	child.raw |= level ? EPTE_LEAF : 0;
	for (unsigned i = 0; i < EPT_ENTRIES; i++, child.raw += span)
		epte_store(&t[i], child);
}

/* Makes a table of a large leaf.  Hardware may set A and D of it meanwhile. */
static void split(struct edit *x, const struct run *r)
{
	u64 span = ept_span(r->level), start = ALIGN_DOWN(r->gpa, span);
	hpa_t table = table_spare(x->ept);
	epte_t old, link = edit_park(x, epte_table(x->ept->format, table)); /* E4 */

	do {
		old = epte_load(r->slot);
		fill(x->ept, table, r->level - 1, old); /* E2 */
	} while (!epte_cas(r->slot, old, link));        /* E1 */
	*table_count(x->ept, table) = EPT_ENTRIES;
	edit_flush(x);
	gather_range(x->g, GPA(start), span, WHY_SIZE);
	gather_parked(x->g, start, start + span);
}

static struct run run_at(hpa_t table, unsigned level, u64 gpa)
{
	return (struct run){ .slot = &table_ptr(table)[ept_index(gpa, level)],
			     .n = 1,
			     .level = level,
			     .gpa = gpa,
			     .table = table };
}

static enum err visit(struct edit *x, const struct run *r, u64 stop)
{
	const struct edit_kind *k = x->kind;
	epte_t e = epte_load(r->slot);
	enum err err;

	if (!epte_used(e))
		return k->hole ? k->hole(x, r, stop) : E_OK;
	if (epte_is_leaf(e, r->level)) {
		if (!k->splits || (r->level <= x->grain && run_whole(r, stop)))
			return k->leaves ? k->leaves(x, r) : E_OK;
		split(x, r);
	} else if (k->before && run_whole(r, stop) && k->before(x, r, stop)) {
		return E_OK;
	}
	err = edit_walk(x, run_table(r), r->level - 1, r->gpa, stop);
	if (!err && x->up)
		k->after(x, r);
	return err;
}

static never_inline enum err visit_all(struct edit *x, hpa_t table, unsigned level,
				       u64 gpa, u64 end)
{
	struct run r = run_at(table, level, gpa);
	enum err err = E_OK;

	while (r.gpa < end && !err) {
		u64 next = ALIGN_DOWN(r.gpa, ept_span(level)) + ept_span(level);
		u64 stop = MIN(end, next);

		err = visit(x, &r, stop);
		r.gpa = stop;
		r.slot++;
	}
	return err;
}

/*
 * Goes straight down while the range is a part of one entry that points to a table:
 * there the walk has no choice.  path[i] is the table of level i; the lowest level.
 */
static inline unsigned descend(hpa_t *path, unsigned level, u64 gpa, u64 end)
{
	u64 differs = (gpa ^ (end - 1)) +
		      1; /* a page at least, so level 0 is the end */
	hpa_t table = path[level];

	for (; differs < ept_span(level); path[--level] = table) {
		epte_t e = epte_load(&table_ptr(table)[ept_index(gpa, level)]);

		if (!epte_used(e) || e.raw & EPTE_LEAF)
			break;
		table = epte_addr(e);
	}
	return level;
}

enum err edit_walk(struct edit *x, hpa_t table, unsigned top, u64 gpa, u64 end)
{
	const struct edit_kind *k = x->kind;
	hpa_t path[EPT_LEVELS];
	unsigned level;
	enum err err = E_OK;

	path[top] = table;
	level = descend(path, top, gpa, end);
	if (level) {
		err = visit_all(x, path[level], level, gpa, end);
	} else if (k->leaves) {
		struct run r = run_at(path[0], 0, gpa);

		r.n = (unsigned)((end - gpa) >> PAGE_SHIFT);
		err = k->leaves(x, &r);
	}
	while (!err && x->up && level++ < top) {
		struct run r = run_at(path[level], level, gpa);

		k->after(x, &r);
	}
	return err;
}

enum err edit_run_locked(struct edit *x, gpa_t gpa, u64 len)
{
	enum err err;

	if (CHECKED)
		trace2(hw_self(), TRACE_EDIT, gpa.v, len);
	err = edit_walk(x, x->ept->root, EPT_LEVELS - 1, gpa.v, gpa.v + len);
	edit_flush(x);
	if (CHECKED)
		trace(hw_self(), TRACE_EDITED, err);
	return err;
}

enum err edit_run(struct edit *x, gpa_t gpa, u64 len)
{
	enum err err;

	if (!edit_range_ok(gpa, len))
		return fail(E_INVAL);
	lock(&x->ept->lock);
	err = edit_run_locked(x, gpa, len);
	unlock(&x->ept->lock);
	return err;
}
