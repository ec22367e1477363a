/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * marks - what CPUs show of their stay in the guest; marks.c argues why.
 */
#ifndef INVAL_MARKS_H
#define INVAL_MARKS_H

#include "inval/inval.h"

#define MARK_OUT  UINT64_MAX /* of those who have never entered, as well: .fresh */
#define MARK_STEP 2ull       /* of generations, so that they are odd for ever */

/* Begins a generation, after the edit; its ticket.  [K1] */
static inline ticket_t marks_bump(struct inval *iv)
{
	return fetch_add(&iv->gen, MARK_STEP) + MARK_STEP; /* K1 */
}

/* Does r show a stay?  For inval_proto.active. */
static inline bool mark_in(const struct inval_reader *r)
{
	return load_acquire(&r->mark.word) != MARK_OUT; /* pairs with K3 */
}

/* Kicks `cpu`, unless it is out, came with t, or has been kicked for this stay.  [K4]
 */
void mark_kick(struct inval *iv, unsigned cpu, ticket_t t);

/* The same for every CPU, where the kicks of 64 go out together; t.  [K4] */
ticket_t marks_kick(struct inval *iv, ticket_t t);

/* Is every stay that began before t over?  Once true it stays true.  [K5] [K6] */
bool marks_passed(struct inval *iv, ticket_t t);

/* A CPU whose stay keeps marks_passed(t) from saying yes, or -1. */
int marks_laggard(struct inval *iv, ticket_t t);

#endif
