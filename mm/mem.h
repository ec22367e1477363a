/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mem - port: how mm/ reaches the bytes of a frame.
 *
 * arch/x86_64 answers with the direct map, the native tests with a buffer.
 */
#ifndef MM_MEM_H
#define MM_MEM_H

#include "lib/err.h"

/* What lies between physical addresses and the host's pointers to the same bytes. */
extern const u64 mem_offset;

/* For checked builds: panics when the host has no pointer to that byte. */
void mem_check(hpa_t pa);

/* The host's pointer to the byte at `pa`, which lies in a frame of the pool. */
static inline void *mem_ptr(hpa_t pa)
{
	if (CHECKED)
		mem_check(pa);
	return (void *)(pa.v + mem_offset);
}

#endif
