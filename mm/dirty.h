/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dirty - which pages of a range has the guest written?  See dirty.c.
 */
#ifndef MM_DIRTY_H
#define MM_DIRTY_H

#include "mm/ept.h"

/* How writes are noticed. */
enum dirty_mode {
	DIRTY_FAULT, /* pages are write-protected, and each first write faults    */
	DIRTY_FLAG,  /* the CPU sets D in the leaf                                 */
	DIRTY_LOG,   /* and logs the page (PML): somebody calls dirty_mark() for it */
};

struct dirty {
	struct ept *ept;
	enum dirty_mode mode;
	u64 flag; /* D, in the format of the EPT */
	u64 start, end;
	atomic64_t *map; /* a bit for each page */
};

/*
 * Begins to keep track of writes to [gpa, gpa + len): splits leaves to 4 KiB and takes
 * W or D away; g as for any edit.  `map` has a zeroed bit for each page.  d stays in
 * use until dirty_stop().  One range per EPT, else E_EXIST; E_NOTSUP: no A and D flags.
 */
enum err must_check dirty_start(struct dirty *d, struct ept *e, enum dirty_mode mode,
				gpa_t gpa, u64 len, atomic64_t *map, struct gather *g);

/*
 * Moves what has been written since the last harvest to `map`, which the caller has
 * zeroed, and returns the number of pages.  Their contents may be copied when the
 * invalidation of g is done; a write after that is in the next harvest.
 */
u64 dirty_harvest(struct dirty *d, u64 *map, struct gather *g);

/* Gives all rights back; needs no flush. */
void dirty_stop(struct dirty *d);

/* Notes a write, from any CPU.  A page outside of the range is ignored. */
void dirty_mark(struct dirty *d, gpa_t gpa);
void dirty_mark_range(struct dirty *d, gpa_t gpa, u64 len);

/* Are writes to part of [gpa, gpa + len) noticed by faults? */
static inline bool dirty_by_fault(const struct dirty *d, u64 gpa, u64 len)
{
	return d->mode == DIRTY_FAULT && gpa < d->end && d->start < gpa + len;
}

#endif
