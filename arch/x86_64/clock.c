/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * clock - how fast the TSC counts, for what a person waits for
 *
 * The shortest of a few measurements counts, because a host may stop an emulator in
 * the midst of any of them.  Nothing but pauses between messages may rest on it.
 */
#include "arch/x86_64/clock.h"
#include "arch/x86_64/delay.h"
#include "arch/x86_64/insn.h"

#define TRIES  5
#define TRY_US 10000

u64 clock_khz(void)
{
	static u64 least; /* it may only last longer */

	for (unsigned i = least ? TRIES : 0; i < TRIES; i++) {
		u64 start = rdtsc_ordered(), took;

		delay_us(TRY_US);
		took = rdtsc_ordered() - start;
		least = least ? MIN(least, took) : took;
	}
	return least / (TRY_US / 1000);
}
