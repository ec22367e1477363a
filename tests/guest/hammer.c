/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hammer - writes or reads one word of the window for ever, and never exits by itself
 *
 * A writer stores an ever higher number.  A reader counts what it sees by tag.
 */
#include "tests/guest/guest.h"

static void write_for_ever(volatile uint64_t *word)
{
	for (uint64_t n = 1;; n++)
		*word = n;
}

static void read_for_ever(const volatile uint64_t *word, volatile uint64_t *seen)
{
	for (;;) {
		uint64_t v = *word;

		seen[(v & ~3ull) == TAG_BITS ? v & 3 : TAG_OTHER]++;
	}
}

uint64_t guest_main(struct guest_page *page)
{
	volatile uint64_t *word = (volatile uint64_t *)page->slot;

	if (page->role == GUEST_WRITER)
		write_for_ever(word);
	read_for_ever(word, page->seen);
	return 0;
}
