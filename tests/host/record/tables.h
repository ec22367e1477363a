/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tables - which frames are tables of an EPT at each store, and what they say; see
 * tables.c.
 */
#ifndef TESTS_HOST_RECORD_TABLES_H
#define TESTS_HOST_RECORD_TABLES_H

#include "mm/ept.h"

#define TABLES_FRAMES  640 /* of the pool, at most */
#define TABLES_WALKERS 4

/* Fills free frames with entries that must never be walked; e comes to life later. */
void tables_begin(const struct ept *e, const struct pool *p);
void tables_litter(void);

/* Begins anew with the tables as they are. */
void tables_learn(void);

/* An edit begins. */
void tables_edit(void);

/*
 * A store to the word at `off` bytes of the pool: E1, E2, E3, but for an edit that
 * undoes what it did.  True when the word is in a table that is linked.
 */
bool tables_stored(u64 off, u64 value, bool undone);

/* Hardware has marked the words of this page's walk. */
void tables_marked(u64 gpa);

/* Looks which tables there are by now. */
void tables_refresh(void);

/* Nothing has been written but what has been shown to us. */
void tables_compare(void);

/* CPUs that have cached a pointer to a table of `level`, and use it.  E3 */
void walkers_start(unsigned i, u64 gpa, unsigned level);
void walkers_stop(void);
void walkers_look(void);

#endif
