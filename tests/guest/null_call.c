/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * null_call - times a loop of empty calls, and the same loop with NOP in its place.
 */
#include "tests/guest/guest.h"

static void by_vmcall(uint64_t n)
{
	for (uint64_t i = n; i; i--)
		asm volatile("movl $0, %%eax\n\tvmcall" : : : "rax", "memory");
}

static void by_vmmcall(uint64_t n)
{
	for (uint64_t i = n; i; i--)
		asm volatile("movl $0, %%eax\n\tvmmcall" : : : "rax", "memory");
}

uint64_t guest_main(struct guest_page *page)
{
	uint64_t n = page->loops, start = guest_tsc();

	if (guest_call_by == GUEST_VMMCALL)
		by_vmmcall(n);
	else
		by_vmcall(n);
	page->result = guest_tsc() - start;
	start = guest_tsc();
	for (uint64_t i = n; i; i--)
		asm volatile("movl $0, %%eax\n\tnop" : : : "rax", "memory");
	page->result2 = guest_tsc() - start;
	return 0;
}
