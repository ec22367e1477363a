/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kick_many - kicks of several CPUs, one after another: for machines that are modelled
 */
#include "inval/hw.h"

void hw_kick_many(unsigned base, u64 which)
{
	for (; which; which &= which - 1)
		hw_kick(base + (unsigned)__builtin_ctzll(which));
}
