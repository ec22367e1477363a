/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * phys - a fake physical memory of a few readable regions, for the parsers
 *
 * Each read that a parser asks for is lent as a copy of exactly that size, so that
 * AddressSanitizer sees a read past what was asked for, not only past a region.
 */
#ifndef TESTS_HOST_PHYS_H
#define TESTS_HOST_PHYS_H

#include "boot/view.h"
#include "lib/types.h"

#define PHYS_REGIONS 8

struct phys {
	struct phys_view view;
	struct phys_region {
		u64 pa, len;
		const u8 *bytes; /* the caller's; NULL: reads give zeros */
	} region[PHYS_REGIONS];
	unsigned n;
	struct phys_loan *loans;
	bool wrong; /* the view was asked for an empty range or one that wraps */
};

/* An empty memory; phys_free() gives back what it lent. */
void phys_init(struct phys *p);
void phys_free(struct phys *p);

/* Makes [pa, pa + len) readable.  The bytes stay the caller's and may change. */
void phys_add(struct phys *p, u64 pa, const void *bytes, u64 len);

/* Forgets all regions and loans. */
void phys_clear(struct phys *p);

#endif
