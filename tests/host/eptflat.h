/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * eptflat - an EPT beside a flat map of its pages, and what must hold between both; see
 * eptflat.c.
 */
#ifndef TESTS_HOST_EPTFLAT_H
#define TESTS_HOST_EPTFLAT_H

#include "mm/dirty.h"
#include "tests/host/eptraw.h"

#define FLAT_SPACE   (2 * SIZE_1G)
#define FLAT_REGIONS (FLAT_SPACE / SIZE_2M)
#define FLAT_SLOTS   4

/* One page that is looked at. */
struct flat_page {
	u64 gpa;
	u64 want;                /* raw_page.logical, as the edits so far ask for */
	u64 raw, hw;             /* as seen last                                  */
	u64 waits;               /* the same                                      */
	unsigned level;          /* of the leaf, while one is wanted              */
	bool written;            /* since the last harvest                        */
	u32 touched[FLAT_SLOTS]; /* the slot's epoch in which its gather may have it */
};

/* A gather that edits go to, until it is published. */
struct flat_slot {
	struct gather g;
	u32 epoch;     /* how many gathers there were */
	u64 published; /* when                        */
};

struct range {
	u64 gpa, len;
};

/* The address space under test: one at a time. */
extern struct flat {
	struct pool pool;
	u32 frames;
	struct ept ept;
	struct flat_slot slot[FLAT_SLOTS];
	struct dirty dirty; /* while ept.dirty is not NULL */
	u64 now;            /* counts steps */
} flat;

void flat_begin(u32 frames, struct ept_features can);
void flat_end(void);

/* The first page at gpa or above it, by number; flat_pages when there is none. */
unsigned flat_from(u64 gpa);
extern struct flat_page flat_page[];
extern unsigned flat_pages;

/* Are pages of this 2 MiB region looked at one by one? */
bool flat_in_window(u64 region);

/* The pages of a range, one after another. */
#define flat_each(p, r)                                                            \
	for (struct flat_page *p = &flat_page[flat_from((r).gpa)],                 \
			      *p##_end = &flat_page[flat_from((r).gpa + (r).len)]; \
	     p < p##_end; p++)

/* Does the gather of the slot have the page? */
bool flat_gathered(const struct flat_slot *s, u64 gpa);

/*
 * Holds the page against what an edit for `s` makes of it.  `whole`: it is part of a
 * table or leaf that has gone as a whole, and may be gathered for that.
 */
void flat_renew(struct flat_page *p, struct flat_slot *s, u64 want, unsigned level,
		bool whole);

/* Holds the page against what is known of it. */
void flat_look(const struct flat_page *p);

/* Numbers that hold after each edit, and what CPUs may have cached. */
void flat_check(void);

/* All pages and the whole structure: expensive. */
void flat_check_all(void);

/* A CPU reads or writes the page, and caches what it may. */
bool flat_access(struct flat_page *p, bool write);

/* Has a CPU cached something else than what is there now, in the range? */
bool flat_cached_stale(struct range r);

void flat_publish(struct flat_slot *s);

/* All CPUs have flushed: settles and retires. */
void flat_done(struct flat_slot *s);
void flat_done_all(void);

#endif
