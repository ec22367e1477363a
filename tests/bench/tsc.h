/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tsc - what the time-stamp counter counts on this machine.
 */
#ifndef TESTS_BENCH_TSC_H
#define TESTS_BENCH_TSC_H

#include "arch/x86_64/insn.h"

/* In Bochs it counts instructions, of all CPUs that are not halted in turn. */
static inline bool tsc_counts_instructions(void)
{
	u64 start = rdtsc(), ticks;

	for (unsigned i = 0; i < 1000; i++)
		asm volatile("nop\n\tnop\n\tnop\n\tnop\n\tnop\n\tnop");
	ticks = rdtsc() - start;
	return ticks >= 8000 && ticks < 9100; /* 8 or 9 instructions a turn, exactly */
}

#endif
