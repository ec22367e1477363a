/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * null_call - times a loop of empty VMCALLs, and the same loop with NOP in its place.
 */
#include "tests/guest/guest.h"

uint64_t guest_main(struct guest_page *page)
{
	uint64_t n = page->loops, start = guest_tsc();

	for (uint64_t i = n; i; i--)
		asm volatile("movl $0, %%eax\n\tvmcall" : : : "rax", "memory");
	page->result = guest_tsc() - start;
	start = guest_tsc();
	for (uint64_t i = n; i; i--)
		asm volatile("movl $0, %%eax\n\tnop" : : : "rax", "memory");
	page->result2 = guest_tsc() - start;
	return 0;
}
