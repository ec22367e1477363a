/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table - the pages that an EPT's tables are made of, and those set aside for splits
 *
 * For each large leaf as many pages are set aside as splitting it down to 4 KiB takes:
 * 1 for 2 MiB, 513 for 1 GiB, which is 1/512 of what large leaves map.  So an edit that
 * has to split never fails for memory.
 *
 *   [T1] spares == sum of table_spares(level) over all large leaves
 */
#ifndef MM_TABLE_H
#define MM_TABLE_H

#include "mm/ept.h"
#include "mm/mem.h"

static inline epte_t *table_ptr(hpa_t pa)
{
	return mem_ptr(pa);
}

/* How many pages a leaf of this level has set aside. */
static inline u32 table_spares(unsigned level)
{
	return level == 2 ? EPT_ENTRIES + 1 : level;
}

/* Takes a page for a table from the pool, all entries unused.  E_NOMEM. */
enum err must_check table_new(struct ept *e, hpa_t *out);

/* Gives a table back that no walk has ever been able to reach. */
void table_drop(struct ept *e, hpa_t table);

/* Gives a table to g that walks may still be in. */
void table_retire(struct ept *e, hpa_t table, struct gather *g);

/* Sets n pages aside, all or none.  E_NOMEM. */
enum err must_check table_reserve(struct ept *e, u32 n);

/* Gives n of the pages that are set aside back to the pool. */
void table_release(struct ept *e, u32 n);

/* Takes one of them for a table, contents undefined.  There is one: T1. */
hpa_t table_spare(struct ept *e);

/* How many entries of a table are used; its editor keeps the number. */
static inline u16 *table_count(struct ept *e, hpa_t table)
{
	return pool_count(e->pool, table);
}

#endif
