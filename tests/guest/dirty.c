/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dirty - goes over pages in an order that the host chooses, and reads or writes them
 *
 * Page 0, step, 2 * step, ... modulo their number: with a step that has no divisor in
 * common with it, each page once in a round.
 */
#include "tests/guest/guest.h"
#include "tests/guest/dirty.h"

#define PAGE 4096

static void round_of(const struct guest_page *page, int write)
{
	uint64_t at = 0, pages = page->pages, step = page->step, base = page->slot;

	for (uint64_t i = 0; i < pages; i++) {
		uint64_t *word = (uint64_t *)(base + at * PAGE);

		if (write)
			asm volatile("incq %0" : "+m"(*word));
		else
			(void)*(volatile uint64_t *)word;
		at = (at + step) % pages;
	}
}

uint64_t guest_main(struct guest_page *page)
{
	for (unsigned i = 0; i < DIRTY_ROUNDS; i++)
		round_of(page, page->role != DIRTY_READ);
	page->result = 1;
	while (page->role == DIRTY_STAY)
		;
	return 0;
}
