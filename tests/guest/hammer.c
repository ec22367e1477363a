/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hammer - writes or reads words of the window for ever, and never exits by itself
 *
 * A writer stores an ever higher number.  A sweeper stores one to each of its words in
 * turn, then the next higher one.  An unrolled writer jumps as rarely as has an effect
 * on QEMU, which translates up to 512 instructions at once and looks for interrupts in
 * between.  A reader counts what it sees by tag.
 */
#include "tests/guest/guest.h"

static void write_for_ever(volatile uint64_t *word)
{
	for (uint64_t n = 1;; n++)
		*word = n;
}

static void write_unrolled(volatile uint64_t *word)
{
	for (uint64_t n = 1;;)
		asm volatile(".rept 240\n\tmovq %0, %1\n\tincq %0\n\t.endr"
			     : "+r"(n), "=m"(*word)
			     :
			     : "cc");
}

static void read_for_ever(const volatile uint64_t *word, volatile uint64_t *seen)
{
	for (;;) {
		uint64_t v = *word;

		seen[(v & ~3ull) == TAG_BITS ? v & 3 : TAG_OTHER]++;
	}
}

static void sweep_for_ever(const struct guest_page *page)
{
	for (uint64_t n = 1;; n++)
		for (uint64_t i = 0; i < page->count; i++)
			*(volatile uint64_t *)(page->slot + i * page->stride) = n;
}

uint64_t guest_main(struct guest_page *page)
{
	volatile uint64_t *word = (volatile uint64_t *)page->slot;

	if (page->role == GUEST_WRITER)
		write_for_ever(word);
	if (page->role == GUEST_UNROLLED)
		write_unrolled(word);
	if (page->role == GUEST_SWEEPER)
		sweep_for_ever(page);
	read_for_ever(word, page->seen);
	return 0;
}
