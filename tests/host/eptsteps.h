/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * eptsteps - random edits of the address space of eptflat.h; see eptsteps.c.
 */
#ifndef TESTS_HOST_EPTSTEPS_H
#define TESTS_HOST_EPTSTEPS_H

#include "tests/host/eptflat.h"

/* A number in 0 .. n - 1, from wherever the choices come from. */
typedef u64 pick_fn(u64 n);

/* What has happened since the program began. */
extern struct steps_tally {
	u64 edits, failures, splits, promotes;
} tally;

/* Features of a CPU. */
struct ept_features steps_features(pick_fn *pick);

/* One edit, one access of a guest, or one gather published or done; holds all checks
 * that are cheap. */
void steps_one(pick_fn *pick);

/* For tests/host/eptguest.c: where choices come from, and what edits have in common. */
extern pick_fn *steps_pick;
struct flat_page *steps_any_page(void);

/* What an edit makes of a mapped page, `off` bytes from the begin of its range. */
typedef u64 steps_next(const struct flat_page *p, u64 off, u64 arg);
steps_next steps_same;

/*
 * Holds all pages that an edit of r may have changed.  Leaves above `grain` were split,
 * and those that are in r in part.  No function: it was unmapped.
 */
void steps_renew(struct range r, struct flat_slot *s, steps_next *next, u64 arg,
		 unsigned grain);

/* Holds the pages of the range that an edit did not change: all, or some of many. */
void steps_look(struct range r);

/* Starts, harvests or ends the tracking of writes. */
void guest_track(struct range r, struct flat_slot *s);

/* A few accesses, half of them where the last edit was. */
void guest_steps(struct range last);

#endif
