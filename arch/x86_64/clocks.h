/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * clocks - how far the CPUs' time-stamp counters are apart.
 */
#ifndef ARCH_CLOCKS_H
#define ARCH_CLOCKS_H

#include "lib/types.h"

#define CLOCK_ROUNDS 64

/* An AP's TSC is the BSP's plus `offset`, which is wrong by `slack` at most. */
struct clock {
	i64 offset;
	u64 slack;
	u64 round_trip; /* the shortest */
	bool steady;    /* false: the rounds contradict each other, the clocks drift */
};

/* Of `cpu`, which is idle and not this one.  CLOCK_ROUNDS round trips, no time-out. */
struct clock clock_compare(unsigned cpu);

#endif
