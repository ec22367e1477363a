/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * eptraw - the words of an EPT's tables, read as hardware reads them, not as mm/ does.
 */
#ifndef TESTS_HOST_EPTRAW_H
#define TESTS_HOST_EPTRAW_H

#include "mm/ept.h"

#define RAW_AD    (EPTE_A | EPTE_D)
#define RAW_LEVEL BITS(58, 57) /* of raw_page.hw: the level of the leaf */

/* One 4 KiB page: all is 0 when no leaf translates it. */
struct raw_page {
	u64 *slot;   /* the leaf's entry                                           */
	u64 raw;     /* what it says, with this page's frame, without EPTE_LEAF    */
	u64 logical; /* what it says in the end: all rights, not parked, not held  */
	u64 hw;      /* what a CPU can cache now, and RAW_LEVEL; 0 while it cannot */
	u64 waits;   /* for gathers with these tags, on the way and in the leaf    */
	unsigned level, tag;
};

struct raw_page raw_page(hpa_t root, u64 gpa);

/* The same from a table of `level` on. */
struct raw_page raw_page_from(hpa_t table, unsigned level, u64 gpa);

/* As a CPU with A and D flags: marks the links and the leaf; false: it cannot. */
bool raw_access(hpa_t root, u64 gpa, bool write);

/*
 * May a CPU that has cached `was` not go on with it, when a walk now gives `is`?  More
 * rights and flags that are set need nothing.
 */
bool raw_stale(u64 was, u64 is);

/*
 * The level of the leaf that translates `page`, `level` before, when all leaves have
 * been split that are in [from, to) in part, or wholly and above `grain`.
 */
unsigned raw_level_after(unsigned level, u64 page, u64 from, u64 to, unsigned grain);

/* Do both name the same frame by a leaf of the same size? */
static inline bool raw_same_place(u64 a, u64 b)
{
	return !((a ^ b) & (EPTE_ADDR | RAW_LEVEL));
}

/*
 * Holds the whole structure against its rules: T1, counts, no table that is empty or
 * linked twice, bits of leaves and links, tags, and that frames are tables, or spares,
 * or `dead`, or free.  Complains by EXPECT.
 */
void raw_check(const struct ept *e, u32 frames, u32 dead);

#endif
