/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gap - looks at the clock for ever, and notes the longest time between two looks
 *
 * It touches no memory but its own page and code, so that it runs at one pace unless
 * somebody takes the CPU away.  The host may set page->gap back to 0 at any time.
 */
#include "tests/guest/guest.h"

uint64_t guest_main(struct guest_page *page)
{
	uint64_t last = guest_tsc();

	for (;;) {
		uint64_t now = guest_tsc();

		if (now - last > page->gap)
			page->gap = now - last;
		last = now;
		page->turns++;
	}
	return 0;
}
