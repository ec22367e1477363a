/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ept - edits of nested page tables, each returning its duty to flush; see ept.c.
 *
 * The tables are EPT's or NPT's; edits are asked for in the words of EPT.
 *
 *      ept_unmap(e, ..., &g)          any of the edits, or several
 *      t = inval_publish(iv, &g)
 *      while (!inval_done(iv, t))
 *              relax()
 *      ept_settle(e, &g)              what the edits parked becomes present
 *      inval_retire(iv, t, &g)
 */
#ifndef MM_EPT_H
#define MM_EPT_H

#include "lib/lock.h"
#include "mm/epte.h"
#include "mm/gather.h"

/* Attributes of ordinary memory. */
#define EPT_RWX (EPTE_RWX | field_put(EPTE_TYPE, EPT_WB))
#define EPT_RW  (EPTE_R | EPTE_W | field_put(EPTE_TYPE, EPT_WB))

/* What the CPUs offer. */
struct ept_features {
	unsigned max_leaf; /* highest level that may hold a leaf: 0, 1, 2         */
	bool large_exec;   /* an executable leaf may change its size: PSCHANGE_MC_NO */
	bool exec_only;    /* X without R                                         */
	bool ad;           /* accessed and dirty flags are on                     */
	enum nested_format format; /* of the tables; it may know no exec_only, or no
				      way to switch ad off                        */
};

struct dirty; /* mm/dirty.h */

struct ept {
	struct lock lock; /* held by each edit while it lasts, never while one waits */
	struct pool *pool;
	hpa_t root;
	hpa_t twin;     /* the first of the pages that are kept like the root, ... */
	unsigned twins; /* ... of which there are so many                          */
	struct ept_features can;
	const struct epte_format *format;
	u32 tables;          /* table pages in use, the root included  */
	u32 spares;          /* and set aside: table.h                 */
	hpa_t spare;         /* the first of them                      */
	u64 tags;            /* of gathers that have parked entries    */
	struct dirty *dirty; /* who keeps track of writes, or NULL     */
	/* Edits under way that forbid ept_fill(): fault.c. */
	unsigned holds;
	u64 held_from, held_to;
	atomic64_t seq;
};

/* What a walk found: the leaf's entry, its level, and its place. */
struct ept_leaf {
	epte_t entry;
	unsigned level;
	gpa_t start; /* of the leaf's page */
};

/* Makes an empty address space.  E_NOMEM. */
enum err must_check ept_init(struct ept *e, struct pool *pool, struct ept_features can);

/*
 * From now on 2^order more pages, in a row, have the same entries as the root, and
 * hardware walks from these alone.  Right after ept_init().  E_NOMEM.
 */
enum err must_check ept_twin(struct ept *e, unsigned order);

/* Unlinks everything: all table pages, the root included, go to g.  Edits end here. */
void ept_destroy(struct ept *e, struct gather *g);

/*
 * All edits: gpa, hpa and len in bytes, multiples of 4 KiB, inside 48 bits, else
 * E_INVAL.  g is open.  Any CPU may edit, outside of the guest; edits of one EPT
 * exclude each other.  On an error the translations are as they were before.
 *
 * Holes are fine except to ept_map().  A large leaf that reaches over an end of the
 * range is split; that needs no memory that is not set aside, so none but ept_map() and
 * ept_promote() ever returns E_NOMEM.  What changes its frame or its size is not
 * present between the edit and ept_settle(), so that no two CPUs ever hold different
 * translations (break before make).  An edit that finds its work done gathers nothing:
 * if somebody else did it and still waits for his flush, so must the caller.
 *
 * ept_map: maps [gpa, gpa + len) to hpa on, by the largest leaves that fit.  attr is
 *   EPT_RWX or the like; E_NOTSUP for memory bits that the format does not have, as
 *   below.  E_EXIST when part is mapped, E_NOMEM.  Needs no flush
 *   unless it fails half-way.  A hole must be old: what was unmapped there is flushed.
 * ept_unmap: takes translations away; tables that become empty go to g.
 * ept_protect: sets the rights of what is mapped to `rwx`, which is not 0.  A
 *   downgrade needs a flush, an upgrade does not: at worst a CPU faults once for
 *   nothing.
 * ept_remap: changes the frames of what is mapped, attributes kept.
 * ept_retype: sets memory type, IPAT and suppress-#VE: the bits of EPTE_MEMORY.
 *   E_NOTSUP: NPT has neither WC and WP, nor IPAT, nor suppress-#VE.
 * ept_clear: clears EPTE_A or EPTE_D where it is set, and sets the bit of each such
 *   page, counted from gpa, in `map`, which may be NULL.  E_NOTSUP without A and D.
 *   D belongs to dirty.h while writes are tracked by it.
 * ept_split: no leaf in the range is above `level`, 0 to 2, afterwards.
 * ept_promote: tables in the range whose leaves fit together become one larger leaf.
 *   One level at a time: call it again after ept_settle() to get to 1 GiB.  Nothing
 *   while writes are tracked.  E_NOMEM: what could be joined has been.
 */
enum err must_check ept_map(struct ept *e, gpa_t gpa, hpa_t hpa, u64 len, u64 attr,
			    struct gather *g);
enum err must_check ept_unmap(struct ept *e, gpa_t gpa, u64 len, struct gather *g);
enum err must_check ept_protect(struct ept *e, gpa_t gpa, u64 len, u64 rwx,
				struct gather *g);
enum err must_check ept_remap(struct ept *e, gpa_t gpa, hpa_t hpa, u64 len,
			      struct gather *g);
enum err must_check ept_retype(struct ept *e, gpa_t gpa, u64 len, u64 memory,
			       struct gather *g);
enum err must_check ept_clear(struct ept *e, gpa_t gpa, u64 len, u64 flag, u64 *map,
			      struct gather *g);
enum err must_check ept_split(struct ept *e, gpa_t gpa, u64 len, unsigned level,
			      struct gather *g);
enum err must_check ept_promote(struct ept *e, gpa_t gpa, u64 len, struct gather *g);

/* Switches accessed and dirty flags on: all that was cached before must go.  They
 * always are under NPT. */
void ept_enable_ad(struct ept *e, struct gather *g);

/*
 * Makes present what edits have parked for g, whose invalidation is done.  Tables that
 * wait for retirement are still intact.  Nothing to do is fine.
 */
void ept_settle(struct ept *e, struct gather *g);

/*
 * The leaf that translates gpa now; false when there is none.  Any CPU may ask, in a
 * section that the invalidation waits for, or where no table can be retired meanwhile.
 */
bool ept_lookup(const struct ept *e, gpa_t gpa, struct ept_leaf *out);

/* As ept_lookup(), for a leaf that hardware cannot use yet as well. */
bool ept_find(const struct ept *e, gpa_t gpa, struct ept_leaf *out);

/* What a leaf of e tells hardware, in the words of EPT: rights, memory, A and D. */
static inline u64 ept_attr(const struct ept *e, const struct ept_leaf *l)
{
	return epte_attr(e->format, l->entry);
}

/*
 * The page where hardware begins to walk, which is NPT's nCR3: WB by the host's PAT.
 * With twins that of the first; the others follow page by page.
 */
static inline hpa_t ept_top(const struct ept *e)
{
	return e->twins ? e->twin : e->root;
}

/* The value of the VMCS field EPTP for this root: write-back, 4 levels. */
static inline u64 ept_pointer(const struct ept *e)
{
	return ept_top(e).v | EPTP_WALK_4 | EPT_WB | (e->can.ad ? EPTP_AD : 0);
}

#endif
