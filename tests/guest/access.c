/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * access - makes one access through page tables that it is given, and tells the result.
 */
#include "tests/guest/access.h"
#include "tests/guest/guest.h"

static uint64_t modify(volatile uint64_t *at, uint64_t add)
{
	asm volatile("lock xaddq %0, %1" : "+r"(add), "+m"(*at));
	return add;
}

uint64_t guest_main(struct guest_page *page)
{
	struct access_order *o = (struct access_order *)page;
	volatile uint64_t *at = (volatile uint64_t *)o->at;

	asm volatile("movq %0, %%cr3" : : "r"(o->tables) : "memory");
	switch (o->access) {
	case ACCESS_READ:
		o->result = *at;
		break;
	case ACCESS_WRITE:
		*at = o->operand;
		o->result = o->operand;
		break;
	case ACCESS_FETCH:
		o->result = ((uint32_t(*)(void))o->at)();
		break;
	case ACCESS_MODIFY:
		o->result = modify(at, o->operand);
		break;
	default:
		return 1;
	}
	return 0;
}
