/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * eptraw - the words of nested tables, read as hardware reads them, not as mm/ does.
 *
 * Of either format: what a walk found is told in the words of EPT, so that the same
 * tests and models hold both.
 */
#ifndef TESTS_HOST_EPTRAW_H
#define TESTS_HOST_EPTRAW_H

#include "mm/ept.h"

#define RAW_AD    (EPTE_A | EPTE_D)
#define RAW_LEVEL BITS(58, 57) /* of raw_page.hw: the level of the leaf */

/* The format of the tables that are read: of the address space that was made last. */
extern enum nested_format raw_format;

/* tests/host/nptraw.c: the next two for NPT, and bits that no entry of it may have. */
u64 npt_words(u64 entry);
u64 npt_flags(u64 flags);
void npt_check(u64 entry, bool leaf);

/* An entry in the words of EPT. */
static inline u64 raw_words(u64 entry)
{
	return raw_format == NESTED_NPT ? npt_words(entry) : entry;
}

/* The bits of an entry that are EPTE_A and EPTE_D in these words. */
static inline u64 raw_flags(u64 flags)
{
	return raw_format == NESTED_NPT ? npt_flags(flags) : flags;
}

/* Those of EPTE_IPAT and EPTE_SVE that the format has. */
static inline u64 raw_extra(u64 bits)
{
	return raw_format == NESTED_NPT ? 0 : bits;
}

/* A test that runs with the tables of either format; the second one has its own name.
 */
#define TEST_BOTH(id, ...)               \
	static void both_##id(void);     \
	TEST(id, __VA_ARGS__)            \
	{                                \
		both_##id();             \
	}                                \
	TEST(id##_npt, __VA_ARGS__)      \
	{                                \
		raw_format = NESTED_NPT; \
		both_##id();             \
		raw_format = NESTED_EPT; \
	}                                \
	static void both_##id(void)

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
