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

#define TRIES       3
#define TRY_US      10000
#define IN_A_SECOND (1000000 / TRY_US)

static u64 measure(void)
{
	u64 start = rdtsc();

	delay_us(TRY_US);
	return rdtsc() - start;
}

u64 clock_second(void)
{
	static u64 ticks;

	if (!ticks) {
		ticks = measure();
		for (unsigned i = 1; i < TRIES; i++) {
			u64 again = measure();

			ticks = MIN(ticks, again);
		}
	}
	return ticks * IN_A_SECOND;
}
