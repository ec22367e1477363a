/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * walk - the one walk that every edit of an EPT is; see walk.c.
 *
 * For edits only: others include mm/ept.h.
 */
#ifndef MM_WALK_H
#define MM_WALK_H

#include "mm/dirty.h"
#include "mm/table.h"

/* Neighbours in one table, none of which points to a table. */
struct run {
	epte_t *slot;
	unsigned n, level;
	u64 gpa; /* that the first one translates, or where the range begins in it */
	hpa_t table; /* that they are in */
};

struct edit;

/* What makes an edit.  Functions may be NULL. */
struct edit_kind {
	enum gather_why why;
	/* Leaves of the range, and unused entries among those of level 0. */
	enum err (*leaves)(struct edit *, const struct run *);
	/* An unused entry above level 0; the range is in it up to `stop`. */
	enum err (*hole)(struct edit *, const struct run *, u64 stop);
	/* A whole table, before the walk goes down: true when nothing is left to do. */
	bool (*before)(struct edit *, const struct run *, u64 stop);
	/* The same table when the walk has come back up without an error, and x->up. */
	void (*after)(struct edit *, const struct run *);
	bool splits; /* a leaf that is too large or only in part in the range */
	bool breaks; /* what has changed is parked                             */
};

/* One edit in progress. */
struct edit {
	const struct edit_kind *kind;
	struct ept *ept;
	struct gather *g;
	unsigned grain; /* the highest level that a leaf may keep       */
	u64 gpa, hpa;   /* hpa belongs to gpa                           */
	u64 attr;
	u64 memory;   /* what a new leaf says of its memory             */
	u64 *map;     /* a bit for each page, from gpa on               */
	u64 from, to; /* translations that changed, not gathered yet    */
	u64 done;     /* map: how far leaves have been stored           */
	bool up; /* what has been walked last concerns the entry above it: after() */
};

/* Walks [gpa, gpa + len) and gathers what changed.  E_INVAL: no such range. */
enum err must_check edit_run(struct edit *x, gpa_t gpa, u64 len);

/* The same for a caller that holds the lock and has checked the range. */
enum err must_check edit_run_locked(struct edit *x, gpa_t gpa, u64 len);

/* Walks [gpa, end) in one table, for edits that link a new one. */
enum err must_check edit_walk(struct edit *x, hpa_t table, unsigned top, u64 gpa,
			      u64 end);

/* Is this a range of pages that an EPT can translate? */
bool edit_range_ok(gpa_t gpa, u64 len);

/* Can entries name every frame of [hpa, hpa + len)? */
static inline bool edit_frames_ok(hpa_t hpa, u64 len)
{
	return !(hpa.v & ~EPTE_ADDR) && len <= EPTE_ADDR + PAGE_SIZE - hpa.v;
}

/* Does the range, which ends at `stop` in this entry, cover all of it? */
static inline bool run_whole(const struct run *r, u64 stop)
{
	return stop - r->gpa == ept_span(r->level);
}

/* How many entries of the run's table are used. */
static inline u16 *run_used(const struct edit *x, const struct run *r)
{
	return table_count(x->ept, r->table);
}

/* The table that the entry points to. */
static inline hpa_t run_table(const struct run *r)
{
	return epte_addr(epte_load(r->slot));
}

/*
 * The highest level at which gpa and hpa, and all that follows both, can be a leaf; 0
 * while writes are tracked, which is done page by page.
 */
unsigned edit_grain(const struct ept *e, u64 gpa, u64 hpa);

/* Gathers what edit_changed() has noted. */
void edit_gather(struct edit *x);
static inline void edit_flush(struct edit *x)
{
	if (x->to)
		edit_gather(x);
}

/* Notes that the translations of [gpa, gpa + len) changed. */
static inline void edit_changed(struct edit *x, u64 gpa, u64 len)
{
	if (gpa != x->to) {
		edit_flush(x);
		x->from = gpa;
	}
	x->to = gpa + len;
}

unsigned edit_new_tag(struct edit *x);

static inline unsigned edit_tag(struct edit *x)
{
	return x->g->tag ? x->g->tag : edit_new_tag(x);
}

/* The entry as it waits until x->g is settled; as it is, where nobody can see both. */
static inline epte_t edit_park(struct edit *x, epte_t e)
{
	if (x->g->stopped)
		return e;
	return epte_park(x->ept->format, e, edit_tag(x));
}

/*
 * The bits of an entry that say `rwx` at this level: X is held in a large leaf where
 * the CPU wants that, W when hold_w says so.
 */
static inline u64 edit_grant(const struct ept *e, u64 rwx, unsigned level, bool hold_w)
{
	const struct epte_format *f = e->format;
	u64 bits = rwx & (EPTE_R | EPTE_W);

	if (hold_w && rwx & EPTE_W)
		bits ^= EPTE_W | EPTE_HELD_W;
	if (rwx & EPTE_X)
		bits |= level && !e->can.large_exec ? EPTE_HELD_X : f->x;
	return bits ^ f->inverted;
}

/* Must new W rights in [gpa, gpa + len) be held, so that the first write faults? */
static inline bool edit_hold_w(const struct ept *e, u64 gpa, u64 len)
{
	return e->dirty && dirty_by_fault(e->dirty, gpa, len);
}

/* Can a leaf have these rights?  W needs R; X needs it where execute-only is none. */
static inline bool edit_rights_ok(const struct ept *e, u64 rwx)
{
	return rwx & EPTE_R || (rwx == EPTE_X && e->can.exec_only);
}

/* ept_map() for a caller that holds the lock. */
enum err must_check edit_map_locked(struct ept *e, gpa_t gpa, hpa_t hpa, u64 len,
				    u64 attr, struct gather *g);

#endif
