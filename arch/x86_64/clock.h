/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * clock - how fast the TSC counts, for what a person waits for.
 */
#ifndef ARCH_CLOCK_H
#define ARCH_CLOCK_H

#include "lib/types.h"

/* TSC ticks in a millisecond, measured by the 8254 when first asked: some 50 ms. */
u64 clock_khz(void);

static inline u64 clock_second(void)
{
	return 1000 * clock_khz();
}

#endif
